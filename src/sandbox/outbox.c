/*
 * outbox.c: the rows of events: adding, taking the next one, its outcome.
 *
 * A row is one event for one webhook. next_try is when it is tried, or null
 * when nothing more is to be done. A negative one is asked for by somebody:
 * it is made at once, even after the event has expired, and another number
 * each time, so that asking while a try is under way is not lost in its
 * outcome. Delivering is for courier.c.
 */
#include "outbox.h"

#include "guesses.h"

#include <stdlib.h>
#include <string.h>

#define MOST_KEPT 10000 /* rows that are done with */

/* As it is sent: made once, so that a repeat is the same byte for byte. */
static char *envelope(const char *id, const char *name, const char *subject,
                      When now) {
  char at[WHEN_SIZE], expires[WHEN_SIZE];
  when_format(now, at);
  when_format(now + GUESS_EVENT_LIFE, expires);
  json_t *event = json_pack(
      "{s:s, s:s, s:s, s:s, s:{s:s}, s:s, s:n, s:s, s:[]}", "id", id,
      "timestamp", at, "sender", GUESS_EVENT_SENDER, "eventName", name,
      "eventData", "id", subject, "accountId", GUESS_EVENT_ACCOUNT,
      "organizationId", "expiresAt", expires, "tags");
  char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
  json_decref(event);
  return text;
}

bool outbox_add(Store *store, const char *name, const char *subject) {
  char id[UUID_SIZE];
  When now = when_now();
  uuid_make(id);
  char *body = envelope(id, name, subject, now);
  int added =
      body ? store_run(store,
                       "INSERT INTO outbox(event, webhook, name, body, expires,"
                       " next_try) SELECT ?, id, ?, ?, ?, ? FROM webhook"
                       " WHERE instr(names, ',' || ? || ',') ORDER BY id",
                       "sssiis", id, name, body, now + GUESS_EVENT_LIFE, now,
                       name)
           : STORE_FAILED;
  free(body);
  if (added <= 0) return added == 0;
  return store_run(store,
                   "DELETE FROM outbox WHERE next_try IS NULL"
                   " AND seq <= (SELECT max(seq) FROM outbox) - ?",
                   "i", (int64_t)MOST_KEPT) >= 0;
}

bool outbox_resume(Store *store, bool beyond) {
  if (!beyond &&
      (store_run(store, "UPDATE webhook SET names = replace(names, ?, ',')",
                 "s", "," OUTBOX_SESSION_REJECTED ",") < 0 ||
       store_run(store, "DELETE FROM outbox WHERE name = ?", "s",
                 OUTBOX_SESSION_REJECTED) < 0))
    return false;
  /* The clock may have been ahead; what is to be tried is tried now. */
  return store_run(store,
                   "UPDATE outbox SET next_try = min(next_try, ?)"
                   " WHERE next_try IS NOT NULL",
                   "i", when_now()) >= 0;
}

/* The first row in the order of their tries, as long as it is due, among
 * those for webhooks that are not busy. */
static int first(Store *store, OutboxBusy *busy, void *context, OutboxDue *due,
                 When *next, bool *over) {
  Rows *rows = store_query(store,
                           "SELECT seq, url, secret, body, next_try,"
                           " expires, id FROM outbox JOIN webhook"
                           " ON id = webhook WHERE next_try IS NOT NULL"
                           " ORDER BY next_try, seq",
                           "");
  int found;
  do
    found = store_next(rows);
  while (found == 1 && busy(context, store_text(rows, 6)));
  if (found == 1 && store_number(rows, 4) > when_now()) {
    *next = store_number(rows, 4);
    found = 0;
  }
  if (found == 1) {
    due->number = store_number(rows, 0);
    due->try = store_number(rows, 4);
    *over = due->try >= 0 && store_number(rows, 5) < when_now();
    uuid_read(store_text(rows, 6), due->webhook);
    due->url = strdup(store_text(rows, 1));
    due->secret = strdup(store_text(rows, 2));
    due->body = strdup(store_text(rows, 3));
  }
  store_done(rows);
  return found;
}

