/*
 * resource.c: the resource userdata over a slice of a reply; see resource.h.
 *
 * A page is the one resource with a hole: its sessions are resources of
 * their own, made at once, and neither their bytes nor their nodes are kept a
 * second time. `json` of a page puts them back.
 */
#include "resource.h"

#include "format.h"
#include "object.h"

#include <string.h>

typedef struct Resource {
  ObjectHead head;
  uint32_t base;       /* what the nodes' offsets count from */
  uint32_t node_count; /* in `nodes`; the text follows them */
  uint32_t text_size;
  uint32_t hole; /* a page: offset in the text of the sessions, else 0 */
  int has_cache; /* the user value is a table of fields worth keeping */
  JsonNode nodes[];
} Resource;

#define PAGE_SESSIONS 1 /* where the cache of a page has its own list */

static const char *const types[] = {
    DOCUMENT_TYPE, COLLECTION_TYPE, SESSION_TYPE, PAGE_TYPE, OBJECT_TYPE, NULL};

/* Lua has each string up to this size but once. */
#define SHORT_STRING 40

/* What the heads of all five say: here they are one. */
static const char any_type[] = "a signicat resource";

static const char *resource_text(const Resource *resource) {
  return (const char *)(resource->nodes + resource->node_count);
}

static Json as_json(const Resource *resource) {
  Json json;
  json.text = resource_text(resource);
  json.nodes = resource->nodes;
  json.base = resource->base;
  return json;
}

/* ---- making ------------------------------------------------------------ */

static Resource *new_resource(lua_State *L, const char *type, uint32_t nodes,
                              uint32_t text) {
  size_t size = sizeof(Resource) + nodes * sizeof(JsonNode) + text;
  Resource *resource = sc_newudata(L, size);
  memset(resource, 0, sizeof *resource);
  resource->head.type = any_type;
  resource->node_count = nodes;
  resource->text_size = text;
  luaL_getmetatable(L, type);
  lua_setmetatable(L, -2);
  return resource;
}

/* A resource of its own from the value at `node` of a reply. */
static void push_slice(lua_State *L, const Json *json, const JsonNode *node,
                       const char *type) {
  uint32_t count = sc_json_span(node);
  Resource *resource = new_resource(L, type, count, node->size);
  memcpy(resource->nodes, node, count * sizeof(JsonNode));
  memcpy(resource->nodes + count, json->text + (node->start - json->base),
         node->size);
  resource->base = node->start;
  resource->nodes[0].key = 0;
}

static void push_list(lua_State *L, const Json *json, const JsonNode *array,
                      const char *type) {
  const JsonNode *item = array + 1, *end = array + sc_json_span(array);
  int n = 0;
  lua_newtable(L);
  sc_json_push_array_mark(L);
  lua_setmetatable(L, -2);
  for (; item < end; item += sc_json_span(item)) {
    push_slice(L, json, item, type);
    lua_rawseti(L, -2, ++n);
  }
}

/* Pushes a copy of the list on top of the stack. */
static void copy_list(lua_State *L) {
  int i, n = (int)sc_rawlen(L, -1);
  lua_createtable(L, n, 0);
  sc_json_push_array_mark(L);
  lua_setmetatable(L, -2);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -2, i);
    lua_rawseti(L, -2, i);
  }
}

static void shift_node(JsonNode *node, uint32_t from, uint32_t by) {
  if (node->start >= from) node->start -= by;
  if (node->key >= from) node->key -= by;
}

static void shrink_node(JsonNode *node, uint32_t nodes, uint32_t bytes) {
  node->size -= bytes;
  node->tag -= nodes << JSON_SPAN_SHIFT;
}

/* A page: the root without what is inside its `data`, which becomes a list
 * of sessions under that name in the cache. A second list is the page's own:
 * the first is the caller's to change. */
static void push_page(lua_State *L, const Json *json) {
  const JsonNode *root = json->nodes;
  const JsonNode *data = sc_json_member(json, root, "data", 4);
  uint32_t inside, hole, before, after, i;
  Resource *page;
  const char *from;
  char *text;
  if (!data || sc_json_span(data) == 1) {
    push_slice(L, json, root, PAGE_TYPE);
    return;
  }
  inside = sc_json_span(data) - 1;
  hole = data->size - 2; /* all but the brackets */
  before = (uint32_t)(data - root) + 1;
  after = sc_json_span(root) - before - inside;
  page = new_resource(L, PAGE_TYPE, before + after, root->size - hole);
  page->base = root->start;
  page->hole = data->start + 1 - root->start;
  memcpy(page->nodes, root, before * sizeof(JsonNode));
  memcpy(page->nodes + before, data + 1 + inside, after * sizeof(JsonNode));
  shrink_node(&page->nodes[0], inside, hole);
  shrink_node(&page->nodes[before - 1], inside, hole);
  for (i = before; i < before + after; i++) {
    shift_node(&page->nodes[i], data->start + 1, hole);
  }
  text = (char *)(page->nodes + page->node_count);
  from = json->text + (root->start - json->base);
  memcpy(text, from, page->hole);
  memcpy(text + page->hole, from + page->hole + hole,
         page->text_size - page->hole);
  page->has_cache = 1;
  lua_createtable(L, 0, 4);
  lua_pushvalue(L, -1);
  sc_setuservalue(L, -3);
  push_list(L, json, data, SESSION_TYPE);
  copy_list(L);
  lua_setfield(L, -3, "data");
  lua_rawseti(L, -2, PAGE_SESSIONS);
  lua_pop(L, 1);
}

