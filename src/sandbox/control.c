/*
 * control.c: tests' levers, under /_sandbox/: act as the signer, fetch the
 * authority's certificate.
 *
 * No token is asked for: the sandbox listens on this machine only, and
 * dispatch.c refuses requests that were meant for another host.
 */
#include "api.h"
#include "guesses.h"
#include "label.h"
#include "problem.h"
#include "request.h"
#include "rules.h"
#include "sessions.h"
#include "signing.h"

#define DEFAULT_SIGNER "Sandbox Signer"

/* 64 characters are what a certificate's common name may have. */
static const Rule sign_fields[] = {
    {.name = "name", .kind = RULE_STRING, .least = 1, .most = 64},
    {.name = "idpName", .kind = RULE_STRING},
    {.name = NULL}};
static const Rule sign_rule = {
    .kind = RULE_OBJECT, .closed = true, .inner = sign_fields};

static const Rule reject_fields[] = {
    {.name = "reason", .kind = RULE_STRING, .most = 2048}, {.name = NULL}};
static const Rule reject_rule = {
    .kind = RULE_OBJECT, .closed = true, .inner = reject_fields};

/* The body when it fits the rule, or NULL with the reply filled. */
static json_t *read_body(const Request *request, const Rule *rule,
                         Reply *reply) {
  json_t *body = request_json(request, reply);
  if (!body) return NULL;
  if (problem_none(reply, rules_check(rule, body))) return body;
  json_decref(body);
  return NULL;
}

/* The session, when its state was changed. */
static void answer(const Request *request, StateResult result, Reply *reply) {
  if (result == STATE_DONE)
    sessions_answer(request->service, request->id, 200, reply);
  else
    signing_refused(result, reply);
}

void control_open(Request *request, Reply *reply) {
  answer(request, state_open(request->service->store, request->id), reply);
}

void control_sign(Request *request, Reply *reply) {
  json_t *body = read_body(request, &sign_rule, reply);
  if (!body) return;
  SigningWho who = {json_string_value(json_object_get(body, "name")),
                    json_string_value(json_object_get(body, "idpName"))};
  if (!who.name) who.name = DEFAULT_SIGNER;
  json_t *findings = json_array();
  if (label_is_blank(who.name))
    problem_find(findings, "name", "must have letters");
  if (problem_none(reply, findings))
    signing_sign(request->service, request->id, &who, reply);
  json_decref(body);
}

void control_reject(Request *request, Reply *reply) {
  json_t *body = read_body(request, &reject_rule, reply);
  if (!body) return;
  const char *reason = json_string_value(json_object_get(body, "reason"));
  StateResult result =
      state_reject(request->service->store, request->id, reason);
  json_decref(body);
  answer(request, result, reply);
}

void control_ca(Request *request, Reply *reply) {
  reply_text(reply, 200, "application/x-pem-file",
             pki_ca_pem(request->service->pki));
}
