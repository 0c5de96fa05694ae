/*
 * buffer.c: a growing byte buffer; plain C, no Lua.
 *
 * Capacity doubles, so that n appends cost n bytes of copying. The allocator
 * is told true old sizes: one that counts bytes stays exact.
 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

/* A session, its index or its payload fit without a second request. */
#define FIRST_CAPACITY 4096

static void *resize(Buffer *b, size_t capacity) {
  if (b->alloc != NULL)
    return b->alloc(b->alloc_ud, b->data, b->capacity, capacity);
  if (capacity > 0) return realloc(b->data, capacity);
  free(b->data);
  return NULL;
}

int sc_buffer_reserve(Buffer *b, size_t extra) {
  size_t capacity = b->capacity > 0 ? b->capacity : FIRST_CAPACITY;
  if (extra <= b->capacity - b->size) return 0;
  if (extra > (size_t)-1 / 2 - b->size) return -1;
  while (capacity - b->size < extra)
    capacity *= 2;
  char *data = resize(b, capacity);
  if (data == NULL) return -1;
  b->data = data;
  b->capacity = capacity;
  return 0;
}

int sc_buffer_append(Buffer *b, const void *bytes, size_t size) {
  if (size > b->capacity - b->size && sc_buffer_reserve(b, size) != 0) {
    return -1;
  }
  /* An empty piece may come with a NULL pointer, which memcpy forbids. */
  if (size > 0) memcpy(b->data + b->size, bytes, size);
  b->size += size;
  return 0;
}

void sc_buffer_clear(Buffer *b) {
  b->size = 0;
}

void sc_buffer_wipe(Buffer *b) {
  if (b->size > 0) explicit_bzero(b->data, b->size);
  b->size = 0;
}

void sc_buffer_free(Buffer *b) {
  if (b->data != NULL) resize(b, 0);
  b->data = NULL;
  b->size = b->capacity = 0;
}
