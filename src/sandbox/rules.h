/*
 * rules.h: what a field of a request has to be, as data.
 *
 * A family writes its objects as rows; one walk checks a request against
 * them and collects every finding with its path (`[0].documents[1].action`).
 * The walk also brings ids into lower case and times into UTC in place, so
 * that the rest of the sandbox can compare and keep what it finds.
 */
#ifndef SANDBOX_RULES_H
#define SANDBOX_RULES_H

#include <jansson.h>
#include <stdbool.h>

typedef enum RuleKind {
  RULE_STRING,
  RULE_UUID,
  RULE_TIME,
  RULE_URL,
  RULE_INTEGER,
  RULE_BOOLEAN,
  RULE_OBJECT,
  RULE_ARRAY,
  RULE_STRING_MAP,
  RULE_ANY
} RuleKind;

typedef struct Rule {
  const char *name; /* NULL ends a list of fields */
  RuleKind kind;
  bool required;
  bool nullable;
  bool closed;              /* objects: an unknown field is a finding */
  json_int_t least, most;   /* code points, items or value; most 0: no bound */
  const char *const *only;  /* closed lists of strings, NULL ends */
  const struct Rule *inner; /* an object's fields; an array's one item rule */
} Rule;

/* The findings as an array for problem_findings; empty when all is well,
 * NULL when there is no memory. */
json_t *rules_check(const Rule *rule, json_t *value);

#endif
