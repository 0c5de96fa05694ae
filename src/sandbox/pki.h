/*
 * pki.h: the sandbox's own certificate authority and the signers it makes up.
 *
 * Keys are EC P-256. Every certificate says "Sandbox, no legal effect" in its
 * subject, has a random serial number and names no address, so that nothing
 * is fetched when a signature is checked.
 */
#ifndef SANDBOX_PKI_H
#define SANDBOX_PKI_H

#include <stddef.h>

#include <openssl/types.h>

typedef struct Pki Pki;           /* the authority */
typedef struct Identity Identity; /* a key, its certificate, its issuer's */

/*
 * Opens the authority kept in `folder`, which must exist, or makes one there:
 * one file, readable by its owner alone, there in full or not at all. NULL:
 * `why` says what is wrong; a damaged file is never replaced.
 */
Pki *pki_open(const char *folder, char *why, size_t size);
void pki_close(Pki *pki);

/* The authority's certificate, for those who are to trust it; pki's own. */
const char *pki_ca_pem(const Pki *pki);

/* Who certifies times, and who seals packages in the account's name. Both
 * are the authority's for life, are pki's own and may be shared by threads. */
const Identity *pki_stamper(const Pki *pki);
const Identity *pki_merchant(const Pki *pki);

/*
 * A fresh signer of that name, for the caller to free; it may outlive the
 * authority. Threads may call this at the same time. NULL on failure.
 */
Identity *pki_issue(Pki *pki, const char *common_name);
void pki_identity_free(Identity *identity);

/* What there is to say against a server's certificate. */
typedef enum PkiServer {
  PKI_GOOD,       /* for localhost and 127.0.0.1 */
  PKI_WRONG_NAME, /* for another host alone */
  PKI_EXPIRED,    /* its end has passed */
  PKI_UNTRUSTED   /* issued by an authority that nobody knows */
} PkiServer;

/* A fresh server, for the caller to free. NULL on failure. */
Identity *pki_issue_server(Pki *pki, PkiServer kind);
/* Its key and its certificate as PEM texts, for the caller to free; NULL
 * when there is no memory. */
char *pki_identity_key_pem(const Identity *identity);
char *pki_identity_certificate_pem(const Identity *identity);

/* Borrowed from the identity. */
EVP_PKEY *pki_identity_key(const Identity *identity);
X509 *pki_identity_certificate(const Identity *identity);
X509 *pki_identity_issuer(const Identity *identity);

#endif
