/*
 * store.c: the only file that knows SQLite.
 *
 * WAL with full sync: a commit that was answered survives anything. Each
 * thread opens its connection at its first verb and closes it when it ends
 * (a pthread key's destructor). Failures are told on stderr with SQLite's
 * words, which never hold a value; callers only see that it failed.
 */
#include "store.h"

#include "disk.h"
#include "store_schema.h"
#include "store_version.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MILLISECONDS 5000

struct Store {
  pthread_key_t connection;
  void (*committed)(void *context);
  void *context;
  char path[4096];
};

/* A COMMIT that fails tells its reason only to the file it wrote to. */
static int reason_in_log(sqlite3 *db) {
  sqlite3_file *log = NULL;
  int reason = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log && log->pMethods)
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &reason);
  return reason;
}

/* The system's reason, for those failures that have one. */
static int reason_of(sqlite3 *db) {
  int reason;
  switch (sqlite3_errcode(db) & 0xff) {
  case SQLITE_FULL: return ENOSPC;
  case SQLITE_IOERR:
    reason = reason_in_log(db);
    return reason ? reason : sqlite3_system_errno(db);
  case SQLITE_CANTOPEN: return sqlite3_system_errno(db);
  default: return 0;
  }
}

static void complain(sqlite3 *db) {
  if (db) disk_note(reason_of(db));
  fprintf(stderr, "signicat-sandbox: store: %s\n",
          db ? sqlite3_errmsg(db) : "no memory");
}

static void close_connection(void *db) {
  sqlite3_close_v2(db);
}

static bool settings(sqlite3 *db) {
  return sqlite3_busy_timeout(db, BUSY_MILLISECONDS) == SQLITE_OK &&
         sqlite3_exec(db,
                      "PRAGMA journal_mode = WAL;"
                      "PRAGMA synchronous = FULL;"
                      "PRAGMA foreign_keys = ON;",
                      NULL, NULL, NULL) == SQLITE_OK;
}

/* Opened while the disk could not be written, and of no use once it can. */
static bool is_stale(sqlite3 *db) {
  return sqlite3_db_readonly(db, "main") == 1 && !sqlite3_next_stmt(db, NULL) &&
         sqlite3_get_autocommit(db);
}

/* This thread's connection, or NULL. */
static sqlite3 *connection(Store *store) {
  sqlite3 *db = pthread_getspecific(store->connection);
  if (db && !is_stale(db)) return db;
  close_connection(db);
  pthread_setspecific(store->connection, NULL);
  db = NULL;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(store->path, &db, flags, NULL) != SQLITE_OK ||
      !settings(db) || pthread_setspecific(store->connection, db) != 0) {
    complain(db);
    sqlite3_close_v2(db);
    return NULL;
  }
  return db;
}

static void bind(Rows *rows, const char *kinds, va_list values) {
  for (int i = 1; *kinds; kinds++, i++) {
    if (*kinds == 's') {
      const char *text = va_arg(values, const char *);
      sqlite3_bind_text(rows, i, text, -1, SQLITE_TRANSIENT);
    } else {
      int64_t number = va_arg(values, int64_t);
      if (*kinds == 'w' && number == WHEN_NONE)
        sqlite3_bind_null(rows, i);
      else
        sqlite3_bind_int64(rows, i, number);
    }
  }
}

static Rows *prepare(Store *store, const char *sql, const char *kinds,
                     va_list values) {
  sqlite3 *db = connection(store);
  Rows *rows = NULL;
  if (!db) return NULL;
  if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) != SQLITE_OK)
    complain(db);
  else
    bind(rows, kinds, values);
  return rows;
}

Rows *store_query(Store *store, const char *sql, const char *kinds, ...) {
  va_list values;
  va_start(values, kinds);
  Rows *rows = prepare(store, sql, kinds, values);
  va_end(values);
  return rows;
}

int store_next(Rows *rows) {
  if (!rows) return STORE_FAILED;
  switch (sqlite3_step(rows)) {
  case SQLITE_ROW: return 1;
  case SQLITE_DONE: return 0;
  default: complain(sqlite3_db_handle(rows)); return STORE_FAILED;
  }
}

