/*
 * when.h: points in time, as the API writes them and as the store keeps them.
 *
 * A time is nanoseconds since 1970 in UTC. Text is RFC 3339; what is written
 * is always UTC with as many decimals as it takes (none, 3, 6 or 9). Times
 * beyond what 64 bits hold (years 1677 to 2262) are read as the nearest that
 * fits: a filter's "until 9999" means what it says.
 *
 * "Now" is the system's clock plus what tests have moved it ahead, for all
 * threads alike; it only ever moves on, except that it can be set right.
 */
#ifndef SANDBOX_WHEN_H
#define SANDBOX_WHEN_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t When;

#define WHEN_NONE INT64_MIN
#define WHEN_SECOND INT64_C(1000000000)
#define WHEN_MINUTE (60 * WHEN_SECOND)
#define WHEN_DAY (1440 * WHEN_MINUTE)
#define WHEN_SIZE 40 /* bytes of the text, with its end */

#define WHEN_MOST_AHEAD (INT64_C(3650) * 86400) /* seconds */

When when_now(void);
/* Milliseconds of a clock that nobody moves or sets right, for durations. */
int64_t when_milliseconds(void);
/* Moves the clock on, up to WHEN_MOST_AHEAD in all; false: not moved. */
bool when_advance(int64_t seconds);
int64_t when_ahead(void); /* in seconds */
void when_restore(void);
void when_format(When when, char out[WHEN_SIZE]);
bool when_parse(const char *text, When *when);

#endif
