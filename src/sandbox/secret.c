/*
 * secret.c: a thin layer over libcrypto for secrets.
 */
#include "secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hexadecimal(const unsigned char *bytes, size_t size, char *out) {
  static const char digit[] = "0123456789abcdef";
  for (size_t i = 0; i < size; i++) {
    *out++ = digit[bytes[i] >> 4];
    *out++ = digit[bytes[i] & 15];
  }
  *out = '\0';
}

void secret_random(void *out, size_t size) {
  if (RAND_bytes(out, (int)size) == 1) return;
  fputs("signicat-sandbox: the system gives no random bytes\n", stderr);
  abort();
}

void secret_random_hex(char *out, size_t digits) {
  unsigned char bytes[64];
  size_t size = digits / 2 < sizeof bytes ? digits / 2 : sizeof bytes;
  secret_random(bytes, size);
  hexadecimal(bytes, size, out);
}

void secret_hash(const char *text, size_t size, char out[SECRET_HASH_SIZE]) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (!EVP_Digest(text, size, bytes, &length, EVP_sha256(), NULL)) abort();
  hexadecimal(bytes, length, out);
}

void secret_mac(const char *key, const char *text, char out[SECRET_HASH_SIZE]) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (!HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text,
            strlen(text), bytes, &length))
    abort();
  hexadecimal(bytes, length, out);
}

bool secret_equal(const char *a, const char *b) {
  size_t size = strlen(a);
  return size == strlen(b) && CRYPTO_memcmp(a, b, size) == 0;
}
