/*
 * strike.h: what a fault does to an answer.
 *
 * http.c asks in this order: does the fault stand in for the operation, and
 * with what; or what it does before the operation and after it. Faults that
 * concern the connection alone are http.c's own.
 */
#ifndef SANDBOX_STRIKE_H
#define SANDBOX_STRIKE_H

#include "faults.h"
#include "reply.h"
#include "request.h"

/* The operation is not carried out; strike_answer, or nothing, is answered. */
bool strike_replaces(const Fault *fault);
void strike_answer(const Fault *fault, Reply *reply);

/* `fault` lasts as long as the request. */
void strike_before(Fault *fault, Request *request);
void strike_after(const Fault *fault, Reply *reply);

#endif
