/*
 * digest.h: SHA-256 and HMAC; the only place that knows libcrypto.
 *
 * A Digest is made zeroed inside its owner and holds nothing until begun.
 */
#ifndef SC_DIGEST_H
#define SC_DIGEST_H

#include <stddef.h>

#define SC_SHA256_SIZE 32
#define SC_SHA256_BASE64 45 /* 44 characters and the NUL */

typedef struct Digest {
  void *context; /* NULL: nothing begun */
} Digest;

/* Begins (anew); 0, or -1 when there is no memory. */
int sc_digest_begin(Digest *digest);
void sc_digest_update(Digest *digest, const void *bytes, size_t size);
/* Writes the digest so far as Base64, as the API writes documentHash. The
 * digest may go on. Returns 0, or -1 when nothing was begun. */
int sc_digest_base64(const Digest *digest, char out[SC_SHA256_BASE64]);
void sc_digest_end(Digest *digest);

/* HMAC-SHA256 (RFC 2104); 0, or -1 when libcrypto refuses. */
int sc_hmac_sha256(const void *key, size_t key_size, const void *bytes,
                   size_t size, unsigned char out[SC_SHA256_SIZE]);
/* Whether two secrets of the same size are equal; how long it takes does not
 * tell where they differ. */
int sc_equal(const void *a, const void *b, size_t size);

/* Base64 with padding; `out` has room for 4 characters for each 3 bytes begun
 * and the NUL. Returns the number of characters. */
size_t sc_base64(const void *bytes, size_t size, char *out);

#endif
