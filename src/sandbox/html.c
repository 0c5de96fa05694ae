/*
 * html.c: formats and escapes into a stream in memory.
 */
#include "html.h"

#include <stdarg.h>
#include <stdlib.h>

bool html_open(Html *html) {
  *html = (Html){.file = NULL};
  html->file = open_memstream(&html->bytes, &html->size);
  return html->file != NULL;
}

static void escape(FILE *file, const char *text) {
  for (; text && *text; text++)
    switch (*text) {
    case '&': fputs("&amp;", file); break;
    case '<': fputs("&lt;", file); break;
    case '>': fputs("&gt;", file); break;
    case '"': fputs("&quot;", file); break;
    case '\'': fputs("&#39;", file); break;
    default: fputc(*text, file);
    }
}

void html_print(Html *html, const char *format, ...) {
  va_list values;
  va_start(values, format);
  for (const char *at = format; *at; at++) {
    if (*at != '%')
      fputc(*at, html->file);
    else if (*++at == 's')
      escape(html->file, va_arg(values, const char *));
    else if (*at == 'd')
      fprintf(html->file, "%d", va_arg(values, int));
    else
      abort(); /* a slip in one of our own literals */
  }
  va_end(values);
}

char *html_close(Html *html) {
  bool failed = ferror(html->file) != 0;
  if (fclose(html->file) == 0 && !failed) return html->bytes;
  free(html->bytes);
  return NULL;
}
