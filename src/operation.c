/*
 * operation.c: finds rows, and shows them to Lua.
 *
 * The rows themselves are in the family files; a new family is one more
 * entry in `families`.
 */
#include "operation.h"

#include "compat.h"

#include <string.h>

static const Operation *const families[] = {
    sc_document_operations,
    sc_collection_operations,
    sc_session_operations,
    NULL,
};

static const char *const body_names[] = {
    [BODY_NONE] = "none",
    [BODY_JSON] = "json",
    [BODY_FILE] = "file",
};

static const char *const result_names[] = {
    [RESULT_NOTHING] = "nothing",   [RESULT_BYTES] = "bytes",
    [RESULT_DOCUMENT] = "document", [RESULT_COLLECTION] = "collection",
    [RESULT_SESSION] = "session",   [RESULT_SESSIONS] = "sessions",
    [RESULT_PAGE] = "page",         [RESULT_ANY] = "any",
};

const Operation *sc_operation_find(const char *id) {
  for (const Operation *const *family = families; *family != NULL; family++)
    for (const Operation *row = *family; row->id != NULL; row++)
      if (strcmp(row->id, id) == 0) return row;
  return NULL;
}

static void set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, int value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void push_row(lua_State *L, const Operation *row) {
  lua_createtable(L, 0, 8);
  set_string(L, "id", row->id);
  set_string(L, "name", row->name);
  set_string(L, "method", row->method);
  set_string(L, "path", row->path);
  set_string(L, "body", body_names[row->body]);
  set_string(L, "result", result_names[row->result]);
  set_boolean(L, "query", row->query != NULL);
  set_boolean(L, "creates", row->creates);
}

void sc_operations_push(lua_State *L) {
  lua_createtable(L, 0, 12);
  for (const Operation *const *family = families; *family != NULL; family++)
    for (const Operation *row = *family; row->id != NULL; row++) {
      push_row(L, row);
      lua_setfield(L, -2, row->id);
    }
}
