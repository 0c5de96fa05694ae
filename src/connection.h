/*
 * connection.h: what all connections of a client have in common: whom they
 * trust, with which certificate and through which proxy they go.
 */
#ifndef SC_CONNECTION_H
#define SC_CONNECTION_H

#include "transfer.h"

/* Sets on `easy` what the table at `index` says (nil: all as usual): ca_file,
 * ca_pem, cert_file, cert_pem, key_file, key_pem, insecure, proxy,
 * proxy_user, proxy_password, no_proxy. libcurl copies what it is given. 0, or
 * -1 when it has no memory. */
int sc_connection_set(lua_State *L, int index, CURL *easy);

/* The version of HTTP that the table asks for, one of libcurl's constants. */
long sc_connection_version(lua_State *L, int index);

#endif
