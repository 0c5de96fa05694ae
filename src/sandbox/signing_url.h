/*
 * signing_url.h: the id in a session's signatureUrl.
 *
 * It opens the session to whoever holds it, and every GET of the session has
 * to answer it again. So it is kept nowhere, not even as a digest: it is the
 * session's id, enciphered. Without the account's secret nobody can make
 * one, and whoever has a copy of the tables has none.
 */
#ifndef SANDBOX_SIGNING_URL_H
#define SANDBOX_SIGNING_URL_H

#include "service.h"
#include "uuid.h"

void signing_url_id(const Service *service, const char *session,
                    char out[UUID_SIZE]);
/* The session's id, whether or not there is such a session; false when
 * `text` is no UUID. */
bool signing_url_session(const Service *service, const char *text,
                         char out[UUID_SIZE]);

#endif
