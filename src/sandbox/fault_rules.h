/*
 * fault_rules.h: reading the rules of a script of faults; pure.
 *
 * faults_check (faults.h) is in fault_rules.c as well.
 */
#ifndef SANDBOX_FAULT_RULES_H
#define SANDBOX_FAULT_RULES_H

#include "faults.h"

/* The operation's name as a constant, "*" included; NULL: there is none. */
const char *fault_rules_operation(const char *name);
/* A rule that faults_check has found nothing wrong with. */
void fault_rules_read(const json_t *rule, Fault *fault);

#endif
