/*
 * signing.h: what happens when the signer says yes.
 */
#ifndef SANDBOX_SIGNING_H
#define SANDBOX_SIGNING_H

#include "reply.h"
#include "service.h"
#include "state.h"

typedef struct SigningWho {
  const char *name;
  const char *provider; /* NULL: the first that may be chosen */
} SigningWho;

/* Signs every SIGN document of the session and answers with the session, or
 * with the reason why nothing was changed. */
void signing_sign(const Service *service, const char *session,
                  const SigningWho *who, Reply *reply);

/* The problem for a change of state that was not made. */
void signing_refused(StateResult result, Reply *reply);

#endif
