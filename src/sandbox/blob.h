/*
 * blob.h: the bytes of documents, one file each, named by the document's id.
 *
 * A blob is written under a name of its own, hashed on the way, synced and
 * then renamed: a file with an id for a name is whole. The row that makes it
 * a document is committed after that; until then the writer owns the file,
 * and abandoning it leaves nothing. Files without a row are swept at start.
 */
#ifndef SANDBOX_BLOB_H
#define SANDBOX_BLOB_H

#include "uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOB_HASH_SIZE 45 /* SHA-256 in Base64 and the end */

typedef struct Blob Blob;

typedef struct BlobFacts {
  char id[UUID_SIZE];
  char sha256[BLOB_HASH_SIZE];
  uint64_t size;
} BlobFacts;

/* The descriptor of the folder that all calls below take; -1: errno says. */
int blob_open_folder(const char *data_folder);

Blob *blob_begin(int folder); /* NULL when it cannot be written */
bool blob_write(Blob *blob, const void *bytes, size_t size);
uint64_t blob_size(const Blob *blob);
/* Makes the file durable under its id. The writer still owns it. */
bool blob_finish(Blob *blob, BlobFacts *facts);
/* Its row is committed: the file stays. */
void blob_keep(Blob *blob);
/* Removes the file, as far as it came. NULL is allowed. */
void blob_abandon(Blob *blob);

/* A descriptor to read from, or -1; *size is the file's. */
int blob_read(int folder, const char *id, uint64_t *size);
/* All of it in memory, the caller's to free; NULL when it cannot be had. */
unsigned char *blob_load(int folder, const char *id, size_t *size);
void blob_remove(int folder, const char *id);

/* Removes every file that `known` does not want. */
typedef bool BlobKnown(void *context, const char *name);
void blob_sweep(int folder, BlobKnown *known, void *context);

#endif
