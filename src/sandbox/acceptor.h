/*
 * acceptor.h: the listening socket, and the thread that accepts from it.
 *
 * The server could accept by itself, but could not stop doing so for a
 * while: a closed door is how a test sees a refused connection.
 */
#ifndef SANDBOX_ACCEPTOR_H
#define SANDBOX_ACCEPTOR_H

#include <stdbool.h>
#include <sys/socket.h>

typedef struct Acceptor Acceptor;

typedef struct AcceptorTaker {
  void *context;
  /* Is there room for one more? If not, it is asked again a little later. */
  bool (*has_room)(void *context);
  /* Takes the socket over. */
  void (*take)(void *context, int socket, const struct sockaddr *address,
               socklen_t size);
} AcceptorTaker;

/* Takes the listening socket, bound to a port of its own choice; NULL when
 * there is no thread for it, and the socket is closed. */
Acceptor *acceptor_open(int listener, const AcceptorTaker *taker);
/* Shut, the port refuses connections from the moment of the call; those
 * accepted before go on. False when it cannot be opened again. */
bool acceptor_shut(Acceptor *acceptor, bool shut);
/* Accepts nothing more when it returns. */
void acceptor_close(Acceptor *acceptor);

#endif
