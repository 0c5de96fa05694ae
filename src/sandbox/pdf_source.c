/*
 * pdf_source.c: reads a PDF with qpdf and decides what has to come first.
 *
 * A rewrite is the exception: it costs the original's bytes, and with them
 * every earlier signature. It happens when a reader would have to guess
 * (broken cross-references, bytes before the header) or to decrypt. A file
 * whose end is missing is refused, not repaired: half a contract is not it.
 */
#include "pdf_source.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"

#define HEADER_WINDOW 1024u      /* readers accept bytes before the header */
#define SIZE_MOST 0x7FFF0000u    /* offsets are ints in many readers */
#define NUMBER_MOST 8388607      /* objects in a file: ISO 32000-1, annex C */
#define ENDING_ROOM (64u * 1024) /* what an update may add */

/* --- the bytes ---------------------------------------------------------- */

static const unsigned char *find(const unsigned char *from, size_t size,
                                 const char *text) {
  return memmem(from, size, text, strlen(text));
}

static bool is_pdf(const unsigned char *pdf, size_t size) {
  size_t window = size < HEADER_WINDOW ? size : HEADER_WINDOW;
  return size > 0 && find(pdf, window, "%PDF-") != NULL;
}

/* Zeros and line ends behind the end would hide it from qpdf. */
static size_t without_padding(const unsigned char *pdf, size_t size) {
  while (size > 0 && (pdf[size - 1] == 0 || isspace(pdf[size - 1])))
    size--;
  return size;
}

/*
 * Whether the file stops before its end: nothing marks an end, objects follow
 * the last mark, or the mark is that of a linearised file's first part, which
 * alone says "startxref 0".
 */
static bool is_cut(const unsigned char *pdf, size_t size) {
  const unsigned char *end = pdf + size, *mark = NULL, *next = pdf;
  while ((next = find(next, (size_t)(end - next), "%%EOF")) != NULL)
    mark = next++;
  if (mark == NULL || find(mark, (size_t)(end - mark), " obj") != NULL)
    return true;
  while (mark > pdf && (mark[-1] == '\n' || mark[-1] == '\r'))
    mark--;
  return mark - pdf >= 3 && mark[-1] == '0' &&
         (mark[-2] == '\n' || mark[-2] == '\r');
}

/* What is behind a number, or NULL. */
static const unsigned char *
read_number(const unsigned char *at, const unsigned char *end, size_t *number) {
  while (at < end && isspace(*at))
    at++;
  if (at == end || !isdigit(*at)) return NULL;
  for (*number = 0; at < end && isdigit(*at) && *number < SIZE_MOST; at++)
    *number = *number * 10 + (size_t)(*at - '0');
  return at;
}

/* Whether an array is there as a signature has it: [0 LENGTH START LENGTH]. */
static bool read_range(const unsigned char *at, const unsigned char *end,
                       size_t numbers[4]) {
  while (at < end && isspace(*at))
    at++;
  if (at == end || *at++ != '[') return false;
  for (int i = 0; i < 4; i++)
    if ((at = read_number(at, end, &numbers[i])) == NULL) return false;
  return numbers[0] == 0 && numbers[1] < numbers[2];
}

/* Whether it leaves out a string <...> of the file, counted from there. */
static bool leaves_out_string(const size_t numbers[4],
                              const unsigned char *start,
                              const unsigned char *end) {
  return numbers[2] <= (size_t)(end - start) && start[numbers[1]] == '<' &&
         start[numbers[2] - 1] == '>';
}

/* A signature dictionary is never inside a compressed stream; text that looks
 * like one may be anywhere. Offsets count from the file's start or, as qpdf
 * has them, from its header. */
bool pdf_source_is_signed(const unsigned char *pdf, size_t size) {
  static const char key[] = "/ByteRange";
  const unsigned char *end = pdf + size, *at = pdf;
  size_t window = size < HEADER_WINDOW ? size : HEADER_WINDOW, numbers[4];
  const unsigned char *header = find(pdf, window, "%PDF-");
  while ((at = find(at, (size_t)(end - at), key)) != NULL) {
    at += sizeof key - 1;
    if (read_range(at, end, numbers) &&
        (leaves_out_string(numbers, pdf, end) ||
         (header && leaves_out_string(numbers, header, end))))
      return true;
  }
  return false;
}

