/*
 * system.c: the process' clocks and chance for Lua; see system.h.
 */
#include "system.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int push_clock(lua_State *L, clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

int system_now(lua_State *L) {
  return push_clock(L, CLOCK_MONOTONIC);
}

int system_wall_clock(lua_State *L) {
  return push_clock(L, CLOCK_REALTIME);
}

int system_sleep(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  struct timespec left;
  if (!(seconds > 0)) return 0;
  if (seconds > 1e9) seconds = 1e9;
  left.tv_sec = (time_t)seconds;
  left.tv_nsec = (long)((seconds - (lua_Number)left.tv_sec) * 1e9);
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
  return 0;
}

int system_random(lua_State *L) {
  unsigned long long bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
    return luaL_error(L, "the system gave no random bytes");
  }
  lua_pushnumber(L, (lua_Number)(bits >> 11) / 9007199254740992.0);
  return 1;
}

/* The part of `source` up to the folder this library's Lua files are in. */
static size_t folder_size(const char *source) {
  const char *at = source, *found = NULL;
  while ((at = strstr(at, "/signicat/"))) found = at++;
  return found ? (size_t)(found - source) + strlen("/signicat/") : 0;
}

/* Tail calls leave no level to count, so the first frame that is not one of
 * our files is looked for. */
int system_misuse(lua_State *L) {
  const char *message = luaL_checkstring(L, 1);
  char ours[LUA_IDSIZE * 8] = "";
  size_t size = 0;
  lua_Debug frame;
  int level;
  for (level = 1; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline < 0) continue; /* a C function */
    if (size == 0) {
      size = folder_size(frame.source);
      if (size == 0 || size >= sizeof ours) break;
      memcpy(ours, frame.source, size);
    } else if (strncmp(frame.source, ours, size) != 0) {
      break;
    }
  }
  luaL_where(L, level);
  lua_pushstring(L, message);
  lua_concat(L, 2);
  return lua_error(L);
}
