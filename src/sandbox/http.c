/*
 * http.c: the only file that knows libmicrohttpd.
 *
 * A request is made when its first line is read and freed when libmicrohttpd
 * says it is over, however it ends. libmicrohttpd calls `on_step` with the
 * head, then with each piece of the body, then once more at the end; an
 * answer may be given only at the first and the last of these. So a request
 * refused early is drained to its end, within a bound, and then answered:
 * answering while the client still sends would often cost it the answer.
 */
#include "http.h"

#include "connections.h"
#include "dispatch.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 4
/* A client that says nothing for so many seconds has gone. */
#define IDLE_SECONDS 30
/* Per connection, for the head and a piece of the body. */
#define CONNECTION_MEMORY (64 * 1024)
/* What is read past to deliver a refusal; beyond it the line is cut. */
#define MOST_DRAINED (64ll * 1024 * 1024)

/* What a request under way is given to finish when the service stops. */
#define STOP_SECONDS 5

struct Http {
  const Service *service;
  struct MHD_Daemon *daemon;
  Connections connections;
};

typedef enum Stage { STAGE_HEAD, STAGE_BODY, STAGE_DRAIN } Stage;

typedef struct Exchange {
  Request request;
  Reply reply;
  Stage stage;
  int64_t drained;
  char target[]; /* the request's, copied */
} Exchange;

const char *request_header(const Request *request, const char *name) {
  return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                     name);
}

typedef struct Search {
  const char *name;
  bool (*test)(const char *value);
  bool good;
} Search;

static enum MHD_Result search_step(void *context, enum MHD_ValueKind kind,
                                   const char *name, const char *value) {
  Search *search = context;
  (void)kind;
  if (strcasecmp(name, search->name) == 0 && !search->test(value ? value : ""))
    search->good = false;
  return search->good ? MHD_YES : MHD_NO;
}

bool request_headers_all(const Request *request, const char *name,
                         bool (*test)(const char *value)) {
  Search search = {name, test, true};
  MHD_get_connection_values(request->connection, MHD_HEADER_KIND, search_step,
                            &search);
  return search.good;
}

int64_t request_length(const Request *request) {
  const char *text = request_header(request, "Content-Length");
  /* libmicrohttpd has refused what is not a number already. */
  return text ? (int64_t)strtoll(text, NULL, 10) : -1;
}

bool request_has_body(const Request *request) {
  return request_length(request) > 0 ||
         request_header(request, "Transfer-Encoding") != NULL;
}

/* Called with the raw request target; what it returns is the request. */
static void *on_target(void *context, const char *target,
                       struct MHD_Connection *connection) {
  Http *http = context;
  size_t size = strlen(target) + 1;
  Exchange *exchange = calloc(1, sizeof *exchange + size);
  if (!exchange) return NULL;
  memcpy(exchange->target, target, size);
  exchange->request.target = exchange->target;
  exchange->request.service = http->service;
  exchange->request.connection = connection;
  return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **state, enum MHD_RequestTerminationCode how) {
  Exchange *exchange = *state;
  (void)context, (void)connection, (void)how;
  if (!exchange) return;
  blob_abandon(exchange->request.blob);
  query_clear(&exchange->request.query);
  free(exchange->request.body);
  reply_clear(&exchange->reply);
  free(exchange);
  *state = NULL;
}

static void add(struct MHD_Response *response, const char *name,
                const char *value) {
  if (value && *value) MHD_add_response_header(response, name, value);
}

/* libmicrohttpd owns the body, or the descriptor, from here on. */
static struct MHD_Response *make_response(Reply *reply) {
  struct MHD_Response *response;
  if (reply->has_file)
    response = MHD_create_response_from_fd64(reply->size, reply->file);
  else
    response = MHD_create_response_from_buffer(reply->size, reply->body,
                                               MHD_RESPMEM_MUST_FREE);
  if (!response) return NULL;
  reply->has_file = false;
  reply->body = NULL;
  add(response, "Content-Type", reply->type);
  add(response, "Allow", reply->allow);
  add(response, "WWW-Authenticate", reply->challenge);
  add(response, "Cache-Control", reply->no_store ? "no-store" : NULL);
  return response;
}

