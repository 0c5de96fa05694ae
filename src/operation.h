/*
 * operation.h: the row that describes one operation of the API.
 *
 * Twelve rows exist, a file a family: documents.c, collections.c, sessions.c.
 * Nothing else in the core knows an operation by name.
 */
#ifndef SC_OPERATION_H
#define SC_OPERATION_H

#include "schema.h"

typedef enum BodyKind { BODY_NONE, BODY_JSON, BODY_FILE } BodyKind;

typedef enum ResultKind {
  RESULT_NOTHING, /* an empty answer: true */
  RESULT_BYTES,   /* the document itself, into the sink */
  RESULT_DOCUMENT,
  RESULT_COLLECTION,
  RESULT_SESSION,
  RESULT_SESSIONS, /* a JSON array of sessions: a Lua list of them */
  RESULT_PAGE,
  RESULT_ANY /* what has no row: the answer's media type says */
} ResultKind;

typedef struct Operation {
  const char *id;   /* the API's own: "createSigningSession" */
  const char *name; /* ours, as in errors: "sessions:create" */
  const char *method;
  const char *path; /* "/signing-sessions/{sessionId}": one id at most */
  BodyKind body;
  const Schema *payload; /* of a JSON body, else NULL */
  const Schema *query;   /* an object, or NULL */
  ResultKind result;
  /* A second copy would be a second signing: never sent twice. */
  int creates;
} Operation;

/* Each family's rows, ended by a NULL id. */
extern const Operation sc_document_operations[];
extern const Operation sc_collection_operations[];
extern const Operation sc_session_operations[];

/* The row with the API's name for it, or NULL. */
const Operation *sc_operation_find(const char *id);

struct lua_State;

/* Pushes every row as Lua sees it: `{ [id] = { id, name, method, path, body,
 * result, query, creates } }`; body and result are the kinds in lower case,
 * the last two booleans. */
void sc_operations_push(struct lua_State *L);

#endif
