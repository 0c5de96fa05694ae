/*
 * json_number.c: numbers to and from JSON's notation, in any locale.
 *
 * Reading hands strtod a number without its point: the digits, then an
 * exponent that makes up for it. Writing lets printf set whatever point the
 * locale has and replaces it.
 */
#include "json_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The exact middle between two doubles has at most 767 digits. Of a longer
 * number only whether anything follows matters; a last 1 says so. */
#define DIGITS_THAT_MATTER 768
/* Far beyond the reach of a double, yet safe to add a text's length to. */
#define EXPONENT_LIMIT 1000000000000
#define MAX_EXACT_INTEGER 9007199254740992.0 /* 2^53 */

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The number behind an `e`, or a limit it is beyond. */
static int64_t read_exponent(const char *p, const char *end) {
  int64_t value = 0;
  int negative = *p == '-';
  if (!is_digit(*p)) p++;
  for (; p < end && value < EXPONENT_LIMIT; p++)
    value = value * 10 + (*p - '0');
  return negative ? -value : value;
}

double sc_number_read(const char *text, size_t size) {
  char plain[DIGITS_THAT_MATTER + 32];
  const char *p = text, *end = text + size;
  int64_t exponent = 0;
  size_t digits = 0;
  int behind_point = 0, cut = 0;
  int negative = *p == '-';
  for (p += negative; p < end && (is_digit(*p) || *p == '.'); p++) {
    if (*p == '.') {
      behind_point = 1;
      continue;
    }
    exponent -= behind_point;
    if (digits == 0 && *p == '0') continue;
    if (digits < DIGITS_THAT_MATTER) {
      plain[digits++] = *p;
    } else {
      cut |= *p != '0';
      exponent++;
    }
  }
  if (digits == 0) return negative ? -0.0 : 0.0;
  if (cut) {
    plain[digits++] = '1';
    exponent--;
  }
  if (p < end) exponent += read_exponent(p + 1, end);
  if (exponent > 99999) exponent = 99999;
  if (exponent < -99999) exponent = -99999;
  snprintf(plain + digits, sizeof plain - digits, "e%d", (int)exponent);
  double value = strtod(plain, NULL);
  return negative ? -value : value;
}

int sc_integer_read(const char *text, size_t size, int64_t *value) {
  int negative = text[0] == '-';
  uint64_t limit = (uint64_t)INT64_MAX + (uint64_t)negative, sum = 0;
  for (size_t i = (size_t)negative; i < size; i++) {
    uint64_t digit = (uint64_t)(text[i] - '0');
    if (sum > (limit - digit) / 10) return 0;
    sum = sum * 10 + digit;
  }
  /* Two's complement, without naming a positive 2^63. */
  *value = negative ? (int64_t)(~sum + 1) : (int64_t)sum;
  return 1;
}

size_t sc_integer_write(int64_t value, char *out) {
  char reversed[24];
  size_t digits = 0, size = 0;
  uint64_t rest = value < 0 ? ~(uint64_t)value + 1 : (uint64_t)value;
  do {
    reversed[digits++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0) out[size++] = '-';
  while (digits > 0)
    out[size++] = reversed[--digits];
  return size;
}

/* Puts a plain point where the locale's was, which may be several bytes. */
static size_t plain_point(char *text) {
  size_t size = 0;
  for (const char *p = text; *p != '\0'; p++) {
    if (is_digit(*p) || *p == '-' || *p == '+' || *p == 'e')
      text[size++] = *p;
    else if (size > 0 && text[size - 1] != '.')
      text[size++] = '.';
  }
  return size;
}

size_t sc_number_write(double value, char *out) {
  size_t size = 0;
  if (fabs(value) <= MAX_EXACT_INTEGER && value == (double)(int64_t)value) {
    if (signbit(value) && value == 0) out[size++] = '-';
    return size + sc_integer_write((int64_t)value, out + size);
  }
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(out, SC_NUMBER_SIZE, "%.*g", precision, value);
    size = plain_point(out);
    if (sc_number_read(out, size) == value) break;
  }
  return size;
}
