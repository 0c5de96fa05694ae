/*
 * error.c: kinds, and what an error says of itself; see error.h.
 *
 * `message` is written once, at birth, from what is known to be safe: our
 * own words, the kind, the status, the API's code and the trace id. The
 * server's free text (`title`, `detail`) may repeat what somebody typed in,
 * so it stays in its fields and out of the line.
 */
#include "error.h"

#include "format.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define ERROR_TYPE "signicat.error"

typedef struct Kind {
  const char *name;
  int retryable; /* the same call may succeed later, unchanged */
  const char *hint;
} Kind;

/* Frozen: programs compare with these names. A new kind is a new major. */
static const Kind kinds[] = {
    {"invalid", 0,
     "correct what `fields` lists or `detail` says, and call again"},
    {"auth", 0, "check the client id, the secret or the token"},
    {"forbidden", 0, "the account lacks the permission for this call"},
    {"not_found", 0, "no such id in this account, or already deleted"},
    {"conflict", 0, "the object is in a state that does not allow this"},
    {"too_large", 0, "the body is larger than a limit allows"},
    {"unsupported", 0, "the service does not do this"},
    {"rate_limit", 1, "wait for `retry_after` seconds, then call again"},
    {"server", 1, "the service failed; try again later"},
    {"timeout", 1, "no answer in time; raise `timeout` or try again"},
    {"connect", 1, "the service was not reached; check base_url and network"},
    {"tls", 0, "the certificate or the handshake was refused"},
    {"protocol", 0, "the answer is not what the API says; keep it for support"},
    {"integrity", 0, "the bytes differ from the hash; do not use them"},
    {"cancelled", 0, "the call was cancelled"},
    {"io", 0, "a local file could not be read or written"},
    {"memory", 0, "not enough memory"},
    {"rejected", 0, "a signer declined; this session will not be signed"},
    {"expired", 0, "the time for this has passed"},
    {"signature", 0, "the signature does not fit the message"},
    {"duplicate", 0, "this was handled before"},
    {"busy", 1, "a limit of this client is reached; try again later"},
};

static const Kind *find_kind(const char *name) {
  size_t i;
  for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  }
  return NULL;
}

int sc_fail(lua_State *L, const char *kind, const char *note, ...) {
  va_list list;
  lua_pushnil(L);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "kind");
  va_start(list, note);
  lua_pushvfstring(L, note, list);
  va_end(list);
  lua_setfield(L, -2, "note");
  return 2;
}

const char *sc_errno_kind(int code) {
  return code == ENOMEM ? "memory" : "io";
}

int sc_fail_fields(lua_State *L) {
  sc_fail(L, "invalid", "nothing was sent");
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "fields");
  return 2;
}

int sc_fail_field(lua_State *L, const char *name, const char *reason) {
  lua_createtable(L, 1, 0);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, reason);
  lua_setfield(L, -2, "reason");
  lua_rawseti(L, -2, 1);
  return sc_fail_fields(L);
}

int sc_fail_file(lua_State *L, const char *what, const char *path, int code) {
  sc_fail(L, sc_errno_kind(code), "%s (%s)", what, strerror(code));
  lua_pushfstring(L, "%s: %s", path, strerror(code));
  lua_setfield(L, -2, "detail");
  return 2;
}

/* ---- the line ---------------------------------------------------------- */

/* Whether a server's string is a plain word, as codes, trace ids and names
 * of parameters are: anything else has no business in a log. */
static int is_word(const char *text, size_t size) {
  size_t i;
  for (i = 0; i < size; i++) {
    if (!sc_is_alnum((unsigned char)text[i]) && !strchr("_-.[]", text[i]))
      return 0;
  }
  return size > 0 && size <= 64;
}

/* The pieces lie on the stack, from `base` on, until they are joined. Each
 * add leaves one string or nothing. */
typedef struct Line {
  lua_State *L;
  int error; /* the index of the table */
} Line;

static void add_word(Line *line, const char *name, const char *format) {
  lua_State *L = line->L;
  const char *text;
  size_t size;
  lua_getfield(L, line->error, name);
  text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
  if (text && !memchr(text, 0, size) && is_word(text, size)) {
    lua_pushfstring(L, format, text);
    lua_remove(L, -2);
  } else {
    lua_pop(L, 1);
  }
}

/* Our own words about this very failure, else what the kind means. */
static void add_note(Line *line, const Kind *kind) {
  lua_State *L = line->L;
  lua_pushliteral(L, ": ");
  lua_getfield(L, line->error, "note");
  if (lua_type(L, -1) == LUA_TSTRING) return;
  lua_pop(L, 1);
  lua_pushstring(L, kind->hint);
}

/* The first finding; of the server's only the place, its reason may repeat
 * what somebody typed in. */
static void add_fields(Line *line, int ours) {
  lua_State *L = line->L;
  int count, list;
  lua_getfield(L, line->error, "fields");
  list = lua_gettop(L);
  count = lua_istable(L, list) ? (int)sc_rawlen(L, list) : 0;
  if (count == 0) {
    lua_pop(L, 1);
    return;
  }
  lua_rawgeti(L, list, 1);
  lua_replace(L, list);
  if (lua_istable(L, list)) {
    const char *name, *reason;
    size_t size;
    lua_getfield(L, list, "name");
    lua_getfield(L, list, "reason");
    name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &size) : NULL;
    reason = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (ours && name && reason) {
      lua_pushfstring(L, "; %s %s", *name ? name : "it", reason);
    } else if (name && is_word(name, size)) {
      lua_pushfstring(L, "; %s", name);
    } else {
      lua_pushliteral(L, "; see `fields`");
    }
    lua_replace(L, list);
    lua_settop(L, list);
  } else {
    lua_pop(L, 1);
  }
  if (count > 1) lua_pushfstring(L, " (and %d more)", count - 1);
}

