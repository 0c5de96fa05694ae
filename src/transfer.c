/*
 * transfer.c: has an easy handle carry a request, collects the answer and
 * says what a failure was; see transfer.h.
 *
 * A request that creates something leaves through the read callback, never
 * through POSTFIELDS, and the seek callback refuses once the last byte was
 * handed over: libcurl would otherwise repeat it on its own when a reused
 * connection ends without an answer.
 */
#include "transfer.h"

#include "error.h"
#include "fill.h"
#include "multi.h"
#include "object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER_BYTES (256 * 1024)
#define MAX_REFUSAL_BYTES (64 * 1024) /* of its body; the rest is dropped */

/* The slots. */
enum { ANCHOR_MULTI = 1, ANCHOR_REQUEST };

/* ---- curl's callbacks: no Lua from here -------------------------------- */

static void begin_answer(Transfer *transfer) {
  sc_buffer_clear(&transfer->bytes);
  transfer->header_size = 0;
  transfer->status_read = transfer->headers_read = 0;
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200". */
static int parse_status(const char *line, size_t size) {
  const char *space = memchr(line, ' ', size);
  int status = 0, i;
  if (!space || line + size - space < 4) return 0;
  for (i = 1; i <= 3; i++) {
    if (space[i] < '0' || space[i] > '9') return 0;
    status = status * 10 + (space[i] - '0');
  }
  return status;
}

/* A status line begins an answer: an interim one (1xx) is followed by the
 * next. Lines behind the body are trailers, which the API does not use. */
static size_t on_header(char *line, size_t one, size_t size, void *context) {
  Transfer *transfer = context;
  (void)one;
  if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
    begin_answer(transfer);
    transfer->status = parse_status(line, size);
    transfer->status_read = transfer->status >= 200;
    return size;
  }
  if (transfer->headers_read) return size;
  if (size <= 2 && (*line == '\r' || *line == '\n')) {
    transfer->header_size = transfer->bytes.size;
    transfer->headers_read = 1;
    return size;
  }
  if (transfer->bytes.size + size > MAX_HEADER_BYTES) {
    transfer->too_large = 1;
    return 0;
  }
  if (sc_buffer_append(&transfer->bytes, line, size) != 0) {
    transfer->no_memory = 1;
    return 0;
  }
  return size;
}

static int is_success(const Transfer *transfer) {
  return transfer->status >= 200 && transfer->status <= 299;
}

static int append(Transfer *transfer, const char *bytes, size_t size) {
  if (sc_buffer_append(&transfer->bytes, bytes, size) == 0) return 0;
  transfer->no_memory = 1;
  return -1;
}

/* The announced size, when it is within the cap, is asked for at once. */
static int keep_success(Transfer *transfer, const char *bytes, size_t size) {
  size_t kept = transfer->bytes.size - transfer->header_size;
  size_t cap = transfer->request->max_body;
  curl_off_t announced = 0;
  if (size > cap - kept) {
    transfer->too_large = 1;
    return -1;
  }
  if (kept == 0) {
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                      &announced);
    if (announced > 0 && (uint64_t)announced <= cap &&
        sc_buffer_reserve(&transfer->bytes, (size_t)announced) != 0) {
      transfer->no_memory = 1;
      return -1;
    }
  }
  return append(transfer, bytes, size);
}

/* Of a refusal the status counts most: its body is cut, never a failure. */
static int keep_refusal(Transfer *transfer, const char *bytes, size_t size) {
  size_t kept = transfer->bytes.size - transfer->header_size;
  size_t room = kept < MAX_REFUSAL_BYTES ? MAX_REFUSAL_BYTES - kept : 0;
  return append(transfer, bytes, size < room ? size : room);
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context) {
  Transfer *transfer = context;
  Sink *sink = &transfer->request->sink;
  int failed;
  (void)one;
  if (!is_success(transfer)) {
    failed = keep_refusal(transfer, bytes, size);
  } else if (sink->path) {
    failed = sc_sink_write(sink, bytes, size);
  } else {
    failed = keep_success(transfer, bytes, size);
  }
  return failed ? 0 : size;
}

