/*
 * state.c: the only file that changes a session's state.
 *
 * Each change is one BEGIN IMMEDIATE transaction that looks before it
 * leaps: whatever a caller has seen earlier, the state that counts is the
 * one inside. Leaves making signatures to signing.c.
 */
#include "state.h"

#include "documents.h"
#include "outbox.h"

#include <string.h>

bool state_is_final(const char *state) {
  return strcmp(state, "SIGNED") == 0 || strcmp(state, "REJECTED") == 0;
}

/* Makes READY what is BLOCKED by nothing any more, among `which`. */
#define UNBLOCK(which)                                                    \
  "UPDATE session SET state = 'READY' WHERE state = 'BLOCKED' AND " which \
  " AND NOT EXISTS(SELECT 1 FROM session_after"                           \
  " WHERE session = session.id AND met = 0)"

bool state_enter(Store *store, const char *session) {
  return store_run(store, UNBLOCK("id = ?"), "s", session) >= 0;
}

/* READY, and the due date (if it matters) not passed? */
static StateResult look(Store *store, const char *session, bool due_matters) {
  Rows *rows = store_query(store, "SELECT state, due FROM session WHERE id = ?",
                           "s", session);
  StateResult result = STATE_FAILED;
  int found = store_next(rows);
  if (found == 0) result = STATE_NO_SESSION;
  if (found == 1) {
    const char *state = store_text(rows, 0);
    When due = store_when(rows, 1);
    if (state_is_final(state))
      result = STATE_FINAL;
    else if (strcmp(state, "BLOCKED") == 0)
      result = STATE_BLOCKED;
    else if (due_matters && due != WHEN_NONE && when_now() > due)
      result = STATE_OVERDUE;
    else
      result = STATE_DONE;
  }
  store_done(rows);
  return result;
}

StateResult state_may_sign(Store *store, const char *session) {
  return look(store, session, true);
}

static bool record(Store *store, const char *session, size_t position,
                   const StateSignature *signature) {
  return documents_insert(store, &signature->result, signature->mime, NULL,
                          when_now()) &&
         store_run(
             store, "INSERT INTO signature VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
             "sissssssi", session, (int64_t)position, signature->collection,
             signature->original, signature->result.id, signature->type,
             signature->signer, signature->provider, signature->when) == 1;
}

/* Orders the package of the session, if it wants one. */
static bool order_own_package(Store *store, const char *session) {
  return store_run(store,
                   "INSERT INTO package(session) SELECT id FROM session"
                   " WHERE id = ? AND"
                   " json_array_length(request, '$.packageTo') > 0",
                   "s", session) >= 0;
}

/* Orders the packages of the session's collections in which all sessions, at
 * least one, are signed. `leaving` is one that does not count any more, or
 * NULL. */
static bool order_packages(Store *store, const char *session,
                           const char *leaving) {
  /* A rejected session keeps them from coming, a deleted one does not. */
  static const char guess_due[] =
      "INSERT INTO package(collection) SELECT id FROM collection"
      " WHERE json_array_length(package_to) > 0"
      " AND id IN (SELECT collection FROM session_document WHERE session = ?1)"
      " AND EXISTS(SELECT 1 FROM session_document"
      "  WHERE collection = collection.id AND session IS NOT ?2)"
      " AND NOT EXISTS(SELECT 1 FROM session_document"
      "  JOIN session ON session.id = session_document.session"
      "  WHERE collection = collection.id AND session.id IS NOT ?2"
      "  AND state <> 'SIGNED')"
      " AND NOT EXISTS(SELECT 1 FROM package WHERE collection = collection.id)";
  return store_run(store, guess_due, "ss", session, leaving) >= 0;
}

/* Nobody signs or rejects what they have not opened. */
static bool note_opening(Store *store, const char *session) {
  int changed = store_run(
      store, "INSERT OR IGNORE INTO session_opened VALUES(?)", "s", session);
  if (changed != 1) return changed == 0;
  return outbox_add(store, OUTBOX_SESSION_OPENED, session);
}

static bool sign(Store *store, const char *session,
                 const StateSignature *signatures, size_t count) {
  if (!note_opening(store, session)) return false;
  for (size_t i = 0; i < count; i++)
    if (!record(store, session, i, &signatures[i])) return false;
  return store_run(store, "UPDATE session SET state = 'SIGNED' WHERE id = ?",
                   "s", session) == 1 &&
         store_run(store, "UPDATE session_after SET met = 1 WHERE before = ?",
                   "s", session) >= 0 &&
         store_run(store,
                   UNBLOCK("id IN (SELECT session FROM session_after"
                           " WHERE before = ?)"),
                   "s", session) >= 0 &&
         order_own_package(store, session) &&
         order_packages(store, session, NULL) &&
         outbox_add(store, OUTBOX_SESSION_COMPLETED, session);
}

/* Ends the transaction that `result` was found in. */
static StateResult end(Store *store, StateResult result) {
  if (result == STATE_DONE)
    return store_commit(store) ? STATE_DONE : STATE_FAILED;
  store_rollback(store);
  return result;
}

StateResult state_open(Store *store, const char *session) {
  if (!store_begin(store)) return STATE_FAILED;
  StateResult result = look(store, session, false);
  if (result == STATE_DONE && !note_opening(store, session))
    result = STATE_FAILED;
  return end(store, result);
}

StateResult state_sign(Store *store, const char *session,
                       const StateSignature *signatures, size_t count) {
  if (!store_begin(store)) return STATE_FAILED;
  StateResult result = look(store, session, true);
  if (result == STATE_DONE && !sign(store, session, signatures, count))
    result = STATE_FAILED;
  return end(store, result);
}

static bool reject(Store *store, const char *session, const char *reason) {
  return note_opening(store, session) &&
         store_run(store,
                   "UPDATE session SET state = 'REJECTED', reject_reason = ?"
                   " WHERE id = ?",
                   "ss", reason, session) == 1 &&
         outbox_add(store, OUTBOX_SESSION_REJECTED, session);
}

StateResult state_reject(Store *store, const char *session,
                         const char *reason) {
  if (!store_begin(store)) return STATE_FAILED;
  StateResult result = look(store, session, false);
  if (result == STATE_DONE && !reject(store, session, reason))
    result = STATE_FAILED;
  return end(store, result);
}

StateResult state_delete(Store *store, const char *session) {
  if (!store_begin(store)) return STATE_FAILED;
  bool ordered = order_packages(store, session, session);
  int deleted = ordered ? store_run(store, "DELETE FROM session WHERE id = ?",
                                    "s", session)
                        : STORE_FAILED;
  return end(store, deleted == 1   ? STATE_DONE
                    : deleted == 0 ? STATE_NO_SESSION
                                   : STATE_FAILED);
}