static int is_control(char c) {
  return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Replaces the string on top of the stack by one that stays on its line: a
 * log takes it as it is, whatever a transport or a payload put into it. */
static void keep_one_line(lua_State *L) {
  luaL_Buffer line;
  size_t size, i;
  const char *text = lua_tolstring(L, -1, &size);
  for (i = 0; i < size && !is_control(text[i]);)
    i++;
  if (i == size) return;
  luaL_buffinit(L, &line);
  for (i = 0; i < size; i++) {
    luaL_addchar(&line, is_control(text[i]) ? '?' : text[i]);
  }
  luaL_pushresult(&line);
  lua_replace(L, -2);
}

static void push_message(lua_State *L, int error, const Kind *kind) {
  Line line = {L, error};
  int base = lua_gettop(L), status, answered;
  luaL_checkstack(L, 20, "error");
  lua_getfield(L, error, "operation");
  if (lua_type(L, -1) == LUA_TSTRING) {
    lua_pushfstring(L, "%s: ", lua_tostring(L, -1));
    lua_remove(L, -2);
  } else {
    lua_pop(L, 1);
  }
  lua_pushstring(L, kind->name);
  lua_getfield(L, error, "status");
  /* Whatever it is: a server can say 000. */
  answered = !lua_isnil(L, -1);
  status = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (status > 0) {
    lua_pushfstring(L, " (%d", status);
    add_word(&line, "code", " %s");
    lua_pushliteral(L, ")");
  } else {
    add_word(&line, "code", " (%s)");
  }
  add_note(&line, kind);
  add_fields(&line, !answered);
  add_word(&line, "trace_id", " [trace %s]");
  lua_concat(L, lua_gettop(L) - base);
  keep_one_line(L);
}

/* ---- the object -------------------------------------------------------- */

static void default_boolean(lua_State *L, const char *name, int value) {
  lua_getfield(L, 1, name);
  lua_pushboolean(L, lua_isnil(L, -1) ? value : lua_toboolean(L, -1));
  lua_setfield(L, 1, name);
  lua_pop(L, 1);
}

int error_new(lua_State *L) {
  const Kind *kind;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "kind");
  kind = lua_type(L, -1) == LUA_TSTRING ? find_kind(lua_tostring(L, -1)) : NULL;
  if (!kind) return luaL_argerror(L, 1, "its kind is not on the list of kinds");
  default_boolean(L, "retryable", kind->retryable);
  default_boolean(L, "sent", 0);
  default_boolean(L, "ambiguous", 0);
  push_message(L, 1, kind);
  lua_setfield(L, 1, "message");
  lua_getfield(L, 1, "detail");
  if (lua_isnil(L, -1)) {
    lua_getfield(L, 1, "note");
    lua_setfield(L, 1, "detail");
  }
  lua_pushnil(L);
  lua_setfield(L, 1, "note");
  luaL_getmetatable(L, ERROR_TYPE);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

int error_is(lua_State *L) {
  int is = 0;
  if (lua_istable(L, 1) && lua_getmetatable(L, 1)) {
    luaL_getmetatable(L, ERROR_TYPE);
    is = lua_rawequal(L, -1, -2);
  }
  lua_pushboolean(L, is);
  return 1;
}

static int error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "message");
  lua_pushfstring(L, "signicat: %s",
                  lua_isstring(L, -1) ? lua_tostring(L, -1) : "error");
  return 1;
}

/* ---- misuse ------------------------------------------------------------ */

/* The part of `source` up to the folder this library's Lua files are in;
 * "@signicat/" is what a package.path of "?.lua" makes of it. */
static size_t folder_size(const char *source) {
  const char *at = source, *found = NULL;
  while ((at = strstr(at, "/signicat/")))
    found = at++;
  if (found) return (size_t)(found - source) + strlen("/signicat/");
  return strncmp(source, "@signicat/", 10) == 0 ? 10 : 0;
}

/* Tail calls leave no level to count, so the first frame that is not one of
 * our files is looked for. */
static int raise_outside(lua_State *L, const char *message) {
  char ours[LUA_IDSIZE * 8] = "";
  size_t size = 0;
  lua_Debug frame;
  int level;
  for (level = 0; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline < 0) continue; /* a C function */
    if (size == 0) {
      size = folder_size(frame.source);
      if (size == 0 || size >= sizeof ours) break;
      memcpy(ours, frame.source, size);
    } else if (strncmp(frame.source, ours, size) != 0) {
      break;
    }
  }
  luaL_where(L, level);
  lua_pushstring(L, message);
  lua_concat(L, 2);
  return lua_error(L);
}

int sc_misuse(lua_State *L, const char *format, ...) {
  va_list list;
  va_start(list, format);
  lua_pushvfstring(L, format, list);
  va_end(list);
  return raise_outside(L, lua_tostring(L, -1));
}

int error_misuse(lua_State *L) {
  return raise_outside(L, luaL_checkstring(L, 1));
}

void sc_error_define(lua_State *L) {
  luaL_newmetatable(L, ERROR_TYPE);
  lua_pushliteral(L, ERROR_TYPE);
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}

void sc_error_push_kinds(lua_State *L) {
  size_t i;
  lua_newtable(L);
  for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    lua_pushstring(L, kinds[i].hint);
    lua_setfield(L, -2, kinds[i].name);
  }
}
