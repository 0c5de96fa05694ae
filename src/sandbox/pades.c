/*
 * pades.c: the objects of a signature, and the signature over the file.
 *
 * The update is laid out with blanks where /Contents and /ByteRange go, then
 * digested around them and filled in. qpdf only reads: what has to change is
 * taken from it as text and extended, so no handle to a new object is needed.
 */
#include "pades.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "cms.h"
#include "pdf_source.h"
#include "pdf_update.h"
#include "label.h"

/* Bytes of CMS: a P-256 one with its time stamp takes 3 KB. */
#define CONTENTS_ROOM (16u * 1024)
#define RANGE_ROOM 44 /* "[0 " and three numbers of ten digits */

/* Invisible: printed if it had a size, and not to be moved by hand. */
#define WIDGET_FLAGS 132
#define SIGNATURES_EXIST_APPEND_ONLY 3

typedef struct Drawing {
  PdfSource source;
  PdfUpdate update;
  int signature, appearance, field; /* numbers of the new objects */
  size_t contents;                  /* where its "<" stands */
  size_t range;                     /* where its "[" will stand */
} Drawing;

static PadesResult give_up(char *why, size_t size, const char *sentence) {
  snprintf(why, size, "%s", sentence);
  return PADES_FAILED;
}

/* --- what is there already, made longer --------------------------------- */

/* An array's or dictionary's text without its brackets of `width` bytes. */
static void put_inside(Drawing *d, qpdf_oh object, size_t width) {
  const char *text = qpdf_oh_unparse_resolved(d->source.qpdf, object);
  size_t length = strlen(text);
  if (length > 2 * width)
    fwrite(text + width, 1, length - 2 * width, d->update.out);
}

/* The array and a reference to the field; what is no array is empty. */
static void put_longer(Drawing *d, qpdf_oh array) {
  putc('[', d->update.out);
  if (qpdf_oh_is_array(d->source.qpdf, array)) put_inside(d, array, 1);
  fprintf(d->update.out, " %d 0 R ]", d->field);
}

static void begin_again(Drawing *d, qpdf_oh object) {
  pdf_update_begin(&d->update, qpdf_oh_get_object_id(d->source.qpdf, object),
                   qpdf_oh_get_generation(d->source.qpdf, object));
}

/* Writes a longer array if it is an object of its own; whether it is. */
static bool extend_own_array(Drawing *d, qpdf_oh dictionary, const char *key) {
  qpdf_data q = d->source.qpdf;
  qpdf_oh array = qpdf_oh_get_key_if_dict(q, dictionary, key);
  if (!qpdf_oh_is_array(q, array) || !qpdf_oh_is_indirect(q, array))
    return false;
  begin_again(d, array);
  put_longer(d, array);
  pdf_update_end(&d->update);
  return true;
}

/* The inside of a dictionary whose array under `key` is made longer. */
static void put_inside_extended(Drawing *d, qpdf_oh dictionary,
                                const char *key) {
  qpdf_data q = d->source.qpdf;
  qpdf_oh array = qpdf_oh_get_key_if_dict(q, dictionary, key);
  qpdf_oh_remove_key(q, dictionary, key);
  put_inside(d, dictionary, 2);
  fprintf(d->update.out, " %s ", key);
  put_longer(d, array);
}

static void extend_page(Drawing *d) {
  qpdf_oh page = d->source.page;
  if (extend_own_array(d, page, "/Annots")) return;
  begin_again(d, page);
  fputs("<<", d->update.out);
  put_inside_extended(d, page, "/Annots");
  fputs(" >>", d->update.out);
  pdf_update_end(&d->update);
}

static void put_form(Drawing *d, qpdf_oh form, bool has_own_fields) {
  FILE *out = d->update.out;
  fputs("<<", out);
  if (!qpdf_oh_is_dictionary(d->source.qpdf, form))
    fprintf(out, " /Fields [ %d 0 R ]", d->field);
  else if (has_own_fields)
    put_inside(d, form, 2);
  else
    put_inside_extended(d, form, "/Fields");
  fprintf(out, " /SigFlags %d >>", SIGNATURES_EXIST_APPEND_ONLY);
}

/* The form lists the field; the catalog is touched only if it holds it. */
static void extend_form(Drawing *d) {
  qpdf_data q = d->source.qpdf;
  qpdf_oh catalog = d->source.catalog, form = d->source.form;
  bool has_own_fields = extend_own_array(d, form, "/Fields");
  bool is_form = qpdf_oh_is_dictionary(q, form);
  if (is_form) {
    qpdf_oh_remove_key(q, form, "/SigFlags");
    /* It would have viewers redraw, and so change, a signed file. */
    qpdf_oh_remove_key(q, form, "/NeedAppearances");
  }
  if (is_form && qpdf_oh_is_indirect(q, form)) {
    begin_again(d, form);
    put_form(d, form, has_own_fields);
  } else {
    begin_again(d, catalog);
    qpdf_oh_remove_key(q, catalog, "/AcroForm");
    fputs("<<", d->update.out);
    put_inside(d, catalog, 2);
    fputs(" /AcroForm ", d->update.out);
    put_form(d, form, has_own_fields);
    fputs(" >>", d->update.out);
  }
  pdf_update_end(&d->update);
}

