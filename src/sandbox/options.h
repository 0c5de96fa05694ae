/*
 * options.h: what the command line says.
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include "pki.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Options {
  unsigned short port; /* 0: any free one */
  const char *data;    /* NULL: a temporary folder */
  int64_t token_ttl;   /* seconds */
  uint64_t max_upload; /* bytes */
  bool beyond;         /* do what the service is not known to do */
  int parent;          /* a descriptor to watch, or -1 */
  const char *log;     /* NULL: none */
  bool tls;            /* https, with a certificate of this kind */
  PkiServer certificate;
} Options;

/* Returns -1 to go on, or the exit status when all is said. */
int options_read(Options *options, int argc, char **argv);

#endif
