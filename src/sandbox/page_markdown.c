/*
 * page_markdown.c: headings, lists, quotations, code, rules and emphasis.
 *
 * A signer has to see all that is signed. So what is not one of these stays
 * as it is written: links and pictures with their addresses, HTML, tables.
 * Reads line by line, each once; nothing nests but emphasis.
 */
#include "page_markdown.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef enum Block { NONE, PARAGRAPH, BULLETS, NUMBERS, QUOTATION, CODE } Block;

static const char *const begins[] = {"",       "<p>",          "<ul>\n",
                                     "<ol>\n", "<blockquote>", "<pre>\n"};
static const char *const ends[] = {"",        "</p>\n",          "</ul>\n",
                                   "</ol>\n", "</blockquote>\n", "</pre>\n"};

/* --- inside a line ------------------------------------------------------- */

/* How many characters the mark at `s` has; 0: there is none. */
static size_t mark_at(const char *s) {
  if (*s == '`') return 1;
  if (*s != '*') return 0;
  return s[1] == '*' ? 2 : 1;
}

/* Where the text after the mark at `s` ends, if there is any to mark. */
static char *marked_end(char *s, size_t mark) {
  const char sign[] = {*s, mark == 2 ? *s : '\0', '\0'};
  char *text = s + mark, *end = strstr(text, sign);
  if (!end || end == text) return NULL;
  if (*s == '`') return end;
  return isspace((unsigned char)*text) || isspace((unsigned char)end[-1]) ? NULL
                                                                          : end;
}

static void write_inline(Html *html, char *s);

static void write_marked(Html *html, char *text, char sign, size_t mark) {
  if (sign == '`') {
    html_print(html, "<code>%s</code>", text);
    return;
  }
  html_print(html, mark == 2 ? "<strong>" : "<em>");
  write_inline(html, text); /* it holds no such mark any more */
  html_print(html, mark == 2 ? "</strong>" : "</em>");
}

static void write_inline(Html *html, char *s) {
  char *plain = s; /* from here on nothing is written yet */
  while (*s) {
    size_t mark = mark_at(s);
    char *end = mark ? marked_end(s, mark) : NULL;
    if (*s == '\\' && ispunct((unsigned char)s[1])) {
      *s = '\0';
      html_print(html, "%s", plain);
      plain = s + 1;
      s += 2;
    } else if (end) {
      char sign = *s;
      *s = *end = '\0';
      html_print(html, "%s", plain);
      write_marked(html, s + mark, sign, mark);
      plain = s = end + mark;
    } else {
      s += mark ? mark : 1;
    }
  }
  html_print(html, "%s", plain);
}

/* --- lines --------------------------------------------------------------- */

/* Both are markup of ours. */
static void turn_to(Html *html, Block *block, Block next) {
  fputs(ends[*block], html->file);
  fputs(begins[next], html->file);
  *block = next;
}

static bool is_rule(const char *line) {
  size_t count = 0;
  for (const char *at = line; *at; at++) {
    if (*at == *line) count++;
    if (*at != *line && *at != ' ') return false;
  }
  return count >= 3 && strchr("-*_", *line);
}

/* What follows the sign of a block at the start of a line, or NULL. */
static char *after_sign(char *line, Block *block) {
  size_t size = strspn(line, "0123456789");
  *block = NUMBERS;
  if (size > 0 && size < 10 && (line[size] == '.' || line[size] == ')') &&
      line[size + 1] == ' ')
    return line + size + 2;
  *block = BULLETS;
  if (*line && strchr("-*+", *line) && line[1] == ' ') return line + 2;
  *block = QUOTATION;
  return *line == '>' ? line + 1 + (line[1] == ' ') : NULL;
}

static bool write_heading(Html *html, Block *block, char *line) {
  size_t level = strspn(line, "#");
  if (level == 0 || level > 6 || line[level] != ' ') return false;
  /* Below the document's own title. */
  int shown = level < 3 ? (int)level + 3 : 6;
  turn_to(html, block, NONE);
  html_print(html, "<h%d>", shown);
  write_inline(html, line + level + 1);
  html_print(html, "</h%d>\n", shown);
  return true;
}

/* Numbers stay those that were written. */
static void begin_item(Html *html, Block block, const char *line) {
  if (block == NUMBERS) html_print(html, "<li value=\"%d\">", atoi(line));
  if (block == BULLETS) html_print(html, "<li>");
}

/* A line of text: the block it begins, or goes on with. */
static void write_text(Html *html, Block *block, char *line) {
  Block next;
  char *text = after_sign(line, &next);
  if (!text && *block == NONE)
    turn_to(html, block, PARAGRAPH);
  else if (text && next != *block)
    turn_to(html, block, next);
  else if (!text || next == QUOTATION)
    html_print(html, "<br>\n");
  if (text) begin_item(html, next, line);
  write_inline(html, text ? text : line);
}

static void write_line(Html *html, Block *block, char *line) {
  char *text = line + strspn(line, " ");
  if (*block == CODE) {
    if (strcmp(text, "```") == 0)
      turn_to(html, block, NONE);
    else
      html_print(html, "%s\n", line);
  } else if (strncmp(text, "```", 3) == 0) {
    turn_to(html, block, CODE);
    if (text[3]) html_print(html, "%s\n", text + 3);
  } else if (*text == '\0') {
    turn_to(html, block, NONE);
  } else if (is_rule(text)) {
    turn_to(html, block, NONE);
    html_print(html, "<hr>\n");
  } else if (!write_heading(html, block, text)) {
    write_text(html, block, text);
  }
}

void page_markdown_write(Html *html, char *text) {
  Block block = NONE;
  for (char *line; (line = strsep(&text, "\n"));) {
    size_t size = strlen(line);
    if (size > 0 && line[size - 1] == '\r') line[size - 1] = '\0';
    write_line(html, &block, line);
  }
  turn_to(html, &block, NONE);
}
