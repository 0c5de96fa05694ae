/*
 * upload.c: opens what is to be sent; see upload.h.
 */
#include "upload.h"

#include "error.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static void push_raw(lua_State *L, int table, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, table);
}

void sc_upload_string(lua_State *L, int index) {
  Request *request = sc_request_check(L, index);
  size_t size;
  if (lua_type(L, -1) != LUA_TSTRING) sc_misuse(L, "a body is a string");
  lua_tolstring(L, -1, &size);
  request->source.bytes = sc_request_anchor(L, index, ANCHOR_BODY);
  request->source.size = (int64_t)size;
  request->source.kind = SOURCE_BYTES;
}

const char *sc_path_string(lua_State *L, int index) {
  size_t size;
  const char *path = lua_tolstring(L, index, &size);
  if (path && strlen(path) != size) sc_misuse(L, "a path with a NUL in it");
  return path;
}

/* ---- media types ------------------------------------------------------- */

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

static int is_media_type(const char *type, size_t size) {
  const char *c;
  if (strlen(type) != size || !strchr(type, '/')) return 0;
  for (c = type; *c; c++) {
    if ((unsigned char)*c < 0x20 || *c == 0x7f) return 0;
  }
  return 1;
}

/* Pushes the media type; 0, or the number of values of a failure. */
static int push_type(lua_State *L, int source, const char *path) {
  const char *type;
  size_t size;
  push_raw(L, source, "type");
  type = lua_tolstring(L, -1, &size);
  if (!type) {
    lua_pop(L, 1);
    type = path ? guess_type(path) : NULL;
    if (type) {
      lua_pushstring(L, type);
      return 0;
    }
    return sc_fail_field(
        L, "type",
        path ? "must be given: the file's extension is not pdf, txt or md"
             : "must be given with `content` or `reader`, as in "
               "\"application/pdf\"");
  }
  if (is_media_type(type, size)) return 0;
  return sc_fail_field(L, "type", "must be a media type such as text/plain");
}

/* ---- files ------------------------------------------------------------- */

static int64_t integer_field(lua_State *L, int table, const char *name,
                             int64_t normal) {
  double value;
  push_raw(L, table, name);
  value = lua_isnil(L, -1) ? (double)normal : (double)lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value >= 0 && value <= 9007199254740992.0 ? (int64_t)value : normal;
}

static int open_file(lua_State *L, int index, int source, const char *path) {
  int code = sc_source_open(&sc_request_check(L, index)->source, path,
                            integer_field(L, source, "offset", 0),
                            integer_field(L, source, "length", -1));
  if (code == 0) return 0;
  if (code == EINVAL) {
    return sc_fail_field(L, "path",
                         "must be a regular file that has all of the part");
  }
  return sc_fail_file(L, "the file to upload could not be read", path, code);
}

/* The pieces come from Lua while the request is under way; how many bytes
 * they are in all has to be said before. Returns 0 when there is no reader. */
static int open_reader(lua_State *L, int index, int table) {
  Source *source = &sc_request_check(L, index)->source;
  push_raw(L, table, "reader");
  push_raw(L, table, "rewind");
  if (!lua_isnil(L, -2)) {
    source->kind = SOURCE_READER;
    source->size = integer_field(L, table, "size", 0);
    source->can_rewind = !lua_isnil(L, -1);
  }
  lua_pop(L, 2);
  return source->kind == SOURCE_READER;
}

int sc_upload_open(lua_State *L, int index, int source) {
  const char *path;
  int failed;
  sc_request_check(L, index)->source.hashed = 1;
  push_raw(L, source, "path");
  path = sc_path_string(L, -1);
  failed = push_type(L, source, path);
  if (failed) return failed;
  if (path) return open_file(L, index, source, path);
  if (open_reader(L, index, source)) return 0;
  push_raw(L, source, "content");
  sc_upload_string(L, index);
  return 0;
}
