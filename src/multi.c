/*
 * multi.c: adds transfers, lets libcurl work on them and notes which Lua has
 * to look at; see multi.h.
 */
#include "multi.h"

#include "aside.h"
#include "error.h"
#include "excess.h"
#include "forks.h"
#include "object.h"
#include "tickets.h"
#include "watch.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SLOT_SETTINGS = 1, SLOT_TICKETS };

/* Kept open for later calls, besides those in use. libcurl looks after each of
 * them once a second, all in one turn. */
#define MAX_IDLE 64L

static Multi *check_any(lua_State *L, int index) {
  return sc_object_check(L, index, MULTI_TYPE);
}

static int is_open(const Multi *multi) {
  return multi->sockets.set != 0;
}

Multi *sc_multi_check(lua_State *L, int index) {
  Multi *multi = check_any(L, index);
  if (sc_multi_part(multi) != 0) {
    luaL_error(L, "libcurl could not be started after a fork");
  }
  if (!is_open(multi)) sc_misuse(L, "the client is closed");
  return multi;
}

void sc_multi_push_settings(lua_State *L, int index) {
  sc_getslot(L, sc_absindex(L, index), SLOT_SETTINGS);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#define SET(option, value) \
  (void)curl_multi_setopt(multi->handle, CURLMOPT_##option, value)

/* ---- transfers ---------------------------------------------------------- */

static int start(Multi *multi);
static void renew(Multi *multi);

static void count(Multi *multi, int more) {
  multi->count += more;
  SET(MAXCONNECTS, MAX_IDLE + multi->count);
}

int sc_multi_add(Multi *multi, Transfer *transfer) {
  renew(multi);
  if (!multi->handle && start(multi) != 0) return -1;
  if (sc_watch_begin(transfer, seconds_now()) &&
      sc_alarms_add(&multi->alarms, transfer) != 0) {
    return -1;
  }
  /* A new connection waits whether one under way can be shared; not while
   * that one may wait for Lua, and Lua for this, nor where TLS does not tell
   * ahead of an answer. */
  (void)curl_easy_setopt(
      transfer->easy, CURLOPT_PIPEWAIT,
      (long)(multi->streaming == 0 &&
             strncmp(transfer->request->url, "https:", 6) == 0));
  if (curl_multi_add_handle(multi->handle, transfer->easy) != CURLM_OK) {
    sc_alarms_remove(&multi->alarms, transfer);
    multi->is_spent = 1;
    return -1;
  }
  transfer->multi = multi;
  transfer->prev = NULL;
  transfer->next = multi->running;
  if (multi->running) multi->running->prev = transfer;
  multi->running = transfer;
  multi->streaming += transfer->request->streams;
  count(multi, 1);
  return 0;
}

/* Around all that may write, also within each other: the system is called for
 * the outermost alone. */
static void hold(Multi *multi) {
  if (multi->sigpipes && multi->holds++ == 0) sc_sigpipe_hold(&multi->sigpipe);
}

static void let_go(Multi *multi) {
  if (multi->sigpipes && --multi->holds == 0)
    sc_sigpipe_release(&multi->sigpipe);
}

void sc_multi_remove(Multi *multi, Transfer *transfer) {
  hold(multi);
  curl_multi_remove_handle(multi->handle, transfer->easy);
  let_go(multi);
  sc_multi_dequeue(multi, QUEUE_RESTING, transfer);
  sc_alarms_remove(&multi->alarms, transfer);
  if (transfer->prev) {
    transfer->prev->next = transfer->next;
  } else {
    multi->running = transfer->next;
  }
  if (transfer->next) transfer->next->prev = transfer->prev;
  transfer->next = transfer->prev = NULL;
  transfer->multi = NULL;
  multi->streaming -= transfer->request->streams;
  count(multi, -1);
}

void sc_multi_unpause(Transfer *transfer) {
  CURLcode code;
  hold(transfer->home);
  code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
  let_go(transfer->home);
  /* No callback of ours ends one here: libcurl could not watch the socket. */
  if (code == CURLE_ABORTED_BY_CALLBACK) code = CURLE_OUT_OF_MEMORY;
  if (code == CURLE_OUT_OF_MEMORY) transfer->home->is_spent = 1;
  if (code != CURLE_OK) sc_transfer_done(transfer, code);
}

/* ---- queues ------------------------------------------------------------- */

void sc_multi_enqueue(Multi *multi, int queue, Transfer *transfer) {
  if (transfer->is_in[queue]) return;
  transfer->is_in[queue] = 1;
  transfer->next_in[queue] = NULL;
  if (multi->first[queue]) {
    multi->last[queue]->next_in[queue] = transfer;
  } else {
    multi->first[queue] = transfer;
  }
  multi->last[queue] = transfer;
}

void sc_multi_dequeue(Multi *multi, int queue, Transfer *transfer) {
  Transfer *before = NULL, *it = multi->first[queue];
  if (!transfer->is_in[queue]) return;
  for (; it != transfer; it = it->next_in[queue])
    before = it;
  if (before) {
    before->next_in[queue] = transfer->next_in[queue];
  } else {
    multi->first[queue] = transfer->next_in[queue];
  }
  if (multi->last[queue] == transfer) multi->last[queue] = before;
  transfer->is_in[queue] = 0;
}

/* Takes the first one, if there is one. */
static Transfer *take(Multi *multi, int queue) {
  Transfer *first = multi->first[queue];
  if (first) sc_multi_dequeue(multi, queue, first);
  return first;
}

/* ---- what libcurl waits for --------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context,
                     void *unused) {
  Multi *multi = context;
  int wanted = 0;
  (void)easy, (void)unused;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) wanted |= SOCKET_READ;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) wanted |= SOCKET_WRITE;
  return sc_sockets_watch(&multi->sockets, socket, wanted);
}

static int on_timer(CURLM *handle, long milliseconds, void *context) {
  Multi *multi = context;
  (void)handle;
  multi->due =
      milliseconds < 0 ? HUGE_VAL : seconds_now() + (double)milliseconds / 1e3;
  return 0;
}

/* Takes the ended transfers out of the list. */
static void collect(Multi *multi) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(multi->handle, &left))) {
    char *transfer = NULL;
    CURLcode code = message->data.result;
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    if (code == CURLE_OUT_OF_MEMORY) multi->is_spent = 1;
    sc_transfer_done((Transfer *)(void *)transfer, code);
  }
}

