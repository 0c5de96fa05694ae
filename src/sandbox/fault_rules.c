/*
 * fault_rules.c: what a script of faults may say, as rules.
 *
 * Each fault has a row with the fields it takes; a field of another fault is
 * refused like one that does not exist, so that a slip never makes a test
 * pass. Reading a rule that was checked is here, too.
 */
#include "fault_rules.h"

#include "api.h"
#include "problem.h"
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SCRIPT 1000
#define MOST_TIMES 1000000000
#define MOST_MILLISECONDS 600000
#define DATE "date:+"

/* clang-format off */
#define NAME {.name = "fault", .kind = RULE_STRING, .required = true}
#define COMMON                                           \
  NAME,                                                  \
  {.name = "operation", .kind = RULE_STRING},            \
  {.name = "times", .kind = RULE_INTEGER, .least = 1,    \
   .most = MOST_TIMES},                                  \
  {.name = "skip", .kind = RULE_INTEGER,                 \
   .most = MOST_TIMES},                                  \
  {.name = "reused_only", .kind = RULE_BOOLEAN}
/* clang-format on */

static const char *const bodies[] = {
    [FAULT_PROBLEM] = "problem",   [FAULT_GATEWAY] = "html",
    [FAULT_EMPTY] = "empty",       [FAULT_OBJECT] = "object",
    [FAULT_NONSENSE] = "nonsense", NULL};

static const Rule refuse_fields[] = {NAME, {.name = NULL}};
static const Rule plain_fields[] = {COMMON, {.name = NULL}};
static const Rule status_fields[] = {
    COMMON,
    {.name = "status",
     .kind = RULE_INTEGER,
     .required = true,
     .least = 200,
     .most = 599},
    {.name = "retry_after", .kind = RULE_ANY},
    {.name = "body", .kind = RULE_STRING, .only = bodies},
    {.name = NULL}};
static const Rule redirect_fields[] = {
    COMMON,
    {.name = "status", .kind = RULE_INTEGER, .least = 300, .most = 399},
    {.name = "location",
     .kind = RULE_STRING,
     .required = true,
     .least = 1,
     .most = FAULT_LOCATION_SIZE - 1},
    {.name = NULL}};
static const Rule slow_fields[] = {COMMON,
                                   {.name = "milliseconds",
                                    .kind = RULE_INTEGER,
                                    .required = true,
                                    .most = MOST_MILLISECONDS},
                                   {.name = NULL}};
static const Rule length_fields[] = {COMMON,
                                     {.name = "by",
                                      .kind = RULE_INTEGER,
                                      .required = true,
                                      .least = -1000000,
                                      .most = 1000000},
                                     {.name = NULL}};

static const char list_only[] = "listSigningSessions";
static const char hash_only[] = "uploadDocument, getDocument, getDocumentInfo";

static const struct {
  FaultKind kind;
  const char *name;
  const Rule *fields;
  const char *only; /* the operations that have what it changes */
} rows[] = {
    {FAULT_REFUSE, "refuse", refuse_fields, NULL},
    {FAULT_RESET, "reset", plain_fields, NULL},
    {FAULT_CLOSE, "close", plain_fields, NULL},
    {FAULT_LOST_ANSWER, "lost_answer", plain_fields, NULL},
    {FAULT_STATUS, "status", status_fields, NULL},
    {FAULT_HTML, "html", plain_fields, NULL},
    {FAULT_NOT_JSON, "not_json", plain_fields, NULL},
    {FAULT_REDIRECT, "redirect", redirect_fields, NULL},
    {FAULT_SLOW, "slow", slow_fields, NULL},
    {FAULT_STALL, "stall", plain_fields, NULL},
    {FAULT_CUT, "cut", plain_fields, NULL},
    {FAULT_FLOOD, "flood", plain_fields, NULL},
    {FAULT_WRONG_LENGTH, "wrong_length", length_fields, NULL},
    {FAULT_EMPTY_PAGE, "empty_page", plain_fields, list_only},
    {FAULT_SHORT_PAGE, "short_page", plain_fields, list_only},
    {FAULT_DUPLICATE_PAGE, "duplicate_page", plain_fields, list_only},
    {FAULT_WRONG_HASH, "wrong_hash", plain_fields, hash_only},
};
static const size_t row_count = sizeof rows / sizeof *rows;

static const char *member(const json_t *rule, const char *name) {
  return json_string_value(json_object_get(rule, name));
}

static size_t find_row(const json_t *rule) {
  const char *name = member(rule, "fault");
  size_t i = 0;
  while (i < row_count && (!name || strcmp(rows[i].name, name) != 0))
    i++;
  return i;
}

