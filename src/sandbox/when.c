/*
 * when.c: RFC 3339 text to nanoseconds and back.
 *
 * Strict in form (`2025-07-07T10:31:26.355Z`, or an offset like +02:00) and
 * in the calendar: the thirtieth of February is no time; a leap second is
 * read as the second after it. The only file that reads the clock for what
 * the service answers.
 */
#include "when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t ahead; /* in seconds; atomic */

When when_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (now.tv_sec + when_ahead()) * WHEN_SECOND + now.tv_nsec;
}

int64_t when_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int64_t when_ahead(void) {
  return __atomic_load_n(&ahead, __ATOMIC_SEQ_CST);
}

bool when_advance(int64_t seconds) {
  int64_t old = when_ahead();
  do
    if (seconds < 0 || seconds > WHEN_MOST_AHEAD - old) return false;
  while (!__atomic_compare_exchange_n(&ahead, &old, old + seconds, false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return true;
}

void when_restore(void) {
  __atomic_store_n(&ahead, 0, __ATOMIC_SEQ_CST);
}

void when_format(When when, char out[WHEN_SIZE]) {
  time_t seconds = when / WHEN_SECOND;
  long rest = when % WHEN_SECOND;
  if (rest < 0) {
    rest += WHEN_SECOND;
    seconds -= 1;
  }
  struct tm tm;
  gmtime_r(&seconds, &tm);
  size_t used = strftime(out, WHEN_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
  size_t room = WHEN_SIZE - used;
  if (rest == 0)
    snprintf(out + used, room, "Z");
  else if (rest % 1000000 == 0)
    snprintf(out + used, room, ".%03ldZ", rest / 1000000);
  else if (rest % 1000 == 0)
    snprintf(out + used, room, ".%06ldZ", rest / 1000);
  else
    snprintf(out + used, room, ".%09ldZ", rest);
}

/* Reads exactly `count` digits and moves on; -1 if they are not there. */
static int digits(const char **text, int count) {
  int value = 0;
  for (; count > 0; count--, (*text)++) {
    if (**text < '0' || **text > '9') return -1;
    value = value * 10 + (**text - '0');
  }
  return value;
}

static bool skip(const char **text, const char *one_of) {
  if (**text == '\0' || !strchr(one_of, **text)) return false;
  (*text)++;
  return true;
}

/* Any number of decimals; those beyond the ninth are cut off. */
static bool fraction(const char **text, long *nanoseconds) {
  long unit = WHEN_SECOND / 10;
  *nanoseconds = 0;
  if (!skip(text, ".")) return true;
  if (**text < '0' || **text > '9') return false;
  for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
    *nanoseconds += (**text - '0') * unit;
  return true;
}

static bool offset(const char **text, long *seconds) {
  *seconds = 0;
  if (skip(text, "Zz")) return true;
  int sign = **text == '-' ? -1 : 1;
  if (!skip(text, "+-")) return false;
  int hours = digits(text, 2);
  if (hours < 0 || hours > 23 || !skip(text, ":")) return false;
  int minutes = digits(text, 2);
  if (minutes < 0 || minutes > 59) return false;
  *seconds = sign * (hours * 3600L + minutes * 60L);
  return true;
}

bool when_parse(const char *text, When *when) {
  struct tm tm = {0};
  long nanoseconds, shift;
  int year = digits(&text, 4);
  if (year < 0 || !skip(&text, "-")) return false;
  int month = digits(&text, 2);
  if (month < 1 || month > 12 || !skip(&text, "-")) return false;
  int day = digits(&text, 2);
  if (day < 1 || !skip(&text, "Tt")) return false;
  tm.tm_year = year - 1900;
  tm.tm_mon = month - 1;
  tm.tm_mday = day;
  time_t midnight = timegm(&tm);
  /* timegm turns the 31st of April into the 1st of May: not a date. */
  if (tm.tm_mday != day || tm.tm_mon != month - 1) return false;

  int hour = digits(&text, 2);
  if (hour < 0 || hour > 23 || !skip(&text, ":")) return false;
  int minute = digits(&text, 2);
  if (minute < 0 || minute > 59 || !skip(&text, ":")) return false;
  int second = digits(&text, 2);
  if (second < 0 || second > 60) return false;
  if (!fraction(&text, &nanoseconds) || !offset(&text, &shift)) return false;
  if (*text != '\0') return false;

  int64_t seconds = midnight + hour * 3600L + minute * 60L + second - shift;
  if (seconds >= INT64_MAX / WHEN_SECOND)
    *when = INT64_MAX;
  else if (seconds <= INT64_MIN / WHEN_SECOND)
    *when = INT64_MIN + 1; /* INT64_MIN itself means "no time" */
  else
    *when = seconds * WHEN_SECOND + nanoseconds;
  return true;
}
