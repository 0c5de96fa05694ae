/*
 * session_create.c: storing a list of new signing sessions.
 *
 * One transaction: all of them or none. session_rules.c has judged the
 * fields; here the ids they name are looked up. The request is kept as it
 * was sent, beside the columns that are searched by.
 */
#include "sessions.h"

#include "api.h"
#include "guesses.h"
#include "request.h"
#include "session_rules.h"
#include "state.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

/* One session being created, inside the transaction. */
typedef struct Draft {
  Store *store;
  size_t index; /* in the request */
  char id[UUID_SIZE];
  const json_t *sent;
  Reply *reply;
} Draft;

static const char *member(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}

static bool insert_session(const Draft *draft, When now) {
  When due = WHEN_NONE;
  const char *due_text = member(draft->sent, "dueDate");
  const json_t *ttl = json_object_get(draft->sent, "signatureUrlTTL");
  if (due_text) when_parse(due_text, &due);
  char *folded = text_fold(member(draft->sent, "title"));
  char *text = json_dumps(draft->sent, JSON_COMPACT);
  bool done = folded && text &&
              store_run(draft->store,
                        "INSERT INTO session(id, title_folded, created, due,"
                        " url_expires, request) VALUES(?, ?, ?, ?, ?, ?)",
                        "ssiwis", draft->id, folded, now, due,
                        now + json_integer_value(ttl) * WHEN_MINUTE, text) == 1;
  free(folded);
  free(text);
  if (!done) problem_internal(draft->reply);
  return done;
}

/* Where in the request something is named, for a refusal. */
typedef char Place[64];

static void set_place(Place place, const Draft *draft, const char *list,
                      size_t position, const char *field) {
  snprintf(place, sizeof(Place), "[%zu].%s[%zu]%s", draft->index, list,
           position, field);
}

/* Whether `sql` finds `id`; if not, the reply says which is not there. */
static bool exists(const Draft *draft, const char *sql, const char *id,
                   Problem kind, const Place place) {
  bool failed = false;
  if (store_has(draft->store, sql, id, &failed)) return true;
  if (failed)
    problem_internal(draft->reply);
  else
    problem_reply(draft->reply, kind, "%s: there is no %s.", place, id);
  return false;
}

static bool in_collection(const Draft *draft, const char *collection,
                          const char *document, const Place place) {
  Rows *rows = store_query(draft->store,
                           "SELECT 1 FROM collection_document"
                           " WHERE collection = ? AND document = ?",
                           "ss", collection, document);
  int found = store_next(rows);
  store_done(rows);
  if (found > 0) return true;
  if (found < 0) {
    problem_internal(draft->reply);
    return false;
  }
  json_t *findings = json_array();
  problem_find(findings, place, "is not a document of that collection");
  problem_findings(draft->reply, GUESS_NOT_IN_COLLECTION, findings);
  return false;
}

/* What is packaged has been decided: no session is let in any more. */
static bool is_open(const Draft *draft, const char *collection,
                    const Place place) {
  bool failed = false;
  bool closed =
      store_has(draft->store, "SELECT 1 FROM package WHERE collection = ?",
                collection, &failed);
  if (failed)
    problem_internal(draft->reply);
  else if (closed)
    problem_reply(draft->reply, GUESS_CLOSED_COLLECTION,
                  "%s: all sessions of %s are signed and it is closed; make "
                  "another collection.",
                  place, collection);
  return !failed && !closed;
}