const char *fault_rules_operation(const char *name) {
  if (strcmp(name, "*") == 0) return "*";
  for (size_t i = 0; i < api_route_count; i++) {
    const char *operation = api_routes[i].operation;
    if (operation && strcmp(operation, name) == 0) return operation;
  }
  return NULL;
}

/* Seconds, or DATE and seconds. */
static bool read_retry(const json_t *value, Fault *fault) {
  const char *text = json_string_value(value);
  fault->retry_is_date = text != NULL;
  fault->retry_after = FAULT_NO_RETRY;
  if (!value) return true;
  if (json_is_integer(value)) {
    fault->retry_after = json_integer_value(value);
  } else if (text && strncmp(text, DATE, strlen(DATE)) == 0) {
    text += strlen(DATE);
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits]) return false;
    fault->retry_after = strtoll(text, NULL, 10);
  } else {
    return false;
  }
  return fault->retry_after >= 0;
}

static bool is_line(const char *text) {
  for (; *text; text++)
    if (*text <= ' ' || *text > '~') return false;
  return true;
}

/* What the fields' rules cannot say. */
static void check_rest(json_t *findings, size_t row, const json_t *rule) {
  Fault fault;
  const char *operation = member(rule, "operation");
  const char *location = member(rule, "location");
  const json_t *by = json_object_get(rule, "by");
  if (rows[row].kind == FAULT_REFUSE) return;
  if (!operation)
    problem_find(findings, "operation", "is required");
  else if (!fault_rules_operation(operation))
    problem_find(findings, "operation",
                 "must be an operation's id, \"token\" or \"*\"");
  else if (rows[row].only && !strstr(rows[row].only, operation))
    problem_find(findings, "operation", "has nothing that this fault changes");
  if (!read_retry(json_object_get(rule, "retry_after"), &fault))
    problem_find(findings, "retry_after",
                 "must be seconds, or \"" DATE "\" and seconds");
  if (location && !is_line(location))
    problem_find(findings, "location", "must be visible ASCII");
  if (by && json_integer_value(by) == 0)
    problem_find(findings, "by", "must not be 0");
}

static json_t *check_one(json_t *rule) {
  static const Rule name_rule = {.kind = RULE_OBJECT, .inner = refuse_fields};
  size_t row = find_row(rule);
  if (row < row_count) {
    Rule fields = {
        .kind = RULE_OBJECT, .closed = true, .inner = rows[row].fields};
    json_t *findings = rules_check(&fields, rule);
    check_rest(findings, row, rule);
    return findings;
  }
  json_t *findings = rules_check(&name_rule, rule);
  if (json_array_size(findings) > 0) return findings;
  char reason[320] = "must be one of";
  for (size_t i = 0; i < row_count; i++) {
    size_t used = strlen(reason);
    snprintf(reason + used, sizeof reason - used, "%s %s", i ? "," : "",
             rows[i].name);
  }
  problem_find(findings, "fault", reason);
  return findings;
}

json_t *faults_check(json_t *script) {
  static const Rule any = {.kind = RULE_ANY};
  static const Rule list = {
      .kind = RULE_ARRAY, .least = 1, .most = MOST_SCRIPT, .inner = &any};
  json_t *findings = rules_check(&list, script), *rule, *one;
  size_t i, j;
  if (json_array_size(findings) > 0) return findings;
  json_array_foreach(script, i, rule) {
    json_t *found = check_one(rule);
    json_array_foreach(found, j, one) {
      char name[160];
      const char *field = member(one, "name");
      snprintf(name, sizeof name, "[%zu]%s%s", i, *field ? "." : "", field);
      problem_find(findings, name, member(one, "reason"));
    }
    json_decref(found);
  }
  return findings;
}

void fault_rules_read(const json_t *rule, Fault *fault) {
  size_t row = find_row(rule);
  const json_t *status = json_object_get(rule, "status");
  const char *body = member(rule, "body"), *location = member(rule, "location");
  memset(fault, 0, sizeof *fault);
  fault->kind = rows[row].kind;
  fault->name = rows[row].name;
  fault->status = status ? (int)json_integer_value(status) : 307;
  fault->milliseconds =
      json_integer_value(json_object_get(rule, "milliseconds"));
  fault->by = json_integer_value(json_object_get(rule, "by"));
  read_retry(json_object_get(rule, "retry_after"), fault);
  for (int i = 0; body && bodies[i]; i++)
    if (strcmp(bodies[i], body) == 0) fault->body = (FaultBody)i;
  if (location)
    snprintf(fault->location, sizeof fault->location, "%s", location);
}
