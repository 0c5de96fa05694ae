/*
 * forks.h: which sockets a child of fork inherited, so that it can part from
 * them without a byte sent on them.
 *
 * Children are known by a count of the forks in their line, which the C
 * library keeps for us: it costs calls nothing, and a process id may be the
 * same on both sides (of a namespace).
 */
#ifndef SC_FORKS_H
#define SC_FORKS_H

#include <stddef.h>

typedef struct Forks {
  unsigned long seen; /* in the line of the process that began this */
  int *sockets;
  size_t count, room;
} Forks;

/* Begins to count, for what this process makes. 0, or -1 without memory. */
int sc_forks_begin(Forks *forks);
/* Whether another process began it, and this one was forked since. */
int sc_forks_inherited(const Forks *forks);
/* The count so far, to be compared later by what has no sockets. */
unsigned long sc_forks_seen(void);

/* A new socket that is on the list and no child started by exec gets, or
 * -1. */
int sc_forks_socket(Forks *forks, int family, int type, int protocol);
/* Closes one; it leaves the list. */
int sc_forks_close(Forks *forks, int socket);

/* Puts another descriptor in the place of each socket, which are the parent's
 * alone then. What is sent goes nowhere when `other` is no socket. */
void sc_forks_part(Forks *forks, int other);

void sc_forks_free(Forks *forks);

#endif
