/*
 * json_text.h: what reader and writer both know about the bytes of a string.
 *
 * Most bytes of most strings are plain: neither quote, backslash, control
 * character nor part of a multi-byte character. They are passed over many at
 * a time; the caller deals with the byte that stopped the run.
 */
#ifndef SC_JSON_TEXT_H
#define SC_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef unsigned char JsonByte;

#define sc_json_is_plain(c) \
  ((c) >= 0x20 && (c) < 0x80 && (c) != '"' && (c) != '\\')

/* The first byte from `p` on that is not plain, or `end`. */
static inline const JsonByte *sc_json_skip_plain(const JsonByte *p,
                                                 const JsonByte *end) {
#if defined(__SSE2__)
  /* Compared as signed bytes, those from 0x80 on are below 0x20 as well. */
  while (end - p >= 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i others = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    int hits =
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), others));
    if (hits != 0) return p + __builtin_ctz((unsigned)hits);
    p += 16;
  }
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  const uint64_t each = 0x0101010101010101u;
  while (end - p >= 8) {
    uint64_t word, hits;
    memcpy(&word, p, 8);
    /* A subtraction borrows into a byte's top bit where the byte is too
     * small. Flipping bit 1 puts the quote right behind the control
     * characters, so that one finds both. A borrow may go on into the bytes
     * behind, hence the lowest hit is always true. */
    hits = (((word ^ each * 0x02) - each * 0x21) |
            ((word ^ each * '\\') - each) | word) &
           each * 0x80;
    if (hits != 0) return p + (__builtin_ctzll(hits) >> 3);
    p += 8;
  }
#endif
  while (p < end && sc_json_is_plain(*p))
    p++;
  return p;
}

/* The size of the multi-byte UTF-8 character at `p`, of which `left` bytes
 * are there; 0 if it is none (overlong, a surrogate, beyond U+10FFFF, cut). */
static inline size_t sc_utf8_size(const JsonByte *p, size_t left) {
  JsonByte lead = p[0], low = 0x80, high = 0xbf;
  size_t size = 2 + (size_t)(lead >= 0xe0) + (size_t)(lead >= 0xf0);
  if (lead < 0xc2 || lead > 0xf4 || left < size) return 0;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  if (p[1] < low || p[1] > high) return 0;
  for (size_t i = 2; i < size; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  return size;
}

#endif
