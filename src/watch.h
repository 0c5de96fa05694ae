/*
 * watch.h: the two limits that libcurl has not, or not finely enough: how
 * long the answer's first byte may be awaited and how long bytes may stand
 * still.
 */
#ifndef SC_WATCH_H
#define SC_WATCH_H

#include "transfer.h"

/* Begins to watch a transfer that is about to start. */
void sc_watch_begin(Transfer *transfer);

/* Looks at a running transfer; the seconds that are left to it, HUGE_VAL
 * without a limit. At 0 or below it is late, and `transfer->late` says for
 * what. */
double sc_watch_left(Transfer *transfer, double now);

#endif
