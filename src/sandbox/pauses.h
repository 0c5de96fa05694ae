/*
 * pauses.h: connections that wait, and the thread that wakes them.
 *
 * A thread of the server must not sleep, so what has to wait is put aside:
 * for so long, or until its other side goes. Ending wakes all at once and
 * lets nobody wait any more, so that a stop never hangs on a pause.
 */
#ifndef SANDBOX_PAUSES_H
#define SANDBOX_PAUSES_H

#include <stdbool.h>
#include <stdint.h>

#define PAUSES_UNTIL_GONE (-1)

typedef struct Pauses Pauses;
/* Called once for each pause, from the thread, under its lock. */
typedef void PausesWake(void *what);

Pauses *pauses_open(PausesWake *wake);
/* False when there is no waiting (any more); `wake` is then not called. The
 * socket has to stay open until it is. */
bool pauses_add(Pauses *pauses, void *what, int socket, int64_t milliseconds);
/* Wakes all, and ends the thread. */
void pauses_end(Pauses *pauses);
/* After pauses_end, when nobody calls pauses_add any more. */
void pauses_close(Pauses *pauses);

#endif
