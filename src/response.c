/*
 * response.c: judges an answer and makes of it what the row promises; see
 * response.h.
 *
 * A document that goes to a file gets its name only here, after status,
 * length and hash were found right.
 */
#include "response.h"

#include "error.h"
#include "format.h"
#include "json_read.h"
#include "message.h"
#include "operation.h"
#include "resource.h"
#include "scratch.h"
#include "shape.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { REQUEST = 1, RESPONSE, META };

/* What both kinds of response come down to. The pointers belong to the
 * response userdata or to strings on the stack. */
typedef struct Answer {
  lua_State *L;
  Request *request;
  Response *response; /* NULL: a plain table */
  int status;
  const char *body;
  size_t body_size;
  Buffer *index; /* of the body; owned by the response or a scratch */
  char sha256[SC_SHA256_BASE64];
  Verified verified;
} Answer;

/* ---- reading an answer ------------------------------------------------- */

static void read_response(Answer *answer, Response *response) {
  answer->response = response;
  answer->status = response->status;
  answer->body_size = response->bytes.size - response->header_size;
  answer->body =
      answer->body_size > 0 ? response->bytes.data + response->header_size : "";
  answer->index = &response->index;
  sc_response_hide_echo(response, answer->request);
  lua_pushvalue(answer->L, RESPONSE);
}

/* Pushes the meta table; body and index stay on the stack above it. */
static void read_table(Answer *answer) {
  lua_State *L = answer->L;
  double status;
  if (!lua_istable(L, RESPONSE)) {
    sc_misuse(L, "the transport returned a %s, not a response",
              luaL_typename(L, RESPONSE));
  }
  lua_createtable(L, 0, 4);
  lua_getfield(L, RESPONSE, "status");
  status = lua_type(L, -1) == LUA_TNUMBER ? (double)lua_tonumber(L, -1) : 1e9;
  if (!(status > -1e9 && status < 1e9)) {
    sc_misuse(L, "the transport returned a response without a status");
  }
  answer->status = (int)status;
  lua_setfield(L, META, "status");
  lua_getfield(L, RESPONSE, "headers");
  lua_setfield(L, META, "headers");
  lua_pushinteger(L, 1);
  lua_setfield(L, META, "attempts");
  lua_getfield(L, RESPONSE, "body");
  answer->body = lua_tolstring(L, -1, &answer->body_size);
  if (!answer->body) answer->body = "";
  answer->index = sc_scratch_push(L);
}

/* The value of a header, or NULL; a pushed string keeps it alive. */
static const char *header(const Answer *answer, const char *name,
                          size_t *size) {
  lua_State *L = answer->L;
  const Response *response = answer->response;
  const char *value = NULL;
  if (response) {
    return sc_header_find(response->bytes.data, response->header_size, name,
                          size);
  }
  lua_getfield(L, META, "headers");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, name);
    lua_replace(L, -2);
    value = lua_tolstring(L, -1, size);
  }
  return value;
}

/* Tells `meta` what was found out here. */
static void write_meta(const Answer *answer) {
  lua_State *L = answer->L;
  if (answer->response) {
    memcpy(answer->response->sha256, answer->sha256, sizeof answer->sha256);
    answer->response->verified = (unsigned char)answer->verified;
    sc_response_drop_body(answer->response);
    return;
  }
  sc_buffer_free(answer->index);
  if (*answer->sha256) {
    lua_pushstring(L, answer->sha256);
    lua_setfield(L, META, "sha256");
    lua_pushboolean(L, answer->verified == VERIFIED_YES);
    lua_setfield(L, META, "verified");
  }
}

/* Ends the call with the failure table on top of the stack. */
static int finish_failure(const Answer *answer) {
  lua_State *L = answer->L;
  lua_pushinteger(L, answer->status);
  lua_setfield(L, -2, "status");
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "sent");
  write_meta(answer);
  lua_pushnil(L);
  lua_insert(L, -2);
  lua_pushvalue(L, META);
  return 3;
}

