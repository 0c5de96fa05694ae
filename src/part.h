/*
 * part.h: where the bytes of a document go once its headers are there, and
 * what becomes of them when it breaks off. Of all transports; no sockets.
 */
#ifndef SC_PART_H
#define SC_PART_H

#include "compat.h"
#include "message.h"

/* Bytes that came but are not what the sink needs. */
typedef enum Misfit {
  MISFIT_NONE,
  MISFIT_PART, /* 206, unasked or another part than was asked for */
  MISFIT_WHOLE /* from the first byte on, for a writer that has some */
} Misfit;

/* The headers of a success, in `size` bytes of lines, are there and announce
 * so many bytes, or -1: decides where these go, and keeps what it takes to go
 * on after a break. */
Misfit sc_part_begin(Request *request, int status, const char *lines,
                     size_t size, int64_t announced);

/* Pushes nil and the failure of the request's own file or of a misfit and
 * returns 2; pushes nothing and returns 0 when there is neither. */
int sc_part_push_failure(lua_State *L, const Request *request, Misfit misfit);

/* The request failed, as the table on top of the stack says. What came of its
 * document is held to be continued, if going on can mend it; else it is
 * removed, and a writer that has a part is not tried again. */
void sc_part_end(lua_State *L, Request *request, int can_mend);

#endif
