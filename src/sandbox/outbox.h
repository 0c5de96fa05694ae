/*
 * outbox.h: events on their way out, in the same store as what they tell of.
 *
 * Whoever changes something that an event tells of adds the event inside the
 * same transaction:
 *
 *   store_begin(store);
 *   ... the change ...
 *   outbox_add(store, OUTBOX_PACKAGE_COMPLETED, package_id);
 *   store_commit(store);
 *
 * so that there is either both or neither, whenever the process ends. The
 * commit wakes the courier (courier.h), which is the only one to deliver.
 * An event goes to each webhook that wants it; for nobody it is not kept.
 */
#ifndef SANDBOX_OUTBOX_H
#define SANDBOX_OUTBOX_H

#include "store.h"
#include "uuid.h"

#include <jansson.h>

#define OUTBOX_SESSION_OPENED "signing-session.opened"
#define OUTBOX_SESSION_COMPLETED "signing-session.completed"
#define OUTBOX_PACKAGE_COMPLETED "package.completed"
#define OUTBOX_PACKAGE_FAILED "package.failed"
/* No such event is known of the service: only --beyond-the-service lets a
 * webhook want it. It may be added in any case. */
#define OUTBOX_SESSION_REJECTED "signing-session.rejected"

/* Inside the caller's transaction: the event `name` about the session or the
 * package with this id. False when it failed; the caller then rolls back. */
bool outbox_add(Store *store, const char *name, const char *subject);

/* One try that is due: copies, so that no statement stays open. */
typedef struct OutboxDue {
  int64_t number, try; /* its row, and which try of it */
  char webhook[UUID_SIZE];
  char *url, *secret, *body;
} OutboxDue;

/* At the start: what was on its way when the process ended is tried at once.
 * Without `beyond`, nobody gets what only goes beyond the service. */
bool outbox_resume(Store *store, bool beyond);
/* Whether a webhook is to be left out, as something is on its way there. */
typedef bool OutboxBusy(void *context, const char *webhook);
/* 1: the next try is in *due; 0: none is due, and *next says when one will
 * be (WHEN_NONE: never); STORE_FAILED. */
int outbox_next(Store *store, OutboxBusy *busy, void *context, OutboxDue *due,
                When *next);
void outbox_clear(OutboxDue *due);
/* What became of a try: `outcome` in words or as the status's number. One
 * that failed is tried again, later each time, until the event expires. */
bool outbox_done(Store *store, const OutboxDue *due, bool delivered,
                 const char *outcome);
/* Delivers an event once more, whatever has become of it. The number of
 * webhooks it goes to, or STORE_FAILED. */
int outbox_again(Store *store, const char *event);

/* The list of what there is, oldest first, of this event or (NULL) of all;
 * NULL when it failed. */
json_t *outbox_show(Store *store, const char *event);

#endif
