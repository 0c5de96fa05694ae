/*
 * query.h: names and values written as name=value&name=value.
 *
 * The query of a URL and the body of a form are the same notation; both are
 * read here, into one block of memory. A plus sign stands for a space. What
 * is not valid (a broken %-escape, a NUL, bytes that are not UTF-8, too many
 * pairs) is refused as a whole.
 */
#ifndef SANDBOX_QUERY_H
#define SANDBOX_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#define QUERY_PAIRS 128

typedef struct Query {
  char *memory;
  size_t count;
  struct {
    const char *name, *value;
  } pairs[QUERY_PAIRS];
} Query;

/* A zeroed Query is empty. `text` need not end. */
bool query_read(Query *query, const char *text, size_t size);
void query_clear(Query *query);
/* The first value of that name, or NULL; *again when there is another. */
const char *query_value(const Query *query, const char *name, bool *again);

/* Decodes in place; false when it is malformed. */
bool query_decode(char *text, bool plus_is_space);

#endif
