/*
 * sessions.h: a signing session as the API answers it.
 *
 * The columns and the function belong together: whoever reads sessions
 * (get, list, the control calls) selects SESSIONS_COLUMNS and shows the row.
 */
#ifndef SANDBOX_SESSIONS_H
#define SANDBOX_SESSIONS_H

#include "reply.h"
#include "service.h"

#define SESSIONS_COLUMNS "id, state, url_expires, request "

/* The row as JSON; NULL when something failed. */
json_t *sessions_show(const Service *service, Rows *row);
/* Answers with one session, or with 404 or 500. */
void sessions_answer(const Service *service, const char *id, int status,
                     Reply *reply);
void sessions_not_found(Reply *reply);

#endif
