/*
 * crew.h: a few threads that do what would take a turn of a loop too long.
 *
 * A job owns all that it works on and knows nothing of Lua, so it may outlive
 * whoever gave it. Threads come with the jobs and leave with the last one.
 * They take no signal of the host's. A child of fork has none of them: there
 * a crew is given up and its jobs stay the parent's.
 */
#ifndef SC_CREW_H
#define SC_CREW_H

typedef struct Crew Crew;

typedef enum JobState {
  JOB_WAITING,
  JOB_RUNNING,
  JOB_DONE /* the bell rang for it */
} JobState;

typedef struct Job {
  struct Job *next;
  JobState state;                   /* under the crew's lock */
  int taken;                        /* a matter of who takes, not the crew's */
  int dropped;                      /* nobody waits for it any more */
  void (*run)(struct Job *job);     /* in a thread */
  void (*discard)(struct Job *job); /* frees it, in whichever */
} Job;

/* A crew of one owner; NULL without memory or descriptors. */
Crew *sc_crew_new(void);
/* A descriptor that is readable while a finished job can be taken. */
int sc_crew_bell(const Crew *crew);
/* 0; or -1 when no thread is to be had, and the job is its giver's. */
int sc_crew_give(Crew *crew, Job *job);
/* A finished job, or NULL. */
Job *sc_crew_take(Crew *crew);
/* Lets go of a job that was given; its discard comes now or later. */
void sc_crew_drop(Crew *crew, Job *job);
/* Whether a fork made this process, so that the crew is its parent's. */
int sc_crew_inherited(const Crew *crew);

/* Who keeps a crew, besides its threads; the last to let go ends it. */
void sc_crew_keep(Crew *crew);
void sc_crew_release(Crew *crew);

#endif
