/*
 * collections.c: the three operations on document collections.
 *
 * A collection is written in one transaction and never changed. Its package
 * comes from elsewhere, later (packages.h).
 */
#include "api.h"
#include "guesses.h"
#include "packages.h"
#include "request.h"
#include "rules.h"

static const Rule reference_fields[] = {
    {.name = "documentId", .kind = RULE_UUID, .required = true},
    {.name = "description", .kind = RULE_STRING},
    {.name = NULL}};
static const Rule reference = {.kind = RULE_OBJECT, .inner = reference_fields};

static const char *const package_types[] = {"PADES_CONTAINER", NULL};
static const Rule package_type = {.kind = RULE_STRING, .only = package_types};

static const Rule create_fields[] = {{.name = "documents",
                                      .kind = RULE_ARRAY,
                                      .required = true,
                                      .least = 1,
                                      .most = 100,
                                      .inner = &reference},
                                     {.name = "packageTo",
                                      .kind = RULE_ARRAY,
                                      .most = 5,
                                      .inner = &package_type},
                                     {.name = NULL}};
static const Rule create_rule = {.kind = RULE_OBJECT,
                                 .closed = GUESS_TOP_LEVEL_IS_CLOSED,
                                 .inner = create_fields};

static void not_found(Reply *reply) {
  problem_reply(reply, PROBLEM_COLLECTION_NOT_FOUND,
                "There is no document collection with this id.");
}

/* Answers with the collection as it stands. */
static void show(Store *store, const char *id, int status, Reply *reply) {
  json_t *documents = json_array(), *package_to = NULL;
  Rows *rows = store_query(store,
                           "SELECT package_to, document, description"
                           " FROM collection JOIN collection_document"
                           " ON collection = id WHERE id = ?"
                           " ORDER BY position",
                           "s", id);
  int found, count = 0;
  for (; (found = store_next(rows)) > 0; count++) {
    const char *types = store_text(rows, 0);
    if (count == 0 && types) package_to = json_loads(types, 0, NULL);
    if (json_array_append_new(documents,
                              json_pack("{s:s, s:s*}", "documentId",
                                        store_text(rows, 1), "description",
                                        store_text(rows, 2))) != 0)
      break;
  }
  store_done(rows);
  json_t *packages = packages_show(store, NULL, id);
  if (!packages || found > 0) found = STORE_FAILED;
  json_t *body =
      json_pack("{s:s, s:o, s:o*, s:{s:o*}}", "id", id, "documents", documents,
                "packageTo", package_to, "output", "packages", packages);
  if (found == 0 && count > 0) {
    reply_json(reply, status, REPLY_JSON, body);
    return;
  }
  json_decref(body);
  if (found < 0)
    problem_internal(reply);
  else
    not_found(reply);
}

/* Inserts the rows inside a transaction. False: the reply says why. */
static bool insert(Store *store, const char *id, const json_t *body,
                   Reply *reply) {
  const json_t *package_to = json_object_get(body, "packageTo");
  char *types = package_to ? json_dumps(package_to, JSON_COMPACT) : NULL;
  int done =
      store_run(store, "INSERT INTO collection VALUES(?, ?)", "ss", id, types);
  free(types);
  size_t i;
  const json_t *each;
  json_array_foreach(json_object_get(body, "documents"), i, each) {
    const char *document =
        json_string_value(json_object_get(each, "documentId"));
    if (done < 0) break;
    done =
        store_run(store, "INSERT INTO collection_document VALUES(?, ?, ?, ?)",
                  "siss", id, (int64_t)i, document,
                  json_string_value(json_object_get(each, "description")));
    if (done == STORE_IN_USE) { /* the document it points to is not there */
      problem_reply(reply, GUESS_UNKNOWN_DOCUMENT,
                    "documents[%zu].documentId: there is no document %s.", i,
                    document);
      return false;
    }
  }
  if (done < 0) problem_internal(reply);
  return done >= 0;
}

static void create(Store *store, const json_t *body, Reply *reply) {
  char id[UUID_SIZE];
  uuid_make(id);
  if (!store_begin(store))
    problem_internal(reply);
  else if (!insert(store, id, body, reply))
    store_rollback(store);
  else if (!store_commit(store))
    problem_internal(reply);
  else
    show(store, id, 201, reply);
}

void collections_create(Request *request, Reply *reply) {
  json_t *body = request_json(request, reply);
  if (!body) return;
  if (problem_none(reply, rules_check(&create_rule, body)))
    create(request->service->store, body, reply);
  json_decref(body);
}

void collections_get(Request *request, Reply *reply) {
  show(request->service->store, request->id, 200, reply);
}

void collections_delete(Request *request, Reply *reply) {
  int changed =
      store_run(request->service->store, "DELETE FROM collection WHERE id = ?",
                "s", request->id);
  if (changed == 1)
    reply_empty(reply, 204);
  else if (changed == 0)
    not_found(reply);
  else if (changed == STORE_IN_USE)
    problem_reply(reply, GUESS_DELETE_IN_USE,
                  "A signing session names this collection; delete that "
                  "first.");
  else
    problem_internal(reply);
}
