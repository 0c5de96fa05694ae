/*
 * watch.h: the two limits that libcurl has not, or not finely enough: how
 * long the answer's first byte may be awaited and how long bytes may stand
 * still.
 */
#ifndef SC_WATCH_H
#define SC_WATCH_H

#include "transfer.h"

/* Begins to watch a transfer that starts now; whether it has such limits. */
int sc_watch_begin(Transfer *transfer, double now);

/* Looks at a running transfer: whether it is late, and `transfer->late` says
 * for what. If not, `transfer->look_at` says when to look again: an eighth of
 * the limit later at most, so that it is exceeded by no more than that. */
int sc_watch_is_late(Transfer *transfer, double now);

#endif
