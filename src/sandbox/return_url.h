/*
 * return_url.h: where the signer's browser goes when it is done.
 */
#ifndef SANDBOX_RETURN_URL_H
#define SANDBOX_RETURN_URL_H

#include "html.h"

#include <jansson.h>

/* The session's `success`, `cancel` or `error`, with externalReference and
 * sessionId added to its query; the caller's to free. NULL when `request`
 * (the session as it was sent) has none, or one that is no place to go. */
char *return_url(const json_t *request, const char *which, const char *session);

/* Writes the origins of all three, each after a space, as a policy for forms
 * has them: what a form's answer may redirect to. */
void return_url_origins(const json_t *request, FILE *file);

#endif
