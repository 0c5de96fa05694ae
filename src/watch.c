/*
 * watch.c: sees whether bytes move; see watch.h.
 *
 * The multi looks now and then, so callbacks need no clock: a look compares
 * how many bytes have moved with how many had at the last one. While Lua is
 * to supply or take bytes, nobody is late.
 */
#include "watch.h"

#include "wire.h"

#include <math.h>

/* Both ways, heads and bodies; 0 before the first byte was sent. */
static curl_off_t bytes_moved(const Transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_off_t up = 0, down = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
  return up + down + sc_wire_head_sent(transfer) +
         (curl_off_t)transfer->bytes.size;
}

/* The whole request has left and nothing came back yet. */
static int is_awaiting(const Transfer *transfer) {
  curl_off_t up = 0;
  if (transfer->status) return 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &up);
  return up >= transfer->request->source.size;
}

/* The limit that counts at the moment; 0: none. */
static double limit_of(const Transfer *transfer, Late *late) {
  const Request *request = transfer->request;
  *late = LATE_STALL;
  if (transfer->awaiting && request->first_byte_timeout > 0) {
    *late = LATE_FIRST_BYTE;
    return request->first_byte_timeout;
  }
  return request->stall_timeout;
}

static void look_again(Transfer *transfer, double now, double left) {
  const Request *request = transfer->request;
  double first = request->first_byte_timeout, stall = request->stall_timeout;
  double shorter = first > 0 && (first < stall || stall <= 0) ? first : stall;
  transfer->look_at = now + fmin(left, shorter / 8);
}

int sc_watch_begin(Transfer *transfer, double now) {
  const Request *request = transfer->request;
  transfer->late = LATE_NOT;
  transfer->awaiting = 0;
  transfer->moved = 0;
  transfer->moved_at = now;
  if (request->first_byte_timeout <= 0 && request->stall_timeout <= 0) return 0;
  look_again(transfer, now, HUGE_VAL);
  return 1;
}

int sc_watch_is_late(Transfer *transfer, double now) {
  curl_off_t moved = bytes_moved(transfer);
  int awaiting = is_awaiting(transfer);
  double limit, left = HUGE_VAL;
  Late late;
  if (moved != transfer->moved || awaiting != transfer->awaiting ||
      transfer->paused) {
    transfer->moved = moved;
    transfer->awaiting = awaiting;
    transfer->moved_at = now;
  }
  limit = limit_of(transfer, &late);
  /* Before the first byte connect_timeout has the word. */
  if (moved > 0 && limit > 0) left = transfer->moved_at + limit - now;
  if (left <= 0) {
    transfer->late = late;
    return 1;
  }
  look_again(transfer, now, left);
  return 0;
}
