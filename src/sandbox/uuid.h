/*
 * uuid.h: ids. Made as version 7 (they sort by time), read as any UUID.
 *
 * Inside the sandbox an id is always in lower case; `uuid_read` brings what
 * came from outside into that form.
 */
#ifndef SANDBOX_UUID_H
#define SANDBOX_UUID_H

#include <stdbool.h>

#define UUID_SIZE 37 /* 36 characters and the end */

void uuid_make(char out[UUID_SIZE]);
bool uuid_read(const char *text, char out[UUID_SIZE]);

#endif
