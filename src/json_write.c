/*
 * json_write.c: Lua value -> JSON text, strict and exact.
 *
 * Recursive over tables, no deeper than SC_JSON_DEPTH. All it owns, the text
 * so far and the names still to be written, are buffers of Lua's, so that it
 * may be left by a jump at any point.
 */
#include "json_write.h"

#include "json_number.h"
#include "json_read.h"
#include "json_text.h"
#include "scratch.h"

#include <math.h>

#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)
/* Names that a usual payload has open at the same time. */
#define FEW_NAMES 32
#define MAX_SHOWN_NAME 64 /* bytes of a name in a path */
/* What our reader would refuse is not written. */
#define TOO_LARGE "larger than 256 MiB"

/* One step of the path to the value being written. */
typedef struct Step {
  const void *table; /* the table we are in, to know it again in a cycle */
  const char *name;  /* NULL: a position */
  size_t size;       /* of the name, or the position */
} Step;

/* A name of an object, while its members are being put in order. */
typedef struct Name {
  const char *text;
  size_t size;
  int slot; /* where the name is anchored */
} Name;

typedef struct Writer {
  lua_State *L;
  Buffer *out;
  Buffer *names; /* Name: of each open object those still to come */
  int anchor;    /* a table that keeps these names alive */
  int depth;
  const char *reason;
  Step steps[SC_JSON_DEPTH];
} Writer;

/* What a table turns out to be. */
typedef struct Shape {
  size_t positions, names;
  lua_Number last; /* the highest position */
  int odd;         /* there is a name that is neither */
} Shape;

static int write_value(Writer *w, const Schema *schema);

/* Every function below that returns int returns 1, or 0 after a fault. */
static int fail(Writer *w, const char *reason) {
  w->reason = reason;
  return 0;
}

/* -- text ---------------------------------------------------------------- */

static inline char *room(Writer *w, size_t size) {
  Buffer *out = w->out;
  if (out->capacity - out->size < size) sc_scratch_reserve(w->L, out, size);
  return out->data + out->size;
}

static void put(Writer *w, const char *bytes, size_t size) {
  memcpy(room(w, size), bytes, size);
  w->out->size += size;
}

static inline void put_char(Writer *w, char c) {
  *room(w, 1) = c;
  w->out->size++;
}

#define put_literal(w, s) put(w, s, sizeof(s) - 1)

static void put_escape(Writer *w, JsonByte c) {
  static const char digits[] = "0123456789abcdef";
  char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
  switch (c) {
  case '"':
  case '\\': text[1] = (char)c; break;
  case '\b': text[1] = 'b'; break;
  case '\f': text[1] = 'f'; break;
  case '\n': text[1] = 'n'; break;
  case '\r': text[1] = 'r'; break;
  case '\t': text[1] = 't'; break;
  default: put(w, text, 6); return;
  }
  put(w, text, 2);
}

static int put_string(Writer *w, const char *text, size_t size) {
  const JsonByte *p = (const JsonByte *)text, *end = p + size, *start = p;
  if (size > SC_JSON_MAX_BYTES) return fail(w, TOO_LARGE);
  room(w, size + 2);
  put_char(w, '"');
  while ((p = sc_json_skip_plain(p, end)) < end) {
    size_t multi = *p < 0x80 ? 0 : sc_utf8_size(p, (size_t)(end - p));
    if (*p >= 0x80 && multi == 0) return fail(w, "text that is not UTF-8");
    if (multi > 0) {
      p += multi;
      continue;
    }
    put(w, (const char *)start, (size_t)(p - start));
    put_escape(w, *p);
    start = ++p;
  }
  put(w, (const char *)start, (size_t)(end - start));
  put_char(w, '"');
  return 1;
}

static int put_number(Writer *w) {
  char *out = room(w, SC_NUMBER_SIZE);
  if (sc_isinteger(w->L, -1)) {
    w->out->size += sc_integer_write((int64_t)lua_tointeger(w->L, -1), out);
    return 1;
  }
  double value = (double)lua_tonumber(w->L, -1);
  if (!isfinite(value)) return fail(w, "NaN and infinity are not JSON");
  w->out->size += sc_number_write(value, out);
  return 1;
}

