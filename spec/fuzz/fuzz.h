/*
 * fuzz.h: what the fuzzers have in common.
 *
 * A fuzzer asserts what has to hold for any input; what does not hold is said
 * and ends the process, which libFuzzer takes for a finding.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define expect(holds) \
  ((holds) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #holds))

static inline void fuzz_fail(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
  abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
