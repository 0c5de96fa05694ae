/*
 * webhooks.c: who gets events, and what became of them, under /_sandbox/.
 *
 *   GET /_sandbox/webhooks                       {webhooks}
 *   POST /_sandbox/webhooks                      {url, secret, events}
 *   DELETE /_sandbox/webhooks/{webhookId}
 *   GET /_sandbox/events                         {events}
 *   POST /_sandbox/events/{eventId}/deliver      the same, of one
 *
 * The service has webhooks set up in its dashboard; here these calls are it.
 * A secret is never answered again.
 */
#include "api.h"
#include "outbox.h"
#include "problem.h"
#include "request.h"
#include "rules.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The last one is only to be had beyond the service. */
static const char *const names[] = {
    OUTBOX_SESSION_OPENED, OUTBOX_SESSION_COMPLETED, OUTBOX_PACKAGE_COMPLETED,
    OUTBOX_PACKAGE_FAILED, OUTBOX_SESSION_REJECTED,  NULL};
#define KNOWN_NAMES 4
#define NAMES_SIZE 160 /* all of them, each between commas */

static const Rule name_rule = {.kind = RULE_STRING, .only = names};
static const Rule webhook_fields[] = {
    {.name = "url", .kind = RULE_URL, .required = true, .most = 2048},
    {.name = "secret",
     .kind = RULE_STRING,
     .required = true,
     .least = 1,
     .most = 512},
    {.name = "events",
     .kind = RULE_ARRAY,
     .least = 1,
     .most = KNOWN_NAMES + 1,
     .inner = &name_rule},
    {.name = NULL}};
static const Rule webhook_rule = {
    .kind = RULE_OBJECT, .closed = true, .inner = webhook_fields};

static const char *member(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}

/* http or https, without a user in front of the host: the URL is shown. */
static bool is_web(const char *url) {
  const char *host = strstr(url, "://");
  if (!host || (strncasecmp(url, "http:", 5) && strncasecmp(url, "https:", 6)))
    return false;
  host += 3;
  return !memchr(host, '@', strcspn(host, "/?#"));
}

static void check(const Service *service, json_t *findings,
                  const json_t *body) {
  size_t i;
  const json_t *each;
  if (json_array_size(findings) > 0) return; /* its form comes first */
  if (!is_web(member(body, "url")))
    problem_find(findings, "url",
                 "must be http or https, without a user's name");
  json_array_foreach(json_object_get(body, "events"), i, each) {
    if (!service->beyond &&
        strcmp(json_string_value(each), OUTBOX_SESSION_REJECTED) == 0)
      problem_find(findings, "events",
                   "has " OUTBOX_SESSION_REJECTED ", which the service is not "
                   "known to send; see --beyond-the-service");
  }
}

/* ",a,b,": what outbox.c looks for names in. */
static void join(const json_t *wanted, char out[NAMES_SIZE]) {
  size_t i, used = (size_t)snprintf(out, NAMES_SIZE, ",");
  for (i = 0; names[i]; i++) {
    bool is_wanted = !wanted && i < KNOWN_NAMES;
    size_t k;
    const json_t *each;
    json_array_foreach(wanted, k, each) {
      if (strcmp(json_string_value(each), names[i]) == 0) is_wanted = true;
    }
    if (is_wanted)
      used += (size_t)snprintf(out + used, NAMES_SIZE - used, "%s,", names[i]);
  }
}

static json_t *split(const char *joined) {
  json_t *list = json_array();
  while (*joined && *++joined) {
    size_t size = strcspn(joined, ",");
    json_array_append_new(list, json_stringn(joined, size));
    joined += size;
  }
  return list;
}

static json_t *show(const char *id, const char *url, const char *joined) {
  return json_pack("{s:s, s:s, s:o}", "id", id, "url", url, "events",
                   split(joined));
}

static void add(Store *store, const json_t *body, Reply *reply) {
  char id[UUID_SIZE], joined[NAMES_SIZE];
  const char *url = member(body, "url");
  uuid_make(id);
  join(json_object_get(body, "events"), joined);
  if (store_run(store, "INSERT INTO webhook VALUES(?, ?, ?, ?)", "ssss", id,
                url, member(body, "secret"), joined) == 1)
    reply_json(reply, 201, REPLY_JSON, show(id, url, joined));
  else
    problem_internal(reply);
}

void webhooks_add(Request *request, Reply *reply) {
  json_t *body = request_json(request, reply);
  if (!body) return;
  json_t *findings = rules_check(&webhook_rule, body);
  check(request->service, findings, body);
  if (problem_none(reply, findings)) add(request->service->store, body, reply);
  json_decref(body);
}

void webhooks_list(Request *request, Reply *reply) {
  json_t *list = json_array();
  Rows *rows =
      store_query(request->service->store,
                  "SELECT id, url, names FROM webhook ORDER BY id", "");
  int found;
  while ((found = store_next(rows)) > 0)
    if (json_array_append_new(list,
                              show(store_text(rows, 0), store_text(rows, 1),
                                   store_text(rows, 2))) != 0)
      break;
  store_done(rows);
  json_t *body = json_pack("{s:o}", "webhooks", list);
  if (found == 0) {
    reply_json(reply, 200, REPLY_JSON, body);
    return;
  }
  json_decref(body);
  problem_internal(reply);
}

void webhooks_remove(Request *request, Reply *reply) {
  int changed = store_run(request->service->store,
                          "DELETE FROM webhook WHERE id = ?", "s", request->id);
  if (changed == 1)
    reply_empty(reply, 204);
  else if (changed == 0)
    problem_reply(reply, PROBLEM_NOT_FOUND, "There is no webhook of this id.");
  else
    problem_internal(reply);
}

static void answer_events(Store *store, const char *event, Reply *reply) {
  json_t *list = outbox_show(store, event);
  if (list)
    reply_json(reply, 200, REPLY_JSON, json_pack("{s:o}", "events", list));
  else
    problem_internal(reply);
}

void webhooks_events(Request *request, Reply *reply) {
  answer_events(request->service->store, NULL, reply);
}

void webhooks_deliver(Request *request, Reply *reply) {
  Store *store = request->service->store;
  int changed = outbox_again(store, request->id);
  if (changed > 0)
    answer_events(store, request->id, reply);
  else if (changed == 0)
    problem_reply(reply, PROBLEM_NOT_FOUND,
                  "There is no event of this id, or nobody gets it.");
  else
    problem_internal(reply);
}
