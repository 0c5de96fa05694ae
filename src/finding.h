/*
 * finding.h: the list of what is wrong with a value, each with its place.
 *
 * Places are a chain in the C stack, paths and reasons are made in buffers
 * of fixed size, the list is Lua's from its first entry: nothing is lost
 * when Lua runs out of memory and jumps. A value without findings makes no
 * garbage.
 */
#ifndef SC_FINDING_H
#define SC_FINDING_H

#include "compat.h"

/* Where a value stands below the payload; NULL is the payload itself. */
typedef struct Place {
  const struct Place *up;
  const char *name; /* NULL: a list's item */
  size_t size;      /* of the name */
  int position;     /* of the item, from 1 */
} Place;

/* A short piece of text: what does not fit is cut. */
typedef struct Text {
  char data[320]; /* the longest path of our schemas needs 140 */
  size_t size;
} Text;

void sc_text_add(Text *text, const char *format, ...);

typedef struct Findings {
  lua_State *L;
  const char *prefix; /* starts every path */
  int list;           /* stack slot of the list; nil until there is one */
  int count;          /* of all findings, kept or not */
} Findings;

/* Pushes the slot of the list. */
void sc_findings_start(Findings *all, lua_State *L, const char *prefix);

/* Adds one; beyond the first hundred they are only counted. */
void sc_finding_add(Findings *all, const Place *place, const char *format, ...);

/* Returns the number of findings. The list is on the top when there are any,
 * its last entry telling how many were not kept; else the slot is popped. */
int sc_findings_finish(Findings *all);

#endif
