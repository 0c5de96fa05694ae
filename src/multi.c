/*
 * multi.c: adds transfers, lets libcurl work on them and notes which have
 * ended; see multi.h.
 */
#include "multi.h"

#include "error.h"
#include "object.h"
#include "watch.h"

#include <math.h>
#include <time.h>

enum { SLOT_SETTINGS = 1 };

static Multi *check_any(lua_State *L, int index) {
  return sc_object_check(L, index, MULTI_TYPE);
}

Multi *sc_multi_check(lua_State *L, int index) {
  Multi *multi = check_any(L, index);
  if (!multi->handle) sc_misuse(L, "the client is closed");
  return multi;
}

void sc_multi_push_settings(lua_State *L, int index) {
  sc_getslot(L, sc_absindex(L, index), SLOT_SETTINGS);
}

int sc_multi_add(Multi *multi, Transfer *transfer) {
  if (curl_multi_add_handle(multi->handle, transfer->easy) != CURLM_OK) {
    return -1;
  }
  transfer->multi = multi;
  transfer->prev = NULL;
  transfer->next = multi->running;
  if (multi->running) multi->running->prev = transfer;
  multi->running = transfer;
  multi->count++;
  return 0;
}

void sc_multi_remove(Multi *multi, Transfer *transfer) {
  curl_multi_remove_handle(multi->handle, transfer->easy);
  if (transfer->prev) {
    transfer->prev->next = transfer->next;
  } else {
    multi->running = transfer->next;
  }
  if (transfer->next) transfer->next->prev = transfer->prev;
  transfer->next = transfer->prev = NULL;
  transfer->multi = NULL;
  multi->count--;
}

/* Takes the ended transfers out of the list. */
static int collect(Multi *multi) {
  CURLMsg *message;
  int left, ended = 0;
  while ((message = curl_multi_info_read(multi->handle, &left))) {
    char *transfer = NULL;
    CURLcode code = message->data.result;
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    sc_transfer_done((Transfer *)(void *)transfer, code);
    ended++;
  }
  return ended;
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Ends the transfers that are late; returns how many, and lowers `*wait` to
 * what the others have left. */
static int end_late(Multi *multi, double *wait) {
  Transfer *transfer = multi->running, *next;
  double now = -1;
  int ended = 0;
  for (; transfer; transfer = next) {
    double left;
    next = transfer->next;
    if (!transfer->watched) continue;
    if (now < 0) now = seconds_now();
    left = sc_watch_left(transfer, now);
    if (left <= 0) {
      sc_transfer_done(transfer, CURLE_OPERATION_TIMEDOUT);
      ended++;
    } else if (left < *wait) {
      *wait = left;
    }
  }
  return ended;
}

/* step(wait) -> how many transfers still run. Does what can be done at once;
 * when nothing ended and nobody in Lua is to supply or take bytes, waits up
 * to `wait` seconds for something to happen. */
static int multi_step(lua_State *L) {
  Multi *multi = sc_multi_check(L, 1);
  double wait = luaL_optnumber(L, 2, 0);
  int running = 0;
  CURLMcode code;
  multi->stirred = 0;
  code = curl_multi_perform(multi->handle, &running);
  if (code != CURLM_OK) {
    return luaL_error(L, "libcurl failed: %s", curl_multi_strerror(code));
  }
  if (collect(multi) + end_late(multi, &wait) == 0 && multi->count > 0 &&
      wait > 0 && !multi->stirred) {
    int ms = wait < 1000 ? (int)ceil(wait * 1000) : 1000000;
    curl_multi_poll(multi->handle, NULL, 0, ms, NULL);
  }
  lua_pushinteger(L, multi->count);
  return 1;
}

/* close() ends the running transfers; they report that they were cancelled.
 * May be called twice. */
static int multi_close(lua_State *L) {
  Multi *multi = check_any(L, 1);
  CURLM *handle = multi->handle;
  if (!handle) return 0;
  while (multi->running) {
    sc_transfer_done(multi->running, CURLE_ABORTED_BY_CALLBACK);
  }
  multi->handle = NULL;
  curl_multi_cleanup(handle);
  return 0;
}

/* curl_global_init counts, and is thread-safe in the libcurl of Debian 12;
 * it is put off until somebody makes a client: require does no work. */
int multi_new(lua_State *L) {
  Multi *multi = sc_object_new(L, MULTI_TYPE, sizeof *multi, SLOT_SETTINGS);
  if (lua_istable(L, 1)) {
    lua_pushvalue(L, 1);
    sc_setslot(L, -2, SLOT_SETTINGS);
  }
  if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
    multi->handle = curl_multi_init();
  }
  if (!multi->handle) return luaL_error(L, "libcurl could not be started");
  return 1;
}

void sc_multi_define(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"step", multi_step}, {"close", multi_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__gc", multi_close}, {"__close", multi_close}, {NULL, NULL}};
  sc_object_define(L, MULTI_TYPE, methods, meta);
}
