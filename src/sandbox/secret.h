/*
 * secret.h: randomness, digests of secrets, and comparing them.
 *
 * Tokens are kept only as their digest; comparing takes the same time
 * wherever the first difference is. Without randomness nothing here would be
 * safe, so `secret_random` ends the process rather than answer less.
 */
#ifndef SANDBOX_SECRET_H
#define SANDBOX_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_HASH_SIZE 65 /* 64 hexadecimal digits and the end */

void secret_random(void *out, size_t size);
/* Writes `digits` random hexadecimal digits (an even number) and an end. */
void secret_random_hex(char *out, size_t digits);
/* SHA-256 in hexadecimal. */
void secret_hash(const char *text, size_t size, char out[SECRET_HASH_SIZE]);
/* HMAC-SHA-256 in hexadecimal. */
void secret_mac(const char *key, const char *text, char out[SECRET_HASH_SIZE]);
bool secret_equal(const char *a, const char *b);

#endif
