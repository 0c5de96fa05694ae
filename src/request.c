/*
 * request.c: checks and encodes the arguments of one call; see request.h.
 *
 * Everything that can be wrong with a call is found here, before a byte
 * leaves. The request made is complete but for its token.
 */
#include "request.h"

#include "error.h"
#include "format.h"
#include "json_write.h"
#include "message.h"
#include "operation.h"
#include "resource.h"
#include "validate.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The arguments' places on the stack, then that of the request. */
enum { SETTINGS = 1, OPERATION, ID, PAYLOAD, NOW, REQUEST };

#define CONNECT_TIMEOUT 5.0
#define MAX_BODY (32.0 * 1024 * 1024)

/* A JSON call ends after a minute; the bytes of a document take as long as
 * they take, but may not stand still. Seconds, 0 for no limit. */
typedef struct Patience {
  double timeout, stall_timeout;
} Patience;

static const Patience for_json = {60, 0}, for_documents = {0, 30};

/* ---- settings ---------------------------------------------------------- */

static double number_setting(lua_State *L, const char *name, double normal) {
  double value;
  lua_getfield(L, SETTINGS, name);
  value = lua_isnil(L, -1) ? normal : (double)lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static int boolean_setting(lua_State *L, const char *name) {
  int value;
  lua_getfield(L, SETTINGS, name);
  value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static void read_settings(lua_State *L, Request *request,
                          const Patience *normal) {
  request->timeout = number_setting(L, "timeout", normal->timeout);
  request->connect_timeout =
      number_setting(L, "connect_timeout", CONNECT_TIMEOUT);
  request->stall_timeout =
      number_setting(L, "stall_timeout", normal->stall_timeout);
  request->max_body = (size_t)number_setting(L, "max_body", MAX_BODY);
}

static Validation read_validation(lua_State *L) {
  Validation how = {VALIDATE_FULL, 0, 0};
  const char *level;
  lua_getfield(L, SETTINGS, "validate");
  level = lua_tostring(L, -1);
  if (level && strcmp(level, "reference") == 0) how.level = VALIDATE_REFERENCE;
  if (level && strcmp(level, "off") == 0) how.level = VALIDATE_OFF;
  lua_pop(L, 1);
  how.allow_unknown = boolean_setting(L, "allow_unknown");
  how.now = (double)lua_tonumber(L, NOW);
  return how;
}

/* ---- findings ---------------------------------------------------------- */

/* Turns the list of findings on top of the stack into a failure. */
static int fail_fields(lua_State *L) {
  sc_fail(L, "invalid", "nothing was sent");
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "fields");
  return 2;
}

static int fail_field(lua_State *L, const char *name, const char *reason) {
  lua_createtable(L, 1, 0);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, reason);
  lua_setfield(L, -2, "reason");
  lua_rawseti(L, -2, 1);
  return fail_fields(L);
}

/* Appends the list of findings on top of the stack to the failure below. */
static int add_fields(lua_State *L) {
  int list = lua_gettop(L), failure = list - 1, i, n, more;
  lua_getfield(L, failure, "fields");
  n = (int)sc_rawlen(L, -1);
  more = (int)sc_rawlen(L, list);
  for (i = 1; i <= more; i++) {
    lua_rawgeti(L, list, i);
    lua_rawseti(L, -2, n + i);
  }
  lua_settop(L, failure);
  return 2;
}

/* A path is the caller's own and may be personal: it goes to `detail`, the
 * line has only what the system said. */
static int fail_file(lua_State *L, const char *what, const char *path,
                     int code) {
  sc_fail(L, sc_errno_kind(code), "%s (%s)", what, strerror(code));
  lua_pushfstring(L, "%s: %s", path, strerror(code));
  lua_setfield(L, -2, "detail");
  return 2;
}

/* ---- the address ------------------------------------------------------- */

