/*
 * crew.c: jobs from hand to hand; see crew.h.
 *
 * The lock is held for moving a job from one list to another, never while one
 * runs.
 */
#include "crew.h"

#include "forks.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_THREADS 4
#define STACK (256 * 1024) /* bytes; jobs do not recurse */

typedef struct List {
  Job *first, *last;
} List;

struct Crew {
  pthread_mutex_t lock;
  List waiting, done;
  int threads;
  int keepers;
  int bell;
  unsigned long fork; /* of which it was made in */
};

/* ---- lists -------------------------------------------------------------- */

static void put(List *list, Job *job) {
  job->next = NULL;
  if (list->first) {
    list->last->next = job;
  } else {
    list->first = job;
  }
  list->last = job;
}

static Job *take(List *list) {
  Job *first = list->first;
  if (first) list->first = first->next;
  return first;
}

static void cut(List *list, const Job *job) {
  Job **link = &list->first, *before = NULL;
  while (*link != job) {
    before = *link;
    link = &before->next;
  }
  *link = job->next;
  if (list->last == job) list->last = before;
}

/* ---- birth and end ------------------------------------------------------ */

Crew *sc_crew_new(void) {
  Crew *crew = calloc(1, sizeof *crew);
  if (!crew) return NULL;
  crew->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
  if (crew->bell < 0) {
    free(crew);
    return NULL;
  }
  pthread_mutex_init(&crew->lock, NULL);
  crew->keepers = 1;
  crew->fork = sc_forks_seen();
  return crew;
}

int sc_crew_bell(const Crew *crew) {
  return crew->bell;
}

int sc_crew_inherited(const Crew *crew) {
  return crew->fork != sc_forks_seen();
}

/* With the lock, which is gone afterwards. */
static void let_go(Crew *crew) {
  int last = --crew->keepers == 0;
  pthread_mutex_unlock(&crew->lock);
  if (!last) return;
  close(crew->bell);
  pthread_mutex_destroy(&crew->lock);
  free(crew);
}

void sc_crew_keep(Crew *crew) {
  pthread_mutex_lock(&crew->lock);
  crew->keepers++;
  pthread_mutex_unlock(&crew->lock);
}

/* What a child inherited may be locked for ever. */
void sc_crew_release(Crew *crew) {
  if (sc_crew_inherited(crew)) return;
  pthread_mutex_lock(&crew->lock);
  let_go(crew);
}

/* ---- the threads -------------------------------------------------------- */

/* With the lock. */
static void hand_over(Crew *crew, Job *job) {
  static const uint64_t one = 1;
  job->state = JOB_DONE;
  put(&crew->done, job);
  if (write(crew->bell, &one, sizeof one) < 0) {
    /* Only a count of 2^64 could refuse. */
  }
}

static void *work(void *context) {
  Crew *crew = context;
  Job *job;
  pthread_mutex_lock(&crew->lock);
  while ((job = take(&crew->waiting))) {
    job->state = JOB_RUNNING;
    pthread_mutex_unlock(&crew->lock);
    job->run(job);
    pthread_mutex_lock(&crew->lock);
    if (job->dropped) {
      pthread_mutex_unlock(&crew->lock);
      job->discard(job);
      pthread_mutex_lock(&crew->lock);
    } else {
      hand_over(crew, job);
    }
  }
  crew->threads--;
  let_go(crew);
  return NULL;
}

/* A thread of its own, without signals. 0, or -1. */
static int begin_thread(Crew *crew) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  int code;
  if (pthread_attr_init(&attributes) != 0) return -1;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  code = pthread_create(&thread, &attributes, work, crew);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return code == 0 ? 0 : -1;
}

int sc_crew_give(Crew *crew, Job *job) {
  int failed = 0;
  pthread_mutex_lock(&crew->lock);
  job->state = JOB_WAITING;
  put(&crew->waiting, job);
  if (crew->threads < MAX_THREADS) {
    if (begin_thread(crew) == 0) {
      crew->threads++;
      crew->keepers++;
    } else if (crew->threads == 0) {
      cut(&crew->waiting, job);
      failed = -1;
    }
  }
  pthread_mutex_unlock(&crew->lock);
  return failed;
}

Job *sc_crew_take(Crew *crew) {
  uint64_t one;
  Job *job;
  if (read(crew->bell, &one, sizeof one) < 0) return NULL;
  pthread_mutex_lock(&crew->lock);
  job = take(&crew->done);
  pthread_mutex_unlock(&crew->lock);
  if (job) job->taken = 1;
  return job;
}

void sc_crew_drop(Crew *crew, Job *job) {
  if (sc_crew_inherited(crew)) return;
  pthread_mutex_lock(&crew->lock);
  job->dropped = 1;
  if (job->state == JOB_WAITING) cut(&crew->waiting, job);
  if (job->state == JOB_DONE && !job->taken) cut(&crew->done, job);
  if (job->state == JOB_RUNNING) job = NULL;
  pthread_mutex_unlock(&crew->lock);
  if (job) job->discard(job);
}