/* -- marks --------------------------------------------------------------- */

/* Pushes a field of the table on top, past its metamethods; 0 if there is no
 * table. */
static int get_raw(lua_State *L, const char *name) {
  if (!lua_istable(L, -1)) return 0;
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  return 1;
}

/* Is the value on top the one lua-cjson has under `name`? Only the build of
 * OpenResty has it, and only if the program has loaded it. */
static int is_cjson(lua_State *L, const char *module, const char *name) {
  int same = 0, top = lua_gettop(L);
  luaL_checkstack(L, 4, "JSON");
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  if (get_raw(L, module) && get_raw(L, name))
    same = !lua_isnil(L, -1) && lua_rawequal(L, -1, top);
  lua_settop(L, top);
  return same;
}

static int is_cjsons(lua_State *L, const char *name) {
  return is_cjson(L, "cjson", name) || is_cjson(L, "cjson.safe", name);
}

/* Does the table on top say that it is an array? `empty` tells whether it is
 * empty, for lua-cjson has a mark that counts only then. */
static int is_marked(lua_State *L, int empty) {
  if (!lua_getmetatable(L, -1)) return 0;
  sc_json_push_array_mark(L);
  int marked = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  marked = marked || is_cjsons(L, "array_mt") ||
           (empty && is_cjsons(L, "empty_array_mt"));
  lua_pop(L, 1);
  return marked;
}

int sc_json_says_array(lua_State *L, int index) {
  int says = 0;
  lua_pushvalue(L, index);
  if (lua_istable(L, -1))
    says = is_marked(L, 1);
  else if (lua_islightuserdata(L, -1))
    says = is_cjsons(L, "empty_array");
  lua_pop(L, 1);
  return says;
}

/* -- tables -------------------------------------------------------------- */

/* Keeps the name under the value on top, behind those that are there. It is
 * anchored because a finaliser that a collection step runs could take it out
 * of its table. */
static void keep_name(Writer *w) {
  lua_State *L = w->L;
  Name name;
  name.text = lua_tolstring(L, -2, &name.size);
  name.slot = (int)(w->names->size / sizeof name) + 1;
  sc_scratch_reserve(L, w->names, sizeof name);
  lua_pushvalue(L, -2);
  lua_rawseti(L, w->anchor, name.slot);
  memcpy(w->names->data + w->names->size, &name, sizeof name);
  w->names->size += sizeof name;
}

/* Looks at every name of the table on top and keeps those that are strings. */
static Shape take_names(Writer *w) {
  lua_State *L = w->L;
  Shape shape = {0, 0, 0, 0};
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    int type = lua_type(L, -2);
    if (type == LUA_TSTRING) {
      shape.names++;
      keep_name(w);
    } else if (type == LUA_TNUMBER) {
      lua_Number key = lua_tonumber(L, -2);
      shape.odd |= key < 1 || key != floor(key);
      shape.positions++;
      if (key > shape.last) shape.last = key;
    } else {
      shape.odd = 1;
    }
  }
  return shape;
}

static int write_list(Writer *w, size_t size, const Schema *items) {
  Step *step = &w->steps[w->depth - 1];
  step->name = NULL;
  put_char(w, '[');
  for (size_t i = 1; i <= size; i++) {
    if (i > 1) put_char(w, ',');
    step->size = i;
    lua_rawgeti(w->L, -1, (int)i);
    if (!write_value(w, items)) return 0;
    lua_pop(w->L, 1);
  }
  put_char(w, ']');
  return 1;
}

static int name_less(const Name *a, const Name *b) {
  unsigned char first = (unsigned char)*a->text;
  if (first != (unsigned char)*b->text) return first < (unsigned char)*b->text;
  int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
  return order != 0 ? order < 0 : a->size < b->size;
}

