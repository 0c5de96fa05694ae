/*
 * alarms.h: the running transfers in the order in which they have to be looked
 * at, so that a look costs the same however many wait.
 *
 * A binary heap over Transfer.look_at; each transfer knows its place in it.
 * Transfers without limits of ours are not in it.
 */
#ifndef SC_ALARMS_H
#define SC_ALARMS_H

#include <stddef.h>

struct Transfer;

typedef struct Alarms {
  struct Transfer **heap;
  size_t count, room;
} Alarms;

/* 0, or -1 without memory. */
int sc_alarms_add(Alarms *alarms, struct Transfer *transfer);
/* Does nothing for one that is not in it. */
void sc_alarms_remove(Alarms *alarms, struct Transfer *transfer);
/* The first one, or NULL. */
struct Transfer *sc_alarms_first(const Alarms *alarms);
/* The first one's look_at has grown. */
void sc_alarms_put_off(Alarms *alarms);
void sc_alarms_free(Alarms *alarms);

#endif
