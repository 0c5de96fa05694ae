/*
 * object.c: metatables and typed userdata; see object.h.
 */
#include "object.h"

#include <string.h>

static lua_CFunction find_function(const luaL_Reg *list, const char *name) {
  for (; list && list->name; list++) {
    if (strcmp(list->name, name) == 0) return list->func;
  }
  return NULL;
}

void sc_object_define(lua_State *L, const char *type, const luaL_Reg *methods,
                      const luaL_Reg *metamethods) {
  lua_CFunction index = find_function(metamethods, "__index");
  luaL_newmetatable(L, type);
  lua_pushstring(L, type);
  lua_setfield(L, -2, "__name"); /* Lua before 5.3 does not set it */
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  if (metamethods) sc_setfuncs(L, metamethods);
  lua_newtable(L);
  if (methods) sc_setfuncs(L, methods);
  if (index) lua_pushcclosure(L, index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void sc_object_extend(lua_State *L, const char *type, const luaL_Reg *methods) {
  luaL_getmetatable(L, type);
  lua_getfield(L, -1, "__index");
  lua_getupvalue(L, -1, 1);
  sc_setfuncs(L, methods);
  lua_pop(L, 3);
}

void *sc_object_new(lua_State *L, const char *type, size_t size, int slots) {
  ObjectHead *object = sc_newslots(L, size, slots);
  memset(object, 0, size);
  object->type = type;
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
  ObjectHead *object = lua_touserdata(L, index);
  if (!object) return NULL;
  if (sc_rawlen(L, index) >= sizeof *object && object->type == type) {
    return object;
  }
  /* Another type, or another file's copy of the same name. */
  if (!lua_getmetatable(L, index)) return NULL;
  luaL_getmetatable(L, type);
  if (!lua_rawequal(L, -1, -2)) object = NULL;
  lua_pop(L, 2);
  return object;
}

int sc_object_method(lua_State *L, int key) {
  lua_pushvalue(L, key);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1)) return 1;
  lua_pop(L, 1);
  return 0;
}
