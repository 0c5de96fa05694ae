/*
 * heap.c: counts and refuses; see heap.h.
 *
 * Resolver threads of libcurl and ours for long work allocate too, so the
 * counters are atomic.
 */
#include "heap.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* ---- everybody's ------------------------------------------------------- */

static long blocks;

#if defined(__SANITIZE_ADDRESS__)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

#define take(size) __real_malloc(size)
#define take_zeroed(count, size) __real_calloc(count, size)
#define resize(block, size) __real_realloc(block, size)
#define give(block) __real_free(block)

#else

/* glibc's own, under the names that it has for those who replace them. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static void *count(void *block) {
  if (block != NULL) __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
  return block;
}

static void *take(size_t size) {
  return count(__libc_malloc(size));
}

static void *take_zeroed(size_t members, size_t size) {
  return count(__libc_calloc(members, size));
}

static void give(void *block) {
  if (block != NULL) __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
  __libc_free(block);
}

static void *resize(void *block, size_t size) {
  if (block == NULL) return take(size);
  void *moved = __libc_realloc(block, size);
  if (size == 0) __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
  return moved;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size) {
  return take(size);
}

EXPORTED void *calloc(size_t members, size_t size) {
  return take_zeroed(members, size);
}

EXPORTED void *realloc(void *block, size_t size) {
  return resize(block, size);
}

EXPORTED void free(void *block) {
  give(block);
}

EXPORTED void *memalign(size_t alignment, size_t size) {
  return count(__libc_memalign(alignment, size));
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size) {
  return count(__libc_memalign(alignment, size));
}

EXPORTED int posix_memalign(void **block, size_t alignment, size_t size) {
  *block = count(__libc_memalign(alignment, size));
  return *block != NULL ? 0 : ENOMEM;
}

#endif

long heap_blocks(void) {
  return __atomic_load_n(&blocks, __ATOMIC_RELAXED);
}

/* ---- who is refused ---------------------------------------------------- */

static struct {
  Source source;
  long requests, from;
  int once, failed;
} plan;

void heap_fail(Source source, long n, int once) {
  if (source != SOURCE_NONE) {
    plan.from = n;
    plan.once = once;
    plan.requests = plan.failed = 0;
  }
  __atomic_store_n(&plan.source, source, __ATOMIC_SEQ_CST);
}

int heap_failed(void) {
  return plan.failed;
}

static int refuses(Source source) {
  if (__atomic_load_n(&plan.source, __ATOMIC_SEQ_CST) != source) return 0;
  long number = __atomic_add_fetch(&plan.requests, 1, __ATOMIC_RELAXED);
  if (plan.once ? number != plan.from : number < plan.from) return 0;
  plan.failed = 1;
  errno = ENOMEM;
  return 1;
}

/* ---- Lua's ------------------------------------------------------------- */

void *heap_resize_lua(void *ud, void *ptr, size_t osize, size_t nsize) {
  size_t *bytes = ud;
  /* Without a block, osize says what kind of object is to be made. */
  size_t before = ptr != NULL ? osize : 0;
  if (nsize == 0) {
    give(ptr);
    *bytes -= before;
    return NULL;
  }
  if (nsize > before && refuses(SOURCE_LUA)) return NULL;
  void *block = resize(ptr, nsize);
  if (block != NULL) *bytes = *bytes - before + nsize;
  return block;
}

/* ---- libcurl's --------------------------------------------------------- */

static void *curl_take(size_t size) {
  return refuses(SOURCE_CURL) ? NULL : take(size);
}

static void *curl_take_zeroed(size_t members, size_t size) {
  return refuses(SOURCE_CURL) ? NULL : take_zeroed(members, size);
}

static void *curl_resize(void *block, size_t size) {
  return refuses(SOURCE_CURL) ? NULL : resize(block, size);
}

static char *curl_copy(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = refuses(SOURCE_CURL) ? NULL : take(size);
  return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static void curl_give(void *block) {
  give(block);
}

int heap_serve_curl(void) {
  return curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_take, curl_give,
                              curl_resize, curl_copy,
                              curl_take_zeroed) == CURLE_OK
             ? 0
             : -1;
}

/* ---- ours --------------------------------------------------------------- */

char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
char *__real_realpath(const char *path, char *into);
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);

void *__wrap_malloc(size_t size) {
  return refuses(SOURCE_OURS) ? NULL : take(size);
}

void *__wrap_calloc(size_t members, size_t size) {
  return refuses(SOURCE_OURS) ? NULL : take_zeroed(members, size);
}

void *__wrap_realloc(void *block, size_t size) {
  return refuses(SOURCE_OURS) ? NULL : resize(block, size);
}

void __wrap_free(void *block) {
  give(block);
}

char *__wrap_strdup(const char *text) {
  return refuses(SOURCE_OURS) ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size) {
  return refuses(SOURCE_OURS) ? NULL : __real_strndup(text, size);
}

char *__wrap_realpath(const char *path, char *into) {
  return refuses(SOURCE_OURS) ? NULL : __real_realpath(path, into);
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void) {
  return refuses(SOURCE_OURS) ? NULL : __real_EVP_MD_CTX_new();
}