/* Nothing is sent again: a file that was uploaded is not kept open until the
 * request is collected. */
static int finish(const Answer *answer) {
  write_meta(answer);
  sc_source_close(&answer->request->source);
  lua_pushvalue(answer->L, META);
  return 2;
}

static void set_true(lua_State *L, const char *name) {
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, name);
}

/* The index of the body, unless it was made before. How many nodes; 0 with
 * *fault set when it is not JSON. */
static long index_body(const Answer *answer, JsonFault *fault) {
  if (answer->index->size > 0) {
    return (long)(answer->index->size / sizeof(JsonNode));
  }
  if (answer->response) {
    sc_spares_take(answer->response->spares, answer->index);
  }
  return sc_json_index(answer->L, answer->body, answer->body_size,
                       answer->index, fault);
}

/* ---- refusals ---------------------------------------------------------- */

static const char *kind_of(int status) {
  switch (status) {
  case 401: return "auth";
  case 403: return "forbidden";
  case 404:
  case 410: return "not_found";
  case 405:
  case 406:
  case 415:
  case 501: return "unsupported";
  case 408: return "timeout";
  case 409:
  case 412: return "conflict";
  case 413: return "too_large";
  case 429: return "rate_limit";
  default: break;
  }
  if (status >= 500) return "server";
  return status >= 400 ? "invalid" : "protocol";
}

/* Copies a string member of the error body into the table on top. */
static int copy_member(lua_State *L, const Json *json, const char *name,
                       const char *as) {
  const JsonNode *node = sc_json_member(json, json->nodes, name, strlen(name));
  if (!node || sc_json_type(node) != JSON_STRING) return 0;
  sc_json_push(L, json, node);
  lua_setfield(L, -2, as);
  return 1;
}

static int is_text_or_absent(const Json *json, const JsonNode *object,
                             const char *name) {
  const JsonNode *node = sc_json_member(json, object, name, strlen(name));
  return !node || sc_json_type(node) == JSON_STRING;
}

/* Makes `fields` of the list of parameters, without what has not their form:
 * programs join name and reason without looking. The guides also know a
 * single object in place of the list. */
static void copy_fields(lua_State *L, const Json *json, const JsonNode *list) {
  const JsonNode *item = list + 1, *end = list + sc_json_span(list);
  int n = 0;
  if (sc_json_type(list) == JSON_OBJECT) item = list;
  if (item != list && sc_json_type(list) != JSON_ARRAY) return;
  lua_newtable(L);
  for (; item < end; item += sc_json_span(item)) {
    if (sc_json_type(item) != JSON_OBJECT ||
        !is_text_or_absent(json, item, "name") ||
        !is_text_or_absent(json, item, "reason")) {
      continue;
    }
    sc_json_push(L, json, item);
    lua_rawseti(L, -2, ++n);
  }
  lua_setfield(L, -2, "fields");
}

/* Reads problem+json, or the OAuth form of a token endpoint, into the table
 * on top. A body that is neither is kept as it came, cut to what a person
 * would look at. */
static void read_problem(const Answer *answer) {
  lua_State *L = answer->L;
  const JsonNode *params;
  JsonFault fault;
  Json json = {answer->body, NULL, 0};
  long count = index_body(answer, &fault);
  if (count > 0) json.nodes = (const JsonNode *)(void *)answer->index->data;
  if (count == 0 || sc_json_type(json.nodes) != JSON_OBJECT) {
    lua_pushlstring(L, answer->body,
                    answer->body_size < 4096 ? answer->body_size : 4096);
    lua_setfield(L, -2, "body");
    return;
  }
  copy_member(L, &json, "title", "title");
  copy_member(L, &json, "traceId", "trace_id");
  if (!copy_member(L, &json, "code", "code")) {
    copy_member(L, &json, "error", "code");
  }
  if (!copy_member(L, &json, "detail", "detail")) {
    copy_member(L, &json, "error_description", "detail");
  }
  params = sc_json_member(&json, json.nodes, "invalidParams", 13);
  if (params) copy_fields(L, &json, params);
}

