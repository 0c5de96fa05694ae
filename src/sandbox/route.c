/*
 * route.c: matching a path part by part.
 *
 * The path is cut at its slashes first and decoded afterwards, so an encoded
 * slash stays inside its part.
 */
#include "route.h"

#include "query.h"

#include <stdio.h>
#include <string.h>

#define MOST_PARTS 8

/* Cuts the copy in match->memory; the number of parts, 0 if it is no path of
 * ours, -1 when it is malformed. */
static int cut(RouteMatch *match, char *parts[MOST_PARTS]) {
  char *rest = match->memory;
  int count = 0;
  if (*rest++ != '/') return 0;
  while (rest) {
    if (count == MOST_PARTS) return 0;
    parts[count] = strsep(&rest, "/");
    if (!query_decode(parts[count], false)) return -1;
    count++;
  }
  return count;
}

/* Sets the values of `match` from the parts when the pattern fits. */
static bool fits(const char *pattern, char *const *parts, int count,
                 RouteMatch *match) {
  match->count = 0;
  for (int i = 0; i < count; i++) {
    if (*pattern++ != '/') return false;
    size_t size = strcspn(pattern, "/");
    if (*pattern == '{' && match->count < ROUTE_VALUES) {
      if (*parts[i] == '\0') return false;
      match->names[match->count] = pattern + 1;
      match->name_sizes[match->count] = size - 2;
      match->values[match->count++] = parts[i];
    } else if (strlen(parts[i]) != size ||
               memcmp(parts[i], pattern, size) != 0) {
      return false;
    }
    pattern += size;
  }
  return *pattern == '\0';
}

static void allow(RouteMatch *match, const char *method) {
  size_t used = strlen(match->allow);
  snprintf(match->allow + used, sizeof match->allow - used, "%s%s",
           used ? ", " : "", method);
}

RouteResult route_find(const Route *routes, size_t count, const char *method,
                       const char *path, size_t size, RouteMatch *match) {
  char *parts[MOST_PARTS];
  memset(match, 0, sizeof *match);
  if (size >= sizeof match->memory) return ROUTE_NO_PATH;
  memcpy(match->memory, path, size);
  int length = cut(match, parts);
  if (length < 0) return ROUTE_MALFORMED;
  for (size_t i = 0; i < count && length > 0; i++) {
    if (!fits(routes[i].pattern, parts, length, match)) continue;
    if (strcmp(routes[i].method, method) == 0) {
      match->route = &routes[i];
      return ROUTE_FOUND;
    }
    allow(match, routes[i].method);
  }
  return match->allow[0] ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}
