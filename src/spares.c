/*
 * spares.c: two buffers and a count of those who share them; see spares.h.
 */
#include "spares.h"

#include <stdlib.h>

#define MOST (64 * 1024) /* bytes of one that is kept */

struct Spares {
  int users;
  Buffer of[2]; /* the C library's, and Lua's */
};

Spares *sc_spares_new(void) {
  Spares *spares = calloc(1, sizeof *spares);
  if (spares) spares->users = 1;
  return spares;
}

Spares *sc_spares_share(Spares *spares) {
  if (spares) spares->users++;
  return spares;
}

void sc_spares_release(Spares *spares) {
  if (!spares || --spares->users > 0) return;
  sc_buffer_free(&spares->of[0]);
  sc_buffer_free(&spares->of[1]);
  free(spares);
}

/* Exchanges the memory of two buffers of the same allocator. */
static void exchange(Buffer *one, Buffer *other) {
  Buffer before = *one;
  *one = *other;
  *other = before;
}

void sc_spares_take(Spares *spares, Buffer *buffer) {
  Buffer *spare = spares ? &spares->of[buffer->alloc != NULL] : NULL;
  if (spare && spare->data && !buffer->data) exchange(spare, buffer);
}

void sc_spares_give(Spares *spares, Buffer *buffer) {
  Buffer *spare = spares ? &spares->of[buffer->alloc != NULL] : NULL;
  sc_buffer_clear(buffer);
  if (spare && !spare->data && buffer->capacity <= MOST) {
    spare->alloc = buffer->alloc;
    spare->alloc_ud = buffer->alloc_ud;
    exchange(spare, buffer);
  } else {
    sc_buffer_free(buffer);
  }
}
