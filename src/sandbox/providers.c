/*
 * providers.c: reads them out of a session.
 */
#include "providers.h"

#include <string.h>

/* A session without identityProviders takes every one of the account. */
static const char *const guess_providers[] = {
    "nbid", "sbid", "mitid", "ftn", "idin", "digid", "eherkenning"};

/* The names of a list of {idpName}. */
static bool add_listed(json_t *names, const json_t *list) {
  size_t i;
  const json_t *each;
  json_array_foreach(list, i, each) {
    if (json_array_append(names, json_object_get(each, "idpName")) != 0)
      return false;
  }
  return true;
}

static bool add_guesses(json_t *names) {
  for (size_t i = 0; i < sizeof guess_providers / sizeof *guess_providers; i++)
    if (json_array_append_new(names, json_string(guess_providers[i])) != 0)
      return false;
  return true;
}

static bool add_all(json_t *names, const json_t *session, bool first) {
  const json_t *setup =
      json_array_get(json_object_get(session, "signingSetup"), 0);
  const json_t *before = json_object_get(session, "preAuthentication");
  json_t *vendor = json_object_get(setup, "vendor");
  if (first && !add_listed(names, json_object_get(before, "identityProviders")))
    return false;
  if (!first && vendor) return json_array_append(names, vendor) == 0;
  if (json_array_size(names) == 0 &&
      !add_listed(names, json_object_get(setup, "identityProviders")))
    return false;
  return json_array_size(names) > 0 || add_guesses(names);
}

json_t *providers_of(const json_t *session, bool first) {
  json_t *names = json_array();
  if (add_all(names, session, first)) return names;
  json_decref(names);
  return NULL;
}

bool providers_have(const json_t *providers, const char *name) {
  size_t i;
  const json_t *each;
  json_array_foreach(providers, i, each) {
    if (name && strcmp(json_string_value(each), name) == 0) return true;
  }
  return false;
}
