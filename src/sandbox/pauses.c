/*
 * pauses.c: one thread that polls the sockets of those who wait.
 *
 * Only the thread removes, others only append: what it polled without the
 * lock are therefore still the first ones of the list when it has it again.
 */
#include "pauses.h"

#include "connections.h"
#include "when.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST CONNECTIONS_MOST

typedef struct Pause {
  void *what;
  int socket;
  int64_t until; /* milliseconds of the monotonic clock, or UNTIL_GONE */
} Pause;

struct Pauses {
  pthread_mutex_t lock;
  pthread_t thread;
  PausesWake *wake;
  int bell; /* rung when the list has changed */
  bool ending;
  size_t count;
  Pause list[MOST];
  struct pollfd polled[1 + MOST]; /* the thread's own; the bell first */
};

static void ring(Pauses *pauses) {
  uint64_t one = 1;
  /* It can only fail when it rings already. */
  if (write(pauses->bell, &one, sizeof one) < 0) return;
}

/* Fills `polled`; how long to poll, in milliseconds. */
static int prepare(Pauses *pauses) {
  int64_t now = when_milliseconds(), wait = -1;
  pauses->polled[0] = (struct pollfd){.fd = pauses->bell, .events = POLLIN};
  for (size_t i = 0; i < pauses->count; i++) {
    const Pause *pause = &pauses->list[i];
    bool timed = pause->until != PAUSES_UNTIL_GONE;
    /* A client may close its half and still want its answer: only one that
     * is waited for until it goes is watched for that. */
    pauses->polled[i + 1] = (struct pollfd){
        .fd = pause->socket, .events = (short)(timed ? 0 : POLLRDHUP)};
    if (!timed) continue;
    int64_t left = pause->until > now ? pause->until - now : 0;
    if (wait < 0 || left < wait) wait = left;
  }
  return (int)wait;
}

/* Wakes those whose time has come among the first `polled`, or all. */
static void wake(Pauses *pauses, size_t polled) {
  int64_t now = when_milliseconds();
  for (size_t i = pauses->count; i-- > 0;) {
    const Pause *pause = &pauses->list[i];
    bool gone = i < polled && pauses->polled[i + 1].revents;
    bool over = pause->until != PAUSES_UNTIL_GONE && pause->until <= now;
    if (!gone && !over && !pauses->ending) continue;
    pauses->wake(pause->what);
    pauses->list[i] = pauses->list[--pauses->count];
  }
}

static void *run(void *context) {
  Pauses *pauses = context;
  uint64_t rung;
  pthread_mutex_lock(&pauses->lock);
  while (!pauses->ending) {
    size_t count = pauses->count;
    int wait = prepare(pauses);
    pthread_mutex_unlock(&pauses->lock);
    poll(pauses->polled, 1 + count, wait);
    if (pauses->polled[0].revents &&
        read(pauses->bell, &rung, sizeof rung) < 0) {
      /* not rung after all: nothing to empty */
    }
    pthread_mutex_lock(&pauses->lock);
    wake(pauses, count);
  }
  pthread_mutex_unlock(&pauses->lock);
  return NULL;
}

Pauses *pauses_open(PausesWake *wake) {
  Pauses *pauses = calloc(1, sizeof *pauses);
  if (!pauses) return NULL;
  pthread_mutex_init(&pauses->lock, NULL);
  pauses->wake = wake;
  pauses->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (pauses->bell >= 0 &&
      pthread_create(&pauses->thread, NULL, run, pauses) == 0)
    return pauses;
  pauses_close(pauses);
  return NULL;
}

bool pauses_add(Pauses *pauses, void *what, int socket, int64_t milliseconds) {
  pthread_mutex_lock(&pauses->lock);
  bool added = !pauses->ending && pauses->count < MOST;
  if (added) {
    Pause *pause = &pauses->list[pauses->count++];
    pause->what = what;
    pause->socket = socket;
    pause->until = milliseconds == PAUSES_UNTIL_GONE
                       ? PAUSES_UNTIL_GONE
                       : when_milliseconds() + milliseconds;
    ring(pauses);
  }
  pthread_mutex_unlock(&pauses->lock);
  return added;
}

void pauses_end(Pauses *pauses) {
  pthread_mutex_lock(&pauses->lock);
  pauses->ending = true;
  ring(pauses);
  pthread_mutex_unlock(&pauses->lock);
  pthread_join(pauses->thread, NULL);
  wake(pauses, 0);
}

void pauses_close(Pauses *pauses) {
  if (!pauses) return;
  if (pauses->bell >= 0) close(pauses->bell);
  pthread_mutex_destroy(&pauses->lock);
  free(pauses);
}
