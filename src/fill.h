/*
 * fill.h: tells an easy handle what to send: address, method, headers and
 * limits of a request. What all requests have in common, transfer.c sets.
 */
#ifndef SC_FILL_H
#define SC_FILL_H

#include "transfer.h"

/* Fills the handle from the transfer's request; 0, or -1 when there is no
 * memory. Of the request before it nothing stays. */
int sc_fill(Transfer *transfer);

#endif
