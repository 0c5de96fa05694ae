/*
 * json_write.h: Lua value -> JSON text, strict and exact.
 *
 * Numbers are written so that they read back as the same number (3.0 is
 * `3`, integers exactly, floats with 15 to 17 digits, the fewest that do).
 * Names come in byte order, so that the same value is always the same text.
 * Tables are read raw, metamethods play no part. What cannot be said in JSON
 * is a fault with the path of the place: a cycle, nesting beyond
 * SC_JSON_DEPTH, a table that mixes list and names, a hole, a name that is
 * neither string nor position, NaN, infinity, text that is not UTF-8, a
 * function.
 */
#ifndef SC_JSON_WRITE_H
#define SC_JSON_WRITE_H

#include "compat.h"
#include "schema.h"

/* Writes the value at `index`. `schema` may be NULL; where it says array, an
 * empty table is `[]`, else `{}` unless the table carries an array mark:
 * ours, or those of lua-cjson (cjson.array_mt, cjson.empty_array_mt,
 * cjson.empty_array). signicat.null (the NULL light userdata, cjson.null)
 * is `null`. Pushes the text and returns 1, or pushes path and reason
 * (strings) and returns 0. A path reads like `[1].documents[2].action`, a
 * name that is no identifier like `["a b"]`; it is "" at the top. Raises only
 * when there is no memory. */
int sc_json_write(lua_State *L, int index, const Schema *schema);

/* Whether the value itself says that it is an empty array: an empty table
 * with one of the marks, or cjson.empty_array. Of a table that is not empty
 * it tells whether it is marked. */
int sc_json_says_array(lua_State *L, int index);

/* json_encode(value) -> text, or nil, reason, path. */
int json_encode(lua_State *L);

#endif
