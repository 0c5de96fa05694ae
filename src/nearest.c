/*
 * nearest.c: what a misspelt name was probably meant to be.
 *
 * Distance is the number of letters to add, drop, change, or swap with their
 * neighbour (Damerau-Levenshtein, no letter edited twice); upper and lower
 * case are the same letter. Names longer than MAX_NAME are never near
 * anything, which keeps the work and the memory small whatever is given.
 */
#include "nearest.h"

#include <string.h>

#define MAX_NAME 64

static int lower(char c) {
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int least(int a, int b) {
  return a < b ? a : b;
}

/* Three rows of the usual table: this one and, for a swap, two above. */
static int distance(const char *a, int a_size, const char *b, int b_size) {
  int rows[3][MAX_NAME + 1];
  int *above2 = rows[0], *above = rows[1], *row = rows[2];
  for (int j = 0; j <= b_size; j++)
    above[j] = j;
  for (int i = 1; i <= a_size; i++) {
    int *oldest = above2;
    row[0] = i;
    for (int j = 1; j <= b_size; j++) {
      int same = lower(a[i - 1]) == lower(b[j - 1]);
      int cost = above[j - 1] + !same;
      cost = least(cost, least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        cost = least(cost, above2[j - 2] + 1);
      row[j] = cost;
    }
    above2 = above;
    above = row;
    row = oldest;
  }
  return above[b_size];
}

void sc_nearest_start(Nearest *search, const char *name, size_t size) {
  search->name = name;
  search->size = size;
  search->best = NULL;
  search->distance = 0;
}

/* Near enough is a third of the longer name; of equals the first one wins. */
void sc_nearest_offer(Nearest *search, const char *candidate) {
  size_t size = strlen(candidate);
  size_t longer = size > search->size ? size : search->size;
  int far;
  if (longer > MAX_NAME) return;
  far = distance(search->name, (int)search->size, candidate, (int)size);
  if (far > (int)longer / 3) return;
  if (search->best != NULL && far >= search->distance) return;
  search->best = candidate;
  search->distance = far;
}

/* `best` points into a string of the list, which keeps it alive. */
int core_nearest(lua_State *L) {
  Nearest search;
  size_t size;
  const char *name = luaL_checklstring(L, 1, &size);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  sc_nearest_start(&search, name, size);
  for (int i = 1; lua_rawgeti(L, 2, i), lua_type(L, -1) == LUA_TSTRING; i++) {
    sc_nearest_offer(&search, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_pushstring(L, search.best); /* nil for NULL */
  return 1;
}
