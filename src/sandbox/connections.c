/*
 * connections.c: a set of sockets under a lock. Knows no HTTP.
 */
#include "connections.h"

#include <sys/socket.h>
#include <time.h>

#define AGAIN_MILLISECONDS 20

void connections_init(Connections *connections) {
  pthread_mutex_init(&connections->lock, NULL);
  pthread_cond_init(&connections->changed, NULL);
  connections->ending = false;
  connections->count = 0;
}

void connections_add(Connections *connections, int socket) {
  pthread_mutex_lock(&connections->lock);
  if (connections->count < CONNECTIONS_MOST)
    connections->sockets[connections->count++] = socket;
  if (connections->ending) shutdown(socket, SHUT_RDWR);
  pthread_mutex_unlock(&connections->lock);
}

void connections_remove(Connections *connections, int socket) {
  pthread_mutex_lock(&connections->lock);
  size_t i = 0;
  while (i < connections->count && connections->sockets[i] != socket)
    i++;
  if (i < connections->count)
    connections->sockets[i] = connections->sockets[--connections->count];
  pthread_cond_signal(&connections->changed);
  pthread_mutex_unlock(&connections->lock);
}

static void add_milliseconds(struct timespec *when, long milliseconds) {
  when->tv_nsec += milliseconds * 1000000;
  when->tv_sec += when->tv_nsec / 1000000000;
  when->tv_nsec %= 1000000000;
}

/* Asks again and again: libmicrohttpd waits for edges, and one that comes
 * while it wakes the connection up can pass it by. */
void connections_end(Connections *connections, int seconds) {
  struct timespec until;
  pthread_mutex_lock(&connections->lock);
  connections->ending = true;
  clock_gettime(CLOCK_REALTIME, &until);
  for (long left = seconds * 1000L; left > 0 && connections->count > 0;
       left -= AGAIN_MILLISECONDS) {
    for (size_t i = 0; i < connections->count; i++)
      shutdown(connections->sockets[i], SHUT_RDWR);
    add_milliseconds(&until, AGAIN_MILLISECONDS);
    while (connections->count > 0 &&
           pthread_cond_timedwait(&connections->changed, &connections->lock,
                                  &until) == 0)
      continue;
  }
  pthread_mutex_unlock(&connections->lock);
}

void connections_free(Connections *connections) {
  pthread_cond_destroy(&connections->changed);
  pthread_mutex_destroy(&connections->lock);
}
