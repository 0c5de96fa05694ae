/*
 * alloc_host.c: a host whose memory ends, at every point in turn.
 *
 *     alloc_host cases.lua <case>
 *
 * For n = 1, 2, ... it makes a fresh Lua state and calls the case with an
 * allocator that refuses the n-th growing request and every later one, until
 * a run comes to its end without reaching the n-th. After each it looks
 * whether the call raised Lua's memory error, whether the same state, with
 * memory again, does the case without fault, and whether every byte is given
 * back when the state is closed. It prints one line of numbers:
 *
 *     positions=40 raised=40 leaked=0
 */
#include "../support/luas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Heap {
  size_t bytes;
  long requests;  /* growing ones, since the counting began */
  long fail_from; /* 0: never */
  int failed;
} Heap;

typedef struct Tally {
  long positions, raised, leaked;
} Tally;

static void *heap_resize(void *ud, void *ptr, size_t osize, size_t nsize) {
  Heap *heap = ud;
  /* Without a block, osize says what kind of object is to be made. */
  size_t before = ptr != NULL ? osize : 0;
  if (nsize == 0) {
    free(ptr);
    heap->bytes -= before;
    return NULL;
  }
  if (nsize > before && heap->fail_from > 0 &&
      ++heap->requests >= heap->fail_from) {
    heap->failed = 1;
    return NULL;
  }
  void *block = realloc(ptr, nsize);
  if (block != NULL) heap->bytes = heap->bytes - before + nsize;
  return block;
}

static void stop(lua_State *L, const char *what) {
  const char *message = L != NULL ? lua_tostring(L, -1) : NULL;
  fprintf(stderr, "alloc_host: %s: %s\n", what, message ? message : "?");
  exit(2);
}

/* Leaves the function to be called on the stack. */
static lua_State *open_state(Heap *heap, const char *path, const char *name) {
  lua_State *L = lua_newstate(heap_resize, heap);
  if (L == NULL) stop(NULL, "no state");
  luaL_openlibs(L);
  if (luaL_dofile(L, path) != LUA_OK) stop(L, path);
  lua_getfield(L, -1, name);
  if (!lua_isfunction(L, -1)) stop(NULL, name);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) stop(L, name);
  return L;
}

/* One run; 0 when the case came to its end before the n-th request. */
static int run(const char *path, const char *name, long n, Tally *tally) {
  Heap heap = {0, 0, 0, 0};
  lua_State *L = open_state(&heap, path, name);
  lua_pushvalue(L, -1);
  heap.fail_from = n;
  int status = lua_pcall(L, 0, 0, 0);
  heap.fail_from = 0;
  if (heap.failed) tally->positions++;
  if (!heap.failed && status != LUA_OK) stop(L, "a fault without a cause");
  if (status != LUA_OK) {
    if (strstr(lua_tostring(L, -1), "not enough memory") == NULL)
      stop(L, "another error");
    tally->raised++;
    lua_pop(L, 1);
  }
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) stop(L, "with memory again");
  lua_close(L);
  tally->leaked += heap.bytes != 0;
  return heap.failed;
}

int main(int argc, char **argv) {
  Tally tally = {0, 0, 0};
  if (argc != 3) {
    fprintf(stderr, "usage: alloc_host cases.lua <case>\n");
    return 2;
  }
  for (long n = 1; run(argv[1], argv[2], n, &tally); n++)
    ;
  printf("positions=%ld raised=%ld leaked=%ld\n", tally.positions, tally.raised,
         tally.leaked);
  return 0;
}
