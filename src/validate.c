/*
 * validate.c: a Lua value against the schema of a row, before the network.
 *
 * The walk follows the schema, whose depth is fixed, never the value, which
 * may be cyclic. Wrong values are findings; nothing here raises but Lua
 * running out of memory.
 *
 * Strings are judged by format.c; what JSON cannot say at all (a function
 * in a part that no schema describes) is left to json_write.c.
 */
#include "validate.h"

#include "finding.h"
#include "format.h"
#include "json_write.h"
#include "nearest.h"
#include "operation.h"

#include <string.h>
#include <time.h>

#define SECONDS_PER_DAY 86400.0
#define DAYS_OF_GRACE 1 /* clocks differ; the server judges the last day */
#define EXACT_LIMIT 9007199254740992.0 /* doubles are exact up to 2^53 */

typedef struct Check {
  lua_State *L;
  const Validation *how;
  Findings findings;
} Check;

/* Whether the rules beyond the bare type are asked for. */
static int is_judged(const Check *check, const Schema *schema) {
  return check->how->level == VALIDATE_FULL || schema->source == RULE_REFERENCE;
}

static int is_null(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TLIGHTUSERDATA &&
         lua_touserdata(L, index) == NULL;
}

static int is_within(const Schema *schema, int64_t value) {
  return schema->max == 0 || (value >= schema->min && value <= schema->max);
}

/* "at most 5", "exactly 1", "1 to 100": the limits of a count. */
static void add_limits(Text *text, const Schema *schema) {
  if (schema->min == schema->max)
    sc_text_add(text, "exactly %d", (int)schema->max);
  else if (schema->min == 0)
    sc_text_add(text, "at most %d", (int)schema->max);
  else
    sc_text_add(text, "%d to %d", (int)schema->min, (int)schema->max);
}

/* Single values; each is given the slot of a value that is not null. */

static void check_word(Check *check, const Schema *schema, const Place *place,
                       const char *word, size_t size) {
  Text list = {.size = 0};
  Nearest search;
  sc_nearest_start(&search, word, size);
  for (const char *const *value = schema->values; *value != NULL; value++) {
    if (strlen(*value) == size && memcmp(*value, word, size) == 0) return;
    sc_nearest_offer(&search, *value);
    sc_text_add(&list, "%s%s", list.size > 0 ? ", " : "", *value);
  }
  if (check->how->allow_unknown) return;
  if (schema->values[1] == NULL)
    sc_finding_add(&check->findings, place, "must be %s", list.data);
  else if (search.best == NULL)
    sc_finding_add(&check->findings, place, "must be one of %s", list.data);
  else
    sc_finding_add(&check->findings, place,
                   "must be one of %s; did you mean %s?", list.data,
                   search.best);
}

static void check_string(Check *check, int index, const Schema *schema,
                         const Place *place) {
  Text limits = {.size = 0};
  const char *value;
  size_t size;
  long length;
  if (lua_type(check->L, index) != LUA_TSTRING) {
    sc_finding_add(&check->findings, place, "must be a string");
    return;
  }
  value = lua_tolstring(check->L, index, &size);
  length = sc_utf8_length(value, size);
  if (length < 0) {
    sc_finding_add(&check->findings, place, "must be valid UTF-8");
    return;
  }
  if (!is_judged(check, schema)) return;
  if (!is_within(schema, length)) {
    add_limits(&limits, schema);
    sc_finding_add(&check->findings, place, "must be %s characters",
                   limits.data);
  }
  if (schema->values != NULL) check_word(check, schema, place, value, size);
}

static int to_integer(lua_State *L, int index, int64_t *value) {
  lua_Number number;
  if (lua_type(L, index) != LUA_TNUMBER) return 0;
  if (sc_isinteger(L, index)) {
    *value = (int64_t)lua_tointeger(L, index);
    return 1;
  }
  number = lua_tonumber(L, index);
  if (!(number >= -EXACT_LIMIT && number <= EXACT_LIMIT)) return 0;
  *value = (int64_t)number;
  return (lua_Number)*value == number;
}

/* Each has a range, and the API reference says so. */
static void check_integer(Check *check, int index, const Schema *schema,
                          const Place *place) {
  int64_t value;
  if (to_integer(check->L, index, &value) && is_within(schema, value)) return;
  sc_finding_add(&check->findings, place,
                 "must be a whole number from %lld to %lld",
                 (long long)schema->min, (long long)schema->max);
}

static const char *const form_reasons[] = {
    [SCHEMA_UUID] = "must be an id of the form 8-4-4-4-12 hexadecimal digits",
    [SCHEMA_DATE_TIME] = "must be a date and time like 2025-04-01T17:32:28Z",
    [SCHEMA_URL] = "must be an absolute URL without spaces",
};

