/*
 * faults.c: the list of rules under a lock, and taking faults off it.
 *
 * Rules are kept as they were sent, so that they are shown as they were
 * sent; what is counted down is kept beside them.
 */
#include "faults.h"

#include "fault_rules.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MOST_RULES 4096

typedef struct RuleLeft {
  json_t *sent;
  const char *operation; /* a constant; "*": any; NULL: of no request */
  bool reused_only;
  int64_t times, skip; /* what is left */
  Fault fault;
} RuleLeft;

struct Faults {
  pthread_mutex_t lock;
  FaultsDoor *door;
  void *context;
  bool shut;
  size_t count;
  RuleLeft *rules;
};

Faults *faults_open(void) {
  Faults *faults = calloc(1, sizeof *faults);
  if (faults) pthread_mutex_init(&faults->lock, NULL);
  return faults;
}

static void drop_all(Faults *faults) {
  for (size_t i = 0; i < faults->count; i++)
    json_decref(faults->rules[i].sent);
  free(faults->rules);
  faults->rules = NULL;
  faults->count = 0;
}

void faults_close(Faults *faults) {
  if (!faults) return;
  drop_all(faults);
  pthread_mutex_destroy(&faults->lock);
  free(faults);
}

void faults_watch(Faults *faults, FaultsDoor *door, void *context) {
  pthread_mutex_lock(&faults->lock);
  faults->door = door;
  faults->context = context;
  pthread_mutex_unlock(&faults->lock);
}

/* Under the lock. */
static bool set_door(Faults *faults, bool shut) {
  if (faults->shut == shut) return true;
  if (!faults->door || !faults->door(faults->context, shut)) return false;
  faults->shut = shut;
  return true;
}

static int64_t number(const json_t *rule, const char *name, int64_t otherwise) {
  const json_t *value = json_object_get(rule, name);
  return value ? json_integer_value(value) : otherwise;
}

static void fill(RuleLeft *left, json_t *rule) {
  const char *operation = json_string_value(json_object_get(rule, "operation"));
  left->sent = json_incref(rule);
  left->operation = operation ? fault_rules_operation(operation) : NULL;
  left->reused_only = json_is_true(json_object_get(rule, "reused_only"));
  left->times = number(rule, "times", 1);
  left->skip = number(rule, "skip", 0);
  fault_rules_read(rule, &left->fault);
}

/* Under the lock. */
static bool add_all(Faults *faults, json_t *script) {
  size_t total = faults->count + json_array_size(script), i;
  json_t *rule;
  if (total > MOST_RULES) return false;
  RuleLeft *grown = realloc(faults->rules, total * sizeof *grown);
  if (!grown) return false;
  faults->rules = grown;
  json_array_foreach(script, i, rule) {
    RuleLeft *left = &faults->rules[faults->count++];
    fill(left, rule);
    if (left->fault.kind == FAULT_REFUSE && !set_door(faults, true))
      return false;
  }
  return true;
}

bool faults_add(Faults *faults, json_t *script) {
  pthread_mutex_lock(&faults->lock);
  bool added = add_all(faults, script);
  pthread_mutex_unlock(&faults->lock);
  return added;
}

json_t *faults_show(Faults *faults) {
  json_t *shown = json_array();
  pthread_mutex_lock(&faults->lock);
  for (size_t i = 0; i < faults->count; i++) {
    const RuleLeft *left = &faults->rules[i];
    json_t *rule = json_copy(left->sent);
    if (left->operation) {
      json_object_set_new(rule, "times", json_integer(left->times));
      json_object_set_new(rule, "skip", json_integer(left->skip));
    }
    json_array_append_new(shown, rule);
  }
  pthread_mutex_unlock(&faults->lock);
  return shown;
}

bool faults_clear(Faults *faults) {
  pthread_mutex_lock(&faults->lock);
  drop_all(faults);
  bool open = set_door(faults, false);
  pthread_mutex_unlock(&faults->lock);
  return open;
}

static bool fits(const RuleLeft *left, const char *operation, bool reused) {
  if (!left->operation || (left->reused_only && !reused)) return false;
  return strcmp(left->operation, "*") == 0 ||
         strcmp(left->operation, operation) == 0;
}

static void drop_one(Faults *faults, size_t i) {
  json_decref(faults->rules[i].sent);
  faults->count--;
  memmove(&faults->rules[i], &faults->rules[i + 1],
          (faults->count - i) * sizeof *faults->rules);
}

bool faults_take(Faults *faults, const char *operation, bool reused,
                 Fault *fault) {
  bool taken = false;
  pthread_mutex_lock(&faults->lock);
  for (size_t i = 0; i < faults->count && !taken; i++) {
    RuleLeft *left = &faults->rules[i];
    if (!fits(left, operation, reused)) continue;
    if (left->skip > 0) {
      left->skip--;
      continue;
    }
    *fault = left->fault;
    taken = true;
    if (--left->times == 0) drop_one(faults, i);
  }
  pthread_mutex_unlock(&faults->lock);
  return taken;
}