/* --- what is new -------------------------------------------------------- */

static void put_date(FILE *out, When when) {
  struct tm utc;
  char date[32];
  time_t seconds = when / WHEN_SECOND;
  if (gmtime_r(&seconds, &utc) == NULL) memset(&utc, 0, sizeof utc);
  strftime(date, sizeof date, "(D:%Y%m%d%H%M%SZ)", &utc);
  fputs(date, out);
}

static void put_text_entry(FILE *out, const char *key, const char *value) {
  char *clean = value == NULL ? NULL : label_clean(value, SIZE_MAX);
  if (clean != NULL && clean[0] != 0) {
    fprintf(out, " %s ", key);
    label_put_pdf(out, clean);
  }
  free(clean);
}

static void put_blanks(FILE *out, int blank, size_t count) {
  while (count-- > 0)
    putc(blank, out);
}

static void put_signature(Drawing *d, const PadesRequest *request) {
  FILE *out = d->update.out;
  pdf_update_begin(&d->update, d->signature, 0);
  fputs("<< /Type /Sig /Filter /Adobe.PPKLite"
        " /SubFilter /ETSI.CAdES.detached /M ",
        out);
  put_date(out, request->when);
  put_text_entry(out, "/Name", request->signer_name);
  put_text_entry(out, "/Reason", request->reason);
  fputs(" /Contents ", out);
  d->contents = pdf_update_position(&d->update);
  putc('<', out);
  put_blanks(out, '0', 2 * CONTENTS_ROOM);
  fputs("> /ByteRange ", out);
  d->range = pdf_update_position(&d->update);
  put_blanks(out, ' ', RANGE_ROOM);
  fputs(" >>", out);
  pdf_update_end(&d->update);
}

/* Empty, but there: viewers miss an appearance more than what it shows. */
static void put_appearance(Drawing *d) {
  pdf_update_begin(&d->update, d->appearance, 0);
  fputs("<< /Type /XObject /Subtype /Form /BBox [ 0 0 0 0 ]"
        " /Resources << >> /Length 0 >>\nstream\n\nendstream",
        d->update.out);
  pdf_update_end(&d->update);
}

static bool has_field(const Drawing *d, const char *name) {
  qpdf_data q = d->source.qpdf;
  qpdf_oh fields = qpdf_oh_get_key_if_dict(q, d->source.form, "/Fields");
  int count =
      qpdf_oh_is_array(q, fields) ? qpdf_oh_get_array_n_items(q, fields) : 0;
  for (int i = 0; i < count; i++) {
    qpdf_oh field = qpdf_oh_get_array_item(q, fields, i);
    qpdf_oh title = qpdf_oh_get_key_if_dict(q, field, "/T");
    const char *text;
    size_t length;
    if (qpdf_oh_get_value_as_utf8(q, title, &text, &length) &&
        strcmp(text, name) == 0)
      return true;
  }
  return false;
}

static void put_field(Drawing *d) {
  char name[32];
  int number = d->field;
  do
    snprintf(name, sizeof name, "Signature%d", number++);
  while (has_field(d, name));
  pdf_update_begin(&d->update, d->field, 0);
  fprintf(d->update.out,
          "<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /V %d 0 R"
          " /F %d /Rect [ 0 0 0 0 ] /AP << /N %d 0 R >> /P %d %d R >>",
          name, d->signature, WIDGET_FLAGS, d->appearance,
          qpdf_oh_get_object_id(d->source.qpdf, d->source.page),
          qpdf_oh_get_generation(d->source.qpdf, d->source.page));
  pdf_update_end(&d->update);
}

/* --- the trailer -------------------------------------------------------- */

static void put_hex(FILE *out, const unsigned char *bytes, size_t size) {
  putc('<', out);
  for (size_t i = 0; i < size; i++)
    fprintf(out, "%02x", bytes[i]);
  putc('>', out);
}

/* The first half names the document and stays, the second this state of it. */
static int put_id(FILE *out, qpdf_data q, qpdf_oh id) {
  unsigned char state[16];
  const char *first = NULL;
  size_t length = 0;
  if (RAND_bytes(state, sizeof state) != 1) return -1;
  if (qpdf_oh_is_array(q, id) && qpdf_oh_get_array_n_items(q, id) > 0)
    qpdf_oh_get_value_as_string(q, qpdf_oh_get_array_item(q, id, 0), &first,
                                &length);
  fputs(" /ID [", out);
  if (length > 0)
    put_hex(out, (const unsigned char *)first, length);
  else
    put_hex(out, state, sizeof state);
  put_hex(out, state, sizeof state);
  putc(']', out);
  return 0;
}

