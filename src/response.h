/*
 * response.h: decode: a response -> a resource, or a failure.
 */
#ifndef SC_RESPONSE_H
#define SC_RESPONSE_H

#include "compat.h"

/* decode(request, response)
 *   -> value, meta, or nil, a plain failure table (error.h), meta.
 *
 * `response` is what the curl transport returns, or a plain table with
 * status, headers (lower-case names) and body from a transport of somebody
 * else's. `meta` is the first kind itself without its body, or a new table. */
int response_decode(lua_State *L);

#endif
