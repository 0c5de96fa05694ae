/*
 * uuid.c: RFC 9562 version 7: 48 bits of milliseconds, the rest random.
 */
#include "uuid.h"

#include "secret.h"
#include "when.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>

void uuid_make(char out[UUID_SIZE]) {
  uint8_t b[16];
  uint64_t milliseconds = (uint64_t)when_now() / 1000000;
  secret_random(b + 6, 10);
  for (int i = 0; i < 6; i++)
    b[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
  b[6] = (uint8_t)(0x70 | (b[6] & 0x0f)); /* version */
  b[8] = (uint8_t)(0x80 | (b[8] & 0x3f)); /* variant */
  snprintf(out, UUID_SIZE,
           "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
           "%02x%02x%02x%02x%02x%02x",
           b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
           b[11], b[12], b[13], b[14], b[15]);
}

bool uuid_read(const char *text, char out[UUID_SIZE]) {
  for (int i = 0; i < UUID_SIZE - 1; i++) {
    unsigned char c = (unsigned char)text[i];
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !isxdigit(c)) return false;
    out[i] = (char)tolower(c);
  }
  out[UUID_SIZE - 1] = '\0';
  return text[UUID_SIZE - 1] == '\0';
}
