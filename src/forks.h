/*
 * forks.h: whether a process was forked since, so that a child can part from
 * what is its parent's.
 *
 * Children are known by a count of the forks in their line, which the C
 * library keeps for us: it costs calls nothing, and a process id may be the
 * same on both sides (of a namespace).
 */
#ifndef SC_FORKS_H
#define SC_FORKS_H

/* Begins to count; more often is no harm. 0, or -1 without memory. */
int sc_forks_begin(void);
/* The count so far, to be compared later. */
unsigned long sc_forks_seen(void);

#endif
