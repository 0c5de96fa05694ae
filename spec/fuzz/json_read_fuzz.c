/*
 * json_read_fuzz.c: arbitrary bytes against the reader.
 *
 * jansson, the sandbox's parser, is the second opinion: both read the same
 * texts, but for what json_read.h says, and what is read and written again
 * means the same to it. What was written reads back as the same text, and
 * every member is found by its name, in the whole and in a slice of it.
 */
#include "fuzz.h"

#include "json_read.h"
#include "json_write.h"
#include "opinion.h"
#include "scratch.h"

#include <string.h>

/* ---- the index --------------------------------------------------------- */

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
      sc_json_push_key(L, json, found);
      expect(lua_rawequal(L, -1, -2));
      lua_pop(L, 2);
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

/* ---- one input --------------------------------------------------------- */

static void refused(const char *text, size_t size, const JsonFault *fault) {
  expect(fault->reason != NULL && fault->offset <= size);
  if (strncmp(fault->reason, "nested deeper", 13) != 0)
    expect(opinion_of(text, size) != OPINION_GOOD);
}

/* The text written is on top. */
static void means_the_same(lua_State *L, const char *text, size_t size) {
  size_t again;
  const char *written = lua_tolstring(L, -1, &again);
  Opinion opinion = opinion_of(text, size);
  expect(opinion != OPINION_BAD);
  if (opinion == OPINION_GOOD) expect(opinion_same(text, size, written, again));
}

static int check(lua_State *L) {
  size_t size = (size_t)lua_tointeger(L, 2);
  JsonFault fault;
  const char *text = lua_touserdata(L, 1);
  Buffer *index = sc_scratch_push(L);
  long count = sc_json_index(L, text, size, index, &fault);
  if (count == 0) {
    expect(index->size == 0);
    refused(text, size, &fault);
    return 0;
  }
  Json json = {text, (const JsonNode *)(const void *)index->data, 0};
  expect((uint32_t)count == sc_json_span(json.nodes));
  expect((size_t)count * sizeof(JsonNode) == index->size);
  look_up(L, &json, json.nodes);
  if (count > 1) slice(L, &json, json.nodes + 1);
  sc_json_push(L, &json, json.nodes);
  expect(sc_json_write(L, -1, NULL));
  means_the_same(L, text, size);
  lua_pushcfunction(L, json_decode);
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  expect(sc_json_write(L, -1, NULL));
  expect(lua_rawequal(L, -1, -3));
  return 0;
}

/* libFuzzer gives a block of the input's very size, so that reading on
 * behind it is seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L;
  if (L == NULL) L = luaL_newstate();
  lua_settop(L, 0);
  lua_pushcfunction(L, check);
  lua_pushlightuserdata(L, (void *)(uintptr_t)data);
  lua_pushinteger(L, (lua_Integer)size);
  expect(lua_pcall(L, 2, 0, 0) == LUA_OK);
  return 0;
}
