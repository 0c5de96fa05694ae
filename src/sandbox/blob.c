/*
 * blob.c: writing, reading and sweeping the files of documents.
 *
 * Everything goes through one descriptor of the folder, so no path is ever
 * put together. Leaves rows to documents.c and state.c.
 */
#include "blob.h"

#include "disk.h"

#include <openssl/evp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOB_FOLDER "documents"

struct Blob {
  int folder; /* borrowed */
  int file;   /* -1 once it is finished */
  EVP_MD_CTX *digest;
  uint64_t size;
  char id[UUID_SIZE];
  char name[UUID_SIZE + 8]; /* the file's present name */
};

static void complain(const char *what) {
  disk_note(errno);
  fprintf(stderr, "signicat-sandbox: %s: %s\n", what, strerror(errno));
}

int blob_open_folder(const char *data_folder) {
  int data = open(data_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (data < 0) return -1;
  int folder = -1;
  if (mkdirat(data, BLOB_FOLDER, 0700) == 0 || errno == EEXIST)
    folder = openat(data, BLOB_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  close(data);
  return folder;
}

Blob *blob_begin(int folder) {
  Blob *blob = calloc(1, sizeof *blob);
  if (!blob) return NULL;
  blob->folder = folder;
  uuid_make(blob->id);
  snprintf(blob->name, sizeof blob->name, "%s.part", blob->id);
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  blob->file = openat(folder, blob->name, flags, 0600);
  blob->digest = EVP_MD_CTX_new();
  if (blob->file >= 0 && blob->digest &&
      EVP_DigestInit_ex(blob->digest, EVP_sha256(), NULL))
    return blob;
  complain("no file for a document");
  blob_abandon(blob);
  return NULL;
}

bool blob_write(Blob *blob, const void *bytes, size_t size) {
  if (!EVP_DigestUpdate(blob->digest, bytes, size)) return false;
  blob->size += size;
  for (const char *at = bytes; size > 0;) {
    ssize_t written = write(blob->file, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      complain("a document is not written");
      return false;
    }
    at += written;
    size -= (size_t)written;
  }
  return true;
}

uint64_t blob_size(const Blob *blob) {
  return blob->size;
}

bool blob_finish(Blob *blob, BlobFacts *facts) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (!EVP_DigestFinal_ex(blob->digest, digest, &length)) return false;
  EVP_EncodeBlock((unsigned char *)facts->sha256, digest, (int)length);
  memcpy(facts->id, blob->id, sizeof facts->id);
  facts->size = blob->size;
  /* The order is the promise: bytes, then the name, then (by the caller)
   * the row. */
  bool synced = fsync(blob->file) == 0;
  if (close(blob->file) != 0) synced = false;
  blob->file = -1;
  if (!synced ||
      renameat(blob->folder, blob->name, blob->folder, blob->id) != 0) {
    complain("a document is not kept");
    return false;
  }
  memcpy(blob->name, blob->id, sizeof blob->id);
  return fsync(blob->folder) == 0;
}

static void forget(Blob *blob) {
  if (blob->file >= 0) close(blob->file);
  EVP_MD_CTX_free(blob->digest);
  free(blob);
}

void blob_keep(Blob *blob) {
  forget(blob);
}

void blob_abandon(Blob *blob) {
  if (!blob) return;
  unlinkat(blob->folder, blob->name, 0);
  forget(blob);
}

int blob_read(int folder, const char *id, uint64_t *size) {
  struct stat facts;
  int file = openat(folder, id, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return -1;
  if (fstat(file, &facts) != 0) {
    close(file);
    return -1;
  }
  *size = (uint64_t)facts.st_size;
  return file;
}

unsigned char *blob_load(int folder, const char *id, size_t *size) {
  uint64_t length, have = 0;
  int file = blob_read(folder, id, &length);
  if (file < 0) return NULL;
  unsigned char *bytes = malloc(length + 1);
  while (bytes && have < length) {
    ssize_t got = read(file, bytes + have, length - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += (uint64_t)got;
  }
  close(file);
  if (bytes && have == length) {
    *size = length;
    return bytes;
  }
  free(bytes);
  return NULL;
}

void blob_remove(int folder, const char *id) {
  unlinkat(folder, id, 0);
}

void blob_sweep(int folder, BlobKnown *known, void *context) {
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *names = copy >= 0 ? fdopendir(copy) : NULL;
  if (!names) {
    if (copy >= 0) close(copy);
    return;
  }
  for (struct dirent *entry; (entry = readdir(names));)
    if (entry->d_name[0] != '.' && !known(context, entry->d_name))
      unlinkat(folder, entry->d_name, 0);
  closedir(names);
}
