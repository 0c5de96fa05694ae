/*
 * process.h: a child process that cannot outlive us.
 *
 * The child inherits the reading end of a pipe whose writing end only we
 * hold, close-on-exec; however we end, kill -9 included, the pipe closes and
 * a child that watches it knows. signicat-sandbox does (--parent-fd).
 */
#ifndef SC_PROCESS_H
#define SC_PROCESS_H

#include "compat.h"

#define PROCESS_TYPE "signicat.process"

/* spawn(program, { argument, ... }) -> process, or nil and a plain failure.
 * A program without a slash is looked up in PATH. Standard output is read by
 * us, standard input is empty, and the pipe is descriptor 3. */
int process_spawn(lua_State *L);

void sc_process_define(lua_State *L);

#endif
