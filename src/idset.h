/*
 * idset.h: a set of ids, for whoever reads a long list and must not count a
 * session twice.
 *
 * An id takes 16 bytes here and at most twice that with the room to grow,
 * a fifth of what a Lua table of strings takes; the collector owns them.
 */
#ifndef SC_IDSET_H
#define SC_IDSET_H

#include "compat.h"

/* idset() -> a new, empty set. */
int idset_new(lua_State *L);
void sc_idset_define(lua_State *L);

#endif
