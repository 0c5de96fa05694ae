/*
 * stop_signals.h: SIGTERM and SIGINT wait until a program looks for them.
 *
 * While they are held they are blocked in this thread, and a look takes those
 * that came. No signal's handler is touched, and a signal that the process
 * ignores is left alone. What threads begun before do with them is theirs.
 */
#ifndef SC_STOP_SIGNALS_H
#define SC_STOP_SIGNALS_H

#include "compat.h"

/* hold_signals() -> an object that holds them until its release, or until it
 * is collected. */
int stop_signals_hold(lua_State *L);
void sc_stop_signals_define(lua_State *L);

#endif
