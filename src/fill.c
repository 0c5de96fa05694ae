/*
 * fill.c: from a request to the options of an easy handle; see fill.h.
 *
 * Every option is set for every request, also to what is normal. Resetting
 * the handle would say the same for the price of setting those again that
 * all requests share.
 */
#include "fill.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LARGE_BODY (512 * 1024)  /* worth libcurl's larger buffer */
#define LONG_BODY (1024 * 1024L) /* faster on HTTP/1.1 than on 2 */
#define NORMAL_BUFFER (64 * 1024L)
#define MAX_SECONDS 1000000L /* what libcurl can count in 32 bits */

#define SET(option, value) (void)curl_easy_setopt(easy, option, value)

/* ---- address ----------------------------------------------------------- */

/* libcurl takes an address apart anew for every transfer, and puts it together
 * again, which is a fifth of all it does for a small answer. The calls of a
 * client differ only behind the origin, so the parts are kept and a plain path
 * is replaced. To say what is no address is left to libcurl. */
static int set_address(Transfer *transfer) {
  CURL *easy = transfer->easy;
  CURLU *address = transfer->address;
  Buffer *origin = &transfer->origin;
  const char *url = transfer->request->url, *host = strstr(url, "://");
  const char *path = host ? strchr(host + 3, '/') : NULL;
  size_t size = path ? (size_t)(path - url) : 0;
  CURLUcode code;
  if (size > 0 && size == origin->size &&
      memcmp(url, origin->data, size) == 0 && !strpbrk(path, "?%")) {
    code = curl_url_set(address, CURLUPART_PATH, path, 0);
    if (!code) code = curl_url_set(address, CURLUPART_QUERY, NULL, 0);
  } else {
    sc_buffer_clear(origin);
    code = curl_url_set(address, CURLUPART_URL, url, 0);
    if (!code && sc_buffer_append(origin, url, size) != 0) return -1;
  }
  if (code == CURLUE_OUT_OF_MEMORY) return -1;
  SET(CURLOPT_CURLU, code ? NULL : address);
  if (!code) return 0;
  return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK ? 0 : -1;
}

/* ---- headers ----------------------------------------------------------- */

/* Appends the lines of `text`, each with a NUL in the place of its end. */
static int add_lines(Transfer *transfer, const char *text, int *count) {
  const char *end;
  for (; text && *text; text = end + 1, ++*count) {
    end = strchr(text, '\n');
    if (!end || *count == TRANSFER_MAX_HEADERS) return -1;
    if (sc_buffer_append(&transfer->line_bytes, text, (size_t)(end - text)) ||
        sc_buffer_append(&transfer->line_bytes, "", 1)) {
      return -1;
    }
  }
  return 0;
}

static int add_authorization(Transfer *transfer, int *count) {
  const char *value = transfer->request->authorization;
  Buffer *bytes = &transfer->line_bytes;
  if (!value) return 0;
  if (*count == TRANSFER_MAX_HEADERS) return -1;
  ++*count;
  return sc_buffer_append(bytes, "Authorization: ", 15) ||
                 sc_buffer_append(bytes, value, strlen(value) + 1)
             ? -1
             : 0;
}

/* Of a document that broke off, the rest is asked for, if it is still the
 * same; else all of it. */
static int add_range(Transfer *transfer, int *count) {
  const Sink *sink = &transfer->request->sink;
  Buffer *bytes = &transfer->line_bytes;
  char range[48];
  int size;
  if (!sink->held) return 0;
  if (*count + 2 > TRANSFER_MAX_HEADERS) return -1;
  *count += 2;
  size = snprintf(range, sizeof range, "Range: bytes=%lld-",
                  (long long)sink->size);
  return sc_buffer_append(bytes, range, (size_t)size + 1) ||
                 sc_buffer_append(bytes, "If-Range: ", 10) ||
                 sc_buffer_append(bytes, sink->etag, strlen(sink->etag) + 1)
             ? -1
             : 0;
}

static int has_body(const Request *request) {
  return request->source.kind != SOURCE_NONE ||
         strcmp(request->method, "POST") == 0;
}

