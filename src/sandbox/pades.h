/*
 * pades.h: signs a PDF with a PAdES signature (ETSI.CAdES.detached) and time.
 *
 * A PDF goes in, a PDF with one more signature comes out: the one that went
 * in with an update behind it, unless it was encrypted or damaged and had to
 * be written anew. The signature is invisible and covers the whole result.
 * Laying out reads the file and knows no key; filling in is the reverse, so
 * the two may happen in different processes.
 */
#ifndef SANDBOX_PADES_H
#define SANDBOX_PADES_H

#include <stddef.h>

#include "pki.h"
#include "when.h"

typedef enum PadesResult {
  PADES_DONE,
  PADES_REFUSED, /* this file is not to be signed; the sender's to mend */
  PADES_FAILED,  /* the sandbox could not; nothing is wrong with the file */
} PadesResult;

typedef struct PadesRequest {
  const unsigned char *pdf;
  size_t size;
  const char *signer_name; /* UTF-8, or NULL */
  const char *reason;      /* UTF-8, or NULL */
  When when;
} PadesRequest;

/* A PDF with blanks where its signature goes. */
typedef struct PadesLayout {
  unsigned char *pdf;
  size_t size;
  size_t contents; /* where the "<" of its blanks stands */
  size_t range;    /* where blanks for the covered ranges begin */
} PadesLayout;

/*
 * On PADES_DONE the layout's `pdf` is malloc'ed and the caller's to free;
 * otherwise `why` is one sentence for a problem's detail.
 */
PadesResult pades_lay_out(const PadesRequest *request, PadesLayout *layout,
                          char *why, size_t why_size);

/*
 * Signs in place, and has the stamper certify the time; wherever the layout
 * comes from, nothing is written outside it. Threads may sign at the same
 * time, also with one identity. 0 or -1.
 */
int pades_fill_in(const PadesLayout *layout, const Identity *signer,
                  const Identity *stamper, When when);

#endif
