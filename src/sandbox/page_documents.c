/*
 * page_documents.c: PDFs in a frame of the browser's, text in the page.
 *
 * What is shown as text is text: a browser is told to take nothing but PDFs
 * for more than that.
 */
#include "page_documents.h"

#include "blob.h"
#include "page_markdown.h"
#include "store.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Longer ones are to be opened on their own. */
#define MOST_TEXT (256 * 1024)

static bool is_pdf(const char *mime) {
  return strncasecmp(mime, "application/pdf", 15) == 0;
}

#define OF_SESSION \
  " FROM session_document JOIN document ON id = document WHERE session = ?"

static void write_pdf(const Case *signing, Html *html, int number,
                      const char *title) {
  html_print(html,
             "<object type=\"application/pdf\" aria-label=\"%s\" "
             "data=\"/sign/document?sessionId=%s&amp;number=%d#navpanes=0\">"
             "<p>%s</p></object>\n",
             title, signing->url_id, number,
             page_text(signing->language, TEXT_NO_VIEWER));
}

/* The whole text, with an end; NULL when it is not one to show. */
static char *read_text(const Case *signing, const char *id, int64_t size) {
  size_t got;
  if (size > MOST_TEXT) return NULL;
  unsigned char *bytes = blob_load(signing->service->documents, id, &got);
  char *text = bytes && !memchr(bytes, '\0', got)
                   ? strndup((const char *)bytes, got)
                   : NULL;
  free(bytes);
  if (text && text_is_utf8(text)) return text;
  free(text);
  return NULL;
}

static void write_text(const Case *signing, Html *html, const char *title,
                       const char *mime, const char *id, int64_t size) {
  char *text = read_text(signing, id, size);
  if (text) {
    html_print(html,
               "<div class=\"prose\" tabindex=\"0\" role=\"region\" "
               "aria-label=\"%s\" dir=\"auto\">\n",
               title);
    if (strncasecmp(mime, "text/markdown", 13) == 0)
      page_markdown_write(html, text);
    else
      html_print(html, "<pre>\n%s</pre>\n", text);
    html_print(html, "</div>\n");
  } else {
    html_print(html, "<p>%s</p>\n",
               page_text(signing->language, TEXT_NOT_SHOWN));
  }
  free(text);
}

/* A row: id, action, mime, size, title or filename. */
static void write_document(const Case *signing, Html *html, int number,
                           Rows *rows) {
  PageLanguage language = signing->language;
  bool to_sign = strcmp(store_text(rows, 1), "SIGN") == 0;
  const char *mime = store_text(rows, 2);
  char plain[64];
  snprintf(plain, sizeof plain, "%s %d", page_text(language, TEXT_DOCUMENT),
           number);
  const char *title = store_text(rows, 4) ? store_text(rows, 4) : plain;
  html_print(html,
             "<li class=\"%s\">\n<div class=\"head\"><h3 dir=\"auto\">%s</h3>\n"
             "<p class=\"mark\">%s</p></div>\n",
             to_sign ? "sign" : "view", title,
             page_text(language, to_sign ? TEXT_TO_SIGN : TEXT_TO_VIEW));
  if (is_pdf(mime))
    write_pdf(signing, html, number, title);
  else
    write_text(signing, html, title, mime, store_text(rows, 0),
               store_number(rows, 3));
  const char *open = page_text(language, TEXT_OPEN);
  html_print(html,
             "<p><a target=\"_blank\" rel=\"noopener\" aria-label=\"%s: %s\" "
             "href=\"/sign/document?sessionId=%s&amp;number=%d\">%s</a></p>\n"
             "</li>\n",
             open, title, signing->url_id, number, open);
}

bool page_documents_write(const Case *signing, Html *html) {
  int found, number = 0;
  Rows *rows =
      store_query(signing->service->store,
                  "SELECT id, action, mime, size,"
                  " coalesce(title, filename)" OF_SESSION " ORDER BY position",
                  "s", signing->session);
  html_print(html, "<h2>%s</h2>\n<ol class=\"documents\">\n",
             page_text(signing->language, TEXT_DOCUMENTS));
  while ((found = store_next(rows)) > 0)
    write_document(signing, html, ++number, rows);
  html_print(html, "</ol>\n");
  store_done(rows);
  return found == 0;
}

bool page_documents_send(const Case *signing, const char *number,
                         Reply *reply) {
  uint64_t size = 0;
  int file = -1;
  Rows *rows = store_query(
      signing->service->store, "SELECT id, mime" OF_SESSION " AND position = ?",
      "si", signing->session, (int64_t)atoll(number ? number : "") - 1);
  if (store_next(rows) > 0)
    file = blob_read(signing->service->documents, store_text(rows, 0), &size);
  if (file >= 0)
    reply_file(reply,
               is_pdf(store_text(rows, 1)) ? "application/pdf"
                                           : "text/plain; charset=utf-8",
               file, size);
  store_done(rows);
  if (file < 0) return false;
  reply->no_store = true;
  /* The browser's own viewer of PDFs needs more than 'none'. */
  reply->policy = strdup("default-src 'self'; script-src 'none'; "
                         "style-src 'self' 'unsafe-inline'; object-src 'self'; "
                         "form-action 'none'; base-uri 'none'; "
                         "frame-ancestors 'self'");
  return true;
}
