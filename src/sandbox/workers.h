/*
 * workers.h: threads for what takes long, so that those of the server, of
 * which each has many connections, never wait for it.
 */
#ifndef SANDBOX_WORKERS_H
#define SANDBOX_WORKERS_H

#include <stddef.h>

/* The giver's memory, until `work` is called. */
typedef struct WorkersJob {
  void (*work)(void *context);
  void *context;
  struct WorkersJob *next;
} WorkersJob;

typedef struct Workers Workers;

/* NULL when there is not one thread to be had. */
Workers *workers_start(size_t count);
/* Has it done when its turn comes; from any thread. */
void workers_give(Workers *workers, WorkersJob *job);
/* Waits until all that was given is done, and ends them. NULL is allowed. */
void workers_end(Workers *workers);

#endif
