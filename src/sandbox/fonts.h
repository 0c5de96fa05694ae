/*
 * fonts.h: the fonts that text on paper is set in.
 */
#ifndef SANDBOX_FONTS_H
#define SANDBOX_FONTS_H

#include <stdbool.h>

#define FONTS_FAMILY "DejaVu Sans"
#define FONTS_FIXED FONTS_FAMILY " Mono"
#define FONTS_MISSING                                                    \
  "the fonts " FONTS_FAMILY " and " FONTS_FIXED " are not found, and a " \
  "package's evidence is set in them; install them (on Debian: "         \
  "fonts-dejavu-core)"

/* Whether both are installed; another font in their place does not count. */
bool fonts_found(void);

#endif
