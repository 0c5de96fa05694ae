/*
 * package_order.h: what goes into a package, as the press's order `pack`.
 *
 * Only the session's own signed documents, or only the collection's
 * documents, each once; and only the signatures made for it.
 */
#ifndef SANDBOX_PACKAGE_ORDER_H
#define SANDBOX_PACKAGE_ORDER_H

#include "store.h"

#include <jansson.h>

/* Of a session or a collection, whichever is not ""; NULL: the store failed.
 * There may be no signature any more: then `files` is empty. */
json_t *package_order(Store *store, const char *session, const char *collection,
                      When when);

/* One that shows whether it can be made: the PDFs of all packages that wait
 * for this session, and a page of evidence. NULL: the store failed. */
json_t *package_order_trial(Store *store, const char *session);

#endif
