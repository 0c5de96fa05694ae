/*
 * compat.h: every difference between the Lua versions, in one place.
 *
 * The rest of the core is written against the names below and never asks
 * which Lua it is built for. Our own names (sc_) are used even where a later
 * Lua has the function, because LuaJIT reports version 5.1 and yet declares
 * some functions of 5.2.
 */
#ifndef SC_COMPAT_H
#define SC_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#if LUA_VERSION_NUM >= 504
#define sc_newudata(L, size) lua_newuserdatauv(L, size, 1)
#define sc_setuservalue(L, index) ((void)lua_setiuservalue(L, index, 1))
#define sc_getuservalue(L, index) ((void)lua_getiuservalue(L, index, 1))
#elif LUA_VERSION_NUM >= 502
#define sc_newudata(L, size) lua_newuserdata(L, size)
#define sc_setuservalue(L, index) ((void)lua_setuservalue(L, index))
#define sc_getuservalue(L, index) ((void)lua_getuservalue(L, index))
#else
#define sc_newudata(L, size) lua_newuserdata(L, size)
#define sc_setuservalue(L, index) ((void)lua_setfenv(L, index))
#define sc_getuservalue(L, index) ((void)lua_getfenv(L, index))
#endif

/* Slots: so many values, from 1 on, that a userdata keeps alive. */
#if LUA_VERSION_NUM >= 504
#define sc_newslots(L, size, count) lua_newuserdatauv(L, size, count)
#define sc_setslot(L, index, n) ((void)lua_setiuservalue(L, index, n))
#define sc_getslot(L, index, n) ((void)lua_getiuservalue(L, index, n))
#else
static inline void *sc_newslots(lua_State *L, size_t size, int count) {
  void *data = sc_newudata(L, size);
  if (count > 0) {
    lua_createtable(L, count, 0);
    sc_setuservalue(L, -2);
  }
  return data;
}

static inline void sc_setslot(lua_State *L, int index, int n) {
  sc_getuservalue(L, index);
  lua_insert(L, -2);
  lua_rawseti(L, -2, n);
  lua_pop(L, 1);
}

static inline void sc_getslot(lua_State *L, int index, int n) {
  sc_getuservalue(L, index);
  lua_rawgeti(L, -1, n);
  lua_remove(L, -2);
}
#endif

#if LUA_VERSION_NUM >= 502
#define sc_rawlen(L, index) lua_rawlen(L, index)
#define sc_setfuncs(L, list) luaL_setfuncs(L, list, 0)
#else
#define sc_rawlen(L, index) lua_objlen(L, index)
#define sc_setfuncs(L, list) luaL_register(L, NULL, list)
#endif

/* Only Lua from 5.3 on tells integers from floats. */
#if LUA_VERSION_NUM >= 503
#define SC_HAS_INTEGERS 1
#define sc_isinteger(L, index) lua_isinteger(L, index)
#else
#define SC_HAS_INTEGERS 0
#define sc_isinteger(L, index) 0
#endif

/* A whole number, as an integer where this Lua has them. */
static inline void sc_pushwhole(lua_State *L, int64_t n) {
  if (SC_HAS_INTEGERS && (lua_Integer)n == n)
    lua_pushinteger(L, (lua_Integer)n);
  else
    lua_pushnumber(L, (lua_Number)n);
}

/*
 * Whether a coroutine can yield where it is, which is not below a function
 * that C calls; -1: this Lua does not say. What was built for 5.1 may find
 * itself in a LuaJIT, which does.
 */
#if LUA_VERSION_NUM >= 503
#define sc_isyieldable(L) lua_isyieldable(L)
#elif defined(__GNUC__)
__attribute__((weak)) int lua_isyieldable(lua_State *L);
#define sc_isyieldable(L) (lua_isyieldable != NULL ? lua_isyieldable(L) : -1)
#else
#define sc_isyieldable(L) (-1)
#endif

/* An absolute index, so that pushes do not move it. */
#define sc_absindex(L, index)                            \
  ((index) > 0 || (index) <= LUA_REGISTRYINDEX ? (index) \
                                               : lua_gettop(L) + (index) + 1)

#endif
