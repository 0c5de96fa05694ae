/*
 * forking_host.c: a host that forks and looks at what belongs to it.
 *
 *     forking_host script.lua [argument...]
 *
 * Lua gets fork, wait, leave and the state of the process. Its send comes
 * before libc's, for libcurl too, and drops the flag that keeps SIGPIPE away,
 * as TLS libraries do that write without it; on request it finds the
 * connection broken. So libcurl says that it is one of those that had them.
 */
#include "../support/luas.h"

#include <curl/curl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__GNUC__)
#define EXPORTED __attribute__((visibility("default")))
#else
#define EXPORTED
#endif

static int connections_break;

EXPORTED ssize_t send(int socket, const void *bytes, size_t size, int flags) {
  if (connections_break) shutdown(socket, SHUT_WR);
  return sendto(socket, bytes, size, flags & ~MSG_NOSIGNAL, NULL, 0);
}

EXPORTED curl_version_info_data *curl_version_info(CURLversion wanted) {
  static curl_version_info_data old = {.version_num = 0x074d00, /* 7.77 */
                                       .ssl_version = "OpenSSL/1.1.1"};
  (void)wanted;
  return &old;
}

/* fork() -> 0 in the child, its process id in the parent. */
static int host_fork(lua_State *L) {
  lua_pushinteger(L, fork());
  return 1;
}

/* wait(pid) -> its exit code, or minus the signal that ended it. */
static int host_wait(lua_State *L) {
  int status = 0;
  waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0);
  lua_pushinteger(L,
                  WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  return 1;
}

/* leave(code) ends a child without closing its state. */
static int host_leave(lua_State *L) {
  fflush(NULL);
  _exit((int)luaL_checkinteger(L, 1));
}

/* state() -> the process' signals and its locale, as text. */
static int host_state(lua_State *L) {
  luaL_Buffer buffer;
  char line[256];
  FILE *status = fopen("/proc/self/status", "r");
  if (!status) return luaL_error(L, "no /proc");
  luaL_buffinit(L, &buffer);
  while (fgets(line, sizeof line, status)) {
    /* The count of signals that wait for any process of ours is left out. */
    if ((!strncmp(line, "Sig", 3) && line[3] != 'Q') ||
        !strncmp(line, "ShdPnd", 6))
      luaL_addstring(&buffer, line);
  }
  fclose(status);
  luaL_addstring(&buffer, setlocale(LC_ALL, NULL));
  luaL_pushresult(&buffer);
  return 1;
}

/* pend() blocks SIGPIPE in this thread and lets one wait. */
static int host_pend(lua_State *L) {
  sigset_t set;
  (void)L;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGPIPE);
  return 0;
}

/* break_connections() breaks each that is written to from now on. */
static int host_break(lua_State *L) {
  (void)L;
  connections_break = 1;
  return 0;
}

int main(int argc, char **argv) {
  static const luaL_Reg functions[] = {
      {"fork", host_fork},   {"wait", host_wait},
      {"leave", host_leave}, {"state", host_state},
      {"pend", host_pend},   {"break_connections", host_break},
      {NULL, NULL}};
  lua_State *L = luaL_newstate();
  int i, failed;
  if (argc < 2 || !L) return 2;
  setlocale(LC_ALL, "C.UTF-8");
  signal(SIGPIPE, SIG_DFL); /* whatever a shell ignores */
  luaL_openlibs(L);
  for (const luaL_Reg *it = functions; it->name; it++)
    lua_register(L, it->name, it->func);
  failed = luaL_loadfile(L, argv[1]);
  for (i = 2; !failed && i < argc; i++)
    lua_pushstring(L, argv[i]);
  if (failed || lua_pcall(L, argc - 2, 0, 0) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return 1;
  }
  lua_close(L);
  return 0;
}
