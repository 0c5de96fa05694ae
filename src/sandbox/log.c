/*
 * log.c: a request as a line, its secrets masked.
 *
 * Names are listed that may be shown, not those that may not: what nobody
 * has thought of stays hidden. A line is written at once, so that those of
 * several threads do not mix.
 */
#include "log.h"

#include "uuid.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_PATH 512
#define MOST_TARGET 1024
#define MASK "***"

static const char *const shown[] = {
    "offset",        "limit",       "sort",      "state",     "createdDateFrom",
    "createdDateTo", "dueDateFrom", "dueDateTo", "operation", "after"};

/* Text that grows up to its bound; what does not fit is left out. */
typedef struct Text {
  char bytes[MOST_TARGET];
  size_t size;
} Text;

static void add(Text *text, const char *bytes, size_t size) {
  for (size_t i = 0; i < size && text->size < sizeof text->bytes - 1; i++) {
    char byte = bytes[i];
    text->bytes[text->size++] = byte > ' ' && byte <= '~' ? byte : '?';
  }
  text->bytes[text->size] = '\0';
}

static void add_pair(Text *text, const char *pair, size_t size) {
  const char *equals = memchr(pair, '=', size);
  size_t name = equals ? (size_t)(equals - pair) : size;
  for (size_t i = 0; equals && i < sizeof shown / sizeof *shown; i++)
    if (strlen(shown[i]) == name && memcmp(pair, shown[i], name) == 0) {
      add(text, pair, size);
      return;
    }
  add(text, MASK, strlen(MASK));
}

/* How much of a path stands before what is in an id's place and is none: a
 * number or a name that somebody took for one. All of it when there is none. */
static size_t known_part(const char *target, size_t path) {
  char id[UUID_SIZE];
  size_t family, size;
  if (strncmp(target, "/sign/", 6) != 0) return path;
  family = 6 + strcspn(target + 6, "/?#");
  if (family >= path) return path;
  size = strcspn(target + ++family, "/?#");
  if (size == UUID_SIZE - 1) {
    memcpy(id, target + family, size);
    id[size] = '\0';
    if (uuid_read(id, id)) return path;
  }
  return size > 0 ? family : path;
}

/* Only a path of this server's is shown, not an address with a user in it. */
static void add_path(Text *text, const char *path, size_t size) {
  bool ours = *path == '/' && !memchr(path, '@', size);
  size_t known = ours ? known_part(path, size) : 0;
  add(text, path, known < MOST_PATH ? known : MOST_PATH);
  if (!ours || known < size) add(text, MASK, strlen(MASK));
}

static void mask(Text *text, const char *target) {
  size_t path = strcspn(target, "?#");
  const char *at = target + path;
  add_path(text, target, path);
  while (*at == '?' || *at == '&') {
    add(text, at, 1);
    size_t size = strcspn(++at, "&#");
    add_pair(text, at, size);
    at += size;
  }
  if (*at) add(text, "#" MASK, strlen("#" MASK));
}

int log_open(const char *path) {
  if (strcmp(path, "-") == 0) return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
}

void log_write(int log, const LogLine *line) {
  char time[WHEN_SIZE], status[16] = "-", text[MOST_TARGET + 512];
  Text target = {.size = 0}, method = {.size = 0};
  if (log < 0) return;
  when_format(when_now(), time);
  mask(&target, line->target);
  add(&method, line->method ? line->method : "-",
      line->method ? strnlen(line->method, 16) : 1);
  if (line->status) snprintf(status, sizeof status, "%d", line->status);
  int size = snprintf(
      text, sizeof text, "%s %s %s %s %s %llu %lld.%03lld %s %s %s\n", time,
      line->id, method.bytes, target.bytes, status,
      (unsigned long long)line->bytes, (long long)line->microseconds / 1000,
      (long long)line->microseconds % 1000,
      line->operation ? line->operation : "-", line->fault ? line->fault : "-",
      line->done ? "done" : "gone");
  if (size > 0 && write(log, text, (size_t)size) < 0) return; /* lost */
}