/* libcurl only reads the list, so it is laid out in our own memory: no
 * allocation for each header of each call. */
static int set_headers(Transfer *transfer) {
  CURL *easy = transfer->easy;
  char *line;
  int count = 0, i;
  sc_buffer_clear(&transfer->line_bytes);
  /* A body does not wait for a "100 Continue". */
  if (add_lines(transfer, has_body(transfer->request) ? "Expect:\n" : "",
                &count) ||
      add_lines(transfer, transfer->request->lines, &count) ||
      add_authorization(transfer, &count) || add_range(transfer, &count)) {
    return -1;
  }
  line = transfer->line_bytes.data;
  for (i = 0; i < count; i++, line += strlen(line) + 1) {
    transfer->lines[i].data = line;
    transfer->lines[i].next = i + 1 < count ? &transfer->lines[i + 1] : NULL;
  }
  SET(CURLOPT_HTTPHEADER, count > 0 ? transfer->lines : NULL);
  return 0;
}

/* ---- method, limits, version --------------------------------------------- */

static void set_body(Transfer *transfer) {
  CURL *easy = transfer->easy;
  const Source *source = &transfer->request->source;
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)source->size);
  SET(CURLOPT_UPLOAD_BUFFERSIZE,
      source->size >= LARGE_BODY ? (long)LARGE_BODY : NORMAL_BUFFER);
}

/* A new connection is one that libcurl does not repeat a request on: for a
 * create without a body, whose seek cannot refuse it; and for a delete, whose
 * repetition finds nothing, where libcurl does not tell that it repeats. */
static int needs_fresh_connection(const Request *request) {
  if (request->creates) return request->source.size == 0;
  return !TRANSFER_KNOWS_RESENDS && strcmp(request->method, "DELETE") == 0;
}

static int set_method(Transfer *transfer) {
  CURL *easy = transfer->easy;
  const Request *request = transfer->request;
  const char *method = request->method, *known = "GET";
  const long fresh = needs_fresh_connection(request);
  if (has_body(request)) {
    set_body(transfer);
    known = "POST";
  } else if (strcmp(method, "HEAD") == 0) {
    SET(CURLOPT_NOBODY, 1L);
    known = "HEAD";
  } else {
    SET(CURLOPT_HTTPGET, 1L);
  }
  if (strcmp(method, known) == 0) method = NULL;
  /* It is closed after that, or each would add one to those that are kept. */
  SET(CURLOPT_FRESH_CONNECT, fresh);
  SET(CURLOPT_FORBID_REUSE, fresh);
  return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK ? 0
                                                                           : -1;
}

/* To libcurl 0 is no limit, or one of its own: whatever there is of time is
 * at least a millisecond. */
static long milliseconds(double seconds, long without_limit) {
  if (seconds <= 0) return without_limit;
  if (seconds >= MAX_SECONDS) return MAX_SECONDS * 1000L;
  return (long)ceil(seconds * 1000);
}

static void set_limits(Transfer *transfer) {
  CURL *easy = transfer->easy;
  const Request *request = transfer->request;
  SET(CURLOPT_TIMEOUT_MS, milliseconds(request->timeout, 0));
  SET(CURLOPT_CONNECTTIMEOUT_MS,
      milliseconds(request->connect_timeout, MAX_SECONDS * 1000L));
}

static void set_version(Transfer *transfer) {
  CURL *easy = transfer->easy;
  long version = transfer->version;
  if (version == CURL_HTTP_VERSION_NONE &&
      transfer->request->source.size > LONG_BODY) {
    version = CURL_HTTP_VERSION_1_1;
  }
  SET(CURLOPT_HTTP_VERSION, version);
}

/* 0 is what libcurl takes otherwise. */
static void set_buffer(Transfer *transfer) {
  CURL *easy = transfer->easy;
  SET(CURLOPT_BUFFERSIZE, transfer->sliced ? (long)TRANSFER_SLICE : 0L);
}

int sc_fill(Transfer *transfer) {
  set_buffer(transfer);
  set_limits(transfer);
  set_version(transfer);
  if (set_method(transfer) != 0 || set_address(transfer) != 0) return -1;
  return set_headers(transfer);
}
