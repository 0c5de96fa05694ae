/*
 * page_markdown.c: what the parts of a text in Markdown are in HTML.
 */
#include "page_markdown.h"

#include "markdown.h"

static const char *const begins[] = {
    [MARKDOWN_PARAGRAPH] = "<p>",      [MARKDOWN_BULLETS] = "<ul>\n",
    [MARKDOWN_NUMBERS] = "<ol>\n",     [MARKDOWN_QUOTATION] = "<blockquote>",
    [MARKDOWN_CODE_BLOCK] = "<pre>\n", [MARKDOWN_STRONG] = "<strong>",
    [MARKDOWN_EMPHASIS] = "<em>",      [MARKDOWN_CODE] = "<code>",
    [MARKDOWN_BREAK] = "<br>\n",       [MARKDOWN_RULE] = "<hr>\n"};
static const char *const ends[] = {[MARKDOWN_PARAGRAPH] = "</p>\n",
                                   [MARKDOWN_BULLETS] = "</ul>\n",
                                   [MARKDOWN_NUMBERS] = "</ol>\n",
                                   [MARKDOWN_QUOTATION] = "</blockquote>\n",
                                   [MARKDOWN_CODE_BLOCK] = "</pre>\n",
                                   [MARKDOWN_STRONG] = "</strong>",
                                   [MARKDOWN_EMPHASIS] = "</em>",
                                   [MARKDOWN_CODE] = "</code>"};

/* Below the document's own title. */
static int level_here(int level) {
  return level < 3 ? level + 3 : 6;
}

/* What stands in the tables is markup of ours. */
static void begin(void *out, MarkdownPart part, int number) {
  Html *html = out;
  if (part == MARKDOWN_HEADING)
    html_print(html, "<h%d>", level_here(number));
  else if (part != MARKDOWN_ITEM)
    fputs(begins[part], html->file);
  else if (number == MARKDOWN_NO_NUMBER)
    html_print(html, "<li>");
  else
    html_print(html, "<li value=\"%d\">", number);
}

static void end(void *out, MarkdownPart part, int number) {
  Html *html = out;
  if (part == MARKDOWN_HEADING)
    html_print(html, "</h%d>\n", level_here(number));
  else
    fputs(ends[part], html->file);
}

static void text(void *out, const char *words) {
  html_print(out, "%s", words);
}

void page_markdown_write(Html *html, char *words) {
  const MarkdownWriter writer = {html, begin, end, text};
  markdown_read(words, &writer);
}
