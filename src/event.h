/*
 * event.h: the signatures of events, made and compared.
 */
#ifndef SC_EVENT_H
#define SC_EVENT_H

#include "compat.h"

/* hmac_sha256(secret, bytes) -> 64 hexadecimal digits, in lower case. */
int event_hmac(lua_State *L);
/* hmac_matches(secret, bytes, digits) -> whether the digits, of either case,
 * are that HMAC. The time taken does not depend on where they differ. */
int event_hmac_matches(lua_State *L);

#endif