static void sift_down(Name *names, size_t root, size_t count) {
  Name moving = names[root];
  size_t child;
  while ((child = 2 * root + 1) < count) {
    if (child + 1 < count && name_less(&names[child], &names[child + 1]))
      child++;
    if (!name_less(&moving, &names[child])) break;
    names[root] = names[child];
    root = child;
  }
  names[root] = moving;
}

/* Heap sort: qsort may ask malloc for memory, and has worst cases. */
static void sort_names(Name *names, size_t count) {
  for (size_t i = count / 2; i-- > 0;)
    sift_down(names, i, count);
  while (count-- > 1) {
    Name last = names[count];
    names[count] = names[0];
    names[0] = last;
    sift_down(names, 0, count);
  }
}

static Name *names_of(Writer *w) {
  return (Name *)(void *)w->names->data;
}

static const Schema *schema_of(const Schema *schema, const char *name) {
  if (schema != NULL && schema->type == SCHEMA_MAP) return schema->items;
  if (schema == NULL || schema->type != SCHEMA_OBJECT || schema->fields == NULL)
    return NULL;
  for (const Field *f = schema->fields; f->name != NULL; f++)
    if (strcmp(f->name, name) == 0) return f->schema;
  return NULL;
}

/* Its `count` names are the last of those kept. */
static int write_object(Writer *w, size_t count, const Schema *schema) {
  lua_State *L = w->L;
  Step *step = &w->steps[w->depth - 1];
  size_t end = w->names->size / sizeof(Name), first = end - count;
  if (count > 1) sort_names(names_of(w) + first, count);
  put_char(w, '{');
  for (size_t i = first; i < end; i++) {
    /* A copy: an object inside may make the names move. */
    Name name = names_of(w)[i];
    if (i > first) put_char(w, ',');
    /* A name that is not UTF-8 is a fault of the object itself. */
    step->name = NULL;
    step->size = 0;
    if (!put_string(w, name.text, name.size)) return 0;
    step->name = name.text;
    step->size = name.size;
    put_char(w, ':');
    lua_rawgeti(L, w->anchor, name.slot);
    lua_rawget(L, -2);
    if (!write_value(w, schema_of(schema, name.text))) return 0;
    lua_pop(L, 1);
  }
  put_char(w, '}');
  w->names->size = first * sizeof(Name);
  return 1;
}

static int write_table(Writer *w, const Schema *schema) {
  lua_State *L = w->L;
  const void *table = lua_topointer(L, -1);
  for (int i = 0; i < w->depth; i++)
    if (w->steps[i].table == table) return fail(w, "a cycle");
  if (w->depth == SC_JSON_DEPTH)
    return fail(w, "nested deeper than " STRINGIFY(SC_JSON_DEPTH));
  luaL_checkstack(L, 6, "JSON");
  Shape shape = take_names(w);
  int empty = shape.positions + shape.names == 0;
  int marked = is_marked(L, empty);
  int array = schema != NULL && schema->type == SCHEMA_ARRAY;
  if (shape.odd) return fail(w, "a name that is neither string nor position");
  if (shape.names > 0 && (shape.positions > 0 || marked))
    return fail(w, "a table that mixes list and names");
  if (shape.last != (lua_Number)shape.positions)
    return fail(w, "a list with a hole");
  w->steps[w->depth].table = table;
  w->steps[w->depth].name = NULL;
  w->steps[w->depth].size = 0;
  w->depth++;
  int done = shape.positions > 0 || marked || (empty && array)
                 ? write_list(w, shape.positions, array ? schema->items : NULL)
                 : write_object(w, shape.names, schema);
  w->depth -= done; /* a fault leaves the path to itself */
  return done;
}

/* -- values -------------------------------------------------------------- */

static int write_light_userdata(Writer *w) {
  if (lua_touserdata(w->L, -1) == NULL)
    put_literal(w, "null");
  else if (is_cjsons(w->L, "empty_array"))
    put_literal(w, "[]");
  else
    return fail(w, "a userdata is not JSON");
  return 1;
}

