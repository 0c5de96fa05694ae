/*
 * reply.h: an answer on its way out: status, headers, and JSON or a file.
 *
 * A zeroed Reply is valid and empty. Whoever fills it hands over what it
 * holds; http.c sends it and frees it with reply_clear.
 */
#ifndef SANDBOX_REPLY_H
#define SANDBOX_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_TYPE_SIZE 256
#define REPLY_JSON "application/json"
#define REPLY_PROBLEM "application/problem+json"

typedef struct Reply {
  int status; /* 0: not decided yet */
  char type[REPLY_TYPE_SIZE];
  char *body;
  size_t size;
  bool has_file;
  int file; /* when has_file: the body is this file, `size` bytes of it */
  const char *challenge; /* WWW-Authenticate; a constant */
  char allow[64];        /* Allow, with a 405 */
  bool no_store;         /* Cache-Control: no-store */
} Reply;

/* Takes the reference; NULL, or no memory, becomes an empty 500. */
void reply_json(Reply *reply, int status, const char *type, json_t *taken);
void reply_text(Reply *reply, int status, const char *type, const char *text);
void reply_empty(Reply *reply, int status);
/* Takes the descriptor. */
void reply_file(Reply *reply, const char *type, int file, size_t size);
void reply_clear(Reply *reply);

#endif
