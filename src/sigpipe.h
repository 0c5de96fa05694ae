/*
 * sigpipe.h: keeps a broken connection from ending the host.
 *
 * libcurl and the TLS library below it may write to a socket whose other end
 * is gone, and not every version asks for an error alone. With one that does
 * not, SIGPIPE waits while they may write, in this thread only, and one that
 * they caused is taken away. No signal's handler is touched; one that waited
 * before still does.
 */
#ifndef SC_SIGPIPE_H
#define SC_SIGPIPE_H

#include <signal.h>

typedef struct Sigpipe {
  sigset_t mask; /* the thread's, as it was */
  int waits;     /* one waited before: none is taken */
} Sigpipe;

/* Whether libcurl, as it is loaded here, leaves any to us. */
int sc_sigpipe_may_come(void);

/* Around every call that may write then. */
void sc_sigpipe_hold(Sigpipe *sigpipe);
void sc_sigpipe_release(const Sigpipe *sigpipe);

#endif
