/*
 * http.c: requests from libmicrohttpd to dispatch.c, and replies back.
 *
 * A request is made when its first line is read and freed when libmicrohttpd
 * says that it, or its connection, is over. libmicrohttpd calls `on_step` with
 * the head, then with each piece of the body, then once more at the end; an
 * answer may be given only at the first and the last of these. So a request
 * refused early is drained to its end, within a bound, and then answered:
 * answering while the client still sends would often cost it the answer.
 * What may take long is done by a worker while the connection is put aside.
 * Faults of the script strike here: before the handler, in its place, or in
 * what is made of its reply.
 */
#include "http.h"

#include "acceptor.h"
#include "connections.h"
#include "delivery.h"
#include "dispatch.h"
#include "journal.h"
#include "log.h"
#include "press.h"
#include "secret.h"
#include "strike.h"
#include "workers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
/* Signatures that are made at the same time; the others wait for their turn. */
#define WORKERS 4
/* A client that says nothing for so many seconds has gone. */
#define IDLE_SECONDS 30
/* Per connection, for the head and a piece of the body. */
#define CONNECTION_MEMORY (64 * 1024)
/* What is read past to deliver a refusal; beyond it the line is cut. */
#define MOST_DRAINED (64ll * 1024 * 1024)

/* What a request under way is given to finish when the service stops. */
#define STOP_SECONDS 10
/* ... of which reading PDFs and beginning signatures have their own part, so
 * that their requests can still be answered. */
#define STOP_PRESS_MILLISECONDS 2000

/* Of the connections there may be: for the levers, and for those that have
 * ended but are not yet taken off the server's own count. */
#define CONTROL_CONNECTIONS 16
#define SPARE_CONNECTIONS 16
#define SERVICE_CONNECTIONS (CONNECTIONS_MOST - CONTROL_CONNECTIONS)

/* One of the two ports. */
typedef struct Door {
  struct Http *http;
  struct MHD_Daemon *daemon;
  bool control_only;
} Door;

struct Http {
  const Service *service;
  Door main, control;
  Acceptor *acceptor;
  Pauses *pauses;
  Workers *workers;
  Connections connections;
  int open;    /* connections of the main door; atomic */
  int64_t met; /* connections so far; atomic */
};

/* A connection, as the journal tells it. */
typedef struct Line {
  int64_t number, turn;
  struct Exchange *begun; /* until it is over; may be NULL */
} Line;

typedef enum Stage {
  STAGE_HEAD,
  STAGE_BODY,
  STAGE_DRAIN,
  STAGE_DONE, /* a worker has carried it out */
  STAGE_LATE, /* all is decided, and its time has come */
  STAGE_GONE  /* the client has been waited for */
} Stage;