void sc_resource_push(lua_State *L, const Json *json, ResultKind result) {
  const JsonNode *root = json->nodes;
  luaL_checkstack(L, 8, "reply");
  switch (result) {
  case RESULT_DOCUMENT: push_slice(L, json, root, DOCUMENT_TYPE); return;
  case RESULT_COLLECTION: push_slice(L, json, root, COLLECTION_TYPE); return;
  case RESULT_SESSION: push_slice(L, json, root, SESSION_TYPE); return;
  case RESULT_SESSIONS: push_list(L, json, root, SESSION_TYPE); return;
  case RESULT_PAGE: push_page(L, json); return;
  default: break;
  }
  if (sc_json_type(root) == JSON_OBJECT) {
    push_slice(L, json, root, OBJECT_TYPE);
  } else {
    sc_json_push(L, json, root);
  }
}

/* ---- reading ----------------------------------------------------------- */

static Resource *test_resource(lua_State *L, int index) {
  return sc_object_test(L, index, any_type);
}

static Resource *check_resource(lua_State *L, int index) {
  Resource *resource = test_resource(L, index);
  if (!resource) luaL_argerror(L, index, "a signicat resource expected");
  return resource;
}

/* Pushes the value of a field that is not in the cache. */
static int push_field(lua_State *L, const Resource *resource, const char *name,
                      size_t size) {
  Json json = as_json(resource);
  const JsonNode *node = sc_json_member(&json, json.nodes, name, size);
  if (!node) return 0;
  sc_json_push(L, &json, node);
  return 1;
}

/* Whether the value on top is worth a place in the cache: a table, which has
 * to stay the same, or a string so long that each copy takes memory. */
static int is_kept(lua_State *L) {
  return lua_istable(L, -1) ||
         (lua_type(L, -1) == LUA_TSTRING && sc_rawlen(L, -1) > SHORT_STRING);
}

/* Keeps the value on top of the stack under the string at `key`. */
static void keep_field(lua_State *L, Resource *resource, int index, int key) {
  if (!resource->has_cache) {
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, -1);
    sc_setuservalue(L, index);
    resource->has_cache = 1;
  } else {
    sc_getuservalue(L, index);
  }
  lua_pushvalue(L, key);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static int resource_index(lua_State *L) {
  Resource *resource = check_resource(L, 1);
  size_t size;
  const char *name;
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  lua_settop(L, 2);
  if (resource->has_cache) {
    sc_getuservalue(L, 1);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    if (!lua_isnil(L, -1)) return 1;
    lua_settop(L, 2);
  }
  name = lua_tolstring(L, 2, &size);
  if (sc_object_method(L, 2)) return 1;
  if (!push_field(L, resource, name, size)) return 0;
  if (is_kept(L)) keep_field(L, resource, 1, 2);
  return 1;
}

int resource_attach(lua_State *L) {
  Resource *resource = check_resource(L, 1);
  luaL_checktype(L, 2, LUA_TSTRING);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  keep_field(L, resource, 1, 2);
  return 0;
}

static int resource_newindex(lua_State *L) {
  return luaL_error(L,
                    "%s is a snapshot of an answer and cannot be changed; "
                    "use :totable() for a table of your own",
                    luaL_typename(L, 1));
}

/* Pushes the list of a page's sessions. */
static void push_sessions(lua_State *L, int index) {
  sc_getuservalue(L, index);
  lua_rawgeti(L, -1, PAGE_SESSIONS);
  lua_remove(L, -2);
}

/* totable() -> a new plain table with everything in it. */
static int resource_totable(lua_State *L) {
  Resource *resource = check_resource(L, 1);
  Json json = as_json(resource);
  lua_settop(L, 1);
  sc_json_push(L, &json, json.nodes);
  if (resource->hole) {
    int i, n;
    lua_newtable(L);
    sc_json_push_array_mark(L);
    lua_setmetatable(L, -2);
    push_sessions(L, 1);
    n = (int)sc_rawlen(L, 4);
    for (i = 1; i <= n; i++) {
      lua_rawgeti(L, 4, i);
      json = as_json(check_resource(L, 5));
      sc_json_push(L, &json, json.nodes);
      lua_rawseti(L, 3, i);
      lua_settop(L, 4);
    }
    lua_settop(L, 3);
    lua_setfield(L, 2, "data");
  }
  return 1;
}

/* json() -> the text as the service sent it; of a page, the white space
 * between its sessions is not kept. */
