/*
 * packages.c: making packages, and putting them on record.
 *
 * The press (press.h) makes the PDF from an order (package_order.h) here;
 * the merchant's seal is set in this process. Then one transaction makes the
 * file a document and the package's result. What failed here is tried again
 * for as long as it takes; what the press refuses, a few times, for its
 * process may have been ended by something else than the documents.
 */
#include "packages.h"

#include "documents.h"
#include "outbox.h"
#include "package_order.h"
#include "press.h"
#include "problem.h"

#include <stdio.h>

#define MOST_TRIES 3
#define MOST_WAIT 6 /* 2^6 seconds between two tries */

/* One package about to be made. */
typedef struct Making {
  const Service *service;
  Press *press;
  int64_t seq, attempts;
  char session[UUID_SIZE], collection[UUID_SIZE]; /* one of them is "" */
  char why[1024];
} Making;

/* --- what there is to package --------------------------------------------- */

/* The service is not known to package text. */
static bool has_text(const json_t *order, char *why, size_t size) {
  size_t i;
  const json_t *each;
  json_array_foreach(json_object_get(order, "pack"), i, each) {
    if (json_is_true(json_object_get(each, "pdf"))) continue;
    snprintf(why, size,
             "Document %s is %s, and text is packaged with "
             "--beyond-the-service only.",
             json_string_value(json_object_get(each, "id")),
             json_string_value(json_object_get(each, "mime")));
    return true;
  }
  return false;
}

/* Its sessions may have been deleted since it was due. */
static bool has_signatures(const json_t *order) {
  return json_array_size(json_object_get(order, "files")) > 0;
}

/* --- on record ---------------------------------------------------------- */

/* Inside a transaction: it is made, or (without a result) refused. False: the
 * store failed, or whoever wanted it is gone. */
static bool settle(const Making *making, const char *result,
                   char id[UUID_SIZE]) {
  uuid_make(id);
  return store_run(making->service->store,
                   "UPDATE package SET id = ?, result = ?, refused = ?"
                   " WHERE seq = ?",
                   "sssi", id, result, result ? NULL : making->why,
                   making->seq) == 1;
}

static bool record(const Making *making, const BlobFacts *blob, When when) {
  Store *store = making->service->store;
  char id[UUID_SIZE];
  if (!store_begin(store)) return false;
  if (documents_insert(store, blob, "application/pdf", NULL, when) &&
      settle(making, blob->id, id) &&
      outbox_add(store, OUTBOX_PACKAGE_COMPLETED, id))
    return store_commit(store);
  store_rollback(store);
  return false;
}

/* Nobody has seen an event about text, which has no package at all. */
static bool give_up(const Making *making, bool is_text) {
  Store *store = making->service->store;
  char id[UUID_SIZE];
  fprintf(stderr, "signicat-sandbox: no package of %s %s: %s\n",
          making->session[0] ? "session" : "collection",
          making->session[0] ? making->session : making->collection,
          making->why);
  if (!store_begin(store)) return false;
  if (settle(making, NULL, id) &&
      (is_text || outbox_add(store, OUTBOX_PACKAGE_FAILED, id)))
    return store_commit(store);
  store_rollback(store);
  return false;
}

static bool forget(const Making *making) {
  return store_run(making->service->store, "DELETE FROM package WHERE seq = ?",
                   "i", making->seq) >= 0;
}

static bool try_later(const Making *making) {
  int64_t attempts = making->attempts + 1;
  int64_t wait = attempts < MOST_WAIT ? attempts : MOST_WAIT;
  return store_run(making->service->store,
                   "UPDATE package SET attempts = ?, next_try = ?"
                   " WHERE seq = ?",
                   "iii", attempts, when_now() + (WHEN_SECOND << wait),
                   making->seq) >= 0;
}

static bool seal(Making *making, const PadesLayout *layout, When when) {
  const Service *service = making->service;
  BlobFacts facts;
  Blob *blob = blob_begin(service->documents);
  bool done = blob &&
              pades_fill_in(layout, pki_merchant(service->pki),
                            pki_stamper(service->pki), when) == 0 &&
              blob_write(blob, layout->pdf, layout->size) &&
              blob_finish(blob, &facts) && record(making, &facts, when);
  if (done)
    blob_keep(blob);
  else
    blob_abandon(blob);
  return done;
}

