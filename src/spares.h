/*
 * spares.h: buffers of answers that were decoded, for the next ones.
 *
 * The C library keeps small blocks at hand, but not those of an answer's size:
 * asking for one anew at each call costs more than reading the answer. So
 * some are kept, of either allocator, the C library's and Lua's, and no large
 * ones. A client and its responses share them; who is last frees them.
 */
#ifndef SC_SPARES_H
#define SC_SPARES_H

#include "buffer.h"

typedef struct Spares Spares;

/* NULL without memory: nothing is spared then. */
Spares *sc_spares_new(void);
Spares *sc_spares_share(Spares *spares);
void sc_spares_release(Spares *spares);

/* Gives an empty buffer memory, if there is some. */
void sc_spares_take(Spares *spares, Buffer *buffer);
/* Leaves a buffer empty; its memory is kept or freed. */
void sc_spares_give(Spares *spares, Buffer *buffer);

#endif