/* A string of a certain form. */
static void check_form(Check *check, int index, const Schema *schema,
                       const Place *place) {
  double seconds = 0, days = schema->max_days_ahead + DAYS_OF_GRACE;
  const char *value = NULL;
  size_t size = 0;
  int fits;
  if (lua_type(check->L, index) == LUA_TSTRING)
    value = lua_tolstring(check->L, index, &size);
  fits = value != NULL;
  if (fits && is_judged(check, schema)) switch (schema->type) {
    case SCHEMA_UUID: fits = sc_is_uuid(value, size); break;
    case SCHEMA_DATE_TIME: fits = sc_is_date_time(value, size, &seconds); break;
    default: fits = sc_is_url(value, size); break;
    }
  if (!fits)
    sc_finding_add(&check->findings, place, "%s", form_reasons[schema->type]);
  else if (schema->max_days_ahead > 0 &&
           seconds > check->how->now + days * SECONDS_PER_DAY)
    sc_finding_add(&check->findings, place, "must be at most %d days ahead",
                   (int)schema->max_days_ahead);
}

/* Tables */

static void check_value(Check *check, int index, const Schema *schema,
                        const Place *place);

/* What kinds of keys a table has. */
typedef struct Shape {
  int names;
  int items;
  int others;      /* neither a string nor a position in a list */
  lua_Number last; /* highest position */
} Shape;

static Shape shape_of(lua_State *L, int index) {
  Shape shape = {0, 0, 0, 0};
  lua_pushnil(L);
  for (; lua_next(L, index); lua_pop(L, 1)) {
    lua_Number key = 0;
    if (lua_type(L, -2) == LUA_TNUMBER) key = lua_tonumber(L, -2);
    if (lua_type(L, -2) == LUA_TSTRING) {
      shape.names++;
    } else if (key >= 1 && key <= EXACT_LIMIT &&
               (lua_Number)(int64_t)key == key) {
      shape.items++;
      if (key > shape.last) shape.last = key;
    } else {
      shape.others++;
    }
  }
  return shape;
}

static void report_not_list(Check *check, const Schema *schema,
                            const Place *place) {
  Text limits = {.size = 0};
  if (schema->max > 0 && is_judged(check, schema)) {
    sc_text_add(&limits, " of ");
    add_limits(&limits, schema);
    sc_text_add(&limits, schema->max == 1 ? " item" : " items");
  }
  sc_finding_add(&check->findings, place, "must be a list%s%s",
                 limits.size > 0 ? limits.data : "",
                 schema->single_ok ? " or a single string" : "");
}

/* Reports the first hole and returns how many items come before it. */
static int report_hole(Check *check, int index, const Place *place) {
  int position = 1;
  for (; lua_rawgeti(check->L, index, position), !lua_isnil(check->L, -1);
       position++)
    lua_pop(check->L, 1);
  lua_pop(check->L, 1);
  sc_finding_add(&check->findings, place,
                 "must be a list without holes; item %d is missing", position);
  return position - 1;
}

static void check_array(Check *check, int index, const Schema *schema,
                        const Place *place) {
  Shape shape;
  int count;
  if (schema->single_ok && lua_type(check->L, index) == LUA_TSTRING) {
    check_value(check, index, schema->items, place);
    return;
  }
  if (!lua_istable(check->L, index)) {
    /* lua-cjson has an empty array that is no table. */
    if (schema->min > 0 || !sc_json_says_array(check->L, index))
      report_not_list(check, schema, place);
    return;
  }
  shape = shape_of(check->L, index);
  if (shape.names > 0 && shape.items > 0) {
    sc_finding_add(&check->findings, place, "must not mix a list and names");
    return;
  }
  if (shape.names > 0 || shape.others > 0) {
    report_not_list(check, schema, place);
    return;
  }
  count = shape.items;
  if ((lua_Number)count != shape.last)
    count = report_hole(check, index, place);
  else if (is_judged(check, schema) && !is_within(schema, count))
    report_not_list(check, schema, place);
  for (int i = 1; i <= count; i++) {
    Place item = {.up = place, .position = i};
    lua_rawgeti(check->L, index, i);
    check_value(check, lua_gettop(check->L), schema->items, &item);
    lua_pop(check->L, 1);
  }
}

/* Whether the table can be read as an object, with a finding if it is not
 * one; a table that merely mixes is read all the same, to find the rest. */
static int check_names(Check *check, int index, const Place *place) {
  Shape shape;
  if (!lua_istable(check->L, index)) {
    sc_finding_add(&check->findings, place, "must be an object");
    return 0;
  }
  shape = shape_of(check->L, index);
  if (shape.names == 0 &&
      (shape.items > 0 || sc_json_says_array(check->L, index))) {
    sc_finding_add(&check->findings, place, "must be an object, not a list");
    return 0;
  }
  if (shape.items > 0)
    sc_finding_add(&check->findings, place, "must not mix a list and names");
  if (shape.others > 0)
    sc_finding_add(&check->findings, place, "must have only strings as names");
  return 1;
}

