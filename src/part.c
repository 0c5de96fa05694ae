/*
 * part.c: documents that come in parts; see part.h.
 *
 * A part (206) is taken only where it was asked for, and only if it goes on
 * where the last one broke off, ends with the document and has its ETag.
 */
#include "part.h"

#include "error.h"

#include <string.h>
#include <strings.h>

/* Digits of `text` as a number; moves it behind them. -1: none, too many. */
static int64_t read_number(const char **text, const char *end) {
  int64_t value = 0;
  const char *c = *text;
  if (c == end || *c < '0' || *c > '9') return -1;
  for (; c < end && *c >= '0' && *c <= '9'; c++) {
    if (value > INT64_MAX / 10 - 1) return -1;
    value = value * 10 + (*c - '0');
  }
  *text = c;
  return value;
}

/* Whether a part is of the same document; it may leave out to say so. */
static int is_of(const Sink *sink, const char *lines, size_t lines_size) {
  size_t size;
  const char *etag = sc_header_find(lines, lines_size, "etag", &size);
  return !etag ||
         (strlen(sink->etag) == size && memcmp(etag, sink->etag, size) == 0);
}

/* "bytes 100-199/200": whether it goes on where the sink ends, and ends with
 * the document. */
static int continues(const Sink *sink, const char *lines, size_t lines_size) {
  size_t size;
  const char *text = sc_header_find(lines, lines_size, "content-range", &size);
  const char *end;
  int64_t first, last, total;
  if (!text || size < 6 || strncasecmp(text, "bytes ", 6) != 0) return 0;
  if (!is_of(sink, lines, lines_size)) return 0;
  end = text + size;
  text += 6;
  first = read_number(&text, end);
  if (first != sink->size || text == end || *text++ != '-') return 0;
  last = read_number(&text, end);
  if (last < first || text == end || *text++ != '/') return 0;
  total = read_number(&text, end);
  return total == sink->total && last == total - 1;
}

/* Keeps what it takes to go on after a break: a strong ETag, the size, and
 * the word of the server that it sends parts. */
static void note_validator(Sink *sink, const char *lines, size_t lines_size,
                           int64_t total) {
  size_t size;
  const char *value = sc_header_find(lines, lines_size, "accept-ranges", &size);
  sink->total = total;
  if (total <= 0 || !value || size != 5 || strncasecmp(value, "bytes", 5)) {
    return;
  }
  if (sc_header_find(lines, lines_size, "content-encoding", &size)) return;
  value = sc_header_find(lines, lines_size, "etag", &size);
  if (!value || size < 2 || *value != '"' || size > 1024) return;
  sink->etag = strndup(value, size); /* without memory: no second part */
}

Misfit sc_part_begin(Request *request, int status, const char *lines,
                     size_t size, int64_t announced) {
  Sink *sink = &request->sink;
  if (status == 206) {
    return sink->held && continues(sink, lines, size) ? MISFIT_NONE
                                                      : MISFIT_PART;
  }
  if (sink->kind == SINK_WRITER && sink->size > 0) return MISFIT_WHOLE;
  /* Anew, if there was a part: it is not of this document. */
  sc_sink_abort(sink);
  note_validator(sink, lines, size, announced);
  return MISFIT_NONE;
}

/* ---- failures ---------------------------------------------------------- */

static int push_misfit(lua_State *L, Misfit misfit) {
  if (misfit == MISFIT_PART) {
    return sc_fail(L, "protocol",
                   "the server sent a part of the document that was not "
                   "asked for");
  }
  return sc_fail(L, "connect",
                 "the document broke off and cannot be continued; the writer "
                 "has a part of it");
}

int sc_part_push_failure(lua_State *L, const Request *request, Misfit misfit) {
  int failure = request->source.failure;
  if (failure == SC_FILE_SHRANK) {
    return sc_fail(L, "io",
                   "the file to upload became shorter while it was read");
  }
  if (failure) {
    return sc_fail(L, sc_errno_kind(failure),
                   "the file to upload could not be read (%s)",
                   strerror(failure));
  }
  failure = request->sink.failure;
  if (failure) {
    return sc_fail(L, sc_errno_kind(failure), "the file was not written (%s)",
                   strerror(failure));
  }
  return misfit ? push_misfit(L, misfit) : 0;
}

void sc_part_end(lua_State *L, Request *request, int can_mend) {
  Sink *sink = &request->sink;
  if (can_mend && sink->etag && sink->size > 0) {
    sink->held = 1;
    return;
  }
  sc_sink_abort(sink);
  if (sink->kind != SINK_WRITER || sink->size == 0) return;
  /* It never gets the same bytes twice. */
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "retryable");
}
