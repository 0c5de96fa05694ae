/*
 * resource.h: a Document, Collection, Session or Page, read lazily.
 *
 * A resource is one block that Lua's collector owns: a header, its part of
 * the JSON index and its part of the reply's bytes. It points to nothing
 * outside, so keeping one session does not keep the page it came from. A
 * field becomes a Lua value when it is first read, and is kept.
 */
#ifndef SC_RESOURCE_H
#define SC_RESOURCE_H

#include "digest.h"
#include "json_read.h"
#include "operation.h"

#define DOCUMENT_TYPE "signicat.document"
#define COLLECTION_TYPE "signicat.collection"
#define SESSION_TYPE "signicat.session"
#define PAGE_TYPE "signicat.page"
#define OBJECT_TYPE "signicat.object" /* what sign:request reads */

/* Pushes the value of `json` as what `result` says: a resource, a list of
 * resources, or a plain value. The shape has been checked by the caller. */
void sc_resource_push(lua_State *L, const Json *json, ResultKind result);

/* Pushes the id that the value at `index` carries: a string is one, a
 * resource or a table has one. Returns 0 and pushes nothing when there is
 * none. */
int sc_resource_push_id(lua_State *L, int index);

/* Pushes a top-level field of the resource or table at `index`; nil if it
 * has none, or is something else. */
void sc_resource_field(lua_State *L, int index, const char *name);

/* Copies the SHA-256 that a document's `documentHash` names, as the API writes
 * it, 44 characters and a NUL. Returns 0 and leaves "" when there is none or
 * it is of another kind. */
int sc_resource_hash(lua_State *L, int index, char out[SC_SHA256_BASE64]);

/* resource_id(value) -> the id it carries, or nil. */
int resource_id(lua_State *L);

/* attach(resource, name, value) gives a resource a field that the answer does
 * not have, such as the method that leads from a page to the next. */
int resource_attach(lua_State *L);

void sc_resource_define(lua_State *L);

#endif
