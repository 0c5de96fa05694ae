/*
 * lazy.c: the smallest userdata that is read on demand from a JSON index.
 *
 * Text and index lie in one block behind its head, as a reply's do: what is
 * tested with it is that members can be looked up and made into values at
 * any state of the memory.
 */
#include "lazy.h"

#include "json_read.h"
#include "scratch.h"

#include <lauxlib.h>
#include <string.h>

#define METATABLE "spec.lazy"

static int lazy_open(lua_State *L) {
  size_t size;
  JsonFault fault;
  const char *text = luaL_checklstring(L, 1, &size);
  Buffer *index = sc_scratch_push(L);
  if (sc_json_index(L, text, size, index, &fault) == 0)
    return luaL_error(L, "%s", fault.reason);
  Json *json = sc_newudata(L, sizeof(Json) + index->size + size);
  JsonNode *nodes = (JsonNode *)(void *)(json + 1);
  char *copy = (char *)nodes + index->size;
  memcpy(nodes, index->data, index->size);
  memcpy(copy, text, size);
  json->nodes = nodes;
  json->text = copy;
  json->base = 0;
  sc_buffer_free(index);
  luaL_setmetatable(L, METATABLE);
  return 1;
}

static int lazy_index(lua_State *L) {
  size_t size;
  const Json *json = luaL_checkudata(L, 1, METATABLE);
  const char *name = luaL_checklstring(L, 2, &size);
  const JsonNode *node = sc_json_member(json, json->nodes, name, size);
  if (node == NULL) return 0;
  sc_json_push(L, json, node);
  return 1;
}

static int lazy_names(lua_State *L) {
  const Json *json = luaL_checkudata(L, 1, METATABLE);
  const JsonNode *root = json->nodes, *end = root + sc_json_span(root);
  int count = 0;
  lua_newtable(L);
  for (const JsonNode *n = root + 1; n < end; n += sc_json_span(n)) {
    sc_json_push_key(L, json, n);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"open", lazy_open}, {"names", lazy_names}, {NULL, NULL}};

int luaopen_lazy(lua_State *L) {
  luaL_newmetatable(L, METATABLE);
  lua_pushcfunction(L, lazy_index);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, functions);
  return 1;
}
