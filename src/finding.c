/*
 * finding.c: the list of what is wrong with a value, each with its place.
 *
 * Findings end up in logs. Of the user's data only names appear in them, and
 * those are cut and cleaned here.
 */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_FINDINGS 100
#define MAX_NAME 64 /* bytes shown of a name that the user chose */

static void add_list(Text *text, const char *format, va_list args) {
  size_t room = sizeof text->data - text->size;
  int size = vsnprintf(text->data + text->size, room, format, args);
  if (size > 0) text->size += (size_t)size < room ? (size_t)size : room - 1;
}

void sc_text_add(Text *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_list(text, format, args);
  va_end(args);
}

static int is_identifier(const char *name, size_t size) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  if (size == 0 || size > MAX_NAME) return 0;
  if (name[0] >= '0' && name[0] <= '9') return 0;
  return strspn(name, letters) >= size;
}

/* A name that is not plain may be anything: what could break a log line or
 * a terminal becomes a question mark, one for each code point. */
static void add_name(Text *path, const char *name, size_t size) {
  size_t shown = size < MAX_NAME ? size : MAX_NAME;
  if (is_identifier(name, size)) {
    sc_text_add(path, "%s%.*s", path->size > 0 ? "." : "", (int)size, name);
    return;
  }
  sc_text_add(path, "[\"");
  for (size_t i = 0; i < shown; i++) {
    unsigned char c = (unsigned char)name[i];
    if (c >= 0x80 && c < 0xc0) continue; /* goes on a code point */
    sc_text_add(path, "%c",
                c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c);
  }
  sc_text_add(path, shown < size ? "...\"]" : "\"]");
}

static void add_place(Text *path, const Place *place) {
  if (place == NULL) return;
  add_place(path, place->up);
  if (place->name != NULL)
    add_name(path, place->name, place->size);
  else
    sc_text_add(path, "[%d]", place->position);
}

static void keep(const Findings *all, int position, const Text *path,
                 const Text *reason) {
  lua_State *L = all->L;
  luaL_checkstack(L, 3, "findings");
  if (position == 1) {
    lua_newtable(L);
    lua_replace(L, all->list);
  }
  lua_createtable(L, 0, 2);
  lua_pushlstring(L, path->data, path->size);
  lua_setfield(L, -2, "name");
  lua_pushlstring(L, reason->data, reason->size);
  lua_setfield(L, -2, "reason");
  lua_rawseti(L, all->list, position);
}

void sc_findings_start(Findings *all, lua_State *L, const char *prefix) {
  luaL_checkstack(L, 1, "findings");
  lua_pushnil(L);
  all->L = L;
  all->prefix = prefix;
  all->list = lua_gettop(L);
  all->count = 0;
}

void sc_finding_add(Findings *all, const Place *place, const char *format,
                    ...) {
  Text path = {.size = 0}, reason = {.size = 0};
  va_list args;
  if (++all->count > MAX_FINDINGS) return;
  sc_text_add(&path, "%s", all->prefix);
  add_place(&path, place);
  va_start(args, format);
  add_list(&reason, format, args);
  va_end(args);
  keep(all, all->count, &path, &reason);
}

int sc_findings_finish(Findings *all) {
  Text path = {.size = 0}, reason = {.size = 0};
  int rest = all->count - MAX_FINDINGS;
  if (rest > 0) {
    sc_text_add(&path, "%s", all->prefix);
    sc_text_add(&reason, "has %d more finding%s", rest, rest == 1 ? "" : "s");
    keep(all, MAX_FINDINGS + 1, &path, &reason);
  }
  if (all->count == 0) lua_pop(all->L, 1);
  return all->count;
}
