/*
 * service.h: what a running sandbox is made of; handlers get it to read.
 *
 * main.c fills it before the first request and takes it apart after the
 * last; nothing in it changes in between. What its pointers lead to may, and
 * sees to its own locks.
 */
#ifndef SANDBOX_SERVICE_H
#define SANDBOX_SERVICE_H

#include "pki.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

#define SERVICE_ID_SIZE 64
#define SERVICE_SECRET_SIZE 80

typedef struct Service {
  Store *store;
  struct Journal *journal;
  struct Faults *faults;
  struct Courier *courier;
  struct Packager *packager;
  struct Press *press; /* for requests */
  Pki *pki;
  int documents; /* the folder of the blobs */
  int log;       /* -1: none */
  char client_id[SERVICE_ID_SIZE];
  char client_secret[SERVICE_SECRET_SIZE];
  char url[64];         /* http://127.0.0.1:PORT, or https */
  char control_url[64]; /* the door for tests alone */
  int64_t token_ttl;    /* seconds */
  uint64_t max_upload;  /* bytes */
  bool beyond;          /* do what the service is not known to do */
} Service;

#endif
