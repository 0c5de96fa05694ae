/*
 * nearest.h: what a misspelt name was probably meant to be.
 */
#ifndef SC_NEAREST_H
#define SC_NEAREST_H

#include "compat.h"

/* One search: offer it the candidates, then read `best`. */
typedef struct Nearest {
  const char *name; /* the misspelt one */
  size_t size;
  const char *best; /* NULL while none is near enough */
  int distance;     /* of the best one */
} Nearest;

void sc_nearest_start(Nearest *search, const char *name, size_t size);
void sc_nearest_offer(Nearest *search, const char *candidate);

/* nearest(name, list) -> the one of the list nearest to the name, or nil when
 * none is near enough to be what was meant. */
int core_nearest(lua_State *L);

#endif
