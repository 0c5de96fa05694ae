/*
 * body.c: file parts and memory as sources, whole-or-nothing files as sinks;
 * see body.h.
 */
#include "body.h"

#include "forks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PENDING (64 * 1024) /* for a writer that is slow to take */

/* ---- sources ----------------------------------------------------------- */

int sc_source_open(Source *source, const char *path, int64_t offset,
                   int64_t length) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno;
  source->kind = SOURCE_FILE;
  source->fd = fd;
  if (fstat(fd, &status) != 0) return errno;
  /* Anything but a regular file has no size to announce and may block. */
  if (!S_ISREG(status.st_mode))
    return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  if (offset > status.st_size) return EINVAL;
  if (length < 0) length = status.st_size - offset;
  if (length > status.st_size - offset) return EINVAL;
  source->offset = offset;
  source->size = length;
  return 0;
}

static long read_file(Source *source, char *into, size_t size) {
  ssize_t got;
  do {
    got = pread(source->fd, into, size, source->offset + source->position);
  } while (got < 0 && errno == EINTR);
  if (got > 0) return got;
  source->failure = got < 0 ? errno : SC_FILE_SHRANK;
  return -1;
}

static long read_piece(Source *source, char *into, size_t size) {
  if (size > source->fed) size = source->fed;
  memcpy(into, source->bytes, size);
  source->bytes += size;
  source->fed -= size;
  return (long)size;
}

long sc_source_read(Source *source, char *into, size_t size) {
  int64_t left = source->size - source->position;
  long got;
  if (left <= 0) return 0;
  if ((int64_t)size > left) size = (size_t)left;
  if (source->kind == SOURCE_FILE) {
    got = read_file(source, into, size);
    if (got < 0) return -1;
  } else if (source->kind == SOURCE_READER) {
    if (source->fed == 0) return SC_SOURCE_WAITS;
    got = read_piece(source, into, size);
  } else {
    memcpy(into, source->bytes + source->position, size);
    got = (long)size;
  }
  if (source->hashed) sc_digest_update(&source->digest, into, (size_t)got);
  source->position += got;
  return got;
}

void sc_source_feed(Source *source, const char *bytes, size_t size) {
  source->bytes = bytes;
  source->fed = size;
}

static int is_begun(const Source *source) {
  return source->position > 0 || source->fed > 0;
}

int sc_source_replayable(const Source *source) {
  return source->kind != SOURCE_READER || source->can_rewind ||
         !is_begun(source);
}

int sc_source_rewind(Source *source) {
  if (source->kind == SOURCE_READER && is_begun(source)) {
    source->must_rewind = 1;
    source->fed = 0;
  }
  source->position = 0;
  source->failure = 0;
  return source->hashed ? sc_digest_begin(&source->digest) : 0;
}

void sc_source_close(Source *source) {
  if (source->kind == SOURCE_FILE) close(source->fd);
  source->kind = SOURCE_NONE;
  sc_digest_end(&source->digest);
}

/* ---- sinks ------------------------------------------------------------- */

/* The folder a path is in, to be freed; NULL when there is no memory. */
static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  size_t size = slash ? (size_t)(slash - path) + (slash == path) : 1;
  return strndup(slash ? path : ".", size);
}

static int check_folder(const char *path) {
  char *folder = folder_of(path);
  int code = folder ? 0 : ENOMEM;
  if (folder && access(folder, W_OK | X_OK) != 0) code = errno;
  free(folder);
  return code;
}

/* A link is followed: what it leads to is written, the link stays. */
static char *resolve(const char *path) {
  struct stat status;
  if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode)) {
    return realpath(path, NULL);
  }
  return strdup(path);
}

int sc_sink_target(Sink *sink, const char *path, int overwrite) {
  struct stat status;
  int code, exists = stat(path, &status) == 0;
  if (!exists && errno != ENOENT) return errno;
  if (exists) {
    if (S_ISDIR(status.st_mode)) return EISDIR;
    if (!overwrite) return EEXIST;
    /* Renaming would put a file in the place of a device or a pipe. */
    if (!S_ISREG(status.st_mode)) return ENOTSUP;
  }
  code = check_folder(path);
  if (code != 0) return code;
  sink->path = resolve(path);
  if (!sink->path) return errno;
  sink->kind = SINK_FILE;
  sink->overwrite = overwrite != 0;
  sink->mode = exists ? status.st_mode & 07777 : 0;
  return 0;
}

static int fail(Sink *sink) {
  sink->failure = errno ? errno : EIO;
  sc_sink_abort(sink);
  return -1;
}

/* The temporary file lies beside the target: a rename cannot cross file
 * systems. Its name says whose it is, should the machine lose power. */
