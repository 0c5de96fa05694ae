/*
 * download.h: where a document's bytes go: memory, a file or a writer.
 */
#ifndef SC_DOWNLOAD_H
#define SC_DOWNLOAD_H

#include "compat.h"

/* Names the sink of the request at `index` as `to` and `overwrite` in the
 * settings say. Returns 0, or the number of values of a failure. */
int sc_download_open(lua_State *L, int index, int settings);

/* is_folder(path) -> boolean. */
int download_is_folder(lua_State *L);

#endif
