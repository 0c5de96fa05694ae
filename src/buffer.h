/*
 * buffer.h: a growing byte buffer; plain C, no Lua.
 *
 * A buffer knows its allocator (the shape of lua_Alloc), so that scratch
 * memory of the JSON code counts against the host's own cap. It never
 * raises: a call that finds no memory returns -1 and leaves the buffer as it
 * was. A zeroed Buffer is valid, empty and uses realloc and free.
 */
#ifndef SC_BUFFER_H
#define SC_BUFFER_H

#include <stddef.h>

typedef void *(*BufferAlloc)(void *ud, void *ptr, size_t osize, size_t nsize);

typedef struct Buffer {
  char *data;
  size_t size;
  size_t capacity;
  BufferAlloc alloc; /* NULL: realloc and free */
  void *alloc_ud;
} Buffer;

/* Makes room for `extra` more bytes; 0, or -1 when there is no memory. */
int sc_buffer_reserve(Buffer *b, size_t extra);
int sc_buffer_append(Buffer *b, const void *bytes, size_t size);
/* Forgets the bytes, keeps the memory. */
void sc_buffer_clear(Buffer *b);
/* The same, and nobody finds them in it: for what may hold a secret. */
void sc_buffer_wipe(Buffer *b);
/* Gives the memory back; the buffer is empty and usable again. */
void sc_buffer_free(Buffer *b);

#endif