static bool insert_document(const Draft *draft, size_t position,
                            const json_t *each) {
  Place collection_place, document_place;
  const char *collection = member(each, "documentCollectionId");
  const char *document = member(each, "documentId");
  set_place(collection_place, draft, "documents", position,
            ".documentCollectionId");
  set_place(document_place, draft, "documents", position, ".documentId");
  if (!exists(draft, "SELECT 1 FROM collection WHERE id = ?", collection,
              GUESS_UNKNOWN_COLLECTION, collection_place) ||
      !exists(draft, "SELECT 1 FROM document WHERE id = ?", document,
              GUESS_UNKNOWN_DOCUMENT, document_place) ||
      !in_collection(draft, collection, document, document_place) ||
      !is_open(draft, collection, collection_place))
    return false;
  if (store_run(draft->store,
                "INSERT INTO session_document VALUES(?, ?, ?, ?, ?)", "sisss",
                draft->id, (int64_t)position, document, collection,
                member(each, "action")) == 1)
    return true;
  problem_internal(draft->reply);
  return false;
}

static bool insert_documents(const Draft *draft) {
  size_t i;
  const json_t *each;
  json_array_foreach(json_object_get(draft->sent, "documents"), i, each) {
    if (!insert_document(draft, i, each)) return false;
  }
  return true;
}

static bool insert_subsequent(const Draft *draft) {
  size_t i;
  const json_t *each;
  Place place;
  json_array_foreach(json_object_get(draft->sent, "subsequentTo"), i, each) {
    const char *before = json_string_value(each);
    set_place(place, draft, "subsequentTo", i, "");
    if (!exists(draft, "SELECT 1 FROM session WHERE id = ?", before,
                GUESS_UNKNOWN_SESSION, place))
      return false;
    if (store_run(draft->store,
                  "INSERT OR IGNORE INTO session_after"
                  " SELECT ?, id, state = 'SIGNED' FROM session WHERE id = ?",
                  "ss", draft->id, before) < 0) {
      problem_internal(draft->reply);
      return false;
    }
  }
  return true;
}

static bool insert(Draft *draft, json_t *ids) {
  uuid_make(draft->id);
  if (!insert_session(draft, when_now()) || !insert_documents(draft) ||
      !insert_subsequent(draft))
    return false;
  if (state_enter(draft->store, draft->id) &&
      json_array_append_new(ids, json_string(draft->id)) == 0)
    return true;
  problem_internal(draft->reply);
  return false;
}

static bool insert_all(Store *store, json_t *list, json_t *ids, Reply *reply) {
  Draft draft = {.store = store, .reply = reply};
  json_t *each;
  json_array_foreach(list, draft.index, each) {
    if (!json_object_get(each, "signatureUrlTTL"))
      json_object_set_new(each, "signatureUrlTTL",
                          json_integer(GUESS_URL_TTL_MINUTES));
    draft.sent = each;
    if (!insert(&draft, ids)) return false;
  }
  return true;
}

/* The sessions just made, in the order of the request. */
static void answer_all(const Service *service, const json_t *ids,
                       Reply *reply) {
  json_t *answer = json_array();
  size_t i;
  const json_t *id;
  json_array_foreach(ids, i, id) {
    Rows *rows = store_query(
        service->store, "SELECT " SESSIONS_COLUMNS "FROM session WHERE id = ?",
        "s", json_string_value(id));
    if (store_next(rows) > 0)
      json_array_append_new(answer, sessions_show(service, rows));
    store_done(rows);
  }
  if (json_array_size(answer) == json_array_size(ids)) {
    reply_json(reply, 201, REPLY_JSON, answer);
    return;
  }
  json_decref(answer);
  problem_internal(reply);
}

static void create(const Service *service, json_t *list, Reply *reply) {
  json_t *ids = json_array();
  if (!store_begin(service->store))
    problem_internal(reply);
  else if (!insert_all(service->store, list, ids, reply))
    store_rollback(service->store);
  else if (!store_commit(service->store))
    problem_internal(reply);
  else
    answer_all(service, ids, reply);
  json_decref(ids);
}

void sessions_create(Request *request, Reply *reply) {
  json_t *list = request_json(request, reply);
  if (!list) return;
  if (problem_none(reply, session_rules_check(list)))
    create(request->service, list, reply);
  json_decref(list);
}