static int resource_json(lua_State *L) {
  Resource *resource = check_resource(L, 1);
  const char *text = resource_text(resource);
  luaL_Buffer out;
  int i, n;
  lua_settop(L, 1);
  if (!resource->hole) {
    lua_pushlstring(L, text, resource->text_size);
    return 1;
  }
  push_sessions(L, 1);
  n = (int)sc_rawlen(L, 2);
  luaL_buffinit(L, &out);
  luaL_addlstring(&out, text, resource->hole);
  for (i = 1; i <= n; i++) {
    const Resource *session;
    lua_rawgeti(L, 2, i);
    session = check_resource(L, -1);
    lua_pop(L, 1); /* the list keeps it */
    if (i > 1) luaL_addchar(&out, ',');
    luaL_addlstring(&out, resource_text(session), session->text_size);
  }
  luaL_addlstring(&out, text + resource->hole,
                  resource->text_size - resource->hole);
  luaL_pushresult(&out);
  return 1;
}

/* pairs(resource) walks a table of all fields; Lua 5.1 has only totable. */
static int resource_pairs(lua_State *L) {
  lua_getglobal(L, "next");
  lua_pushcfunction(L, resource_totable);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 2;
}

/* ---- ids --------------------------------------------------------------- */

void sc_resource_field(lua_State *L, int index, const char *name) {
  Resource *resource = test_resource(L, index);
  index = sc_absindex(L, index);
  if (resource) {
    if (!push_field(L, resource, name, strlen(name))) lua_pushnil(L);
  } else if (lua_istable(L, index)) {
    lua_pushstring(L, name);
    lua_rawget(L, index);
  } else {
    lua_pushnil(L);
  }
}

/* Pushes the string member of the table on top of the stack, or nil. */
static const char *push_string(lua_State *L, const char *name, size_t *size) {
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  return lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, size) : NULL;
}

static int is_sha256(const char *algorithm) {
  /* The guides have the second spelling. */
  return !algorithm || strcmp(algorithm, "SHA256") == 0 ||
         strcmp(algorithm, "SHA-256") == 0;
}

int sc_resource_hash(lua_State *L, int index, char out[SC_SHA256_BASE64]) {
  int top = lua_gettop(L);
  out[0] = '\0';
  sc_resource_field(L, index, "documentHash");
  if (lua_istable(L, -1)) {
    size_t size = 0;
    int fits = is_sha256(push_string(L, "hashAlgorithm", &size));
    const char *hash;
    lua_pop(L, 1);
    hash = push_string(L, "hash", &size);
    if (fits && hash && size == SC_SHA256_BASE64 - 1) {
      memcpy(out, hash, size + 1);
    }
  }
  lua_settop(L, top);
  return out[0] != '\0';
}

int sc_resource_push_id(lua_State *L, int index) {
  index = sc_absindex(L, index);
  if (lua_type(L, index) == LUA_TSTRING) {
    lua_pushvalue(L, index);
    return 1;
  }
  if (!lua_istable(L, index) && !test_resource(L, index)) return 0;
  sc_resource_field(L, index, "id");
  if (lua_type(L, -1) == LUA_TSTRING) return 1;
  lua_pop(L, 1);
  sc_resource_field(L, index, "documentId");
  if (lua_type(L, -1) == LUA_TSTRING) return 1;
  lua_pop(L, 1);
  return 0;
}

int resource_id(lua_State *L) {
  return sc_resource_push_id(L, 1);
}

/* Two answers about the same object are equal, however old. */
static int resource_eq(lua_State *L) {
  int equal = test_resource(L, 1) && test_resource(L, 2) &&
              lua_getmetatable(L, 1) && lua_getmetatable(L, 2) &&
              lua_rawequal(L, -1, -2);
  if (equal && sc_resource_push_id(L, 1) && sc_resource_push_id(L, 2)) {
    equal = lua_rawequal(L, -1, -2);
  } else {
    equal = lua_rawequal(L, 1, 2);
  }
  lua_pushboolean(L, equal);
  return 1;
}

/* The type and the id: enough to find it again, and safe to log. An id that
 * is none could be anything. */
static int resource_tostring(lua_State *L) {
  const char *id;
  size_t size;
  check_resource(L, 1);
  lua_getmetatable(L, 1);
  lua_getfield(L, -1, "__name");
  if (!sc_resource_push_id(L, 1)) return 1;
  id = lua_tolstring(L, -1, &size);
  if (sc_is_uuid(id, size)) {
    lua_pushfstring(L, "%s %s", lua_tostring(L, -2), id);
  } else {
    lua_pop(L, 1);
  }
  return 1;
}

void sc_resource_define(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"totable", resource_totable}, {"json", resource_json}, {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__index", resource_index},       {"__newindex", resource_newindex},
      {"__pairs", resource_pairs},       {"__eq", resource_eq},
      {"__tostring", resource_tostring}, {NULL, NULL}};
  int i;
  for (i = 0; types[i]; i++) {
    sc_object_define(L, types[i], methods, meta);
  }
}
