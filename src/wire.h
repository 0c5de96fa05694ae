/*
 * wire.h: what libcurl calls while a transfer runs. No Lua behind any of it.
 */
#ifndef SC_WIRE_H
#define SC_WIRE_H

#include "transfer.h"

/* Sets the callbacks of the transfer's easy handle. */
void sc_wire_connect(Transfer *transfer);

/* Forgets an answer, for the next one. */
void sc_wire_begin(Transfer *transfer);

/* How many bytes of the request's head have left; what a proxy was asked for
 * a tunnel with are none of them. */
long sc_wire_head_sent(const Transfer *transfer);

/* Whether the answer's status is that of a success. */
int sc_wire_is_success(const Transfer *transfer);

#endif
