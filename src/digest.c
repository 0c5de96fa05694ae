/*
 * digest.c: SHA-256 and HMAC on libcrypto; see digest.h.
 */
#include "digest.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

int sc_digest_begin(Digest *digest) {
  if (!digest->context) digest->context = EVP_MD_CTX_new();
  if (!digest->context) return -1;
  return EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) ? 0 : -1;
}

void sc_digest_update(Digest *digest, const void *bytes, size_t size) {
  if (digest->context) EVP_DigestUpdate(digest->context, bytes, size);
}

int sc_digest_base64(const Digest *digest, char out[SC_SHA256_BASE64]) {
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_MD_CTX *copy;
  int ok;
  if (!digest->context || !(copy = EVP_MD_CTX_new())) return -1;
  ok = EVP_MD_CTX_copy_ex(copy, digest->context) &&
       EVP_DigestFinal_ex(copy, raw, &size) && size == 32;
  EVP_MD_CTX_free(copy);
  if (!ok) return -1;
  sc_base64(raw, size, out);
  return 0;
}

int sc_hmac_sha256(const void *key, size_t key_size, const void *bytes,
                   size_t size, unsigned char out[SC_SHA256_SIZE]) {
  unsigned int made = 0;
  if (key_size > INT_MAX) return -1;
  return HMAC(EVP_sha256(), key, (int)key_size, bytes, size, out, &made) &&
                 made == SC_SHA256_SIZE
             ? 0
             : -1;
}

int sc_equal(const void *a, const void *b, size_t size) {
  return CRYPTO_memcmp(a, b, size) == 0;
}

size_t sc_base64(const void *bytes, size_t size, char *out) {
  return (size_t)EVP_EncodeBlock((unsigned char *)out, bytes, (int)size);
}

void sc_digest_end(Digest *digest) {
  EVP_MD_CTX_free(digest->context);
  digest->context = NULL;
}
