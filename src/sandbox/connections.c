/*
 * connections.c: a list of sockets under a lock. Knows no HTTP.
 */
#include "connections.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#define AGAIN_MILLISECONDS 20
/* A thread that has read a request's bytes is about to say so: it has until
 * the third look, as the second may be due when this process goes on after it
 * stood still. */
#define UNSAID_MILLISECONDS (2 * AGAIN_MILLISECONDS)
/* A client that sends nothing more of its request for so long has stalled. */
#define QUIET_MILLISECONDS 2000

void connections_init(Connections *connections) {
  pthread_mutex_init(&connections->lock, NULL);
  pthread_cond_init(&connections->changed, NULL);
  connections->ending = connections->over = false;
  connections->count = 0;
}

/* NULL when it is not there; under the lock, as all below. */
static Connection *find(Connections *connections, int socket) {
  for (size_t i = 0; i < connections->count; i++)
    if (connections->list[i].socket == socket) return &connections->list[i];
  return NULL;
}

void connections_add(Connections *connections, int socket) {
  pthread_mutex_lock(&connections->lock);
  if (connections->count < CONNECTIONS_MOST)
    connections->list[connections->count++] =
        (Connection){.socket = socket, .use = CONNECTION_IDLE};
  if (connections->over) shutdown(socket, SHUT_RDWR);
  pthread_mutex_unlock(&connections->lock);
}

void connections_use(Connections *connections, int socket, ConnectionUse use) {
  pthread_mutex_lock(&connections->lock);
  Connection *connection = find(connections, socket);
  if (connection) {
    connection->use = use;
    connection->quiet = 0;
  }
  pthread_mutex_unlock(&connections->lock);
}

void connections_remove(Connections *connections, int socket) {
  pthread_mutex_lock(&connections->lock);
  Connection *connection = find(connections, socket);
  if (connection) *connection = connections->list[--connections->count];
  pthread_cond_signal(&connections->changed);
  pthread_mutex_unlock(&connections->lock);
}

void connections_drain(Connections *connections) {
  pthread_mutex_lock(&connections->lock);
  connections->ending = true;
  pthread_mutex_unlock(&connections->lock);
}

bool connections_draining(Connections *connections) {
  pthread_mutex_lock(&connections->lock);
  bool ending = connections->ending;
  pthread_mutex_unlock(&connections->lock);
  return ending;
}

static struct timespec after_milliseconds(long milliseconds) {
  struct timespec when;
  clock_gettime(CLOCK_REALTIME, &when);
  when.tv_nsec += milliseconds * 1000000;
  when.tv_sec += when.tv_nsec / 1000000000;
  when.tv_nsec %= 1000000000;
  return when;
}

static bool has_unread(const Connection *connection) {
  int unread = 0;
  return ioctl(connection->socket, FIONREAD, &unread) == 0 && unread > 0;
}

/* What nobody reads for long, nobody will. */
static bool is_waited_for(const Connection *connection) {
  if (connection->use == CONNECTION_ANSWERING) return true;
  if (connection->quiet >= QUIET_MILLISECONDS) return false;
  return connection->use == CONNECTION_READING ||
         connection->quiet < UNSAID_MILLISECONDS || has_unread(connection);
}

/* Shuts down those that are not waited for, or all, again and again:
 * libmicrohttpd waits for edges, and one that comes while it wakes the
 * connection up can pass it by. */
static void end_some(Connections *connections, int seconds, bool all) {
  for (long left = seconds * 1000L; left > 0 && connections->count > 0;
       left -= AGAIN_MILLISECONDS) {
    for (size_t i = 0; i < connections->count; i++) {
      Connection *connection = &connections->list[i];
      if (all || !is_waited_for(connection))
        shutdown(connection->socket, SHUT_RDWR);
      connection->quiet += AGAIN_MILLISECONDS;
    }
    struct timespec until = after_milliseconds(AGAIN_MILLISECONDS);
    while (connections->count > 0 &&
           pthread_cond_timedwait(&connections->changed, &connections->lock,
                                  &until) == 0)
      continue;
  }
}

/* Nobody is there for the answer, or nothing more comes of the request. */
static bool is_deserted(const Connection *connection) {
  struct pollfd watched = {.fd = connection->socket, .events = POLLRDHUP};
  if (poll(&watched, 1, 0) <= 0) return false;
  if (watched.revents & (POLLERR | POLLHUP)) return true;
  return connection->use != CONNECTION_ANSWERING && !has_unread(connection) &&
         connection->quiet >= UNSAID_MILLISECONDS;
}

void connections_let_go(Connections *connections) {
  pthread_mutex_lock(&connections->lock);
  for (size_t i = 0; i < connections->count; i++) {
    Connection *connection = &connections->list[i];
    if (is_deserted(connection)) shutdown(connection->socket, SHUT_RDWR);
    connection->quiet += AGAIN_MILLISECONDS;
  }
  pthread_mutex_unlock(&connections->lock);
}

void connections_end(Connections *connections, int seconds) {
  connections_drain(connections);
  pthread_mutex_lock(&connections->lock);
  end_some(connections, seconds, false);
  connections->over = true;
  end_some(connections, seconds, true);
  pthread_mutex_unlock(&connections->lock);
}

void connections_free(Connections *connections) {
  pthread_cond_destroy(&connections->changed);
  pthread_mutex_destroy(&connections->lock);
}
