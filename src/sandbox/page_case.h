/*
 * page_case.h: a session as its signer meets it: may it be signed, by whom,
 * identified how.
 */
#ifndef SANDBOX_PAGE_CASE_H
#define SANDBOX_PAGE_CASE_H

#include "page_text.h"
#include "service.h"
#include "uuid.h"
#include "when.h"

#include <jansson.h>
#include <stdbool.h>

typedef enum CaseStatus {
  CASE_OPEN, /* it can be signed now */
  CASE_UNKNOWN,
  CASE_EXPIRED, /* the signing URL has */
  CASE_BLOCKED,
  CASE_SIGNED,
  CASE_REJECTED,
  CASE_OVERDUE,
  CASE_FAILED /* the store could not be asked */
} CaseStatus;

typedef enum CaseNumber { /* the national identification number */
                          CASE_NUMBER_OPTIONAL,
                          CASE_NUMBER_REQUIRED,
                          CASE_NUMBER_NOT_ASKED
} CaseNumber;

typedef struct Case {
  const Service *service;
  CaseStatus status;
  char session[UUID_SIZE], url_id[UUID_SIZE];
  json_t *request; /* the session as it was sent; NULL when unknown */
  When due;
  PageLanguage language;
} Case;

/* Reads the session whose signing URL has this id. `accepted` is the
 * browser's Accept-Language, for when there is no session to ask. */
Case case_open(const Service *service, const char *url_id,
               const char *accepted);
void case_close(Case *signing);

const char *case_string(const Case *signing, const char *name);
/* Whether the signer has to identify before the documents are shown. */
bool case_pre_authenticates(const Case *signing);

CaseNumber case_number(const Case *signing);
/* True when that number may be the signer's. */
bool case_is_signer(const Case *signing, const char *number);

#endif