int outbox_next(Store *store, OutboxBusy *busy, void *context, OutboxDue *due,
                When *next) {
  for (;;) {
    bool over = false;
    *next = WHEN_NONE;
    memset(due, 0, sizeof *due);
    int found = first(store, busy, context, due, next, &over);
    if (found != 1) return found;
    if (!due->url || !due->secret || !due->body) break;
    if (!over) return 1;
    if (store_run(store,
                  "UPDATE outbox SET next_try = NULL, state = 'EXPIRED'"
                  " WHERE seq = ?",
                  "i", due->number) < 0)
      break;
    outbox_clear(due);
  }
  outbox_clear(due);
  return STORE_FAILED;
}

void outbox_clear(OutboxDue *due) {
  free(due->url);
  free(due->secret);
  free(due->body);
  memset(due, 0, sizeof *due);
}

/* Seconds after the n-th try that failed: they double up to a bound. */
static int64_t guess_delay(int64_t attempts) {
  int64_t delay = GUESS_EVENT_FIRST_DELAY;
  while (--attempts > 0 && delay < GUESS_EVENT_MOST_DELAY)
    delay *= 2;
  return delay < GUESS_EVENT_MOST_DELAY ? delay : GUESS_EVENT_MOST_DELAY;
}

/* When it is tried again; WHEN_NONE: never, as its end comes first. */
static When retry_at(Store *store, int64_t number) {
  Rows *rows = store_query(
      store, "SELECT attempts, expires FROM outbox WHERE seq = ?", "i", number);
  When at = WHEN_NONE;
  if (store_next(rows) == 1) {
    at = when_now() + guess_delay(store_number(rows, 0) + 1) * WHEN_SECOND;
    if (at > store_when(rows, 1)) at = WHEN_NONE;
  }
  store_done(rows);
  return at;
}

bool outbox_done(Store *store, const OutboxDue *due, bool delivered,
                 const char *outcome) {
  if (!store_begin(store)) return false;
  When next = delivered ? WHEN_NONE : retry_at(store, due->number);
  const char *state = delivered           ? "DELIVERED"
                      : next == WHEN_NONE ? "EXPIRED"
                                          : "PENDING";
  if (store_run(store,
                "UPDATE outbox SET attempts = attempts + 1, next_try = ?,"
                " state = ?, outcome = ? WHERE seq = ? AND next_try = ?",
                "wssii", next, state, outcome, due->number, due->try) >= 0)
    return store_commit(store);
  store_rollback(store);
  return false;
}

int outbox_again(Store *store, const char *event) {
  if (!store_begin(store)) return STORE_FAILED;
  int changed = store_run(store,
                          "UPDATE outbox SET attempts = 0, state = 'PENDING',"
                          " next_try = min(coalesce(next_try, 0), 0) - 1"
                          " WHERE event = ?",
                          "s", event);
  if (changed >= 0 && store_commit(store)) return changed;
  store_rollback(store);
  return STORE_FAILED;
}

static json_t *show(Rows *row) {
  char next[WHEN_SIZE] = "";
  When when = store_when(row, 5);
  if (when != WHEN_NONE && when < 0) when = when_now();
  if (when != WHEN_NONE) when_format(when, next);
  return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:s?, s:s}", "id",
                   store_text(row, 0), "webhookId", store_text(row, 1),
                   "eventName", store_text(row, 2), "state", store_text(row, 3),
                   "attempts", (json_int_t)store_number(row, 4), "nextTry",
                   when != WHEN_NONE ? next : NULL, "outcome",
                   store_text(row, 6), "body", store_text(row, 7));
}

json_t *outbox_show(Store *store, const char *event) {
  json_t *list = json_array();
  Rows *rows = store_query(store,
                           "SELECT event, webhook, name, state, attempts,"
                           " next_try, outcome, body FROM outbox"
                           " WHERE event = coalesce(?, event) ORDER BY seq",
                           "s", event);
  int found;
  while ((found = store_next(rows)) > 0)
    if (json_array_append_new(list, show(rows)) != 0) break;
  store_done(rows);
  if (found == 0) return list;
  json_decref(list);
  return NULL;
}
