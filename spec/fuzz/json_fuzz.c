/*
 * json_fuzz.c: arbitrary bytes against reader and writer (libFuzzer).
 *
 *     clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Isrc \
 *       -I/usr/include/lua5.4 spec/fuzz/json_fuzz.c src/buffer.c \
 *       src/scratch.c src/json_*.c -llua5.4 -lm -o build/json_fuzz
 *     build/json_fuzz -max_total_time=120 -dict=spec/fuzz/json.dict
 *
 * What is read must be written, what is written must read back as the same
 * text again, and every node of the index must be found by its name. The
 * input is copied to a block of its very size, so that reading on behind it
 * is seen.
 */
#include "json_read.h"
#include "json_write.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

static void expect(int holds) {
  if (!holds) abort();
}

/* Looks up each member of each object, and makes its value alone. */
static void look_up(lua_State *L, const Json *json, const JsonNode *node) {
  const JsonNode *end = node + sc_json_span(node);
  luaL_checkstack(L, 4, "nodes");
  for (const JsonNode *n = node + 1; n < end; n += sc_json_span(n)) {
    if (sc_json_type(node) == JSON_OBJECT) {
      size_t size;
      sc_json_push_key(L, json, n);
      const char *name = lua_tolstring(L, -1, &size);
      const JsonNode *found = sc_json_member(json, node, name, size);
      expect(found >= n && found < end);
      lua_pop(L, 1);
    }
    sc_json_push(L, json, n);
    lua_pop(L, 1);
    if (sc_json_type(n) >= JSON_ARRAY) look_up(L, json, n);
  }
}

/* The same member out of its own slice of text and index. */
static void slice(lua_State *L, const Json *json, const JsonNode *node) {
  if (sc_json_type(node) < JSON_ARRAY) return;
  char *text = malloc(node->size);
  size_t size = sc_json_span(node) * sizeof(JsonNode);
  JsonNode *nodes = malloc(size);
  memcpy(text, json->text + (node->start - json->base), node->size);
  memcpy(nodes, node, size);
  Json own = {text, nodes, node->start};
  look_up(L, &own, nodes);
  free(nodes);
  free(text);
}

static int check(lua_State *L) {
  size_t size;
  JsonFault fault;
  const char *input = lua_touserdata(L, 1);
  size = (size_t)lua_tointeger(L, 2);
  Buffer *index = sc_scratch_push(L);
  long count = sc_json_index(L, input, size, index, &fault);
  if (count == 0) {
    expect(fault.reason != NULL && fault.offset <= size);
    expect(index->size == 0);
    return 0;
  }
  Json json = {input, (const JsonNode *)(const void *)index->data, 0};
  expect((uint32_t)count == sc_json_span(json.nodes));
  expect((size_t)count * sizeof(JsonNode) == index->size);
  look_up(L, &json, json.nodes);
  if (count > 1) slice(L, &json, json.nodes + 1);
  sc_json_push(L, &json, json.nodes);
  expect(sc_json_write(L, -1, NULL));
  lua_pushcfunction(L, json_decode);
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  expect(sc_json_write(L, -1, NULL));
  expect(lua_rawequal(L, -1, -3));
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L;
  char *copy = malloc(size);
  if (L == NULL) L = luaL_newstate();
  if (size > 0) memcpy(copy, data, size);
  lua_settop(L, 0);
  lua_pushcfunction(L, check);
  lua_pushlightuserdata(L, copy);
  lua_pushinteger(L, (lua_Integer)size);
  expect(lua_pcall(L, 2, 0, 0) == LUA_OK);
  free(copy);

  /* The same bytes as a value to be written. */
  lua_pushlstring(L, (const char *)data, size);
  int written = sc_json_write(L, 1, NULL);
  if (written) {
    lua_pushcfunction(L, json_decode);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    expect(lua_rawequal(L, 1, -1));
  }
  lua_settop(L, 0);
  return 0;
}
