/*
 * process.c: starts a child with posix_spawn, reads its first lines, stops
 * it; see process.h.
 */
#include "process.h"

#include "error.h"
#include "object.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGUMENTS 64
#define MAX_LINE 4096
#define CHILD_PIPE 3  /* the descriptor the child watches */
#define MAX_POLL 3600 /* seconds, so that milliseconds fit an int */

extern char **environ;

/* Descriptors are kept plus one, so that zero is "closed". */
typedef struct Process {
  ObjectHead head;
  pid_t pid;    /* 0: none, or already waited for */
  pid_t parent; /* who started it: a fork of that has no child to end */
  int output;   /* the child's standard output, plus one */
  int lifeline; /* our end of the pipe, plus one */
  size_t size;  /* bytes of `line` that are read but not given out */
  char line[MAX_LINE];
} Process;

static void close_kept(int *kept) {
  if (*kept) close(*kept - 1);
  *kept = 0;
}

/* ---- starting ---------------------------------------------------------- */

/* Moves a descriptor out of the way of 0 to 3, which the child gets anew. */
static int move_up(int *fd) {
  int copy;
  if (*fd > CHILD_PIPE) return 0;
  copy = fcntl(*fd, F_DUPFD_CLOEXEC, CHILD_PIPE + 1);
  if (copy < 0) return -1;
  close(*fd);
  *fd = copy;
  return 0;
}

static int spawn(Process *process, char **arguments, int output, int watch) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none;
  int code;
  sigemptyset(&none);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, watch, CHILD_PIPE);
  /* A group of its own: a Ctrl-C at our terminal is ours to handle. */
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  code = posix_spawnp(&process->pid, arguments[0], &actions, &attributes,
                      arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) process->pid = 0;
  process->parent = getpid();
  return code;
}

/* Makes both pipes and the child; an errno, or 0. */
static int start(Process *process, char **arguments) {
  int output[2], life[2], code = 0;
  if (pipe2(output, O_CLOEXEC) != 0) return errno;
  if (pipe2(life, O_CLOEXEC) != 0) {
    code = errno;
    close(output[0]);
    close(output[1]);
    return code;
  }
  if (move_up(&output[1]) != 0 || move_up(&life[0]) != 0 ||
      move_up(&life[1]) != 0 || move_up(&output[0]) != 0) {
    code = errno;
  } else {
    code = spawn(process, arguments, output[1], life[0]);
  }
  close(output[1]);
  close(life[0]);
  process->output = output[0] + 1;
  process->lifeline = life[1] + 1;
  return code;
}

int process_spawn(lua_State *L) {
  char *arguments[MAX_ARGUMENTS + 2];
  Process *process;
  int i, n, code;
  arguments[0] = (char *)luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  n = (int)sc_rawlen(L, 2);
  luaL_argcheck(L, n <= MAX_ARGUMENTS, 2, "too many arguments");
  luaL_checkstack(L, n + 4, "arguments");
  process = sc_object_new(L, PROCESS_TYPE, sizeof *process, 0);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, 2, i); /* stays on the stack: its bytes are in use */
    arguments[i] = (char *)luaL_checkstring(L, -1);
  }
  arguments[n + 1] = NULL;
  code = start(process, arguments);
  if (code != 0) {
    sc_fail(L, sc_errno_kind(code), "the program could not be started (%s)",
            strerror(code));
    lua_pushfstring(L, "%s: %s", arguments[0], strerror(code));
    lua_setfield(L, -2, "detail");
    return 2;
  }
  lua_pushvalue(L, 3);
  return 1;
}

/* ---- reading and stopping ---------------------------------------------- */

static Process *check_process(lua_State *L) {
  return sc_object_check(L, 1, PROCESS_TYPE);
}

static double monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int milliseconds(double seconds) {
  if (!(seconds > 0)) return 0;
  return seconds < 1e6 ? (int)(seconds * 1000) + 1 : 1000000000;
}

