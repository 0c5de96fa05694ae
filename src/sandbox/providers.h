/*
 * providers.h: what a session's signer may be identified by.
 */
#ifndef SANDBOX_PROVIDERS_H
#define SANDBOX_PROVIDERS_H

#include <jansson.h>
#include <stdbool.h>

/*
 * The names to choose from, at least one: for a look at the documents
 * (`first`) or for the signature, whose vendor stands for a provider.
 * `session` is one as it was sent. The caller's reference; NULL: no memory.
 */
json_t *providers_of(const json_t *session, bool first);

/* False for a name of NULL. */
bool providers_have(const json_t *providers, const char *name);

#endif
