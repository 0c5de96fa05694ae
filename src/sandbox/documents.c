/*
 * documents.c: the five operations on documents.
 *
 * An upload is answered only after its bytes are synced under their name
 * and the row is committed. Deleting goes the other way round: first the
 * row, then the file, so that a row always has its file.
 */
#include "documents.h"

#include "api.h"
#include "guesses.h"
#include "request.h"
#include "rules.h"

#include <unistd.h>

#define COLUMNS "mime, id, created, sha256, filename, description, title, size "

static const Rule update_fields[] = {
    {.name = "filename", .kind = RULE_STRING, .most = 255},
    {.name = "description", .kind = RULE_STRING, .most = 1000},
    {.name = "title", .kind = RULE_STRING, .most = 255},
    {.name = NULL}};
static const Rule update_rule = {.kind = RULE_OBJECT,
                                 .closed = GUESS_TOP_LEVEL_IS_CLOSED,
                                 .inner = update_fields};

static json_t *facts(const char *mime, const char *id, When created,
                     const char *sha256) {
  char time[WHEN_SIZE];
  when_format(created, time);
  return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "mimeType", mime,
                   "documentId", id, "createdAt", time, "documentHash", "hash",
                   sha256, "hashAlgorithm", "SHA256");
}

static void set_text(json_t *object, const char *name, const char *text) {
  if (text) json_object_set_new(object, name, json_string(text));
}

static void not_found(Reply *reply) {
  problem_reply(reply, PROBLEM_DOCUMENT_NOT_FOUND,
                "There is no document with this id.");
}

/* The document's row, or NULL with the reply filled. */
static Rows *find(const Request *request, Reply *reply) {
  Rows *rows = store_query(request->service->store,
                           "SELECT " COLUMNS "FROM document WHERE id = ?", "s",
                           request->id);
  int found = store_next(rows);
  if (found == 1) return rows;
  store_done(rows);
  if (found == 0)
    not_found(reply);
  else
    problem_internal(reply);
  return NULL;
}

bool documents_insert(Store *store, const BlobFacts *blob, const char *mime,
                      const char *title, When created) {
  return store_run(store,
                   "INSERT INTO document(id, mime, sha256, size, created,"
                   " title) VALUES(?, ?, ?, ?, ?, ?)",
                   "sssiis", blob->id, mime, blob->sha256, (int64_t)blob->size,
                   created, title) == 1;
}

bool documents_known(void *store, const char *id) {
  bool failed = false;
  return store_has(store, "SELECT 1 FROM document WHERE id = ?", id, &failed) ||
         failed;
}

void documents_upload(Request *request, Reply *reply) {
  const char *mime = request_header(request, "Content-Type");
  const Service *service = request->service;
  BlobFacts blob;
  When now = when_now();
  if (blob_size(request->blob) == 0) {
    problem_reply(reply, GUESS_EMPTY_UPLOAD, "The document has no bytes.");
    return;
  }
  if (!blob_finish(request->blob, &blob) ||
      !documents_insert(service->store, &blob, mime, NULL, now)) {
    problem_internal(reply);
    return;
  }
  blob_keep(request->blob);
  request->blob = NULL;
  reply_json(reply, 200, REPLY_JSON, facts(mime, blob.id, now, blob.sha256));
}

void documents_download(Request *request, Reply *reply) {
  uint64_t size;
  Rows *rows = find(request, reply);
  if (!rows) return;
  int file = blob_read(request->service->documents, request->id, &size);
  if (file >= 0 && size == (uint64_t)store_number(rows, 7))
    reply_file(reply, store_text(rows, 0), file, size);
  else {
    if (file >= 0) close(file);
    problem_internal(reply);
  }
  store_done(rows);
}

void documents_metadata(Request *request, Reply *reply) {
  Rows *rows = find(request, reply);
  if (!rows) return;
  json_t *document = facts(store_text(rows, 0), store_text(rows, 1),
                           store_when(rows, 2), store_text(rows, 3));
  set_text(document, "filename", store_text(rows, 4));
  set_text(document, "description", store_text(rows, 5));
  set_text(document, "title", store_text(rows, 6));
  store_done(rows);
  reply_json(reply, 200, REPLY_JSON, document);
}

void documents_update(Request *request, Reply *reply) {
  json_t *body = request_json(request, reply);
  if (!body) return;
  if (!problem_none(reply, rules_check(&update_rule, body))) {
    json_decref(body);
    return;
  }
  /* An absent field is null here and keeps its value. */
  int changed = store_run(
      request->service->store,
      "UPDATE document SET filename = coalesce(?, filename),"
      " description = coalesce(?, description), title = coalesce(?, title)"
      " WHERE id = ?",
      "ssss", json_string_value(json_object_get(body, "filename")),
      json_string_value(json_object_get(body, "description")),
      json_string_value(json_object_get(body, "title")), request->id);
  json_decref(body);
  if (changed < 0)
    problem_internal(reply);
  else
    documents_metadata(request, reply);
}

void documents_delete(Request *request, Reply *reply) {
  int changed =
      store_run(request->service->store, "DELETE FROM document WHERE id = ?",
                "s", request->id);
  if (changed == 1) {
    blob_remove(request->service->documents, request->id);
    reply_empty(reply, 204);
  } else if (changed == 0) {
    not_found(reply);
  } else if (changed == STORE_IN_USE) {
    problem_reply(reply, GUESS_DELETE_IN_USE,
                  "The document is in a collection or is the result of a "
                  "session; delete that first.");
  } else {
    problem_internal(reply);
  }
}