/* Seconds from the answer's own Date to another one, so that no clock of
 * this machine counts; -1 if either is none. */
static double seconds_until(const Answer *answer, const char *date,
                            size_t size) {
  double then, now;
  const char *sent;
  if (!sc_is_http_date(date, size, &then)) return -1;
  sent = header(answer, "date", &size);
  if (!sent || !sc_is_http_date(sent, size, &now)) return -1;
  return then > now ? then - now : 0;
}

/* Retry-After in seconds, or -1. */
static double retry_after(const Answer *answer) {
  size_t size, i;
  double seconds = 0;
  const char *value = header(answer, "retry-after", &size);
  if (!value || size == 0) return -1;
  if (size > 9) return seconds_until(answer, value, size);
  for (i = 0; i < size; i++) {
    if (value[i] < '0' || value[i] > '9') return -1;
    seconds = seconds * 10 + (value[i] - '0');
  }
  return seconds;
}

/* A create that failed half-way through a server may have been carried out.
 * Only an answer that says it was not tried clears it. */
static int may_have_happened(const Answer *answer, double wait) {
  if (!answer->request->creates || answer->status < 500) return 0;
  return answer->status != 501 && !(answer->status == 503 && wait >= 0);
}

static int decode_refusal(Answer *answer) {
  lua_State *L = answer->L;
  double wait = retry_after(answer);
  lua_createtable(L, 0, 8);
  lua_pushstring(L, kind_of(answer->status));
  lua_setfield(L, -2, "kind");
  if (answer->status < 400) {
    lua_pushliteral(L, "the service answered with a redirect or a status "
                       "that the API does not use; check base_url");
    lua_setfield(L, -2, "note");
  }
  if (wait >= 0) {
    lua_pushnumber(L, wait);
    lua_setfield(L, -2, "retry_after");
  }
  if (may_have_happened(answer, wait)) set_true(L, "ambiguous");
  read_problem(answer);
  return finish_failure(answer);
}

/* ---- successes --------------------------------------------------------- */

/* A success that cannot be read: what was asked for may have happened. */
static int fail_protocol(const Answer *answer, const char *note, long at) {
  lua_State *L = answer->L;
  if (at >= 0) {
    sc_fail(L, "protocol", "the answer is not JSON: %s at byte %d", note,
            (int)at + 1);
  } else {
    sc_fail(L, "protocol", "%s", note);
  }
  lua_remove(L, -2);
  return finish_failure(answer);
}

/* Compares the hash of what was sent with the one the service computed. */
static int check_upload(Answer *answer) {
  lua_State *L = answer->L;
  Source *source = &answer->request->source;
  char stored[SC_SHA256_BASE64];
  if (!source->hashed || source->position != source->size ||
      sc_digest_base64(&source->digest, answer->sha256) != 0) {
    return 0;
  }
  answer->verified = VERIFIED_NO;
  if (!sc_resource_hash(L, -1, stored)) return 0;
  if (strcmp(stored, answer->sha256) == 0) {
    answer->verified = VERIFIED_YES;
    return 0;
  }
  sc_fail(L, "integrity",
          "the service stored other bytes than were sent; "
          "delete the document in `result`");
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "result");
  return finish_failure(answer);
}

static int decode_json(Answer *answer) {
  lua_State *L = answer->L;
  const Operation *row = answer->request->operation;
  Json json = {answer->body, NULL, 0};
  JsonFault fault;
  const char *shape;
  int failed;
  long count = index_body(answer, &fault);
  if (count == 0)
    return fail_protocol(answer, fault.reason, (long)fault.offset);
  json.nodes = (const JsonNode *)(void *)answer->index->data;
  shape = sc_shape_fault(&json, row->result);
  if (shape) return fail_protocol(answer, shape, -1);
  sc_resource_push(L, &json, row->result);
  failed = check_upload(answer);
  return failed ? failed : finish(answer);
}

