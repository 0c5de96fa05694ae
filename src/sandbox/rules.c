/*
 * rules.c: one walk over a request and its rules.
 *
 * Recursion follows the rules, which are constants and shallow, never the
 * request; a request of any shape costs no stack. Knows nothing of HTTP or
 * of the families.
 */
#include "rules.h"

#include "problem.h"
#include "text.h"
#include "uuid.h"
#include "when.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct Walk {
  json_t *findings;
  char path[256];
  size_t used;
} Walk;

static void find(Walk *walk, const char *reason) {
  problem_find(walk->findings, walk->used ? walk->path : "body", reason);
}

/* Longer than any path of our rules; a longer name of the caller's is cut
 * between characters, so that the path stays UTF-8. */
static void push_name(Walk *walk, const char *name) {
  size_t size = strlen(name);
  if (size > 64)
    for (size = 64; (name[size] & 0xc0) == 0x80;)
      size--;
  walk->used +=
      (size_t)snprintf(walk->path + walk->used, sizeof walk->path - walk->used,
                       "%s%.*s", walk->used ? "." : "", (int)size, name);
}

static void push_index(Walk *walk, size_t index) {
  walk->used += (size_t)snprintf(
      walk->path + walk->used, sizeof walk->path - walk->used, "[%zu]", index);
}

static void pop(Walk *walk, size_t used) {
  walk->used = used;
  walk->path[used] = '\0';
}

/* Finds a number outside its bounds; `unit` is what it counts, or NULL. */
static void check_bounds(Walk *walk, const Rule *rule, json_int_t value,
                         const char *unit) {
  char reason[96];
  long long least = rule->least, most = rule->most;
  if (value >= least && (most == 0 || value <= most)) return;
  if (!unit)
    snprintf(reason, sizeof reason, "must be from %lld to %lld", least, most);
  else if (least == most)
    snprintf(reason, sizeof reason, "must have exactly %lld %s", most, unit);
  else if (least == 0)
    snprintf(reason, sizeof reason, "must have at most %lld %s", most, unit);
  else
    snprintf(reason, sizeof reason, "must have %lld to %lld %s", least, most,
             unit);
  find(walk, reason);
}

static void check_string(Walk *walk, const Rule *rule, json_t *value) {
  const char *text = json_string_value(value);
  if (!text) {
    find(walk, "must be a string");
    return;
  }
  check_bounds(walk, rule, (json_int_t)text_length(text), "characters");
  if (!rule->only) return;
  for (const char *const *one = rule->only; *one; one++)
    if (strcmp(*one, text) == 0) return;
  char reason[256] = "must be one of";
  for (const char *const *one = rule->only; *one; one++) {
    size_t used = strlen(reason);
    snprintf(reason + used, sizeof reason - used, " %s", *one);
  }
  find(walk, reason);
}

static void check_uuid(Walk *walk, json_t *value) {
  char id[UUID_SIZE];
  if (json_is_string(value) && uuid_read(json_string_value(value), id))
    json_string_set(value, id);
  else
    find(walk, "must be a UUID");
}

static void check_time(Walk *walk, json_t *value) {
  When when;
  char text[WHEN_SIZE];
  if (json_is_string(value) && when_parse(json_string_value(value), &when)) {
    when_format(when, text);
    json_string_set(value, text);
  } else
    find(walk, "must be a date and time like 2025-04-01T17:32:28Z");
}

/* Absolute and printable; custom schemes of apps are URLs as well. */
static void check_url(Walk *walk, const json_t *value) {
  const char *text = json_string_value(value);
  const char *at = text;
  if (text && isalpha((unsigned char)*at))
    while (isalnum((unsigned char)*at) || (*at && strchr("+-.", *at)))
      at++;
  bool good = at != text && strncmp(at, "://", 3) == 0 && at[3];
  for (; good && *at; at++)
    if ((unsigned char)*at <= ' ' || *at == 0x7f) good = false;
  if (!good) find(walk, "must be an absolute URL");
}

static void check_map(Walk *walk, json_t *value) {
  const char *name;
  json_t *member;
  if (!json_is_object(value)) {
    find(walk, "must be an object");
    return;
  }
  size_t used = walk->used;
  json_object_foreach(value, name, member) {
    if (json_is_string(member)) continue;
    push_name(walk, name);
    find(walk, "must be a string");
    pop(walk, used);
  }
}

static void check(Walk *walk, const Rule *rule, json_t *value);

static void check_array(Walk *walk, const Rule *rule, const json_t *value) {
  size_t size = json_array_size(value), used = walk->used;
  if (!json_is_array(value)) {
    find(walk, "must be an array");
    return;
  }
  check_bounds(walk, rule, (json_int_t)size, "items");
  /* No point in walking a million items of a list of at most fifty. */
  if (rule->most > 0 && size > (size_t)rule->most) return;
  for (size_t i = 0; i < size; i++) {
    push_index(walk, i);
    check(walk, rule->inner, json_array_get(value, i));
    pop(walk, used);
  }
}

static const Rule *named(const Rule *fields, const char *name) {
  for (; fields->name; fields++)
    if (strcmp(fields->name, name) == 0) return fields;
  return NULL;
}

static void check_object(Walk *walk, const Rule *rule, json_t *value) {
  const char *name;
  json_t *member;
  size_t used = walk->used;
  if (!json_is_object(value)) {
    find(walk, "must be an object");
    return;
  }
  for (const Rule *field = rule->inner; field->name; field++) {
    member = json_object_get(value, field->name);
    push_name(walk, field->name);
    if (member)
      check(walk, field, member);
    else if (field->required)
      find(walk, "is required");
    pop(walk, used);
  }
  if (!rule->closed) return;
  json_object_foreach(value, name, member) {
    if (named(rule->inner, name)) continue;
    push_name(walk, name);
    find(walk, "is not a field of this request");
    pop(walk, used);
  }
}

static void check(Walk *walk, const Rule *rule, json_t *value) {
  if (json_is_null(value) && rule->nullable) return;
  switch (rule->kind) {
  case RULE_STRING: check_string(walk, rule, value); return;
  case RULE_UUID: check_uuid(walk, value); return;
  case RULE_TIME: check_time(walk, value); return;
  case RULE_URL: check_url(walk, value); return;
  case RULE_INTEGER:
    if (json_is_integer(value))
      check_bounds(walk, rule, json_integer_value(value), NULL);
    else
      find(walk, "must be a whole number");
    return;
  case RULE_BOOLEAN:
    if (!json_is_boolean(value)) find(walk, "must be true or false");
    return;
  case RULE_OBJECT: check_object(walk, rule, value); return;
  case RULE_ARRAY: check_array(walk, rule, value); return;
  case RULE_STRING_MAP: check_map(walk, value); return;
  case RULE_ANY: return; /* whoever has the rule looks for itself */
  }
}

json_t *rules_check(const Rule *rule, json_t *value) {
  Walk walk = {.findings = json_array()};
  if (walk.findings) check(&walk, rule, value);
  return walk.findings;
}
