/*
 * message.c: Request and Response as Lua sees them; see message.h.
 */
#include "message.h"

#include "format.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LARGEST_TOKEN 4096 /* bytes of an answer that is wiped */
#define SECRET_TAIL 8

/* ---- header lines ------------------------------------------------------ */

/* The next line of `lines`, without its end; NULL when there is none. */
static const char *next_line(const char **lines, const char *end,
                             size_t *size) {
  const char *line = *lines, *stop;
  if (line >= end) return NULL;
  stop = memchr(line, '\n', (size_t)(end - line));
  *lines = stop ? stop + 1 : end;
  if (!stop) stop = end;
  if (stop > line && stop[-1] == '\r') stop--;
  *size = (size_t)(stop - line);
  return line;
}

/* Splits `Name: value`; returns the value, or NULL when it is no header. */
static const char *split(const char *line, size_t size, size_t *name_size,
                         size_t *value_size) {
  const char *end = line + size, *colon = memchr(line, ':', size), *value;
  if (!colon || colon == line) return NULL;
  *name_size = (size_t)(colon - line);
  for (value = colon + 1; value < end && (*value == ' ' || *value == '\t');) {
    value++;
  }
  while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  *value_size = (size_t)(end - value);
  return value;
}

const char *sc_header_find(const char *lines, size_t size, const char *name,
                           size_t *value_size) {
  const char *end, *line, *value;
  size_t line_size, name_size, wanted = strlen(name);
  if (size == 0) return NULL;
  end = lines + size;
  while ((line = next_line(&lines, end, &line_size))) {
    value = split(line, line_size, &name_size, value_size);
    if (value && name_size == wanted && strncasecmp(line, name, wanted) == 0) {
      return value;
    }
  }
  return NULL;
}

/* Adds one header to the table on top; a repeated one is joined by commas,
 * as RFC 9110 reads it. Names become lower case. */
static void add_header(lua_State *L, const char *name, size_t name_size,
                       const char *value, size_t value_size) {
  luaL_Buffer lower;
  size_t i;
  luaL_buffinit(L, &lower);
  for (i = 0; i < name_size; i++) {
    char c = name[i];
    luaL_addchar(&lower, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
  }
  luaL_pushresult(&lower);
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushlstring(L, value, value_size);
  } else {
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, value, value_size);
    lua_concat(L, 3);
  }
  lua_rawset(L, -3);
}

static void push_headers(lua_State *L, const char *lines, size_t size) {
  const char *end, *line, *value;
  size_t line_size, name_size, value_size;
  lua_newtable(L);
  if (size == 0) return;
  for (end = lines + size; (line = next_line(&lines, end, &line_size));) {
    value = split(line, line_size, &name_size, &value_size);
    if (value) add_header(L, line, name_size, value, value_size);
  }
}

/* What the client sets itself: a second one would contradict it. */
static const char *const reserved[] = {
    "authorization", "connection", "content-length",    "content-type",
    "expect",        "host",       "transfer-encoding", NULL};

static const char *name_fault(const char *name, size_t size) {
  size_t i;
  if (size == 0) return "must not be empty";
  for (i = 0; i < size; i++) {
    unsigned char c = (unsigned char)name[i];
    if (!sc_is_alnum(c) && !(c && strchr("!#$%&'*+-.^_`|~", c))) {
      return "must be a header name: letters, digits and dashes";
    }
  }
  for (i = 0; reserved[i]; i++) {
    if (strcasecmp(name, reserved[i]) == 0) return "is set by the client";
  }
  return NULL;
}

static const char *value_fault(const char *value, size_t size) {
  size_t i;
  /* libcurl takes a header without a value for one to be left out. */
  if (size == 0) return "must not be empty";
  for (i = 0; i < size; i++) {
    unsigned char c = (unsigned char)value[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f) {
      return "must not contain control characters or line ends";
    }
  }
  return NULL;
}

