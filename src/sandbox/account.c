/*
 * account.c: filling the account with sessions at once, and emptying it.
 *
 *   POST /_sandbox/seed      {sessions: n, state}
 *   POST /_sandbox/reset
 *
 * Both are one transaction. Seeded sessions are whole: they have a document
 * and a collection (one for all of them), ids and times of creation that
 * rise one by one, and the titles "Seeded 1" and on. SQLite makes them, so
 * that a hundred thousand take a second and not a minute.
 */
#include "api.h"
#include "documents.h"
#include "faults.h"
#include "guesses.h"
#include "journal.h"
#include "problem.h"
#include "request.h"
#include "rules.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SESSIONS 200000
#define STEP INT64_C(1000) /* between two seeded sessions: a microsecond */

static const char *const states[] = {"READY", "SIGNED", "REJECTED", NULL};
static const Rule seed_fields[] = {
    {.name = "sessions",
     .kind = RULE_INTEGER,
     .required = true,
     .least = 1,
     .most = MOST_SESSIONS},
    {.name = "state", .kind = RULE_STRING, .only = states},
    {.name = NULL}};
static const Rule seed_rule = {
    .kind = RULE_OBJECT, .closed = true, .inner = seed_fields};
static const Rule no_fields[] = {{.name = NULL}};
static const Rule reset_rule = {
    .kind = RULE_OBJECT, .closed = true, .inner = no_fields};

/* What a seeding makes, and from when on. */
typedef struct Seed {
  const Service *service;
  int64_t count;
  const char *state;
  When start;
  BlobFacts document;
  char collection[UUID_SIZE];
} Seed;

/* The sessions end at the present, but come after those there are. */
static bool find_start(Seed *seed) {
  Rows *rows =
      store_query(seed->service->store, "SELECT max(created) FROM session", "");
  When newest = store_next(rows) == 1 ? store_when(rows, 0) : WHEN_NONE;
  store_done(rows);
  seed->start = when_now() - seed->count * STEP;
  if (newest != WHEN_NONE && seed->start <= newest) seed->start = newest + STEP;
  return rows != NULL;
}

static bool insert_collection(Seed *seed) {
  Store *store = seed->service->store;
  uuid_make(seed->collection);
  return documents_insert(store, &seed->document, "text/plain", NULL,
                          seed->start) &&
         store_run(store, "INSERT INTO collection VALUES(?, NULL)", "s",
                   seed->collection) == 1 &&
         store_run(store,
                   "INSERT INTO collection_document VALUES(?, 0, ?, NULL)",
                   "ss", seed->collection, seed->document.id) == 1;
}

/* Nothing was signed in a seeded session that is SIGNED, so all it has is for
 * viewing. */
static const char *action_of(const Seed *seed) {
  return strcmp(seed->state, "SIGNED") == 0 ? "VIEW" : "SIGN";
}

/* The sessions' request, but for its title. */
static json_t *request_of(const Seed *seed) {
  return json_pack("{s:[{s:s, s:s, s:s}], s:[{s:s, s:[{s:s}]}], s:i}",
                   "documents", "documentCollectionId", seed->collection,
                   "documentId", seed->document.id, "action", action_of(seed),
                   "signingSetup", "signingFlow", "AUTHENTICATION_BASED",
                   "identityProviders", "idpName", "nbid", "signatureUrlTTL",
                   GUESS_URL_TTL_MINUTES);
}

/* Ids are version 7, as uuid_make's, with the microseconds behind the
 * milliseconds, so that they rise within one of these, too. Nothing is
 * changed here, so state.c need not know: they are born in their state. */
static const char insert_sessions[] =
    "WITH RECURSIVE each(n, at) AS ("
    " SELECT 1, ?1 UNION ALL SELECT n + 1, at + ?2 FROM each WHERE n < ?3)"
    "INSERT INTO session(id, state, title_folded, created,"
    " url_expires, request) "
    "SELECT lower(printf('%08x-%04x-7%03x-8%s-%s', at / 1000000 >> 16,"
    "  at / 1000000 & 65535, at / 1000 % 1000,"
    "  substr(hex(randomblob(2)), 2), hex(randomblob(6)))),"
    " ?4, 'seeded ' || n, at, at + ?5, json_set(?6, '$.title', 'Seeded ' || n)"
    " FROM each";

