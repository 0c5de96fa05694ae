/*
 * session_rules.c: the fields of a signing session, as rules.
 *
 * Rows first; then the two things rows cannot say: a vendor where the flow
 * needs one, and how far ahead a due date may be. Whether ids exist is for
 * sessions.c to find out, inside its transaction.
 */
#include "session_rules.h"

#include "guesses.h"
#include "rules.h"
#include "when.h"

#include <stdio.h>
#include <string.h>

#define MOST_DUE (45 * WHEN_DAY)

#define ENUM(list) .kind = RULE_STRING, .only = (list)
#define OBJECT(fields) .kind = RULE_OBJECT, .inner = (fields)
#define LIST(item) .kind = RULE_ARRAY, .inner = &(item)

static const char *const actions[] = {"SIGN", "VIEW", NULL};
static const char *const flows[] = {"AUTHENTICATION_BASED", "PKISIGNING", NULL};
/* The service may know more; here a new one is more likely a slip. */
static const char *const guess_vendors[] = {
    "AUDKENNI", "BUYPASS", "MOBILEID", "NBID", "SBID", "SMARTID", NULL};
static const char *const packages[] = {"PADES_CONTAINER", NULL};
static const char *const validations[] = {"NATIONAL_IDENTIFICATION_NUMBER",
                                          NULL};
static const char *const parameters[] = {"NIN", NULL};
static const char *const restrictions[] = {"NO_USE", NULL};
static const char *const languages[] = {"da", "de", "en", "fi",
                                        "nb", "nn", "sv", NULL};

static const Rule document_fields[] = {
    {.name = "documentCollectionId", .kind = RULE_UUID, .required = true},
    {.name = "documentId", .kind = RULE_UUID, .required = true},
    {.name = "action", ENUM(actions), .required = true},
    {.name = NULL}};
static const Rule document = {OBJECT(document_fields)};

static const Rule provider_fields[] = {
    {.name = "idpName", .kind = RULE_STRING, .required = true}, {.name = NULL}};
static const Rule provider = {OBJECT(provider_fields)};

static const Rule setup_fields[] = {
    {.name = "signingFlow", ENUM(flows), .required = true},
    {.name = "identityProviders", LIST(provider)},
    {.name = "vendor", ENUM(guess_vendors)},
    {.name = "additionalParameters", .kind = RULE_STRING_MAP},
    {.name = NULL}};
static const Rule setup = {OBJECT(setup_fields)};

static const Rule id = {.kind = RULE_UUID};
static const Rule package = {ENUM(packages)};
static const Rule validation = {ENUM(validations)};

static const Rule restriction_fields[] = {
    {.name = "parameter", ENUM(parameters), .required = true},
    {.name = "restriction", ENUM(restrictions), .required = true},
    {.name = NULL}};
static const Rule restriction = {OBJECT(restriction_fields)};

static const Rule signer_fields[] = {
    {.name = "nationalIdentificationNumber", .kind = RULE_STRING},
    {.name = "validations", LIST(validation)},
    {.name = "restrictUse", LIST(restriction)},
    {.name = "email", .kind = RULE_STRING},
    {.name = "mobile", .kind = RULE_STRING},
    {.name = NULL}};

static const Rule archive_fields[] = {
    {.name = "sendOriginalToArchive", .kind = RULE_BOOLEAN},
    {.name = "sendResultToArchive", .kind = RULE_BOOLEAN},
    {.name = NULL}};

static const Rule pre_authentication_fields[] = {
    {.name = "enabled", .kind = RULE_BOOLEAN, .required = true},
    {.name = "identityProviders", LIST(provider)},
    {.name = NULL}};

static const Rule ui_fields[] = {{.name = "language", ENUM(languages)},
                                 {.name = NULL}};

static const Rule redirect_fields[] = {
    {.name = "success", .kind = RULE_URL, .required = true},
    {.name = "cancel", .kind = RULE_URL, .required = true},
    {.name = "error", .kind = RULE_URL, .required = true},
    {.name = NULL}};

static const Rule session_fields[] = {
    {.name = "title", .kind = RULE_STRING, .required = true, .most = 255},
    {.name = "documents",
     LIST(document),
     .required = true,
     .least = 1,
     .most = 50},
    {.name = "signingSetup",
     LIST(setup),
     .required = true,
     .least = 1,
     .most = 1},
    {.name = "signatureUrlTTL",
     .kind = RULE_INTEGER,
     .least = 5,
     .most = 525600},
    {.name = "signText", .kind = RULE_STRING, .most = 2048},
    {.name = "dueDate", .kind = RULE_TIME},
    {.name = "externalReference",
     .kind = RULE_STRING,
     .nullable = true,
     .most = 1024},
    {.name = "subsequentTo", LIST(id), .most = 50},
    {.name = "packageTo", LIST(package), .most = 5},
    {.name = "signer", OBJECT(signer_fields)},
    {.name = "archive", OBJECT(archive_fields)},
    {.name = "preAuthentication", OBJECT(pre_authentication_fields)},
    {.name = "ui", OBJECT(ui_fields)},
    {.name = "redirectSettings", OBJECT(redirect_fields)},
    {.name = NULL}};
static const Rule session = {OBJECT(session_fields),
                             .closed = GUESS_TOP_LEVEL_IS_CLOSED};
static const Rule list_rule = {LIST(session), .least = 1, .most = 100};

static void check_vendor(json_t *findings, size_t index, const json_t *each) {
  char name[64];
  const json_t *one = json_array_get(json_object_get(each, "signingSetup"), 0);
  const char *flow = json_string_value(json_object_get(one, "signingFlow"));
  if (!GUESS_PKISIGNING_NEEDS_VENDOR || !flow) return;
  if (strcmp(flow, "PKISIGNING") != 0 || json_object_get(one, "vendor")) return;
  snprintf(name, sizeof name, "[%zu].signingSetup[0].vendor", index);
  problem_find(findings, name, "is required for PKISIGNING");
}

static void check_due(json_t *findings, size_t index, const json_t *each) {
  char name[64];
  When due;
  const char *text = json_string_value(json_object_get(each, "dueDate"));
  if (!text || !when_parse(text, &due) || due <= when_now() + MOST_DUE) return;
  snprintf(name, sizeof name, "[%zu].dueDate", index);
  problem_find(findings, name, "must be at most 45 days ahead");
}

json_t *session_rules_check(json_t *list) {
  json_t *findings = rules_check(&list_rule, list);
  size_t i;
  const json_t *each;
  json_array_foreach(list, i, each) {
    check_vendor(findings, i, each);
    check_due(findings, i, each);
  }
  return findings;
}