/* ---- documents --------------------------------------------------------- */

static int is_other(const Request *request, const char *sha256) {
  return request->expected && strcmp(request->expected, sha256) != 0;
}

/* Compares the bytes that came with the hash the caller's document has. */
static int bytes_differ(Answer *answer) {
  if (!*answer->sha256) return 0;
  answer->verified = VERIFIED_NO;
  if (!answer->request->expected) return 0;
  if (is_other(answer->request, answer->sha256)) return 1;
  answer->verified = VERIFIED_YES;
  return 0;
}

static int fail_differs(const Answer *answer) {
  lua_State *L = answer->L;
  sc_fail(L, "integrity", "the document's bytes do not have its hash; %s",
          answer->request->sink.kind == SINK_WRITER ? "the writer has them"
                                                    : "nothing was kept");
  lua_remove(L, -2);
  return finish_failure(answer);
}

static int fail_sink(const Answer *answer) {
  lua_State *L = answer->L;
  Sink *sink = &answer->request->sink;
  sc_fail(L, sc_errno_kind(sink->failure), "the file was not written (%s)",
          strerror(sink->failure));
  lua_pushfstring(L, "%s: %s", sink->path, strerror(sink->failure));
  lua_setfield(L, -2, "detail");
  lua_remove(L, -2);
  return finish_failure(answer);
}

static int decode_to_file(Answer *answer) {
  Sink *sink = &answer->request->sink;
  /* A transport of somebody else's leaves the body in the response; curl's
   * has written it, but for an empty one, which opens the file here. */
  if (!sink->settled &&
      sc_sink_write(sink, answer->body, answer->body_size) != 0) {
    return fail_sink(answer);
  }
  (void)sc_digest_base64(&sink->digest, answer->sha256);
  if (bytes_differ(answer)) {
    sc_sink_abort(sink);
    return fail_differs(answer);
  }
  if (sc_sink_commit(sink) != 0) return fail_sink(answer);
  lua_pushstring(answer->L, sink->path);
  return finish(answer);
}

/* The hash of the body, unless it was made before. */
static void hash_body(Answer *answer) {
  Digest *digest = &answer->request->sink.digest;
  if (answer->response && *answer->response->sha256) {
    memcpy(answer->sha256, answer->response->sha256, sizeof answer->sha256);
    return;
  }
  if (sc_digest_begin(digest) != 0) sc_raise_memory(answer->L);
  sc_digest_update(digest, answer->body, answer->body_size);
  (void)sc_digest_base64(digest, answer->sha256);
}

static int decode_to_memory(Answer *answer) {
  hash_body(answer);
  if (bytes_differ(answer)) return fail_differs(answer);
  lua_pushlstring(answer->L, answer->body, answer->body_size);
  return finish(answer);
}

/* The writer has taken all of it by now. A transport of somebody else's gave
 * the body instead: then the caller gets it, to hand it on. */
static int decode_to_writer(Answer *answer) {
  lua_State *L = answer->L;
  Digest *digest = &answer->request->sink.digest;
  if (answer->body_size > 0) return decode_to_memory(answer);
  if (!digest->context && sc_digest_begin(digest) != 0) {
    return sc_raise_memory(L);
  }
  (void)sc_digest_base64(digest, answer->sha256);
  if (bytes_differ(answer)) return fail_differs(answer);
  lua_pushboolean(L, 1);
  return finish(answer);
}

/* application/json with or without parameters. */
static int is_json_type(const char *type, size_t size) {
  static const char name[] = "application/json";
  size_t length = sizeof name - 1;
  return size >= length && strncasecmp(type, name, length) == 0 &&
         (size == length || strchr("; \t", type[length]));
}

