/*
 * count_heap.c: counts the requests for memory of a program.
 *
 * Loaded with LD_PRELOAD; at exit one line on stderr says how many there
 * were. Giving back is not counted, growing is. glibc's own names save the
 * look-up of the next malloc, which would itself need memory.
 */
#include <stddef.h>
#include <stdio.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static unsigned long calls;

void *malloc(size_t size) {
  __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
  return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
  return __libc_realloc(block, size);
}

__attribute__((destructor)) static void tell(void) {
  fprintf(stderr, "heap calls: %lu\n", calls);
}
