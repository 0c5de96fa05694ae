/*
 * upload.h: what a request sends: a file part, memory or what a reader gives,
 * and its media type.
 */
#ifndef SC_UPLOAD_H
#define SC_UPLOAD_H

#include "compat.h"
#include "message.h"

/* Makes the string on top of the stack the body of the request at `index`,
 * and pops it. */
void sc_upload_string(lua_State *L, int index);

/* Opens the source that the table at `source` describes: { path = , offset =,
 * length = }, { content = , type = } or { reader = , size = , rewind = ,
 * type = }. Pushes the media type and returns 0, or the number of values of a
 * failure. The table is read raw. */
int sc_upload_open(lua_State *L, int index, int source);

/* A path as C reads it, NULL for none; one with a NUL inside would name
 * another file than it says, and raises. */
const char *sc_path_string(lua_State *L, int index);

#endif
