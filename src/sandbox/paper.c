/*
 * paper.c: has Pango break lines and Cairo draw them, a page at a time.
 */
#include "paper.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "fonts.h"
#include "label.h"
#include "markdown.h"

#define WIDTH 595.0 /* A4, in points */
#define HEIGHT 842.0
#define MARGIN 57.0
#define LABEL_WIDTH 120.0
#define GAP 8.0     /* between blocks, and lines of a form */
#define ROOM 14.0   /* for a line */
#define INDENT 24.0 /* of lists and quotations */
#define BODY FONTS_FAMILY " 10"
#define HEADING FONTS_FAMILY " Bold 16"
#define LESSER_HEADING FONTS_FAMILY " Bold 12"
#define FIXED FONTS_FIXED " 9"
#define NO_LETTERS                                                         \
  "[signicat-sandbox: boxes stand for letters that no font here has. The " \
  "attached files have them.]"

typedef struct Paper {
  FILE *out;
  char *bytes;
  size_t size;
  cairo_surface_t *surface;
  cairo_t *pen;
  double y;  /* where the next line's top is */
  int boxes; /* shown for letters that are in no font */
} Paper;

static cairo_status_t write_piece(void *out, const unsigned char *bytes,
                                  unsigned size) {
  return fwrite(bytes, 1, size, out) == size ? CAIRO_STATUS_SUCCESS
                                             : CAIRO_STATUS_WRITE_ERROR;
}

static bool open_paper(Paper *paper) {
  memset(paper, 0, sizeof *paper);
  paper->out = open_memstream(&paper->bytes, &paper->size);
  if (!paper->out) return false;
  paper->surface = cairo_pdf_surface_create_for_stream(write_piece, paper->out,
                                                       WIDTH, HEIGHT);
  paper->pen = cairo_create(paper->surface);
  paper->y = MARGIN;
  return true;
}

/* With those attributes, or none, which it takes. */
static PangoLayout *lay_out(const Paper *paper, const char *font, double width,
                            const char *text, PangoAttrList *attributes) {
  PangoLayout *layout = pango_cairo_create_layout(paper->pen);
  PangoFontDescription *description = pango_font_description_from_string(font);
  if (!attributes) attributes = pango_attr_list_new();
  /* A hyphen at a break would be read as one of the name's. */
  pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
  pango_layout_set_attributes(layout, attributes);
  pango_attr_list_unref(attributes);
  pango_layout_set_font_description(layout, description);
  pango_font_description_free(description);
  pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
  pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_text(layout, text, -1);
  return layout;
}

static void keep_room(Paper *paper, double height) {
  if (paper->y + height <= HEIGHT - MARGIN) return;
  cairo_show_page(paper->pen);
  paper->y = MARGIN;
}

/* Draws it from `y` on, over as many pages as it takes, and frees it. */
static void draw(Paper *paper, PangoLayout *layout, double x) {
  PangoLayoutIter *lines = pango_layout_get_iter(layout);
  do {
    PangoRectangle place;
    pango_layout_iter_get_line_extents(lines, NULL, &place);
    double height = place.height / (double)PANGO_SCALE;
    double ascent =
        (pango_layout_iter_get_baseline(lines) - place.y) / (double)PANGO_SCALE;
    keep_room(paper, height);
    cairo_move_to(paper->pen, x + place.x / (double)PANGO_SCALE,
                  paper->y + ascent);
    pango_cairo_show_layout_line(paper->pen,
                                 pango_layout_iter_get_line_readonly(lines));
    paper->y += height;
  } while (pango_layout_iter_next_line(lines));
  pango_layout_iter_free(lines);
  paper->boxes += pango_layout_get_unknown_glyphs_count(layout);
  g_object_unref(layout);
}

static void put(Paper *paper, const char *font, const char *text, double x,
                double width) {
  draw(paper, lay_out(paper, font, width, text, NULL), x);
}

