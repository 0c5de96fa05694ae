/*
 * token.h: access tokens: issued for the client's credentials, checked on
 * every call of the API. The handler that issues them is in api.h.
 */
#ifndef SANDBOX_TOKEN_H
#define SANDBOX_TOKEN_H

#include "service.h"

/* `authorization` is the header's value or NULL. *failed is set when the
 * store could not be asked. */
bool token_accepts(const Service *service, const char *authorization,
                   bool *failed);

#endif
