/*
 * session_rules.h: what a list of new signing sessions has to look like.
 */
#ifndef SANDBOX_SESSION_RULES_H
#define SANDBOX_SESSION_RULES_H

#include <jansson.h>

/* Every finding over the whole list; empty when it may be stored, NULL when
 * there is no memory. Brings ids and times into one form. */
json_t *session_rules_check(json_t *list);

#endif
