/*
 * markdown_fuzz.c: arbitrary texts against the writer of the signer's page.
 *
 * A page has no markup but ours, each tag is closed where it should be, and
 * nothing of the text is lost but the signs that were understood.
 */
#include "fuzz.h"

#include "sandbox/html.h"
#include "sandbox/page_markdown.h"

#include <string.h>

#define MOST_OPEN 16384

static const char *const paired[] = {
    "p",  "ul", "ol", "blockquote", "pre",    "h4", "h5",
    "h6", "em", "li", "code",       "strong", NULL};

/* The place in `paired` of the tag's name, which ends before `end`; -1. */
static int find(const char *name, const char *end) {
  for (int i = 0; paired[i]; i++)
    if (strlen(paired[i]) == (size_t)(end - name) &&
        memcmp(paired[i], name, (size_t)(end - name)) == 0)
      return i;
  return -1;
}

static int is_item(int tag) {
  return tag >= 0 && strcmp(paired[tag], "li") == 0;
}

/* Every tag of the page, in order; an item ends with the next or its list. */
static void check_tags(const char *html) {
  static int open[MOST_OPEN];
  int depth = 0;
  while ((html = strchr(html, '<'))) {
    const char *name = html + 1, *stop = strchr(name, '>');
    expect(stop != NULL);
    int closes = *name == '/';
    name += closes;
    const char *end = name + strcspn(name, " >");
    html = stop;
    if (!closes &&
        (strncmp(name, "br>", 3) == 0 || strncmp(name, "hr>", 3) == 0))
      continue;
    int tag = find(name, end);
    expect(tag >= 0);
    expect(end == stop || strncmp(name, "li value=\"", 10) == 0);
    if ((closes || is_item(tag)) && depth > 0 && is_item(open[depth - 1]) &&
        !(closes && is_item(tag)))
      if (!closes || open[depth - 1] != tag) depth--;
    if (closes)
      expect(depth > 0 && open[--depth] == tag);
    else if (depth < MOST_OPEN)
      open[depth++] = tag;
  }
  expect(depth == 0);
}

/* Letters are never signs. */
static size_t letters_in(const char *text) {
  size_t count = 0;
  for (; *text; text++)
    count += *text >= 'A' && *text <= 'Z';
  return count;
}

static size_t letters_outside_tags(const char *html) {
  size_t count = 0;
  for (int inside = 0; *html; html++) {
    if (*html == '<') inside = 1;
    if (*html == '>') inside = 0;
    count += !inside && *html >= 'A' && *html <= 'Z';
  }
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Html html;
  char *text = malloc(size + 1), *page;
  memcpy(text, data, size);
  text[size] = '\0';
  size_t letters = letters_in(text);
  expect(html_open(&html));
  page_markdown_write(&html, text);
  page = html_close(&html);
  expect(page != NULL);
  check_tags(page);
  expect(letters_outside_tags(page) == letters);
  free(page);
  free(text);
  return 0;
}
