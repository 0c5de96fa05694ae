/*
 * pdf_update.h: appends an incremental update to a PDF.
 *
 * The original's bytes stay what and where they are, which is what keeps
 * earlier signatures valid. This file knows objects, cross-reference tables
 * and trailers; what the objects mean is for others.
 */
#ifndef SANDBOX_PDF_UPDATE_H
#define SANDBOX_PDF_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Where a PDF's newest cross-reference section lies and which kind it is. */
typedef struct PdfTail {
  size_t startxref;
  bool is_stream;
} PdfTail;

typedef struct PdfEntry {
  int number;
  int generation;
  size_t offset;
} PdfEntry;

enum { PDF_UPDATE_MOST = 16 }; /* objects in one update */

typedef struct PdfUpdate {
  FILE *out; /* takes the objects' text; keeps its own errors */
  char *bytes;
  size_t size;
  PdfTail previous;
  int next_number;
  int count;
  PdfEntry entries[PDF_UPDATE_MOST];
} PdfUpdate;

/* 0, or -1 when the last startxref does not lead to a section's first byte. */
int pdf_update_find_tail(const unsigned char *pdf, size_t size, PdfTail *tail);

/*
 * Begins an update of a PDF whose trailer says that its object numbers end
 * below `first_number`. 0, or -1: no memory.
 */
int pdf_update_open(PdfUpdate *update, const unsigned char *pdf, size_t size,
                    const PdfTail *tail, int first_number);

/* A number no object has yet. */
int pdf_update_new(PdfUpdate *update);

/* What is written to `out` between these two is the object's value. */
void pdf_update_begin(PdfUpdate *update, int number, int generation);
void pdf_update_end(PdfUpdate *update);

/* How many bytes the result has by now. */
size_t pdf_update_position(const PdfUpdate *update);

/*
 * Writes the section and the trailer, `trailer` being its entries other than
 * /Size and /Prev. 0 and the whole file, the caller's to free; or -1. Either
 * way the update is closed.
 */
int pdf_update_finish(PdfUpdate *update, const char *trailer,
                      unsigned char **pdf, size_t *size);

/* Lets go of an update that is not wanted any more; a second call does
   nothing, nor does one after pdf_update_finish. */
void pdf_update_close(PdfUpdate *update);

#endif