static enum MHD_Result send_reply(Exchange *exchange) {
  Reply *reply = &exchange->reply;
  if (reply->status == 0) reply_empty(reply, 500); /* a handler forgot */
  struct MHD_Response *response = make_response(reply);
  if (!response) return MHD_NO;
  enum MHD_Result sent = MHD_queue_response(
      exchange->request.connection, (unsigned int)reply->status, response);
  MHD_destroy_response(response);
  return sent;
}

static enum MHD_Result at_head(Exchange *exchange) {
  const Request *request = &exchange->request;
  if (dispatch_head(&exchange->request, &exchange->reply)) {
    exchange->stage = STAGE_BODY;
    return MHD_YES;
  }
  exchange->stage = STAGE_DRAIN;
  /* A client that waits for "100 Continue" has sent nothing yet. */
  bool waits = request_header(request, "Expect") != NULL;
  if (waits || request_length(request) > MOST_DRAINED)
    return send_reply(exchange);
  return MHD_YES;
}

static enum MHD_Result on_step(void *context, struct MHD_Connection *connection,
                               const char *url, const char *method,
                               const char *version, const char *bytes,
                               size_t *size, void **state) {
  Exchange *exchange = *state;
  (void)context, (void)connection, (void)url, (void)version;
  if (!exchange) return MHD_NO; /* there was no memory for it */
  exchange->request.method = method;
  if (exchange->stage == STAGE_HEAD) return at_head(exchange);
  if (*size == 0) {
    if (exchange->stage == STAGE_BODY)
      dispatch_end(&exchange->request, &exchange->reply);
    return send_reply(exchange);
  }
  if (exchange->stage == STAGE_BODY &&
      !dispatch_body(&exchange->request, &exchange->reply, bytes, *size))
    exchange->stage = STAGE_DRAIN;
  if (exchange->stage == STAGE_DRAIN) {
    exchange->drained += (int64_t)*size;
    if (exchange->drained > MOST_DRAINED) return MHD_NO;
  }
  *size = 0;
  return MHD_YES;
}

static void on_connection(void *context, struct MHD_Connection *connection,
                          void **state,
                          enum MHD_ConnectionNotificationCode what) {
  Http *http = context;
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  (void)state;
  if (!info) return;
  if (what == MHD_CONNECTION_NOTIFY_STARTED)
    connections_add(&http->connections, info->connect_fd);
  else
    connections_remove(&http->connections, info->connect_fd);
}

int http_listen(unsigned short *port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(*port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int yes = 1;
  int kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  int listener = socket(AF_INET, kind, 0);
  if (listener < 0) return -1;
  /* A fixed port is free again at once after a restart. */
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, size) == 0 &&
      listen(listener, SOMAXCONN) == 0 &&
      getsockname(listener, (struct sockaddr *)&address, &size) == 0) {
    *port = ntohs(address.sin_port);
    return listener;
  }
  close(listener);
  return -1;
}

Http *http_start(const Service *service, int listener) {
  Http *http = calloc(1, sizeof *http);
  if (!http) {
    close(listener);
    return NULL;
  }
  http->service = service;
  connections_init(&http->connections);
  http->daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC, 0, NULL,
      NULL, on_step, http, MHD_OPTION_LISTEN_SOCKET, listener,
      MHD_OPTION_URI_LOG_CALLBACK, on_target, http, MHD_OPTION_NOTIFY_COMPLETED,
      on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
      MHD_OPTION_THREAD_POOL_SIZE, (unsigned int)THREADS,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MOST,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (http->daemon) return http;
  close(listener);
  connections_free(&http->connections);
  free(http);
  return NULL;
}

/* No new connections, then none at all, then the threads. */
void http_stop(Http *http) {
  if (!http) return;
  int listener = MHD_quiesce_daemon(http->daemon);
  connections_end(&http->connections, STOP_SECONDS);
  MHD_stop_daemon(http->daemon);
  if (listener >= 0) close(listener);
  connections_free(&http->connections);
  free(http);
}
