/*
 * xades.h: signs a document with an enveloping XAdES signature.
 *
 * One XML file comes out that proves itself: the document's exact bytes in
 * Base64, who signed them, when and as what, both certificates, and a time
 * stamp over the signature.
 */
#ifndef SANDBOX_XADES_H
#define SANDBOX_XADES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pki.h"
#include "when.h"

/* Larger documents are not signed: libxml2 counts in ints. */
#define XADES_MOST (UINT64_C(1) << 30)

typedef struct XadesRequest {
  int document; /* a descriptor, to be read from where it is */
  uint64_t size;
  const char *mime; /* the document's media type: UTF-8 */
  When when;
  const Identity *stamper; /* certifies `when` */
} XadesRequest;

/* Takes the result piece by piece; false ends the signing. */
typedef bool XadesWrite(void *context, const void *bytes, size_t size);

/* Once in a process, before and after all threads that sign. */
bool xades_start(void);
void xades_end(void);

/*
 * Threads may sign at the same time, each with an identity of its own. Holds
 * the document once, in Base64. On false, what was written is worthless; the
 * cause was told on stderr.
 */
bool xades_sign(const Identity *signer, const XadesRequest *request,
                XadesWrite *write, void *context);

#endif