static bool insert_all(const Seed *seed) {
  Store *store = seed->service->store;
  json_t *request = request_of(seed);
  char *text = json_dumps(request, JSON_COMPACT);
  bool done =
      text &&
      store_run(store, insert_sessions, "iiisis", seed->start, STEP,
                seed->count, seed->state, GUESS_URL_TTL_MINUTES * WHEN_MINUTE,
                text) == seed->count &&
      store_run(store,
                "INSERT INTO session_document SELECT id, 0, ?, ?, ?"
                " FROM session WHERE created >= ?",
                "sssi", seed->document.id, seed->collection, action_of(seed),
                seed->start) == seed->count;
  free(text);
  json_decref(request);
  return done;
}

/* All or nothing, but for the document's file, which the caller keeps. */
static bool seed_all(Seed *seed) {
  Store *store = seed->service->store;
  if (!store_begin(store)) return false;
  if (find_start(seed) && insert_collection(seed) && insert_all(seed))
    return store_commit(store);
  store_rollback(store);
  return false;
}

static void seed(Seed *seed, Reply *reply) {
  static const char text[] = "Agreed";
  Blob *blob = blob_begin(seed->service->documents);
  if (!blob || !blob_write(blob, text, strlen(text)) ||
      !blob_finish(blob, &seed->document) || !seed_all(seed)) {
    blob_abandon(blob);
    problem_internal(reply);
    return;
  }
  blob_keep(blob);
  reply_json(reply, 201, REPLY_JSON,
             json_pack("{s:I, s:s, s:s}", "sessions", (json_int_t)seed->count,
                       "documentId", seed->document.id, "documentCollectionId",
                       seed->collection));
}

void account_seed(Request *request, Reply *reply) {
  json_t *body = request_json(request, reply);
  if (!body) return;
  if (problem_none(reply, rules_check(&seed_rule, body))) {
    const char *state = json_string_value(json_object_get(body, "state"));
    Seed plan = {.service = request->service, .state = state ? state : "READY"};
    plan.count = json_integer_value(json_object_get(body, "sessions"));
    seed(&plan, reply);
  }
  json_decref(body);
}

/* What refers to others goes before them. */
static bool delete_all(Store *store) {
  static const char *const tables[] = {
      "package",          "signature", "session_after",
      "session_document", "session",   "collection_document",
      "collection",       "document",  "token",
      "outbox",           "webhook"};
  char sql[64];
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    snprintf(sql, sizeof sql, "DELETE FROM %s", tables[i]);
    if (store_run(store, sql, "") < 0) return false;
  }
  return true;
}

/* The ids of all documents, inside the transaction that deletes their rows:
 * an upload that is under way keeps its file. NULL when it failed. */
static json_t *list_documents(Store *store) {
  json_t *ids = json_array();
  Rows *rows = store_query(store, "SELECT id FROM document", "");
  int found;
  while ((found = store_next(rows)) > 0)
    if (json_array_append_new(ids, json_string(store_text(rows, 0))) != 0)
      break;
  store_done(rows);
  if (found == 0) return ids;
  json_decref(ids);
  return NULL;
}

static bool empty(const Service *service) {
  if (!store_begin(service->store)) return false;
  json_t *ids = list_documents(service->store), *id;
  bool done = ids && delete_all(service->store);
  if (done)
    done = store_commit(service->store);
  else
    store_rollback(service->store);
  size_t i;
  if (!done) json_array_clear(ids); /* they stay */
  json_array_foreach(ids, i, id) {
    blob_remove(service->documents, json_string_value(id));
  }
  json_decref(ids);
  return done;
}

void account_reset(Request *request, Reply *reply) {
  const Service *service = request->service;
  json_t *body = request_json(request, reply);
  if (!body) return;
  if (problem_none(reply, rules_check(&reset_rule, body))) {
    when_restore();
    journal_clear(service->journal);
    if (faults_clear(service->faults) && empty(service))
      reply_empty(reply, 204);
    else
      problem_internal(reply);
  }
  json_decref(body);
}
