/*
 * workers.c: a queue, and the threads that empty it. A job is forgotten
 * before it is begun, as its memory may be gone once it is done.
 */
#include "workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct Workers {
  pthread_mutex_t lock;
  pthread_cond_t called;
  bool ending; /* under the lock, as the jobs */
  WorkersJob *first, **end;
  size_t count;
  pthread_t threads[];
};

/* The next job; NULL when there will be none any more. */
static WorkersJob *take(Workers *workers) {
  pthread_mutex_lock(&workers->lock);
  while (!workers->first && !workers->ending)
    pthread_cond_wait(&workers->called, &workers->lock);
  WorkersJob *job = workers->first;
  if (job) workers->first = job->next;
  if (!workers->first) workers->end = &workers->first;
  pthread_mutex_unlock(&workers->lock);
  return job;
}

static void *run(void *context) {
  for (WorkersJob *job; (job = take(context));)
    job->work(job->context);
  return NULL;
}

Workers *workers_start(size_t count) {
  Workers *workers =
      calloc(1, sizeof *workers + count * sizeof *workers->threads);
  if (!workers) return NULL;
  pthread_mutex_init(&workers->lock, NULL);
  pthread_cond_init(&workers->called, NULL);
  workers->end = &workers->first;
  while (workers->count < count &&
         pthread_create(&workers->threads[workers->count], NULL, run,
                        workers) == 0)
    workers->count++;
  if (workers->count > 0) return workers;
  workers_end(workers);
  return NULL;
}

void workers_give(Workers *workers, WorkersJob *job) {
  job->next = NULL;
  pthread_mutex_lock(&workers->lock);
  *workers->end = job;
  workers->end = &job->next;
  pthread_cond_signal(&workers->called);
  pthread_mutex_unlock(&workers->lock);
}

void workers_end(Workers *workers) {
  if (!workers) return;
  pthread_mutex_lock(&workers->lock);
  workers->ending = true;
  pthread_cond_broadcast(&workers->called);
  pthread_mutex_unlock(&workers->lock);
  for (size_t i = 0; i < workers->count; i++)
    pthread_join(workers->threads[i], NULL);
  pthread_cond_destroy(&workers->called);
  pthread_mutex_destroy(&workers->lock);
  free(workers);
}
