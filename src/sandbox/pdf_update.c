/*
 * pdf_update.c: the tail of a PDF, read and written (ISO 32000-1, 7.5).
 *
 * A file goes on in the kind of section it ended with, a table or a stream,
 * since readers need not follow a mixture. Nothing is compressed. Write
 * errors stay in the FILE until pdf_update_finish asks for them.
 */
#include "pdf_update.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define TAIL_WINDOW 1024u /* where readers look for startxref */

/* --- reading the tail --------------------------------------------------- */

static const unsigned char *find_last(const unsigned char *bytes, size_t size,
                                      const char *text) {
  size_t length = strlen(text);
  for (size_t i = size; i >= length; i--)
    if (memcmp(bytes + i - length, text, length) == 0)
      return bytes + i - length;
  return NULL;
}

/* A decimal number; moves *at behind it. -1 when there is none. */
static long long read_number(const unsigned char **at,
                             const unsigned char *end) {
  const unsigned char *s = *at;
  long long value = 0;
  while (s < end && isdigit(*s) && value < INT32_MAX)
    value = value * 10 + (*s++ - '0');
  if (s == *at) return -1;
  *at = s;
  return value;
}

static void skip_space(const unsigned char **at, const unsigned char *end) {
  while (*at < end && isspace(**at))
    (*at)++;
}

/* Whether "12 0 obj" stands there. */
static bool is_object(const unsigned char *at, const unsigned char *end) {
  if (read_number(&at, end) < 0) return false;
  skip_space(&at, end);
  if (read_number(&at, end) < 0) return false;
  skip_space(&at, end);
  return end - at >= 3 && memcmp(at, "obj", 3) == 0;
}

int pdf_update_find_tail(const unsigned char *pdf, size_t size, PdfTail *tail) {
  size_t window = size < TAIL_WINDOW ? size : TAIL_WINDOW;
  const unsigned char *end = pdf + size;
  const unsigned char *at = find_last(end - window, window, "startxref");
  if (at == NULL) return -1;
  at += strlen("startxref");
  skip_space(&at, end);
  long long offset = read_number(&at, end);
  if (offset <= 0 || (unsigned long long)offset + 4 > size) return -1;
  tail->startxref = (size_t)offset;
  tail->is_stream = is_object(pdf + offset, end);
  return tail->is_stream || memcmp(pdf + offset, "xref", 4) == 0 ? 0 : -1;
}

/* --- objects ------------------------------------------------------------ */

int pdf_update_open(PdfUpdate *update, const unsigned char *pdf, size_t size,
                    const PdfTail *tail, int first_number) {
  memset(update, 0, sizeof *update);
  update->previous = *tail;
  update->next_number = first_number;
  update->out = open_memstream(&update->bytes, &update->size);
  if (update->out == NULL) return -1;
  fwrite(pdf, 1, size, update->out);
  if (pdf[size - 1] != '\n') putc('\n', update->out);
  return 0;
}

int pdf_update_new(PdfUpdate *update) {
  return update->next_number++;
}

size_t pdf_update_position(const PdfUpdate *update) {
  off_t position = ftello(update->out);
  return position < 0 ? 0 : (size_t)position;
}

void pdf_update_begin(PdfUpdate *update, int number, int generation) {
  if (update->count < PDF_UPDATE_MOST)
    update->entries[update->count] =
        (PdfEntry){number, generation, pdf_update_position(update)};
  update->count++; /* past the most, pdf_update_finish refuses */
  fprintf(update->out, "%d %d obj\n", number, generation);
}

void pdf_update_end(PdfUpdate *update) {
  fputs("\nendobj\n", update->out);
}

/* --- the section -------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
  int left = ((const PdfEntry *)a)->number;
  int right = ((const PdfEntry *)b)->number;
  return (left > right) - (left < right);
}

/* How many entries from `first` on have consecutive numbers. */
static int run_length(const PdfUpdate *update, int first) {
  int i = first + 1;
  while (i < update->count &&
         update->entries[i].number == update->entries[i - 1].number + 1)
    i++;
  return i - first;
}

static void put_table(const PdfUpdate *update) {
  fputs("xref\n", update->out);
  for (int i = 0, run; i < update->count; i += run) {
    run = run_length(update, i);
    fprintf(update->out, "%d %d\n", update->entries[i].number, run);
    for (int j = i; j < i + run; j++)
      fprintf(update->out, "%010zu %05d n \n", update->entries[j].offset,
              update->entries[j].generation);
  }
}

static void put_size_and_previous(const PdfUpdate *update) {
  fprintf(update->out, " /Size %d /Prev %zu", update->next_number,
          update->previous.startxref);
}

/* Each entry as /W [1 4 2]: in use, its offset, its generation. */
static void put_stream_entries(const PdfUpdate *update) {
  for (int i = 0; i < update->count; i++) {
    uint32_t offset = (uint32_t)update->entries[i].offset;
    unsigned generation = (unsigned)update->entries[i].generation;
    const unsigned char entry[7] = {
        1,
        (unsigned char)(offset >> 24),
        (unsigned char)(offset >> 16),
        (unsigned char)(offset >> 8),
        (unsigned char)offset,
        (unsigned char)(generation >> 8),
        (unsigned char)generation,
    };
    fwrite(entry, 1, sizeof entry, update->out);
  }
}

/* The stream is an object too, and lists itself. */
static void put_stream(PdfUpdate *update, const char *trailer) {
  pdf_update_begin(update, pdf_update_new(update), 0);
  if (update->count > PDF_UPDATE_MOST) return;
  fprintf(update->out, "<< /Type /XRef /W [1 4 2] /Length %d /Index [",
          update->count * 7);
  for (int i = 0, run; i < update->count; i += run) {
    run = run_length(update, i);
    fprintf(update->out, " %d %d", update->entries[i].number, run);
  }
  fputs(" ]", update->out);
  put_size_and_previous(update);
  fprintf(update->out, " %s >>\nstream\n", trailer);
  put_stream_entries(update);
  fputs("\nendstream", update->out);
  pdf_update_end(update);
}

int pdf_update_finish(PdfUpdate *update, const char *trailer,
                      unsigned char **pdf, size_t *size) {
  size_t startxref = pdf_update_position(update);
  bool fits = update->count < PDF_UPDATE_MOST && startxref <= UINT32_MAX;
  if (fits) {
    qsort(update->entries, (size_t)update->count, sizeof *update->entries,
          by_number);
    if (update->previous.is_stream) {
      put_stream(update, trailer); /* its number is the highest: still sorted */
    } else {
      put_table(update);
      fputs("trailer\n<<", update->out);
      put_size_and_previous(update);
      fprintf(update->out, " %s >>\n", trailer);
    }
    fprintf(update->out, "startxref\n%zu\n%%%%EOF\n", startxref);
  }
  int failed = ferror(update->out);
  failed |= fclose(update->out);
  update->out = NULL;
  if (failed || !fits) {
    pdf_update_close(update);
    return -1;
  }
  *pdf = (unsigned char *)update->bytes;
  *size = update->size;
  update->bytes = NULL;
  return 0;
}

void pdf_update_close(PdfUpdate *update) {
  if (update->out != NULL) fclose(update->out);
  free(update->bytes);
  update->out = NULL;
  update->bytes = NULL;
}
