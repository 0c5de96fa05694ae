/*
 * object.c: metatables and typed userdata; see object.h.
 */
#include "object.h"

#include <string.h>

/* What lies in a metatable at an integer is found without hashing a string:
 * the address of the type's name tells most objects. */
enum { TYPE_ADDRESS = 1, METHODS };

static int has_entry(const luaL_Reg *list, const char *name) {
  for (; list && list->name; list++) {
    if (strcmp(list->name, name) == 0) return 1;
  }
  return 0;
}

void sc_object_define(lua_State *L, const char *type, const luaL_Reg *methods,
                      const luaL_Reg *metamethods) {
  luaL_newmetatable(L, type);
  lua_pushstring(L, type);
  lua_setfield(L, -2, "__name"); /* Lua before 5.3 does not set it */
  lua_pushlightuserdata(L, (void *)type);
  lua_rawseti(L, -2, TYPE_ADDRESS);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  if (metamethods) sc_setfuncs(L, metamethods);
  lua_newtable(L);
  if (methods) sc_setfuncs(L, methods);
  if (!has_entry(metamethods, "__index")) {
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
  }
  lua_rawseti(L, -2, METHODS);
  lua_pop(L, 1);
}

void *sc_object_new(lua_State *L, const char *type, size_t size, int slots) {
  void *object = sc_newslots(L, size, slots);
  memset(object, 0, size);
  luaL_getmetatable(L, type);
  lua_setmetatable(L, -2);
  return object;
}

void *sc_object_check(lua_State *L, int index, const char *type) {
  void *object = sc_object_test(L, index, type);
  /* Raises; it has the words for it. */
  return object ? object : luaL_checkudata(L, index, type);
}

void *sc_object_test(lua_State *L, int index, const char *type) {
  void *object = lua_touserdata(L, index);
  if (!object || !lua_getmetatable(L, index)) return NULL;
  lua_rawgeti(L, -1, TYPE_ADDRESS);
  if (lua_touserdata(L, -1) != (const void *)type) {
    /* Another type, or another file's copy of the same name. */
    luaL_getmetatable(L, type);
    if (!lua_rawequal(L, -1, -3)) object = NULL;
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return object;
}

int sc_object_method(lua_State *L, int index, int key) {
  key = sc_absindex(L, key);
  if (!lua_getmetatable(L, index)) return 0;
  lua_rawgeti(L, -1, METHODS);
  lua_pushvalue(L, key);
  lua_rawget(L, -2);
  lua_replace(L, -3);
  lua_pop(L, 1);
  if (!lua_isnil(L, -1)) return 1;
  lua_pop(L, 1);
  return 0;
}
