/*
 * alloc_host.c: a host whose memory ends, at every point in turn.
 *
 *     alloc_host cases.lua <case> <mode> [<first> <step>]
 *
 * For n = first, first + step, ... it makes a fresh Lua state and calls the
 * case while the n-th growing request is refused, until a run comes to its
 * end without reaching the n-th. The modes say whose request, see heap.h:
 * `lua`, `ours` and `curl`, where every later one is refused as well, until
 * the case has ended; `lua-once`, `ours-once` and `curl-once`, where no later
 * one is. `collect` refuses nothing and runs the case once while a collection
 * is made wherever Lua may make one.
 *
 * A case prepares what it needs and returns a function, and perhaps one that
 * closes what it made. The first returns nothing or true, or nil and an error,
 * and checks its own results. After each run the host looks what came of it,
 * whether the same state, with memory again, does the case without fault, and
 * whether anything is left when the state is closed and threads have ended:
 * bytes of Lua, blocks of the process, descriptors, files that were begun in
 * the folder ALLOC_FOLDER. It prints one line:
 *
 *     positions=40 raised=40 kinds= leaked=0
 *
 * `raised` counts errors of Lua's memory, `kinds` the kinds of error objects
 * with how many there were, and what is missing came to a right result.
 */
#include "../support/luas.h"
#include "heap.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_KINDS 16
#define PATIENCE 10000 /* ms for threads to end */
#define TRIES 20       /* of a call that may be late */

typedef struct Mode {
  const char *name;
  Source source;
  int once;
} Mode;

static const Mode modes[] = {
    {"lua", SOURCE_LUA, 0},      {"lua-once", SOURCE_LUA, 1},
    {"ours", SOURCE_OURS, 0},    {"ours-once", SOURCE_OURS, 1},
    {"curl", SOURCE_CURL, 0},    {"curl-once", SOURCE_CURL, 1},
    {"collect", SOURCE_NONE, 0},
};

typedef struct Tally {
  long positions, raised, leaked;
  char kinds[MAX_KINDS][16];
  long of_kind[MAX_KINDS];
  char left[128]; /* of the last run, in words */
} Tally;

static const char *script, *name;
static long position;
static int cut_short; /* the last run, before it came to its end or position */

int luaopen_signicat_core(lua_State *L);

static void stop(lua_State *L, const char *what) {
  const char *message = L != NULL ? lua_tostring(L, -1) : NULL;
  fprintf(stderr, "alloc_host: %s at %ld: %s: %s\n", name, position, what,
          message ? message : "?");
  exit(2);
}

/* ---- what is left ------------------------------------------------------- */

/* How many names that begin so a folder has. */
static long count_names(const char *path, const char *begin) {
  long count = 0;
  DIR *folder = opendir(path);
  const struct dirent *entry;
  if (folder == NULL) stop(NULL, path);
  while ((entry = readdir(folder)))
    count += strncmp(entry->d_name, begin, strlen(begin)) == 0;
  closedir(folder);
  return count;
}

static long count_files(void) {
  const char *folder = getenv("ALLOC_FOLDER");
  return folder ? count_names(folder, ".signicat-") : 0;
}

static void wait_for_threads(void) {
  static const struct timespec moment = {0, 1000000};
  int i;
  for (i = 0; count_names("/proc/self/task", "") > 3; i++) {
    if (i == PATIENCE) stop(NULL, "a thread does not end");
    nanosleep(&moment, NULL);
  }
}

/* ---- one run ------------------------------------------------------------ */

static void preload(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_signicat_core);
  lua_setfield(L, -2, "signicat.core");
  lua_pop(L, 2);
}

/* Leaves the function to be called at 1, the one that closes, or nil, at 2. */
static lua_State *open_state(size_t *bytes) {
  lua_State *L = lua_newstate(heap_resize_lua, bytes);
  if (L == NULL) stop(NULL, "no state");
  luaL_openlibs(L);
  preload(L);
  if (luaL_dofile(L, script) != LUA_OK) stop(L, script);
  lua_getfield(L, -1, name);
  if (!lua_isfunction(L, -1)) stop(NULL, "no such case");
  lua_remove(L, 1);
  if (lua_pcall(L, 0, 2, 0) != LUA_OK) stop(L, "preparing");
  return L;
}

/* A cycle begins as soon as one has ended and is through in one step. */
static void collect_always(lua_State *L) {
#if LUA_VERSION_NUM >= 504
  lua_gc(L, LUA_GCINC, 0, 1000, 30);
  lua_gc(L, LUA_GCSETPAUSE, 0);
#else
  lua_gc(L, LUA_GCSETPAUSE, 0);
  lua_gc(L, LUA_GCSETSTEPMUL, 0);
#endif
}

static void count_kind(Tally *tally, lua_State *L, int error) {
  int i = 0;
  const char *kind;
  lua_getfield(L, error, "kind");
  kind = lua_tostring(L, -1);
  if (kind == NULL) stop(NULL, "an error without a kind");
  while (tally->of_kind[i] > 0 && strcmp(tally->kinds[i], kind) != 0)
    i++;
  if (i == MAX_KINDS - 1) stop(NULL, "too many kinds");
  snprintf(tally->kinds[i], sizeof *tally->kinds, "%s", kind);
  tally->of_kind[i]++;
  lua_pop(L, 1);
}

