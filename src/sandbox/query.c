/*
 * query.c: splitting and percent-decoding; pure.
 */
#include "query.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool query_decode(char *text, bool plus_is_space) {
  char *out = text;
  for (const char *at = text; *at; at++) {
    if (*at == '+' && plus_is_space) {
      *out++ = ' ';
    } else if (*at == '%') {
      int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);
      if (low < 0 || high * 16 + low == 0) return false;
      *out++ = (char)(high * 16 + low);
      at += 2;
    } else {
      *out++ = *at;
    }
  }
  *out = '\0';
  return text_is_utf8(text);
}

bool query_read(Query *query, const char *text, size_t size) {
  query_clear(query);
  if (memchr(text, '\0', size)) return false;
  query->memory = strndup(text, size);
  if (!query->memory) return false;
  char *rest = query->memory, *pair;
  while ((pair = strsep(&rest, "&"))) {
    if (*pair == '\0') continue;
    if (query->count == QUERY_PAIRS) return false;
    char *value = pair, *name = strsep(&value, "=");
    if (!query_decode(name, true)) return false;
    if (value && !query_decode(value, true)) return false;
    query->pairs[query->count].name = name;
    query->pairs[query->count].value = value ? value : "";
    query->count++;
  }
  return true;
}

void query_clear(Query *query) {
  free(query->memory);
  query->memory = NULL;
  query->count = 0;
}

const char *query_value(const Query *query, const char *name, bool *again) {
  const char *found = NULL;
  *again = false;
  for (size_t i = 0; i < query->count; i++) {
    if (strcmp(query->pairs[i].name, name) != 0) continue;
    if (found) *again = true;
    if (!found) found = query->pairs[i].value;
  }
  return found;
}
