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

/* What is wrong with the answer at json->nodes, or NULL. Whatever it is about
 * has to say its id, which the API promises: without it nobody could use it,
 * and JSON of somebody on the way would pass for an answer. */
const char *sc_shape_fault(const Json *json, ResultKind result);

#endif
