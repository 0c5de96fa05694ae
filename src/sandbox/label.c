/*
 * label.c: decodes UTF-8 strictly, writes it as the format around it wants.
 *
 * Overlong forms, surrogates and values past U+10FFFF are not characters.
 * Nothing is normalised and nothing is judged: any script may sign.
 */
#include "label.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

/* Decodes the character at `s`, which has not ended; gives its length. */
static size_t decode(const unsigned char *s, uint32_t *code) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = s[0] < 0x80             ? 1
                  : (s[0] & 0xE0) == 0xC0 ? 2
                  : (s[0] & 0xF0) == 0xE0 ? 3
                  : (s[0] & 0xF8) == 0xF0 ? 4
                                          : 0;
  *code = REPLACEMENT;
  if (length == 0) return 1;
  uint32_t value = length == 1 ? s[0] : s[0] & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((s[i] & 0xC0) != 0x80) return 1; /* the ending NUL stops here too */
    value = value << 6 | (s[i] & 0x3Fu);
  }
  if (value < least[length] || value > 0x10FFFF) return 1;
  if (value >= 0xD800 && value <= 0xDFFF) return 1;
  *code = value;
  return length;
}

/* What is no letter but turns the line around (U+202E and its like), or ends
 * it. */
static bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) ||
         (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

char *label_clean(const char *text, size_t most) {
  static const char replacement[] = "\xEF\xBF\xBD";
  const unsigned char *from = (const unsigned char *)text;
  /* A stray byte grows to the three of U+FFFD. */
  char *clean = malloc(strlen(text) * 3 + 1), *to = clean;
  if (clean == NULL) return NULL;
  for (size_t kept = 0; *from != 0 && kept < most;) {
    uint32_t code;
    size_t length = decode(from, &code);
    if (!is_control(code)) {
      size_t size = code == REPLACEMENT ? 3 : length;
      memcpy(to, code == REPLACEMENT ? (const void *)replacement : from, size);
      to += size;
      kept++;
    }
    from += length;
  }
  *to = 0;
  return clean;
}

/* A space, or what says how the letters beside it are set. */
static bool is_unseen(uint32_t code) {
  static const uint32_t ranges[][2] = {
      {' ', ' '},       {0xA0, 0xA0},     {0xAD, 0xAD},       {0x34F, 0x34F},
      {0x61C, 0x61C},   {0x115F, 0x1160}, {0x1680, 0x1680},   {0x17B4, 0x17B5},
      {0x180B, 0x180F}, {0x2000, 0x200F}, {0x202F, 0x202F},   {0x205F, 0x206F},
      {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},
      {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xE0000, 0xE0FFF},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (code >= ranges[i][0] && code <= ranges[i][1]) return true;
  return is_control(code);
}

bool label_is_blank(const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  for (uint32_t code; *at != 0;) {
    at += decode(at, &code);
    if (!is_unseen(code)) return false;
  }
  return true;
}

static bool is_ascii(const char *text) {
  for (; *text != 0; text++)
    if ((unsigned char)*text >= 0x80) return false;
  return true;
}

static void put_utf16(FILE *out, uint32_t code) {
  if (code < 0x10000) {
    fprintf(out, "%04X", (unsigned)code);
    return;
  }
  code -= 0x10000;
  fprintf(out, "%04X%04X", (unsigned)(0xD800 + (code >> 10)),
          (unsigned)(0xDC00 + (code & 0x3FF)));
}

void label_put_pdf(FILE *out, const char *text) {
  if (is_ascii(text)) {
    putc('(', out);
    for (; *text != 0; text++) {
      if (*text == '(' || *text == ')' || *text == '\\') putc('\\', out);
      putc(*text, out);
    }
    putc(')', out);
    return;
  }
  fputs("<FEFF", out);
  for (const unsigned char *s = (const unsigned char *)text; *s != 0;) {
    uint32_t code;
    s += decode(s, &code);
    put_utf16(out, code);
  }
  putc('>', out);
}
