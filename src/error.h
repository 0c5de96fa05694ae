/*
 * error.h: the one shape every failure has.
 *
 * The parts report a failure as a plain table with `kind` and what they
 * know; error_new makes it the error object that callers see: it checks the
 * kind against the frozen list and writes the one line that is safe to log.
 * `note` is for our own words, which go into that line; `detail` is for the
 * server's, which do not.
 */
#ifndef SC_ERROR_H
#define SC_ERROR_H

#include "compat.h"

/* Pushes nil and a table { kind =, note = } and returns 2: the usual last
 * line of a function that fails. `note` is a format of lua_pushfstring. */
int sc_fail(lua_State *L, const char *kind, const char *note, ...);

/* The same for findings: a failure `invalid` with the list on top of the
 * stack, or with a list of one. */
int sc_fail_fields(lua_State *L);
int sc_fail_field(lua_State *L, const char *name, const char *reason);

/* The same for a file. A path is the caller's own and may be personal: it
 * goes to `detail`, the line has only what the system said. */
int sc_fail_file(lua_State *L, const char *what, const char *path, int code);

/* The kind that an errno of a file stands for, `io` or `memory`. */
const char *sc_errno_kind(int code);

/* error(table) -> the same table, made an error object. Raises for a kind
 * that is not on the list: only a bug makes one up. */
int error_new(lua_State *L);

/* Raises at the line outside this library that led here: a mistake in the
 * program, not in the world. */
int sc_misuse(lua_State *L, const char *format, ...);

/* misuse(message): the same for Lua. */
int error_misuse(lua_State *L);

/* is_error(value) -> boolean. */
int error_is(lua_State *L);

/* Defines the metatable; pushes the list of kinds, each with its hint. */
void sc_error_define(lua_State *L);
void sc_error_push_kinds(lua_State *L);

#endif
