/*
 * cms.h: a detached CMS signature with the attributes CAdES and PAdES want.
 *
 * It signs a digest, so the content is read once, wherever it lies.
 */
#ifndef SANDBOX_CMS_H
#define SANDBOX_CMS_H

#include <stddef.h>

#include "pki.h"
#include "when.h"

enum { CMS_DIGEST_SIZE = 32 }; /* SHA-256 */

/*
 * Signs content of that SHA-256 digest, and has the stamper say that this was
 * at `when`. 0 and the DER form, the caller's to free(), or -1.
 */
int cms_sign_digest(const Identity *signer, const Identity *stamper, When when,
                    const unsigned char digest[CMS_DIGEST_SIZE],
                    unsigned char **der, size_t *size);

#endif
