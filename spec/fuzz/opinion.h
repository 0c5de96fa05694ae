/*
 * opinion.h: a second opinion on JSON, of the parser that the sandbox has.
 *
 * In a file of its own because both parsers have names like JSON_TRUE.
 */
#ifndef FUZZ_OPINION_H
#define FUZZ_OPINION_H

#include <stddef.h>

typedef enum Opinion {
  OPINION_BAD,
  OPINION_UNABLE, /* JSON with a number or a name that it cannot keep */
  OPINION_GOOD
} Opinion;

Opinion opinion_of(const char *text, size_t size);
/* Whether two texts mean the same: 1.0 is 1. */
int opinion_same(const char *text, size_t size, const char *other,
                 size_t other_size);

#endif
