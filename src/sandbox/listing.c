/*
 * listing.c: the page of signing sessions, with filters, order and paging.
 *
 * The query becomes one set of values for two statements, the total and the
 * page, which see the same moment. Names and orders are chosen from constant
 * lists; what the client sent is only ever bound as a value. Parameters of
 * other names are ignored, as the service's clients send some.
 */
#include "api.h"
#include "guesses.h"
#include "request.h"
#include "sessions.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Listing {
  int64_t offset, limit;
  When created_from, created_to, due_from, due_to; /* WHEN_NONE: any */
  char states[64]; /* ",READY,SIGNED,"; empty: any */
  char *title;     /* folded; NULL: any */
  char order[160];
  json_t *findings;
} Listing;

/* A parameter that may come only once; NULL when it did not come. */
static const char *guess_once(Listing *listing, const Query *query,
                              const char *name) {
  bool again;
  const char *value = query_value(query, name, &again);
  if (again) problem_find(listing->findings, name, "was given more than once");
  return value;
}

static int64_t read_number(Listing *listing, const Query *query,
                           const char *name, int64_t least, int64_t most,
                           int64_t otherwise) {
  char reason[64];
  const char *text = guess_once(listing, query, name);
  if (!text) return otherwise;
  size_t size = strlen(text);
  if (size > 0 && size <= 9 && strspn(text, "0123456789") == size) {
    int64_t number = strtoll(text, NULL, 10);
    if (number >= least && number <= most) return number;
  }
  snprintf(reason, sizeof reason, "must be a whole number from %lld to %lld",
           (long long)least, (long long)most);
  problem_find(listing->findings, name, reason);
  return otherwise;
}

static When read_time(Listing *listing, const Query *query, const char *name) {
  When when = WHEN_NONE;
  const char *text = guess_once(listing, query, name);
  if (text && !when_parse(text, &when))
    problem_find(listing->findings, name,
                 "must be a date and time like 2024-01-01T00:00:00Z");
  return when;
}

typedef bool Take(Listing *listing, const char *value, size_t size);

/* A list: the key repeated, or one value with commas, or both. */
static void read_list(Listing *listing, const Query *query, const char *name,
                      Take *take, const char *reason) {
  for (size_t i = 0; i < query->count; i++) {
    const char *at = query->pairs[i].value;
    if (strcmp(query->pairs[i].name, name) != 0) continue;
    for (;; at++) {
      size_t size = strcspn(at, ",");
      if (!take(listing, at, size)) {
        problem_find(listing->findings, name, reason);
        return;
      }
      at += size;
      if (*at == '\0') break;
    }
  }
}

static bool same(const char *text, size_t size, const char *word) {
  return size == strlen(word) && memcmp(text, word, size) == 0;
}

static bool take_state(Listing *listing, const char *value, size_t size) {
  static const char *const states[] = {"BLOCKED", "READY", "SIGNED",
                                       "REJECTED"};
  for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
    if (!same(value, size, states[i])) continue;
    size_t used = strlen(listing->states);
    if (!strstr(listing->states, states[i])) /* no state contains another */
      snprintf(listing->states + used, sizeof listing->states - used, "%s%s,",
               used ? "" : ",", states[i]);
    return true;
  }
  return false;
}

/* One key of the order. A bare + in a URL arrives as a space. */
static bool guess_order(Listing *listing, const char *value, size_t size) {
  static const char *const fields[][2] = {{"createdAt", "created"},
                                          {"dueDate", "due"}};
  bool down = size > 0 && *value == '-';
  bool sign = down || (size > 0 && (*value == '+' || *value == ' '));
  if (!sign && !GUESS_SORT_SIGN_OPTIONAL) return false;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (!same(value + sign, size - sign, fields[i][0])) continue;
    /* A key named before decides already; naming it again adds nothing. */
    if (strstr(listing->order, fields[i][1])) return true;
    size_t used = strlen(listing->order);
    snprintf(listing->order + used, sizeof listing->order - used,
             "%s %s" GUESS_SORT_ABSENT ", ", fields[i][1],
             down ? "DESC" : "ASC");
    return true;
  }
  return false;
}

