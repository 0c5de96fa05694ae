/*
 * excess.h: what a server sends behind the end of an answer of HTTP/1.
 *
 * libcurl reads as much as was announced and leaves the rest for the next
 * request on the connection, which would take it for its answer. Such a
 * connection is ended instead, which libcurl sees before it uses it again.
 * What comes only after the look, when the answer has ended, is not seen.
 */
#ifndef SC_EXCESS_H
#define SC_EXCESS_H

#include "transfer.h"

/* Whether libcurl, as it is loaded here, has the TLS library that this module
 * has: only then it can be asked. */
int sc_excess_knows_tls(void);

/* The headers of an answer are there, and so is its connection. */
void sc_excess_watch(Transfer *transfer);
/* The answer is there, and the transfer still in its multi. */
void sc_excess_end(const Transfer *transfer);

#endif
