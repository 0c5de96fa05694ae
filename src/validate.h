/*
 * validate.h: a Lua value against the schema of a row, before the network.
 *
 * Every finding is collected, none stops the search; a finding names the
 * place (`[1].documents[2].action`) and never repeats the value, which may
 * be personal.
 */
#ifndef SC_VALIDATE_H
#define SC_VALIDATE_H

#include "compat.h"
#include "schema.h"

typedef enum ValidateLevel {
  VALIDATE_OFF,       /* nothing */
  VALIDATE_REFERENCE, /* only what the API reference says */
  VALIDATE_FULL       /* what client libraries and guides say, too */
} ValidateLevel;

typedef struct Validation {
  ValidateLevel level;
  int allow_unknown; /* unknown fields and unknown closed values pass */
  double now;        /* wall clock, seconds since 1970; for due dates */
} Validation;

/* Checks the value at `index`; `prefix` starts every path ("" for none).
 * Returns the number of findings and, when there are any, pushes the list
 * `{ { name = path, reason = text }, ... }`; pushes nothing for none. */
int sc_validate(lua_State *L, int index, const Schema *schema,
                const char *prefix, const Validation *how);

/* The entry of `names` (ended by NULL) nearest to `name`, or NULL when none
 * is near enough to be what was meant. */
const char *sc_nearest(const char *name, const char *const *names);

/* nearest(name, list) -> string or nil: the same for Lua. */
int core_nearest(lua_State *L);

#endif
