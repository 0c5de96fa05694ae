/*
 * scratch.c: a Buffer that Lua owns.
 *
 * The metatable is registered only once it is complete: one that memory ran
 * out on halfway would later own buffers without freeing them.
 */
#include "scratch.h"

#define METATABLE "signicat.scratch"

static int scratch_gc(lua_State *L) {
  sc_buffer_free((Buffer *)luaL_checkudata(L, 1, METATABLE));
  return 0;
}

static void push_metatable(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, METATABLE);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, scratch_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, METATABLE);
}

Buffer *sc_scratch_push(lua_State *L) {
  Buffer *b = sc_newudata(L, sizeof(Buffer));
  b->data = NULL;
  b->size = b->capacity = 0;
  b->alloc = lua_getallocf(L, &b->alloc_ud);
  push_metatable(L);
  lua_setmetatable(L, -2);
  return b;
}

void sc_scratch_reserve(lua_State *L, Buffer *b, size_t extra) {
  if (sc_buffer_reserve(b, extra) == 0) return;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (sc_buffer_reserve(b, extra) != 0) sc_raise_memory(L);
}

int sc_raise_memory(lua_State *L) {
  /* Every state holds this very string from birth: no memory is needed. */
  lua_pushliteral(L, "not enough memory");
  return lua_error(L);
}
