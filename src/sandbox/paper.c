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

#define WIDTH 595.0 /* A4, in points */
#define HEIGHT 842.0
#define MARGIN 57.0
#define LABEL_WIDTH 120.0
#define GAP 8.0 /* between a form's lines */
#define BODY FONTS_FAMILY " 10"
#define HEADING FONTS_FAMILY " Bold 16"
#define FIXED FONTS_FIXED " 9"

typedef struct Paper {
  FILE *out;
  char *bytes;
  size_t size;
  cairo_surface_t *surface;
  cairo_t *pen;
  double y; /* where the next line's top is */
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

/* Whether all of it was drawn. */
static bool close_paper(Paper *paper, unsigned char **pdf, size_t *size) {
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

static PangoLayout *lay_out(const Paper *paper, const char *font, double width,
                            const char *text, size_t length) {
  PangoLayout *layout = pango_cairo_create_layout(paper->pen);
  PangoFontDescription *description = pango_font_description_from_string(font);
  pango_layout_set_font_description(layout, description);
  pango_font_description_free(description);
  pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
  pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_text(layout, text, (int)length);
  return layout;
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
    if (paper->y + height > HEIGHT - MARGIN) {
      cairo_show_page(paper->pen);
      paper->y = MARGIN;
    }
    cairo_move_to(paper->pen, x + place.x / (double)PANGO_SCALE,
                  paper->y + ascent);
    pango_cairo_show_layout_line(paper->pen,
                                 pango_layout_iter_get_line_readonly(lines));
    paper->y += height;
  } while (pango_layout_iter_next_line(lines));
  pango_layout_iter_free(lines);
  g_object_unref(layout);
}

static void put(Paper *paper, const char *font, const char *text, double x,
                double width) {
  draw(paper, lay_out(paper, font, width, text, strlen(text)), x);
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
    top = paper.y += GAP;
    put(&paper, BODY, lines[i].label, MARGIN, LABEL_WIDTH);
    paper.y = top;
    put(&paper, BODY, value, left, WIDTH - MARGIN - left);
  }
  return close_paper(&paper, pdf, size);
}
