/*
 * json_read.h: the strict JSON reader (RFC 8259).
 *
 * One pass over the bytes judges them (grammar, UTF-8, depth, finite
 * numbers) and leaves an index of 16 bytes a value; Lua values are made from
 * the index on demand. The index holds no pointers, so text and index can be
 * copied anywhere, also a slice of both (see `base`).
 *
 * Rules beyond the RFC: nesting up to SC_JSON_DEPTH; of duplicate names the
 * last one wins; an integer that fits 64 bits is a Lua integer where Lua has
 * them, any other number the nearest double (`-0` is -0.0), and one that is
 * not finite is refused; half a surrogate pair is refused; no byte order
 * mark.
 */
#ifndef SC_JSON_READ_H
#define SC_JSON_READ_H

#include "buffer.h"
#include "compat.h"

#include <stdint.h>

#define SC_JSON_DEPTH 128
/* 256 MiB less a little: the span of the root must fit its 27 bits. */
#define SC_JSON_MAX_BYTES 0x0ffffff0u

typedef enum JsonType {
  JSON_NULL,
  JSON_FALSE,
  JSON_TRUE,
  JSON_INTEGER, /* written without fraction and exponent */
  JSON_NUMBER,
  JSON_STRING,
  JSON_ARRAY,
  JSON_OBJECT
} JsonType;

#define JSON_TYPE_MASK 7u
#define JSON_ESCAPED 8u      /* the string has a backslash in it */
#define JSON_KEY_ESCAPED 16u /* so has the member's name */
#define JSON_SPAN_SHIFT 5

typedef struct JsonNode {
  uint32_t key;   /* offset of the name's first byte; 0: not a member */
  uint32_t start; /* offset of the value; of a string: after its quote */
  uint32_t size;  /* bytes as written (strings: between the quotes) */
  uint32_t tag;   /* type, flags, and the span: nodes in this subtree */
} JsonNode;

#define sc_json_type(node) ((JsonType)((node)->tag & JSON_TYPE_MASK))
#define sc_json_span(node) ((node)->tag >> JSON_SPAN_SHIFT)

/* A text with its index. `base` is what to subtract from the offsets: 0 for
 * a whole reply, the start of the value for a slice of one. */
typedef struct Json {
  const char *text;
  const JsonNode *nodes; /* nodes[0] is the root */
  uint32_t base;
} Json;

typedef struct JsonFault {
  const char *reason; /* a constant sentence part, never input text */
  size_t offset;      /* of the offending byte, from 0 */
} JsonFault;

/* Reads `size` bytes and appends the nodes to `index`. Returns the number of
 * nodes; 0 with *fault set when the text is not JSON, -1 when there is no
 * memory; then the index is as it was. Keeps nothing, calls no Lua. */
long sc_json_read(const char *text, size_t size, Buffer *index,
                  JsonFault *fault);

/* The same for an index that Lua owns (scratch.h): where memory ends it
 * tries again after a full collection, then raises. */
long sc_json_index(lua_State *L, const char *text, size_t size, Buffer *index,
                   JsonFault *fault);

/* The member of an object node by name, the last of several, or NULL. */
const JsonNode *sc_json_member(const Json *json, const JsonNode *object,
                               const char *name, size_t size);

/* Pushes one value: containers become tables all the way down, arrays carry
 * the array mark (sc_json_push_array_mark), null is signicat.null. May raise
 * a memory error; owns nothing. */
void sc_json_push(lua_State *L, const Json *json, const JsonNode *node);

/* Pushes the name of a member node; not of a slice's root, whose name is
 * outside the slice. */
void sc_json_push_key(lua_State *L, const Json *json, const JsonNode *node);

/* Pushes the metatable that says "I am an array", one per Lua state. */
void sc_json_push_array_mark(lua_State *L);

/* json_decode(text) -> value, or nil, message, offset (from 1). */
int json_decode(lua_State *L);

#endif
