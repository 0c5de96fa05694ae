/*
 * pades.h: signs a PDF with a PAdES signature (ETSI.CAdES.detached).
 *
 * A PDF goes in, a PDF with one more signature comes out: the one that went
 * in with an update behind it, unless it was encrypted or damaged and had to
 * be written anew. The signature is invisible and covers the whole result.
 */
#ifndef SANDBOX_PADES_H
#define SANDBOX_PADES_H

#include <stddef.h>
#include <time.h>

#include "pki.h"

typedef enum PadesResult {
  PADES_SIGNED,
  PADES_REFUSED, /* this file is not to be signed; the sender's to mend */
  PADES_FAILED,  /* the sandbox could not; nothing is wrong with the file */
} PadesResult;

typedef struct PadesRequest {
  const unsigned char *pdf;
  size_t size;
  const char *signer_name; /* UTF-8, or NULL */
  const char *reason;      /* UTF-8, or NULL */
  time_t when;
} PadesRequest;

/*
 * Threads may sign at the same time, also with one identity. On PADES_SIGNED
 * *out is malloc'ed and the caller's to free; otherwise `why` is one
 * sentence for a problem's detail.
 */
PadesResult pades_sign(const Identity *signer, const PadesRequest *request,
                       unsigned char **out, size_t *out_size, char *why,
                       size_t why_size);

#endif
