/*
 * idset.c: open addressing over 128-bit numbers; see idset.h.
 *
 * The table of a set is a userdata in its slot, so that growing is one
 * allocation by Lua and nothing has to be freed by hand. An id that is all
 * zeros would look like a free place; it has a mark of its own.
 */
#include "idset.h"

#include "format.h"
#include "object.h"

#include <stdint.h>
#include <string.h>

#define IDSET_TYPE "signicat.idset"
#define FIRST_ROOM 128 /* places; a power of two, as all that follow */

typedef struct Id {
  uint64_t high, low;
} Id;

typedef struct Idset {
  ObjectHead head;
  Id *places; /* in the userdata of slot 1; NULL: none yet */
  size_t room, count;
  int has_zero;
} Idset;

int idset_new(lua_State *L) {
  sc_object_new(L, IDSET_TYPE, sizeof(Idset), 1);
  return 1;
}

/* Version 7 ids begin alike and end at random: the end is what counts. */
static Id *find(Id *places, size_t room, Id id) {
  size_t at = (size_t)((id.low ^ id.high * 0x9E3779B97F4A7C15u) & (room - 1));
  while (places[at].low | places[at].high) {
    if (places[at].low == id.low && places[at].high == id.high) break;
    at = (at + 1) & (room - 1);
  }
  return &places[at];
}

/* Makes room for one more; three quarters full is full enough. */
static void grow(lua_State *L, Idset *set) {
  size_t room = set->room ? 2 * set->room : FIRST_ROOM, i;
  Id *places;
  if (set->room && set->count + 1 <= set->room / 4 * 3) return;
  places = lua_newuserdata(L, room * sizeof *places);
  memset(places, 0, room * sizeof *places);
  for (i = 0; i < set->room; i++) {
    Id id = set->places[i];
    if (id.low | id.high) *find(places, room, id) = id;
  }
  sc_setslot(L, 1, 1);
  set->places = places;
  set->room = room;
}

static int read_id(const char *text, size_t size, Id *id) {
  int i, n = 0;
  if (!sc_is_uuid(text, size)) return 0;
  for (i = 0; i < 36; i++) {
    unsigned c = (unsigned char)text[i];
    uint64_t digit = c <= '9' ? c - '0' : (c | 32u) - 'a' + 10;
    if (c == '-') continue;
    if (n++ < 16)
      id->high = id->high << 4 | digit;
    else
      id->low = id->low << 4 | digit;
  }
  return 1;
}

/* The id at stack index 2; 0 for what is none. */
static int check_id(lua_State *L, Id *id) {
  size_t size;
  const char *text;
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  text = lua_tolstring(L, 2, &size);
  return read_id(text, size, id);
}

/* set:has(id) -> whether it is in the set. */
static int idset_has(lua_State *L) {
  Idset *set = sc_object_check(L, 1, IDSET_TYPE);
  Id id = {0, 0}, *place;
  int found = 0;
  if (check_id(L, &id)) {
    place = set->room ? find(set->places, set->room, id) : NULL;
    found =
        id.low | id.high ? place && (place->low | place->high) : set->has_zero;
  }
  lua_pushboolean(L, found);
  return 1;
}

/* set:add(id) -> whether it is new; nil for what is no id. */
static int idset_add(lua_State *L) {
  Idset *set = sc_object_check(L, 1, IDSET_TYPE);
  Id id = {0, 0}, *place;
  if (!check_id(L, &id)) return 0;
  if (!(id.low | id.high)) {
    lua_pushboolean(L, !set->has_zero);
    set->has_zero = 1;
    return 1;
  }
  grow(L, set);
  place = find(set->places, set->room, id);
  lua_pushboolean(L, !(place->low | place->high));
  if (lua_toboolean(L, -1)) {
    *place = id;
    set->count++;
  }
  return 1;
}

void sc_idset_define(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"add", idset_add}, {"has", idset_has}, {NULL, NULL}};
  sc_object_define(L, IDSET_TYPE, methods, NULL);
}