/* --- qpdf --------------------------------------------------------------- */

static PdfOpening refuse(char *why, size_t size, const char *sentence) {
  snprintf(why, size, "%s", sentence);
  return PDF_REFUSED;
}

/* With qpdf's words about the file, which may quote it and so are cleaned. */
static PdfOpening refuse_unreadable(qpdf_data qpdf, char *why, size_t size) {
  qpdf_error error = qpdf_get_error(qpdf);
  int code =
      error == NULL ? qpdf_e_internal : (int)qpdf_get_error_code(qpdf, error);
  if (code == qpdf_e_password)
    return refuse(why, size, "The PDF cannot be opened without a password.");
  char *detail = NULL;
  if (code == qpdf_e_damaged_pdf || code == qpdf_e_unsupported)
    detail = label_clean(qpdf_get_error_message_detail(qpdf, error), 120);
  snprintf(why, size, "The PDF is damaged and cannot be read%s%s.",
           detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
  free(detail);
  return PDF_REFUSED;
}

static PdfOpening read_pdf(PdfSource *source, char *why, size_t why_size) {
  qpdf_data q = source->qpdf = qpdf_init();
  qpdf_silence_errors(q);
  qpdf_set_suppress_warnings(q, QPDF_TRUE);
  QPDF_ERROR_CODE code = qpdf_read_memory(
      q, "document", (const char *)source->bytes, source->end, NULL);
  if (code & QPDF_ERRORS) return refuse_unreadable(q, why, why_size);
  int pages = qpdf_get_num_pages(q);
  source->catalog = qpdf_get_root(q);
  source->form = qpdf_oh_get_key_if_dict(q, source->catalog, "/AcroForm");
  if (pages == 0) return refuse(why, why_size, "The PDF has no pages.");
  source->page = qpdf_get_page_n(q, 0);
  /* qpdf reads on demand: what will be extended shows its damage now. */
  qpdf_oh fields = qpdf_oh_get_key_if_dict(q, source->form, "/Fields");
  qpdf_oh annotations = qpdf_oh_get_key_if_dict(q, source->page, "/Annots");
  (void)qpdf_oh_get_type_code(q, fields);
  (void)qpdf_oh_get_type_code(q, annotations);
  if (pages < 0 || qpdf_has_error(q))
    return refuse_unreadable(q, why, why_size);
  qpdf_oh size = qpdf_oh_get_key_if_dict(q, qpdf_get_trailer(q), "/Size");
  if (!qpdf_oh_get_value_as_int(q, size, &source->next_number))
    source->next_number = 0;
  return PDF_OPENED;
}

static bool needs_rewrite(PdfSource *source) {
  qpdf_data q = source->qpdf;
  return memcmp(source->bytes, "%PDF-", 5) != 0 || qpdf_is_encrypted(q) ||
         qpdf_more_warnings(q) || source->next_number <= 0 ||
         source->next_number > NUMBER_MOST ||
         !qpdf_oh_is_indirect(q, source->catalog) ||
         !qpdf_oh_is_indirect(q, source->page) ||
         pdf_update_find_tail(source->bytes, source->end, &source->tail) != 0;
}

bool pdf_source_ran_out(const PdfSource *source) {
  while (qpdf_more_warnings(source->qpdf)) {
    const char *words = qpdf_get_error_message_detail(
        source->qpdf, qpdf_next_warning(source->qpdf));
    if (words && strstr(words, "bad_alloc")) return true;
  }
  return false;
}

static PdfOpening rewrite(PdfSource *source, char *why, size_t why_size) {
  qpdf_data q = source->qpdf;
  /* qpdf corrects a /Size, but does not add one. */
  qpdf_oh_replace_key(q, qpdf_get_trailer(q), "/Size",
                      qpdf_oh_new_integer(q, 1));
  qpdf_init_write_memory(q);
  qpdf_set_preserve_encryption(q, QPDF_FALSE);
  if ((qpdf_write(q) & QPDF_ERRORS) || qpdf_has_error(q))
    return refuse_unreadable(q, why, why_size);
  if (pdf_source_ran_out(source))
    return refuse(why, why_size, PDF_SOURCE_RAN_OUT);
  size_t size = qpdf_get_buffer_length(q);
  unsigned char *copy = malloc(size);
  if (copy == NULL) {
    snprintf(why, why_size, "There is no memory to repair the PDF.");
    return PDF_FAILED;
  }
  memcpy(copy, qpdf_get_buffer(q), size);
  qpdf_cleanup(&source->qpdf);
  source->bytes = source->rewritten = copy;
  source->size = source->end = size;
  PdfOpening opening = read_pdf(source, why, why_size);
  if (opening == PDF_OPENED && needs_rewrite(source))
    return refuse(why, why_size, "The PDF is damaged beyond repair.");
  return opening;
}

/* The author's signature may forbid every later change (12.8.2.2). */
static bool is_locked(const PdfSource *source) {
  qpdf_data q = source->qpdf;
  qpdf_oh perms = qpdf_oh_get_key_if_dict(q, source->catalog, "/Perms");
  qpdf_oh certification = qpdf_oh_get_key_if_dict(q, perms, "/DocMDP");
  qpdf_oh references = qpdf_oh_get_key_if_dict(q, certification, "/Reference");
  int count = qpdf_oh_is_array(q, references)
                  ? qpdf_oh_get_array_n_items(q, references)
                  : 0;
  for (int i = 0; i < count; i++) {
    qpdf_oh reference = qpdf_oh_get_array_item(q, references, i);
    qpdf_oh parameters =
        qpdf_oh_get_key_if_dict(q, reference, "/TransformParams");
    qpdf_oh permission = qpdf_oh_get_key_if_dict(q, parameters, "/P");
    int value;
    if (qpdf_oh_get_value_as_int(q, permission, &value) && value == 1)
      return true;
  }
  return false;
}

/* --- together ----------------------------------------------------------- */

static PdfOpening make_ready(PdfSource *source, char *why, size_t why_size) {
  if (is_locked(source))
    return refuse(why, why_size,
                  "The PDF is certified and allows no further changes.");
  if (!needs_rewrite(source)) return PDF_OPENED;
  if (pdf_source_is_signed(source->bytes, source->size))
    return refuse(why, why_size,
                  "The PDF is signed already and needs a repair that would "
                  "break its signatures.");
  return rewrite(source, why, why_size);
}

PdfOpening pdf_source_read(PdfSource *source, const unsigned char *pdf,
                           size_t size, char *why, size_t why_size) {
  memset(source, 0, sizeof *source);
  if (size > SIZE_MOST - ENDING_ROOM)
    return refuse(why, why_size, "The PDF is larger than 2 GB.");
  if (!is_pdf(pdf, size))
    return refuse(why, why_size, "The file is not a PDF.");
  if (is_cut(pdf, size))
    return refuse(why, why_size,
                  "The PDF's end is missing, as if the file was cut off.");
  source->bytes = pdf;
  source->size = size;
  source->end = without_padding(pdf, size);
  PdfOpening opening = read_pdf(source, why, why_size);
  if (opening != PDF_OPENED) pdf_source_close(source);
  return opening;
}

PdfOpening pdf_source_open(PdfSource *source, const unsigned char *pdf,
                           size_t size, char *why, size_t why_size) {
  PdfOpening opening = pdf_source_read(source, pdf, size, why, why_size);
  if (opening != PDF_OPENED) return opening;
  opening = make_ready(source, why, why_size);
  if (opening != PDF_OPENED) pdf_source_close(source);
  return opening;
}

void pdf_source_close(PdfSource *source) {
  if (source->qpdf != NULL) qpdf_cleanup(&source->qpdf);
  free(source->rewritten);
  source->rewritten = NULL;
}
