/*
 * label.h: people's names and reasons on their way into certificates and PDFs.
 *
 * What comes in is meant to be UTF-8 and is not trusted to be: a byte that
 * fits nowhere becomes U+FFFD. What goes out has no control characters, nor
 * any that show the letters behind them in another order.
 */
#ifndef SANDBOX_LABEL_H
#define SANDBOX_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A copy as valid UTF-8 without control characters and with at most `most`
 * characters, never cut inside one. The caller frees it; NULL: no memory.
 */
char *label_clean(const char *text, size_t most);

/* Whether nothing of it would be seen. */
bool label_is_blank(const char *text);

/* A clean text as a PDF text string: (ASCII), otherwise <UTF-16BE>. */
void label_put_pdf(FILE *out, const char *text);

#endif
