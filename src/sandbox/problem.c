/*
 * problem.c: the table of refusals and the one function that writes them.
 */
#include "problem.h"

#include "disk.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A hostile request could otherwise make an answer larger than itself. */
#define MOST_FINDINGS 100

static const struct {
  int status;
  const char *code, *title;
} kinds[] = {
    /* Published, or seen in programs. */
    [PROBLEM_BAD_REQUEST] = {400, "bad_request", "Bad request"},
    [PROBLEM_INVALID_PARAMETER] = {400, "invalid_request_parameter",
                                   "Invalid request parameter"},
    [PROBLEM_INVALID_TOKEN] = {401, "invalid_token",
                               "Invalid authentication token."},
    [PROBLEM_DOCUMENT_NOT_FOUND] = {404, "document_not_found",
                                    "Could not find document"},
    [PROBLEM_INTERNAL] = {500, "internal_server_error",
                          "Internal server error"},
    /* Guesses. */
    [PROBLEM_COLLECTION_NOT_FOUND] = {404, "document_collection_not_found",
                                      "Could not find document collection"},
    [PROBLEM_SESSION_NOT_FOUND] = {404, "signing_session_not_found",
                                   "Could not find signing session"},
    [PROBLEM_NOT_FOUND] = {404, "not_found", "Not found"},
    [PROBLEM_METHOD_NOT_ALLOWED] = {405, "method_not_allowed",
                                    "Method not allowed"},
    [PROBLEM_CONFLICT] = {409, "conflict", "Conflict"},
    [PROBLEM_TOO_LARGE] = {413, "payload_too_large", "Payload too large"},
    [PROBLEM_MEDIA_TYPE] = {415, "unsupported_media_type",
                            "Unsupported media type"},
    /* The sandbox's own. */
    [PROBLEM_MISDIRECTED] = {421, "misdirected_request", "Misdirected request"},
    [PROBLEM_UNPROCESSABLE] = {422, "unprocessable_document",
                               "Document cannot be signed"},
    [PROBLEM_NO_ROOM] = {507, "insufficient_storage", "Insufficient storage"},
    [PROBLEM_NOT_IMPLEMENTED] = {501, "not_implemented", "Not implemented"},
};

/* What did not fit may have been cut inside a character. */
static void end_whole(char *detail) {
  size_t size = strlen(detail);
  while (!text_is_utf8(detail))
    detail[--size] = '\0';
}

static void answer(Reply *reply, Problem kind, char *detail, json_t *findings) {
  end_whole(detail);
  json_t *body = json_pack("{s:i, s:s, s:s, s:s*, s:s, s:o*}", "status",
                           kinds[kind].status, "title", kinds[kind].title,
                           "code", kinds[kind].code, "detail", detail,
                           "traceId", reply->id, "invalidParams", findings);
  reply_json(reply, kinds[kind].status, REPLY_PROBLEM, body);
  if (kind == PROBLEM_INVALID_TOKEN)
    reply->challenge = "Bearer error=\"invalid_token\"";
}

void problem_reply(Reply *reply, Problem kind, const char *format, ...) {
  char detail[1024];
  va_list values;
  va_start(values, format);
  vsnprintf(detail, sizeof detail, format, values);
  va_end(values);
  answer(reply, kind, detail, NULL);
}

void problem_internal(Reply *reply) {
  if (disk_was_full()) {
    problem_reply(reply, PROBLEM_NO_ROOM,
                  "The disk of the data folder is full; nothing was changed.");
    return;
  }
  problem_reply(reply, PROBLEM_INTERNAL, "An internal server error happened.");
}

void problem_find(json_t *findings, const char *name, const char *reason) {
  if (json_array_size(findings) >= MOST_FINDINGS) return;
  json_array_append_new(
      findings, json_pack("{s:s, s:s}", "name", name, "reason", reason));
}

void problem_findings(Reply *reply, Problem kind, json_t *taken) {
  const json_t *first = json_array_get(taken, 0);
  char detail[1024];
  size_t more = json_array_size(taken) - (first ? 1 : 0);
  int used = snprintf(detail, sizeof detail, "%s %s",
                      json_string_value(json_object_get(first, "name")),
                      json_string_value(json_object_get(first, "reason")));
  if (more > 0 && used > 0 && (size_t)used < sizeof detail)
    snprintf(detail + used, sizeof detail - (size_t)used,
             " (and %zu more, see invalidParams)", more);
  answer(reply, kind, detail, taken);
}

bool problem_none(Reply *reply, json_t *taken) {
  if (!taken) {
    problem_internal(reply);
    return false;
  }
  if (json_array_size(taken) > 0) {
    problem_findings(reply, PROBLEM_INVALID_PARAMETER, taken);
    return false;
  }
  json_decref(taken);
  return true;
}
