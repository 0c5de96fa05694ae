/*
 * transfer.c: has an easy handle carry a request and hands over the answer;
 * see transfer.h.
 */
#include "transfer.h"

#include "breakdown.h"
#include "connection.h"
#include "error.h"
#include "excess.h"
#include "fill.h"
#include "multi.h"
#include "object.h"
#include "response.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- birth -------------------------------------------------------------- */

#define SET(option, value) (void)curl_easy_setopt(easy, option, value)

static curl_socket_t on_open(void *context, curlsocktype purpose,
                             struct curl_sockaddr *address) {
  Transfer *transfer = context;
  int made = sc_sockets_make(&transfer->home->sockets, address->family,
                             address->socktype, address->protocol);
  (void)purpose;
  if (made < 0 && errno == ENOMEM) transfer->no_memory = 1;
  return made < 0 ? CURL_SOCKET_BAD : made;
}

static int on_close(void *context, curl_socket_t socket) {
  Multi *home = context;
  return sc_sockets_unmake(&home->sockets, socket);
}

/* What every request of a handle has in common, set once at its birth. 0, or
 * -1 when there is no memory for it. */
static int set_common(Transfer *transfer) {
  CURLcode code;
  CURL *easy = transfer->easy;
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_ERRORBUFFER, transfer->message);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_SHARE, transfer->home->tickets);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
  SET(CURLOPT_OPENSOCKETDATA, transfer);
  SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
  SET(CURLOPT_CLOSESOCKETDATA, transfer->home);
#if LIBCURL_VERSION_NUM >= 0x075500
  code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                          (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  /* A cancel or a timeout does not wait for a name lookup to end. */
  SET(CURLOPT_QUICK_EXIT, 1L);
#endif
  sc_wire_connect(transfer);
  return code == CURLE_OK ? 0 : -1;
}

int transfer_new(lua_State *L) {
  Transfer *transfer;
  Multi *home = sc_multi_check(L, 1);
  lua_settop(L, 1);
  transfer =
      sc_object_new(L, TRANSFER_TYPE, sizeof *transfer, TRANSFER_FAILURE);
  lua_pushvalue(L, 1);
  sc_setslot(L, 2, TRANSFER_MULTI);
  transfer->home = home;
  transfer->easy = curl_easy_init();
  transfer->address = curl_url();
  sc_multi_push_settings(L, 1);
  if (!transfer->easy || !transfer->address || set_common(transfer) != 0 ||
      sc_connection_set(L, 3, transfer->easy) != 0) {
    return sc_fail(L, "memory", "libcurl has no memory for a transfer");
  }
  transfer->version = sc_connection_version(L, 3);
  lua_settop(L, 2);
  return 1;
}

/* ---- from start to finish ---------------------------------------------- */

static Transfer *check_transfer(lua_State *L) {
  Transfer *transfer = sc_object_check(L, 1, TRANSFER_TYPE);
  if (transfer->home) sc_multi_part(transfer->home);
  return transfer;
}

void sc_transfer_done(Transfer *transfer, CURLcode code) {
  if (code == CURLE_OK) sc_excess_end(transfer);
  sc_multi_remove(transfer->multi, transfer);
  sc_multi_enqueue(transfer->home, QUEUE_READY, transfer);
  sc_buffer_wipe(&transfer->line_bytes); /* the token is in it */
  transfer->state = TRANSFER_DONE;
  transfer->code = code = transfer->stuck ? CURLE_SEND_FAIL_REWIND : code;
  if (code == CURLE_OK && !transfer->headers_read) {
    /* libcurl takes an end in the middle of the headers for the answer's. */
    transfer->code = CURLE_GOT_NOTHING;
  } else if (transfer->headers_read && !sc_wire_is_success(transfer) &&
             code != CURLE_ABORTED_BY_CALLBACK && !transfer->no_memory) {
    /* A refusal is one, however its body ended. */
    transfer->code = CURLE_OK;
  }
}