/* 0, or -1 and there is no handle. */
static int start(Multi *multi) {
  multi->is_spent = 0;
  multi->due = HUGE_VAL;
  multi->handle = curl_multi_init();
  if (!multi->handle) return -1;
  SET(SOCKETFUNCTION, on_socket);
  SET(SOCKETDATA, multi);
  SET(TIMERFUNCTION, on_timer);
  SET(TIMERDATA, multi);
  return 0;
}

static void stop(Multi *multi) {
  CURLM *handle = multi->handle;
  multi->handle = NULL;
  hold(multi);
  curl_multi_cleanup(handle);
  let_go(multi);
}

/* libcurl gave up, mostly for want of memory, and does not say on whose
 * transfer: all of them end. Where it was one alone, only those do that were
 * not sent yet: they may wait for a connection that nobody makes any more. */
static void give_up(Multi *multi, CURLMcode why) {
  CURLcode code = why == CURLM_OK || why == CURLM_OUT_OF_MEMORY
                      ? CURLE_OUT_OF_MEMORY
                      : CURLE_RECV_ERROR;
  Transfer *it = multi->running, *next;
  for (; it; it = next) {
    next = it->next;
    if (why == CURLM_OK && it->sends > 0) continue;
    snprintf(it->message, sizeof it->message, "%s",
             why == CURLM_OK ? "Out of memory" : curl_multi_strerror(why));
    sc_transfer_done(it, code);
  }
  multi->is_spent = 1;
}

/* What libcurl is left with when it had no memory may crash it later (7.88
 * divides by the size of a table that it could not make). Once no transfer
 * needs it any more, a new handle is made for the next one. */
static void renew(Multi *multi) {
  if (!multi->is_spent || multi->count > 0) return;
  if (multi->handle) stop(multi);
  multi->due = HUGE_VAL;
}

static void act(Multi *multi, curl_socket_t socket, int ready) {
  int mask = (ready & SOCKET_READ ? CURL_CSELECT_IN : 0) |
             (ready & SOCKET_WRITE ? CURL_CSELECT_OUT : 0) |
             (ready & SOCKET_BROKEN ? CURL_CSELECT_ERR : 0);
  int running;
  CURLMcode code;
  if (!multi->handle) return;
  multi->timers = socket == CURL_SOCKET_TIMEOUT ? multi->timers + 1 : 0;
  /* What it still wants by then, it says anew. */
  if (multi->timers > 0) multi->due = HUGE_VAL;
  multi->sent = !TRANSFER_KNOWS_RESENDS;
  hold(multi);
  code = curl_multi_socket_action(multi->handle, socket, mask, &running);
  collect(multi);
  if (code != CURLM_OK || multi->is_spent) give_up(multi, code);
  renew(multi);
  let_go(multi);
}

/* Looks at the transfer that is first in need of it, if its time has come and
 * all that was ready by then has had its turn: whoever turns late is not to
 * take bytes that are here for none. */
