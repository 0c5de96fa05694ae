/*
 * dispatch.c: who may call what with which body.
 *
 * The order is: the host the client meant, the route, whose page calls, the
 * token, the ids in the path, the query, then the body's type and size. A
 * request that is refused by its head is refused before a byte of its body is
 * kept.
 */
#include "dispatch.h"

#include "api.h"
#include "disk.h"
#include "guesses.h"
#include "token.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A hundred sessions with every field at its limit stay far below. jansson
 * itself bounds the depth (2048). */
#define MOST_JSON (1024 * 1024)

/* Where tests' levers are. */
#define CONTROL_PATH "/_sandbox/"

/* Only names of this machine: a page from the web that makes its own name
 * point at 127.0.0.1 still sends that name as the host. */
static bool is_local_host(const char *host) {
  static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t size = strlen(names[i]);
    if (strncasecmp(host, names[i], size) != 0) continue;
    const char *port = host + size;
    if (*port == '\0') return true;
    return *port == ':' && strspn(port + 1, "0123456789") == strlen(port + 1);
  }
  return false;
}

static bool check_host(const Request *request, Reply *reply) {
  if (request_header(request, "Host") &&
      request_headers_all(request, "Host", is_local_host))
    return true;
  problem_reply(reply, PROBLEM_MISDIRECTED,
                "The sandbox answers only as 127.0.0.1, localhost or [::1]; "
                "the Host header names another host.");
  return false;
}

static bool find_route(Request *request, Reply *reply) {
  size_t path = strcspn(request->target, "?");
  if (request->control_only &&
      strncmp(request->target, CONTROL_PATH, strlen(CONTROL_PATH)) != 0) {
    problem_reply(reply, PROBLEM_NOT_FOUND,
                  "Only " CONTROL_PATH " is to be found at this port.");
    return false;
  }
  switch (route_find(api_routes, api_route_count, request->method,
                     request->target, path, &request->match)) {
  case ROUTE_FOUND: break;
  case ROUTE_NO_METHOD:
    problem_reply(reply, PROBLEM_METHOD_NOT_ALLOWED, "This path takes %s only.",
                  request->match.allow);
    memcpy(reply->allow, request->match.allow, sizeof reply->allow);
    return false;
  case ROUTE_NO_PATH:
    problem_reply(reply, PROBLEM_NOT_FOUND, "There is no such path.");
    return false;
  case ROUTE_MALFORMED:
    problem_reply(reply, PROBLEM_BAD_REQUEST,
                  "The path is not valid percent-encoded UTF-8.");
    return false;
  }
  return true;
}

static bool is_local_origin(const char *origin) {
  const char *host = strstr(origin, "://");
  return host && is_local_host(host + strlen("://"));
}

/* A page from the web may have its browser post to a lever: without a body,
 * and deaf to the answer, but that is enough for some of them. */
static bool check_origin(const Request *request, Reply *reply) {
  const char *pattern = request->match.route->pattern;
  if (strncmp(pattern, CONTROL_PATH, strlen(CONTROL_PATH)) != 0 ||
      request_headers_all(request, "Origin", is_local_origin))
    return true;
  problem_reply(
      reply, PROBLEM_MISDIRECTED,
      "Only pages of this machine may call what is below " CONTROL_PATH
      "; the Origin header names another host.");
  return false;
}

static bool check_token(const Request *request, Reply *reply) {
  bool failed = false;
  if (request->match.route->access != ROUTE_TOKEN) return true;
  if (token_accepts(request->service, request_header(request, "Authorization"),
                    &failed))
    return true;
  if (failed)
    problem_internal(reply);
  else
    problem_reply(reply, PROBLEM_INVALID_TOKEN,
                  "The request has no access token, or one that is unknown "
                  "or has expired.");
  return false;
}

/* Every variable part of our paths is an id, and no path has two. */
static bool check_id(Request *request, Reply *reply) {
  const RouteMatch *match = &request->match;
  char name[64] = "";
  if (match->count == 0 || uuid_read(match->values[0], request->id))
    return true;
  memcpy(name, match->names[0], match->name_sizes[0]);
  json_t *findings = json_array();
  problem_find(findings, name, "must be a UUID");
  problem_findings(reply, PROBLEM_INVALID_PARAMETER, findings);
  return false;
}

static bool check_query(Request *request, Reply *reply) {
  const char *mark = strchr(request->target, '?');
  if (!mark || query_read(&request->query, mark + 1, strlen(mark + 1)))
    return true;
  problem_reply(reply, PROBLEM_BAD_REQUEST,
                "The query is not valid percent-encoded UTF-8, or has more "
                "than %d values.",
                QUERY_PAIRS);
  return false;
}