typedef struct Exchange {
  Request request;
  Reply reply;
  Stage stage;
  int64_t drained;
  uint64_t received;
  Http *http;
  WorkersJob job;
  Fault fault;
  int64_t entry; /* the journal's; 0: none, or complete */
  int status;    /* of the answer that was begun; 0: none */
  int64_t began; /* microseconds of the monotonic clock */
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

static int64_t microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void use(Http *http, struct MHD_Connection *connection,
                ConnectionUse use) {
  connections_use(&http->connections, delivery_socket(connection), use);
}

static Line *line_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

/* Called with the raw request target; what it returns is the request. */
static void *on_target(void *context, const char *target,
                       struct MHD_Connection *connection) {
  const Door *door = context;
  size_t size = strlen(target) + 1;
  use(door->http, connection, CONNECTION_READING);
  Exchange *exchange = calloc(1, sizeof *exchange + size);
  if (!exchange) return NULL;
  memcpy(exchange->target, target, size);
  exchange->http = door->http;
  exchange->began = microseconds();
  secret_random_hex(exchange->reply.id, REPLY_ID_SIZE - 1);
  exchange->request.target = exchange->target;
  exchange->request.service = door->http->service;
  exchange->request.connection = connection;
  exchange->request.control_only = door->control_only;
  Line *line = line_of(connection);
  if (line) line->begun = exchange;
  return exchange;
}

/* --- the journal, and the script of faults ------------------------------ */

/* The API is everything under /sign, and the operations wherever they are. */
static bool is_journalled(const Request *request) {
  const Route *route = request->match.route;
  if (request->control_only) return false;
  return (route && route->operation) ||
         strncmp(request->target, "/sign", 5) == 0;
}

/* Once the head has been looked at: writes it down, and asks the script. */
static void witness(Exchange *exchange) {
  const Request *request = &exchange->request;
  const Route *route = request->match.route;
  Line *line = line_of(request->connection);
  if (line) line->turn++;
  if (!is_journalled(request)) return;
  JournalHead head = {.method = request->method,
                      .target = request->target,
                      .operation = route ? route->operation : NULL,
                      .connection = line ? line->number : 0,
                      .turn = line ? line->turn : 0};
  exchange->entry = journal_begin(request->service->journal, &head);
  if (head.operation)
    faults_take(request->service->faults, head.operation, head.turn > 1,
                &exchange->fault);
}

/* Before the first byte of the answer: a test that has its answer finds it
 * in the journal. Status 0: there will be none. */
static void note(Exchange *exchange, int status) {
  if (!exchange->entry) return;
  journal_end(exchange->request.service->journal, exchange->entry, status,
              exchange->received, exchange->fault.name);
  exchange->entry = 0;
}

/* --- answering ---------------------------------------------------------- */

static void write_log(const Exchange *exchange, bool whole) {
  const Request *request = &exchange->request;
  const Route *route = request->match.route;
  LogLine line = {.id = exchange->reply.id,
                  .method = request->method,
                  .target = request->target,
                  .status = exchange->status,
                  .bytes = exchange->status ? exchange->reply.size : 0,
                  .microseconds = microseconds() - exchange->began,
                  .operation = route ? route->operation : NULL,
                  .fault = exchange->fault.name,
                  .done = exchange->status && whole};
  log_write(request->service->log, &line);
}

static void end_exchange(Exchange *exchange, bool whole) {
  note(exchange, 0);
  write_log(exchange, whole);
  blob_abandon(exchange->request.blob);
  query_clear(&exchange->request.query);
  free(exchange->request.body);
  reply_clear(&exchange->reply);
  free(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **state, enum MHD_RequestTerminationCode how) {
  const Door *door = context;
  Line *line = line_of(connection);
  use(door->http, connection, CONNECTION_IDLE);
  if (!*state) return;
  if (line) line->begun = NULL;
  end_exchange(*state, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
  *state = NULL;
}

static enum MHD_Result send_reply(Exchange *exchange) {
  Reply *reply = &exchange->reply;
  struct MHD_Connection *connection = exchange->request.connection;
  if (reply->status == 0) reply_empty(reply, 500); /* a handler forgot */
  struct MHD_Response *response =
      delivery_response(reply, connection, exchange->http->pauses);
  if (!response) return MHD_NO;
  if (connections_draining(&exchange->http->connections))
    MHD_add_response_header(response, "Connection", "close");
  note(exchange, reply->status);
  exchange->status = reply->status;
  enum MHD_Result sent =
      MHD_queue_response(connection, (unsigned int)reply->status, response);
  MHD_destroy_response(response);
  /* A stop waits for no answer that has no end. */
  if (reply->delivery == REPLY_ENDLESS || reply->delivery == REPLY_STALLED)
    use(exchange->http, connection, CONNECTION_IDLE);
  return sent;
}

static enum MHD_Result hang_up(Exchange *exchange) {
  note(exchange, 0);
  return MHD_NO;
}

/* Connecting a connected socket to nowhere ends it at once, with an RST. */
static void reset(Exchange *exchange) {
  struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
  connect(delivery_socket(exchange->request.connection), &nowhere,
          sizeof nowhere);
}

static enum MHD_Result pause_until(Exchange *exchange, Stage stage,
                                   int64_t milliseconds) {
  exchange->stage = stage;
  delivery_pause(exchange->request.connection, exchange->http->pauses,
                 milliseconds);
  return MHD_YES;
}

/* The reply is decided; what becomes of it? */
static enum MHD_Result conclude(Exchange *exchange) {
  const Reply *reply = &exchange->reply;
  switch (exchange->fault.kind) {
  case FAULT_RESET:
    note(exchange, 0); /* before the client knows */
    reset(exchange);
    return MHD_NO;
  case FAULT_CLOSE:
  case FAULT_LOST_ANSWER: return hang_up(exchange);
  case FAULT_SLOW:
    return pause_until(exchange, STAGE_LATE, exchange->fault.milliseconds);
  default: break;
  }
  /* An answer without a body that stops in its middle never begins. */
  if (reply->size == 0 && reply->delivery == REPLY_CUT)
    return hang_up(exchange);
  if (reply->size == 0 && reply->delivery == REPLY_STALLED)
    return pause_until(exchange, STAGE_GONE, PAUSES_UNTIL_GONE);
  return send_reply(exchange);
}

/* The reply is made; what does the script make of it? */
static enum MHD_Result answer(Exchange *exchange) {
  Fault *fault = &exchange->fault;
  if (strike_replaces(fault))
    strike_answer(fault, &exchange->reply);
  else
    strike_after(fault, &exchange->reply);
  return conclude(exchange);
}

/* In a worker's thread, which has all of it until the connection goes on. */
static void work(void *context) {
  Exchange *exchange = context;
  dispatch_end(&exchange->request, &exchange->reply);
  MHD_resume_connection(exchange->request.connection);
}

static enum MHD_Result hand_over(Exchange *exchange) {
  exchange->stage = STAGE_DONE;
  exchange->job = (WorkersJob){.work = work, .context = exchange};
  MHD_suspend_connection(exchange->request.connection);
  workers_give(exchange->http->workers, &exchange->job);
  return MHD_YES;
}

static enum MHD_Result at_end(Exchange *exchange) {
  Request *request = &exchange->request;
  use(exchange->http, request->connection, CONNECTION_ANSWERING);
  if (exchange->stage == STAGE_BODY) {
    strike_before(&exchange->fault, request);
    if (request->match.route->access == ROUTE_OPEN_LONG)
      return hand_over(exchange);
    dispatch_end(request, &exchange->reply);
  }
  return answer(exchange);
}

static enum MHD_Result at_head(Exchange *exchange) {
  const Request *request = &exchange->request;
  bool good = dispatch_head(&exchange->request, &exchange->reply);
  witness(exchange);
  bool replaced = strike_replaces(&exchange->fault);
  exchange->stage = good && !replaced ? STAGE_BODY : STAGE_DRAIN;
  if (good || replaced) return MHD_YES;
  /* A client that waits for "100 Continue" has sent nothing yet. */
  bool waits = request_header(request, "Expect") != NULL;
  if (waits || request_length(request) > MOST_DRAINED) return at_end(exchange);
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
  if (exchange->stage == STAGE_DONE) return answer(exchange);
  if (exchange->stage == STAGE_LATE) return send_reply(exchange);
  if (exchange->stage == STAGE_GONE) return hang_up(exchange);
  if (*size == 0) return at_end(exchange);
  use(exchange->http, connection, CONNECTION_READING);
  exchange->received += *size;
  if (exchange->stage == STAGE_BODY &&
      !dispatch_body(&exchange->request, &exchange->reply, bytes, *size))
    exchange->stage = STAGE_DRAIN;
  if (exchange->stage == STAGE_DRAIN && !strike_replaces(&exchange->fault)) {
    exchange->drained += (int64_t)*size;
    if (exchange->drained > MOST_DRAINED) return MHD_NO;
  }
  *size = 0;
  return MHD_YES;
}

/* --- connections -------------------------------------------------------- */

static void on_connection(void *context, struct MHD_Connection *connection,
                          void **state,
                          enum MHD_ConnectionNotificationCode what) {
  const Door *door = context;
  Http *http = door->http;
  int socket = delivery_socket(connection);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    Line *line = calloc(1, sizeof *line);
    if (line)
      line->number = __atomic_add_fetch(&http->met, 1, __ATOMIC_RELAXED);
    *state = line;
    connections_add(&http->connections, socket);
    return;
  }
  Line *line = *state;
  /* One whose parameters found no memory: libmicrohttpd did not end it. */
  if (line && line->begun) end_exchange(line->begun, false);
  free(line);
  *state = NULL;
  connections_remove(&http->connections, socket);
  if (!door->control_only) __atomic_sub_fetch(&http->open, 1, __ATOMIC_RELAXED);
}

static bool has_room(void *context) {
  Http *http = context;
  if (__atomic_load_n(&http->open, __ATOMIC_RELAXED) <
      SERVICE_CONNECTIONS - SPARE_CONNECTIONS)
    return true;
  connections_let_go(&http->connections);
  return false;
}

static void take(void *context, int socket, const struct sockaddr *address,
                 socklen_t size) {
  Http *http = context;
  __atomic_add_fetch(&http->open, 1, __ATOMIC_RELAXED);
  if (MHD_add_connection(http->main.daemon, socket, address, size) != MHD_YES)
    __atomic_sub_fetch(&http->open, 1, __ATOMIC_RELAXED);
}

/* A test may ask for the port to be shut; the other door lets it open it. */
static bool set_door(void *context, bool shut) {
  return acceptor_shut(context, shut);
}

/* Bound, not yet listening; -1 with errno. */
static int bind_port(unsigned short *port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(*port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int yes = 1;
  int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bound < 0) return -1;
  /* A fixed port is free again at once after a restart. */
  setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(bound, (struct sockaddr *)&address, size) == 0 &&
      getsockname(bound, (struct sockaddr *)&address, &size) == 0) {
    *port = ntohs(address.sin_port);
    return bound;
  }
  close(bound);
  return -1;
}

/* A port that the system has chosen is lost when the socket stops listening
 * for a while; one that was asked for by its number is not. So the number is
 * found out first, and held until it is bound again. */
int http_listen(unsigned short *port) {
  int finder = *port == 0 ? bind_port(port) : -1;
  if (*port == 0) return -1;
  int listener = bind_port(port);
  if (listener >= 0 && listen(listener, SOMAXCONN) != 0) {
    close(listener);
    listener = -1;
  }
  int reason = errno;
  if (finder >= 0) close(finder);
  errno = reason;
  return listener;
}

/* --- start and stop ----------------------------------------------------- */

/* `items` end the options; what they ask for comes with `flags`. */
static struct MHD_Daemon *start_daemon(Door *door, unsigned int flags,
                                       struct MHD_OptionItem *items) {
  flags |= MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC |
           MHD_ALLOW_SUSPEND_RESUME;
  return MHD_start_daemon(
      flags, 0, NULL, NULL, on_step, door, MHD_OPTION_URI_LOG_CALLBACK,
      on_target, door, MHD_OPTION_NOTIFY_COMPLETED, on_completed, door,
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, door,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

/* Each thread has a part of the limit, and libmicrohttpd 0.9.75 locks itself
 * out for good in one that is given more. It chooses among them by the
 * sockets' numbers, so one of them may get all; has_room bounds their sum. */
static bool start_main(Http *http, const HttpTls *tls) {
  struct MHD_OptionItem items[] = {
      {MHD_OPTION_THREAD_POOL_SIZE, THREADS, NULL},
      {MHD_OPTION_CONNECTION_LIMIT, THREADS * SERVICE_CONNECTIONS, NULL},
      {MHD_OPTION_END, 0, NULL},
      {MHD_OPTION_END, 0, NULL},
      {MHD_OPTION_END, 0, NULL}};
  unsigned int flags = MHD_USE_NO_LISTEN_SOCKET;
  if (tls) {
    flags |= MHD_USE_TLS;
    items[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key};
    items[3] =
        (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, tls->certificate};
  }
  http->main.http = http;
  http->main.daemon = start_daemon(&http->main, flags, items);
  return http->main.daemon != NULL;
}

/* Takes the socket. */
static bool start_control(Http *http, int listener) {
  struct MHD_OptionItem items[] = {
      {MHD_OPTION_LISTEN_SOCKET, listener, NULL},
      {MHD_OPTION_CONNECTION_LIMIT, CONTROL_CONNECTIONS, NULL},
      {MHD_OPTION_END, 0, NULL}};
  http->control.http = http;
  http->control.control_only = true;
  http->control.daemon = start_daemon(&http->control, 0, items);
  if (!http->control.daemon) close(listener);
  return http->control.daemon != NULL;
}

Http *http_start(const Service *service, int listener, int control,
                 const HttpTls *tls) {
  Http *http = calloc(1, sizeof *http);
  if (!http) {
    close(listener);
    close(control);
    return NULL;
  }
  http->service = service;
  connections_init(&http->connections);
  http->pauses = pauses_open(delivery_wake);
  http->workers = workers_start(WORKERS);
  AcceptorTaker taker = {.context = http, .has_room = has_room, .take = take};
  if (start_control(http, control) && http->pauses && http->workers &&
      start_main(http, tls)) {
    http->acceptor = acceptor_open(listener, &taker);
    listener = -1; /* the acceptor's, whether it runs or not */
  }
  if (listener >= 0) close(listener);
  if (!http->acceptor) {
    http_stop(http);
    return NULL;
  }
  faults_watch(service->faults, set_door, http->acceptor);
  return http;
}

/* No new connections, then nobody who waits, then answers to all that is
 * under way, then no connections at all, then the threads; libmicrohttpd
 * must have none that is put aside by then. */
void http_stop(Http *http) {
  int control = -1;
  if (!http) return;
  faults_watch(http->service->faults, NULL, NULL);
  acceptor_close(http->acceptor);
  if (http->control.daemon) control = MHD_quiesce_daemon(http->control.daemon);
  connections_drain(&http->connections);
  press_stop(http->service->press, STOP_PRESS_MILLISECONDS);
  if (http->pauses) pauses_end(http->pauses);
  connections_end(&http->connections, STOP_SECONDS);
  workers_end(http->workers);
  if (http->main.daemon) MHD_stop_daemon(http->main.daemon);
  if (http->control.daemon) MHD_stop_daemon(http->control.daemon);
  if (control >= 0) close(control);
  pauses_close(http->pauses);
  connections_free(&http->connections);
  free(http);
}
