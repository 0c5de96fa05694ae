/*
 * system.c: the machine for Lua; see system.h.
 */
#include "system.h"

#include "digest.h"
#include "forks.h"
#include "format.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
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
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
  return 0;
}

int system_forks(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)sc_forks_seen());
  return 1;
}

int system_is_yieldable(lua_State *L) {
  int answer = sc_isyieldable(L);
  if (answer < 0) return 0;
  lua_pushboolean(L, answer);
  return 1;
}

int system_random(lua_State *L) {
  unsigned long long bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
    return luaL_error(L, "the system gave no random bytes");
  }
  lua_pushnumber(L, (lua_Number)(bits >> 11) / 9007199254740992.0);
  return 1;
}

int system_base64(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  char *out;
  luaL_argcheck(L, size <= 65536, 1, "too long");
  out = lua_newuserdata(L, (size + 2) / 3 * 4 + 1);
  lua_pushlstring(L, out, sc_base64(bytes, size, out));
  return 1;
}

int system_parse_time(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  double seconds;
  if (!sc_is_date_time(text, size, &seconds)) return 0;
  lua_pushnumber(L, seconds);
  return 1;
}

int system_format_time(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  double whole = floor((double)seconds);
  int milliseconds = (int)floor(((double)seconds - whole) * 1000 + 1e-3);
  time_t moment = (time_t)whole;
  struct tm utc;
  char text[64];
  if (!(whole >= -62167219200.0 && whole < 253402300800.0)) return 0;
  if (!gmtime_r(&moment, &utc)) return 0;
  if (milliseconds > 999) milliseconds = 999;
  snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
           utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
           utc.tm_min, utc.tm_sec, milliseconds);
  lua_pushstring(L, text);
  return 1;
}
