/*
 * format.h: the forms that strings of the API have; plain C, no Lua.
 *
 * Each function judges `size` bytes and reads none beyond them. They keep
 * nothing, allocate nothing and do not depend on the locale.
 */
#ifndef SC_FORMAT_H
#define SC_FORMAT_H

#include <stddef.h>

/* A letter or digit of ASCII, whatever the locale says. */
int sc_is_alnum(int c);

/* Unicode code points, or -1 when the bytes are not UTF-8 (RFC 3629: no
 * surrogates, nothing written longer than it has to be). */
long sc_utf8_length(const char *text, size_t size);

/* 8-4-4-4-12 hexadecimal digits of either case, any version and variant. */
int sc_is_uuid(const char *text, size_t size);

/* A date-time of RFC 3339 with at most nine decimals, on a day that exists.
 * `*seconds` becomes the whole seconds since 1970. */
int sc_is_date_time(const char *text, size_t size, double *seconds);

/* A date of HTTP (RFC 9110, IMF-fixdate) on a day that exists and has that
 * name. `*seconds` becomes the seconds since 1970. */
int sc_is_http_date(const char *text, size_t size, double *seconds);

/* An absolute URL: a scheme, a colon and something behind it, in UTF-8,
 * without spaces and control characters; http and https need a host, too.
 * The schemes that apps make up for themselves are as good as any. */
int sc_is_url(const char *text, size_t size);

#endif
