/*
 * reply.c: filling and emptying an answer. Knows JSON, not HTTP.
 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

void reply_date(When when, char out[REPLY_DATE_SIZE]) {
  /* strftime's names depend on the locale; HTTP's do not. */
  static const char days[] = "SunMonTueWedThuFriSat";
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  time_t seconds = when / WHEN_SECOND;
  struct tm tm;
  gmtime_r(&seconds, &tm);
  snprintf(out, REPLY_DATE_SIZE, "%.3s, %02d %.3s %d %02d:%02d:%02d GMT",
           days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
           1900 + tm.tm_year, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void reply_clear(Reply *reply) {
  free(reply->body);
  free(reply->location);
  free(reply->cookie);
  free(reply->policy);
  if (reply->has_file) close(reply->file);
  Reply empty = {.status = 0};
  memcpy(empty.id, reply->id, sizeof empty.id);
  *reply = empty;
}