int message_header_lines(lua_State *L) {
  int count = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushliteral(L, "");
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    const char *fault = NULL, *name, *value;
    size_t name_size, value_size;
    if (lua_type(L, 3) != LUA_TSTRING) {
      return sc_misuse(L, "header names are strings");
    }
    if (lua_type(L, 4) != LUA_TSTRING && lua_type(L, 4) != LUA_TNUMBER) {
      return sc_misuse(L, "header values are strings or numbers");
    }
    name = lua_tolstring(L, 3, &name_size);
    value = lua_tolstring(L, 4, &value_size);
    fault = name_fault(name, name_size);
    if (!fault) fault = value_fault(value, value_size);
    if (++count > MESSAGE_MAX_HEADERS) fault = "is one header too many";
    if (fault) {
      lua_pushnil(L);
      lua_pushvalue(L, 3);
      lua_pushstring(L, fault);
      return 3;
    }
    lua_pushvalue(L, 2);
    lua_pushfstring(L, "%s: %s\n", name, value);
    lua_concat(L, 2);
    lua_replace(L, 2);
    lua_pop(L, 1);
  }
  lua_pushvalue(L, 2);
  return 1;
}

/* ---- request ----------------------------------------------------------- */

Request *sc_request_new(lua_State *L) {
  return sc_object_new(L, REQUEST_TYPE, sizeof(Request), ANCHOR_STREAMS);
}

Request *sc_request_check(lua_State *L, int index) {
  return sc_object_check(L, index, REQUEST_TYPE);
}

const char *sc_request_anchor(lua_State *L, int index,
                              enum RequestAnchor anchor) {
  const char *bytes = lua_tostring(L, -1);
  sc_setslot(L, sc_absindex(L, index), anchor);
  return bytes;
}

int sc_request_replayable(const Request *request) {
  const Sink *sink = &request->sink;
  return sc_source_replayable(&request->source) &&
         (sink->kind != SINK_WRITER || sink->size == 0 || sink->held);
}

const char *sc_request_begin(Request *request) {
  request->sink.failure = 0;
  if (!request->sink.held) sc_sink_abort(&request->sink);
  return sc_source_rewind(&request->source) == 0
             ? NULL
             : "not enough memory for the request";
}

static void push_request_headers(lua_State *L, const Request *request) {
  push_headers(L, request->lines, request->lines ? strlen(request->lines) : 0);
  if (request->authorization) {
    lua_pushstring(L, request->authorization);
    lua_setfield(L, -2, "authorization");
  }
}

static int push_stream(lua_State *L, const Request *request, const char *name) {
  if (!request->streams) return 0;
  sc_getslot(L, 1, ANCHOR_STREAMS);
  lua_getfield(L, -1, name);
  return 1;
}

/* The whole body as a string, or the function to ask for it, for transports
 * that are not curl. Reading it here also computes its hash, as sending it
 * would. */
static int push_body(lua_State *L, Request *request) {
  luaL_Buffer body;
  Source *source = &request->source;
  long got;
  if (source->kind == SOURCE_NONE) return 0;
  if (source->kind == SOURCE_READER) return push_stream(L, request, "reader");
  if (sc_source_rewind(source) != 0) return luaL_error(L, "not enough memory");
  luaL_buffinit(L, &body);
  do {
    char *room = luaL_prepbuffer(&body);
    got = sc_source_read(source, room, LUAL_BUFFERSIZE);
    luaL_addsize(&body, got > 0 ? (size_t)got : 0);
  } while (got > 0);
  luaL_pushresult(&body);
  if (got < 0) return luaL_error(L, "the file to upload could not be read");
  return 1;
}

