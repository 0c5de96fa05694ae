/*
 * package_order.c: reads rows, writes orders. Names of attachments are made
 * here, each unlike the others; what evidence says of a signature, too.
 */
#include "package_order.h"

#include "blob.h"
#include "label.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define MOST_NAME 200 /* characters of an attachment's name */
#define HASH_BYTES 32
#define SEAL "Sandbox merchant"
#define REASON "Seal of a package. Sandbox, no legal effect"

/* The documents a package is about, each once, in their order. */
#define DOCUMENTS(table, document, which)                                   \
  "SELECT document.id, mime, coalesce(filename, ''), mime LIKE "            \
  "'application/pdf%' FROM " table " JOIN document ON document.id = " table \
  "." document " WHERE " table "." which " = ? GROUP BY document.id"        \
  " ORDER BY min(position)"

/* The signatures, with what is to be told of each. */
#define SIGNATURES(which)                                          \
  "SELECT result.id, result.mime, type, signer, at,"               \
  " json_extract(request, '$.title'),"                             \
  " json_extract(request, '$.signingSetup[0].signingFlow'),"       \
  " provider,"                                                     \
  " original.id, coalesce(original.title, original.filename, '')," \
  " original.sha256"                                               \
  " FROM signature JOIN session ON session.id = signature.session" \
  " JOIN document AS original ON original.id = signature.original" \
  " JOIN document AS result ON result.id = signature.result"       \
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
    json_t *file =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "id", store_text(rows, 0),
                  "mime", store_text(rows, 1), "name", name, "about",
                  "As it was uploaded", "kin", "/Source", "pdf", is_pdf);
    if (json_array_append_new(list, file) != 0) break;
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
  char time[WHEN_SIZE], hash[2 * HASH_BYTES + 1];
  when_format(store_when(row, 4) / WHEN_SECOND * WHEN_SECOND, time);
  show_hash(hash, store_text(row, 10));
  return json_pack(
      "[[s, s], [s, s], [s, s], [s, s], [s, s], [s, s++], [s, s], [s, s]]",
      "Title", store_text(row, 5), "Document", store_text(row, 9),
      "Document id", store_text(row, 8), "SHA-256", hash, "Signer",
      store_text(row, 3), "Method", store_text(row, 6), ", ",
      store_text(row, 7), "Time", time, "Signature", store_text(row, 2));
}

/* Adds evidence and files of each signature, all of them: a package without
 * one would be sealed as if it were whole. */
static bool add_signatures(Store *store, const char *sql, const char *id,
                           json_t *order) {
  json_t *evidence = json_array(), *files = json_array();
  int found, number = 0;
  char name[48];
  Rows *rows = store_query(store, sql, "s", id);
  while ((found = store_next(rows)) > 0) {
    bool is_xml = strcmp(store_text(rows, 2), "XADES") == 0;
    snprintf(name, sizeof name, "signature-%d.%s", ++number,
             is_xml ? "xml" : "pdf");
    json_t *file =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", store_text(rows, 0),
                  "mime", store_text(rows, 1), "name", name, "about", "Signed",
                  "kin", "/Supplement");
    if ((json_array_append_new(evidence, show_evidence(rows)) |
         json_array_append_new(files, file)) != 0)
      break;
  }
  store_done(rows);
  return (json_object_set_new(order, "evidence", evidence) |
          json_object_set_new(order, "files", files)) == 0 &&
         found == 0;
}

json_t *package_order(Store *store, const char *session, const char *collection,
                      When when) {
  bool of_session = session[0] != 0;
  const char *id = of_session ? session : collection;
  json_t *documents = list_documents(
      store, of_session ? session_documents : collection_documents, id);
  if (!documents) return NULL;
  json_t *order = json_pack("{s:o, s:s, s:s, s:I}", "pack", documents, "name",
                            SEAL, "reason", REASON, "when", (json_int_t)when);
  if (order &&
      add_signatures(store,
                     of_session ? session_signatures : collection_signatures,
                     id, order))
    return order;
  json_decref(order);
  return NULL;
}

json_t *package_order_trial(Store *store, const char *session) {
  json_t *documents = list_documents(store, awaited, session);
  return documents ? json_pack("{s:o, s:[[]]}", "pack", documents, "evidence")
                   : NULL;
}
