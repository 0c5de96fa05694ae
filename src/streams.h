/*
 * streams.h: what Lua supplies and takes while a request is under way.
 */
#ifndef SC_STREAMS_H
#define SC_STREAMS_H

#include "compat.h"

/* Gives the request at `index` its table of functions, if there are any: the
 * settings' `to` and `on_progress`, the upload's `reader` and `rewind`. */
void sc_streams_set(lua_State *L, int index, int settings, int upload);

#endif