static void check_field(Check *check, int index, const Field *field,
                        const Place *place) {
  if (lua_isnil(check->L, index)) {
    if (field->required) sc_finding_add(&check->findings, place, "is required");
  } else if (!field->nullable || !is_null(check->L, index)) {
    check_value(check, index, field->schema, place);
  }
}

/* One name of an object. Searches only as long as the name is unknown. */
static void check_known(Check *check, const Schema *schema,
                        const Place *place) {
  Nearest search;
  sc_nearest_start(&search, place->name, place->size);
  for (const Field *field = schema->fields; field->name != NULL; field++)
    if (strlen(field->name) == place->size &&
        memcmp(field->name, place->name, place->size) == 0)
      return;
  for (const Field *field = schema->fields; field->name != NULL; field++)
    sc_nearest_offer(&search, field->name);
  if (search.best == NULL)
    sc_finding_add(&check->findings, place, "unknown field");
  else
    sc_finding_add(&check->findings, place, "unknown field, did you mean `%s`?",
                   search.best);
}

/* Known fields come first, in the schema's order, then the unknown ones. */
static void check_object(Check *check, int index, const Schema *schema,
                         const Place *place) {
  lua_State *L = check->L;
  if (!check_names(check, index, place)) return;
  if (!is_judged(check, schema)) return;
  for (const Field *field = schema->fields; field->name != NULL; field++) {
    Place below = {place, field->name, strlen(field->name), 0};
    lua_pushstring(L, field->name);
    lua_rawget(L, index);
    check_field(check, lua_gettop(L), field, &below);
    lua_pop(L, 1);
  }
  if (check->how->allow_unknown) return;
  lua_pushnil(L);
  for (; lua_next(L, index); lua_pop(L, 1)) {
    Place below = {.up = place};
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    below.name = lua_tolstring(L, -2, &below.size);
    check_known(check, schema, &below);
  }
}

static void check_map(Check *check, int index, const Schema *schema,
                      const Place *place) {
  lua_State *L = check->L;
  if (!check_names(check, index, place)) return;
  if (!is_judged(check, schema)) return;
  lua_pushnil(L);
  for (; lua_next(L, index); lua_pop(L, 1)) {
    Place below = {.up = place};
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    below.name = lua_tolstring(L, -2, &below.size);
    if (sc_utf8_length(below.name, below.size) < 0)
      sc_finding_add(&check->findings, place, "must have names of valid UTF-8");
    check_value(check, lua_gettop(L), schema->items, &below);
  }
}

static void check_value(Check *check, int index, const Schema *schema,
                        const Place *place) {
  luaL_checkstack(check->L, 4, "payload");
  if (schema->type == SCHEMA_ANY) return;
  if (is_null(check->L, index)) {
    sc_finding_add(&check->findings, place, "must not be null; leave it out");
    return;
  }
  switch (schema->type) {
  case SCHEMA_ANY: break;
  case SCHEMA_STRING: check_string(check, index, schema, place); break;
  case SCHEMA_INTEGER: check_integer(check, index, schema, place); break;
  case SCHEMA_BOOLEAN:
    if (!lua_isboolean(check->L, index))
      sc_finding_add(&check->findings, place, "must be true or false");
    break;
  case SCHEMA_UUID:
  case SCHEMA_DATE_TIME:
  case SCHEMA_URL: check_form(check, index, schema, place); break;
  case SCHEMA_ARRAY: check_array(check, index, schema, place); break;
  case SCHEMA_OBJECT: check_object(check, index, schema, place); break;
  case SCHEMA_MAP: check_map(check, index, schema, place); break;
  }
}

int sc_validate(lua_State *L, int index, const Schema *schema,
                const char *prefix, const Validation *how) {
  Check check = {.L = L, .how = how};
  if (how->level == VALIDATE_OFF) return 0;
  index = sc_absindex(L, index);
  sc_findings_start(&check.findings, L, prefix);
  if (lua_isnil(L, index))
    sc_finding_add(&check.findings, NULL, "is required");
  else
    check_value(&check, index, schema, NULL);
  return sc_findings_finish(&check.findings);
}

int core_validate(lua_State *L) {
  static const char *const levels[] = {"off", "reference", "full", NULL};
  const Operation *row = sc_operation_find(luaL_checkstring(L, 1));
  const Schema *schema = NULL;
  Validation how = {VALIDATE_FULL, 0, 0};
  lua_settop(L, 3);
  if (row != NULL) schema = row->payload ? row->payload : row->query;
  luaL_argcheck(L, schema != NULL, 1, "no operation with a payload or query");
  how.now = (double)time(NULL);
  if (!lua_isnil(L, 3)) {
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_getfield(L, 3, "level");
    how.level = (ValidateLevel)luaL_checkoption(L, -1, "full", levels);
    lua_getfield(L, 3, "allow_unknown");
    how.allow_unknown = lua_toboolean(L, -1);
    lua_getfield(L, 3, "now");
    how.now = luaL_optnumber(L, -1, how.now);
  }
  return sc_validate(L, 2, schema, "", &how) > 0;
}