/* Reads more of the output; 1, 0 at the end of it, -1 when time is up. */
static int read_more(Process *process, double deadline) {
  struct pollfd ready = {0, POLLIN, 0};
  double left = deadline - monotonic();
  ssize_t got;
  int polled;
  if (left > MAX_POLL) left = MAX_POLL;
  ready.fd = process->output - 1;
  polled = poll(&ready, 1, milliseconds(left));
  if (polled < 0 && errno == EINTR) return 1;
  if (polled == 0 && deadline > monotonic()) return 1;
  if (polled <= 0) return -1;
  got = read(ready.fd, process->line + process->size, MAX_LINE - process->size);
  if (got < 0 && errno == EINTR) return 1;
  if (got <= 0) return 0;
  process->size += (size_t)got;
  return 1;
}

/* read_line(timeout) -> the next line of the child's output, at its end also
 * what is left of one; nil and "end" when there is none, nil and "timeout"
 * after so many seconds. */
static int process_read_line(lua_State *L) {
  Process *process = check_process(L);
  double deadline = monotonic() + luaL_checknumber(L, 2);
  for (;;) {
    char *end = memchr(process->line, '\n', process->size);
    int more = 0;
    if (end || process->size == MAX_LINE) {
      size_t size = end ? (size_t)(end - process->line) : MAX_LINE;
      size_t used = end ? size + 1 : size;
      lua_pushlstring(L, process->line, size);
      process->size -= used;
      memmove(process->line, process->line + used, process->size);
      return 1;
    }
    if (process->output) more = read_more(process, deadline);
    if (more > 0) continue;
    if (more == 0 && process->size > 0) {
      lua_pushlstring(L, process->line, process->size);
      process->size = 0;
      return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, more < 0 ? "timeout" : "end");
    return 2;
  }
}

/* Waits up to `seconds` for the child to end; whether it did. */
static int wait_for(Process *process, double seconds) {
  const struct timespec nap = {0, 5000000};
  double deadline = monotonic() + seconds;
  for (;;) {
    pid_t ended = waitpid(process->pid, NULL, WNOHANG);
    if (ended == process->pid || (ended < 0 && errno == ECHILD)) {
      process->pid = 0;
      return 1;
    }
    if (monotonic() >= deadline) return 0;
    nanosleep(&nap, NULL);
  }
}

/* In a fork of the process that started it, the child is not ours. */
static int is_ours(const Process *process) {
  return process->pid && process->parent == getpid();
}

/* stop([grace]) asks the child to end, and after `grace` seconds (default 5)
 * makes it end. May be called twice. */
static int process_stop(lua_State *L) {
  Process *process = check_process(L);
  double grace = luaL_optnumber(L, 2, 5);
  close_kept(&process->lifeline);
  if (is_ours(process)) {
    kill(process->pid, SIGTERM);
    if (!wait_for(process, grace)) {
      kill(process->pid, SIGKILL);
      wait_for(process, 5);
    }
  }
  close_kept(&process->output);
  return 0;
}

/* kill() ends the child at once, as a crash of the machine would. */
static int process_kill(lua_State *L) {
  Process *process = check_process(L);
  if (is_ours(process)) kill(process->pid, SIGKILL);
  lua_settop(L, 1);
  return process_stop(L);
}

static int process_gc(lua_State *L) {
  lua_settop(L, 1);
  return process_stop(L);
}

static int process_pid(lua_State *L) {
  Process *process = check_process(L);
  if (!process->pid) return 0;
  lua_pushinteger(L, process->pid);
  return 1;
}

void sc_process_define(lua_State *L) {
  static const luaL_Reg methods[] = {{"read_line", process_read_line},
                                     {"stop", process_stop},
                                     {"kill", process_kill},
                                     {"pid", process_pid},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__gc", process_gc}, {"__close", process_gc}, {NULL, NULL}};
  sc_object_define(L, PROCESS_TYPE, methods, meta);
}
