/*
 * validate.h: a Lua value against the schema of a row, before the network.
 *
 * Every finding is collected, none stops the search; a finding names the
 * place (`[1].documents[2].action`) and never repeats the value, which may
 * be personal. Only the hundred first are kept; a last one counts the rest.
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
 * `{ { name = path, reason = text }, ... }`; pushes nothing for none. Tables
 * are read raw: no metamethod of the payload runs. */
int sc_validate(lua_State *L, int index, const Schema *schema,
                const char *prefix, const Validation *how);

/* validate(operation id, value, {level =, allow_unknown =, now =} or nil)
 * -> nil or the list. The value is the operation's payload, or its query;
 * `level` is "full" unless given, `now` the host's clock. */
int core_validate(lua_State *L);

#endif