static char *temporary_name(const char *path) {
  static const char form[] = "%s/.signicat-%016llx.part";
  char *folder = folder_of(path), *name = NULL;
  unsigned long long tag;
  if (folder && getrandom(&tag, sizeof tag, 0) == (ssize_t)sizeof tag) {
    size_t size = strlen(folder) + sizeof form + 16;
    name = malloc(size);
    if (name) snprintf(name, size, form, folder, tag);
  }
  free(folder);
  return name;
}

/* A file that is replaced leaves its mode to the new one; until then nobody
 * else reads. */
static int open_temporary(Sink *sink) {
  mode_t mode = sink->mode ? 0600 : 0666;
  char *name = temporary_name(sink->path);
  int fd;
  if (!name) return fail(sink);
  fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) {
    free(name);
    return fail(sink);
  }
  sink->temporary = name;
  sink->fork = sc_forks_seen();
  sink->fd = fd;
  if (sink->mode && fchmod(fd, (mode_t)sink->mode) != 0) return fail(sink);
  if (sc_digest_begin(&sink->digest) == 0) return 0;
  errno = ENOMEM;
  return fail(sink);
}

/* Whatever `append` needs of memory; 0, or -1 when there is none. */
static int prepare(Sink *sink) {
  if (!sink->pending) sink->pending = calloc(1, sizeof *sink->pending);
  if (!sink->pending) return -1;
  return sink->digest.context ? 0 : sc_digest_begin(&sink->digest);
}

/* A writer's bytes wait in memory until somebody takes them. */
static int append(Sink *sink, const char *bytes, size_t size) {
  Buffer *pending = sink->pending;
  if (pending && pending->size > 0 && pending->size + size > MAX_PENDING) {
    return SC_SINK_FULL;
  }
  if (prepare(sink) != 0 || sc_buffer_append(sink->pending, bytes, size) != 0) {
    sink->failure = ENOMEM;
    return -1;
  }
  sc_digest_update(&sink->digest, bytes, size);
  sink->size += (int64_t)size;
  return 0;
}

int sc_sink_write(Sink *sink, const char *bytes, size_t size) {
  if (sink->kind == SINK_WRITER) return append(sink, bytes, size);
  if (!sink->temporary && open_temporary(sink) != 0) return -1;
  sc_digest_update(&sink->digest, bytes, size);
  while (size > 0) {
    ssize_t put = write(sink->fd, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(sink);
    bytes += put;
    size -= (size_t)put;
    sink->size += put;
  }
  return 0;
}

/* Syncs the folder, so that the new name survives a power cut too. Some file
 * systems cannot; the file's own bytes are safe by then. */
static void sync_folder(const char *path) {
  char *folder = folder_of(path);
  int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    (void)fsync(fd);
    close(fd);
  }
  free(folder);
}

/* Without `overwrite` a file that came meanwhile stays as it is. */
static int take_name(const Sink *sink) {
  unsigned flags = sink->overwrite ? 0 : RENAME_NOREPLACE;
  if (renameat2(AT_FDCWD, sink->temporary, AT_FDCWD, sink->path, flags) == 0) {
    return 0;
  }
  if (sink->overwrite || (errno != EINVAL && errno != ENOSYS)) return -1;
  /* This system knows no such flag; a hard link never replaces either. */
  if (link(sink->temporary, sink->path) != 0) return -1;
  unlink(sink->temporary);
  return 0;
}

int sc_sink_commit(Sink *sink) {
  int fd;
  if (sink->settled) return sink->failure ? -1 : 0;
  sink->settled = 1;
  if (!sink->temporary && open_temporary(sink) != 0) return -1;
  if (fsync(sink->fd) != 0 || take_name(sink) != 0) return fail(sink);
  fd = sink->fd;
  free(sink->temporary);
  sink->temporary = NULL;
  sync_folder(sink->path);
  if (close(fd) == 0) return 0;
  sink->failure = errno;
  return -1;
}

void sc_sink_abort(Sink *sink) {
  free(sink->etag);
  sink->etag = NULL;
  sink->held = 0;
  if (sink->pending) sc_buffer_free(sink->pending);
  free(sink->pending);
  sink->pending = NULL;
  if (sink->kind == SINK_FILE) sink->size = 0;
  if (!sink->temporary) return;
  close(sink->fd);
  if (sink->fork == sc_forks_seen()) unlink(sink->temporary);
  free(sink->temporary);
  sink->temporary = NULL;
}

void sc_sink_close(Sink *sink) {
  sc_sink_abort(sink);
  sc_digest_end(&sink->digest);
  free(sink->path);
  sink->path = NULL;
  sink->kind = SINK_NONE;
}
