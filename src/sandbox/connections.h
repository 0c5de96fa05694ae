/*
 * connections.h: the sockets that are open, and how far each one's request
 * is, so that all can be ended.
 *
 * A stop gives requests under way the time to be answered, those too that
 * have come but are not yet read, and cuts who only has a connection, or has
 * begun a request and gone quiet over it. Time is counted in looks at them, as
 * none passes for a client while this process itself stands still.
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

typedef enum ConnectionUse {
  CONNECTION_IDLE,
  CONNECTION_READING,  /* a request that is coming in */
  CONNECTION_ANSWERING /* one that has come in whole */
} ConnectionUse;

typedef struct Connection {
  int socket;
  ConnectionUse use;
  int quiet; /* milliseconds of looks since it was told of */
} Connection;

typedef struct Connections {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool ending; /* drains */
  bool over;   /* and has drained */
  size_t count;
  Connection list[CONNECTIONS_MOST];
} Connections;

void connections_init(Connections *connections);
void connections_add(Connections *connections, int socket);
/* Each piece of a request that comes in is told, too. */
void connections_use(Connections *connections, int socket, ConnectionUse use);
/* Before the socket is closed. */
void connections_remove(Connections *connections, int socket);
/* Shuts down those whose clients have gone in the middle of a request, which
 * libmicrohttpd may have missed: it would keep them until they time out. */
void connections_let_go(Connections *connections);
/* From here on, connections are ended as soon as they are idle. */
void connections_drain(Connections *connections);
bool connections_draining(Connections *connections);
/* Drains, later ones too, and waits until all are removed; those that are
 * left after `seconds` are shut down and waited for once more as long. */
void connections_end(Connections *connections, int seconds);
void connections_free(Connections *connections);

#endif
