/*
 * delivery.c: headers and bodies as they are to go out.
 *
 * A whole body is given to libmicrohttpd as it is. Any other goes through a
 * reader that gives as much of it as is wanted and then ends the connection,
 * or waits until the client does, or never ends at all.
 */
#include "delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK (32 * 1024) /* what a reader is asked for at once */

typedef struct Reading {
  ReplyDelivery delivery;
  struct MHD_Connection *connection;
  Pauses *pauses;
  bool has_paused;
  char *body;
  int file; /* -1: in memory */
  uint64_t size, announced;
} Reading;

int delivery_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

void delivery_wake(void *connection) {
  MHD_resume_connection(connection);
}

void delivery_pause(struct MHD_Connection *connection, Pauses *pauses,
                    int64_t milliseconds) {
  MHD_suspend_connection(connection);
  if (!pauses_add(pauses, connection, delivery_socket(connection),
                  milliseconds))
    MHD_resume_connection(connection);
}

/* Up to `size` bytes of the body from `at`. */
static ssize_t read_some(const Reading *reading, uint64_t at, char *out,
                         uint64_t size) {
  if (reading->file < 0) {
    memcpy(out, reading->body + at, size);
  } else {
    ssize_t got = pread(reading->file, out, size, (off_t)at);
    if (got <= 0) return MHD_CONTENT_READER_END_WITH_ERROR;
    size = (uint64_t)got;
  }
  if (reading->delivery == REPLY_CHANGED && at == 0) out[0] ^= 1;
  return (ssize_t)size;
}

/* Ends the connection from a reader. libmicrohttpd 0.9.75 has a value for
 * that, but forgets a connection that it did not wait for when it came; one
 * whose next byte cannot be sent it ends in full. */
static ssize_t hang_up(const Reading *reading, char *out) {
  shutdown(delivery_socket(reading->connection), SHUT_RDWR);
  out[0] = ' ';
  return 1;
}

/* What comes when the part of the body that is to go out is out. */
static ssize_t after_the_end(Reading *reading, char *out, size_t most) {
  switch (reading->delivery) {
  case REPLY_ENDLESS: memset(out, ' ', most); return (ssize_t)most;
  case REPLY_STALLED:
    if (reading->has_paused) break; /* the client has gone, or we stop */
    reading->has_paused = true;
    delivery_pause(reading->connection, reading->pauses, PAUSES_UNTIL_GONE);
    return 0;
  default: break;
  }
  return hang_up(reading, out);
}

/* The last of the announced bytes is asked for, and there are more: those in
 * between go past libmicrohttpd, which would send no more than it announced,
 * and the last one of all it may send itself. Not over TLS, which would not
 * bear it: there the body just ends where it was said to. */
static ssize_t with_surplus(const Reading *reading, uint64_t at, char *out) {
  int socket = delivery_socket(reading->connection);
  char piece[4096];
  bool tls = MHD_get_connection_info(reading->connection,
                                     MHD_CONNECTION_INFO_PROTOCOL) != NULL;
  while (!tls && at < reading->size - 1) {
    uint64_t left = reading->size - 1 - at;
    ssize_t got = read_some(reading, at, piece,
                            left < sizeof piece ? left : sizeof piece);
    if (got < 0) return got;
    if (send(socket, piece, (size_t)got, MSG_NOSIGNAL) != got)
      return MHD_CONTENT_READER_END_WITH_ERROR;
    at += (uint64_t)got;
  }
  return read_some(reading, at, out, 1);
}

static ssize_t reader(void *context, uint64_t at, char *out, size_t most) {
  Reading *reading = context;
  uint64_t end = reading->size;
  if (reading->delivery == REPLY_CUT || reading->delivery == REPLY_STALLED)
    end /= 2;
  if (reading->announced < reading->size) {
    end = reading->announced - 1;
    if (at == end) return with_surplus(reading, at, out);
  }
  if (at >= end) return after_the_end(reading, out, most);
  return read_some(reading, at, out, end - at < most ? end - at : most);
}

static void reader_free(void *context) {
  Reading *reading = context;
  if (reading->file >= 0) close(reading->file);
  free(reading->body);
  free(reading);
}

/* At least one byte is announced, so that somebody asks for it. */
static uint64_t miscount(const Reply *reply) {
  int64_t announced = (int64_t)reply->size + reply->announced_by;
  return announced > 0 ? (uint64_t)announced : 1;
}

static struct MHD_Response *read_response(const Reply *reply,
                                          struct MHD_Connection *connection,
                                          Pauses *pauses) {
  Reading *reading = calloc(1, sizeof *reading);
  if (!reading) return NULL;
  reading->delivery = reply->delivery;
  reading->connection = connection;
  reading->pauses = pauses;
  reading->body = reply->body;
  reading->file = reply->has_file ? reply->file : -1;
  reading->size = reply->size;
  reading->announced = reply->size;
  if (reply->delivery == REPLY_ENDLESS) reading->announced = MHD_SIZE_UNKNOWN;
  if (reply->delivery == REPLY_MISCOUNTED) reading->announced = miscount(reply);
  struct MHD_Response *response = MHD_create_response_from_callback(
      reading->announced, BLOCK, reader, reading, reader_free);
  if (!response) free(reading);
  return response;
}

static struct MHD_Response *body_response(const Reply *reply,
                                          struct MHD_Connection *connection,
                                          Pauses *pauses) {
  if (reply->delivery != REPLY_WHOLE)
    return read_response(reply, connection, pauses);
  if (reply->has_file)
    return MHD_create_response_from_fd64(reply->size, reply->file);
  return MHD_create_response_from_buffer(reply->size, reply->body,
                                         MHD_RESPMEM_MUST_FREE);
}

static void add(struct MHD_Response *response, const char *name,
                const char *value) {
  if (value && *value) MHD_add_response_header(response, name, value);
}

struct MHD_Response *delivery_response(Reply *reply,
                                       struct MHD_Connection *connection,
                                       Pauses *pauses) {
  char date[REPLY_DATE_SIZE];
  struct MHD_Response *response = body_response(reply, connection, pauses);
  if (!response) return NULL;
  reply->has_file = false;
  reply->body = NULL;
  reply_date(reply->now ? reply->now : when_now(), date);
  add(response, "Date", date);
  add(response, "X-Request-Id", reply->id);
  add(response, "Content-Type", reply->type);
  add(response, "Allow", reply->allow);
  add(response, "WWW-Authenticate", reply->challenge);
  add(response, "Cache-Control", reply->no_store ? "no-store" : NULL);
  add(response, "Location", reply->location);
  add(response, "Set-Cookie", reply->cookie);
  if (reply->policy) {
    add(response, "Content-Security-Policy", reply->policy);
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Referrer-Policy", "no-referrer");
  }
  add(response, "Retry-After", reply->retry_after);
  return response;
}
