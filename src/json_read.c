/*
 * json_read.c: the strict JSON reader, from bytes to an index.
 *
 * A loop and a stack of open containers, no recursion: what comes from the
 * network cannot choose how deep C goes. What the index is good for, looking
 * up and making Lua values, is in json_value.c.
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
  const JsonByte *text, *at, *end;
  Buffer *index;
  size_t first; /* bytes of the index that were there before us */
  JsonFault *fault;
  uint32_t depth;
  uint32_t open[SC_JSON_DEPTH]; /* the nodes of the open containers */
} Reader;

/* What is known of a member before its value is read. */
typedef struct Name {
  uint32_t key;
  uint32_t flag;
} Name;

/* Every function below that returns int returns 1, or 0 after a fault; a
 * fault without a reason means that memory ended. */
static int fail(Reader *r, const JsonByte *at, const char *reason) {
  r->fault->reason = reason;
  r->fault->offset = (size_t)(at - r->text);
  return 0;
}

static int fail_expecting(Reader *r, const char *reason) {
  return fail(r, r->at, r->at == r->end ? "the text ends too early" : reason);
}

static uint32_t offset_of(const Reader *r, const JsonByte *at) {
  return (uint32_t)(at - r->text);
}

/* -- the index ----------------------------------------------------------- */

static JsonNode *node_at(const Reader *r, uint32_t number) {
  return (JsonNode *)(void *)(r->index->data + r->first) + number;
}

static uint32_t node_count(const Reader *r) {
  return (uint32_t)((r->index->size - r->first) / sizeof(JsonNode));
}

