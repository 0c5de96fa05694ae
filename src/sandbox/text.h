/*
 * text.h: UTF-8, as far as the API's rules need it.
 *
 * Lengths in the API are Unicode code points, and titles are searched
 * without regard to letter case in any script.
 */
#ifndef SANDBOX_TEXT_H
#define SANDBOX_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Code points in valid UTF-8. */
size_t text_length(const char *text);
bool text_is_utf8(const char *text);
/* A lower-case copy, the caller's to free; NULL when there is no memory. */
char *text_fold(const char *text);

#endif
