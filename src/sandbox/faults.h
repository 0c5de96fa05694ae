/*
 * faults.h: the script of what goes wrong, request by request.
 *
 * A rule names an operation, how often it strikes and how many requests it
 * lets pass first. A request counts for each rule, from the first one on, up
 * to the one that strikes it. What a fault then does is for strike.c (the
 * answer) and http.c (the connection). Threads may call everything here at
 * the same time.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum FaultKind {
  FAULT_NONE,
  FAULT_REFUSE,         /* the port takes no connections */
  FAULT_RESET,          /* RST after the request was read */
  FAULT_CLOSE,          /* FIN after the request was read */
  FAULT_LOST_ANSWER,    /* carried out, then FIN */
  FAULT_STATUS,         /* another status instead of the operation */
  FAULT_HTML,           /* 200 with a gateway's page */
  FAULT_NOT_JSON,       /* 200 with JSON that breaks off */
  FAULT_REDIRECT,       /* 3xx with a Location */
  FAULT_SLOW,           /* late first byte */
  FAULT_STALL,          /* half of the body, then nothing */
  FAULT_CUT,            /* half of the body, then FIN */
  FAULT_FLOOD,          /* a body without end */
  FAULT_WRONG_LENGTH,   /* Content-Length and body differ */
  FAULT_EMPTY_PAGE,     /* of the list */
  FAULT_SHORT_PAGE,     /* half of the page is left out */
  FAULT_DUPLICATE_PAGE, /* the page before this one once more */
  FAULT_WRONG_HASH      /* a document's hash, or its bytes, changed */
} FaultKind;

typedef enum FaultBody {
  FAULT_PROBLEM,
  FAULT_GATEWAY,
  FAULT_EMPTY,
  FAULT_OBJECT,
  FAULT_NONSENSE
} FaultBody;

#define FAULT_NO_RETRY (-1)
#define FAULT_LOCATION_SIZE 512

/* One fault on its way to one request. */
typedef struct Fault {
  FaultKind kind;
  const char *name;
  int status;
  FaultBody body;
  int64_t retry_after; /* seconds, or FAULT_NO_RETRY */
  bool retry_is_date;
  int64_t milliseconds, by;
  char location[FAULT_LOCATION_SIZE];
  char offset[24]; /* strike.c's, while the request lasts */
} Fault;

typedef struct Faults Faults;

Faults *faults_open(void);
void faults_close(Faults *faults);

/* Who is told, under the lock, when the port is to be shut or opened; NULL
 * for nobody. */
typedef bool FaultsDoor(void *context, bool shut);
void faults_watch(Faults *faults, FaultsDoor *door, void *context);

/* What is wrong with a script, for problem_none. */
json_t *faults_check(json_t *script);
/* Adds a script that was checked; false when there is no room for it. */
bool faults_add(Faults *faults, json_t *script);
/* The rules with what is left of them. */
json_t *faults_show(Faults *faults);
bool faults_clear(Faults *faults);

/* The fault for this request, taken off the script; false: none. `reused`:
 * the connection has carried a request before. */
bool faults_take(Faults *faults, const char *operation, bool reused,
                 Fault *fault);

#endif
