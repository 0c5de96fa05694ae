/*
 * luas.h: what the C hosts of the specs need beyond src/compat.h to be built
 * for any Lua.
 */
#ifndef SPEC_LUAS_H
#define SPEC_LUAS_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#ifndef LUA_OK
#define LUA_OK 0
#endif

/* Turns the error at index 1 into text with a traceback. */
static inline int spec_traceback(lua_State *L) {
#if LUA_VERSION_NUM >= 502
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
#else
  lua_settop(L, 1);
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_getglobal(L, "tostring");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  lua_call(L, 1, 1);
#endif
  return 1;
}

#endif
