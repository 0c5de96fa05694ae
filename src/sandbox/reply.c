/*
 * reply.c: filling and emptying an answer. Knows JSON, not HTTP.
 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void start(Reply *reply, int status, const char *type) {
  reply_clear(reply);
  reply->status = status;
  snprintf(reply->type, sizeof reply->type, "%s", type);
}

void reply_json(Reply *reply, int status, const char *type, json_t *taken) {
  char *text = taken ? json_dumps(taken, JSON_COMPACT) : NULL;
  json_decref(taken);
  start(reply, text ? status : 500, type);
  reply->body = text;
  reply->size = text ? strlen(text) : 0;
}

void reply_text(Reply *reply, int status, const char *type, const char *text) {
  start(reply, status, type);
  reply->body = strdup(text);
  reply->size = reply->body ? strlen(reply->body) : 0;
}

void reply_empty(Reply *reply, int status) {
  start(reply, status, "");
}

void reply_file(Reply *reply, const char *type, int file, size_t size) {
  start(reply, 200, type);
  reply->has_file = true;
  reply->file = file;
  reply->size = size;
}

void reply_clear(Reply *reply) {
  free(reply->body);
  if (reply->has_file) close(reply->file);
  memset(reply, 0, sizeof *reply);
}