/* curl's transfer stops at the cap; another transport may not have. */
static int fail_large(const Answer *answer) {
  lua_State *L = answer->L;
  sc_fail(L, "too_large", "the answer is larger than max_body allows");
  lua_remove(L, -2);
  return finish_failure(answer);
}

/* A page of somebody on the way is no word of the service's. */
static int decode_nothing(Answer *answer) {
  if (answer->body_size > 0) {
    return fail_protocol(answer, "an answer without a body was expected", -1);
  }
  lua_pushboolean(answer->L, 1);
  return finish(answer);
}

/* sign:request learns from the answer what it is. */
static int decode_any(Answer *answer) {
  size_t size;
  const char *type = header(answer, "content-type", &size);
  if (answer->body_size > 0 && type && is_json_type(type, size)) {
    return decode_json(answer);
  }
  if (answer->body_size > 0) return decode_to_memory(answer);
  lua_pushboolean(answer->L, 1);
  return finish(answer);
}

/* 206 is whole only as the end of what broke off before, if all of that came,
 * whatever its own length was. */
static int is_misfit(const Request *request, int status) {
  const Sink *sink = &request->sink;
  return status == 206 && request->operation->result == RESULT_BYTES &&
         (!sink->held || sink->size != sink->total);
}

/* A body as short as this is decoded as fast as a thread would begin. */
#define SHORT_BODY (16 * 1024)

static Effort effort_of_body(const Request *request, const Response *response) {
  size_t size;
  const char *type;
  switch (request->operation->result) {
  case RESULT_NOTHING: return EFFORT_NONE;
  case RESULT_BYTES: return EFFORT_HASH;
  case RESULT_ANY:
    type = sc_header_find(response->bytes.data, response->header_size,
                          "content-type", &size);
    return type && is_json_type(type, size) ? EFFORT_READ : EFFORT_HASH;
  default: return EFFORT_READ;
  }
}

Effort sc_response_effort(const Request *request, const Response *response) {
  const Sink *sink = &request->sink;
  size_t size = response->bytes.size - response->header_size;
  char sha256[SC_SHA256_BASE64];
  if (response->status < 200 || response->status > 299 ||
      is_misfit(request, response->status)) {
    return EFFORT_NONE;
  }
  if (sink->kind == SINK_FILE) {
    return sink->temporary && sc_digest_base64(&sink->digest, sha256) == 0 &&
                   !is_other(request, sha256)
               ? EFFORT_COMMIT
               : EFFORT_NONE;
  }
  if (sink->kind == SINK_WRITER || size <= SHORT_BODY ||
      size > request->max_body) {
    return EFFORT_NONE;
  }
  return effort_of_body(request, response);
}

int response_decode(lua_State *L) {
  Answer answer = {0};
  Response *response;
  const Operation *row;
  answer.L = L;
  answer.request = sc_request_check(L, REQUEST);
  lua_settop(L, RESPONSE);
  response = sc_response_test(L, RESPONSE);
  if (response) {
    read_response(&answer, response);
  } else {
    read_table(&answer);
  }
  if (answer.status < 200 || answer.status > 299) {
    return decode_refusal(&answer);
  }
  if (answer.body_size > answer.request->max_body) {
    return fail_large(&answer);
  }
  row = answer.request->operation;
  if (row->result == RESULT_NOTHING) return decode_nothing(&answer);
  if (is_misfit(answer.request, answer.status)) {
    return fail_protocol(&answer, "the server sent a part of the document", -1);
  }
  if (answer.request->sink.kind == SINK_FILE) return decode_to_file(&answer);
  if (answer.request->sink.kind == SINK_WRITER) {
    return decode_to_writer(&answer);
  }
  if (row->result == RESULT_BYTES) return decode_to_memory(&answer);
  if (row->result == RESULT_ANY) return decode_any(&answer);
  return decode_json(&answer);
}
