/*
 * system.h: what Lua asks of the machine: clocks, sleep and chance, the
 * defaults of what a client's options may replace; forks; whether a coroutine
 * can yield; and some forms of text.
 */
#ifndef SC_SYSTEM_H
#define SC_SYSTEM_H

#include "compat.h"

/* now() -> seconds on a clock that no one sets; only differences mean
 * something. */
int system_now(lua_State *L);
/* wall_clock() -> seconds since 1970, UTC. */
int system_wall_clock(lua_State *L);
/* sleep(seconds) blocks this thread. */
int system_sleep(lua_State *L);
/* forks() -> how many forks lie between this process and the one that made
 * the first client: a child counts one more than its parent. */
int system_forks(lua_State *L);
/* is_yieldable() -> whether the coroutine can yield here; nil: Lua does not
 * say (5.1 and 5.2). */
int system_is_yieldable(lua_State *L);
/* random() -> a number from 0 up to, not including, 1. The host's own
 * generator is left alone. */
int system_random(lua_State *L);

/* base64(bytes) -> string. */
int system_base64(lua_State *L);
/* parse_time(text) -> seconds since 1970, or nil: a date-time of RFC 3339. */
int system_parse_time(lua_State *L);
/* format_time(seconds since 1970) -> a date-time in UTC, to the millisecond;
 * nil for what is not in the years 0 to 9999. */
int system_format_time(lua_State *L);

#endif
