/*
 * levers.c: clock, journal and faults, under /_sandbox/.
 *
 *   GET /_sandbox/clock             {now, advanced}
 *   POST /_sandbox/clock            {advance: seconds}
 *   GET /_sandbox/journal           {dropped, requests}; ?operation= &after=
 *   DELETE /_sandbox/journal
 *   GET /_sandbox/faults            {faults, control}
 *   POST /_sandbox/faults           [{operation, fault, ...}]: see docs
 *   DELETE /_sandbox/faults
 *
 * `control` is another address of everything under /_sandbox/, for when the
 * port itself refuses connections. docs/sandbox.md describes them all.
 */
#include "api.h"
#include "courier.h"
#include "faults.h"
#include "journal.h"
#include "packager.h"
#include "problem.h"
#include "request.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>

static const Rule advance_fields[] = {{.name = "advance",
                                       .kind = RULE_INTEGER,
                                       .required = true,
                                       .most = WHEN_MOST_AHEAD},
                                      {.name = NULL}};
static const Rule advance_rule = {
    .kind = RULE_OBJECT, .closed = true, .inner = advance_fields};

void levers_clock(Request *request, Reply *reply) {
  char now[WHEN_SIZE];
  (void)request;
  when_format(when_now(), now);
  reply_json(reply, 200, REPLY_JSON,
             json_pack("{s:s, s:I}", "now", now, "advanced",
                       (json_int_t)when_ahead()));
}

void levers_advance(Request *request, Reply *reply) {
  json_t *body = request_json(request, reply);
  if (!body) return;
  if (problem_none(reply, rules_check(&advance_rule, body))) {
    if (when_advance(json_integer_value(json_object_get(body, "advance")))) {
      courier_ring(request->service->courier);
      packager_wake(request->service->packager);
      levers_clock(request, reply);
    } else
      problem_reply(reply, PROBLEM_BAD_REQUEST,
                    "The clock can be moved on by ten years in all.");
  }
  json_decref(body);
}

/* The journal's query holds nothing else than these two, each once. */
static void read_filter(const Query *query, json_t *findings,
                        const char **operation, int64_t *after) {
  bool again[2];
  *operation = query_value(query, "operation", &again[0]);
  const char *number = query_value(query, "after", &again[1]);
  for (size_t i = 0; i < query->count; i++)
    if (strcmp(query->pairs[i].name, "operation") != 0 &&
        strcmp(query->pairs[i].name, "after") != 0)
      problem_find(findings, query->pairs[i].name, "is no filter of this list");
  if (again[0]) problem_find(findings, "operation", "was given more than once");
  if (again[1]) problem_find(findings, "after", "was given more than once");
  if (number && (!*number || strlen(number) > 15 ||
                 strspn(number, "0123456789") != strlen(number)))
    problem_find(findings, "after", "must be a request's number");
  *after = number ? strtoll(number, NULL, 10) : 0;
}

void levers_journal(Request *request, Reply *reply) {
  const char *operation;
  int64_t after;
  json_t *findings = json_array();
  read_filter(&request->query, findings, &operation, &after);
  if (problem_none(reply, findings))
    reply_json(reply, 200, REPLY_JSON,
               journal_show(request->service->journal, operation, after));
}

void levers_forget(Request *request, Reply *reply) {
  journal_clear(request->service->journal);
  reply_empty(reply, 204);
}

void levers_faults(Request *request, Reply *reply) {
  const Service *service = request->service;
  reply_json(reply, 200, REPLY_JSON,
             json_pack("{s:o, s:s}", "faults", faults_show(service->faults),
                       "control", service->control_url));
}

void levers_break(Request *request, Reply *reply) {
  json_t *script = request_json(request, reply);
  if (!script) return;
  if (problem_none(reply, faults_check(script))) {
    if (faults_add(request->service->faults, script))
      levers_faults(request, reply);
    else
      problem_reply(reply, PROBLEM_CONFLICT,
                    "The script is too long, or the port cannot be shut.");
  }
  json_decref(script);
}

void levers_mend(Request *request, Reply *reply) {
  if (faults_clear(request->service->faults))
    reply_empty(reply, 204);
  else
    problem_internal(reply);
}
