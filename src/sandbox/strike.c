/*
 * strike.c: answers of gateways, broken answers, and answers made worse.
 *
 * Nothing here is what the service is known to do: it is what servers and
 * the boxes in front of them do on a bad day. Leaves cutting and stalling to
 * delivery.c: here they are only asked for.
 */
#include "strike.h"

#include "problem.h"
#include "when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char gateway[] =
    "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>\n"
    "<body><h1>The server is having a bad day</h1></body></html>\n";

bool strike_replaces(const Fault *fault) {
  switch (fault->kind) {
  case FAULT_RESET:
  case FAULT_CLOSE:
  case FAULT_STATUS:
  case FAULT_HTML:
  case FAULT_NOT_JSON:
  case FAULT_REDIRECT: return true;
  default: return false;
  }
}

static void problem(const Fault *fault, Reply *reply) {
  if (fault->status == 401)
    problem_reply(reply, PROBLEM_INVALID_TOKEN, "A fault asked for this.");
  else if (fault->status == 500)
    problem_internal(reply);
  else
    reply_json(reply, fault->status, REPLY_PROBLEM,
               json_pack("{s:i, s:s, s:s, s:s}", "status", fault->status,
                         "title", "Injected fault", "code", "injected_fault",
                         "detail", "A fault asked for this."));
}

static void status_answer(const Fault *fault, Reply *reply) {
  switch (fault->body) {
  case FAULT_PROBLEM: problem(fault, reply); break;
  case FAULT_GATEWAY:
    reply_text(reply, fault->status, "text/html", gateway);
    break;
  case FAULT_EMPTY: reply_empty(reply, fault->status); break;
  case FAULT_OBJECT:
    reply_text(reply, fault->status, REPLY_JSON, "{\"message\":\"no\"}");
    break;
  case FAULT_NONSENSE:
    reply_text(reply, fault->status, REPLY_JSON, "}no JSON\\\x01{");
    break;
  }
  if (fault->retry_after == FAULT_NO_RETRY) return;
  if (fault->retry_is_date) {
    reply->now = when_now();
    reply_date(reply->now + fault->retry_after * WHEN_SECOND,
               reply->retry_after);
  } else {
    snprintf(reply->retry_after, sizeof reply->retry_after, "%lld",
             (long long)fault->retry_after);
  }
}

void strike_answer(const Fault *fault, Reply *reply) {
  switch (fault->kind) {
  case FAULT_STATUS: status_answer(fault, reply); break;
  case FAULT_HTML: reply_text(reply, 200, "text/html", gateway); break;
  case FAULT_NOT_JSON:
    reply_text(reply, 200, REPLY_JSON, "{\"id\": \"1\", \"state");
    break;
  case FAULT_REDIRECT:
    reply_empty(reply, fault->status);
    reply->location = strdup(fault->location);
    break;
  default: break; /* none of the others stands in for an operation */
  }
}

static const char **offset_of(Request *request) {
  for (size_t i = 0; i < request->query.count; i++)
    if (strcmp(request->query.pairs[i].name, "offset") == 0)
      return &request->query.pairs[i].value;
  return NULL;
}

/* Asks for the page before: what it holds has been seen already. */
void strike_before(Fault *fault, Request *request) {
  bool again;
  const char **offset = offset_of(request);
  const char *limit = query_value(&request->query, "limit", &again);
  if (fault->kind != FAULT_DUPLICATE_PAGE || !offset) return;
  long long before = atoll(*offset) - (limit ? atoll(limit) : 100);
  fault->by = atoll(*offset); /* to be told again afterwards */
  snprintf(fault->offset, sizeof fault->offset, "%lld",
           before > 0 ? before : 0);
  *offset = fault->offset;
}

static void change_page(const Fault *fault, json_t *page) {
  json_t *data = json_object_get(page, "data");
  size_t left = json_array_size(data);
  if (fault->kind == FAULT_EMPTY_PAGE) left = 0;
  if (fault->kind == FAULT_SHORT_PAGE) left = (left + 1) / 2;
  if (fault->kind == FAULT_DUPLICATE_PAGE)
    json_object_set_new(page, "offset", json_integer(fault->by));
  while (json_array_size(data) > left)
    json_array_remove(data, left);
  json_object_set_new(page, "count", json_integer((json_int_t)left));
}

static void change_hash(json_t *document) {
  json_t *facts = json_object_get(document, "documentHash");
  const char *hash = json_string_value(json_object_get(facts, "hash"));
  char *changed = hash ? strdup(hash) : NULL;
  if (changed) {
    *changed = *changed == 'A' ? 'B' : 'A'; /* still Base64 */
    json_object_set_new(facts, "hash", json_string(changed));
  }
  free(changed);
}

/* Only what succeeded has what these change. */
static void change(const Fault *fault, Reply *reply) {
  if (reply->status != 200) return;
  if (reply->has_file) {
    if (fault->kind == FAULT_WRONG_HASH) reply->delivery = REPLY_CHANGED;
    return;
  }
  json_t *answer = json_loadb(reply->body, reply->size, 0, NULL);
  if (!answer) return;
  if (fault->kind == FAULT_WRONG_HASH)
    change_hash(answer);
  else
    change_page(fault, answer);
  reply_json(reply, 200, REPLY_JSON, answer);
}

void strike_after(const Fault *fault, Reply *reply) {
  switch (fault->kind) {
  case FAULT_STALL: reply->delivery = REPLY_STALLED; break;
  case FAULT_CUT: reply->delivery = REPLY_CUT; break;
  case FAULT_FLOOD:
    if (reply->size == 0) reply->status = 200; /* 204 has no body */
    reply->delivery = REPLY_ENDLESS;
    break;
  case FAULT_WRONG_LENGTH:
    if (reply->size == 0) break; /* 204 has no length, right or wrong */
    reply->delivery = REPLY_MISCOUNTED;
    reply->announced_by = fault->by;
    break;
  case FAULT_EMPTY_PAGE:
  case FAULT_SHORT_PAGE:
  case FAULT_DUPLICATE_PAGE:
  case FAULT_WRONG_HASH: change(fault, reply); break;
  default: break; /* the connection's, or done already */
  }
}
