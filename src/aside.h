/*
 * aside.h: the part of a call that no turn can be cut from, on a thread.
 *
 * Putting a document's file on the disk under its name, hashing a large
 * answer, reading a large one: once the last byte has come, each takes as
 * long as it takes. A task has it done aside, between finish and decode; what
 * was done lies in request and response then, and decode does only what is
 * left.
 */
#ifndef SC_ASIDE_H
#define SC_ASIDE_H

#include "compat.h"

/* multi:aside(request, response) -> an object with
 *   done()   whether it has been done; then request and response have it
 *   key()    what the multi's turn calls it when it has
 * or nil where nothing takes long or no thread is to be had. Until then
 * nobody may use the two. */
int aside_new(lua_State *L);

void sc_aside_define(lua_State *L);

#endif
