/*
 * scratch.h: a Buffer that Lua owns.
 *
 * Working memory of C code that also calls Lua. The buffer sits in a userdata
 * on the stack and takes its bytes from the state's own allocator, so a host
 * that caps its Lua caps us too, and an error that jumps leaves a buffer the
 * collector frees. Whoever comes to the end alive frees it at once with
 * sc_buffer_free.
 */
#ifndef SC_SCRATCH_H
#define SC_SCRATCH_H

#include "buffer.h"
#include "compat.h"

/* Pushes the userdata; the buffer lives as long as it stays reachable. */
Buffer *sc_scratch_push(lua_State *L);

/* Makes room for `extra` more bytes; raises when there is none even after a
 * full collection. */
void sc_scratch_reserve(lua_State *L, Buffer *b, size_t extra);

/* Raises what Lua itself says when memory ends. */
int sc_raise_memory(lua_State *L);

#endif
