/*
 * page_markdown.h: a text in Markdown, for its signer to read.
 */
#ifndef SANDBOX_PAGE_MARKDOWN_H
#define SANDBOX_PAGE_MARKDOWN_H

#include "html.h"

/* Takes the text apart on the way. */
void page_markdown_write(Html *html, char *words);

#endif
