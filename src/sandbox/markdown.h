/*
 * markdown.h: headings, lists, quotations, code, rules and emphasis.
 *
 * Whoever signs a text has to see all of it. So what is not one of these stays
 * as it is written: links and pictures with their addresses, HTML, tables.
 * What a part looks like is the writer's: a page of HTML, or paper.
 */
#ifndef SANDBOX_MARKDOWN_H
#define SANDBOX_MARKDOWN_H

typedef enum MarkdownPart {
  /* Blocks, none inside another. */
  MARKDOWN_PARAGRAPH,
  MARKDOWN_BULLETS,
  MARKDOWN_NUMBERS,
  MARKDOWN_QUOTATION,
  MARKDOWN_CODE_BLOCK, /* its text comes with line ends */
  MARKDOWN_HEADING,    /* with its level, 1 to 6 */
  /* Inside lines; an emphasis may be in what is strong, code in both. */
  MARKDOWN_STRONG,
  MARKDOWN_EMPHASIS,
  MARKDOWN_CODE,
  /* These only begin. */
  MARKDOWN_ITEM, /* of a list, with its number */
  MARKDOWN_BREAK,
  MARKDOWN_RULE
} MarkdownPart;

#define MARKDOWN_NO_NUMBER (-1) /* of an item with a bullet */

typedef struct MarkdownWriter {
  void *out; /* for the functions */
  void (*begin)(void *out, MarkdownPart part, int number);
  void (*end)(void *out, MarkdownPart part, int number);
  void (*text)(void *out, const char *text);
} MarkdownWriter;

/* Takes the text apart on the way. */
void markdown_read(char *text, const MarkdownWriter *writer);

#endif
