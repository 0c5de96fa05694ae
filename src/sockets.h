/*
 * sockets.h: the sockets that libcurl uses, and which of them are ready; the
 * one file that knows epoll.
 *
 * The descriptor of a set is itself readable while one of its sockets is
 * ready, so a foreign loop has one descriptor to watch, however many there
 * are. The system is called as seldom as it can be: a socket that was made
 * here may go on being watched when it is not wanted, for it may soon be
 * again; should it be ready meanwhile, it is let go.
 */
#ifndef SC_SOCKETS_H
#define SC_SOCKETS_H

/* What is wanted of a socket, and what it is ready for. */
enum { SOCKET_READ = 1, SOCKET_WRITE = 2, SOCKET_BROKEN = 4 };

/* Ready ones that the system is asked for at one time. */
#define SOCKETS_AT_ONCE 32

/* One that was made here, and not closed yet. */
typedef struct Socket {
  unsigned char is_open, wanted, watched; /* by us, by the system */
} Socket;

typedef struct Sockets {
  int set;      /* its descriptor, plus one; 0: closed */
  Socket *made; /* by descriptor */
  int room;
  int next, count; /* of those that were ready and have not had their turn */
  struct {
    int socket, ready;
  } found[SOCKETS_AT_ONCE];
} Sockets;

/* 0, or -1 when the system has no descriptor for a set. */
int sc_sockets_open(Sockets *sockets);
void sc_sockets_close(Sockets *sockets);
/* The set's descriptor, or -1. */
int sc_sockets_descriptor(const Sockets *sockets);
/* A new socket that no child started by exec gets, or -1. */
int sc_sockets_make(Sockets *sockets, int family, int type, int protocol);
/* Closes a socket that was made here. */
int sc_sockets_unmake(Sockets *sockets, int socket);
/* In a child of fork: puts another descriptor in the place of each socket,
 * which are the parent's alone then, and lets go of the set. What is sent goes
 * nowhere. */
void sc_sockets_part(Sockets *sockets);
/* Watches a socket for `wanted`; 0: no longer. 0, or -1 when the system
 * refuses. */
int sc_sockets_watch(Sockets *sockets, int socket, int wanted);
/* Whether one that is ready waits for its turn. */
int sc_sockets_found(const Sockets *sockets);
/* Waits up to `seconds` for one ready socket and what it is ready for; -1
 * when there is none. Ready ones take turns. */
int sc_sockets_wait(Sockets *sockets, double seconds, int *ready);

#endif
