/*
 * packages.c: what goes into a package, and putting it on record.
 *
 * The press (press.h) makes the PDF from an order that is put together here;
 * the merchant's seal is set in this process. Then one transaction makes the
 * file a document and the package's result. What failed here is tried again
 * for as long as it takes; what the press refuses, a few times, for its
 * process may have been ended by something else than the documents.
 */
#include "packages.h"

#include "documents.h"
#include "guesses.h"
#include "label.h"
#include "press.h"
#include "problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define MOST_TRIES 3
#define MOST_WAIT 6   /* 2^6 seconds between two tries */
#define MOST_NAME 200 /* characters of an attachment's name */
#define HASH_BYTES 32
#define SEAL "Sandbox merchant"
#define REASON "Seal of a package. Sandbox, no legal effect"

/* One package about to be made. */
typedef struct Making {
  const Service *service;
  int64_t seq, attempts;
  char session[UUID_SIZE], collection[UUID_SIZE]; /* one of them is "" */
  char why[1024];
} Making;

/* --- the order ---------------------------------------------------------- */

/* The documents a package is about, each once, in their order. */
#define DOCUMENTS(table, document, which)                                   \
  "SELECT document.id, mime, coalesce(filename, ''), mime LIKE "            \
  "'application/pdf%' FROM " table " JOIN document ON document.id = " table \
  "." document " WHERE " table "." which " = ? GROUP BY document.id"        \
  " ORDER BY min(position)"

/* The signatures, with what is to be told of each. */
#define SIGNATURES(which)                                                    \
  "SELECT result.id, result.mime, type, signer, at,"                         \
  " json_extract(request, '$.title'),"                                       \
  " json_extract(request, '$.signingSetup[0].signingFlow'),"                 \
  " coalesce(json_extract(request, '$.signingSetup[0].vendor'),"             \
  "  (SELECT group_concat(json_extract(value, '$.idpName'), ', ')"           \
  "   FROM json_each(request, '$.signingSetup[0].identityProviders')), '')," \
  " original.id, coalesce(original.title, original.filename, ''),"           \
  " original.sha256"                                                         \
  " FROM signature JOIN session ON session.id = signature.session"           \
  " JOIN document AS original ON original.id = signature.original"           \
  " JOIN document AS result ON result.id = signature.result"                 \
  " WHERE signature." which " = ? ORDER BY at, seq, position"

static const char session_documents[] =
    DOCUMENTS("signature", "original", "session");
static const char collection_documents[] =
    DOCUMENTS("collection_document", "document", "collection");
static const char session_signatures[] = SIGNATURES("session");
static const char collection_signatures[] = SIGNATURES("collection");

/* What packages that wait for this session would show of PDFs. */
static const char awaited[] =
    "SELECT id, mime, coalesce(filename, ''), 1 FROM document"
    " WHERE mime LIKE 'application/pdf%' AND (id IN ("
    "  SELECT document FROM collection_document"
    "  JOIN collection ON collection.id = collection"
    "  WHERE json_array_length(package_to) > 0 AND collection IN ("
    "   SELECT collection FROM session_document WHERE session = ?1))"
    " OR id IN (SELECT document FROM session_document"
    "  JOIN session ON session.id = session"
    "  WHERE session = ?1 AND action = 'SIGN'"
    "  AND json_array_length(request, '$.packageTo') > 0))";

/* "2-lease.pdf": unlike the others', and a name on every system. */
static void name_document(char *name, size_t size, int number,
                          const char *filename, bool is_pdf) {
  char *clean = label_clean(filename, MOST_NAME);
  for (char *at = clean; at && *at; at++)
    if (strchr("/\\:", *at)) *at = '_';
  snprintf(name, size, "%d-%s", number,
           clean && clean[0] ? clean
           : is_pdf          ? "document.pdf"
                             : "document.txt");
  free(clean);
}

static json_t *list_documents(Store *store, const char *sql, const char *id) {
  json_t *list = json_array();
  char name[4 * MOST_NAME + 32];
  int found, number = 0;
  Rows *rows = store_query(store, sql, "s", id);
  while ((found = store_next(rows)) > 0) {
    bool is_pdf = store_number(rows, 3) != 0;
    name_document(name, sizeof name, ++number, store_text(rows, 2), is_pdf);
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}",
                                          "id", store_text(rows, 0), "mime",
                                          store_text(rows, 1), "name", name,
                                          "about", "As it was uploaded", "kin",
                                          "/Source", "pdf", is_pdf));
  }
  store_done(rows);
  if (found == 0) return list;
  json_decref(list);
  return NULL;
}

