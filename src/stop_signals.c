/*
 * stop_signals.c: holds SIGTERM and SIGINT back; see stop_signals.h.
 */
#include "stop_signals.h"

#include "object.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#define STOP_SIGNALS_TYPE "signicat.stop_signals"

typedef struct StopSignals {
  ObjectHead head;
  int held;
  int came;
  sigset_t set; /* what is looked for */
} StopSignals;

/* Of this thread: so many hold them, and its mask before the first did. One
 * that an error left behind is collected while another holds them. */
static __thread int holders;
static __thread sigset_t mask_before;

static int hold(const sigset_t *set) {
  sigset_t before;
  if (pthread_sigmask(SIG_BLOCK, set, &before) != 0) return 0;
  if (holders++ == 0) mask_before = before;
  return 1;
}

static void let_go(StopSignals *signals) {
  if (!signals->held) return;
  signals->held = 0;
  /* A state may be closed by another thread, which holds nothing. */
  if (holders > 0 && --holders == 0)
    pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

static void add_unless_ignored(sigset_t *set, int number) {
  struct sigaction action;
  if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
    return;
  }
  sigaddset(set, number);
}

int stop_signals_hold(lua_State *L) {
  StopSignals *signals =
      sc_object_new(L, STOP_SIGNALS_TYPE, sizeof *signals, 0);
  sigemptyset(&signals->set);
  add_unless_ignored(&signals->set, SIGTERM);
  add_unless_ignored(&signals->set, SIGINT);
  signals->held = hold(&signals->set);
  return 1;
}

/* Takes those that wait. */
static void look(StopSignals *signals) {
  static const struct timespec at_once = {0, 0};
  int number;
  if (!signals->held) return;
  do {
    number = sigtimedwait(&signals->set, NULL, &at_once);
    if (number > 0) signals->came = 1;
  } while (number > 0 || errno == EINTR);
}

/* came() -> whether one came since they are held. */
static int stop_signals_came(lua_State *L) {
  StopSignals *signals = sc_object_check(L, 1, STOP_SIGNALS_TYPE);
  look(signals);
  lua_pushboolean(L, signals->came);
  return 1;
}

/* release() ends it -> whether one came. May be called twice. */
static int stop_signals_release(lua_State *L) {
  StopSignals *signals = sc_object_check(L, 1, STOP_SIGNALS_TYPE);
  look(signals);
  let_go(signals);
  lua_pushboolean(L, signals->came);
  return 1;
}

/* Nobody would hear of what it took: what waits is left to the process. */
static int stop_signals_gc(lua_State *L) {
  let_go(sc_object_check(L, 1, STOP_SIGNALS_TYPE));
  return 0;
}

void sc_stop_signals_define(lua_State *L) {
  static const luaL_Reg methods[] = {{"came", stop_signals_came},
                                     {"release", stop_signals_release},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", stop_signals_gc}, {NULL, NULL}};
  sc_object_define(L, STOP_SIGNALS_TYPE, methods, meta);
}
