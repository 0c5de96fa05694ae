/*
 * folder.h: the data folder: one process's own, given or temporary.
 *
 * A lock file inside says that a process lives here; the kernel drops the
 * lock with the process, however it ends. A temporary folder is removed at
 * the end, and those of killed runs are swept at the next start.
 */
#ifndef SANDBOX_FOLDER_H
#define SANDBOX_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Folder {
  char path[2048];
  int lock; /* -1: not open */
  bool temporary;
} Folder;

/* `path` NULL: a temporary one. False: `why` is a sentence for stderr. */
bool folder_open(Folder *folder, const char *path, char *why, size_t size);
void folder_close(Folder *folder);

/* The credentials kept in the folder, made if there are none. */
bool folder_credentials(const Folder *folder, char *id, size_t id_size,
                        char *secret, size_t secret_size, char *why,
                        size_t size);

#endif
