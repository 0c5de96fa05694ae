/*
 * packages.h: PADES_CONTAINERs of sessions and of collections.
 *
 * A row of `package` comes with the signature (or the deletion) that makes
 * it due, in the same transaction (state.c), and is the order to make it
 * until it has a result or the reason why there is none. Whatever ends the
 * process, the row is still there and still due.
 */
#ifndef SANDBOX_PACKAGES_H
#define SANDBOX_PACKAGES_H

#include "reply.h"
#include "service.h"

/* output.packages of a session or a collection, whichever is not NULL;
 * NULL when the store failed. */
json_t *packages_show(Store *store, const char *session,
                      const char *collection);

/* Whether the PDFs of all packages that wait for this session can be
 * packaged; if not, the reply says why. */
bool packages_check(const Service *service, const char *session, Reply *reply);

typedef enum PackagesLeft {
  PACKAGES_MORE,  /* one was worked on; there may be another */
  PACKAGES_LATER, /* one is to be tried again, in seconds */
  PACKAGES_NONE
} PackagesLeft;

/* Takes up what an earlier run has left; false: the store failed. */
bool packages_resume(Store *store);
/* Makes the next one, with that press; for one thread at a time. */
PackagesLeft packages_make(const Service *service, struct Press *press);

#endif