static bool make(Making *making) {
  const Service *service = making->service;
  PadesLayout layout = {.pdf = NULL};
  When when = when_now();
  json_t *order =
      package_order(service->store, making->session, making->collection, when);
  if (!order) return try_later(making);
  if (!has_signatures(order)) {
    json_decref(order);
    return forget(making);
  }
  if (!service->beyond && has_text(order, making->why, sizeof making->why)) {
    json_decref(order);
    return give_up(making, true);
  }
  PadesResult result =
      press_run(making->press, order, &layout, making->why, sizeof making->why);
  /* One that was broken off was no try. */
  if (result == PADES_FAILED && press_has_stopped(making->press)) return false;
  switch (result) {
  case PADES_REFUSED:
    return making->attempts + 1 < MOST_TRIES ? try_later(making)
                                             : give_up(making, false);
  case PADES_FAILED: return try_later(making);
  case PADES_DONE: break;
  }
  bool done = seal(making, &layout, when);
  press_free(&layout);
  return done || try_later(making);
}

/* Its clock may have been ahead: what is to be tried again is tried now. */
bool packages_resume(Store *store) {
  return store_run(store,
                   "UPDATE package SET next_try = 0"
                   " WHERE result IS NULL AND refused IS NULL",
                   "") >= 0;
}

/* Whether one is due now; fills what is known of it. */
static PackagesLeft find(Making *making) {
  Rows *rows = store_query(making->service->store,
                           "SELECT seq, attempts, coalesce(session, ''),"
                           " coalesce(collection, ''), next_try FROM package"
                           " WHERE result IS NULL AND refused IS NULL"
                           " ORDER BY next_try, seq LIMIT 1",
                           "");
  int found = store_next(rows);
  PackagesLeft left = found == 0 ? PACKAGES_NONE : PACKAGES_LATER;
  if (found > 0 && store_number(rows, 4) <= when_now()) {
    left = PACKAGES_MORE;
    making->seq = store_number(rows, 0);
    making->attempts = store_number(rows, 1);
    uuid_read(store_text(rows, 2), making->session);
    uuid_read(store_text(rows, 3), making->collection);
  }
  store_done(rows);
  return left;
}

PackagesLeft packages_make(const Service *service, Press *press) {
  Making making = {
      .service = service, .press = press, .why = "It could not be made."};
  PackagesLeft left = find(&making);
  if (left == PACKAGES_MORE && !make(&making)) return PACKAGES_LATER;
  return left;
}

/* --- for others --------------------------------------------------------- */

json_t *packages_show(Store *store, const char *session,
                      const char *collection) {
  json_t *list = json_array();
  Rows *rows = store_query(store,
                           "SELECT id, result FROM package"
                           " WHERE (session = ? OR collection = ?)"
                           " AND result IS NOT NULL",
                           "ss", session, collection);
  int found;
  while ((found = store_next(rows)) > 0)
    json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "packageId",
                                          store_text(rows, 0), "packageType",
                                          "PADES_CONTAINER", "resultDocumentId",
                                          store_text(rows, 1)));
  store_done(rows);
  if (found == 0) return list;
  json_decref(list);
  return NULL;
}

bool packages_check(const Service *service, const char *session, Reply *reply) {
  PadesLayout layout = {.pdf = NULL};
  char why[1024];
  json_t *order = package_order_trial(service->store, session);
  if (!order) {
    problem_internal(reply);
    return false;
  }
  if (json_array_size(json_object_get(order, "pack")) == 0) {
    json_decref(order);
    return true;
  }
  PadesResult result =
      press_run(service->press, order, &layout, why, sizeof why);
  press_free(&layout);
  if (result == PADES_REFUSED)
    problem_reply(reply, PROBLEM_UNPROCESSABLE,
                  "No package (packageTo) can be made: %s", why);
  else if (result == PADES_FAILED)
    problem_reply(reply, PROBLEM_INTERNAL, "%s", why);
  return result == PADES_DONE;
}