static int look(Multi *multi, double now) {
  Transfer *first = sc_alarms_first(&multi->alarms);
  if (!first || first->look_at > now) return 0;
  if (first->look_at > multi->asked || sc_sockets_found(&multi->sockets))
    return 0;
  if (sc_watch_is_late(first, now)) {
    sc_transfer_done(first, CURLE_OPERATION_TIMEDOUT);
  } else {
    sc_alarms_put_off(&multi->alarms);
  }
  return 1;
}

/* How long nothing will happen without a socket. */
static double quiet(const Multi *multi, double now) {
  const Transfer *first = sc_alarms_first(&multi->alarms);
  double left = multi->due - now;
  if (first && first->look_at - now < left) left = first->look_at - now;
  return left > 0 ? left : 0;
}

/* The one that has rested longest gets its next slice. */
static int go_on(Multi *multi) {
  Transfer *transfer = take(multi, QUEUE_RESTING);
  transfer->fed = 0;
  multi->was_rest = 1;
  /* Else it goes on when Lua has looked. */
  if (!transfer->paused) sc_multi_unpause(transfer);
  return 1;
}

Crew *sc_multi_crew(Multi *multi) {
  Crew *crew = multi->crew;
  if (crew || !is_open(multi)) return crew;
  crew = sc_crew_new();
  if (crew &&
      sc_sockets_watch(&multi->sockets, sc_crew_bell(crew), SOCKET_READ) != 0) {
    sc_crew_release(crew);
    crew = NULL;
  }
  multi->crew = crew;
  return crew;
}

static int serve(Multi *multi, int socket, int ready) {
  if (!multi->crew || socket != sc_crew_bell(multi->crew)) {
    act(multi, socket, ready);
  } else if (!multi->done) { /* else it goes on ringing */
    multi->done = sc_crew_take(multi->crew);
  }
  return 1;
}

static int serve_timer(Multi *multi) {
  act(multi, CURL_SOCKET_TIMEOUT, 0);
  return 1;
}

/* The timer has so many turns before the system is asked for sockets. */
#define MOST_TIMERS 8

/* Whether it is the timer's turn: those that were found come first. */
static int is_timely(const Multi *multi, double now) {
  int most = sc_sockets_found(&multi->sockets) ? 1 : MOST_TIMERS;
  return multi->due <= now && multi->timers < most;
}

/* One turn; whether something was done. Sockets and the timer take turns when
 * both have something. */
static int take_turn(Multi *multi, double wait, double now) {
  int ready, socket;
  if (look(multi, now)) return 1;
  if (multi->first[QUEUE_RESTING]) {
    if (!multi->was_rest) return go_on(multi);
    wait = 0;
  }
  multi->was_rest = 0;
  if (is_timely(multi, now)) return serve_timer(multi);
  wait = multi->first[QUEUE_READY] ? 0 : fmin(wait, quiet(multi, now));
  /* A wait that a signal ended says nothing of those ready at its end. */
  if (!sc_sockets_found(&multi->sockets)) multi->asked = now;
  socket = sc_sockets_wait(&multi->sockets, wait, &ready);
  if (socket >= 0) return serve(multi, socket, ready);
  if (wait > 0) now = seconds_now();
  if (multi->due <= now) return serve_timer(multi);
  return multi->first[QUEUE_RESTING] ? go_on(multi) : look(multi, now);
}

/* Turns that are taken before Lua has the word again, for its hooks. */
#define MOST_TURNS 64

static int needs_lua(const Multi *multi) {
  return multi->first[QUEUE_READY] || multi->done;
}

/* Turns for up to `wait` seconds or until Lua is needed; then all that were
 * found ready have theirs, too: Lua's work is done together, and so is
 * libcurl's. Whether something was done. */
static int take_turns(Multi *multi, double wait) {
  double now = seconds_now(), ends = now + wait;
  int done = 0;
  while (done < MOST_TURNS) {
    if (needs_lua(multi) && !sc_sockets_found(&multi->sockets)) break;
    if (done > 0) now = seconds_now();
    if (now >= ends || !take_turn(multi, ends - now, now)) break;
    done++;
  }
  return done > 0;
}

/* Pushes the key of what Lua has to look at, or nil. */
static void push_ready(lua_State *L, Multi *multi) {
  Transfer *transfer = multi->done ? NULL : take(multi, QUEUE_READY);
  if (transfer) {
    lua_pushlightuserdata(L, transfer);
  } else if (multi->done) {
    lua_pushlightuserdata(L, multi->done);
    multi->done = NULL;
  } else {
    lua_pushnil(L);
  }
}

/* ready() -> the key of another one, or nil, as when it was closed. */
static int multi_ready(lua_State *L) {
  push_ready(L, check_any(L, 1));
  return 1;
}

/* turn(wait) -> the key of a transfer, or of what was done aside, that Lua has
 * to look at, or nil; and whether something was done.
 * Without `wait` it does one thing, for one socket or one timer. With it, it
 * goes on for up to so many seconds, until Lua has something to look at. */
