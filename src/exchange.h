/*
 * exchange.h: what a transport written in Lua needs of a request and of a
 * response, when it has sockets of its own.
 *
 * It gets a body in pieces and hands over an answer in pieces, so hashes,
 * files that appear whole, continuation, readers and writers are the same as
 * with curl.
 */
#ifndef SC_EXCHANGE_H
#define SC_EXCHANGE_H

#include "compat.h"

/* Adds the methods below to those of a request. */
void sc_exchange_define(lua_State *L);

/* response{ status =, lines =, body = {pieces}, reused =, resent =, timing = }
 * -> the response; `lines` are its header lines. */
int exchange_response(lua_State *L);

#endif