static int add_node(Reader *r, const Name *name, const JsonByte *start,
                    size_t size, uint32_t tag) {
  Buffer *index = r->index;
  if (index->capacity - index->size < sizeof(JsonNode) &&
      sc_buffer_reserve(index, sizeof(JsonNode)) != 0)
    return fail(r, r->at, NULL);
  JsonNode *node = (JsonNode *)(void *)(index->data + index->size);
  node->key = name->key;
  node->start = offset_of(r, start);
  node->size = (uint32_t)size;
  node->tag = tag | name->flag | 1u << JSON_SPAN_SHIFT;
  index->size += sizeof(JsonNode);
  return 1;
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

/* At a backslash; returns behind its escape, or NULL. */
static const JsonByte *read_escape(Reader *r, const JsonByte *p) {
  const JsonByte *slash = p++;
  if (p < r->end && *p != 'u') {
    if (*p != '\0' && strchr("\"\\/bfnrt", *p) != NULL) return p + 1;
    fail(r, slash, "an unknown escape");
    return NULL;
  }
  if (p < r->end) p++;
  long unit = read_hex4(&p, r->end);
  if (unit < 0) {
    fail(r, slash, "an escape is not complete");
    return NULL;
  }
  if (unit < 0xd800 || unit > 0xdfff) return p;
  if (unit < 0xdc00 && r->end - p >= 2 && p[0] == '\\' && p[1] == 'u') {
    p += 2;
    unit = read_hex4(&p, r->end);
    if (unit >= 0xdc00 && unit <= 0xdfff) return p;
  }
  fail(r, slash, "half a surrogate pair");
  return NULL;
}

/* Behind an opening quote; returns the closing one, or NULL. Sets *escaped
 * to `flag` when there is a backslash in between. */
static const JsonByte *read_quoted(Reader *r, const JsonByte *p, uint32_t flag,
                                   uint32_t *escaped) {
  for (;;) {
    p = sc_json_skip_plain(p, r->end);
    if (p < r->end && *p == '"') return p;
    if (p == r->end) {
      fail(r, p, "a string without an end");
      return NULL;
    }
    if (*p == '\\') {
      *escaped = flag;
      p = read_escape(r, p);
      if (p == NULL) return NULL;
    } else if (*p < 0x20) {
      fail(r, p, "a control character must be escaped");
      return NULL;
    } else {
      size_t size = sc_utf8_size(p, (size_t)(r->end - p));
      if (size == 0) {
        fail(r, p, "text that is not UTF-8");
        return NULL;
      }
      p += size;
    }
  }
}

static int read_string(Reader *r, const Name *name) {
  uint32_t escaped = 0;
  const JsonByte *start = r->at + 1;
  const JsonByte *quote = read_quoted(r, start, JSON_ESCAPED, &escaped);
  if (quote == NULL) return 0;
  r->at = quote + 1;
  return add_node(r, name, start, (size_t)(quote - start),
                  JSON_STRING | escaped);
}

/* -- the other scalars --------------------------------------------------- */

static int is_digit(const Reader *r, const JsonByte *p) {
  return p < r->end && (unsigned)(*p - '0') <= 9;
}

/* One digit or more; NULL where there is none. */
static const JsonByte *read_digits(Reader *r, const JsonByte *p) {
  if (!is_digit(r, p)) {
    fail(r, p, "a digit is expected");
    return NULL;
  }
  do
    p++;
  while (is_digit(r, p));
  return p;
}

static int read_number(Reader *r, const Name *name) {
  const JsonByte *start = r->at, *p = start + (*start == '-');
  uint32_t type = JSON_INTEGER;
  int exponent = 0;
  if (is_digit(r, p) && *p == '0' && is_digit(r, p + 1))
    return fail(r, p, "a number with a leading zero");
  if ((p = read_digits(r, p)) == NULL) return 0;
  if (p < r->end && *p == '.') {
    type = JSON_NUMBER;
    if ((p = read_digits(r, p + 1)) == NULL) return 0;
  }
  if (p < r->end && (*p | 0x20) == 'e') {
    type = JSON_NUMBER;
    exponent = 1;
    p++;
    if (p < r->end && (*p == '+' || *p == '-')) p++;
    if ((p = read_digits(r, p)) == NULL) return 0;
  }
  size_t size = (size_t)(p - start);
  if ((exponent || size > SURELY_FINITE) &&
      !isfinite(sc_number_read((const char *)start, size)))
    return fail(r, start, "a number too large for a double");
  r->at = p;
  return add_node(r, name, start, size, type);
}

static int read_word(Reader *r, const Name *name, const char *word, size_t size,
                     JsonType type) {
  const JsonByte *start = r->at;
  if ((size_t)(r->end - start) < size || memcmp(start, word, size) != 0)
    return fail(r, start, "a value is expected");
  r->at += size;
  return add_node(r, name, start, size, type);
}

/* -- containers ---------------------------------------------------------- */

static int open_container(Reader *r, const Name *name, JsonType type) {
  if (r->depth == SC_JSON_DEPTH)
    return fail(r, r->at, "nested deeper than " STRINGIFY(SC_JSON_DEPTH));
  r->open[r->depth++] = node_count(r);
  return add_node(r, name, r->at++, 0, type);
}

static void close_container(Reader *r) {
  uint32_t number = r->open[--r->depth];
  JsonNode *node = node_at(r, number);
  node->size = offset_of(r, ++r->at) - node->start;
  /* Its span was 1, for itself; now come those inside. */
  node->tag += (node_count(r) - number - 1) << JSON_SPAN_SHIFT;
}

static void skip_space(Reader *r) {
  const JsonByte *p = r->at;
  while (p < r->end && *p <= ' ' &&
         (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
    p++;
  r->at = p;
}

/* A scalar, or the bracket that opens a container. */
static int read_value(Reader *r, const Name *name) {
  skip_space(r);
  if (r->at == r->end) return fail_expecting(r, NULL);
  switch (*r->at) {
  case '"': return read_string(r, name);
  case '{': return open_container(r, name, JSON_OBJECT);
  case '[': return open_container(r, name, JSON_ARRAY);
  case 't': return read_word(r, name, "true", 4, JSON_TRUE);
  case 'f': return read_word(r, name, "false", 5, JSON_FALSE);
  case 'n': return read_word(r, name, "null", 4, JSON_NULL);
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9': return read_number(r, name);
  default: return fail(r, r->at, "a value is expected");
  }
}

static int read_name(Reader *r, Name *name) {
  skip_space(r);
  if (r->at == r->end || *r->at != '"')
    return fail_expecting(r, "a name in quotes is expected");
  r->at++;
  name->key = offset_of(r, r->at);
  name->flag = 0;
  r->at = read_quoted(r, r->at, JSON_KEY_ESCAPED, &name->flag);
  if (r->at == NULL) return 0;
  r->at++;
  skip_space(r);
  if (r->at == r->end || *r->at != ':')
    return fail_expecting(r, "a colon is expected");
  r->at++;
  return 1;
}

/* Goes from behind a value, or from behind a container's opening bracket, to
 * where the next value begins: closes what ends, reads the comma and a
 * member's name. Comes back with depth 0 when everything is closed. */
static int find_next_value(Reader *r, int opened, Name *name) {
  while (r->depth > 0) {
    int object = sc_json_type(node_at(r, r->open[r->depth - 1])) == JSON_OBJECT;
    skip_space(r);
    if (r->at < r->end && *r->at == (object ? '}' : ']')) {
      close_container(r);
      opened = 0;
      continue;
    }
    if (!opened) {
      if (r->at == r->end || *r->at != ',')
        return fail_expecting(r, object ? "a comma or } is expected"
                                        : "a comma or ] is expected");
      r->at++;
    }
    if (object) return read_name(r, name);
    name->key = name->flag = 0;
    return 1;
  }
  return 1;
}

static int read_text(Reader *r) {
  Name name = {0, 0};
  do {
    uint32_t depth = r->depth;
    if (!read_value(r, &name)) return 0;
    if (!find_next_value(r, r->depth > depth, &name)) return 0;
  } while (r->depth > 0);
  skip_space(r);
  if (r->at < r->end) return fail(r, r->at, "something follows the value");
  return 1;
}

long sc_json_read(const char *text, size_t size, Buffer *index,
                  JsonFault *fault) {
  Reader r;
  r.text = r.at = (const JsonByte *)text;
  r.end = r.text + size;
  r.index = index;
  r.first = index->size;
  r.fault = fault;
  r.depth = 0;
  fault->reason = NULL;
  fault->offset = 0;
  if (size > SC_JSON_MAX_BYTES) {
    fail(&r, r.text + SC_JSON_MAX_BYTES, "larger than 256 MiB");
    return 0;
  }
  if (read_text(&r)) return (long)node_count(&r);
  index->size = r.first;
  return fault->reason != NULL ? 0 : -1;
}

long sc_json_index(lua_State *L, const char *text, size_t size, Buffer *index,
                   JsonFault *fault) {
  long count = sc_json_read(text, size, index, fault);
  if (count >= 0) return count;
  lua_gc(L, LUA_GCCOLLECT, 0);
  count = sc_json_read(text, size, index, fault);
  return count >= 0 ? count : sc_raise_memory(L);
}