/* Ends it, with a word on what cannot be read. Whether all was drawn. */
static bool close_paper(Paper *paper, unsigned char **pdf, size_t *size) {
  if (paper->boxes > 0) {
    paper->y += GAP;
    put(paper, BODY, NO_LETTERS, MARGIN, WIDTH - 2 * MARGIN);
  }
  cairo_show_page(paper->pen);
  cairo_destroy(paper->pen);
  cairo_surface_finish(paper->surface);
  bool drawn = cairo_surface_status(paper->surface) == CAIRO_STATUS_SUCCESS;
  cairo_surface_destroy(paper->surface);
  if (fclose(paper->out) != 0 || !drawn) return false;
  *pdf = (unsigned char *)paper->bytes;
  *size = paper->size;
  return true;
}

/* "\r\n" and "\r" end a line, too: they become "\n". */
static void end_lines(char *text) {
  char *to = text;
  for (const char *from = text; *from; from++) {
    if (*from == '\r' && from[1] == '\n') continue;
    *to++ = *from == '\r' ? '\n' : *from;
  }
  *to = 0;
}

bool paper_text(const char *text, size_t length, unsigned char **pdf,
                size_t *size) {
  Paper paper;
  char *valid = g_utf8_make_valid(text, (gssize)length);
  if (!open_paper(&paper)) return false;
  end_lines(valid);
  /* A paragraph at a time: a layout of a whole book takes long. */
  for (char *rest = valid, *line; (line = strsep(&rest, "\n"));) {
    put(&paper, FIXED, line, MARGIN, WIDTH - 2 * MARGIN);
  }
  return close_paper(&paper, pdf, size);
}

/* --- Markdown ----------------------------------------------------------- */

/* A line that is put together. */
typedef struct Line {
  Paper *paper;
  const char *font;
  double indent;
  bool quoted, itemised; /* itemised: its sign stands left of the indent */
  GString *text;
  PangoAttrList *attributes;
  PangoAttribute *open[MARKDOWN_CODE + 1]; /* of what has not ended yet */
} Line;

static void clear_line(Line *line) {
  g_string_truncate(line->text, 0);
  line->attributes = pango_attr_list_new();
  line->itemised = false;
}

/* The sign's place, and that of what is behind its tab. */
static void hang(PangoLayout *layout, double indent) {
  int width = (int)(indent * PANGO_SCALE);
  PangoTabArray *tabs =
      pango_tab_array_new_with_positions(1, FALSE, PANGO_TAB_LEFT, width);
  pango_layout_set_indent(layout, -width);
  pango_layout_set_tabs(layout, tabs);
  pango_tab_array_free(tabs);
}

/* A thin line on this page, if it does not lead to the next. */
static void rule(Paper *paper, double x, double y, double to_x, double to_y) {
  if (to_y < y) return;
  cairo_set_line_width(paper->pen, 0.5);
  cairo_move_to(paper->pen, x, y);
  cairo_line_to(paper->pen, to_x, to_y);
  cairo_stroke(paper->pen);
}

static void end_line(Line *line) {
  Paper *paper = line->paper;
  double left = MARGIN + (line->itemised ? 0 : line->indent);
  PangoLayout *layout = lay_out(paper, line->font, WIDTH - MARGIN - left,
                                line->text->str, line->attributes);
  if (line->itemised) hang(layout, line->indent);
  keep_room(paper, ROOM);
  double top = paper->y;
  draw(paper, layout, left);
  if (line->quoted) rule(paper, MARGIN, top, MARGIN, paper->y);
  clear_line(line);
}

static void end_begun(Line *line) {
  if (line->text->len > 0) end_line(line);
}

/* What is written from here on looks like that. */
static void open_mark(Line *line, MarkdownPart part, PangoAttribute *look) {
  look->start_index = (guint)line->text->len;
  line->open[part] = look;
}

static void begin_block(Line *line, const char *font, double indent) {
  line->paper->y += GAP;
  line->font = font;
  line->indent = indent;
  line->quoted = false;
}

