/*
 * container.c: has qpdf merge pages and attach files.
 *
 * Pages lose their signature fields: a signature over another file would
 * show as a broken one here, and the file it is good in is attached. Other
 * fields keep how they look, but belong to no form any more.
 */
#include "container.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "blob.h"
#include "paper.h"
#include "pdf_source.h"

#define EVIDENCE "Evidence of a signature"
#define NO_EFFECT                                                              \
  "Sandbox, no legal effect. Made by signicat-sandbox, a stand-in for tests; " \
  "nobody was identified and nothing was agreed to."
#define LINES_MOST 16        /* of a page of evidence */
#define PARENTS_MOST 32      /* above a field */
#define OLDEST_VERSION "1.7" /* of PDF that knows what is used here */

/* A PDF that is read until all is written. */
typedef struct Source {
  PdfSource pdf;
  struct Source *next;
} Source;

/* What is being made, and what is told when it cannot be. */
typedef struct Container {
  qpdf_data qpdf;
  int documents; /* the folder */
  qpdf_oh names; /* the attachments by name, as a name tree has them */
  qpdf_oh list;  /* and as a list */
  int count;
  struct Source *sources; /* all whose pages are here, the last one first */
  char *why;
  size_t why_size;
} Container;

static const char *member(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}

static PadesResult fail(Container *c, const char *sentence) {
  snprintf(c->why, c->why_size, "%s", sentence);
  return PADES_FAILED;
}

/* --- pages -------------------------------------------------------------- */

static bool is_signature(qpdf_data q, qpdf_oh annotation) {
  for (int i = 0; i < PARENTS_MOST; i++) {
    qpdf_oh type = qpdf_oh_get_key_if_dict(q, annotation, "/FT");
    if (qpdf_oh_is_name(q, type))
      return strcmp(qpdf_oh_get_name(q, type), "/Sig") == 0;
    annotation = qpdf_oh_get_key_if_dict(q, annotation, "/Parent");
  }
  return false;
}

static void remove_signatures(qpdf_data q, qpdf_oh page) {
  qpdf_oh list = qpdf_oh_get_key_if_dict(q, page, "/Annots");
  if (!qpdf_oh_is_array(q, list)) return;
  for (int i = qpdf_oh_get_array_n_items(q, list) - 1; i >= 0; i--)
    if (is_signature(q, qpdf_oh_get_array_item(q, list, i)))
      qpdf_oh_erase_item(q, list, i);
}

/* The source stays open: pages are copied when all is written. */
static PadesResult add_pages(Container *c, const unsigned char *pdf,
                             size_t size) {
  Source *source = malloc(sizeof *source);
  if (!source) return fail(c, "There is no memory for the package.");
  switch (pdf_source_read(&source->pdf, pdf, size, c->why, c->why_size)) {
  case PDF_OPENED: break;
  case PDF_REFUSED: return PADES_REFUSED;
  case PDF_FAILED: return PADES_FAILED;
  }
  source->next = c->sources;
  c->sources = source;
  qpdf_data q = source->pdf.qpdf;
  int pages = qpdf_get_num_pages(q);
  for (int i = 0; i < pages; i++) {
    qpdf_oh page = qpdf_get_page_n(q, i);
    remove_signatures(q, page);
    if ((qpdf_add_page(c->qpdf, q, page, QPDF_FALSE) & QPDF_ERRORS) ||
        qpdf_has_error(q)) {
      snprintf(c->why, c->why_size, "Page %d of the PDF cannot be read.",
               i + 1);
      return PADES_REFUSED;
    }
  }
  return PADES_DONE;
}

static PadesResult add_evidence(Container *c, const json_t *form) {
  PaperLine lines[LINES_MOST];
  unsigned char *pdf;
  size_t size, i, count = 0;
  const json_t *line;
  json_array_foreach(form, i, line) {
    if (count == LINES_MOST) break;
    lines[count].label = json_string_value(json_array_get(line, 0));
    lines[count++].value = json_string_value(json_array_get(line, 1));
  }
  if (!paper_form(EVIDENCE, NO_EFFECT, lines, count, &pdf, &size))
    return fail(c, "There is no memory for evidence.");
  return add_pages(c, pdf, size);
}

/* --- attachments -------------------------------------------------------- */

static void set_text(Container *c, qpdf_oh dictionary, const char *key,
                     const char *text) {
  qpdf_oh_replace_key(c->qpdf, dictionary, key,
                      qpdf_oh_new_unicode_string(c->qpdf, text));
}

static void set_name(Container *c, qpdf_oh dictionary, const char *key,
                     const char *name) {
  qpdf_oh_replace_key(c->qpdf, dictionary, key,
                      qpdf_oh_new_name(c->qpdf, name));
}

static qpdf_oh embed(Container *c, const char *mime, const unsigned char *bytes,
                     size_t size) {
  qpdf_data q = c->qpdf;
  qpdf_oh stream = qpdf_oh_new_stream(q), null = qpdf_oh_new_null(q);
  qpdf_oh_replace_stream_data(q, stream, bytes, size, null, null);
  qpdf_oh dictionary = qpdf_oh_get_dict(q, stream);
  qpdf_oh parameters = qpdf_oh_new_dictionary(q);
  char type[128];
  snprintf(type, sizeof type, "/%.*s", (int)strcspn(mime, "; \t"), mime);
  qpdf_oh_replace_key(q, parameters, "/Size",
                      qpdf_oh_new_integer(q, (long long)size));
  set_name(c, dictionary, "/Type", "/EmbeddedFile");
  set_name(c, dictionary, "/Subtype", type);
  qpdf_oh_replace_key(q, dictionary, "/Params", parameters);
  return stream;
}

