/*
 * store.h: the tables, behind a handful of verbs.
 *
 * store.c is the only file that knows SQLite. A statement's values are given
 * by letters, one for each `?`: s a string (NULL is null), i an int64_t,
 * w a When (WHEN_NONE is null). Each thread has its own connection; the
 * verbs find it. What store_commit has answered with true survives kill -9
 * and a power cut.
 */
#ifndef SANDBOX_STORE_H
#define SANDBOX_STORE_H

#include "when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Store Store;
typedef struct sqlite3_stmt Rows;

#define STORE_FAILED (-1)
#define STORE_IN_USE (-2) /* another row still points here, or to nowhere */

/* NULL with one sentence in `why`. */
Store *store_open(const char *folder, char *why, size_t size);
/* Closes the calling thread's connection; other threads have ended. */
void store_close(Store *store);

/* Starts reading; NULL when it failed. End with store_done in any case. As
 * long as one query is open, all of the thread see the same state. */
Rows *store_query(Store *store, const char *sql, const char *kinds, ...);
/* 1: there is a row; 0: no more; STORE_FAILED. NULL rows have failed. */
int store_next(Rows *rows);
/* Valid until the next store_next or store_done; NULL for null. */
const char *store_text(Rows *rows, int column);
int64_t store_number(Rows *rows, int column);
When store_when(Rows *rows, int column);
void store_done(Rows *rows);

/* Runs one statement: the number of rows changed, or a STORE_ value. */
int store_run(Store *store, const char *sql, const char *kinds, ...);

/* True when the query finds a row. *failed is set, never cleared. */
bool store_has(Store *store, const char *sql, const char *id, bool *failed);

bool store_begin(Store *store);    /* to write: BEGIN IMMEDIATE */
bool store_snapshot(Store *store); /* to read several things at one time */
bool store_commit(Store *store);
void store_rollback(Store *store);
/* Calls `committed` after each store_commit, in its thread. One only; NULL:
 * nobody. Set while no other thread uses the store. */
void store_watch(Store *store, void (*committed)(void *context), void *context);

#endif
