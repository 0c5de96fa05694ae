/*
 * json_read.c: the strict JSON reader, from bytes to an index.
 *
 * A loop and a stack of open containers, no recursion: what comes from the
 * network cannot choose how deep C goes. What the index is good for, looking
 * up and making Lua values, is in json_value.c.
 *
 * Most functions take the place to read from and return the place behind
 * what they read, or NULL after a fault. A fault without a reason means that
 * memory ended.
 */
#include "json_read.h"

#include "json_number.h"
#include "json_text.h"
#include "scratch.h"

#include <math.h>

#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

/* A number without exponent is finite for sure up to this many bytes. */
#define SURELY_FINITE 300

typedef struct Reader {
  const JsonByte *text, *end;
  uint32_t key, key_flag; /* of the member whose value comes next, or 0 */
  JsonNode *nodes, *free, *limit; /* into the index: ours, room for more */
  Buffer *index;
  JsonFault *fault;
  JsonByte closing; /* the bracket that closes the innermost container */
  uint32_t depth;
  uint32_t open[SC_JSON_DEPTH]; /* the nodes of the open containers */
} Reader;

static const JsonByte *fail(Reader *r, const JsonByte *at, const char *reason) {
  r->fault->reason = reason;
  r->fault->offset = (size_t)(at - r->text);
  return NULL;
}

static const JsonByte *fail_expecting(Reader *r, const JsonByte *at,
                                      const char *reason) {
  return fail(r, at, at == r->end ? "the text ends too early" : reason);
}

/* -- the index ----------------------------------------------------------- */

/* Makes room for another node behind the `count` we have. The buffer takes
 * them for free room until we are done, so that a fault leaves no trace. */
static int make_room(Reader *r, size_t count) {
  Buffer *index = r->index;
  size_t size = count * sizeof(JsonNode);
  if (sc_buffer_reserve(index, size + sizeof(JsonNode)) != 0) return -1;
  r->nodes = (JsonNode *)(void *)(index->data + index->size);
  r->free = r->nodes + count;
  r->limit = r->nodes + (index->capacity - index->size) / sizeof(JsonNode);
  return 0;
}

static inline const JsonByte *add_node(Reader *r, const JsonByte *start,
                                       size_t size, uint32_t tag) {
  if (r->free == r->limit && make_room(r, (size_t)(r->free - r->nodes)) != 0)
    return fail(r, start, NULL);
  JsonNode *node = r->free++;
  node->key = r->key;
  node->start = (uint32_t)(start - r->text);
  node->size = (uint32_t)size;
  node->tag = tag | r->key_flag | 1u << JSON_SPAN_SHIFT;
  return start + size;
}

/* -- strings ------------------------------------------------------------- */

/* The four digits behind `\u`, or -1; `*p` ends behind them. */
static long read_hex4(const JsonByte **p, const JsonByte *end) {
  long value = 0;
  if (end - *p < 4) return -1;
  for (int i = 0; i < 4; i++, (*p)++) {
    unsigned c = **p, letter = (c | 0x20) - 'a';
    if (c - '0' <= 9)
      value = value << 4 | (long)(c - '0');
    else if (letter <= 5)
      value = value << 4 | (long)(letter + 10);
    else
      return -1;
  }
  return value;
}

static const JsonByte *read_escape(Reader *r, const JsonByte *p) {
  const JsonByte *slash = p++;
  if (p < r->end && *p != 'u') {
    if (*p != '\0' && strchr("\"\\/bfnrt", *p) != NULL) return p + 1;
    return fail(r, slash, "an unknown escape");
  }
  if (p < r->end) p++;
  long unit = read_hex4(&p, r->end);
  if (unit < 0) return fail(r, slash, "an escape is not complete");
  if (unit < 0xd800 || unit > 0xdfff) return p;
  if (unit < 0xdc00 && r->end - p >= 2 && p[0] == '\\' && p[1] == 'u') {
    p += 2;
    unit = read_hex4(&p, r->end);
    if (unit >= 0xdc00 && unit <= 0xdfff) return p;
  }
  return fail(r, slash, "half a surrogate pair");
}

/* The rest of a string from a byte on that is not plain: up to the closing
 * quote. Sets *flags to `flag` if there is a backslash in it. */
