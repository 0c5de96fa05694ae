/*
 * tickets.c: TLS sessions that clients share; see tickets.h.
 *
 * The share has no locks: a Lua state is in one thread at a time, and so is
 * all of libcurl that it uses.
 */
#include "tickets.h"

#include "object.h"

#define TICKETS_TYPE "signicat.tickets"

typedef struct Tickets {
  ObjectHead head;
  CURLSH *share; /* NULL: closed */
} Tickets;

CURLSH *sc_tickets_push(lua_State *L) {
  static const char key = 0;
  Tickets *tickets;
  lua_pushlightuserdata(L, (void *)&key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  tickets = sc_object_test(L, -1, TICKETS_TYPE);
  if (tickets) return tickets->share;
  lua_pop(L, 1);
  tickets = sc_object_new(L, TICKETS_TYPE, sizeof *tickets, 0);
  tickets->share = curl_share_init();
  if (!tickets->share ||
      curl_share_setopt(tickets->share, CURLSHOPT_SHARE,
                        CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
    return NULL;
  }
  lua_pushlightuserdata(L, (void *)&key);
  lua_pushvalue(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
  return tickets->share;
}

static int tickets_gc(lua_State *L) {
  Tickets *tickets = sc_object_check(L, 1, TICKETS_TYPE);
  if (tickets->share) curl_share_cleanup(tickets->share);
  tickets->share = NULL;
  return 0;
}

void sc_tickets_define(lua_State *L) {
  static const luaL_Reg meta[] = {{"__gc", tickets_gc}, {NULL, NULL}};
  sc_object_define(L, TICKETS_TYPE, NULL, meta);
}
