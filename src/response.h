/*
 * response.h: decode: a response -> a resource, or a failure.
 */
#ifndef SC_RESPONSE_H
#define SC_RESPONSE_H

#include "compat.h"
#include "message.h"

/* What decode does that takes long, however little it looks. */
typedef enum Effort {
  EFFORT_NONE,
  EFFORT_COMMIT, /* sc_sink_commit of a file that is right */
  EFFORT_HASH,   /* SHA-256 of the body, into `sha256` */
  EFFORT_READ    /* JSON, into `index` */
} Effort;

/* What it would be for this response: whoever has done it before leaves the
 * rest to decode. */
Effort sc_response_effort(const Request *request, const Response *response);

/* decode(request, response)
 *   -> value, meta, or nil, a plain failure table (error.h), meta.
 *
 * `response` is what the curl transport returns, or a plain table with
 * status, headers (lower-case names) and body from a transport of somebody
 * else's. `meta` is the first kind itself without its body, or a new table. */
int response_decode(lua_State *L);

#endif
