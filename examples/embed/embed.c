/*
 * embed.c: a program that runs scripts which it does not trust to end or to
 * be modest: each in a Lua state and a thread of its own, with so much memory
 * and so many instructions, and each with signicat for its calls.
 *
 *     cc embed.c -I/usr/include/lua5.4 -Wl,-E -llua5.4 -lpthread -o embed
 *     SIGNICAT_CLIENT_ID=... SIGNICAT_CLIENT_SECRET=... ./embed call.lua ...
 *
 * Prints a line for each script: what it returned or why it ended, and how
 * many bytes of its memory are left when its state is closed: none.
 *
 * The limits are Lua's: what libcurl holds is not in them, and time that a
 * call waits is no instruction; the client's timeouts are for that.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY (2 * 1024 * 1024) /* bytes for each script */
#define BUDGET 20000000L         /* instructions for each script */
#define SLICE 1000               /* instructions between two looks */
#define MAX_SCRIPTS 16

typedef struct Script {
  const char *path;
  pthread_t thread;
  size_t bytes; /* in use */
  long budget;  /* instructions left */
  char outcome[512];
} Script;

/* Lua's allocator. A request beyond the limit fails, and Lua raises. */
static void *resize(void *context, void *block, size_t old, size_t new) {
  Script *script = context;
  void *resized;
  if (!block) old = 0; /* it says what kind of object is to be made */
  if (new == 0) {
    free(block);
    script->bytes -= old;
    return NULL;
  }
  if (new > old &&new - old > MEMORY - script->bytes) return NULL;
  resized = realloc(block, new);
  if (resized) script->bytes += new - old;
  return resized;
}

/* Called every so many instructions, in each coroutine. A script that catches
 * the error comes one instruction further. */
static void look(lua_State *L, lua_Debug *unused) {
  void *context;
  Script *script;
  (void)unused;
  lua_getallocf(L, &context);
  script = context;
  script->budget -= SLICE;
  if (script->budget > 0) return;
  lua_sethook(L, look, LUA_MASKCOUNT, 1);
  luaL_error(L, "the script took too long");
}

/* Runs the script; all that may raise is in here, below a protected call. */
static int run(lua_State *L) {
  Script *script = lua_touserdata(L, 1);
  const char *text;
  luaL_openlibs(L);
  /* LuaJIT's compiled code calls no hook. */
  if (luaL_dostring(L, "if jit then jit.off() end") ||
      luaL_loadfile(L, script->path) || lua_pcall(L, 0, 1, 0)) {
    /* An error of the client's is a table that has a text. */
    (void)luaL_callmeta(L, -1, "__tostring");
    return lua_error(L);
  }
  text = lua_tostring(L, -1);
  snprintf(script->outcome, sizeof script->outcome, "%s", text ? text : "done");
  return 0;
}

static int run_protected(lua_State *L, Script *script) {
#if LUA_VERSION_NUM >= 502
  lua_pushcfunction(L, run); /* neither of the two takes memory */
  lua_pushlightuserdata(L, script);
  return lua_pcall(L, 1, 0, 0);
#else
  return lua_cpcall(L, run, script);
#endif
}

static void *work(void *context) {
  Script *script = context;
  lua_State *L = lua_newstate(resize, script);
  if (!L) {
    snprintf(script->outcome, sizeof script->outcome, "no memory for a state");
    return NULL;
  }
  /* Before anything runs: coroutines get the hook of their maker. */
  lua_sethook(L, look, LUA_MASKCOUNT, SLICE);
  if (run_protected(L, script) != 0) {
    const char *message = lua_tostring(L, -1);
    snprintf(script->outcome, sizeof script->outcome, "error: %s",
             message ? message : "not a text");
  }
  /* With the hook: finalisers may be the script's, and endless as well. */
  lua_close(L);
  return NULL;
}

int main(int argc, char **argv) {
  static Script scripts[MAX_SCRIPTS];
  int i, count = argc - 1;
  if (count < 1 || count > MAX_SCRIPTS) {
    fprintf(stderr, "usage: embed script.lua...\n");
    return 2;
  }
  for (i = 0; i < count; i++) {
    scripts[i].path = argv[i + 1];
    scripts[i].budget = BUDGET;
    if (pthread_create(&scripts[i].thread, NULL, work, &scripts[i]) != 0) {
      perror("embed");
      return 2;
    }
  }
  for (i = 0; i < count; i++) {
    pthread_join(scripts[i].thread, NULL);
    printf("%s: %s, %zu bytes left\n", scripts[i].path, scripts[i].outcome,
           scripts[i].bytes);
  }
  return 0;
}
