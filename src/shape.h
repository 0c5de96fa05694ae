/*
 * shape.h: whether an answer has the form that its operation promises.
 *
 * Only what the caller cannot do without is asked for; fields that are
 * missing or new are the reader's to find. Plain C, no Lua.
 */
#ifndef SC_SHAPE_H
#define SC_SHAPE_H

#include "json_read.h"
#include "operation.h"

/* What is wrong with the answer at json->nodes, or NULL. What was created has
 * to say its id: without it nobody could read it, use it or delete it. */
const char *sc_shape_fault(const Json *json, ResultKind result, int created);

#endif