static const JsonByte *read_odd(Reader *r, const JsonByte *p, uint32_t flag,
                                uint32_t *flags) {
  while (p < r->end && *p != '"') {
    if (*p == '\\') {
      *flags = flag;
      p = read_escape(r, p);
      if (p == NULL) return NULL;
    } else if (*p < 0x20) {
      return fail(r, p, "a control character must be escaped");
    } else {
      size_t size = sc_utf8_size(p, (size_t)(r->end - p));
      if (size == 0) return fail(r, p, "text that is not UTF-8");
      p += size;
    }
    p = sc_json_skip_plain(p, r->end);
  }
  return p < r->end ? p : fail(r, p, "a string without an end");
}

/* From behind an opening quote to the closing one. */
static const JsonByte *read_quoted(Reader *r, const JsonByte *p, uint32_t flag,
                                   uint32_t *flags) {
  *flags = 0;
  p = sc_json_skip_plain(p, r->end);
  if (p < r->end && *p == '"') return p;
  return read_odd(r, p, flag, flags);
}

static const JsonByte *read_string(Reader *r, const JsonByte *start) {
  uint32_t flags;
  const JsonByte *quote = read_quoted(r, start, JSON_ESCAPED, &flags);
  if (quote == NULL) return NULL;
  if (!add_node(r, start, (size_t)(quote - start), JSON_STRING | flags))
    return NULL;
  return quote + 1;
}

/* -- the other scalars --------------------------------------------------- */

static int is_digit(const Reader *r, const JsonByte *p) {
  return p < r->end && (unsigned)(*p - '0') <= 9;
}

/* One digit or more. */
static const JsonByte *read_digits(Reader *r, const JsonByte *p) {
  if (!is_digit(r, p)) return fail(r, p, "a digit is expected");
  do
    p++;
  while (is_digit(r, p));
  return p;
}

static const JsonByte *read_number(Reader *r, const JsonByte *start) {
  const JsonByte *p = start + (*start == '-');
  JsonType type = JSON_INTEGER;
  int exponent = 0;
  if (is_digit(r, p) && *p == '0' && is_digit(r, p + 1))
    return fail(r, p, "a number with a leading zero");
  if ((p = read_digits(r, p)) == NULL) return NULL;
  if (p < r->end && *p == '.') {
    type = JSON_NUMBER;
    if ((p = read_digits(r, p + 1)) == NULL) return NULL;
  }
  if (p < r->end && (*p == 'e' || *p == 'E')) {
    type = JSON_NUMBER;
    exponent = 1;
    p++;
    if (p < r->end && (*p == '+' || *p == '-')) p++;
    if ((p = read_digits(r, p)) == NULL) return NULL;
  }
  size_t size = (size_t)(p - start);
  if ((exponent || size > SURELY_FINITE) &&
      !isfinite(sc_number_read((const char *)start, size)))
    return fail(r, start, "a number too large for a double");
  return add_node(r, start, size, type);
}

static const JsonByte *read_word(Reader *r, const JsonByte *p, const char *word,
                                 size_t size, JsonType type) {
  if ((size_t)(r->end - p) < size || memcmp(p, word, size) != 0)
    return fail(r, p, "a value is expected");
  return add_node(r, p, size, type);
}

/* Whatever is neither a string nor a container. */
static const JsonByte *read_plain(Reader *r, const JsonByte *p) {
  switch (*p) {
  case 't': return read_word(r, p, "true", 4, JSON_TRUE);
  case 'f': return read_word(r, p, "false", 5, JSON_FALSE);
  case 'n': return read_word(r, p, "null", 4, JSON_NULL);
  default:
    if (*p != '-' && !is_digit(r, p)) return fail(r, p, "a value is expected");
    return read_number(r, p);
  }
}

/* -- containers ---------------------------------------------------------- */