static int request_index(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  const char *key = lua_tostring(L, 2);
  if (!key) return 0;
  if (strcmp(key, "method") == 0) {
    lua_pushstring(L, request->method);
  } else if (strcmp(key, "url") == 0) {
    lua_pushstring(L, request->url);
  } else if (strcmp(key, "headers") == 0) {
    push_request_headers(L, request);
  } else if (strcmp(key, "body") == 0) {
    return push_body(L, request);
  } else if (strcmp(key, "timeout") == 0) {
    if (request->timeout <= 0) return 0;
    lua_pushnumber(L, request->timeout);
  } else if (strcmp(key, "sink") == 0) {
    if (request->sink.kind == SINK_WRITER) {
      return push_stream(L, request, "writer");
    }
    lua_pushstring(L, request->sink.path);
  } else if (strcmp(key, "creates") == 0) {
    lua_pushboolean(L, request->creates);
  } else if (strcmp(key, "size") == 0) {
    if (request->source.kind == SOURCE_NONE) return 0;
    sc_pushwhole(L, request->source.size);
  } else if (strcmp(key, "on_progress") == 0) {
    return push_stream(L, request, key);
  } else if (strcmp(key, "replayable") == 0) {
    lua_pushboolean(L, sc_request_replayable(request));
  } else {
    return sc_object_method(L, 2);
  }
  return 1;
}

static int request_newindex(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  const char *key = luaL_checkstring(L, 2);
  if (strcmp(key, "authorization") == 0) {
    size_t size;
    const char *value = luaL_checklstring(L, 3, &size);
    luaL_argcheck(L, !value_fault(value, size), 3,
                  "a token must not contain control characters");
    lua_settop(L, 3);
    request->authorization = sc_request_anchor(L, 1, ANCHOR_AUTHORIZATION);
  } else if (strcmp(key, "timeout") == 0) {
    request->timeout = luaL_checknumber(L, 3);
  } else {
    return luaL_error(L, "a request has no writable field '%s'", key);
  }
  return 0;
}

/* totable() -> the request as the plain table it reads like. */
static int request_totable(lua_State *L) {
  static const char *const names[] = {"method", "url",     "headers", "body",
                                      "sink",   "timeout", NULL};
  int i;
  sc_request_check(L, 1);
  lua_settop(L, 1);
  lua_newtable(L);
  for (i = 0; names[i]; i++) {
    lua_getfield(L, 1, names[i]);
    lua_setfield(L, 2, names[i]);
  }
  return 1;
}

/* close() lets go of files; what was not committed is removed. May be called
 * twice. */
static int request_close(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  sc_source_close(&request->source);
  sc_sink_close(&request->sink);
  return 0;
}

/* ---- response ---------------------------------------------------------- */

Response *sc_response_new(lua_State *L, Spares *spares) {
  Response *response = sc_object_new(L, RESPONSE_TYPE, sizeof *response, 0);
  response->spares = sc_spares_share(spares);
  response->index.alloc = lua_getallocf(L, &response->index.alloc_ud);
  response->attempts = 1;
  return response;
}

Response *sc_response_test(lua_State *L, int index) {
  return sc_object_test(L, index, RESPONSE_TYPE);
}

/* The token came in one, in no large one. Without memory for a copy of the
 * headers they stay where they are. */
void sc_response_drop_body(Response *response) {
  Buffer headers = {0};
  size_t size = response->bytes.size - response->header_size;
  sc_spares_give(response->spares, &response->index);
  if (response->bytes.size == 0) return;
  if (size > 0 && size <= LARGEST_TOKEN) {
    explicit_bzero(response->bytes.data + response->header_size, size);
  }
  response->bytes.size = response->header_size;
  headers.data = malloc(response->header_size + 1);
  if (!headers.data) return;
  headers.size = headers.capacity = response->header_size;
  memcpy(headers.data, response->bytes.data, headers.size);
  sc_spares_give(response->spares, &response->bytes);
  response->bytes = headers;
}

static const char *find_request_id(const Response *response, size_t *size) {
  return sc_header_find(response->bytes.data, response->header_size,
                        "x-request-id", size);
}

/* Tokens are long; what is short is a word that anybody may write. Its end is
 * enough to know it by, and seldom in the headers at all. */
void sc_response_hide_echo(Response *response, const Request *request) {
  const char *sent = request->authorization, *end, *id;
  size_t size = sent ? strlen(sent) : 0;
  if (size < sizeof "Bearer" + SECRET_TAIL) return;
  end = sent + size - SECRET_TAIL;
  if (response->header_size == 0 ||
      !memmem(response->bytes.data, response->header_size, end, SECRET_TAIL)) {
    return;
  }
  id = find_request_id(response, &size);
  response->nameless = id && memmem(id, size, end, SECRET_TAIL);
}

