/*
 * delivery.h: from a Reply to a response of libmicrohttpd.
 *
 * delivery.c and http.c are the only files that know libmicrohttpd.
 */
#ifndef SANDBOX_DELIVERY_H
#define SANDBOX_DELIVERY_H

#include "pauses.h"
#include "reply.h"

#include <microhttpd.h>

/* The connection's socket; it is libmicrohttpd's. */
int delivery_socket(struct MHD_Connection *connection);
/* The body, or its file, is the response's from here on. NULL: no memory. */
struct MHD_Response *delivery_response(Reply *reply,
                                       struct MHD_Connection *connection,
                                       Pauses *pauses);
/* Puts the connection aside; afterwards libmicrohttpd asks again. */
void delivery_pause(struct MHD_Connection *connection, Pauses *pauses,
                    int64_t milliseconds);
/* A PausesWake. */
void delivery_wake(void *connection);

#endif
