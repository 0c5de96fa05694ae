/*
 * format.c: the forms that strings of the API have; plain C, no Lua.
 *
 * The <ctype.h> of the host follows the host's locale, so the few classes of
 * bytes needed here are spelt out.
 */
#include "format.h"

#include "json_text.h"

#include <string.h>

#define MAX_DECIMALS 9 /* what the service itself writes */

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int sc_is_alnum(int c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z');
}

long sc_utf8_length(const char *text, size_t size) {
  const unsigned char *s = (const unsigned char *)text;
  long count = 0;
  while (size > 0) {
    size_t step = s[0] < 0x80 ? 1 : sc_utf8_size(s, size);
    if (step == 0) return -1;
    s += step;
    size -= step;
    count++;
  }
  return count;
}

int sc_is_uuid(const char *text, size_t size) {
  static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (size != sizeof form - 1) return 0;
  for (size_t i = 0; i < size; i++)
    if (form[i] == 'x' ? !is_hex(text[i]) : text[i] != '-') return 0;
  return 1;
}

/* Dates */

/* The number that `count` digits write, -1 if they are not digits. */
static int number(const char *s, int count) {
  int value = 0;
  for (int i = 0; i < count; i++) {
    if (!is_digit(s[i])) return -1;
    value = value * 10 + (s[i] - '0');
  }
  return value;
}

static int days_in_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970 in the Gregorian calendar. The year is counted from March,
 * so that a leap day is its last one and the months before it fit a line. */
static long days_since_1970(int year, int month, int day) {
  long y = year - (month <= 2);
  long m = (month + 9) % 12;
  long leaps = y >= 0 ? y / 4 - y / 100 + y / 400 : -1;
  return 365 * y + leaps + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* Minutes east of UTC from "Z" or "+hh:mm"; 0 if it is neither. */
static int read_zone(const char *s, size_t left, int *minutes) {
  int hour, minute;
  *minutes = 0;
  if (left == 1) return *s == 'Z' || *s == 'z';
  if (left != 6 || (*s != '+' && *s != '-') || s[3] != ':') return 0;
  hour = number(s + 1, 2);
  minute = number(s + 4, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return 0;
  *minutes = (hour * 60 + minute) * (*s == '-' ? -1 : 1);
  return 1;
}

/* RFC 3339 lets T and Z be lower case, and OpenAPI's date-time is that RFC;
 * the space it tolerates instead of the T is no part of its grammar. Second
 * 60 is a leap second, found only in the last minute of a UTC day. */
int sc_is_date_time(const char *text, size_t size, double *seconds) {
  static const char form[] = "0000-00-00T00:00:00";
  size_t at = sizeof form - 1;
  int year, month, day, hour, minute, second, zone;
  if (size <= at) return 0;
  for (size_t i = 0; i < at; i++)
    if (form[i] != '0' && text[i] != form[i] && !(i == 10 && text[i] == 't'))
      return 0;
  year = number(text, 4);
  month = number(text + 5, 2);
  day = number(text + 8, 2);
  hour = number(text + 11, 2);
  minute = number(text + 14, 2);
  second = number(text + 17, 2);
  if (year < 0 || month < 1 || month > 12) return 0;
  if (day < 1 || day > days_in_month(year, month)) return 0;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return 0;
  if (second < 0 || second > 60) return 0;
  if (text[at] == '.') {
    size_t first = ++at;
    while (at < size && is_digit(text[at]))
      at++;
    if (at == first || at - first > MAX_DECIMALS) return 0;
  }
  if (at == size || !read_zone(text + at, size - at, &zone)) return 0;
  minute += hour * 60 - zone;
  if (second == 60 && (minute + 1440) % 1440 != 23 * 60 + 59) return 0;
  *seconds =
      days_since_1970(year, month, day) * 86400.0 + minute * 60.0 + second;
  return 1;
}

/* The month, from 1, that three letters name; 0 if they name none. */
static int month_of(const char *s) {
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int i = 0; i < 12; i++)
    if (memcmp(names + i * 3, s, 3) == 0) return i + 1;
  return 0;
}

/* The two forms that HTTP calls obsolete are not read: no server that states
 * its API in JSON writes them. */
int sc_is_http_date(const char *text, size_t size, double *seconds) {
  static const char form[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
  static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* from 1970 on */
  int day, month, year, hour, minute, second;
  long days;
  if (size != sizeof form - 1) return 0;
  for (size_t i = 0; i < size; i++)
    if (!strchr("0Aa", form[i]) && text[i] != form[i]) return 0;
  day = number(text + 5, 2);
  month = month_of(text + 8);
  year = number(text + 12, 4);
  hour = number(text + 17, 2);
  minute = number(text + 20, 2);
  second = number(text + 23, 2);
  if (year < 1970 || month < 1) return 0;
  if (day < 1 || day > days_in_month(year, month)) return 0;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return 0;
  if (second < 0 || second > 60) return 0;
  days = days_since_1970(year, month, day);
  if (memcmp(weekdays + days % 7 * 3, text, 3) != 0) return 0;
  *seconds = days * 86400.0 + hour * 3600.0 + minute * 60.0 + second;
  return 1;
}

/* URLs */

static int is_scheme(const char *text, size_t size, const char *name) {
  if (size != strlen(name)) return 0;
  for (size_t i = 0; i < size; i++)
    if ((text[i] | 0x20) != name[i]) return 0;
  return 1;
}

/* Whether what follows "http:" is "//", perhaps a user, and a host. */
static int has_host(const char *s, const char *end) {
  const char *stop;
  if (end - s < 3 || s[0] != '/' || s[1] != '/') return 0;
  s += 2;
  for (stop = s; stop < end && strchr("/?#", *stop) == NULL; stop++)
    if (*stop == '@') s = stop + 1;
  return s < stop && *s != ':';
}

int sc_is_url(const char *text, size_t size) {
  size_t scheme = 0;
  for (size_t i = 0; i < size; i++)
    if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f) return 0;
  if (size == 0 || !is_alpha(text[0]) || sc_utf8_length(text, size) < 0)
    return 0;
  while (scheme < size &&
         (is_alpha(text[scheme]) || is_digit(text[scheme]) ||
          text[scheme] == '+' || text[scheme] == '-' || text[scheme] == '.'))
    scheme++;
  if (scheme + 1 >= size || text[scheme] != ':') return 0;
  if (is_scheme(text, scheme, "http") || is_scheme(text, scheme, "https"))
    return has_host(text + scheme + 1, text + size);
  return 1;
}