const char *store_text(Rows *rows, int column) {
  return (const char *)sqlite3_column_text(rows, column);
}

int64_t store_number(Rows *rows, int column) {
  return sqlite3_column_int64(rows, column);
}

When store_when(Rows *rows, int column) {
  if (sqlite3_column_type(rows, column) == SQLITE_NULL) return WHEN_NONE;
  return sqlite3_column_int64(rows, column);
}

void store_done(Rows *rows) {
  sqlite3_finalize(rows);
}

int store_run(Store *store, const char *sql, const char *kinds, ...) {
  va_list values;
  va_start(values, kinds);
  Rows *rows = prepare(store, sql, kinds, values);
  va_end(values);
  if (!rows) return STORE_FAILED;
  sqlite3 *db = sqlite3_db_handle(rows);
  int answer;
  if (sqlite3_step(rows) == SQLITE_DONE)
    answer = sqlite3_changes(db);
  else if (sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_FOREIGNKEY)
    answer = STORE_IN_USE;
  else {
    complain(db);
    answer = STORE_FAILED;
  }
  sqlite3_finalize(rows);
  return answer;
}

bool store_has(Store *store, const char *sql, const char *id, bool *failed) {
  Rows *rows = store_query(store, sql, "s", id);
  int found = store_next(rows);
  store_done(rows);
  if (found < 0) *failed = true;
  return found > 0;
}

bool store_begin(Store *store) {
  return store_run(store, "BEGIN IMMEDIATE", "") >= 0;
}

bool store_snapshot(Store *store) {
  return store_run(store, "BEGIN", "") >= 0;
}

bool store_commit(Store *store) {
  if (store_run(store, "COMMIT", "") >= 0) {
    if (store->committed) store->committed(store->context);
    return true;
  }
  store_rollback(store);
  return false;
}

void store_watch(Store *store, void (*committed)(void *context),
                 void *context) {
  store->committed = committed;
  store->context = context;
}

void store_rollback(Store *store) {
  sqlite3 *db = connection(store);
  /* Some failures have rolled back already; a second time is an error. */
  if (db && !sqlite3_get_autocommit(db)) store_run(store, "ROLLBACK", "");
}

/* Makes the tables in a new file. store_version.h has told others apart, as
 * far as that can be without opening them. */
static bool migrate(Store *store, char *why, size_t size) {
  sqlite3 *db = connection(store);
  Rows *rows = db ? store_query(store, "PRAGMA user_version", "") : NULL;
  bool read = store_next(rows) == 1;
  int64_t version = read ? store_number(rows, 0) : 0;
  store_done(rows);
  if (version == STORE_SCHEMA_VERSION) return true;
  if (version != 0) {
    store_version_refuse(store->path, version, why, size);
    return false;
  }
  char *sql = sqlite3_mprintf("BEGIN;%s;PRAGMA user_version=%d;COMMIT",
                              store_schema, STORE_SCHEMA_VERSION);
  bool made =
      read && sql && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_free(sql);
  if (!made)
    snprintf(why, size,
             "%s cannot be used (%s); choose another folder with --data",
             store->path, db ? sqlite3_errmsg(db) : "it does not open");
  return made;
}

Store *store_open(const char *folder, char *why, size_t size) {
  Store *store = calloc(1, sizeof *store);
  if (!store || pthread_key_create(&store->connection, close_connection)) {
    snprintf(why, size, "there is no memory for the store");
    free(store);
    return NULL;
  }
  int length =
      snprintf(store->path, sizeof store->path, "%s/" STORE_FILE, folder);
  if (length >= (int)sizeof store->path)
    snprintf(why, size, "the folder's name is too long");
  else if (migrate(store, why, size))
    return store;
  store_close(store);
  return NULL;
}

void store_close(Store *store) {
  if (!store) return;
  /* Key destructors do not run for the main thread. */
  close_connection(pthread_getspecific(store->connection));
  pthread_key_delete(store->connection);
  free(store);
}
