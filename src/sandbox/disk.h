/*
 * disk.h: why something was not written, told across files.
 *
 * store.c and blob.c note what the system said; the refusal that follows in
 * the same thread then tells a full disk (507) from any other failure (500).
 */
#ifndef SANDBOX_DISK_H
#define SANDBOX_DISK_H

#include <stdbool.h>

/* A request begins: what was noted before has nothing to do with it. */
void disk_forget(void);
/* The errno of a failure of this thread; 0, for one that is not known, does
 * not replace what is. */
void disk_note(int reason);
/* True when the last one was want of room; forgets it. */
bool disk_was_full(void);

#endif