static void add_escaped(luaL_Buffer *url, const char *text, size_t size) {
  static const char hex[] = "0123456789ABCDEF";
  size_t i;
  for (i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (isalnum(c) || (c && strchr("-._~:", c))) {
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

/* Appends `name=value` for the scalar on top of the stack, and pops it; the
 * query so far is the string at `query`. */
static int add_pair(lua_State *L, int query, const char *name) {
  luaL_Buffer pair;
  const char *value;
  size_t size;
  if (!to_text(L)) return 0;
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

/* Appends one parameter, a list as the repeated key the API reads. */
static int add_parameter(lua_State *L, int query, const char *name) {
  int value = lua_gettop(L), i, n;
  if (!lua_istable(L, value)) return add_pair(L, query, name);
  n = (int)sc_rawlen(L, value);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, value, i);
    if (!add_pair(L, query, name)) return 0;
  }
  lua_pop(L, 1);
  return 1;
}

/* Replaces the table at `index` by its query string. The known parameters
 * come in the order of the row, others after them. Returns NULL, or the name
 * of a parameter that cannot be written. */
static const char *make_query(lua_State *L, int index, const Schema *schema) {
  const Field *field = schema ? schema->fields : NULL;
  int query;
  lua_pushliteral(L, "");
  query = lua_gettop(L);
  for (; field && field->name; field++) {
    lua_getfield(L, index, field->name);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
    } else if (!add_parameter(L, query, field->name)) {
      return field->name;
    }
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const char *name;
    if (lua_type(L, -2) != LUA_TSTRING) return "a parameter";
    name = lua_tostring(L, -2);
    for (field = schema ? schema->fields : NULL; field && field->name;) {
      if (strcmp(field->name, name) == 0) break;
      field++;
    }
    if (field && field->name) {
      lua_pop(L, 1);
    } else if (!add_parameter(L, query, name)) {
      return name;
    }
  }
  lua_replace(L, index);
  return NULL;
}

/* Pushes base_url .. path with `{name}` replaced by the id. Returns 0, or
 * the number of values of a failure it pushed. */
static int push_url(lua_State *L, const char *path) {
  const char *open = strchr(path, '{'), *close, *base, *id;
  char name[64];
  size_t base_size, size;
  luaL_Buffer url;
  lua_getfield(L, SETTINGS, "base_url");
  if (!open) {
    lua_pushstring(L, path);
    lua_concat(L, 2);
    return 0;
  }
  close = strchr(open, '}');
  base = lua_tolstring(L, -1, &base_size);
  if (!sc_resource_push_id(L, ID)) {
    sc_misuse(L, "an id, or an object that carries one, expected; got %s",
              luaL_typename(L, ID));
  }
  id = lua_tolstring(L, -1, &size);
  if (!sc_is_uuid(id, size)) {
    size = (size_t)(close - open - 1);
    if (size >= sizeof name) size = sizeof name - 1;
    memcpy(name, open + 1, size);
    name[size] = '\0';
    return fail_field(
        L, name, "must be an id of the form 8-4-4-4-12 hexadecimal digits");
  }
  luaL_buffinit(L, &url);
  luaL_addlstring(&url, base, base_size);
  luaL_addlstring(&url, path, (size_t)(open - path));
  luaL_addlstring(&url, id, size);
  luaL_addstring(&url, close + 1);
  luaL_pushresult(&url);
  return 0;
}

/* ---- bodies ------------------------------------------------------------ */

/* Makes the string on top of the stack the request's body, and pops it. */
static void set_body(lua_State *L, Request *request) {
  request->source.kind = SOURCE_BYTES;
  request->source.size = (int64_t)sc_rawlen(L, -1);
  request->source.bytes = sc_request_anchor(L, REQUEST, ANCHOR_BODY);
}

static int set_json_body(lua_State *L, Request *request, int index,
                         const Schema *schema) {
  if (!sc_json_write(L, index, schema)) {
    return fail_field(L, lua_tostring(L, -2), lua_tostring(L, -1));
  }
  set_body(L, request);
  return 0;
}

/* A path as C reads it, NULL for none; one with a NUL inside would name
 * another file than it says. */
static const char *path_string(lua_State *L, int index) {
  size_t size;
  const char *path = lua_tolstring(L, index, &size);
  if (path && strlen(path) != size) sc_misuse(L, "a path with a NUL in it");
  return path;
}

/* Only guessing may fail: a type that is given is sent as given. */
static const char *guess_type(const char *path) {
  static const char *const types[][2] = {{"pdf", "application/pdf"},
                                         {"txt", "text/plain"},
                                         {"md", "text/markdown"},
                                         {"markdown", "text/markdown"}};
  const char *dot = strrchr(path, '.');
  size_t i;
  for (i = 0; dot && i < sizeof types / sizeof *types; i++) {
    if (strcasecmp(dot + 1, types[i][0]) == 0) return types[i][1];
  }
  return NULL;
}

static int is_media_type(const char *type) {
  const char *c;
  for (c = type; *c; c++) {
    if ((unsigned char)*c < 0x20 || *c == 0x7f) return 0;
  }
  return strchr(type, '/') != NULL;
}

static int64_t integer_field(lua_State *L, int index, const char *name,
                             int64_t normal) {
  double value;
  lua_getfield(L, index, name);
  value = lua_isnil(L, -1) ? (double)normal : (double)lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value >= 0 && value <= 9007199254740992.0 ? (int64_t)value : normal;
}

static int open_file(lua_State *L, Request *request, int index,
                     const char *path) {
  int code = sc_source_open(&request->source, path,
                            integer_field(L, index, "offset", 0),
                            integer_field(L, index, "length", -1));
  if (code == 0) return 0;
  if (code == EINVAL) {
    return fail_field(L, "path",
                      "must be a regular file that has all of the part");
  }
  return fail_file(L, "the file to upload could not be read", path, code);
}

/* The source of an upload: { path = } or { content = , type = }. Pushes the
 * media type; returns 0, or the number of values of a failure. */
static int set_upload(lua_State *L, Request *request, int index) {
  const char *path, *type;
  int failed;
  request->source.hashed = 1;
  lua_getfield(L, index, "type");
  type = lua_tostring(L, -1);
  if (type && strlen(type) != sc_rawlen(L, -1)) type = ""; /* a NUL in it */
  lua_getfield(L, index, "path");
  path = path_string(L, -1);
  if (!type && path) type = guess_type(path);
  if (!type) {
    return fail_field(
        L, "type",
        path ? "must be given: the file's extension is not pdf, txt or md"
             : "must be given with `content`, as in \"application/pdf\"");
  }
  if (!is_media_type(type)) {
    return fail_field(L, "type", "must be a media type such as text/plain");
  }
  if (path) {
    failed = open_file(L, request, index, path);
    if (failed) return failed;
  } else {
    lua_getfield(L, index, "content");
    set_body(L, request);
  }
  lua_pushstring(L, type);
  return 0;
}

/* ---- headers ----------------------------------------------------------- */

/* Sets the client's own header lines, with `type` when there is a body. */
static void set_lines(lua_State *L, Request *request, const char *type) {
  lua_getfield(L, SETTINGS, "header_lines");
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
  if (type) {
    lua_pushfstring(L, "Content-Type: %s\n", type);
    lua_concat(L, 2);
  }
  request->lines = sc_request_anchor(L, REQUEST, ANCHOR_LINES);
}

/* ---- the calls --------------------------------------------------------- */

static int set_sink(lua_State *L, Request *request) {
  const char *path;
  int code;
  lua_getfield(L, SETTINGS, "to");
  path = path_string(L, -1);
  if (!path) return 0;
  code = sc_sink_target(&request->sink, path, boolean_setting(L, "overwrite"));
  if (code == 0) return 0;
  if (code == EEXIST) {
    sc_fail(L, "io", "the file exists; say overwrite = true to replace it");
    lua_pushstring(L, path);
    lua_setfield(L, -2, "detail");
    return 2;
  }
  return fail_file(L, "the target cannot be written", path, code);
}

/* A document given as an object says what its bytes should hash to. */
static void set_expected(lua_State *L, Request *request) {
  const char *hash;
  size_t size;
  if (lua_type(L, ID) == LUA_TSTRING) return;
  sc_resource_field(L, ID, "documentHash");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "hash");
    hash = lua_tolstring(L, -1, &size);
    if (hash && size == sizeof request->expected - 1) {
      memcpy(request->expected, hash, size + 1);
    }
  }
}

