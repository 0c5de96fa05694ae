/*
 * request.h: one request, as its handler sees it.
 *
 * http.c makes it, dispatch.c fills it, a handler reads it. The body is
 * collected text or, for a file, a blob that the request owns until the
 * handler takes it.
 */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include "blob.h"
#include "query.h"
#include "reply.h"
#include "route.h"
#include "service.h"

#include <jansson.h>

typedef struct Request {
  const Service *service;
  void *connection;  /* http.c's */
  bool control_only; /* came by the door for tests alone */
  const char *method;
  const char *target; /* path and query as they came */
  RouteMatch match;
  Query query;
  char id[UUID_SIZE]; /* the id in the path, if the route has one */
  char *body;
  size_t body_size, body_room;
  Blob *blob;
} Request;

/* The header's value, or NULL; of several the first. */
const char *request_header(const Request *request, const char *name);
/* False as soon as one of the values fails the test. */
bool request_headers_all(const Request *request, const char *name,
                         bool (*test)(const char *value));
/* The length the client has told, or -1. */
int64_t request_length(const Request *request);
/* True when there is going to be a body, of whatever length. */
bool request_has_body(const Request *request);

/* The body as JSON, or NULL with the reply saying what is wrong. An empty
 * body of a route that allows it reads as {}. */
json_t *request_json(const Request *request, Reply *reply);

#endif
