/*
 * event.c: HMAC for Lua; see event.h.
 *
 * A comparison in Lua would end at the first byte that differs, and its time
 * would tell a forger how far a guess is right. So the expected value never
 * becomes a Lua string: what was received is read into bytes, and bytes are
 * compared.
 */
#include "event.h"

#include "digest.h"

static void make_hmac(lua_State *L, unsigned char out[SC_SHA256_SIZE]) {
  size_t key_size, size;
  const char *key = luaL_checklstring(L, 1, &key_size);
  const char *bytes = luaL_checklstring(L, 2, &size);
  if (sc_hmac_sha256(key, key_size, bytes, size, out) != 0)
    luaL_error(L, "libcrypto made no HMAC-SHA256");
}

int event_hmac(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  unsigned char raw[SC_SHA256_SIZE];
  char text[2 * SC_SHA256_SIZE];
  int i;
  make_hmac(L, raw);
  for (i = 0; i < SC_SHA256_SIZE; i++) {
    text[2 * i] = digits[raw[i] >> 4];
    text[2 * i + 1] = digits[raw[i] & 15];
  }
  lua_pushlstring(L, text, sizeof text);
  return 1;
}

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Whether the text is that many bytes in hexadecimal digits. */
static int read_digits(const char *text, size_t size,
                       unsigned char out[SC_SHA256_SIZE]) {
  int i;
  if (size != 2 * SC_SHA256_SIZE) return 0;
  for (i = 0; i < SC_SHA256_SIZE; i++) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return 0;
    out[i] = (unsigned char)(high << 4 | low);
  }
  return 1;
}

int event_hmac_matches(lua_State *L) {
  unsigned char expected[SC_SHA256_SIZE], given[SC_SHA256_SIZE];
  size_t size;
  const char *text = luaL_checklstring(L, 3, &size);
  make_hmac(L, expected);
  lua_pushboolean(L, read_digits(text, size, given) &&
                         sc_equal(expected, given, SC_SHA256_SIZE));
  return 1;
}