static int multi_turn(lua_State *L) {
  Multi *multi = sc_multi_check(L, 1);
  double wait = luaL_optnumber(L, 2, 0);
  int done =
      wait > 0 ? take_turns(multi, wait) : take_turn(multi, 0, seconds_now());
  push_ready(L, multi);
  lua_pushboolean(L, done);
  return 2;
}

/* running() -> how many transfers, and jobs done aside, are under way. */
static int multi_running(lua_State *L) {
  const Multi *multi = check_any(L, 1);
  lua_pushinteger(L, multi->count + multi->asides);
  return 1;
}

/* descriptor() -> one that is readable while a socket is ready. */
static int multi_descriptor(lua_State *L) {
  lua_pushinteger(L, sc_sockets_descriptor(&sc_multi_check(L, 1)->sockets));
  return 1;
}

/* timeout() -> seconds after which a turn has something to do, whatever the
 * sockets; nothing if there is no such moment. */
static int multi_timeout(lua_State *L) {
  const Multi *multi = sc_multi_check(L, 1);
  int waits = !multi->first[QUEUE_READY] && !multi->first[QUEUE_RESTING];
  double left = waits ? quiet(multi, seconds_now()) : 0;
  if (left == HUGE_VAL) return 0;
  lua_pushnumber(L, left);
  return 1;
}

/* ---- beginning and end -------------------------------------------------- */

/* 0, or -1 and nothing is open. */
static int begin(Multi *multi) {
  errno = ENOMEM; /* unless a descriptor is what is missing */
  multi->knows_tls = sc_excess_knows_tls();
  multi->sigpipes = sc_sigpipe_may_come();
  multi->fork = sc_forks_seen();
  if (sc_forks_begin() != 0) return -1;
  if (sc_sockets_open(&multi->sockets) != 0) return -1;
  if (start(multi) == 0) return 0;
  sc_sockets_close(&multi->sockets);
  return -1;
}

static int is_inherited(const Multi *multi) {
  return multi->fork != sc_forks_seen();
}

/* Ends what runs and closes everything. A child parts from its connections
 * first: ending them properly would say so to the server, on TLS. */
static void end(Multi *multi) {
  int inherited = is_inherited(multi);
  if (!is_open(multi)) return;
  if (inherited) sc_sockets_part(&multi->sockets);
  while (multi->running) {
    Transfer *transfer = multi->running;
    sc_transfer_done(transfer, CURLE_ABORTED_BY_CALLBACK);
    if (transfer->request->sink.kind == SINK_FILE) {
      sc_sink_abort(&transfer->request->sink);
    }
    if (inherited) {
      snprintf(transfer->message, sizeof transfer->message,
               "the process was forked; the call is its parent's");
    }
  }
  if (multi->handle) stop(multi);
  sc_sockets_close(&multi->sockets);
  if (multi->crew) sc_crew_release(multi->crew);
  multi->crew = NULL;
  multi->done = NULL;
  multi->asides = 0;
}

int sc_multi_part(Multi *multi) {
  if (!is_open(multi) || !is_inherited(multi)) return 0;
  end(multi);
  return begin(multi);
}

/* close() ends the running transfers; they report that they were cancelled.
 * May be called twice. */
static int multi_close(lua_State *L) {
  Multi *multi = check_any(L, 1);
  end(multi);
  while (take(multi, QUEUE_READY)) {}
  sc_alarms_free(&multi->alarms);
  sc_spares_release(multi->spares);
  multi->spares = NULL;
  return 0;
}

/* curl_global_init counts, and is thread-safe in the libcurl of Debian 12;
 * it is put off until somebody makes a client: require does no work. */
int multi_new(lua_State *L) {
  Multi *multi = sc_object_new(L, MULTI_TYPE, sizeof *multi, SLOT_TICKETS);
  if (lua_istable(L, 1)) {
    lua_pushvalue(L, 1);
    sc_setslot(L, -2, SLOT_SETTINGS);
  }
  multi->spares = sc_spares_new();
  errno = ENOMEM;
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
      !(multi->tickets = sc_tickets_push(L)) || begin(multi) != 0) {
    int is_io = errno == EMFILE || errno == ENFILE;
    return sc_fail(L, is_io ? "io" : "memory", "%s",
                   is_io ? "the system has no descriptor left for a client"
                         : "libcurl could not be started");
  }
  sc_setslot(L, -2, SLOT_TICKETS);
  return 1;
}

void sc_multi_define(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"turn", multi_turn},       {"ready", multi_ready},
      {"running", multi_running}, {"descriptor", multi_descriptor},
      {"timeout", multi_timeout}, {"aside", aside_new},
      {"close", multi_close},     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__gc", multi_close}, {"__close", multi_close}, {NULL, NULL}};
  sc_object_define(L, MULTI_TYPE, methods, meta);
}
