/*
 * sessions.c: showing and deleting signing sessions.
 *
 * What was sent is answered again with what the service adds to it. States
 * belong to state.c, creating to session_create.c, the list with its filters
 * to listing.c.
 */
#include "sessions.h"

#include "api.h"
#include "packager.h"
#include "packages.h"
#include "problem.h"
#include "request.h"
#include "signing_url.h"
#include "state.h"

#include <stdio.h>

void sessions_not_found(Reply *reply) {
  problem_reply(reply, PROBLEM_SESSION_NOT_FOUND,
                "There is no signing session with this id.");
}

/* Before signing the service may answer empty lists, or leave them or
 * `output` out; here they are always there. */
static json_t *guess_initial_output(void) {
  return json_pack("{s:[], s:[]}", "signatures", "packages");
}

static json_t *show_output(Store *store, const char *session) {
  json_t *output = guess_initial_output();
  json_t *list = json_object_get(output, "signatures");
  Rows *rows = store_query(store,
                           "SELECT collection, original, result, type"
                           " FROM signature WHERE session = ?"
                           " ORDER BY position",
                           "s", session);
  int found;
  while ((found = store_next(rows)) > 0)
    if (json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s}", "documentCollectionId",
                            store_text(rows, 0), "originalDocumentId",
                            store_text(rows, 1), "resultDocumentId",
                            store_text(rows, 2), "signatureType",
                            store_text(rows, 3))) != 0)
      break;
  store_done(rows);
  if (found == 0 &&
      json_object_set_new(output, "packages",
                          packages_show(store, session, NULL)) == 0)
    return output;
  json_decref(output);
  return NULL;
}

json_t *sessions_show(const Service *service, Rows *row) {
  char url[128], url_id[UUID_SIZE], expires[WHEN_SIZE];
  const char *id = store_text(row, 0), *state = store_text(row, 1);
  signing_url_id(service, id, url_id);
  snprintf(url, sizeof url, "%s/sign/?sessionId=%s", service->url, url_id);
  when_format(store_when(row, 2), expires);
  json_t *output = show_output(service->store, id);
  json_t *session = json_loads(store_text(row, 3), 0, NULL);
  json_t *added =
      json_pack("{s:s, s:s, s:s, s:{s:s, s:b}, s:o}", "id", id, "signatureUrl",
                url, "signatureUrlExpiresAt", expires, "lifecycle", "state",
                state, "stateIsFinal", state_is_final(state), "output", output);
  if (json_object_update(session, added) != 0) {
    json_decref(session);
    session = NULL;
  }
  json_decref(added);
  return session;
}

void sessions_answer(const Service *service, const char *id, int status,
                     Reply *reply) {
  Rows *rows = store_query(
      service->store, "SELECT " SESSIONS_COLUMNS "FROM session WHERE id = ?",
      "s", id);
  int found = store_next(rows);
  json_t *session = found > 0 ? sessions_show(service, rows) : NULL;
  store_done(rows);
  if (session)
    reply_json(reply, status, REPLY_JSON, session);
  else if (found == 0)
    sessions_not_found(reply);
  else
    problem_internal(reply);
}

void sessions_get(Request *request, Reply *reply) {
  sessions_answer(request->service, request->id, 200, reply);
}

void sessions_delete(Request *request, Reply *reply) {
  StateResult result = state_delete(request->service->store, request->id);
  if (result == STATE_DONE) {
    packager_wake(request->service->packager);
    reply_empty(reply, 204);
  } else if (result == STATE_NO_SESSION) {
    sessions_not_found(reply);
  } else {
    problem_internal(reply);
  }
}
