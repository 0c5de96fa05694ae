/*
 * timestamp.h: RFC 3161 time-stamp tokens, by the sandbox's own authority.
 *
 * A token says that some bytes existed at a time. It is made in this process:
 * there is no service to ask, only the certificate that vouches for it.
 */
#ifndef SANDBOX_TIMESTAMP_H
#define SANDBOX_TIMESTAMP_H

#include <stddef.h>

#include "pki.h"
#include "when.h"

/*
 * A token over the SHA-256 digest of `bytes`, with the certificates that
 * prove it inside, in whole seconds. Threads may share `stamper`
 * (pki_stamper). 0 and the DER form, the caller's to OPENSSL_free(), or -1.
 */
int timestamp_make(const Identity *stamper, const void *bytes, size_t size,
                   When when, unsigned char **der, size_t *der_size);

#endif