static const JsonByte *skip_space(const Reader *r, const JsonByte *p) {
  while (p < r->end && *p <= ' ' &&
         (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
    p++;
  return p;
}

/* From before one certain byte to behind it. Most services write no space. */
static inline const JsonByte *pass(Reader *r, const JsonByte *p,
                                   JsonByte wanted, const char *reason) {
  if (p < r->end && *p == wanted) return p + 1;
  p = skip_space(r, p);
  if (p < r->end && *p == wanted) return p + 1;
  return fail_expecting(r, p, reason);
}

static const JsonByte *open_container(Reader *r, const JsonByte *p) {
  JsonType type = *p == '{' ? JSON_OBJECT : JSON_ARRAY;
  if (r->depth == SC_JSON_DEPTH)
    return fail(r, p, "nested deeper than " STRINGIFY(SC_JSON_DEPTH));
  r->open[r->depth++] = (uint32_t)(r->free - r->nodes);
  r->closing = type == JSON_OBJECT ? '}' : ']';
  return add_node(r, p, 1, type);
}

static const JsonByte *close_container(Reader *r, const JsonByte *p) {
  JsonNode *node = r->nodes + r->open[--r->depth];
  node->size = (uint32_t)(++p - r->text) - node->start;
  /* Its span was 1, for itself; now come those inside. */
  node->tag += (uint32_t)(r->free - node - 1) << JSON_SPAN_SHIFT;
  if (r->depth > 0) {
    const JsonNode *outer = r->nodes + r->open[r->depth - 1];
    r->closing = sc_json_type(outer) == JSON_OBJECT ? '}' : ']';
  }
  return p;
}

/* A member's name and its colon; nothing outside of an object. */
static const JsonByte *read_name(Reader *r, const JsonByte *p) {
  r->key = r->key_flag = 0;
  if (r->closing != '}') return p;
  p = pass(r, p, '"', "a name in quotes is expected");
  if (p == NULL) return NULL;
  r->key = (uint32_t)(p - r->text);
  p = read_quoted(r, p, JSON_KEY_ESCAPED, &r->key_flag);
  return p == NULL ? NULL : pass(r, p + 1, ':', "a colon is expected");
}

/* From behind a value to behind all the containers that end there. */
static const JsonByte *close_containers(Reader *r, const JsonByte *p) {
  if (p < r->end && *p == ',') return p;
  p = skip_space(r, p);
  while (r->depth > 0 && p < r->end && *p == r->closing)
    p = skip_space(r, close_container(r, p));
  return p;
}

static const JsonByte *read_text(Reader *r, const JsonByte *p) {
  for (;;) {
    if ((p = read_name(r, p)) == NULL) return NULL;
    p = skip_space(r, p);
    if (p == r->end) return fail_expecting(r, p, NULL);
    if (*p == '"') {
      if ((p = read_string(r, p + 1)) == NULL) return NULL;
    } else if (*p == '{' || *p == '[') {
      if ((p = open_container(r, p)) == NULL) return NULL;
      p = skip_space(r, p);
      if (p == r->end || *p != r->closing) continue;
    } else if ((p = read_plain(r, p)) == NULL) {
      return NULL;
    }
    p = close_containers(r, p);
    if (r->depth == 0) break;
    p = pass(r, p, ',',
             r->closing == '}' ? "a comma or } is expected"
                               : "a comma or ] is expected");
    if (p == NULL) return NULL;
  }
  return p == r->end ? p : fail(r, p, "something follows the value");
}

long sc_json_read(const char *text, size_t size, Buffer *index,
                  JsonFault *fault) {
  const JsonByte *start = (const JsonByte *)text;
  Reader r = {
      .text = start, .end = start + size, .index = index, .fault = fault};
  fault->reason = NULL;
  fault->offset = 0;
  if (size > SC_JSON_MAX_BYTES) {
    fail(&r, start + SC_JSON_MAX_BYTES, "larger than 256 MiB");
    return 0;
  }
  /* Enough for what services write, so that a page's index is not moved. */
  if (sc_buffer_reserve(index, size) != 0 || make_room(&r, 0) != 0) return -1;
  if (read_text(&r, start) == NULL) return fault->reason != NULL ? 0 : -1;
  index->size += (size_t)(r.free - r.nodes) * sizeof(JsonNode);
  return (long)(r.free - r.nodes);
}

long sc_json_index(lua_State *L, const char *text, size_t size, Buffer *index,
                   JsonFault *fault) {
  long count = sc_json_read(text, size, index, fault);
  if (count >= 0) return count;
  lua_gc(L, LUA_GCCOLLECT, 0);
  count = sc_json_read(text, size, index, fault);
  return count >= 0 ? count : sc_raise_memory(L);
}
