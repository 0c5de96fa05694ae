/*
 * markdown.c: reads Markdown line by line, each once; nothing nests but what
 * is inside a line.
 */
#include "markdown.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A text on its way: what is written to, and the block it is in. */
typedef struct Reader {
  const MarkdownWriter *to;
  bool inside;
  MarkdownPart block; /* if inside one */
} Reader;

static void begin(const Reader *reader, MarkdownPart part, int number) {
  reader->to->begin(reader->to->out, part, number);
}

static void end(const Reader *reader, MarkdownPart part, int number) {
  reader->to->end(reader->to->out, part, number);
}

static void write(const Reader *reader, const char *text) {
  if (*text) reader->to->text(reader->to->out, text);
}

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
  char *text = s + mark, *last = strstr(text, sign);
  if (!last || last == text) return NULL;
  if (*s == '`') return last;
  return isspace((unsigned char)*text) || isspace((unsigned char)last[-1])
             ? NULL
             : last;
}

static void write_inline(const Reader *reader, char *s);

static void write_marked(const Reader *reader, char *text, char sign,
                         size_t mark) {
  MarkdownPart part = sign == '`' ? MARKDOWN_CODE
                      : mark == 2 ? MARKDOWN_STRONG
                                  : MARKDOWN_EMPHASIS;
  begin(reader, part, 0);
  if (part == MARKDOWN_CODE)
    write(reader, text);
  else
    write_inline(reader, text); /* it holds no such mark any more */
  end(reader, part, 0);
}

static void write_inline(const Reader *reader, char *s) {
  char *plain = s; /* from here on nothing is written yet */
  while (*s) {
    size_t mark = mark_at(s);
    char *last = mark ? marked_end(s, mark) : NULL;
    if (*s == '\\' && ispunct((unsigned char)s[1])) {
      *s = '\0';
      write(reader, plain);
      plain = s + 1;
      s += 2;
    } else if (last) {
      char sign = *s;
      *s = *last = '\0';
      write(reader, plain);
      write_marked(reader, s + mark, sign, mark);
      plain = s = last + mark;
    } else {
      s += mark ? mark : 1;
    }
  }
  write(reader, plain);
}

/* --- lines --------------------------------------------------------------- */

static void leave_block(Reader *reader) {
  if (reader->inside) end(reader, reader->block, 0);
  reader->inside = false;
}

static void turn_to(Reader *reader, MarkdownPart block) {
  leave_block(reader);
  begin(reader, block, 0);
  reader->inside = true;
  reader->block = block;
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
static char *after_sign(char *line, MarkdownPart *block) {
  size_t size = strspn(line, "0123456789");
  *block = MARKDOWN_NUMBERS;
  if (size > 0 && size < 10 && (line[size] == '.' || line[size] == ')') &&
      line[size + 1] == ' ')
    return line + size + 2;
  *block = MARKDOWN_BULLETS;
  if (*line && strchr("-*+", *line) && line[1] == ' ') return line + 2;
  *block = MARKDOWN_QUOTATION;
  return *line == '>' ? line + 1 + (line[1] == ' ') : NULL;
}

static bool write_heading(Reader *reader, char *line) {
  size_t level = strspn(line, "#");
  if (level == 0 || level > 6 || line[level] != ' ') return false;
  leave_block(reader);
  begin(reader, MARKDOWN_HEADING, (int)level);
  write_inline(reader, line + level + 1);
  end(reader, MARKDOWN_HEADING, (int)level);
  return true;
}

/* A line of text: the block it begins, or goes on with. */
static void write_text(Reader *reader, char *line) {
  MarkdownPart next;
  char *text = after_sign(line, &next);
  if (!reader->inside || (text && next != reader->block))
    turn_to(reader, text ? next : MARKDOWN_PARAGRAPH);
  else if (!text || next == MARKDOWN_QUOTATION)
    begin(reader, MARKDOWN_BREAK, 0);
  /* Numbers stay those that were written. */
  if (text && next == MARKDOWN_NUMBERS)
    begin(reader, MARKDOWN_ITEM, atoi(line));
  if (text && next == MARKDOWN_BULLETS)
    begin(reader, MARKDOWN_ITEM, MARKDOWN_NO_NUMBER);
  write_inline(reader, text ? text : line);
}

static void write_code(const Reader *reader, const char *line) {
  write(reader, line);
  write(reader, "\n");
}

static void write_line(Reader *reader, char *line) {
  char *text = line + strspn(line, " ");
  if (reader->inside && reader->block == MARKDOWN_CODE_BLOCK) {
    if (strcmp(text, "```") == 0)
      leave_block(reader);
    else
      write_code(reader, line);
  } else if (strncmp(text, "```", 3) == 0) {
    turn_to(reader, MARKDOWN_CODE_BLOCK);
    if (text[3]) write_code(reader, text + 3);
  } else if (*text == '\0') {
    leave_block(reader);
  } else if (is_rule(text)) {
    leave_block(reader);
    begin(reader, MARKDOWN_RULE, 0);
  } else if (!write_heading(reader, text)) {
    write_text(reader, text);
  }
}

void markdown_read(char *text, const MarkdownWriter *writer) {
  Reader reader = {.to = writer};
  for (char *line; (line = strsep(&text, "\n"));) {
    size_t size = strlen(line);
    if (size > 0 && line[size - 1] == '\r') line[size - 1] = '\0';
    write_line(&reader, line);
  }
  leave_block(&reader);
}
