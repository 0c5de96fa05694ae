/*
 * dispatch.h: the steps from a request's head to its answer.
 *
 * http.c brings the head, then the body in pieces, then the end; dispatch.c
 * decides. As soon as a step answers false the reply is decided and the rest
 * of the body no longer matters.
 */
#ifndef SANDBOX_DISPATCH_H
#define SANDBOX_DISPATCH_H

#include "reply.h"
#include "request.h"

bool dispatch_head(Request *request, Reply *reply);
bool dispatch_body(Request *request, Reply *reply, const void *bytes,
                   size_t size);
/* Calls the handler; in any thread, while nobody else has the request. */
void dispatch_end(Request *request, Reply *reply);

#endif