/* The value on top, which stays there. */
static int write_value(Writer *w, const Schema *schema) {
  lua_State *L = w->L;
  size_t size;
  const char *text;
  if (w->out->size > SC_JSON_MAX_BYTES) return fail(w, TOO_LARGE);
  switch (lua_type(L, -1)) {
  case LUA_TTABLE: return write_table(w, schema);
  case LUA_TNUMBER: return put_number(w);
  case LUA_TLIGHTUSERDATA: return write_light_userdata(w);
  case LUA_TSTRING:
    text = lua_tolstring(L, -1, &size);
    return put_string(w, text, size);
  case LUA_TBOOLEAN:
    if (lua_toboolean(L, -1))
      put_literal(w, "true");
    else
      put_literal(w, "false");
    return 1;
  case LUA_TNIL: return fail(w, "nil is not JSON");
  case LUA_TFUNCTION: return fail(w, "a function is not JSON");
  case LUA_TUSERDATA: return fail(w, "a userdata is not JSON");
  case LUA_TTHREAD: return fail(w, "a coroutine is not JSON");
  default: return fail(w, "this type is not JSON"); /* LuaJIT's cdata */
  }
}

/* -- the path of a fault ------------------------------------------------- */

static int is_identifier(const Step *step) {
  for (size_t i = 0; i < step->size; i++) {
    char c = step->name[i], letter = (char)(c | 0x20);
    int word = c == '_' || (letter >= 'a' && letter <= 'z');
    if (!word && (i == 0 || c < '0' || c > '9')) return 0;
  }
  return step->size > 0;
}

static void push_out(Writer *w) {
  /* Before the first byte there would be nothing to point to. */
  room(w, 1);
  lua_pushlstring(w->L, w->out->data, w->out->size);
}

/* Of a name that somebody chose, what fits in a line; whole characters. */
static size_t shown_size(const Step *step) {
  size_t size = step->size;
  if (size <= MAX_SHOWN_NAME) return size;
  size = MAX_SHOWN_NAME;
  while (size > 0 && ((unsigned char)step->name[size] & 0xc0) == 0x80)
    size--;
  return size;
}

/* Uses the buffer of the text, which is of no use any more. */
static void push_path(Writer *w) {
  sc_buffer_clear(w->out);
  for (int i = 0; i < w->depth; i++) {
    const Step *step = &w->steps[i];
    if (step->name == NULL && step->size == 0) break;
    if (step->name != NULL && is_identifier(step)) {
      if (i > 0) put_char(w, '.');
      put(w, step->name, shown_size(step));
      continue;
    }
    put_char(w, '[');
    if (step->name != NULL)
      put_string(w, step->name, shown_size(step));
    else
      w->out->size +=
          sc_integer_write((int64_t)step->size, room(w, SC_NUMBER_SIZE));
    put_char(w, ']');
  }
  push_out(w);
  lua_pushstring(w->L, w->reason);
}

int sc_json_write(lua_State *L, int index, const Schema *schema) {
  Writer w;
  int top = lua_gettop(L);
  index = sc_absindex(L, index);
  luaL_checkstack(L, 8, "JSON");
  w.L = L;
  w.out = sc_scratch_push(L);
  w.names = sc_scratch_push(L);
  lua_createtable(L, FEW_NAMES, 0);
  w.anchor = lua_gettop(L);
  w.depth = 0;
  w.reason = NULL;
  lua_pushvalue(L, index);
  int done = write_value(&w, schema);
  if (done && w.out->size > SC_JSON_MAX_BYTES) done = fail(&w, TOO_LARGE);
  if (done)
    push_out(&w);
  else
    push_path(&w);
  sc_buffer_free(w.out);
  sc_buffer_free(w.names);
  /* The results go where the first scratch was. */
  lua_replace(L, top + 2 - done);
  if (!done) lua_replace(L, top + 1);
  lua_settop(L, top + 2 - done);
  return done;
}

int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  if (sc_json_write(L, 1, NULL)) return 1;
  lua_insert(L, -2); /* reason, path */
  lua_pushnil(L);
  lua_insert(L, -3);
  return 3;
}
