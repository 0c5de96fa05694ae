/*
 * address.h: the URL of a call: base, path, id and query.
 */
#ifndef SC_ADDRESS_H
#define SC_ADDRESS_H

#include "compat.h"
#include "schema.h"

/* Whether a path may follow the base URL: a slash first, no spaces, control
 * characters or fragment, and no segment that means another place. */
int sc_is_path(const char *path, size_t size);

/* Replaces the table at `index` by its query, "?a=1&b=2" or "". Parameters
 * that `schema` knows come in its order, others after them; a list becomes
 * the repeated key that the API reads. Returns the number of findings, and
 * pushes their list when there are any. */
int sc_address_query(lua_State *L, int index, const Schema *schema);

#endif
