/*
 * state.h: the life of a signing session.
 *
 *     (new) -> BLOCKED -> READY -> SIGNED
 *                            \---> REJECTED
 *
 * state.c is the only file that changes a state. A session is born BLOCKED
 * and becomes READY, at once or later, when every session it is subsequent
 * to is SIGNED. SIGNED and REJECTED are final. What the service tells by an
 * event goes to the outbox in the same transaction.
 */
#ifndef SANDBOX_STATE_H
#define SANDBOX_STATE_H

#include "blob.h"
#include "store.h"
#include "uuid.h"

typedef enum StateResult {
  STATE_DONE,
  STATE_NO_SESSION,
  STATE_BLOCKED, /* waits for a session before it */
  STATE_FINAL,   /* signed or rejected already */
  STATE_OVERDUE,
  STATE_FAILED
} StateResult;

/* One signature about to be recorded; its blob is finished. */
typedef struct StateSignature {
  char original[UUID_SIZE], collection[UUID_SIZE];
  const char *type; /* signatureType: XADES or PADES */
  const char *mime; /* the result's */
  BlobFacts result;
  const char *signer;   /* the name */
  const char *provider; /* who has identified them */
  When when;
} StateSignature;

bool state_is_final(const char *state);

/* Inside the transaction that made the session and its session_after rows:
 * makes it READY if it need not wait. */
bool state_enter(Store *store, const char *session);

/* The signer looks at a READY session: the first time is an event. Signing
 * and rejecting count as looking. */
StateResult state_open(Store *store, const char *session);

/* May this session be signed now? STATE_DONE: yes. Changes nothing. */
StateResult state_may_sign(Store *store, const char *session);
/* Asks the same again and, in the same transaction, records the results and
 * signs. Sessions that waited only for this one become READY, and packages
 * that did become due (packages.h). */
StateResult state_sign(Store *store, const char *session,
                       const StateSignature *signatures, size_t count);
/* `reason` may be NULL. */
StateResult state_reject(Store *store, const char *session, const char *reason);
/* Packages that waited for this one alone become due. */
StateResult state_delete(Store *store, const char *session);

#endif