/* Calls the function at 1; whether it did what it is for. */
static int call(lua_State *L, Tally *tally) {
  int status, done = 0;
  lua_settop(L, 2);
  lua_pushvalue(L, 1);
  status = lua_pcall(L, 0, 2, 0);
  if (status == LUA_OK && (!lua_isnil(L, 3) || lua_isnil(L, 4))) {
    done = 1;
  } else if (status == LUA_OK) {
    count_kind(tally, L, 4);
  } else if (lua_type(L, -1) == LUA_TSTRING &&
             strstr(lua_tostring(L, -1), "not enough memory")) {
    tally->raised++;
  } else {
    stop(L, "another error");
  }
  return done;
}

/* Whether the last call had too little time, as it may on a busy machine: it
 * has a second where libcurl may have lost sight of a socket. */
static int was_late(lua_State *L) {
  int late = 0;
  if (lua_istable(L, 4)) {
    lua_getfield(L, 4, "kind");
    late = lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), "timeout") == 0;
    lua_pop(L, 1);
  }
  return late;
}

/* The same client does it again. What a task raised while nobody waited for
 * it may come out now, once; and why there was no token is kept for a second,
 * for all who ask. */
static void call_again(lua_State *L) {
  static const struct timespec second = {1, 100000000};
  Tally tally = {0};
  int i;
  for (i = 0; i < TRIES; i++) {
    if (call(L, &tally)) return;
    if (i > 0 && !was_late(L)) break;
    if (tally.raised == 0) nanosleep(&second, NULL);
  }
  if (lua_istable(L, 4)) lua_getfield(L, 4, "message");
  stop(L, "with memory");
}

/* One run; whether something is left of it. */
static int run(const Mode *mode, long n, Tally *tally) {
  size_t bytes = 0;
  long descriptors = count_names("/proc/self/fd", ""), blocks = heap_blocks();
  lua_State *L;
  int done;
  position = n;
  L = open_state(&bytes);
  if (mode->source == SOURCE_NONE) collect_always(L);
  heap_fail(mode->source, n, mode->once);
  done = call(L, tally);
  heap_fail(SOURCE_NONE, 0, 0);
  cut_short = !done && !heap_failed();
  if (cut_short && !was_late(L)) stop(NULL, "a fault without a cause");
  call_again(L);
  lua_settop(L, 2);
  if (n % 2 == 0 && lua_isfunction(L, 2) && lua_pcall(L, 0, 0, 0) != LUA_OK)
    stop(L, "closing");
  lua_close(L);
  wait_for_threads();
  tally->positions += heap_failed();
  blocks = heap_blocks() - blocks;
  descriptors = count_names("/proc/self/fd", "") - descriptors;
  snprintf(tally->left, sizeof tally->left,
           "%zu bytes of Lua, %ld blocks, %ld descriptors, %ld files", bytes,
           blocks, descriptors, count_files());
  return bytes != 0 || blocks != 0 || descriptors != 0 || count_files() != 0;
}

/* What is kept for good, a thread's stack for one, may come late: left is what
 * is left each time. */
static void try_position(const Mode *mode, long n, Tally *tally) {
  Tally again = {0};
  int i;
  if (!run(mode, n, tally)) return;
  for (i = 0; i < 2; i++) {
    if (!run(mode, n, &again)) return;
  }
  fprintf(stderr, "alloc_host: %s at %ld leaves %s\n", name, n, again.left);
  tally->leaked++;
}

static const Mode *find_mode(const char *wanted) {
  size_t i;
  for (i = 0; i < sizeof modes / sizeof *modes; i++) {
    if (strcmp(modes[i].name, wanted) == 0) return &modes[i];
  }
  stop(NULL, "no such mode");
  return NULL;
}

int main(int argc, char **argv) {
  static const Mode none = {"", SOURCE_NONE, 0};
  Tally tally = {0}, warm = {0};
  long n, step;
  const Mode *mode;
  int i;
  if (argc != 4 && argc != 6) {
    fprintf(stderr, "usage: alloc_host cases.lua <case> <mode> [first step]\n");
    return 2;
  }
  script = argv[1];
  name = argv[2];
  mode = find_mode(argv[3]);
  n = argc == 6 ? atol(argv[4]) : 1;
  step = argc == 6 ? atol(argv[5]) : 1;
  if (heap_serve_curl() != 0) stop(NULL, "no libcurl");
  /* What libraries make once and keep is made now. */
  (void)run(&none, 0, &warm);
  for (;; n += step) {
    for (i = 0; i < TRIES; i++) {
      try_position(mode, n, &tally);
      if (!cut_short) break;
    }
    if (!heap_failed()) break;
  }
  printf("positions=%ld raised=%ld kinds=", tally.positions, tally.raised);
  for (i = 0; tally.of_kind[i] > 0; i++)
    printf("%s%s:%ld", i > 0 ? "," : "", tally.kinds[i], tally.of_kind[i]);
  printf(" leaked=%ld\n", tally.leaked);
  return 0;
}
