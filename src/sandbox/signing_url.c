/*
 * signing_url.c: a UUID has the size of one block of AES.
 *
 * One block under a key of its own is a permutation of all UUIDs: no two
 * sessions share a URL, and a guessed URL leads to a session with the odds
 * of guessing 128 bits.
 */
#include "signing_url.h"

#include "secret.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>

#define BLOCK 16

static void to_bytes(const char *uuid, unsigned char bytes[BLOCK]) {
  for (int i = 0; i < BLOCK; i++) {
    char digits[3] = {uuid[0], uuid[1], '\0'};
    bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
    uuid += uuid[2] == '-' ? 3 : 2;
  }
}

static void to_text(const unsigned char b[BLOCK], char out[UUID_SIZE]) {
  for (int i = 0; i < BLOCK; i++) {
    bool dash = i == 4 || i == 6 || i == 8 || i == 10;
    out += sprintf(out, dash ? "-%02x" : "%02x", b[i]);
  }
}

static void turn(const Service *service, const char *from, char out[UUID_SIZE],
                 int encipher) {
  /* 32 of its digits, as bytes, are the key of AES-256. */
  char key[SECRET_HASH_SIZE];
  unsigned char in[BLOCK], done[2 * BLOCK];
  int size = 0;
  secret_mac(service->client_secret, "signatureUrl", key);
  to_bytes(from, in);
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  if (!cipher ||
      !EVP_CipherInit_ex(cipher, EVP_aes_256_ecb(), NULL,
                         (const unsigned char *)key, NULL, encipher) ||
      !EVP_CIPHER_CTX_set_padding(cipher, 0) ||
      !EVP_CipherUpdate(cipher, done, &size, in, BLOCK) || size != BLOCK)
    abort();
  EVP_CIPHER_CTX_free(cipher);
  to_text(done, out);
}

void signing_url_id(const Service *service, const char *session,
                    char out[UUID_SIZE]) {
  turn(service, session, out, 1);
}

bool signing_url_session(const Service *service, const char *text,
                         char out[UUID_SIZE]) {
  char id[UUID_SIZE];
  if (!uuid_read(text, id)) return false;
  turn(service, id, out, 0);
  return true;
}
