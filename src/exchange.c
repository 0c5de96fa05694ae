/*
 * exchange.c: a request's body and an answer's bytes, piece by piece, for
 * Lua; see exchange.h.
 */
#include "exchange.h"

#include "error.h"
#include "message.h"
#include "part.h"

#include <string.h>

#define MAX_PIECE (64 * 1024) /* bytes of a body that are a Lua string */

/* ---- sending ----------------------------------------------------------- */

/* begin() -> true, or nil and a failure: brings body and target to where an
 * attempt starts. */
static int exchange_begin(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  const char *fault;
  if (!sc_request_replayable(request)) {
    return sc_fail(L, "io",
                   "the body or the document was begun and cannot begin again");
  }
  fault = sc_request_begin(request);
  if (fault) return sc_fail(L, "memory", "%s", fault);
  lua_pushboolean(L, 1);
  return 1;
}

/* streams() -> the table of what Lua supplies and takes, if there is one. */
static int exchange_streams(lua_State *L) {
  if (!sc_request_check(L, 1)->streams) return 0;
  sc_getslot(L, 1, ANCHOR_STREAMS);
  return 1;
}

/* limits() -> seconds to connect, for the first byte and without a byte (0: no
 * limit), and the bytes of an answer in memory. */
static int exchange_limits(lua_State *L) {
  const Request *request = sc_request_check(L, 1);
  lua_pushnumber(L, request->connect_timeout);
  lua_pushnumber(L, request->first_byte_timeout);
  lua_pushnumber(L, request->stall_timeout);
  lua_pushnumber(L, (lua_Number)request->max_body);
  return 4;
}

/* range() -> the byte to go on from and the ETag it goes for, of a document
 * that broke off. */
static int exchange_range(lua_State *L) {
  const Sink *sink = &sc_request_check(L, 1)->sink;
  if (!sink->held) return 0;
  lua_pushnumber(L, (lua_Number)sink->size);
  lua_pushstring(L, sink->etag);
  return 2;
}

/* wanted() -> how many bytes a reader still has to supply, and whether from
 * the beginning; nothing while there are some, and for other bodies. */
static int exchange_wanted(lua_State *L) {
  const Source *source = &sc_request_check(L, 1)->source;
  if (source->kind != SOURCE_READER || source->fed > 0 ||
      source->position >= source->size) {
    return 0;
  }
  lua_pushnumber(L, (lua_Number)(source->size - source->position));
  lua_pushboolean(L, source->must_rewind);
  return 2;
}

/* feed(piece): the next bytes of a reader. */
static int exchange_feed(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  size_t size;
  const char *piece = luaL_checklstring(L, 2, &size);
  lua_settop(L, 2);
  sc_getslot(L, 1, ANCHOR_STREAMS);
  lua_pushvalue(L, 2);
  lua_setfield(L, 3, "piece"); /* it stays alive until the next */
  request->source.must_rewind = 0;
  sc_source_feed(&request->source, piece, size);
  return 0;
}

/* read() -> the next piece of the body, and whether it is the last; "" when
 * there is none. Or nil and a failure. */
static int exchange_read(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  Source *source = &request->source;
  luaL_Buffer piece;
  size_t room = MAX_PIECE;
  long got = 1;
  luaL_buffinit(L, &piece);
  while (got > 0 && room > 0) {
    size_t size = room < LUAL_BUFFERSIZE ? room : LUAL_BUFFERSIZE;
    got = sc_source_read(source, luaL_prepbuffer(&piece), size);
    if (got <= 0) break;
    luaL_addsize(&piece, (size_t)got);
    room -= (size_t)got;
  }
  luaL_pushresult(&piece);
  if (got == -1) return sc_part_push_failure(L, request, MISFIT_NONE);
  lua_pushboolean(L, source->position >= source->size);
  return 2;
}

/* ---- receiving --------------------------------------------------------- */

/* receive(status, lines, announced) -> true, or nil and a failure: the headers
 * of a success are there; decides where a document's bytes go. */
