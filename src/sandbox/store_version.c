/*
 * store_version.c: reading the version out of SQLite's files.
 *
 * SQLite itself would lock, recover and convert what it opens. Where the
 * number stands is part of its file format: in the first page, of which the
 * log behind a database may hold a newer copy. Checksums are passed over:
 * whoever is told that the version fits opens the database in earnest.
 */
#include "store_version.h"

#include "store_schema.h"

#include <stdio.h>
#include <string.h>

#define NEW 0 /* what SQLite has until somebody sets it */
#define AT 60 /* in the first page */

enum { LOG_HEAD = 32, FRAME_HEAD = 24, PAGE_HEAD = 100 };

/* Numbers are big-endian in both files. */
static uint32_t number(const unsigned char *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
         (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool read_at(FILE *file, long at, unsigned char *bytes, size_t size) {
  return fseek(file, at, SEEK_SET) == 0 && fread(bytes, 1, size, file) == size;
}

static int32_t version_in(const unsigned char *page) {
  return (int32_t)number(page + AT);
}

/* Puts what the last commit in the log has in the place of *version. A frame
 * belongs to the log as long as it has the salts of its head. */
static void read_log(FILE *log, int32_t *version) {
  unsigned char head[LOG_HEAD], frame[FRAME_HEAD], page[PAGE_HEAD];
  int32_t written = *version;
  if (!read_at(log, 0, head, sizeof head)) return;
  long step = (long)number(head + 8) + FRAME_HEAD;
  for (long at = LOG_HEAD; read_at(log, at, frame, sizeof frame) &&
                           memcmp(frame + 8, head + 16, 8) == 0;
       at += step) {
    bool is_first = number(frame) == 1, ends = number(frame + 4) > 0;
    if (is_first && read_at(log, at + FRAME_HEAD, page, sizeof page))
      written = version_in(page);
    if (ends) *version = written;
  }
}

/* NEW also of what is no database of SQLite's: opening it will say so. */
static int32_t read_version(const char *path) {
  char log_path[4200];
  unsigned char page[PAGE_HEAD];
  int32_t version = NEW;
  FILE *file = fopen(path, "re");
  if (!file) return NEW;
  bool is_database = read_at(file, 0, page, sizeof page) &&
                     memcmp(page, "SQLite format 3", 16) == 0;
  fclose(file);
  if (!is_database) return NEW;
  version = version_in(page);
  snprintf(log_path, sizeof log_path, "%s-wal", path);
  FILE *log = fopen(log_path, "re");
  if (!log) return version;
  read_log(log, &version);
  fclose(log);
  return version;
}

void store_version_refuse(const char *path, int64_t version, char *why,
                          size_t size) {
  snprintf(why, size,
           "%s is of version %lld, of %s; this one reads and writes version "
           "%d only and has changed nothing. Use the sandbox that made it, or "
           "choose another folder with --data",
           path, (long long)version,
           version < 0                      ? "no sandbox"
           : version < STORE_SCHEMA_VERSION ? "an older sandbox"
                                            : "a newer sandbox",
           STORE_SCHEMA_VERSION);
}

bool store_version_fits(const char *folder, char *why, size_t size) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/" STORE_FILE, folder);
  if (length < 0 || (size_t)length >= sizeof path) return true;
  int32_t version = read_version(path);
  if (version == NEW || version == STORE_SCHEMA_VERSION) return true;
  store_version_refuse(path, version, why, size);
  return false;
}
