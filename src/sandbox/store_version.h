/*
 * store_version.h: which schema a data folder has, before anything in it is
 * opened, let alone changed.
 */
#ifndef SANDBOX_STORE_VERSION_H
#define SANDBOX_STORE_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_FILE "sandbox.db"

/* Whether the folder is ours to use: it has our version, or no database yet.
 * If not, `why` is one sentence. */
bool store_version_fits(const char *folder, char *why, size_t size);
/* That sentence, for a database that has another version. */
void store_version_refuse(const char *path, int64_t version, char *why,
                          size_t size);

#endif
