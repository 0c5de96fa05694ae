/*
 * body.h: where a request's bytes come from and where an answer's go.
 *
 * A Source is memory (a Lua string its owner anchors), a part of a file, or a
 * reader's: pieces that somebody has to feed. A Sink is a file that appears
 * under its name only when it is whole (bytes go to a temporary name beside
 * it, are synced and then renamed), or a writer's: pieces that somebody has
 * to take. All compute SHA-256 as the bytes pass. None touches Lua, so curl's
 * callbacks may call them. Zeroed ones are empty and closed.
 */
#ifndef SC_BODY_H
#define SC_BODY_H

#include "buffer.h"
#include "digest.h"

#include <stdint.h>

typedef enum SourceKind {
  SOURCE_NONE,
  SOURCE_BYTES,
  SOURCE_FILE,
  SOURCE_READER
} SourceKind;

/* Requests are made for every call, so these are laid out to be small. */
typedef struct Source {
  SourceKind kind;
  int fd;            /* SOURCE_FILE, owned */
  const char *bytes; /* SOURCE_BYTES: all; SOURCE_READER: the piece fed */
  size_t fed;        /* SOURCE_READER: what is left of the piece */
  int64_t offset;    /* where in the file the part begins */
  int64_t size;      /* of the whole body */
  int64_t position;  /* handed out so far */
  int failure;       /* errno of a failed read; SC_FILE_SHRANK */
  unsigned char can_rewind;  /* SOURCE_READER: it can begin again ... */
  unsigned char must_rewind; /* ... and has to, before it is read on */
  unsigned char hashed;
  Digest digest; /* kept only if `hashed` */
} Source;

#define SC_FILE_SHRANK (-1)
#define SC_SOURCE_WAITS (-2)

/* Opens `length` bytes of the file from `offset` on; a length of -1 is the
 * rest of it. Returns 0 or an errno; EINVAL: no such part, or no file. */
int sc_source_open(Source *source, const char *path, int64_t offset,
                   int64_t length);
/* The next bytes; 0 at the end, -1 with `failure` set, SC_SOURCE_WAITS when a
 * piece has to be fed first. */
long sc_source_read(Source *source, char *into, size_t size);
/* Gives the next piece, which stays where it is until it is used up. */
void sc_source_feed(Source *source, const char *bytes, size_t size);
/* Whether it can be sent from its first byte. */
int sc_source_replayable(const Source *source);
/* Back to the first byte; 0, or -1 when there is no memory. */
int sc_source_rewind(Source *source);
void sc_source_close(Source *source);

typedef enum SinkKind { SINK_NONE, SINK_FILE, SINK_WRITER } SinkKind;

typedef struct Sink {
  unsigned char kind; /* SinkKind */
  unsigned char overwrite;
  unsigned char held;    /* kept after a failure, to be continued */
  unsigned char settled; /* the commit was made, or has failed */
  int fd;                /* valid while `temporary` is set */
  char *path;            /* owned; of a file */
  char *temporary;       /* owned; not NULL while a temporary file exists */
  unsigned long fork;    /* in which that was made: a child leaves it alone */
  unsigned mode;         /* of the file that is replaced, or 0 */
  int failure;           /* errno of what failed */
  Buffer *pending;       /* owned; what a writer has not taken yet, or NULL */
  int64_t size;          /* bytes so far, those pending too */
  int64_t total;         /* of the whole, or -1 */
  char *etag;            /* owned; set when the server can continue at `size` */
  Digest digest;
} Sink;

#define SC_SINK_FULL 1

/* Names the target; returns 0 or an errno (EEXIST, ENOENT, EISDIR ...) for a
 * target that could never be written. Opens nothing. */
int sc_sink_target(Sink *sink, const char *path, int overwrite);
/* Opens the temporary file at the first byte. 0, -1 with `failure`, or
 * SC_SINK_FULL when the writer has to take some first; nothing was kept. */
int sc_sink_write(Sink *sink, const char *bytes, size_t size);
/* Makes it durable under its name; 0, or -1 with `failure`. Once: it says the
 * same again. */
int sc_sink_commit(Sink *sink);
/* Removes what is not committed; the target stays named. */
void sc_sink_abort(Sink *sink);
void sc_sink_close(Sink *sink);

#endif
