/*
 * lazy.h: the smallest userdata that is read on demand from a JSON index.
 */
#ifndef LAZY_H
#define LAZY_H

#include <lua.h>

/* require "lazy": { open = function(text) -> userdata, names = function(
 * userdata) -> list }; an index of the userdata is a member's value. */
int luaopen_lazy(lua_State *L);

#endif