static void clear(Transfer *transfer) {
  transfer->state = TRANSFER_IDLE;
  transfer->status = transfer->too_large = transfer->no_memory = 0;
  transfer->sends = transfer->stuck = 0;
  transfer->tls = NULL;
  transfer->fed = 0;
  transfer->told = transfer->paused = transfer->hungry = 0;
  transfer->misfit = MISFIT_NONE;
  transfer->message[0] = '\0';
  sc_multi_dequeue(transfer->home, QUEUE_READY, transfer);
  sc_wire_begin(transfer);
}

/* start(request, sliced) -> true and the table of what Lua supplies and takes,
 * if there is one; or nil and a failure. Begins the transfer. */
static int transfer_start(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  Request *request = sc_request_check(L, 2);
  const char *fault;
  if (transfer->state == TRANSFER_RUNNING) {
    return luaL_error(L, "this transfer is running");
  }
  if (!sc_request_replayable(request)) {
    return sc_fail(L, "io",
                   "the body or the document was begun and cannot begin again");
  }
  transfer->sliced = lua_toboolean(L, 3);
  lua_settop(L, 2);
  sc_setslot(L, 1, TRANSFER_REQUEST);
  sc_getslot(L, 1, TRANSFER_MULTI);
  sc_multi_check(L, -1);
  transfer->request = request;
  clear(transfer);
  fault = sc_request_begin(request);
  if (!fault && sc_fill(transfer) != 0) {
    fault = "not enough memory for the request";
  } else if (!fault && sc_multi_add(transfer->home, transfer) != 0) {
    fault = "libcurl has no memory for the request";
  }
  if (fault) return sc_fail(L, "memory", "%s", fault);
  transfer->state = TRANSFER_RUNNING;
  lua_pushboolean(L, 1);
  if (!request->streams) return 1;
  sc_getslot(L, 1, TRANSFER_REQUEST);
  sc_getslot(L, -1, ANCHOR_STREAMS);
  lua_remove(L, -2);
  return 2;
}

