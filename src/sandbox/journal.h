/*
 * journal.h: the requests the service has seen, in order, for tests to read.
 *
 * An entry is made when a request's head is read and completed when its
 * answer begins or it is clear that there will be none. No bodies and no
 * headers are kept, so no token and no secret is. Memory is bounded: the
 * oldest entries go first and are counted. Threads may call everything here
 * at the same time.
 */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include <jansson.h>
#include <stdint.h>

#define JOURNAL_MOST 10000 /* entries */

typedef struct Journal Journal;

/* What a head tells. */
typedef struct JournalHead {
  const char *method, *target;
  const char *operation; /* a constant, or NULL */
  int64_t connection;    /* its number */
  int64_t turn;          /* the request's number on it */
} JournalHead;

Journal *journal_open(void);
void journal_close(Journal *journal);

/* The entry's number; numbers are never used again. */
int64_t journal_begin(Journal *journal, const JournalHead *head);
/* `status` 0: no answer; `fault` a constant, or NULL. */
void journal_end(Journal *journal, int64_t number, int status,
                 uint64_t body_size, const char *fault);
/* {dropped, requests}: of that operation (NULL: any), after that number. */
json_t *journal_show(Journal *journal, const char *operation, int64_t after);
void journal_clear(Journal *journal);

#endif