static int exchange_receive(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  int status = (int)luaL_checkinteger(L, 2);
  size_t size;
  const char *lines = luaL_checklstring(L, 3, &size);
  int64_t announced = (int64_t)luaL_optnumber(L, 4, -1);
  if (request->sink.kind != SINK_NONE) {
    Misfit misfit = sc_part_begin(request, status, lines, size, announced);
    if (misfit) return sc_part_push_failure(L, request, misfit);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* write(bytes) -> true, false when the writer has to take() some before, or
 * nil and a failure. */
static int exchange_write(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  size_t size;
  const char *bytes = luaL_checklstring(L, 2, &size);
  int failed = sc_sink_write(&request->sink, bytes, size);
  if (failed < 0) return sc_part_push_failure(L, request, MISFIT_NONE);
  lua_pushboolean(L, !failed);
  return 1;
}

/* take() -> the bytes that wait for the writer, or nothing. */
static int exchange_take(lua_State *L) {
  Buffer *pending = sc_request_check(L, 1)->sink.pending;
  if (!pending || pending->size == 0) return 0;
  lua_pushlstring(L, pending->data, pending->size);
  sc_buffer_clear(pending);
  return 1;
}

/* moved() -> how many bytes of the document have come, and how many there
 * are, if that is known. */
static int exchange_moved(lua_State *L) {
  const Sink *sink = &sc_request_check(L, 1)->sink;
  int known = sink->size > 0 || sink->etag;
  lua_pushnumber(L, (lua_Number)sink->size);
  if (!known || sink->total < 0) return 1;
  lua_pushnumber(L, (lua_Number)sink->total);
  return 2;
}

/* broke(failure, can_mend): the request failed; see sc_part_end. */
static int exchange_broke(lua_State *L) {
  Request *request = sc_request_check(L, 1);
  int can_mend = lua_toboolean(L, 3);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  sc_part_end(L, request, can_mend);
  return 0;
}

/* ---- the answer -------------------------------------------------------- */

static unsigned char get_flag(lua_State *L, const char *name) {
  unsigned char flag;
  lua_getfield(L, 1, name);
  flag = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return flag;
}

static void append_top(lua_State *L, Buffer *bytes) {
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  if (text && sc_buffer_append(bytes, text, size) != 0) {
    luaL_error(L, "not enough memory");
  }
  lua_pop(L, 1);
}

int exchange_response(lua_State *L) {
  static const char *const names[TIME_COUNT] = {"name_lookup", "connect", "tls",
                                                "first_byte", "total"};
  Response *response;
  int i, count;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  response = sc_response_new(L, NULL);
  lua_getfield(L, 1, "status");
  response->status = (int)lua_tointeger(L, -1);
  response->reused = get_flag(L, "reused");
  response->resent = get_flag(L, "resent");
  lua_getfield(L, 1, "lines");
  append_top(L, &response->bytes);
  response->header_size = response->bytes.size;
  lua_getfield(L, 1, "body");
  luaL_checktype(L, -1, LUA_TTABLE);
  count = (int)sc_rawlen(L, -1);
  for (i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    append_top(L, &response->bytes);
  }
  lua_getfield(L, 1, "timing");
  luaL_checktype(L, -1, LUA_TTABLE);
  for (i = 0; i < TIME_COUNT; i++) {
    lua_getfield(L, -1, names[i]);
    response->timing[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  lua_settop(L, 2);
  return 1;
}

void sc_exchange_define(lua_State *L) {
  static const luaL_Reg methods[] = {{"begin", exchange_begin},
                                     {"streams", exchange_streams},
                                     {"limits", exchange_limits},
                                     {"range", exchange_range},
                                     {"wanted", exchange_wanted},
                                     {"feed", exchange_feed},
                                     {"read", exchange_read},
                                     {"receive", exchange_receive},
                                     {"write", exchange_write},
                                     {"take", exchange_take},
                                     {"moved", exchange_moved},
                                     {"broke", exchange_broke},
                                     {NULL, NULL}};
  sc_object_extend(L, REQUEST_TYPE, methods);
}
