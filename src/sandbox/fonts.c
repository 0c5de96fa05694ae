/*
 * fonts.c: asks fontconfig, as Pango will in the process that makes PDFs.
 *
 * Nothing of it stays behind: this is for the start.
 */
#include "fonts.h"

#include <string.h>

#include <fontconfig/fontconfig.h>

static bool is_found(const char *family) {
  FcPattern *wanted =
      FcPatternBuild(NULL, FC_FAMILY, FcTypeString, family, (const char *)NULL);
  FcPattern *got = NULL;
  FcChar8 *name = NULL;
  FcResult result;
  if (wanted && FcConfigSubstitute(NULL, wanted, FcMatchPattern)) {
    FcDefaultSubstitute(wanted);
    got = FcFontMatch(NULL, wanted, &result);
  }
  bool found = got &&
               FcPatternGetString(got, FC_FAMILY, 0, &name) == FcResultMatch &&
               strcmp((const char *)name, family) == 0;
  if (got) FcPatternDestroy(got);
  if (wanted) FcPatternDestroy(wanted);
  return found;
}

bool fonts_found(void) {
  bool both = is_found(FONTS_FAMILY) && is_found(FONTS_FIXED);
  FcFini();
  return both;
}
