/*
 * problem.h: refusals, as application/problem+json.
 *
 * One row for each kind holds its status, code and title; an answer adds the
 * detail, the request's id as traceId and, where fields are at fault, all of
 * them in invalidParams.
 */
#ifndef SANDBOX_PROBLEM_H
#define SANDBOX_PROBLEM_H

#include "reply.h"

typedef enum Problem {
  PROBLEM_BAD_REQUEST,
  PROBLEM_INVALID_PARAMETER,
  PROBLEM_INVALID_TOKEN,
  PROBLEM_NOT_FOUND,
  PROBLEM_DOCUMENT_NOT_FOUND,
  PROBLEM_COLLECTION_NOT_FOUND,
  PROBLEM_SESSION_NOT_FOUND,
  PROBLEM_METHOD_NOT_ALLOWED,
  PROBLEM_CONFLICT,
  PROBLEM_TOO_LARGE,
  PROBLEM_MEDIA_TYPE,
  PROBLEM_MISDIRECTED,
  PROBLEM_UNPROCESSABLE,
  PROBLEM_INTERNAL,
  PROBLEM_NO_ROOM,
  PROBLEM_NOT_IMPLEMENTED
} Problem;

void problem_reply(Reply *reply, Problem kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The service's own failure, or a full disk; its cause was told on stderr. */
void problem_internal(Reply *reply);

/* Adds {name, reason} to a list, up to a bound. */
void problem_find(json_t *findings, const char *name, const char *reason);
/* Takes the list; the kind says what the findings add up to. */
void problem_findings(Reply *reply, Problem kind, json_t *taken);
/* Takes the list of a check: true when it is there and empty, otherwise the
 * reply is filled. */
bool problem_none(Reply *reply, json_t *taken);

#endif
