/*
 * json_number.h: numbers to and from JSON's notation, in any locale.
 *
 * A host may have set a locale with a decimal comma, which strtod and printf
 * then obey. Nothing here depends on it. Plain C, no Lua, no memory.
 */
#ifndef SC_JSON_NUMBER_H
#define SC_JSON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Room for any number that is written. */
#define SC_NUMBER_SIZE 40

/* The nearest double of a number in JSON's grammar; infinite if too large. */
double sc_number_read(const char *text, size_t size);

/* Reads an integer in JSON's grammar; 0 if it does not fit. */
int sc_integer_read(const char *text, size_t size, int64_t *value);

/* Both return the size written, without a terminating NUL. A finite double
 * gets the fewest digits, from 15 on, that read back as itself; 3.0 becomes
 * `3`. */
size_t sc_number_write(double value, char *out);
size_t sc_integer_write(int64_t value, char *out);

#endif