static size_t on_read(char *into, size_t one, size_t size, void *context) {
  Transfer *transfer = context;
  long got = sc_source_read(&transfer->request->source, into, one * size);
  return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int on_seek(void *context, curl_off_t offset, int origin) {
  Transfer *transfer = context;
  Request *request = transfer->request;
  Source *source = &request->source;
  if (origin != SEEK_SET || offset != 0) return CURL_SEEKFUNC_FAIL;
  if (request->creates && source->position == source->size) {
    return CURL_SEEKFUNC_FAIL;
  }
  return sc_source_rewind(source) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

#if TRANSFER_KNOWS_RESENDS
/* libcurl is about to send the request: once, or again by itself. */
static int on_send(void *context, char *peer, char *local, int peer_port,
                   int local_port) {
  Transfer *transfer = context;
  (void)peer, (void)local, (void)peer_port, (void)local_port;
  transfer->sends++;
  return CURL_PREREQFUNC_OK;
}
#endif

/* ---- what went wrong --------------------------------------------------- */

/* The phase that was under way when the transfer failed. */
static const char *phase_of(const Transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_off_t lookup = 0;
  char *address = NULL;
  long sent = 0;
  if (transfer->status_read) return "body";
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
  if (sent > 0) {
    const Source *source = &transfer->request->source;
    return source->position < source->size ? "send" : "first_byte";
  }
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup);
  if (lookup == 0) return "dns";
  /* CONNECT_TIME comes only when the handshake is done as well. */
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
  if (!address || !*address) return "connect";
  return strncmp(transfer->request->url, "https:", 6) ? "send" : "tls";
}

static const char *kind_of(CURLcode code) {
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT: return "timeout";
  case CURLE_OUT_OF_MEMORY: return "memory";
  case CURLE_ABORTED_BY_CALLBACK: return "cancelled";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH: return "tls";
  case CURLE_URL_MALFORMAT: return "invalid";
  case CURLE_UNSUPPORTED_PROTOCOL: /* an answer that is not HTTP/1 or 2 */
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
  case CURLE_BAD_CONTENT_ENCODING: return "protocol";
  default: return "connect";
  }
}

/* Our own callbacks know better than curl's code why they stopped it. */
static int push_own_failure(lua_State *L, const Transfer *transfer) {
  const Request *request = transfer->request;
  if (transfer->no_memory) {
    sc_fail(L, "memory", "not enough memory for the answer");
  } else if (transfer->too_large) {
    sc_fail(L, "too_large", "the answer is larger than max_body allows");
  } else if (request->source.failure == SC_FILE_SHRANK) {
    sc_fail(L, "io", "the file to upload became shorter while it was read");
  } else if (request->source.failure) {
    sc_fail(L, sc_errno_kind(request->source.failure),
            "the file to upload could not be read (%s)",
            strerror(request->source.failure));
  } else if (request->sink.failure) {
    sc_fail(L, sc_errno_kind(request->sink.failure),
            "the file was not written (%s)", strerror(request->sink.failure));
  } else {
    return 0;
  }
  return 1;
}

static int push_failure(lua_State *L, Transfer *transfer) {
  CURLcode code = transfer->code;
  long sent = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
  if (!push_own_failure(L, transfer)) {
    sc_fail(L, kind_of(code), "%s",
            *transfer->message ? transfer->message : curl_easy_strerror(code));
  }
  lua_pushboolean(L, sent > 0);
  lua_setfield(L, -2, "sent");
  if (transfer->status_read) {
    lua_pushinteger(L, transfer->status);
    lua_setfield(L, -2, "status");
  }
  lua_pushstring(L, phase_of(transfer));
  lua_setfield(L, -2, "phase");
  sc_sink_abort(&transfer->request->sink);
  return 2;
}

/* ---- birth ------------------------------------------------------------- */

#define SET(option, value) (void)curl_easy_setopt(easy, option, value)

/* What every request of a handle has in common, set once at its birth. */
static void set_common(Transfer *transfer) {
  CURL *easy = transfer->easy;
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_ERRORBUFFER, transfer->message);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_READFUNCTION, on_read);
  SET(CURLOPT_READDATA, transfer);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, transfer);
#if TRANSFER_KNOWS_RESENDS
  SET(CURLOPT_PREREQFUNCTION, on_send);
  SET(CURLOPT_PREREQDATA, transfer);
#endif
  SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  /* A cancel or a timeout does not wait for a name lookup to end. */
  SET(CURLOPT_QUICK_EXIT, 1L);
#endif
  /* The bundle alone can be cached; a folder is read at each connect. */
  SET(CURLOPT_CAPATH, NULL);
  /* Proxies of the environment are not ours to use unasked. */
  SET(CURLOPT_PROXY, "");
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

/* ---- the Lua side ------------------------------------------------------ */

static Transfer *check_transfer(lua_State *L) {
  return sc_object_check(L, 1, TRANSFER_TYPE);
}

void sc_transfer_done(Transfer *transfer, CURLcode code) {
  sc_multi_remove(transfer->multi, transfer);
  transfer->state = TRANSFER_DONE;
  transfer->code = code;
  if (code == CURLE_OK && !transfer->headers_read) {
    /* libcurl takes an end in the middle of the headers for the answer's. */
    transfer->code = CURLE_GOT_NOTHING;
  } else if (transfer->headers_read && !is_success(transfer) &&
             code != CURLE_ABORTED_BY_CALLBACK && !transfer->no_memory) {
    /* A refusal is one, however its body ended. */
    transfer->code = CURLE_OK;
  }
}

