/*
 * json_value.c: from an index to Lua values.
 *
 * The second half of json_read.h: looking up members and making values on
 * demand. It trusts the index: the reader has judged every byte.
 */
#include "json_read.h"

#include "json_number.h"
#include "json_text.h"
#include "scratch.h"

#define ARRAY_MARK "signicat.array"
/* Escaped strings up to here are unescaped without asking for memory. */
#define SMALL 256

static const char *at_offset(const Json *json, uint32_t offset) {
  return json->text + (offset - json->base);
}

/* -- strings ------------------------------------------------------------- */

static uint32_t hex4(const char *p) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    uint32_t c = (unsigned char)p[i];
    value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

static char *put_utf8(char *out, uint32_t code) {
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xc0 | code >> 6);
    *out++ = (char)(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = (char)(0xe0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    *out++ = (char)(0x80 | (code & 0x3f));
  } else {
    *out++ = (char)(0xf0 | code >> 18);
    *out++ = (char)(0x80 | (code >> 12 & 0x3f));
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    *out++ = (char)(0x80 | (code & 0x3f));
  }
  return out;
}

/* `*p` is behind a backslash and goes behind its escape. */
static char *put_escape(char *out, const char **p) {
  uint32_t code, c = (unsigned char)*(*p)++;
  switch (c) {
  case 'b': code = '\b'; break;
  case 'f': code = '\f'; break;
  case 'n': code = '\n'; break;
  case 'r': code = '\r'; break;
  case 't': code = '\t'; break;
  case 'u':
    code = hex4(*p);
    *p += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
      code = 0x10000 + ((code - 0xd800) << 10) + (hex4(*p + 2) - 0xdc00);
      *p += 6;
    }
    break;
  default: code = c; /* a quote, a slash, a backslash */
  }
  return put_utf8(out, code);
}

/* Unescapes `size` bytes into `out`, which never needs more than that. */
static size_t unescape(const char *p, size_t size, char *out) {
  const char *end = p + size, *slash;
  char *start = out;
  while ((slash = memchr(p, '\\', (size_t)(end - p))) != NULL) {
    memcpy(out, p, (size_t)(slash - p));
    out += slash - p;
    p = slash + 1;
    out = put_escape(out, &p);
  }
  memcpy(out, p, (size_t)(end - p));
  return (size_t)(out + (end - p) - start);
}

static void push_text(lua_State *L, const char *text, size_t size,
                      uint32_t escaped) {
  if (!escaped) {
    lua_pushlstring(L, text, size);
  } else if (size <= SMALL) {
    char small[SMALL];
    lua_pushlstring(L, small, unescape(text, size, small));
  } else {
    char *large = sc_newudata(L, size);
    lua_pushlstring(L, large, unescape(text, size, large));
    lua_remove(L, -2);
  }
}

/* -- members ------------------------------------------------------------- */

/* The index does not keep how long a name is: between its closing quote and
 * the value lie only space and the colon, so that it is found backwards. */
static size_t key_size(const Json *json, const JsonNode *node) {
  const char *p = at_offset(json, node->start);
  if (sc_json_type(node) == JSON_STRING) p--;
  while (*--p != ':')
    ;
  while (*--p != '"')
    ;
  return (size_t)(p - at_offset(json, node->key));
}

static int escaped_equals(const char *p, size_t left, const char *name,
                          size_t size) {
  const char *end = p + left;
  char one[4];
  while (p < end) {
    size_t part = 1;
    one[0] = *p++;
    if (one[0] == '\\') part = (size_t)(put_escape(one, &p) - one);
    if (part > size || memcmp(one, name, part) != 0) return 0;
    name += part;
    size -= part;
  }
  return size == 0;
}

static int key_equals(const Json *json, const JsonNode *node, const char *name,
                      size_t size) {
  const char *key = at_offset(json, node->key);
  if (node->tag & JSON_KEY_ESCAPED)
    return escaped_equals(key, key_size(json, node), name, size);
  /* Most names differ in their first byte; an empty one has its quote. */
  if (size > 0 && key[0] != name[0]) return 0;
  return key_size(json, node) == size && memcmp(key, name, size) == 0;
}

