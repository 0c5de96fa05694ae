/*
 * interpreter.c: the plain Lua interpreter, for runs under the sanitizers.
 *
 *     interpreter [-e CODE] [SCRIPT [ARGUMENT...]]
 *
 * Built with them it needs nothing preloaded, so programs that a script
 * starts run as they are. The collector never rests: a cycle begins as soon
 * as one has ended, and is through within a few allocations. (LUA_GC=calm in
 * the environment leaves it as it is.) The state is always closed, so what is
 * still allocated afterwards has leaked.
 */
#include "luas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The table `arg`, as every Lua has it: the script is number 0. */
static void push_arguments(lua_State *L, int argc, char **argv, int script) {
  lua_createtable(L, argc - script, script);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
}

/* Calls the chunk that was loaded with `status`, given `count` arguments. */
static int call(lua_State *L, int status, int count) {
  int base = lua_gettop(L) - count;
  if (status == LUA_OK) {
    lua_pushcfunction(L, spec_traceback);
    lua_insert(L, base);
    status = lua_pcall(L, count, 0, base);
  }
  if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_settop(L, 0);
  return status;
}

static int run_script(lua_State *L, int argc, char **argv, int script) {
  int status = luaL_loadfile(L, argv[script]);
  if (status != LUA_OK) return call(L, status, 0);
  luaL_checkstack(L, argc, "arguments");
  for (int i = script + 1; i < argc; i++)
    lua_pushstring(L, argv[i]);
  return call(L, status, argc - script - 1);
}

int main(int argc, char **argv) {
  int has_code = argc > 2 && strcmp(argv[1], "-e") == 0;
  int script = has_code ? 3 : 1;
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  luaL_openlibs(L);
  if (getenv("LUA_GC") == NULL) lua_gc(L, LUA_GCSETPAUSE, 0);
  push_arguments(L, argc, argv, script);
  lua_setglobal(L, "arg");
  int status = LUA_OK;
  if (has_code)
    status = call(
        L, luaL_loadbuffer(L, argv[2], strlen(argv[2]), "=(command line)"), 0);
  if (status == LUA_OK && script < argc)
    status = run_script(L, argc, argv, script);
  lua_close(L);
  return status != LUA_OK;
}
