/*
 * visit.h: a browser that has the signer's page open.
 *
 * It is known by a random cookie, which is kept as a digest and only once
 * somebody has identified in it. A form carries a token that fits its
 * browser and its session and nothing else, so that no other site can send
 * one in the signer's name.
 */
#ifndef SANDBOX_VISIT_H
#define SANDBOX_VISIT_H

#include "request.h"
#include "secret.h"

#define VISIT_SIZE 33 /* 32 hexadecimal digits and the end */
#define VISIT_NAME_SIZE 257

typedef struct Visit {
  const Service *service;
  const char *session;
  char cookie[VISIT_SIZE];
  bool fresh; /* the browser has no cookie yet */
} Visit;

/* The browser of this request; `session` is borrowed. */
Visit visit_of(const Request *request, const char *session);
/* Gives a fresh browser its cookie. */
void visit_greet(const Visit *visit, Reply *reply);

/* What a form of this browser for this session carries, and has to. */
void visit_token(const Visit *visit, char out[SECRET_HASH_SIZE]);
bool visit_has_token(const Visit *visit, const char *token);

/* Who has identified here lately: 1, 0 or STORE_FAILED. */
int visit_name(const Visit *visit, char name[VISIT_NAME_SIZE]);
bool visit_identify(const Visit *visit, const char *name);

#endif
