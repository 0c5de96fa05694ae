/*
 * html.h: writes a page, and is the one place where text becomes HTML.
 *
 * A format is our own markup, a literal; what is put in by %s is text from
 * outside and is escaped, for content and for attributes in double quotes.
 * There is no way to put in text unescaped.
 */
#ifndef SANDBOX_HTML_H
#define SANDBOX_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct Html {
  FILE *file;
  char *bytes;
  size_t size;
} Html;

bool html_open(Html *html);
/* Knows %s (NULL is nothing) and %d. */
void html_print(Html *html, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The page, the caller's to free; NULL when there was no memory. */
char *html_close(Html *html);

#endif
