/*
 * text.c: counting, checking and folding UTF-8.
 *
 * Folding asks the C library's own UTF-8 locale for each character, so the
 * user's locale changes nothing; where that locale is missing only ASCII
 * letters fold. One character for one: enough to search titles by.
 */
#include "text.h"

#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

static locale_t folding;

static void open_locale(void) {
  folding = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

size_t text_length(const char *text) {
  size_t length = 0;
  for (; *text; text++)
    length += (*text & 0xc0) != 0x80;
  return length;
}

/* Reads one code point; its size in bytes, or 0 if it is malformed. */
static size_t decode(const unsigned char *s, uint32_t *point) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t size = s[0] < 0x80             ? 1
                : (s[0] & 0xe0) == 0xc0 ? 2
                : (s[0] & 0xf0) == 0xe0 ? 3
                : (s[0] & 0xf8) == 0xf0 ? 4
                                        : 0;
  if (size == 0) return 0;
  *point = size == 1 ? s[0] : s[0] & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; i++) {
    if ((s[i] & 0xc0) != 0x80) return 0; /* also stops at the text's end */
    *point = *point << 6 | (s[i] & 0x3fu);
  }
  bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
  return *point < least[size] || *point > 0x10ffff || surrogate ? 0 : size;
}

static size_t encode(uint32_t point, char *out) {
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; i--, point >>= 6)
    out[i] = (char)(0x80 | (point & 0x3f));
  out[0] = (char)(0xf00u >> size | point);
  return size;
}

bool text_is_utf8(const char *text) {
  const unsigned char *s = (const unsigned char *)text;
  uint32_t point;
  for (size_t size; *s; s += size)
    if ((size = decode(s, &point)) == 0) return false;
  return true;
}

char *text_fold(const char *text) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_locale);
  const unsigned char *s = (const unsigned char *)text;
  /* A character of one byte stays one; others take at most four. */
  char *out = malloc(2 * strlen(text) + 1), *at = out;
  if (!out) return NULL;
  while (*s) {
    uint32_t point = *s;
    size_t size = decode(s, &point);
    if (size == 0) { /* not UTF-8: the byte stands for itself */
      *at++ = (char)*s++;
      continue;
    }
    if (point < 0x80)
      point += point >= 'A' && point <= 'Z' ? 'a' - 'A' : 0;
    else if (folding)
      point = (uint32_t)towlower_l((wint_t)point, folding);
    at += encode(point, at);
    s += size;
  }
  *at = '\0';
  return out;
}
