/*
 * request.h: encode: a row and its arguments -> a request.
 */
#ifndef SC_REQUEST_H
#define SC_REQUEST_H

#include "compat.h"

/* request(settings, operation_id, id, payload, now)
 *   -> request, or nil and a plain failure table (error.h).
 *
 * `settings` is a table: base_url, header_lines, timeout, connect_timeout,
 * stall_timeout (seconds), max_body (bytes), validate, allow_unknown, to,
 * overwrite. `payload` is the JSON body, the source of an upload or the query
 * of a list, as the row has it; `now` is the wall clock. */
int request_new(lua_State *L);

/* raw_request(settings, method, path, options) -> likewise, for what has no
 * row: options.query, options.json, or options.content and options.type;
 * options.repeatable says that a second copy does no harm. */
int request_raw(lua_State *L);

#endif
