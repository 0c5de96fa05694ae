/*
 * paper.h: text onto pages of a PDF.
 *
 * A4, in DejaVu, of which what is used is embedded: Latin, Greek and Cyrillic
 * letters come out on every machine, and others where it has a font for them;
 * a text with boxes for letters says so. For the process that makes PDFs
 * (press.h) alone: one thread, and memory is left to its end.
 */
#ifndef SANDBOX_PAPER_H
#define SANDBOX_PAPER_H

#include <stdbool.h>
#include <stddef.h>

/* A line of a form: what is said, and of what. */
typedef struct PaperLine {
  const char *label, *value; /* UTF-8 */
} PaperLine;

/* A text as it is, wrapped where lines are too long; it need not be UTF-8.
 * False: it cannot be shown. *pdf is the caller's to free. */
bool paper_text(const char *text, size_t length, unsigned char **pdf,
                size_t *size);

/* The same of a text in Markdown, as the signer's page has it. */
bool paper_markdown(const char *text, size_t length, unsigned char **pdf,
                    size_t *size);

/* One page: a heading, what it means, and the lines. */
bool paper_form(const char *heading, const char *note, const PaperLine *lines,
                size_t count, unsigned char **pdf, size_t *size);

#endif
