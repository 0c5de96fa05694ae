/*
 * reply.h: an answer on its way out: status, headers, and JSON or a file.
 *
 * A zeroed Reply is valid and empty. Whoever fills it hands over what it
 * holds; http.c sends it and frees it with reply_clear.
 */
#ifndef SANDBOX_REPLY_H
#define SANDBOX_REPLY_H

#include "when.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_TYPE_SIZE 256
#define REPLY_ID_SIZE 33 /* 32 hexadecimal digits and the end */
#define REPLY_DATE_SIZE 40
#define REPLY_JSON "application/json"
#define REPLY_PROBLEM "application/problem+json"

/* How the body goes out; all but the first are faults that a test asked for. */
typedef enum ReplyDelivery {
  REPLY_WHOLE,
  REPLY_CUT,       /* half of it, then the connection ends */
  REPLY_STALLED,   /* half of it, then nothing while the client waits */
  REPLY_ENDLESS,   /* all of it, then blanks for ever */
  REPLY_CHANGED,   /* with another first byte */
  REPLY_MISCOUNTED /* announced as longer or shorter than it is */
} ReplyDelivery;

typedef struct Reply {
  char id[REPLY_ID_SIZE]; /* the request's; stays when the rest is cleared */
  int status;             /* 0: not decided yet */
  char type[REPLY_TYPE_SIZE];
  char *body;
  size_t size;
  bool has_file;
  int file; /* when has_file: the body is this file, `size` bytes of it */
  const char *challenge;   /* WWW-Authenticate; a constant */
  char allow[64];          /* Allow, with a 405 */
  bool no_store;           /* Cache-Control: no-store */
  char *location, *cookie; /* Location and Set-Cookie, or NULL; its own */
  char *policy; /* Content-Security-Policy; what has one is for a browser */
  char retry_after[REPLY_DATE_SIZE];
  When now; /* for the Date header; 0: when it is sent */
  ReplyDelivery delivery;
  int64_t announced_by; /* when miscounted: added to its size */
} Reply;

/* Takes the reference; NULL, or no memory, becomes an empty 500. */
void reply_json(Reply *reply, int status, const char *type, json_t *taken);
void reply_text(Reply *reply, int status, const char *type, const char *text);
void reply_empty(Reply *reply, int status);
/* Takes the descriptor. */
void reply_file(Reply *reply, const char *type, int file, size_t size);
void reply_clear(Reply *reply);

/* A time as HTTP's headers have it. */
void reply_date(When when, char out[REPLY_DATE_SIZE]);

#endif