int transfer_new(lua_State *L) {
  Transfer *transfer;
  sc_multi_check(L, 1);
  transfer = sc_object_new(L, TRANSFER_TYPE, sizeof *transfer, ANCHOR_REQUEST);
  lua_pushvalue(L, 1);
  sc_setslot(L, -2, ANCHOR_MULTI);
  transfer->easy = curl_easy_init();
  transfer->address = curl_url();
  if (!transfer->easy || !transfer->address) {
    return luaL_error(L, "not enough memory");
  }
  set_common(transfer);
  return 1;
}

/* start(request) -> true, or nil and a failure: begins the transfer. */
static int transfer_start(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  Request *request = sc_request_check(L, 2);
  Multi *multi;
  const char *fault = NULL;
  if (transfer->state == TRANSFER_RUNNING) {
    return luaL_error(L, "this transfer is running");
  }
  lua_settop(L, 2);
  sc_setslot(L, 1, ANCHOR_REQUEST);
  sc_getslot(L, 1, ANCHOR_MULTI);
  multi = sc_multi_check(L, -1);
  transfer->request = request;
  transfer->state = TRANSFER_IDLE;
  transfer->status = transfer->too_large = transfer->no_memory = 0;
  transfer->sends = 0;
  transfer->message[0] = '\0';
  begin_answer(transfer);
  request->sink.failure = 0;
  sc_sink_abort(&request->sink);
  if (sc_source_rewind(&request->source) != 0 || sc_fill(transfer) != 0) {
    fault = "not enough memory for the request";
  } else if (sc_multi_add(multi, transfer) != 0) {
    fault = "libcurl has no memory for the request";
  }
  if (fault) return sc_fail(L, "memory", "%s", fault);
  transfer->state = TRANSFER_RUNNING;
  lua_pushboolean(L, 1);
  return 1;
}

/* done() -> whether finish has something to give. */
static int transfer_is_done(lua_State *L) {
  lua_pushboolean(L, check_transfer(L)->state == TRANSFER_DONE);
  return 1;
}

static double seconds(CURL *easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return (double)microseconds / 1e6;
}

static void take_answer(Transfer *transfer, Response *response) {
  CURL *easy = transfer->easy;
  long connects = 0;
  response->status = transfer->status;
  response->header_size = transfer->header_size;
  response->bytes = transfer->bytes;
  memset(&transfer->bytes, 0, sizeof transfer->bytes);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  response->reused = connects == 0;
  response->resent = transfer->sends > 1;
  response->timing[TIME_NAME_LOOKUP] =
      seconds(easy, CURLINFO_NAMELOOKUP_TIME_T);
  response->timing[TIME_CONNECT] = seconds(easy, CURLINFO_CONNECT_TIME_T);
  response->timing[TIME_TLS] = seconds(easy, CURLINFO_APPCONNECT_TIME_T);
  response->timing[TIME_FIRST_BYTE] =
      seconds(easy, CURLINFO_STARTTRANSFER_TIME_T);
  response->timing[TIME_TOTAL] = seconds(easy, CURLINFO_TOTAL_TIME_T);
}

/* finish() -> response, or nil and a failure; the transfer is idle then. */
static int transfer_finish(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  int values = 1;
  if (transfer->state != TRANSFER_DONE) {
    return luaL_error(L, "this transfer has not ended");
  }
  lua_settop(L, 1);
  if (transfer->code == CURLE_OK) {
    take_answer(transfer, sc_response_new(L));
  } else {
    values = push_failure(L, transfer);
  }
  transfer->state = TRANSFER_IDLE;
  transfer->request = NULL;
  lua_pushnil(L);
  sc_setslot(L, 1, ANCHOR_REQUEST);
  return values;
}

/* cancel() ends a running transfer; finish then says that it was. */
static int transfer_cancel(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  if (transfer->multi) sc_transfer_done(transfer, CURLE_ABORTED_BY_CALLBACK);
  return 0;
}

static int transfer_gc(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  if (transfer->multi) sc_multi_remove(transfer->multi, transfer);
  if (transfer->easy) curl_easy_cleanup(transfer->easy);
  transfer->easy = NULL;
  curl_url_cleanup(transfer->address);
  transfer->address = NULL;
  transfer->state = TRANSFER_IDLE;
  sc_buffer_free(&transfer->bytes);
  sc_buffer_free(&transfer->origin);
  sc_buffer_free(&transfer->line_bytes);
  return 0;
}

void sc_transfer_define(lua_State *L) {
  static const luaL_Reg methods[] = {{"start", transfer_start},
                                     {"done", transfer_is_done},
                                     {"finish", transfer_finish},
                                     {"cancel", transfer_cancel},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", transfer_gc}, {NULL, NULL}};
  sc_object_define(L, TRANSFER_TYPE, methods, meta);
}
