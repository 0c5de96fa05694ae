/*
 * streams.c: gathers the functions of a call; see streams.h.
 *
 * Nothing here calls them: the transport does, in Lua, between two steps.
 */
#include "streams.h"

#include "message.h"

/* Copies a function into the table at `into`, which is made for the first. */
static void copy(lua_State *L, int into, int from, const char *name,
                 const char *as) {
  lua_getfield(L, from, name);
  if (lua_isnil(L, -1) || lua_type(L, -1) == LUA_TSTRING) {
    lua_pop(L, 1);
    return;
  }
  if (lua_isnil(L, into)) {
    lua_createtable(L, 0, 2);
    lua_replace(L, into);
  }
  lua_setfield(L, into, as);
}

void sc_streams_set(lua_State *L, int index, int settings, int upload) {
  int functions = lua_gettop(L) + 1;
  lua_pushnil(L);
  copy(L, functions, settings, "to", "writer");
  copy(L, functions, settings, "on_progress", "on_progress");
  if (lua_istable(L, upload)) {
    copy(L, functions, upload, "reader", "reader");
    copy(L, functions, upload, "rewind", "rewind");
  }
  if (lua_isnil(L, functions)) {
    lua_pop(L, 1);
    return;
  }
  sc_request_check(L, index)->streams = 1;
  sc_getslot(L, index, ANCHOR_BODY);
  lua_setfield(L, functions, "body");
  sc_setslot(L, index, ANCHOR_STREAMS);
}