/* Compares the part before any parameters, letter case aside. */
static bool is_media(const char *value, const char *wanted) {
  size_t size = strlen(wanted);
  if (!value || strncasecmp(value, wanted, size) != 0) return false;
  value += size;
  while (*value == ' ' || *value == '\t')
    value++;
  if (*value == '\0') return true;
  return GUESS_MEDIA_PARAMETERS_ACCEPTED && *value == ';';
}

static bool is_document(const char *value) {
  /* It is answered in JSON and in a header: one plain line. */
  for (const char *at = value; at && *at; at++)
    if ((unsigned char)*at < ' ' || (unsigned char)*at > '~') return false;
  return value && strlen(value) < REPLY_TYPE_SIZE &&
         (is_media(value, "application/pdf") || is_media(value, "text/plain") ||
          is_media(value, "text/markdown"));
}

static bool check_type(const Request *request, Reply *reply) {
  const char *type = request_header(request, "Content-Type");
  const char *wanted = NULL;
  bool good = true;
  switch (request->match.route->body) {
  case ROUTE_NO_BODY: return true;
  case ROUTE_MAY_JSON:
    if (!request_has_body(request)) return true;
    /* fall through */
  case ROUTE_JSON:
    wanted = "application/json";
    good = is_media(type, wanted);
    break;
  case ROUTE_FORM:
    wanted = "application/x-www-form-urlencoded";
    good = is_media(type, wanted);
    break;
  case ROUTE_FILE:
    wanted = "application/pdf, text/plain or text/markdown";
    good = is_document(type);
    break;
  }
  if (!good)
    problem_reply(reply, PROBLEM_MEDIA_TYPE, "The Content-Type must be %s.",
                  wanted);
  return good;
}

static uint64_t most_bytes(const Request *request) {
  if (request->match.route->body == ROUTE_FILE)
    return request->service->max_upload;
  return MOST_JSON;
}

static bool check_size(const Request *request, Reply *reply, uint64_t size) {
  uint64_t most = most_bytes(request);
  if (size <= most) return true;
  problem_reply(reply, PROBLEM_TOO_LARGE,
                "The body may have at most %llu bytes.",
                (unsigned long long)most);
  return false;
}

bool dispatch_head(Request *request, Reply *reply) {
  int64_t length = request_length(request);
  disk_forget();
  if (!check_host(request, reply) || !find_route(request, reply) ||
      !check_origin(request, reply) || !check_token(request, reply) ||
      !check_id(request, reply) || !check_query(request, reply) ||
      !check_type(request, reply))
    return false;
  if (request->match.route->body == ROUTE_NO_BODY) return true;
  if (length > 0 && !check_size(request, reply, (uint64_t)length)) return false;
  if (request->match.route->body != ROUTE_FILE) return true;
  request->blob = blob_begin(request->service->documents);
  if (!request->blob) problem_internal(reply);
  return request->blob != NULL;
}

/* Grows by doubling: at most twenty times up to MOST_JSON. */
static bool collect(Request *request, const void *bytes, size_t size) {
  size_t wanted = request->body_size + size + 1;
  if (wanted > request->body_room) {
    size_t room = request->body_room ? request->body_room : 1024;
    while (room < wanted)
      room *= 2;
    char *grown = realloc(request->body, room);
    if (!grown) return false;
    request->body = grown;
    request->body_room = room;
  }
  memcpy(request->body + request->body_size, bytes, size);
  request->body_size += size;
  request->body[request->body_size] = '\0';
  return true;
}

bool dispatch_body(Request *request, Reply *reply, const void *bytes,
                   size_t size) {
  if (request->match.route->body == ROUTE_NO_BODY) return true;
  uint64_t have = request->blob ? blob_size(request->blob) : request->body_size;
  if (!check_size(request, reply, have + size)) return false;
  bool kept = request->blob ? blob_write(request->blob, bytes, size)
                            : collect(request, bytes, size);
  if (!kept) problem_internal(reply);
  return kept;
}

void dispatch_end(Request *request, Reply *reply) {
  disk_forget(); /* it may be another thread than before */
  request->match.route->handle(request, reply);
}

json_t *request_json(const Request *request, Reply *reply) {
  json_error_t error;
  bool may_be_absent = request->match.route->body == ROUTE_MAY_JSON;
  if (request->body_size == 0 && may_be_absent) return json_object();
  /* jansson passes over one behind a number. */
  if (request->body && memchr(request->body, '\0', request->body_size)) {
    problem_reply(reply, PROBLEM_BAD_REQUEST,
                  "The body has a NUL byte and is not JSON.");
    return NULL;
  }
  json_t *value = json_loadb(request->body ? request->body : "",
                             request->body_size, GUESS_JSON_FLAGS, &error);
  /* jansson's text may quote the input, cut anywhere: tell only where. */
  if (!value)
    problem_reply(reply, PROBLEM_BAD_REQUEST,
                  "The body is not JSON the sandbox accepts (line %d, "
                  "column %d).",
                  error.line, error.column);
  return value;
}