static void begin_item(Line *line, int number) {
  end_begun(line);
  line->itemised = true;
  if (number == MARKDOWN_NO_NUMBER)
    g_string_append(line->text, "\u2022\t");
  else
    g_string_append_printf(line->text, "%d.\t", number);
}

static void draw_rule(Paper *paper) {
  paper->y += GAP;
  keep_room(paper, ROOM);
  rule(paper, MARGIN, paper->y, WIDTH - MARGIN, paper->y);
}

static void begin_part(void *out, MarkdownPart part, int number) {
  static const char *const headings[] = {HEADING, LESSER_HEADING};
  Line *line = out;
  switch (part) {
  case MARKDOWN_PARAGRAPH: begin_block(line, BODY, 0); break;
  case MARKDOWN_CODE_BLOCK: begin_block(line, FIXED, 0); break;
  case MARKDOWN_BULLETS:
  case MARKDOWN_NUMBERS: begin_block(line, BODY, INDENT); break;
  case MARKDOWN_QUOTATION:
    begin_block(line, BODY, INDENT);
    line->quoted = true;
    break;
  case MARKDOWN_HEADING: begin_block(line, headings[number > 1], 0); break;
  case MARKDOWN_STRONG:
    open_mark(line, part, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
    break;
  case MARKDOWN_EMPHASIS:
    open_mark(line, part, pango_attr_style_new(PANGO_STYLE_ITALIC));
    break;
  case MARKDOWN_CODE:
    open_mark(line, part, pango_attr_family_new(FONTS_FIXED));
    break;
  case MARKDOWN_ITEM: begin_item(line, number); break;
  case MARKDOWN_BREAK: end_line(line); break;
  case MARKDOWN_RULE: draw_rule(line->paper); break;
  }
}

static void end_part(void *out, MarkdownPart part, int number) {
  Line *line = out;
  (void)number;
  switch (part) {
  case MARKDOWN_STRONG:
  case MARKDOWN_EMPHASIS:
  case MARKDOWN_CODE:
    line->open[part]->end_index = (guint)line->text->len;
    pango_attr_list_insert(line->attributes, line->open[part]);
    break;
  default: end_begun(line);
  }
}

static void add_text(void *out, const char *text) {
  Line *line = out;
  if (strcmp(text, "\n") == 0) /* of code */
    end_line(line);
  else
    g_string_append(line->text, text);
}

bool paper_markdown(const char *text, size_t length, unsigned char **pdf,
                    size_t *size) {
  Paper paper;
  Line line = {.paper = &paper, .text = g_string_new(NULL)};
  const MarkdownWriter writer = {&line, begin_part, end_part, add_text};
  char *valid = g_utf8_make_valid(text, (gssize)length);
  if (!open_paper(&paper)) return false;
  clear_line(&line);
  end_lines(valid);
  markdown_read(valid, &writer);
  return close_paper(&paper, pdf, size);
}

/* --- forms --------------------------------------------------------------- */

bool paper_form(const char *heading, const char *note, const PaperLine *lines,
                size_t count, unsigned char **pdf, size_t *size) {
  Paper paper;
  const double left = MARGIN + LABEL_WIDTH;
  if (!open_paper(&paper)) return false;
  put(&paper, HEADING, heading, MARGIN, WIDTH - 2 * MARGIN);
  put(&paper, BODY, note, MARGIN, WIDTH - 2 * MARGIN);
  for (size_t i = 0; i < count; i++) {
    double top;
    char *value;
    if (!lines[i].value[0]) continue; /* what nobody gave has no line */
    value = label_clean(lines[i].value, SIZE_MAX);
    if (!value) return false;
    paper.y += GAP;
    keep_room(&paper, ROOM);
    top = paper.y;
    put(&paper, BODY, lines[i].label, MARGIN, LABEL_WIDTH);
    paper.y = top;
    put(&paper, BODY, value, left, WIDTH - MARGIN - left);
  }
  return close_paper(&paper, pdf, size);
}
