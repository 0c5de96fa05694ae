/*
 * opinion.c: jansson's; see opinion.h.
 */
#include "opinion.h"

#include <jansson.h>
#include <string.h>

static json_t *read_text(const char *text, size_t size, json_error_t *error) {
  return json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
}

Opinion opinion_of(const char *text, size_t size) {
  json_error_t error;
  json_t *value = read_text(text, size, &error);
  enum json_error_code code;
  /* It passes over a NUL behind a number. */
  if (value != NULL && memchr(text, '\0', size) != NULL) {
    json_decref(value);
    return OPINION_BAD;
  }
  if (value != NULL) {
    json_decref(value);
    return OPINION_GOOD;
  }
  code = json_error_code(&error);
  return code == json_error_numeric_overflow ||
                 code == json_error_null_byte_in_key
             ? OPINION_UNABLE
             : OPINION_BAD;
}

static int same(const json_t *a, const json_t *b);

static int same_objects(const json_t *a, json_t *b) {
  const char *name;
  json_t *member;
  if (json_object_size(a) != json_object_size(b)) return 0;
  json_object_foreach(b, name, member) {
    if (!same(json_object_get(a, name), member)) return 0;
  }
  return 1;
}

/* 1.0 and 1e0 are written as 1, which is another type to jansson. */
static int same(const json_t *a, const json_t *b) {
  if (json_is_number(a) && json_is_number(b)) {
    return json_is_integer(a) && json_is_integer(b)
               ? json_integer_value(a) == json_integer_value(b)
               : json_number_value(a) == json_number_value(b);
  }
  if (a == NULL || b == NULL || json_typeof(a) != json_typeof(b)) return 0;
  if (json_is_object(a)) return same_objects(a, (json_t *)b);
  if (!json_is_array(a)) return json_equal(a, b);
  if (json_array_size(a) != json_array_size(b)) return 0;
  for (size_t i = 0; i < json_array_size(a); i++)
    if (!same(json_array_get(a, i), json_array_get(b, i))) return 0;
  return 1;
}

int opinion_same(const char *text, size_t size, const char *other,
                 size_t other_size) {
  json_error_t error;
  json_t *a = read_text(text, size, &error);
  json_t *b = read_text(other, other_size, &error);
  int are_same = same(a, b);
  json_decref(a);
  json_decref(b);
  return are_same;
}