/* The entries that go on, as text to be freed; NULL on failure. */
static char *trailer_text(qpdf_data q) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (out == NULL) return NULL;
  qpdf_oh trailer = qpdf_get_trailer(q);
  static const char *const kept[] = {"/Root", "/Info"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
    if (qpdf_oh_has_key(q, trailer, kept[i]))
      fprintf(out, " %s %s", kept[i],
              qpdf_oh_unparse(q, qpdf_oh_get_key(q, trailer, kept[i])));
  int failed = put_id(out, q, qpdf_oh_get_key(q, trailer, "/ID"));
  failed |= ferror(out);
  failed |= fclose(out);
  if (!failed) return text;
  free(text);
  return NULL;
}

/* --- the signature ------------------------------------------------------ */

/* Everything but the /Contents string, brackets included. */
static int digest_around(const unsigned char *pdf, size_t start, size_t end,
                         size_t size, unsigned char *digest) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  int ok = context != NULL &&
           EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
           EVP_DigestUpdate(context, pdf, start) == 1 &&
           EVP_DigestUpdate(context, pdf + end, size - end) == 1 &&
           EVP_DigestFinal_ex(context, digest, NULL) == 1;
  EVP_MD_CTX_free(context);
  return ok ? 0 : -1;
}

/* Whether the gaps are where laying out leaves them. */
static bool has_gaps(const PadesLayout *layout) {
  const unsigned char *pdf = layout->pdf;
  size_t room = 2 * CONTENTS_ROOM + 2;
  return layout->contents < layout->size && layout->range < layout->size &&
         layout->size - layout->contents >= room &&
         layout->size - layout->range >= RANGE_ROOM &&
         layout->range >= layout->contents + room &&
         pdf[layout->contents] == '<' &&
         pdf[layout->contents + room - 1] == '>';
}

int pades_fill_in(const PadesLayout *layout, const Identity *signer,
                  const Identity *stamper, When when) {
  static const char hex[] = "0123456789abcdef";
  char range[RANGE_ROOM + 1];
  unsigned char digest[CMS_DIGEST_SIZE], *pdf = layout->pdf, *der;
  size_t der_size, size = layout->size, start = layout->contents;
  size_t end = start + 2 * CONTENTS_ROOM + 2;
  if (!has_gaps(layout)) return -1;
  int length =
      snprintf(range, sizeof range, "[0 %zu %zu %zu]", start, end, size - end);
  if (length < 0 || (size_t)length >= sizeof range) return -1;
  memcpy(pdf + layout->range, range, (size_t)length);
  if (digest_around(pdf, start, end, size, digest) != 0 ||
      cms_sign_digest(signer, stamper, when, digest, &der, &der_size) != 0)
    return -1;
  bool fits = der_size <= CONTENTS_ROOM;
  unsigned char *to = pdf + start + 1;
  for (size_t i = 0; fits && i < der_size; i++) {
    *to++ = (unsigned char)hex[der[i] >> 4];
    *to++ = (unsigned char)hex[der[i] & 15];
  }
  free(der);
  return fits ? 0 : -1;
}

/* --- together ----------------------------------------------------------- */

static int draw(Drawing *d, const PadesRequest *request) {
  const PdfSource *source = &d->source;
  if (pdf_update_open(&d->update, source->bytes, source->size, &source->tail,
                      source->next_number) != 0)
    return -1;
  d->signature = pdf_update_new(&d->update);
  d->appearance = pdf_update_new(&d->update);
  d->field = pdf_update_new(&d->update);
  put_signature(d, request);
  put_appearance(d);
  put_field(d); /* before the form is taken apart: it looks at its names */
  extend_page(d);
  extend_form(d);
  return qpdf_has_error(source->qpdf) ? -1 : 0;
}

static PadesResult lay_out_opened(Drawing *d, const PadesRequest *request,
                                  PadesLayout *layout, char *why,
                                  size_t why_size) {
  if (draw(d, request) != 0)
    return give_up(why, why_size, "The signature could not be laid out.");
  char *trailer = trailer_text(d->source.qpdf);
  int made = trailer == NULL ? -1
                             : pdf_update_finish(&d->update, trailer,
                                                 &layout->pdf, &layout->size);
  free(trailer);
  if (made != 0)
    return give_up(why, why_size, "The signature could not be laid out.");
  layout->contents = d->contents;
  layout->range = d->range;
  return PADES_DONE;
}

PadesResult pades_lay_out(const PadesRequest *request, PadesLayout *layout,
                          char *why, size_t why_size) {
  Drawing d;
  memset(&d, 0, sizeof d);
  switch (
      pdf_source_open(&d.source, request->pdf, request->size, why, why_size)) {
  case PDF_OPENED: break;
  case PDF_REFUSED: return PADES_REFUSED;
  case PDF_FAILED: return PADES_FAILED;
  }
  PadesResult result = lay_out_opened(&d, request, layout, why, why_size);
  pdf_update_close(&d.update);
  pdf_source_close(&d.source);
  return result;
}