/* Sets the body that the row asks for. Leaves its media type on the stack,
 * or nil; returns 0, or the number of values of a failure. */
static int set_row_body(lua_State *L, Request *request, const Operation *row) {
  int failed;
  if (row->body == BODY_FILE) return set_upload(L, request, PAYLOAD);
  if (row->body == BODY_JSON) {
    failed = set_json_body(L, request, PAYLOAD, row->payload);
    if (failed) return failed;
    lua_pushliteral(L, "application/json");
    return 0;
  }
  lua_pushnil(L);
  return 0;
}

int request_new(lua_State *L) {
  const Operation *row = sc_operation_find(luaL_checkstring(L, OPERATION));
  const Schema *schema;
  Request *request;
  int failed;
  if (!row) return luaL_argerror(L, OPERATION, "no such operation");
  luaL_checktype(L, SETTINGS, LUA_TTABLE);
  lua_settop(L, NOW);
  request = sc_request_new(L);
  request->operation = row;
  request->creates = row->creates;
  request->method = row->method;
  read_settings(L, request,
                row->body == BODY_FILE || row->result == RESULT_BYTES
                    ? &for_documents
                    : &for_json);
  failed = push_url(L, row->path);
  schema = row->query ? row->query : row->payload;
  if (schema && !(row->query && lua_isnil(L, PAYLOAD))) {
    Validation how = read_validation(L);
    if (sc_validate(L, PAYLOAD, schema, "", &how)) {
      return failed ? add_fields(L) : fail_fields(L);
    }
  }
  if (failed) return failed;
  if (row->query && lua_istable(L, PAYLOAD)) {
    const char *name = make_query(L, PAYLOAD, row->query);
    if (name) return fail_field(L, name, "must be text, a number or a list");
    lua_pushvalue(L, PAYLOAD);
    lua_concat(L, 2);
  }
  request->url = sc_request_anchor(L, REQUEST, ANCHOR_URL);
  failed = set_row_body(L, request, row);
  if (failed) return failed;
  set_lines(L, request, lua_tostring(L, -1));
  lua_settop(L, REQUEST);
  if (row->result == RESULT_BYTES) {
    set_expected(L, request);
    failed = set_sink(L, request);
    if (failed) return failed;
    lua_settop(L, REQUEST);
  }
  return 1;
}

