/*
 * forks.c: counts forks; see forks.h.
 *
 * The one thing of the whole process that this module keeps; it is written
 * only in a child that has no other thread yet.
 */
#include "forks.h"

#include <pthread.h>

static unsigned long forks_seen;
static int failed;

static void count_fork(void) {
  forks_seen++;
}

static void begin_counting(void) {
  failed = pthread_atfork(NULL, NULL, count_fork);
}

int sc_forks_begin(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, begin_counting);
  return failed ? -1 : 0;
}

unsigned long sc_forks_seen(void) {
  return forks_seen;
}