const JsonNode *sc_json_member(const Json *json, const JsonNode *object,
                               const char *name, size_t size) {
  const JsonNode *found = NULL, *end = object + sc_json_span(object);
  for (const JsonNode *n = object + 1; n < end; n += sc_json_span(n))
    if (key_equals(json, n, name, size)) found = n;
  return found;
}

void sc_json_push_key(lua_State *L, const Json *json, const JsonNode *node) {
  push_text(L, at_offset(json, node->key), key_size(json, node),
            node->tag & JSON_KEY_ESCAPED);
}

/* -- values -------------------------------------------------------------- */

void sc_json_push_array_mark(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, ARRAY_MARK);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, ARRAY_MARK);
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, ARRAY_MARK);
}

static void push_integer(lua_State *L, const char *text, size_t size) {
  int64_t value;
  if (!sc_integer_read(text, size, &value))
    lua_pushnumber(L, sc_number_read(text, size));
  else if (value == 0 && text[0] == '-')
    lua_pushnumber(L, -0.0);
  else
    sc_pushwhole(L, value);
}

static int count_children(const JsonNode *node) {
  const JsonNode *end = node + sc_json_span(node);
  int count = 0;
  for (const JsonNode *n = node + 1; n < end; n += sc_json_span(n))
    count++;
  return count;
}

/* Recursive, which is safe: the reader let nothing deeper than
 * SC_JSON_DEPTH pass. `mark` is where the array mark is on the stack. */
static void push_value(lua_State *L, const Json *json, const JsonNode *node,
                       int mark) {
  const char *text = at_offset(json, node->start);
  const JsonNode *end = node + sc_json_span(node);
  switch (sc_json_type(node)) {
  case JSON_NULL: lua_pushlightuserdata(L, NULL); break;
  case JSON_FALSE: lua_pushboolean(L, 0); break;
  case JSON_TRUE: lua_pushboolean(L, 1); break;
  case JSON_INTEGER: push_integer(L, text, node->size); break;
  case JSON_NUMBER: lua_pushnumber(L, sc_number_read(text, node->size)); break;
  case JSON_STRING:
    push_text(L, text, node->size, node->tag & JSON_ESCAPED);
    break;
  case JSON_ARRAY: {
    int position = 0;
    luaL_checkstack(L, 4, "JSON");
    lua_createtable(L, count_children(node), 0);
    for (const JsonNode *n = node + 1; n < end; n += sc_json_span(n)) {
      push_value(L, json, n, mark);
      lua_rawseti(L, -2, ++position);
    }
    lua_pushvalue(L, mark);
    lua_setmetatable(L, -2);
    break;
  }
  case JSON_OBJECT:
    luaL_checkstack(L, 4, "JSON");
    lua_createtable(L, 0, count_children(node));
    for (const JsonNode *n = node + 1; n < end; n += sc_json_span(n)) {
      sc_json_push_key(L, json, n);
      push_value(L, json, n, mark);
      lua_rawset(L, -3);
    }
    break;
  }
}

void sc_json_push(lua_State *L, const Json *json, const JsonNode *node) {
  if (sc_json_type(node) < JSON_ARRAY) {
    push_value(L, json, node, 0);
    return;
  }
  sc_json_push_array_mark(L);
  push_value(L, json, node, lua_gettop(L));
  lua_remove(L, -2);
}

int json_decode(lua_State *L) {
  size_t size;
  JsonFault fault;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_settop(L, 1);
  Buffer *index = sc_scratch_push(L);
  if (sc_json_index(L, text, size, index, &fault) == 0) {
    sc_buffer_free(index);
    lua_pushnil(L);
    lua_pushstring(L, fault.reason);
    lua_pushinteger(L, (lua_Integer)fault.offset + 1);
    return 3;
  }
  Json json = {text, (const JsonNode *)(const void *)index->data, 0};
  sc_json_push(L, &json, json.nodes);
  sc_buffer_free(index);
  return 1;
}
