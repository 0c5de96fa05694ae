/*
 * spares.c: buffers, and a count of those who share them; see spares.h.
 */
#include "spares.h"

#include <stdlib.h>

#define LEAST 4096        /* bytes of one that is worth it */
#define MOST (128 * 1024) /* of all that are kept */

/* Of one allocator, the one that was given last on top. */
typedef struct Stack {
  size_t bytes;
  int count;
  Buffer of[MOST / LEAST];
} Stack;

struct Spares {
  int users;
  Stack plain, lua; /* of the C library, and of Lua */
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

static void empty(Stack *stack) {
  while (stack->count > 0)
    sc_buffer_free(&stack->of[--stack->count]);
}

void sc_spares_release(Spares *spares) {
  if (!spares || --spares->users > 0) return;
  empty(&spares->plain);
  empty(&spares->lua);
  free(spares);
}

static Stack *stack_for(Spares *spares, const Buffer *buffer) {
  return buffer->alloc ? &spares->lua : &spares->plain;
}

void sc_spares_take(Spares *spares, Buffer *buffer) {
  Stack *stack = spares ? stack_for(spares, buffer) : NULL;
  if (!stack || stack->count == 0 || buffer->data) return;
  *buffer = stack->of[--stack->count];
  stack->bytes -= buffer->capacity;
}

void sc_spares_give(Spares *spares, Buffer *buffer) {
  Stack *stack = spares ? stack_for(spares, buffer) : NULL;
  sc_buffer_clear(buffer);
  if (!stack || buffer->capacity < LEAST ||
      buffer->capacity > MOST - stack->bytes) {
    sc_buffer_free(buffer);
    return;
  }
  stack->bytes += buffer->capacity;
  stack->of[stack->count++] = *buffer;
  buffer->data = NULL;
  buffer->capacity = 0;
}
