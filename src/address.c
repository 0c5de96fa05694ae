/*
 * address.c: paths and queries; see address.h.
 */
#include "address.h"

#include "finding.h"
#include "format.h"
#include "json_write.h"

#include <string.h>

/* ---- paths ------------------------------------------------------------- */

/* Passes over a dot, plain or escaped; NULL when there is none. */
static const char *skip_dot(const char *c) {
  if (*c == '.') return c + 1;
  if (c[0] == '%' && c[1] == '2' && (c[2] == 'e' || c[2] == 'E')) return c + 3;
  return NULL;
}

/* Whether the segment that begins here is "." or "..". */
static int is_dotted(const char *segment) {
  const char *end = skip_dot(segment), *second;
  if (!end) return 0;
  second = skip_dot(end);
  if (second) end = second;
  return *end == '/' || *end == '\0' || *end == '?';
}

int sc_is_path(const char *path, size_t size) {
  const char *c;
  if (path[0] != '/' || strlen(path) != size) return 0;
  for (c = path; *c; c++) {
    if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '#') return 0;
    if (*c == '/' && is_dotted(c + 1)) return 0;
  }
  return 1;
}

/* ---- queries ----------------------------------------------------------- */

static void add_escaped(luaL_Buffer *url, const char *text, size_t size) {
  static const char hex[] = "0123456789ABCDEF";
  size_t i;
  for (i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (sc_is_alnum(c) || (c && strchr("-._~:", c))) {
      luaL_addchar(url, (char)c);
    } else {
      luaL_addchar(url, '%');
      luaL_addchar(url, hex[c >> 4]);
      luaL_addchar(url, hex[c & 15]);
    }
  }
}

/* Replaces a scalar on top of the stack by its text in a query. */
static int to_text(lua_State *L) {
  switch (lua_type(L, -1)) {
  case LUA_TSTRING: return 1;
  case LUA_TBOOLEAN:
    lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
    break;
  case LUA_TNUMBER:
    if (!sc_json_write(L, -1, NULL)) {
      lua_pop(L, 2);
      return 0;
    }
    break;
  default: return 0;
  }
  lua_replace(L, -2);
  return 1;
}

/* Appends `name=value` for the value on top of the stack to the query at
 * `query`, and pops it. Returns 0 when it has no text. */
static int add_pair(lua_State *L, int query, const char *name) {
  luaL_Buffer pair;
  const char *value;
  size_t size;
  if (!to_text(L)) {
    lua_pop(L, 1);
    return 0;
  }
  value = lua_tolstring(L, -1, &size);
  lua_pushvalue(L, query);
  luaL_buffinit(L, &pair);
  luaL_addchar(&pair, sc_rawlen(L, query) ? '&' : '?');
  add_escaped(&pair, name, strlen(name));
  luaL_addchar(&pair, '=');
  add_escaped(&pair, value, size);
  luaL_pushresult(&pair);
  lua_concat(L, 2);
  lua_replace(L, query);
  lua_pop(L, 1);
  return 1;
}

/* The same for a value that may be a list. */
static int add_parameter(lua_State *L, int query, const char *name) {
  int value = lua_gettop(L), i, n, good = 1;
  if (!lua_istable(L, value)) return add_pair(L, query, name);
  n = (int)sc_rawlen(L, value);
  for (i = 1; good && i <= n; i++) {
    lua_rawgeti(L, value, i);
    good = add_pair(L, query, name);
  }
  lua_pop(L, 1);
  return good;
}

static int is_known(const Schema *schema, const char *name) {
  const Field *field = schema ? schema->fields : NULL;
  for (; field && field->name; field++) {
    if (strcmp(field->name, name) == 0) return 1;
  }
  return 0;
}

static void find(Findings *all, const char *name, size_t size) {
  Place place = {0};
  place.name = name;
  place.size = size;
  sc_finding_add(all, &place, "must be text, a number or a list of these");
}

static void add_known(lua_State *L, int index, int query, const Schema *schema,
                      Findings *all) {
  const Field *field = schema ? schema->fields : NULL;
  for (; field && field->name; field++) {
    lua_pushstring(L, field->name);
    lua_rawget(L, index);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
    } else if (!add_parameter(L, query, field->name)) {
      find(all, field->name, strlen(field->name));
    }
  }
}

static void add_others(lua_State *L, int index, int query, const Schema *schema,
                       Findings *all) {
  lua_pushnil(L);
  while (lua_next(L, index)) {
    size_t size;
    const char *name =
        lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &size) : NULL;
    if (!name || strlen(name) != size) {
      find(all, "a parameter", 11);
      lua_pop(L, 1);
    } else if (is_known(schema, name)) {
      lua_pop(L, 1);
    } else if (!add_parameter(L, query, name)) {
      find(all, name, size);
    }
  }
}

int sc_address_query(lua_State *L, int index, const Schema *schema) {
  Findings all;
  int query;
  luaL_checkstack(L, 8, "query");
  sc_findings_start(&all, L, "");
  lua_pushliteral(L, "");
  query = lua_gettop(L);
  add_known(L, index, query, schema, &all);
  add_others(L, index, query, schema, &all);
  lua_replace(L, index);
  return sc_findings_finish(&all);
}
