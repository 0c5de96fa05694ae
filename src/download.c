/*
 * download.c: names the sink of a request; see download.h.
 */
#include "download.h"

#include "error.h"
#include "message.h"
#include "upload.h"

#include <errno.h>
#include <sys/stat.h>

static int fail_target(lua_State *L, const char *path, int code) {
  if (code != EEXIST) {
    return sc_fail_file(L, "the target cannot be written", path, code);
  }
  sc_fail(L, "io", "the file exists; say overwrite = true to replace it");
  lua_pushstring(L, path);
  lua_setfield(L, -2, "detail");
  return 2;
}

int sc_download_open(lua_State *L, int index, int settings) {
  Sink *sink = &sc_request_check(L, index)->sink;
  const char *path;
  int code;
  lua_getfield(L, settings, "to");
  if (lua_isfunction(L, -1)) {
    sink->kind = SINK_WRITER;
    return 0;
  }
  path = sc_path_string(L, -1);
  if (!path) return 0;
  lua_getfield(L, settings, "overwrite");
  code = sc_sink_target(sink, path, lua_toboolean(L, -1));
  return code == 0 ? 0 : fail_target(L, path, code);
}

int download_is_folder(lua_State *L) {
  struct stat status;
  luaL_checkstring(L, 1);
  lua_pushboolean(L, stat(sc_path_string(L, 1), &status) == 0 &&
                         S_ISDIR(status.st_mode));
  return 1;
}
