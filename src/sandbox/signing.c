/*
 * signing.c: from a READY session to its signed documents.
 *
 * Signatures take milliseconds and more, so they are made before the
 * transaction and kept as finished blobs; state_sign then records all of
 * them or none. Each signature is made over the document as it was
 * uploaded: two sessions on one PDF give two PDFs with one signature each.
 * What cannot be made for real yet is refused before anything is changed.
 */
#include "signing.h"

#include "guesses.h"
#include "pades.h"
#include "sessions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_SIGNATURES 50 /* documents in a session */

typedef struct Signing {
  const Service *service;
  const char *session;
  Reply *reply;
  size_t count;
  StateSignature made[MOST_SIGNATURES];
  Blob *blobs[MOST_SIGNATURES];
} Signing;

void signing_refused(StateResult result, Reply *reply) {
  const char *detail = NULL;
  switch (result) {
  case STATE_DONE:
  case STATE_FAILED: problem_internal(reply); return;
  case STATE_NO_SESSION: sessions_not_found(reply); return;
  case STATE_BLOCKED:
    detail = "The session is BLOCKED: a session it is subsequent to is not "
             "signed.";
    break;
  case STATE_FINAL:
    detail = "The session is signed or rejected already; that is final.";
    break;
  case STATE_OVERDUE: detail = "The session's due date has passed."; break;
  }
  problem_reply(reply, PROBLEM_CONFLICT, "%s", detail);
}

/* What the session asks for and the sandbox cannot make, or NULL. */
static const char *beyond_setup(const json_t *sent) {
  const json_t *setup =
      json_array_get(json_object_get(sent, "signingSetup"), 0);
  const char *flow = json_string_value(json_object_get(setup, "signingFlow"));
  const char *vendor = json_string_value(json_object_get(setup, "vendor"));
  if (flow && strcmp(flow, "AUTHENTICATION_BASED") == 0)
    return "Signing with AUTHENTICATION_BASED (XAdES)";
  if (vendor && strcmp(vendor, GUESS_XML_VENDOR) == 0)
    return "PKISIGNING with " GUESS_XML_VENDOR " (an XML signature)";
  if (json_array_size(json_object_get(sent, "packageTo")) > 0)
    return "A package of the session (packageTo)";
  return NULL;
}

/* The same for what its documents and collections ask for. */
static const char *beyond_documents(const Signing *signing, bool *failed) {
  static const char text[] =
      "SELECT 1 FROM session_document JOIN document ON id = document"
      " WHERE session = ? AND action = 'SIGN'"
      " AND lower(mime) NOT LIKE 'application/pdf%'";
  static const char package[] =
      "SELECT 1 FROM session_document JOIN collection ON id = collection"
      " WHERE session = ? AND coalesce(package_to, '[]') <> '[]'";
  Store *store = signing->service->store;
  if (store_has(store, text, signing->session, failed))
    return "PKISIGNING of a text document";
  if (store_has(store, package, signing->session, failed))
    return "A package of the collection (packageTo)";
  return NULL;
}

static bool can_be_made(const Signing *signing) {
  Rows *rows = store_query(signing->service->store,
                           "SELECT request FROM session WHERE id = ?", "s",
                           signing->session);
  bool failed = store_next(rows) != 1;
  json_t *sent = failed ? NULL : json_loads(store_text(rows, 0), 0, NULL);
  store_done(rows);
  const char *missing = beyond_setup(sent);
  json_decref(sent);
  if (!missing) missing = beyond_documents(signing, &failed);
  if (failed)
    problem_internal(signing->reply);
  else if (missing)
    problem_reply(signing->reply, PROBLEM_NOT_IMPLEMENTED,
                  "%s is not built into the sandbox yet; the session was "
                  "left as it is.",
                  missing);
  return !failed && !missing;
}

/* Fills made[] with what is to be signed. */
static bool list_documents(Signing *signing) {
  Rows *rows = store_query(signing->service->store,
                           "SELECT document, collection FROM session_document"
                           " WHERE session = ? AND action = 'SIGN'"
                           " ORDER BY position LIMIT ?",
                           "si", signing->session, (int64_t)MOST_SIGNATURES);
  int found;
  while ((found = store_next(rows)) > 0) {
    StateSignature *one = &signing->made[signing->count++];
    uuid_read(store_text(rows, 0), one->original);
    uuid_read(store_text(rows, 1), one->collection);
  }
  store_done(rows);
  if (found < 0) problem_internal(signing->reply);
  return found == 0;
}

static bool keep_result(Signing *signing, size_t i, const unsigned char *bytes,
                        size_t size) {
  Blob *blob = signing->blobs[i] = blob_begin(signing->service->documents);
  if (blob && blob_write(blob, bytes, size) &&
      blob_finish(blob, &signing->made[i].result))
    return true;
  problem_internal(signing->reply);
  return false;
}

static bool sign_one(Signing *signing, size_t i, const Identity *signer,
                     const char *name) {
  unsigned char *out = NULL;
  size_t size = 0, out_size = 0;
  char why[512] = "";
  unsigned char *pdf =
      blob_load(signing->service->documents, signing->made[i].original, &size);
  if (!pdf) {
    problem_internal(signing->reply);
    return false;
  }
  PadesRequest request = {
      .pdf = pdf, .size = size, .signer_name = name, .when = time(NULL)};
  PadesResult result =
      pades_sign(signer, &request, &out, &out_size, why, sizeof why);
  free(pdf);
  if (result == PADES_SIGNED) {
    bool kept = keep_result(signing, i, out, out_size);
    free(out);
    return kept;
  }
  if (result == PADES_REFUSED)
    problem_reply(signing->reply, PROBLEM_UNPROCESSABLE, "Document %s: %s",
                  signing->made[i].original, why);
  else
    problem_reply(signing->reply, PROBLEM_INTERNAL, "%s", why);
  return false;
}

static bool sign_all(Signing *signing, const char *name) {
  Identity *signer = pki_issue(signing->service->pki, name);
  if (!signer) {
    problem_internal(signing->reply);
    return false;
  }
  bool good = true;
  for (size_t i = 0; good && i < signing->count; i++)
    good = sign_one(signing, i, signer, name);
  pki_identity_free(signer);
  return good;
}

/* Signatures first, then the one transaction that makes them count. */
static bool sign(Signing *signing, const char *name) {
  Store *store = signing->service->store;
  StateResult result = state_may_sign(store, signing->session);
  if (result == STATE_DONE) {
    if (!can_be_made(signing) || !list_documents(signing) ||
        !sign_all(signing, name))
      return false;
    result = state_sign(store, signing->session, signing->made, signing->count);
  }
  if (result != STATE_DONE) signing_refused(result, signing->reply);
  return result == STATE_DONE;
}

void signing_sign(const Service *service, const char *session, const char *name,
                  Reply *reply) {
  Signing *signing = calloc(1, sizeof *signing);
  if (!signing) {
    problem_internal(reply);
    return;
  }
  signing->service = service;
  signing->session = session;
  signing->reply = reply;
  bool done = sign(signing, name);
  for (size_t i = 0; i < signing->count; i++) {
    if (done)
      blob_keep(signing->blobs[i]);
    else
      blob_abandon(signing->blobs[i]);
  }
  free(signing);
  if (done) sessions_answer(service, session, 200, reply);
}
