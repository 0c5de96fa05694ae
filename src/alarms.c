/*
 * alarms.c: a heap of transfers; see alarms.h. Places count from 1, so that 0
 * is "not in it".
 */
#include "alarms.h"

#include "transfer.h"

#include <stdlib.h>

static void put(Alarms *alarms, size_t place, Transfer *transfer) {
  alarms->heap[place - 1] = transfer;
  transfer->alarm = place;
}

static Transfer *at(const Alarms *alarms, size_t place) {
  return alarms->heap[place - 1];
}

static void rise(Alarms *alarms, Transfer *transfer, size_t place) {
  for (; place > 1; place /= 2) {
    Transfer *above = at(alarms, place / 2);
    if (above->look_at <= transfer->look_at) break;
    put(alarms, place, above);
  }
  put(alarms, place, transfer);
}

static void sink(Alarms *alarms, Transfer *transfer, size_t place) {
  size_t below;
  for (; (below = 2 * place) <= alarms->count; place = below) {
    if (below < alarms->count &&
        at(alarms, below + 1)->look_at < at(alarms, below)->look_at) {
      below++;
    }
    if (transfer->look_at <= at(alarms, below)->look_at) break;
    put(alarms, place, at(alarms, below));
  }
  put(alarms, place, transfer);
}

int sc_alarms_add(Alarms *alarms, Transfer *transfer) {
  if (alarms->count == alarms->room) {
    size_t room = alarms->room ? 2 * alarms->room : 16;
    Transfer **heap = realloc(alarms->heap, room * sizeof(Transfer *));
    if (!heap) return -1;
    alarms->heap = heap;
    alarms->room = room;
  }
  rise(alarms, transfer, ++alarms->count);
  return 0;
}

void sc_alarms_remove(Alarms *alarms, Transfer *transfer) {
  size_t place = transfer->alarm;
  Transfer *last;
  if (!place) return;
  transfer->alarm = 0;
  last = at(alarms, alarms->count--);
  if (last == transfer) return;
  if (last->look_at < transfer->look_at) {
    rise(alarms, last, place);
  } else {
    sink(alarms, last, place);
  }
}

Transfer *sc_alarms_first(const Alarms *alarms) {
  return alarms->count ? at(alarms, 1) : NULL;
}

void sc_alarms_put_off(Alarms *alarms) {
  sink(alarms, at(alarms, 1), 1);
}

void sc_alarms_free(Alarms *alarms) {
  free(alarms->heap);
  alarms->heap = NULL;
  alarms->count = alarms->room = 0;
}
