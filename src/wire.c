/*
 * wire.c: moves bytes between libcurl, a request's source and sink and the
 * transfer's own buffer; see wire.h.
 *
 * A request that creates something leaves through the read callback, never
 * through POSTFIELDS, and the seek callback refuses once the last byte was
 * handed over: libcurl would otherwise repeat it on its own when a reused
 * connection ends without an answer.
 */
#include "wire.h"

#include "excess.h"
#include "multi.h"

#include <stdlib.h>
#include <string.h>

#define MAX_HEADER_BYTES (256 * 1024)
#define MAX_REFUSAL_BYTES (64 * 1024) /* of its body; the rest is dropped */

void sc_wire_begin(Transfer *transfer) {
  sc_buffer_clear(&transfer->bytes);
  transfer->header_size = 0;
  transfer->status_read = transfer->headers_read = 0;
}

long sc_wire_head_sent(const Transfer *transfer) {
  long size = 0;
  if (transfer->tells && transfer->sends == 0) return 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &size);
  return size;
}

int sc_wire_is_success(const Transfer *transfer) {
  return transfer->status >= 200 && transfer->status <= 299;
}

/* ---- the answer -------------------------------------------------------- */

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

static int end_headers(Transfer *transfer) {
  curl_off_t announced = -1;
  transfer->header_size = transfer->bytes.size;
  transfer->headers_read = transfer->status_read;
  sc_excess_watch(transfer);
  if (transfer->request->sink.kind == SINK_NONE ||
      !sc_wire_is_success(transfer)) {
    return 0;
  }
  curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                    &announced);
  transfer->misfit =
      sc_part_begin(transfer->request, transfer->status, transfer->bytes.data,
                    transfer->header_size, announced);
  return transfer->misfit ? -1 : 0;
}

static int append(Transfer *transfer, const char *bytes, size_t size) {
  if (sc_buffer_append(&transfer->bytes, bytes, size) == 0) return 0;
  transfer->no_memory = 1;
  return -1;
}

/* A status line begins an answer: an interim one (1xx) is followed by the
 * next. Lines behind the body are trailers, whatever they look like, which the
 * API does not use. */
static size_t on_header(char *line, size_t one, size_t size, void *context) {
  Transfer *transfer = context;
  (void)one;
  if (transfer->headers_read) return size;
  if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
    sc_wire_begin(transfer);
    sc_spares_take(transfer->home->spares, &transfer->bytes);
    transfer->status = parse_status(line, size);
    transfer->status_read = transfer->status >= 200;
    return size;
  }
  if (size <= 2 && (*line == '\r' || *line == '\n')) {
    return end_headers(transfer) == 0 ? size : 0;
  }
  if (transfer->bytes.size + size > MAX_HEADER_BYTES) {
    transfer->too_large = 1;
    return 0;
  }
  return append(transfer, line, size) == 0 ? size : 0;
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

/* Lua has the word before this goes on. */
static void pause_for_lua(Transfer *transfer) {
  transfer->paused = 1;
  sc_multi_enqueue(transfer->home, QUEUE_READY, transfer);
}

/* Lua may want to know that bytes have moved. */
static void tell_lua(Transfer *transfer) {
  if (transfer->request->streams) {
    sc_multi_enqueue(transfer->home, QUEUE_READY, transfer);
  }
}

/* Whether the bytes have to wait for another turn. */
static int rests(Transfer *transfer, size_t size) {
  if (!transfer->sliced || transfer->request->sink.kind == SINK_NONE) return 0;
  if (transfer->fed > 0 && transfer->fed + size > TRANSFER_SLICE) {
    sc_multi_enqueue(transfer->home, QUEUE_RESTING, transfer);
    return 1;
  }
  transfer->fed += size;
  return 0;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context) {
  Transfer *transfer = context;
  Sink *sink = &transfer->request->sink;
  int failed;
  (void)one;
  if (rests(transfer, size)) return CURL_WRITEFUNC_PAUSE;
  tell_lua(transfer);
  if (!sc_wire_is_success(transfer)) {
    failed = keep_refusal(transfer, bytes, size);
  } else if (sink->kind != SINK_NONE) {
    failed = sc_sink_write(sink, bytes, size);
    if (failed == SC_SINK_FULL) {
      pause_for_lua(transfer);
      return CURL_WRITEFUNC_PAUSE;
    }
  } else {
    failed = keep_success(transfer, bytes, size);
  }
  return failed ? 0 : size;
}

/* ---- the request ------------------------------------------------------- */

static size_t on_read(char *into, size_t one, size_t size, void *context) {
  Transfer *transfer = context;
  size_t room = one * size;
  long got;
  if (transfer->sliced && room > TRANSFER_SLICE) room = TRANSFER_SLICE;
  got = sc_source_read(&transfer->request->source, into, room);
  tell_lua(transfer);
  if (got == SC_SOURCE_WAITS) {
    transfer->hungry = 1;
    pause_for_lua(transfer);
    return CURL_READFUNC_PAUSE;
  }
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
  if (!sc_source_replayable(source)) return CURL_SEEKFUNC_FAIL;
  return sc_source_rewind(source) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

#if TRANSFER_KNOWS_RESENDS
/* libcurl is about to send the request: once, or again by itself. Then it
 * rewinds a body of which something has left, not one that it has only read,
 * for a stream of HTTP/2 that had no window. */
static int on_send(void *context, char *peer, char *local, int peer_port,
                   int local_port) {
  Transfer *transfer = context;
  (void)peer, (void)local, (void)peer_port, (void)local_port;
  transfer->sends++;
  transfer->home->sent = 1;
  if (transfer->request->source.position > 0 &&
      on_seek(transfer, 0, SEEK_SET) != CURL_SEEKFUNC_OK) {
    transfer->stuck = 1;
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}
#endif

#define SET(option, value) (void)curl_easy_setopt(easy, option, value)

void sc_wire_connect(Transfer *transfer) {
  CURL *easy = transfer->easy;
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_READFUNCTION, on_read);
  SET(CURLOPT_READDATA, transfer);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, transfer);
#if TRANSFER_KNOWS_RESENDS
  SET(CURLOPT_PREREQDATA, transfer);
  transfer->tells =
      curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send) == CURLE_OK;
#endif
}
