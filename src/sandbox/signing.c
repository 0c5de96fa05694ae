/*
 * signing.c: from a READY session to its signed documents.
 *
 * Signatures take milliseconds and more, so they are made before the
 * transaction and kept as finished blobs; state_sign then records all of
 * them or none. Each signature is made over the document as it was
 * uploaded: two sessions on one PDF give two PDFs with one signature each.
 * What cannot be made is refused before anything is changed.
 */
#include "signing.h"

#include "guesses.h"
#include "packager.h"
#include "packages.h"
#include "pdf_source.h"
#include "press.h"
#include "providers.h"
#include "sessions.h"
#include "xades.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MOST_SIGNATURES 50 /* documents in a session */

typedef struct Signing {
  const Service *service;
  const char *session;
  const SigningWho *who;
  char *provider; /* the signer is identified by */
  Reply *reply;
  When when;
  bool authentication; /* AUTHENTICATION_BASED, otherwise PKISIGNING */
  bool xml;            /* XAdES, otherwise PAdES */
  size_t count;
  char mimes[MOST_SIGNATURES][REPLY_TYPE_SIZE]; /* the originals' */
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

/* --- what is asked for --------------------------------------------------- */

static bool is(const json_t *text, const char *value) {
  return json_is_string(text) && strcmp(json_string_value(text), value) == 0;
}

/* How the signer is identified; false: the reply says why not. */
static bool choose_provider(Signing *signing, const json_t *session) {
  const char *wanted = signing->who->provider;
  json_t *known = providers_of(session, false);
  if (!wanted) wanted = json_string_value(json_array_get(known, 0));
  if (known && !providers_have(known, wanted)) {
    json_decref(known);
    json_t *findings = json_array();
    problem_find(findings, "idpName",
                 "must be one of the session's identity providers");
    problem_findings(signing->reply, PROBLEM_INVALID_PARAMETER, findings);
    return false;
  }
  signing->provider = wanted ? strdup(wanted) : NULL;
  json_decref(known);
  if (!signing->provider) problem_internal(signing->reply);
  return signing->provider != NULL;
}

/* Reads what the session asks for. */
static bool read_request(Signing *signing) {
  Rows *rows = store_query(signing->service->store,
                           "SELECT request FROM session WHERE id = ?", "s",
                           signing->session);
  json_t *sent =
      store_next(rows) == 1 ? json_loads(store_text(rows, 0), 0, NULL) : NULL;
  store_done(rows);
  const json_t *setup =
      json_array_get(json_object_get(sent, "signingSetup"), 0);
  signing->authentication =
      is(json_object_get(setup, "signingFlow"), "AUTHENTICATION_BASED");
  signing->xml = signing->authentication ||
                 is(json_object_get(setup, "vendor"), GUESS_XML_VENDOR);
  bool good = sent && choose_provider(signing, sent);
  if (!sent) problem_internal(signing->reply);
  json_decref(sent);
  return good;
}

/* Fills made[] with what is to be signed. */
static bool list_documents(Signing *signing) {
  Rows *rows = store_query(signing->service->store,
                           "SELECT document, collection, mime"
                           " FROM session_document JOIN document"
                           " ON id = document"
                           " WHERE session = ? AND action = 'SIGN'"
                           " ORDER BY position LIMIT ?",
                           "si", signing->session, (int64_t)MOST_SIGNATURES);
  int found;
  while ((found = store_next(rows)) > 0) {
    size_t i = signing->count++;
    StateSignature *one = &signing->made[i];
    uuid_read(store_text(rows, 0), one->original);
    uuid_read(store_text(rows, 1), one->collection);
    strncpy(signing->mimes[i], store_text(rows, 2), REPLY_TYPE_SIZE - 1);
    one->type = signing->xml ? "XADES" : "PADES";
    one->mime = signing->xml ? GUESS_XADES_MIME : "application/pdf";
    one->signer = signing->who->name;
    one->provider = signing->provider;
    one->when = signing->when;
  }
  store_done(rows);
  if (found < 0) problem_internal(signing->reply);
  return found == 0;
}

/* --- the signatures ----------------------------------------------------- */

/* With parameters, perhaps; no other type taken in begins like it. */
static bool is_pdf(const char *mime) {
  static const char pdf[] = "application/pdf";
  return strncasecmp(mime, pdf, sizeof pdf - 1) == 0;
}

/* Document `i` in memory, or NULL with the reply filled. */
static unsigned char *load(const Signing *signing, size_t i, size_t *size) {
  unsigned char *bytes =
      blob_load(signing->service->documents, signing->made[i].original, size);
  if (!bytes) problem_internal(signing->reply);
  return bytes;
}

/* The file that result `i` goes into; its end decides what becomes of it. */
static Blob *begin_result(Signing *signing, size_t i) {
  return signing->blobs[i] = blob_begin(signing->service->documents);
}

static bool finish_result(Signing *signing, size_t i, bool written) {
  if (written && blob_finish(signing->blobs[i], &signing->made[i].result))
    return true;
  problem_internal(signing->reply);
  return false;
}

static bool make_pades(Signing *signing, size_t i, const Identity *signer) {
  PadesLayout layout = {.pdf = NULL};
  char why[512] = "";
  if (!is_pdf(signing->mimes[i])) {
    problem_reply(signing->reply, GUESS_PKISIGNING_OF_TEXT,
                  "Document %s is no PDF: PKISIGNING with this vendor signs "
                  "PDFs only.",
                  signing->made[i].original);
    return false;
  }
  json_t *order =
      json_pack("{s:s, s:s, s:I}", "sign", signing->made[i].original, "name",
                signing->who->name, "when", (json_int_t)signing->when);
  PadesResult result =
      press_run(signing->service->press, order, &layout, why, sizeof why);
  if (result == PADES_DONE) {
    const Identity *stamper = pki_stamper(signing->service->pki);
    Blob *blob = begin_result(signing, i);
    bool written =
        blob && pades_fill_in(&layout, signer, stamper, signing->when) == 0 &&
        blob_write(blob, layout.pdf, layout.size);
    press_free(&layout);
    return finish_result(signing, i, written);
  }
  if (result == PADES_REFUSED)
    problem_reply(signing->reply, PROBLEM_UNPROCESSABLE, "Document %s: %s",
                  signing->made[i].original, why);
  else
    problem_reply(signing->reply, PROBLEM_INTERNAL, "%s", why);
  return false;
}

/* Whether document `i` may have an XML signature; if not, the reply says. */
static bool is_unsigned(const Signing *signing, size_t i) {
  bool is_signed = strcmp(signing->mimes[i], GUESS_XADES_MIME) == 0;
  if (is_pdf(signing->mimes[i])) {
    size_t size;
    unsigned char *pdf = load(signing, i, &size);
    if (!pdf) return false;
    is_signed = pdf_source_is_signed(pdf, size);
    free(pdf);
  }
  if (is_signed)
    problem_reply(signing->reply, GUESS_SIGNED_ALREADY,
                  "Document %s is signed already: AUTHENTICATION_BASED does "
                  "not take it.",
                  signing->made[i].original);
  return !is_signed;
}

static bool write_blob(void *blob, const void *bytes, size_t size) {
  return blob_write(blob, bytes, size);
}

static bool make_xades(Signing *signing, size_t i, const Identity *signer) {
  if (signing->authentication && !is_unsigned(signing, i)) return false;
  XadesRequest request = {.mime = signing->mimes[i],
                          .when = signing->when,
                          .stamper = pki_stamper(signing->service->pki)};
  request.document = blob_read(signing->service->documents,
                               signing->made[i].original, &request.size);
  Blob *blob = request.document >= 0 ? begin_result(signing, i) : NULL;
  bool written = blob && xades_sign(signer, &request, write_blob, blob);
  if (request.document >= 0) close(request.document);
  return finish_result(signing, i, written);
}

/* False, with the reply filled: the service ends, and gives it no time. */
static bool goes_on(const Signing *signing) {
  if (!press_has_stopped(signing->service->press)) return true;
  problem_reply(signing->reply, PROBLEM_INTERNAL,
                "Nothing was signed: the sandbox ends.");
  return false;
}

static bool make_all(Signing *signing) {
  Identity *signer = pki_issue(signing->service->pki, signing->who->name);
  if (!signer) {
    problem_internal(signing->reply);
    return false;
  }
  bool good = true;
  for (size_t i = 0; good && i < signing->count; i++)
    good = goes_on(signing) && (signing->xml ? make_xades(signing, i, signer)
                                             : make_pades(signing, i, signer));
  pki_identity_free(signer);
  return good;
}

/* --- together ------------------------------------------------------------ */

/* Signatures first, then the one transaction that makes them count. */
static bool sign(Signing *signing) {
  Store *store = signing->service->store;
  StateResult result = state_may_sign(store, signing->session);
  if (result == STATE_DONE) {
    if (!read_request(signing) || !list_documents(signing) ||
        !packages_check(signing->service, signing->session, signing->reply) ||
        !make_all(signing)) {
      /* Its documents may have gone with the session, in between. */
      if (state_may_sign(store, signing->session) == STATE_NO_SESSION)
        sessions_not_found(signing->reply);
      return false;
    }
    result = state_sign(store, signing->session, signing->made, signing->count);
  }
  if (result != STATE_DONE) signing_refused(result, signing->reply);
  return result == STATE_DONE;
}

void signing_sign(const Service *service, const char *session,
                  const SigningWho *who, Reply *reply) {
  Signing *signing = calloc(1, sizeof *signing);
  if (!signing) {
    problem_internal(reply);
    return;
  }
  signing->service = service;
  signing->session = session;
  signing->who = who;
  signing->reply = reply;
  signing->when = when_now();
  bool done = sign(signing);
  for (size_t i = 0; i < signing->count; i++) {
    if (done)
      blob_keep(signing->blobs[i]);
    else
      blob_abandon(signing->blobs[i]);
  }
  free(signing->provider);
  free(signing);
  if (!done) return;
  packager_wake(service->packager);
  sessions_answer(service, session, 200, reply);
}
