/*
 * page_case.c: reads what a session says about its signing.
 */
#include "page_case.h"

#include "signing_url.h"
#include "state.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

static CaseStatus status_of(const Case *signing, const char *state,
                            When url_expires) {
  if (url_expires <= when_now()) return CASE_EXPIRED;
  switch (state_may_sign(signing->service->store, signing->session)) {
  case STATE_DONE: return CASE_OPEN;
  case STATE_NO_SESSION: return CASE_UNKNOWN;
  case STATE_BLOCKED: return CASE_BLOCKED;
  case STATE_FINAL:
    return strcmp(state, "SIGNED") == 0 ? CASE_SIGNED : CASE_REJECTED;
  case STATE_OVERDUE: return CASE_OVERDUE;
  case STATE_FAILED: break;
  }
  return CASE_FAILED;
}

static void read(Case *signing, Rows *rows) {
  int found = store_next(rows);
  if (found == 0) signing->status = CASE_UNKNOWN;
  if (found <= 0) return;
  signing->due = store_when(rows, 1);
  signing->request = json_loads(store_text(rows, 3), 0, NULL);
  const json_t *ui = json_object_get(signing->request, "ui");
  signing->language =
      page_language(json_string_value(json_object_get(ui, "language")));
  if (signing->request)
    signing->status =
        status_of(signing, store_text(rows, 0), store_when(rows, 2));
}

Case case_open(const Service *service, const char *url_id,
               const char *accepted) {
  Case signing = {.service = service, .status = CASE_FAILED, .due = WHEN_NONE};
  signing.language = page_language_accepted(accepted);
  if (!url_id || !signing_url_session(service, url_id, signing.session)) {
    signing.status = CASE_UNKNOWN;
    return signing;
  }
  uuid_read(url_id, signing.url_id);
  Rows *rows = store_query(service->store,
                           "SELECT state, due, url_expires, request"
                           " FROM session WHERE id = ?",
                           "s", signing.session);
  read(&signing, rows);
  store_done(rows);
  return signing;
}

void case_close(Case *signing) {
  json_decref(signing->request);
  signing->request = NULL;
}

const char *case_string(const Case *signing, const char *name) {
  return json_string_value(json_object_get(signing->request, name));
}

bool case_pre_authenticates(const Case *signing) {
  const json_t *before = json_object_get(signing->request, "preAuthentication");
  return json_is_true(json_object_get(before, "enabled"));
}

/* Whether one of the list, or its member of that name, is `value`. */
static bool lists(const json_t *list, const char *member, const char *value) {
  size_t i;
  const json_t *each;
  json_array_foreach(list, i, each) {
    const char *text =
        json_string_value(member ? json_object_get(each, member) : each);
    if (text && strcmp(text, value) == 0) return true;
  }
  return false;
}

CaseNumber case_number(const Case *signing) {
  const json_t *signer = json_object_get(signing->request, "signer");
  if (lists(json_object_get(signer, "validations"), NULL,
            "NATIONAL_IDENTIFICATION_NUMBER"))
    return CASE_NUMBER_REQUIRED;
  if (lists(json_object_get(signer, "restrictUse"), "parameter", "NIN"))
    return CASE_NUMBER_NOT_ASKED;
  return CASE_NUMBER_OPTIONAL;
}

/* Numbers are written with and without a hyphen or spaces. */
static const char *next_digit(const char *text) {
  return text + strspn(text, " -");
}

bool case_is_signer(const Case *signing, const char *number) {
  const json_t *signer = json_object_get(signing->request, "signer");
  const char *wanted = json_string_value(
      json_object_get(signer, "nationalIdentificationNumber"));
  if (case_number(signing) != CASE_NUMBER_REQUIRED) return true;
  number = next_digit(number ? number : "");
  if (!wanted) return *number != '\0';
  for (wanted = next_digit(wanted); *wanted && *wanted == *number;) {
    wanted = next_digit(wanted + 1);
    number = next_digit(number + 1);
  }
  return !*wanted && !*number;
}
