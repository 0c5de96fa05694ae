/*
 * mark.c: a function that callgrind can be told of: it counts from one call
 * of it to the next.
 */
#include <lauxlib.h>
#include <lua.h>

__attribute__((noinline, visibility("default"))) void turn_mark(void) {
  __asm__ volatile("");
}

static int mark(lua_State *L) {
  (void)L;
  turn_mark();
  return 0;
}

__attribute__((visibility("default"))) int luaopen_mark(lua_State *L) {
  lua_pushcfunction(L, mark);
  return 1;
}
