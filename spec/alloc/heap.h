/*
 * heap.h: every allocation of this process, counted, and refused on demand.
 *
 * Three sources can be told to fail: the allocator of a Lua state, libcurl's,
 * and what our own C files ask for beside Lua (the linker leads their calls
 * here, see the Makefile). Everybody else's are counted only: OpenSSL's,
 * libc's. Under a sanitizer, which has a malloc of its own, nothing is
 * counted, and it tells of leaks itself.
 */
#ifndef SPEC_HEAP_H
#define SPEC_HEAP_H

#include <stddef.h>

typedef enum Source {
  SOURCE_NONE,
  SOURCE_LUA,
  SOURCE_OURS,
  SOURCE_CURL
} Source;

/* From now on the n-th growing request of a source is refused, and every later
 * one unless `once`. SOURCE_NONE ends it. */
void heap_fail(Source source, long n, int once);
/* Whether one was refused since. */
int heap_failed(void);
/* Blocks that are allocated. */
long heap_blocks(void);
/* libcurl gets its memory here; before its first use. 0, or -1. */
int heap_serve_curl(void);

/* For lua_newstate; `ud` is a size_t that holds the bytes of that state. */
void *heap_resize_lua(void *ud, void *ptr, size_t osize, size_t nsize);

#endif