/* What sign:request does: any method, any path, a JSON answer as an object,
 * other answers as bytes. */
static const Operation raw = {"request", "request", NULL,         "", BODY_NONE,
                              NULL,      NULL,      RESULT_BYTES, 1};

static int is_path(const char *path, size_t size) {
  const char *c;
  if (path[0] != '/' || strlen(path) != size) return 0;
  for (c = path; *c; c++) {
    if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '#') return 0;
    if (c[0] == '/' && c[1] == '.') {
      const char *end = c[2] == '.' ? c + 3 : c + 2;
      if (*end == '/' || *end == '\0' || *end == '?') return 0;
    }
  }
  return 1;
}

int request_raw(lua_State *L) {
  size_t path_size;
  const char *method = luaL_checkstring(L, 2);
  const char *path = luaL_checklstring(L, 3, &path_size);
  const char *type = NULL, *c;
  Request *request;
  int failed;
  luaL_checktype(L, SETTINGS, LUA_TTABLE);
  luaL_checktype(L, 4, LUA_TTABLE);
  lua_settop(L, NOW);
  request = sc_request_new(L);
  request->operation = &raw;
  for (c = method; *c; c++) {
    if (!isupper((unsigned char)*c)) break;
  }
  if (*c || c == method) {
    return fail_field(L, "method", "must be a word in capitals such as GET");
  }
  if (!is_path(path, path_size)) {
    return fail_field(L, "path",
                      "must begin with / and have no spaces or dot segments");
  }
  lua_pushvalue(L, 2);
  request->method = sc_request_anchor(L, REQUEST, ANCHOR_METHOD);
  /* What the method is for is not known here: only reading is harmless. */
  lua_getfield(L, 4, "repeatable");
  request->creates = !lua_toboolean(L, -1) && strcmp(method, "GET") &&
                     strcmp(method, "HEAD") && strcmp(method, "DELETE");
  lua_pop(L, 1);
  read_settings(L, request, &for_json);
  lua_getfield(L, SETTINGS, "base_url");
  lua_pushvalue(L, 3);
  lua_getfield(L, 4, "query");
  if (lua_istable(L, -1)) {
    const char *name = make_query(L, lua_gettop(L), NULL);
    if (name) return fail_field(L, name, "must be text, a number or a list");
    /* A path with a query of its own goes on with it. */
    if (strchr(path, '?') && sc_rawlen(L, -1) > 0) {
      lua_pushfstring(L, "&%s", lua_tostring(L, -1) + 1);
      lua_replace(L, -2);
    }
  } else {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
  lua_concat(L, 3);
  request->url = sc_request_anchor(L, REQUEST, ANCHOR_URL);
  lua_getfield(L, 4, "json");
  if (!lua_isnil(L, -1)) {
    failed = set_json_body(L, request, lua_gettop(L), NULL);
    if (failed) return failed;
    type = "application/json";
  } else {
    lua_getfield(L, 4, "content");
    if (!lua_isnil(L, -1)) {
      failed = set_upload(L, request, 4);
      if (failed) return failed;
      type = lua_tostring(L, -1);
    }
  }
  set_lines(L, request, type);
  lua_settop(L, REQUEST);
  failed = set_sink(L, request);
  if (failed) return failed;
  lua_settop(L, REQUEST);
  return 1;
}
