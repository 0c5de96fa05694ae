/*
 * log.h: one line for each request, in a file or on stderr.
 *
 *   TIME ID METHOD TARGET STATUS BYTES MILLISECONDS OPERATION FAULT END
 *
 * with one space between the parts and none inside them; what there is none
 * of is a "-". ID is what the answer's X-Request-Id and a problem's traceId
 * are. Of a query only what sorts and filters a list is shown, everything
 * else, such as the id in a signing URL, is "***", as are a fragment and an
 * address with a user in it; no header and no body is shown.
 * END is "done" when the answer went out whole, otherwise "gone".
 */
#ifndef SANDBOX_LOG_H
#define SANDBOX_LOG_H

#include "when.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct LogLine {
  const char *id, *method, *target;
  int status; /* 0: no answer was begun */
  uint64_t bytes;
  int64_t microseconds;
  const char *operation, *fault; /* or NULL */
  bool done;
} LogLine;

/* A descriptor to write to, at the end of the file; "-" is stderr. -1 with
 * errno when it cannot be opened. */
int log_open(const char *path);
/* A line that cannot be written is lost; the request is not. */
void log_write(int log, const LogLine *line);

#endif
