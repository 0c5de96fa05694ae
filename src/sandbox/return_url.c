/*
 * return_url.c: reading the targets of redirectSettings, and adding to them.
 */
#include "return_url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A target with its query has to fit into a header. */
#define MOST_TARGET (16 * 1024)

/* The names are not published. */
#define GUESS_REFERENCE "externalReference"
#define GUESS_SESSION "sessionId"

/* Schemes that are code and no place to go. */
static bool is_code(const char *url) {
  static const char *const schemes[] = {"javascript:", "data:", "vbscript:"};
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) return true;
  return false;
}

static const char *target(const json_t *request, const char *which) {
  const json_t *settings = json_object_get(request, "redirectSettings");
  const char *url = json_string_value(json_object_get(settings, which));
  return url && strlen(url) <= MOST_TARGET && !is_code(url) ? url : NULL;
}

static void escape(FILE *file, const char *text, const char *kept) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (isalnum(c) || strchr(kept, c))
      fputc(c, file);
    else
      fprintf(file, "%%%02X", c);
  }
}

static void add(FILE *file, char mark, const char *name, const char *value) {
  fprintf(file, "%c%s=", mark, name);
  escape(file, value, "-._~");
}

char *return_url(const json_t *request, const char *which,
                 const char *session) {
  const char *url = target(request, which);
  const char *reference =
      json_string_value(json_object_get(request, "externalReference"));
  char *text = NULL;
  size_t size;
  FILE *file = url ? open_memstream(&text, &size) : NULL;
  if (!file) return NULL;
  char *base = strndup(url, strcspn(url, "#"));
  char mark = strchr(base ? base : "", '?') ? '&' : '?';
  /* A header is ASCII; what was sent is visible characters already. */
  static const char visible[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  if (base) escape(file, base, visible);
  free(base);
  if (reference) {
    add(file, mark, GUESS_REFERENCE, reference);
    mark = '&';
  }
  add(file, mark, GUESS_SESSION, session);
  escape(file, url + strcspn(url, "#"), visible);
  if (fclose(file) == 0 && base) return text;
  free(text);
  return NULL;
}

/* The origin where a policy can name it, otherwise the scheme. */
static void write_origin(const char *url, FILE *file) {
  size_t scheme = strcspn(url, ":");
  const char *host = url + scheme + 3;
  size_t size = strcspn(host, "/?#");
  bool web = strncasecmp(url, "http", 4) == 0 && (scheme == 4 || scheme == 5);
  bool plain = size > 0;
  for (size_t i = 0; i < size; i++)
    if (!isalnum((unsigned char)host[i]) && !strchr("-.:", host[i]))
      plain = false;
  if (web && plain)
    fprintf(file, " %.*s", (int)(scheme + 3 + size), url);
  else
    fprintf(file, " %.*s", (int)scheme + 1, url);
}

void return_url_origins(const json_t *request, FILE *file) {
  static const char *const all[] = {"success", "cancel", "error"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const char *url = target(request, all[i]);
    if (url) write_origin(url, file);
  }
}