/* `file` has name, mime, about and kin (AFRelationship). */
static void attach(Container *c, const json_t *file, const unsigned char *bytes,
                   size_t size) {
  qpdf_data q = c->qpdf;
  char key[16]; /* a name tree is sorted, and this is */
  snprintf(key, sizeof key, "%06d", ++c->count);
  qpdf_oh stream = embed(c, member(file, "mime"), bytes, size);
  qpdf_oh streams = qpdf_oh_new_dictionary(q);
  qpdf_oh_replace_key(q, streams, "/F", stream);
  qpdf_oh_replace_key(q, streams, "/UF", stream);
  qpdf_oh entry = qpdf_oh_new_dictionary(q);
  set_name(c, entry, "/Type", "/Filespec");
  set_text(c, entry, "/F", member(file, "name"));
  set_text(c, entry, "/UF", member(file, "name"));
  set_text(c, entry, "/Desc", member(file, "about"));
  set_name(c, entry, "/AFRelationship", member(file, "kin"));
  qpdf_oh_replace_key(q, entry, "/EF", streams);
  qpdf_oh kept = qpdf_make_indirect_object(q, entry);
  qpdf_oh_append_item(q, c->names, qpdf_oh_new_string(q, key));
  qpdf_oh_append_item(q, c->names, kept);
  qpdf_oh_append_item(q, c->list, kept);
}

static void set_attachments(Container *c) {
  qpdf_data q = c->qpdf;
  qpdf_oh root = qpdf_get_root(q), files = qpdf_oh_new_dictionary(q);
  qpdf_oh tree = qpdf_oh_new_dictionary(q);
  qpdf_oh_replace_key(q, tree, "/Names", c->names);
  qpdf_oh_replace_key(q, files, "/EmbeddedFiles", tree);
  qpdf_oh_replace_key(q, root, "/Names", files);
  qpdf_oh_replace_key(q, root, "/AF", c->list);
}

/* --- together ----------------------------------------------------------- */

static PadesResult add_text(Container *c, const char *mime, const char *text,
                            size_t size) {
  bool is_markdown = strncasecmp(mime, "text/markdown", 13) == 0;
  unsigned char *pdf;
  size_t pdf_size;
  bool written = is_markdown ? paper_markdown(text, size, &pdf, &pdf_size)
                             : paper_text(text, size, &pdf, &pdf_size);
  if (!written) return fail(c, "There is no memory for the text.");
  return add_pages(c, pdf, pdf_size);
}

/* One file: attached, and shown first if it is a document. */
static PadesResult add_file(Container *c, const json_t *file, bool shown) {
  unsigned char *bytes;
  size_t size;
  char why[512];
  bytes = blob_load(c->documents, member(file, "id"), &size);
  if (!bytes) return fail(c, "A document cannot be read.");
  attach(c, file, bytes, size);
  if (!shown) return PADES_DONE;
  PadesResult result = PADES_DONE;
  if (json_is_true(json_object_get(file, "pdf")))
    result = add_pages(c, bytes, size);
  else
    result = add_text(c, member(file, "mime"), (const char *)bytes, size);
  if (result == PADES_REFUSED) {
    snprintf(why, sizeof why, "%s", c->why);
    snprintf(c->why, c->why_size, "Document %s: %s", member(file, "id"), why);
  }
  return result;
}

static PadesResult add_all(Container *c, const json_t *order) {
  PadesResult result = PADES_DONE;
  size_t i;
  const json_t *each;
  json_array_foreach(json_object_get(order, "pack"), i, each) {
    if (result == PADES_DONE) result = add_file(c, each, true);
  }
  json_array_foreach(json_object_get(order, "evidence"), i, each) {
    if (result == PADES_DONE) result = add_evidence(c, each);
  }
  json_array_foreach(json_object_get(order, "files"), i, each) {
    if (result == PADES_DONE) result = add_file(c, each, false);
  }
  return result;
}

static PadesResult write_out(Container *c, unsigned char **pdf, size_t *size) {
  qpdf_data q = c->qpdf;
  qpdf_init_write_memory(q);
  qpdf_set_minimum_pdf_version(q, OLDEST_VERSION);
  if ((qpdf_write(q) & QPDF_ERRORS) || qpdf_has_error(q)) {
    snprintf(c->why, c->why_size, "The documents' pages cannot be merged.");
    return PADES_REFUSED;
  }
  for (const Source *each = c->sources; each; each = each->next)
    if (pdf_source_ran_out(&each->pdf)) {
      snprintf(c->why, c->why_size, "%s", PDF_SOURCE_RAN_OUT);
      return PADES_REFUSED;
    }
  *size = qpdf_get_buffer_length(q);
  *pdf = malloc(*size);
  if (!*pdf) return fail(c, "There is no memory for the package.");
  memcpy(*pdf, qpdf_get_buffer(q), *size);
  return PADES_DONE;
}

PadesResult container_make(const json_t *order, int documents,
                           unsigned char **pdf, size_t *size, char *why,
                           size_t why_size) {
  Container c = {.qpdf = qpdf_init(),
                 .documents = documents,
                 .why = why,
                 .why_size = why_size};
  qpdf_silence_errors(c.qpdf);
  qpdf_set_suppress_warnings(c.qpdf, QPDF_TRUE);
  if (qpdf_empty_pdf(c.qpdf) & QPDF_ERRORS)
    return fail(&c, "The package cannot be begun.");
  c.names = qpdf_oh_new_array(c.qpdf);
  c.list = qpdf_oh_new_array(c.qpdf);
  PadesResult result = add_all(&c, order);
  if (result != PADES_DONE) return result;
  set_attachments(&c);
  return write_out(&c, pdf, size);
}
