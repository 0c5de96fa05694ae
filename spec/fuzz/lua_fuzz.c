/*
 * lua_fuzz.c: a host for fuzzers in Lua, with the core in it.
 *
 *     lua_fuzz spec/fuzz/reply.lua [libFuzzer's options]
 *
 * The file returns a function that takes the input and raises what does not
 * hold, and whether it is for Lua: then lines that run count as covered for
 * libFuzzer, so that it finds its way through Lua as it does through C.
 */
#include "fuzz.h"

#include "../support/luas.h"

#include <string.h>

#define COUNTERS 8192

__attribute__((
    section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

int luaopen_signicat_core(lua_State *L);

static lua_State *L;

static void on_line(lua_State *state, lua_Debug *frame) {
  lua_getinfo(state, "Sl", frame);
  unsigned line = (unsigned)frame->currentline;
  counters[(line + 1031 * (unsigned)frame->srclen) % COUNTERS]++;
}

static void stop(void) {
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  char **words = *argv;
  setenv("TZ", "UTC", 1); /* for os.time, a second opinion on dates */
  L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "signicat.core", luaopen_signicat_core, 0);
  lua_settop(L, 0);
  lua_pushcfunction(L, spec_traceback);
  if (*argc < 2 || luaL_dofile(L, words[1]) != LUA_OK) stop();
  if (lua_toboolean(L, 3)) lua_sethook(L, on_line, LUA_MASKLINE, 0);
  lua_settop(L, 2);
  memmove(words + 1, words + 2, (size_t)(*argc - 1) * sizeof *words);
  --*argc;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lua_pushvalue(L, 2);
  lua_pushlstring(L, (const char *)data, size);
  if (lua_pcall(L, 1, 0, 1) != LUA_OK) stop();
  return 0;
}
