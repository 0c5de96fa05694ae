/*
 * courier.h: the one thread that delivers events, over HTTP.
 *
 * It takes what is due from the outbox, one after the other for each webhook,
 * and notes what became of it. It is woken by every commit, and by whoever
 * moves the clock.
 * A delivery may come twice, when the process ends between the answer and
 * the note of it; receivers tell repeats by the event's id.
 */
#ifndef SANDBOX_COURIER_H
#define SANDBOX_COURIER_H

#include "store.h"

typedef struct Courier Courier;

/* Starts the thread; NULL when there is none to be had. Without `beyond`
 * nothing is sent that the service is not known to send. */
Courier *courier_open(Store *store, bool beyond);
/* Looks again at what is due. Any thread may. */
void courier_ring(Courier *courier);
/* Breaks off what is on its way, which is then tried at the next start, and
 * ends. NULL is allowed. */
void courier_close(Courier *courier);

#endif