/* Base64 into hexadecimal digits. */
static void show_hash(char hex[2 * HASH_BYTES + 1], const char *sha256) {
  unsigned char bytes[BLOB_HASH_SIZE];
  EVP_DecodeBlock(bytes, (const unsigned char *)sha256, BLOB_HASH_SIZE - 1);
  for (int i = 0; i < HASH_BYTES; i++)
    snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static json_t *show_evidence(Rows *row) {
  char time[WHEN_SIZE], hash[2 * HASH_BYTES + 1], method[512];
  const char *provider = store_text(row, 7);
  when_format(store_when(row, 4) / WHEN_SECOND * WHEN_SECOND, time);
  show_hash(hash, store_text(row, 10));
  snprintf(method, sizeof method, "%s%s%s", store_text(row, 6),
           provider[0] ? ", " : "", provider);
  return json_pack(
      "[[s, s], [s, s], [s, s], [s, s], [s, s], [s, s], [s, s], [s, s]]",
      "Title", store_text(row, 5), "Document", store_text(row, 9),
      "Document id", store_text(row, 8), "SHA-256", hash, "Signer",
      store_text(row, 3), "Method", method, "Time", time, "Signature",
      store_text(row, 2));
}

/* Adds evidence and files of each signature; how many, or -1. */
static int add_signatures(Store *store, const char *sql, const char *id,
                          json_t *order) {
  json_t *evidence = json_array(), *files = json_array();
  int found, number = 0;
  char name[48];
  Rows *rows = store_query(store, sql, "s", id);
  while ((found = store_next(rows)) > 0) {
    bool is_xml = strcmp(store_text(rows, 2), "XADES") == 0;
    snprintf(name, sizeof name, "signature-%d.%s", ++number,
             is_xml ? "xml" : "pdf");
    json_array_append_new(evidence, show_evidence(rows));
    json_array_append_new(
        files, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", store_text(rows, 0),
                         "mime", store_text(rows, 1), "name", name, "about",
                         "Signed", "kin", "/Supplement"));
  }
  store_done(rows);
  json_object_set_new(order, "evidence", evidence);
  json_object_set_new(order, "files", files);
  return found < 0 ? -1 : number;
}

/* NULL: the store failed. */
static json_t *write_order(const Making *making, When when) {
  Store *store = making->service->store;
  bool of_session = making->session[0] != 0;
  const char *id = of_session ? making->session : making->collection;
  json_t *documents = list_documents(
      store, of_session ? session_documents : collection_documents, id);
  if (!documents) return NULL;
  json_t *order = json_pack("{s:o, s:s, s:s, s:I}", "pack", documents, "name",
                            SEAL, "reason", REASON, "when", (json_int_t)when);
  if (order &&
      add_signatures(store,
                     of_session ? session_signatures : collection_signatures,
                     id, order) >= 0)
    return order;
  json_decref(order);
  return NULL;
}

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

/* False: the store failed. A package whose owner is gone meanwhile is none. */
static bool record(const Making *making, const BlobFacts *blob, When when) {
  Store *store = making->service->store;
  char id[UUID_SIZE];
  uuid_make(id);
  if (!store_begin(store)) return false;
  if (documents_insert(store, blob, "application/pdf", NULL, when) &&
      store_run(store, "UPDATE package SET id = ?, result = ? WHERE seq = ?",
                "ssi", id, blob->id, making->seq) == 1)
    return store_commit(store);
  store_rollback(store);
  return false;
}

static bool give_up(const Making *making) {
  fprintf(stderr, "signicat-sandbox: no package of %s %s: %s\n",
          making->session[0] ? "session" : "collection",
          making->session[0] ? making->session : making->collection,
          making->why);
  return store_run(making->service->store,
                   "UPDATE package SET refused = ? WHERE seq = ?", "si",
                   making->why, making->seq) >= 0;
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
  json_t *order = write_order(making, when);
  if (!order) return try_later(making);
  if (!has_signatures(order)) {
    json_decref(order);
    return forget(making);
  }
  if (!service->beyond && has_text(order, making->why, sizeof making->why)) {
    json_decref(order);
    return give_up(making);
  }
  switch (press_run(service->documents, order, &layout, making->why,
                    sizeof making->why)) {
  case PADES_REFUSED:
    return making->attempts + 1 < MOST_TRIES ? try_later(making)
                                             : give_up(making);
  case PADES_FAILED: return try_later(making);
  case PADES_DONE: break;
  }
  bool done = seal(making, &layout, when);
  press_free(&layout);
  return done || try_later(making);
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

PackagesLeft packages_make(const Service *service) {
  Making making = {.service = service, .why = "It could not be made."};
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
  json_t *documents = list_documents(service->store, awaited, session);
  if (!documents) {
    problem_internal(reply);
    return false;
  }
  if (json_array_size(documents) == 0) {
    json_decref(documents);
    return true;
  }
  /* With a page of evidence: there has to be a font for it. */
  PadesResult result =
      press_run(service->documents,
                json_pack("{s:o, s:[[]]}", "pack", documents, "evidence"),
                &layout, why, sizeof why);
  press_free(&layout);
  if (result == PADES_REFUSED)
    problem_reply(reply, PROBLEM_UNPROCESSABLE,
                  "No package (packageTo) can be made: %s", why);
  else if (result == PADES_FAILED)
    problem_reply(reply, PROBLEM_INTERNAL, "%s", why);
  return result == PADES_DONE;
}
