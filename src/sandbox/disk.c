/*
 * disk.c: the errno of a thread's last failure to write.
 */
#include "disk.h"

#include <errno.h>

static __thread int last;

void disk_forget(void) {
  last = 0;
}

void disk_note(int reason) {
  if (reason) last = reason;
}

/* A quota and a limit of the process are a full disk to whoever writes. */
bool disk_was_full(void) {
  bool full = last == ENOSPC || last == EDQUOT || last == EFBIG;
  disk_forget();
  return full;
}
