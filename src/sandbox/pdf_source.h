/*
 * pdf_source.h: an uploaded PDF, opened so that an update can be appended.
 *
 * It judges the file: fit as it is, fit after a rewrite by qpdf, or not to
 * be signed at all. The rest of the sandbox then deals with fit files only.
 */
#ifndef SANDBOX_PDF_SOURCE_H
#define SANDBOX_PDF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <qpdf/qpdf-c.h>

#include "pdf_update.h"

typedef enum PdfOpening {
  PDF_OPENED,
  PDF_REFUSED, /* the file's fault */
  PDF_FAILED,  /* ours, as when memory ends */
} PdfOpening;

typedef struct PdfSource {
  qpdf_data qpdf;
  const unsigned char *bytes; /* the caller's, or `rewritten` */
  size_t size;
  size_t end; /* `size` without the padding some files end with */
  unsigned char *rewritten;
  PdfTail tail;
  qpdf_oh catalog;
  qpdf_oh form; /* the catalog's /AcroForm, of whatever type */
  qpdf_oh page; /* the first */
  int next_number;
} PdfSource;

/*
 * `pdf` must stay until the source is closed. Unless the result is
 * PDF_OPENED, `why` is one sentence and there is nothing to close.
 */
PdfOpening pdf_source_open(PdfSource *source, const unsigned char *pdf,
                           size_t size, char *why, size_t why_size);
void pdf_source_close(PdfSource *source);

/* The same for a PDF that is only read: it may be encrypted (without a
 * password), certified or in need of repair, and `tail` is not set. */
PdfOpening pdf_source_read(PdfSource *source, const unsigned char *pdf,
                           size_t size, char *why, size_t why_size);

/* Whether memory has ended while objects were read, which qpdf then leaves out:
 * to be asked when all is written. Takes qpdf's warnings. */
bool pdf_source_ran_out(const PdfSource *source);
#define PDF_SOURCE_RAN_OUT "The PDF takes more memory than there is for it."

/* Whether these bytes hold a signature; asks no more of them. */
bool pdf_source_is_signed(const unsigned char *pdf, size_t size);

#endif
