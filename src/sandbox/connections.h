/*
 * connections.h: the sockets that are open, so that all can be ended.
 *
 * Stopping libmicrohttpd 0.9.75 while it answers a malformed request
 * crashes: it refuses its own answer because it is stopping, and then reads
 * it. So connections are ended first, from outside, and it is stopped when
 * it has none. Threads may call everything here at the same time.
 */
#ifndef SANDBOX_CONNECTIONS_H
#define SANDBOX_CONNECTIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Far more than a test makes, far fewer than the descriptors of a process. */
#define CONNECTIONS_MOST 512

typedef struct Connections {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool ending;
  size_t count;
  int sockets[CONNECTIONS_MOST];
} Connections;

void connections_init(Connections *connections);
void connections_add(Connections *connections, int socket);
/* Before the socket is closed. */
void connections_remove(Connections *connections, int socket);
/* Shuts all of them down, later ones too, and waits until they are removed
 * or `seconds` have passed. */
void connections_end(Connections *connections, int seconds);
void connections_free(Connections *connections);

#endif