/* Equal keys keep the order of creation, in the direction of the first. */
static void finish_order(Listing *listing) {
  if (!listing->order[0]) guess_order(listing, "-createdAt", 10);
  const char *down = strstr(listing->order, " DESC");
  const char *up = strstr(listing->order, " ASC");
  strcat(listing->order, down && (!up || down < up) ? "seq DESC" : "seq ASC");
}

static void read_query(Listing *listing, const Query *query) {
  listing->offset = read_number(listing, query, "offset", 0, 100000, 0);
  listing->limit = read_number(listing, query, "limit", 1, 1000, 100);
  listing->created_from = read_time(listing, query, "createdDateFrom");
  listing->created_to = read_time(listing, query, "createdDateTo");
  listing->due_from = read_time(listing, query, "dueDateFrom");
  listing->due_to = read_time(listing, query, "dueDateTo");
  read_list(listing, query, "state", take_state,
            "must be BLOCKED, READY, SIGNED or REJECTED");
  read_list(listing, query, "sort", guess_order,
            "must be +createdAt, -createdAt, +dueDate or -dueDate");
  finish_order(listing);
  const char *title = guess_once(listing, query, "sessionTitleLike");
  if (title) listing->title = text_fold(title);
}

#define WHERE                                                        \
  "FROM session WHERE (?1 IS NULL OR created >= ?1)"                 \
  " AND (?2 IS NULL OR created <= ?2) AND (?3 IS NULL OR due >= ?3)" \
  " AND (?4 IS NULL OR due <= ?4)"                                   \
  " AND (?5 = '' OR instr(?5, ',' || state || ','))"                 \
  " AND (?6 IS NULL OR instr(title_folded, ?6))"

static Rows *query_rows(const Listing *listing, Store *store, const char *sql,
                        int64_t limit) {
  return store_query(store, sql, "wwwwssii", listing->created_from,
                     listing->created_to, listing->due_from, listing->due_to,
                     listing->states, listing->title, limit, listing->offset);
}

/* A bare aggregate has one row, so LIMIT and OFFSET sit around it. */
static int64_t count(const Listing *listing, Store *store) {
  Rows *rows = query_rows(listing, store,
                          "SELECT count(*) " WHERE " AND ?7 >= 0 AND ?8 >= 0",
                          listing->limit);
  int64_t total = store_next(rows) > 0 ? store_number(rows, 0) : -1;
  store_done(rows);
  return total;
}

/* NULL when something failed. */
static json_t *collect(const Listing *listing, const Service *service) {
  char sql[1024];
  json_t *data = json_array();
  snprintf(sql, sizeof sql,
           "SELECT " SESSIONS_COLUMNS WHERE " ORDER BY %s LIMIT ?7 OFFSET ?8",
           listing->order);
  Rows *rows = query_rows(listing, service->store, sql, listing->limit);
  int found;
  while ((found = store_next(rows)) > 0)
    if (json_array_append_new(data, sessions_show(service, rows)) != 0) break;
  store_done(rows);
  if (found == 0) return data;
  json_decref(data);
  return NULL;
}

static void answer(const Listing *listing, const Service *service,
                   Reply *reply) {
  json_t *data = NULL;
  int64_t total = -1;
  if (store_snapshot(service->store)) {
    total = count(listing, service->store);
    data = collect(listing, service);
    store_rollback(service->store); /* nothing was written */
  }
  if (data && total >= 0) {
    reply_json(reply, 200, REPLY_JSON,
               json_pack("{s:I, s:I, s:I, s:I, s:o}", "limit",
                         (json_int_t)listing->limit, "offset",
                         (json_int_t)listing->offset, "count",
                         (json_int_t)json_array_size(data), "total",
                         (json_int_t)total, "data", data));
    return;
  }
  json_decref(data);
  problem_internal(reply);
}

void listing_get(Request *request, Reply *reply) {
  Listing listing = {.findings = json_array()};
  read_query(&listing, &request->query);
  if (problem_none(reply, listing.findings))
    answer(&listing, request->service, reply);
  free(listing.title);
}