/* key() -> what the multi's `ready` calls it. */
static int transfer_key(lua_State *L) {
  lua_pushlightuserdata(L, check_transfer(L));
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

/* finish() -> response, nil, whether decode has to do what takes long; or nil
 * and a failure; the transfer is idle then. Nothing while it is running. */
static int transfer_finish(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  int values, slot;
  if (transfer->state == TRANSFER_RUNNING) return 0;
  if (transfer->state != TRANSFER_DONE) {
    return luaL_error(L, "this transfer was not started");
  }
  lua_settop(L, 1);
  if (transfer->code == CURLE_OK) {
    Response *response = sc_response_new(L, transfer->home->spares);
    take_answer(transfer, response);
    lua_pushnil(L);
    lua_pushboolean(L, sc_response_effort(transfer->request, response) !=
                           EFFORT_NONE);
    values = 3;
  } else {
    values = sc_breakdown_push(L, transfer);
  }
  transfer->state = TRANSFER_IDLE;
  transfer->request = NULL;
  sc_multi_dequeue(transfer->home, QUEUE_READY, transfer);
  for (slot = TRANSFER_REQUEST; slot <= TRANSFER_FAILURE; slot++) {
    lua_pushnil(L);
    sc_setslot(L, 1, slot);
  }
  return values;
}

/* cancel() ends a running transfer; finish then says that it was. */
static int transfer_cancel(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  if (transfer->multi) sc_transfer_done(transfer, CURLE_ABORTED_BY_CALLBACK);
  return 0;
}

/* fail(failure) ends a transfer, or makes an end of one a failure: the last
 * bytes may reach the writer after they have all come. finish gives that
 * table then. */
static int transfer_fail(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  if (transfer->state == TRANSFER_IDLE) return 0;
  lua_settop(L, 2);
  sc_setslot(L, 1, TRANSFER_FAILURE);
  transfer->told = 1;
  if (transfer->multi) sc_transfer_done(transfer, CURLE_ABORTED_BY_CALLBACK);
  transfer->code = CURLE_ABORTED_BY_CALLBACK;
  return 0;
}

/* ---- between two steps ------------------------------------------------- */

static void resume(Transfer *transfer) {
  if (!transfer->multi || !transfer->paused) return;
  transfer->paused = transfer->hungry = 0;
  transfer->fed = 0;
  sc_multi_unpause(transfer);
}

/* wanted() -> how many bytes the reader still has to supply, and whether from
 * the beginning; nothing when none are wanted now. */
static int transfer_wanted(lua_State *L) {
  const Transfer *transfer = check_transfer(L);
  const Source *source;
  if (!transfer->multi || !transfer->hungry) return 0;
  source = &transfer->request->source;
  sc_pushwhole(L, source->size - source->position);
  lua_pushboolean(L, source->must_rewind);
  return 2;
}

/* feed(piece) sends the next bytes of the body. */
static int transfer_feed(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  size_t size;
  const char *piece = luaL_checklstring(L, 2, &size);
  if (!transfer->multi || !transfer->hungry) return 0;
  lua_settop(L, 2);
  sc_setslot(L, 1, TRANSFER_PIECE);
  transfer->request->source.must_rewind = 0;
  sc_source_feed(&transfer->request->source, piece, size);
  resume(transfer);
  return 0;
}

/* take() -> the bytes that wait for the writer, or nothing. */
static int transfer_take(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  Buffer *pending;
  if (!transfer->request) return 0;
  pending = transfer->request->sink.pending;
  if (!pending || pending->size == 0) return 0;
  lua_pushlstring(L, pending->data, pending->size);
  sc_buffer_clear(pending);
  resume(transfer);
  return 1;
}

/* progress() -> how many bytes of the body have moved, and how many there
 * are, if that is known: of the request's while it has one to send. */
static int transfer_progress(lua_State *L) {
  const Transfer *transfer = check_transfer(L);
  const Request *request = transfer->request;
  curl_off_t done = 0, total;
  if (!request) return 0;
  if (request->source.size > 0) {
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &done);
    total = request->source.size;
  } else if (request->sink.kind != SINK_NONE) {
    done = request->sink.size;
    total = done > 0 || request->sink.etag ? request->sink.total : -1;
  } else {
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &done);
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                      &total);
  }
  sc_pushwhole(L, done);
  if (total < 0) return 1;
  sc_pushwhole(L, total);
  return 2;
}

static int transfer_gc(lua_State *L) {
  Transfer *transfer = check_transfer(L);
  if (transfer->multi) sc_multi_remove(transfer->multi, transfer);
  if (transfer->home) sc_multi_dequeue(transfer->home, QUEUE_READY, transfer);
  if (transfer->easy) curl_easy_cleanup(transfer->easy);
  transfer->easy = NULL;
  curl_url_cleanup(transfer->address);
  transfer->address = NULL;
  transfer->state = TRANSFER_IDLE;
  sc_buffer_free(&transfer->bytes);
  sc_buffer_free(&transfer->origin);
  sc_buffer_wipe(&transfer->line_bytes);
  sc_buffer_free(&transfer->line_bytes);
  return 0;
}

void sc_transfer_define(lua_State *L) {
  static const luaL_Reg methods[] = {{"key", transfer_key},
                                     {"start", transfer_start},
                                     {"done", transfer_is_done},
                                     {"finish", transfer_finish},
                                     {"cancel", transfer_cancel},
                                     {"fail", transfer_fail},
                                     {"wanted", transfer_wanted},
                                     {"feed", transfer_feed},
                                     {"take", transfer_take},
                                     {"progress", transfer_progress},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", transfer_gc}, {NULL, NULL}};
  sc_object_define(L, TRANSFER_TYPE, methods, meta);
}
