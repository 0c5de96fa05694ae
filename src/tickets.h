/*
 * tickets.h: TLS sessions that the clients of a Lua state resume, whichever of
 * them began one: a new connection then costs half of what a first one does.
 *
 * libcurl resumes only for the same host with the same certificates and trust.
 */
#ifndef SC_TICKETS_H
#define SC_TICKETS_H

#include "transfer.h"

/* Returns what an easy handle is told to share, and pushes what keeps it alive.
 * NULL: libcurl, which has to be started, has no memory for it. */
CURLSH *sc_tickets_push(lua_State *L);

void sc_tickets_define(lua_State *L);

#endif
