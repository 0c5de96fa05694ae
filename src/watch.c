/*
 * watch.c: sees whether bytes move; see watch.h.
 *
 * The multi looks at each step, so callbacks need no clock: a look compares
 * how many bytes have moved with how many had at the last one. While Lua is
 * to supply or take bytes, nobody is late.
 */
#include "watch.h"

#include <math.h>

/* Both ways, heads and bodies; 0 before the first byte was sent. */
static curl_off_t bytes_moved(const Transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_off_t up = 0, down = 0;
  long head = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &head);
  return up + down + head + (curl_off_t)transfer->bytes.size;
}

/* The whole request has left and nothing came back yet. */
static int is_awaiting(const Transfer *transfer) {
  curl_off_t up = 0;
  if (transfer->status) return 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &up);
  return up >= transfer->request->source.size;
}

void sc_watch_begin(Transfer *transfer) {
  const Request *request = transfer->request;
  transfer->watched =
      request->first_byte_timeout > 0 || request->stall_timeout > 0;
  transfer->late = LATE_NOT;
  transfer->awaiting = 0;
  transfer->moved = 0;
}

double sc_watch_left(Transfer *transfer, double now) {
  const Request *request = transfer->request;
  curl_off_t moved;
  int awaiting;
  double limit = request->stall_timeout;
  Late late = LATE_STALL;
  if (!transfer->watched) return HUGE_VAL;
  moved = bytes_moved(transfer);
  awaiting = is_awaiting(transfer);
  if (moved != transfer->moved || awaiting != transfer->awaiting ||
      transfer->paused) {
    transfer->moved = moved;
    transfer->awaiting = awaiting;
    transfer->moved_at = now;
  }
  if (moved == 0) return HUGE_VAL; /* connect_timeout has the word */
  if (awaiting && request->first_byte_timeout > 0) {
    limit = request->first_byte_timeout;
    late = LATE_FIRST_BYTE;
  }
  if (limit <= 0) return HUGE_VAL;
  limit = transfer->moved_at + limit - now;
  if (limit <= 0) transfer->late = late;
  return limit;
}
