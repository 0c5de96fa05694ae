/*
 * acceptor.c: accepting, and refusing. Knows no HTTP.
 *
 * To refuse, the listening socket is shut down, not closed: it then keeps
 * its port (for which http_listen binds it by number), so that nobody else
 * gets it, and can listen again.
 */
#include "acceptor.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NAP_MILLISECONDS 5 /* while there is no room, or no descriptor */

struct Acceptor {
  pthread_mutex_t lock;
  pthread_t thread;
  AcceptorTaker taker;
  int listener;
  int bell; /* rung when `shut` or `ending` has changed */
  bool shut, ending;
};

static void ring(Acceptor *acceptor) {
  uint64_t one = 1;
  if (write(acceptor->bell, &one, sizeof one) < 0) return; /* rings already */
}

/* Accepts one; false when nobody comes now. */
static bool accept_one(const Acceptor *acceptor) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  int socket = accept4(acceptor->listener, (struct sockaddr *)&address, &size,
                       SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket < 0) return false;
  acceptor->taker.take(acceptor->taker.context, socket,
                       (struct sockaddr *)&address, size);
  return true;
}

static void *run(void *context) {
  Acceptor *acceptor = context;
  uint64_t rung;
  for (;;) {
    pthread_mutex_lock(&acceptor->lock);
    bool ending = acceptor->ending, shut = acceptor->shut;
    pthread_mutex_unlock(&acceptor->lock);
    if (ending) return NULL;
    bool room = acceptor->taker.has_room(acceptor->taker.context);
    struct pollfd polled[] = {
        {.fd = acceptor->bell, .events = POLLIN},
        {.fd = shut || !room ? -1 : acceptor->listener, .events = POLLIN}};
    poll(polled, 2, room ? -1 : NAP_MILLISECONDS);
    if (polled[0].revents) {
      if (read(acceptor->bell, &rung, sizeof rung) < 0) continue;
    } else if (polled[1].revents && !accept_one(acceptor)) {
      poll(polled, 1, NAP_MILLISECONDS);
    }
  }
}

Acceptor *acceptor_open(int listener, const AcceptorTaker *taker) {
  Acceptor *acceptor = calloc(1, sizeof *acceptor);
  int bell = acceptor ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
  if (bell >= 0) {
    pthread_mutex_init(&acceptor->lock, NULL);
    acceptor->taker = *taker;
    acceptor->listener = listener;
    acceptor->bell = bell;
    if (pthread_create(&acceptor->thread, NULL, run, acceptor) == 0)
      return acceptor;
    pthread_mutex_destroy(&acceptor->lock);
    close(bell);
  }
  free(acceptor);
  close(listener);
  return NULL;
}

bool acceptor_shut(Acceptor *acceptor, bool shut) {
  bool done = true;
  pthread_mutex_lock(&acceptor->lock);
  if (shut && !acceptor->shut)
    done = shutdown(acceptor->listener, SHUT_RDWR) == 0;
  else if (!shut && acceptor->shut)
    done = listen(acceptor->listener, SOMAXCONN) == 0;
  if (done) acceptor->shut = shut;
  ring(acceptor);
  pthread_mutex_unlock(&acceptor->lock);
  return done;
}

void acceptor_close(Acceptor *acceptor) {
  if (!acceptor) return;
  pthread_mutex_lock(&acceptor->lock);
  acceptor->ending = true;
  ring(acceptor);
  pthread_mutex_unlock(&acceptor->lock);
  pthread_join(acceptor->thread, NULL);
  close(acceptor->listener);
  close(acceptor->bell);
  pthread_mutex_destroy(&acceptor->lock);
  free(acceptor);
}
