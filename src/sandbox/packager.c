/*
 * packager.c: waiting for something to package. What it is stands in the
 * store, so a call that comes too early or too often does no harm. The press
 * is its own: nobody waits for what it makes, so a stop need not either.
 */
#include "packager.h"

#include "packages.h"
#include "press.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct Packager {
  const Service *service;
  Press *press;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t called;
  bool awake, ending; /* under the lock */
};

/* Until it is called, or for a second if there is something for later. */
static bool wait_for_call(Packager *packager, PackagesLeft left) {
  struct timespec second;
  clock_gettime(CLOCK_REALTIME, &second);
  second.tv_sec++;
  pthread_mutex_lock(&packager->lock);
  int waited = 0;
  while (!packager->awake && !packager->ending && waited == 0)
    waited = left == PACKAGES_LATER
                 ? pthread_cond_timedwait(&packager->called, &packager->lock,
                                          &second)
                 : pthread_cond_wait(&packager->called, &packager->lock);
  packager->awake = false;
  bool ending = packager->ending;
  pthread_mutex_unlock(&packager->lock);
  return !ending;
}

static bool is_ending(Packager *packager) {
  pthread_mutex_lock(&packager->lock);
  bool ending = packager->ending;
  pthread_mutex_unlock(&packager->lock);
  return ending;
}

static void *run(void *context) {
  Packager *packager = context;
  PackagesLeft left;
  do
    do
      left = packages_make(packager->service, packager->press);
    while (left == PACKAGES_MORE && !is_ending(packager));
  while (wait_for_call(packager, left));
  return NULL;
}

static void forget(Packager *packager) {
  press_close(packager->press);
  pthread_cond_destroy(&packager->called);
  pthread_mutex_destroy(&packager->lock);
  free(packager);
}

Packager *packager_start(const Service *service) {
  Packager *packager =
      packages_resume(service->store) ? calloc(1, sizeof *packager) : NULL;
  if (!packager) return NULL;
  packager->service = service;
  packager->press = press_open(service->documents, PRESS_SECONDS);
  pthread_mutex_init(&packager->lock, NULL);
  pthread_cond_init(&packager->called, NULL);
  if (packager->press &&
      pthread_create(&packager->thread, NULL, run, packager) == 0)
    return packager;
  forget(packager);
  return NULL;
}

static void call(Packager *packager, bool ending) {
  pthread_mutex_lock(&packager->lock);
  packager->awake = true;
  if (ending) packager->ending = true;
  pthread_cond_signal(&packager->called);
  pthread_mutex_unlock(&packager->lock);
}

void packager_wake(Packager *packager) {
  call(packager, false);
}

void packager_stop(Packager *packager) {
  if (!packager) return;
  call(packager, true);
  press_stop(packager->press, 0);
  pthread_join(packager->thread, NULL);
  forget(packager);
}
