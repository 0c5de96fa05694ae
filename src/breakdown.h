/*
 * breakdown.h: says of a transfer that failed what went wrong, and when.
 */
#ifndef SC_BREAKDOWN_H
#define SC_BREAKDOWN_H

#include "transfer.h"

/* Pushes nil and the failure; returns 2. A document that can be continued is
 * held in the request's sink, any other part of one is removed. */
int sc_breakdown_push(lua_State *L, Transfer *transfer);

#endif
