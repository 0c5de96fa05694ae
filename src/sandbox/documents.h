/*
 * documents.h: what others need of documents: putting a blob's row in.
 */
#ifndef SANDBOX_DOCUMENTS_H
#define SANDBOX_DOCUMENTS_H

#include "blob.h"
#include "store.h"

/* Inside the caller's transaction or on its own; the blob is finished. */
bool documents_insert(Store *store, const BlobFacts *blob, const char *mime,
                      const char *title, When created);

/* A BlobKnown; its context is the Store. When the store cannot be asked,
 * every file is known: nothing may be swept. */
bool documents_known(void *store, const char *id);

#endif