static int push_request_id(lua_State *L, const Response *response) {
  size_t size;
  const char *id = response->nameless ? NULL : find_request_id(response, &size);
  if (!id) return 0;
  lua_pushlstring(L, id, size);
  return 1;
}

static void push_timing(lua_State *L, const Response *response) {
  static const char *const names[TIME_COUNT] = {"name_lookup", "connect", "tls",
                                                "first_byte", "total"};
  int i;
  lua_createtable(L, 0, TIME_COUNT);
  for (i = 0; i < TIME_COUNT; i++) {
    lua_pushnumber(L, response->timing[i]);
    lua_setfield(L, -2, names[i]);
  }
}

static int response_index(lua_State *L) {
  Response *response = sc_object_check(L, 1, RESPONSE_TYPE);
  const Buffer *bytes = &response->bytes;
  const char *key = lua_tostring(L, 2);
  if (!key) return 0;
  if (strcmp(key, "status") == 0) {
    lua_pushinteger(L, response->status);
  } else if (strcmp(key, "headers") == 0) {
    push_headers(L, bytes->data, response->header_size);
  } else if (strcmp(key, "attempts") == 0) {
    lua_pushinteger(L, response->attempts);
  } else if (strcmp(key, "reused") == 0) {
    lua_pushboolean(L, response->reused);
  } else if (strcmp(key, "resent") == 0) {
    lua_pushboolean(L, response->resent);
  } else if (strcmp(key, "repeated") == 0) {
    lua_pushboolean(L, response->repeated);
  } else if (strcmp(key, "timing") == 0) {
    push_timing(L, response);
  } else if (strcmp(key, "request_id") == 0) {
    return push_request_id(L, response);
  } else if (strcmp(key, "body") == 0) {
    lua_pushlstring(L, bytes->data ? bytes->data + response->header_size : "",
                    bytes->size - response->header_size);
  } else if (strcmp(key, "sha256") == 0) {
    if (!*response->sha256) return 0;
    lua_pushstring(L, response->sha256);
  } else if (strcmp(key, "verified") == 0) {
    if (response->verified == VERIFIED_UNKNOWN) return 0;
    lua_pushboolean(L, response->verified == VERIFIED_YES);
  } else {
    return 0;
  }
  return 1;
}

/* What only the path of the call knows is told to the response there. */
static int response_newindex(lua_State *L) {
  Response *response = sc_object_check(L, 1, RESPONSE_TYPE);
  const char *key = luaL_checkstring(L, 2);
  if (strcmp(key, "attempts") == 0) {
    response->attempts = (int)luaL_checkinteger(L, 3);
  } else if (strcmp(key, "repeated") == 0) {
    response->repeated = lua_toboolean(L, 3) != 0;
  } else if (strcmp(key, "request_id") == 0 && lua_isnil(L, 3)) {
    response->nameless = 1;
  } else {
    return luaL_error(L, "a response has no writable field '%s'", key);
  }
  return 0;
}

static int response_gc(lua_State *L) {
  Response *response = sc_object_check(L, 1, RESPONSE_TYPE);
  sc_spares_give(response->spares, &response->bytes);
  sc_spares_give(response->spares, &response->index);
  sc_spares_release(response->spares);
  response->spares = NULL;
  response->header_size = 0;
  return 0;
}

void sc_message_define(lua_State *L) {
  static const luaL_Reg request_methods[] = {
      {"totable", request_totable}, {"close", request_close}, {NULL, NULL}};
  static const luaL_Reg request_meta[] = {{"__index", request_index},
                                          {"__newindex", request_newindex},
                                          {"__gc", request_close},
                                          {NULL, NULL}};
  static const luaL_Reg response_meta[] = {{"__index", response_index},
                                           {"__newindex", response_newindex},
                                           {"__gc", response_gc},
                                           {"__close", response_gc},
                                           {NULL, NULL}};
  sc_object_define(L, REQUEST_TYPE, request_methods, request_meta);
  sc_object_define(L, RESPONSE_TYPE, NULL, response_meta);
}
