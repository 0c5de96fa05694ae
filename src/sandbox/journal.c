/*
 * journal.c: a ring of entries under a lock. Knows no HTTP.
 *
 * Entry n lies at n modulo the ring's size, so an answer finds its entry
 * without a search, and one that was dropped meanwhile is not found.
 */
#include "journal.h"

#include "when.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Longer ones are cut: the journal is for telling requests apart. */
#define MOST_TEXT 1024

typedef struct Entry {
  int64_t number; /* 0: none here */
  char method[16];
  char *path, *query; /* query NULL: there was none, or it is secret */
  const char *operation, *fault;
  int status;
  uint64_t body_size;
  int64_t connection, turn;
  When at;
} Entry;

struct Journal {
  pthread_mutex_t lock;
  int64_t last, dropped;
  Entry ring[JOURNAL_MOST];
};

static void empty(Entry *entry) {
  free(entry->path);
  free(entry->query);
  memset(entry, 0, sizeof *entry);
}

Journal *journal_open(void) {
  Journal *journal = calloc(1, sizeof *journal);
  if (journal) pthread_mutex_init(&journal->lock, NULL);
  return journal;
}

void journal_close(Journal *journal) {
  if (!journal) return;
  for (size_t i = 0; i < JOURNAL_MOST; i++)
    empty(&journal->ring[i]);
  pthread_mutex_destroy(&journal->lock);
  free(journal);
}

/* Bytes that JSON or a terminal would choke on become question marks. */
static char *printable(const char *text, size_t size) {
  char *copy = strndup(text, size < MOST_TEXT ? size : MOST_TEXT);
  for (char *at = copy; at && *at; at++)
    if (*at < ' ' || *at > '~') *at = '?';
  return copy;
}

/* The signer's page is opened by an id that is a credential: a target that
 * is no operation of the API keeps its query to itself. */
static void fill(Entry *entry, const JournalHead *head) {
  size_t path = strcspn(head->target, "?");
  char *method = printable(head->method, sizeof entry->method - 1);
  if (method) memcpy(entry->method, method, strlen(method) + 1);
  free(method);
  entry->path = printable(head->target, path);
  if (head->target[path] && head->operation)
    entry->query = printable(head->target + path + 1, MOST_TEXT);
  entry->operation = head->operation;
  entry->connection = head->connection;
  entry->turn = head->turn;
  entry->at = when_now();
}

int64_t journal_begin(Journal *journal, const JournalHead *head) {
  pthread_mutex_lock(&journal->lock);
  int64_t number = ++journal->last;
  Entry *entry = &journal->ring[number % JOURNAL_MOST];
  if (entry->number) journal->dropped++;
  empty(entry);
  fill(entry, head);
  entry->number = number;
  pthread_mutex_unlock(&journal->lock);
  return number;
}

void journal_end(Journal *journal, int64_t number, int status,
                 uint64_t body_size, const char *fault) {
  pthread_mutex_lock(&journal->lock);
  Entry *entry = &journal->ring[number % JOURNAL_MOST];
  if (entry->number == number) {
    entry->status = status;
    entry->body_size = body_size;
    entry->fault = fault;
  }
  pthread_mutex_unlock(&journal->lock);
}

static json_t *show(const Entry *entry) {
  char at[WHEN_SIZE];
  when_format(entry->at, at);
  json_t *shown = json_pack(
      "{s:I, s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:s}", "number",
      (json_int_t)entry->number, "method", entry->method, "path", entry->path,
      "query", entry->query, "operation", entry->operation, "fault",
      entry->fault, "bodySize", (json_int_t)entry->body_size, "connection",
      (json_int_t)entry->connection, "turn", (json_int_t)entry->turn, "at", at);
  json_object_set_new(shown, "status",
                      entry->status ? json_integer(entry->status)
                                    : json_null());
  return shown;
}

json_t *journal_show(Journal *journal, const char *operation, int64_t after) {
  json_t *requests = json_array();
  pthread_mutex_lock(&journal->lock);
  int64_t number = journal->last - JOURNAL_MOST + 1;
  if (number < 1) number = 1;
  if (number <= after) number = after < journal->last ? after + 1 : INT64_MAX;
  for (; number <= journal->last; number++) {
    const Entry *entry = &journal->ring[number % JOURNAL_MOST];
    if (!entry->number) continue; /* cleared */
    if (operation &&
        (!entry->operation || strcmp(entry->operation, operation) != 0))
      continue;
    json_array_append_new(requests, show(entry));
  }
  json_t *shown = json_pack("{s:I, s:o}", "dropped",
                            (json_int_t)journal->dropped, "requests", requests);
  pthread_mutex_unlock(&journal->lock);
  return shown;
}

void journal_clear(Journal *journal) {
  pthread_mutex_lock(&journal->lock);
  for (size_t i = 0; i < JOURNAL_MOST; i++)
    empty(&journal->ring[i]);
  journal->dropped = 0;
  pthread_mutex_unlock(&journal->lock);
}
