/*
 * sockets.h: which of libcurl's sockets are ready; the one file that knows
 * epoll.
 *
 * The descriptor of a set is itself readable while one of its sockets is
 * ready, so a foreign loop has one descriptor to watch, however many there
 * are.
 */
#ifndef SC_SOCKETS_H
#define SC_SOCKETS_H

/* What is wanted of a socket, and what it is ready for. */
enum { SOCKET_READ = 1, SOCKET_WRITE = 2, SOCKET_BROKEN = 4 };

/* A new set, or -1. */
int sc_sockets_open(void);
void sc_sockets_close(int set);
/* Watches a socket for `wanted`; 0: no longer. 0, or -1 when the system
 * refuses. */
int sc_sockets_watch(int set, int socket, int wanted);
/* Waits up to `seconds` for one ready socket and what it is ready for; -1
 * when there is none. Ready ones take turns. */
int sc_sockets_wait(int set, double seconds, int *ready);

#endif
