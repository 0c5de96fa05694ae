/*
 * folder.c: taking, sweeping and removing data folders.
 *
 * Removing is the dangerous part, so only this counts as a stale folder:
 * directly in the temporary directory, named by our pattern, a real
 * directory of this user, holding a lock file that nobody has locked. The
 * lock is held while its content goes, and symbolic links are never
 * followed.
 */
#include "folder.h"

#include "secret.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "signicat-sandbox-"
#define PATTERN PREFIX "??????"
#define LOCK "lock"
#define CREDENTIALS "credentials"

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *where) {
  (void)facts, (void)kind, (void)where;
  return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

static void remove_tree(const char *path) {
  nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Locks the folder's lock file. -1 when somebody has it (errno EWOULDBLOCK)
 * or, with flags without O_CREAT, when there is none. */
static int lock(const char *path, int flags) {
  char name[2100];
  struct stat ours, there;
  snprintf(name, sizeof name, "%s/" LOCK, path);
  int file = open(name, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return -1;
  if (flock(file, LOCK_EX | LOCK_NB) == 0) {
    /* A sweeper may have removed it between the two calls. */
    if (fstat(file, &ours) == 0 && stat(name, &there) == 0 &&
        ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
      return file;
    errno = EWOULDBLOCK;
  }
  int reason = errno;
  close(file);
  errno = reason;
  return -1;
}

static void sweep(const char *parent) {
  char path[2048];
  struct stat facts;
  DIR *names = opendir(parent);
  if (!names) return;
  for (struct dirent *entry; (entry = readdir(names));) {
    if (fnmatch(PATTERN, entry->d_name, 0) != 0) continue;
    int size = snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
    if (size < 0 || (size_t)size >= sizeof path) continue;
    if (lstat(path, &facts) != 0 || !S_ISDIR(facts.st_mode) ||
        facts.st_uid != geteuid())
      continue;
    int held = lock(path, 0);
    if (held < 0) continue;
    remove_tree(path);
    close(held);
  }
  closedir(names);
}

static bool open_temporary(Folder *folder, char *why, size_t size) {
  const char *parent = getenv("TMPDIR");
  if (!parent || !*parent) parent = "/tmp";
  sweep(parent);
  for (int tries = 0; tries < 8; tries++) {
    int used = snprintf(folder->path, sizeof folder->path,
                        "%s/" PREFIX "XXXXXX", parent);
    if (used < 0 || (size_t)used >= sizeof folder->path ||
        !mkdtemp(folder->path))
      break;
    folder->lock = lock(folder->path, O_CREAT);
    if (folder->lock >= 0) {
      folder->temporary = true;
      return true;
    }
    rmdir(folder->path); /* another start's sweep was quicker: once more */
  }
  snprintf(why, size,
           "no temporary folder can be made in %s (%s); set TMPDIR to a "
           "folder that can be written, or use --data DIR",
           parent, strerror(errno));
  return false;
}

static bool open_given(Folder *folder, const char *path, char *why,
                       size_t size) {
  int used = snprintf(folder->path, sizeof folder->path, "%s", path);
  if (used < 0 || (size_t)used >= sizeof folder->path) {
    snprintf(why, size, "the name of the data folder is too long");
    return false;
  }
  if (mkdir(path, 0700) != 0 && errno != EEXIST) {
    snprintf(why, size,
             "the data folder %s cannot be made (%s); make the folder above "
             "it first, or choose another",
             path, strerror(errno));
    return false;
  }
  folder->lock = lock(path, O_CREAT);
  if (folder->lock >= 0) return true;
  if (errno == EWOULDBLOCK)
    snprintf(why, size,
             "the data folder %s is in use by another signicat-sandbox; stop "
             "that one first, or give this one another folder",
             path);
  else
    snprintf(why, size,
             "the data folder %s cannot be used (%s); choose one that you "
             "can write to",
             path, strerror(errno));
  return false;
}

bool folder_open(Folder *folder, const char *path, char *why, size_t size) {
  folder->lock = -1;
  folder->temporary = false;
  if (path) return open_given(folder, path, why, size);
  return open_temporary(folder, why, size);
}

void folder_close(Folder *folder) {
  if (folder->lock < 0) return;
  if (folder->temporary) remove_tree(folder->path);
  close(folder->lock);
  folder->lock = -1;
}

/* Two lines of printable characters: id, secret. */
static bool read_credentials(FILE *file, char *id, size_t id_size, char *secret,
                             size_t secret_size) {
  if (!fgets(id, (int)id_size, file)) return false;
  if (!fgets(secret, (int)secret_size, file)) return false;
  size_t id_length = strcspn(id, "\n"), length = strcspn(secret, "\n");
  if (!id[id_length] || !secret[length]) return false;
  id[id_length] = secret[length] = '\0';
  return id_length > 0 && length > 0;
}

/* Written aside, synced and renamed: there in full or not at all. */
static bool write_credentials(const char *path, const char *id,
                              const char *secret) {
  char aside[2200];
  snprintf(aside, sizeof aside, "%s.part", path);
  int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  int handle = open(aside, flags, 0600);
  if (handle < 0) return false;
  bool good = dprintf(handle, "%s\n%s\n", id, secret) > 0;
  good = fsync(handle) == 0 && good;
  good = close(handle) == 0 && good;
  return good && rename(aside, path) == 0;
}

bool folder_credentials(const Folder *folder, char *id, size_t id_size,
                        char *secret, size_t secret_size, char *why,
                        size_t size) {
  char path[2100];
  snprintf(path, sizeof path, "%s/" CREDENTIALS, folder->path);
  FILE *file = fopen(path, "re");
  if (file) {
    bool good = read_credentials(file, id, id_size, secret, secret_size);
    fclose(file);
    if (!good)
      snprintf(why, size, "%s is damaged; remove it to get new credentials",
               path);
    return good;
  }
  if (errno == ENOENT) {
    char digits[41];
    secret_random_hex(digits, 8);
    snprintf(id, id_size, "sandbox-%s", digits);
    secret_random_hex(digits, 40);
    snprintf(secret, secret_size, "%s", digits);
    if (write_credentials(path, id, secret)) return true;
  }
  snprintf(why, size, "%s cannot be used (%s); check who owns it", path,
           strerror(errno));
  return false;
}
