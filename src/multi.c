/*
 * multi.c: adds transfers, lets libcurl work on them and notes which have
 * ended; see multi.h.
 */
#include "multi.h"

#include "error.h"
#include "object.h"

#include <math.h>

static Multi *check_any(lua_State *L, int index) {
  return sc_object_check(L, index, MULTI_TYPE);
}

Multi *sc_multi_check(lua_State *L, int index) {
  Multi *multi = check_any(L, index);
  if (!multi->handle) sc_misuse(L, "the client is closed");
  return multi;
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

/* step(wait) -> how many transfers still run. Does what can be done at once;
 * when nothing ended, waits up to `wait` seconds for something to happen. */
static int multi_step(lua_State *L) {
  Multi *multi = sc_multi_check(L, 1);
  double wait = luaL_optnumber(L, 2, 0);
  int running = 0;
  CURLMcode code = curl_multi_perform(multi->handle, &running);
  if (code != CURLM_OK) {
    return luaL_error(L, "libcurl failed: %s", curl_multi_strerror(code));
  }
  if (collect(multi) == 0 && running > 0 && wait > 0) {
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
  Multi *multi = sc_object_new(L, MULTI_TYPE, sizeof *multi, 0);
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
