/*
 * request.c: checks and encodes the arguments of one call; see request.h.
 *
 * Everything that can be wrong with a call is found here, before a byte
 * leaves. The request made is complete but for its token.
 */
#include "request.h"

#include "address.h"
#include "download.h"
#include "error.h"
#include "format.h"
#include "json_write.h"
#include "message.h"
#include "operation.h"
#include "resource.h"
#include "streams.h"
#include "upload.h"
#include "validate.h"

#include <string.h>

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
      (float)number_setting(L, "connect_timeout", CONNECT_TIMEOUT);
  request->first_byte_timeout =
      (float)number_setting(L, "first_byte_timeout", 0);
  request->stall_timeout =
      (float)number_setting(L, "stall_timeout", normal->stall_timeout);
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

/* ---- the address ------------------------------------------------------- */

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
    return sc_fail_field(
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

static int set_json_body(lua_State *L, int index, const Schema *schema) {
  if (!sc_json_write(L, index, schema)) {
    return sc_fail_field(L, lua_tostring(L, -2), lua_tostring(L, -1));
  }
  sc_upload_string(L, REQUEST);
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

/* A document given as an object says what its bytes should hash to. */
static void set_expected(lua_State *L, Request *request) {
  char hash[SC_SHA256_BASE64];
  if (lua_type(L, ID) == LUA_TSTRING || !sc_resource_hash(L, ID, hash)) return;
  lua_pushstring(L, hash);
  request->expected = sc_request_anchor(L, REQUEST, ANCHOR_EXPECTED);
}

/* Sets the body that the row asks for. Leaves its media type on the stack,
 * or nil; returns 0, or the number of values of a failure. */
static int set_row_body(lua_State *L, const Operation *row) {
  int failed;
  if (row->body == BODY_FILE) return sc_upload_open(L, REQUEST, PAYLOAD);
  if (row->body == BODY_JSON) {
    failed = set_json_body(L, PAYLOAD, row->payload);
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
      return failed ? add_fields(L) : sc_fail_fields(L);
    }
  }
  if (failed) return failed;
  if (row->query && lua_istable(L, PAYLOAD)) {
    if (sc_address_query(L, PAYLOAD, row->query)) return sc_fail_fields(L);
    lua_pushvalue(L, PAYLOAD);
    lua_concat(L, 2);
  }
  request->url = sc_request_anchor(L, REQUEST, ANCHOR_URL);
  failed = set_row_body(L, row);
  if (failed) return failed;
  set_lines(L, request, lua_tostring(L, -1));
  lua_settop(L, REQUEST);
  if (row->result == RESULT_BYTES) {
    set_expected(L, request);
    failed = sc_download_open(L, REQUEST, SETTINGS);
    if (failed) return failed;
    lua_settop(L, REQUEST);
  }
  if (row->body == BODY_FILE || row->result == RESULT_BYTES) {
    sc_streams_set(L, REQUEST, SETTINGS, PAYLOAD);
  }
  return 1;
}

/* ---- what has no row --------------------------------------------------- */

enum { METHOD = 2, PATH, OPTIONS };

/* Any method, any path; what the answer is, it says itself. */
static const Operation raw = {"request", "request", NULL,       "", BODY_NONE,
                              NULL,      NULL,      RESULT_ANY, 1};

static int is_method(const char *method) {
  const char *c;
  for (c = method; *c; c++) {
    if (*c < 'A' || *c > 'Z') return 0;
  }
  return c > method;
}

static void push_option(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, OPTIONS);
}

/* What the method is for is not known here: only reading, and deleting what
 * may be gone already, are harmless. */
static int may_create(lua_State *L, const char *method) {
  int repeatable;
  push_option(L, "repeatable");
  repeatable = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return !repeatable && strcmp(method, "GET") && strcmp(method, "HEAD") &&
         strcmp(method, "DELETE");
}

/* Pushes base_url .. path .. query; 0, or the number of values of a failure.
 * A path with a query of its own goes on with it. */
static int push_raw_url(lua_State *L) {
  int url = lua_gettop(L) + 1;
  lua_getfield(L, SETTINGS, "base_url");
  lua_pushvalue(L, PATH);
  push_option(L, "query");
  if (lua_istable(L, -1)) {
    if (sc_address_query(L, url + 2, NULL)) return sc_fail_fields(L);
    if (sc_rawlen(L, -1) > 0 && strchr(lua_tostring(L, PATH), '?')) {
      lua_pushfstring(L, "&%s", lua_tostring(L, -1) + 1);
      lua_replace(L, -2);
    }
  } else {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
  lua_concat(L, 3);
  return 0;
}

/* Sets the body and pushes its media type, nil without one; 0, or the number
 * of values of a failure. */
static int set_raw_body(lua_State *L) {
  int failed;
  push_option(L, "json");
  if (!lua_isnil(L, -1)) {
    failed = set_json_body(L, lua_gettop(L), NULL);
    if (!failed) lua_pushliteral(L, "application/json");
    return failed;
  }
  push_option(L, "content");
  if (!lua_isnil(L, -1)) return sc_upload_open(L, REQUEST, OPTIONS);
  return 0;
}

int request_raw(lua_State *L) {
  size_t path_size;
  const char *method = luaL_checkstring(L, METHOD);
  const char *path = luaL_checklstring(L, PATH, &path_size);
  Request *request;
  int failed;
  luaL_checktype(L, SETTINGS, LUA_TTABLE);
  luaL_checktype(L, OPTIONS, LUA_TTABLE);
  lua_settop(L, NOW);
  request = sc_request_new(L);
  request->operation = &raw;
  if (!is_method(method)) {
    return sc_fail_field(L, "method", "must be a word in capitals such as GET");
  }
  if (!sc_is_path(path, path_size)) {
    return sc_fail_field(
        L, "path", "must begin with / and have no spaces or dot segments");
  }
  lua_pushvalue(L, METHOD);
  request->method = sc_request_anchor(L, REQUEST, ANCHOR_METHOD);
  request->creates = may_create(L, method);
  read_settings(L, request, &for_json);
  failed = push_raw_url(L);
  if (failed) return failed;
  request->url = sc_request_anchor(L, REQUEST, ANCHOR_URL);
  failed = set_raw_body(L);
  if (failed) return failed;
  if (request->source.kind != SOURCE_NONE && strcmp(method, "HEAD") == 0) {
    return sc_fail_field(L, "method", "must not be HEAD with a body");
  }
  set_lines(L, request, lua_tostring(L, -1));
  lua_settop(L, REQUEST);
  failed = sc_download_open(L, REQUEST, SETTINGS);
  if (failed) return failed;
  lua_settop(L, REQUEST);
  sc_streams_set(L, REQUEST, SETTINGS, OPTIONS);
  return 1;
}
