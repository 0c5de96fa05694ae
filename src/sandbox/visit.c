/*
 * visit.c: cookie, token, and the table of those who have identified.
 *
 * Cookies know no ports: several sandboxes on one machine share theirs. That
 * does no harm, since it is only a random value, and what it stands for is
 * in each sandbox's own store.
 */
#include "visit.h"

#include "guesses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE "signicat-sandbox"
#define DIGITS (VISIT_SIZE - 1)

static bool read_cookie(const char *header, char out[VISIT_SIZE]) {
  for (const char *at = header; at && *at; at += strcspn(at, ";")) {
    at += strspn(at, "; ");
    if (strncmp(at, COOKIE "=", sizeof COOKIE) != 0) continue;
    at += sizeof COOKIE;
    if (strspn(at, "0123456789abcdef") < DIGITS) continue;
    snprintf(out, VISIT_SIZE, "%s", at);
    return true;
  }
  return false;
}

Visit visit_of(const Request *request, const char *session) {
  Visit visit = {.service = request->service, .session = session};
  visit.fresh = !read_cookie(request_header(request, "Cookie"), visit.cookie);
  if (visit.fresh) secret_random_hex(visit.cookie, DIGITS);
  return visit;
}

void visit_greet(const Visit *visit, Reply *reply) {
  char text[160];
  bool tls = strncmp(visit->service->url, "https", 5) == 0;
  if (!visit->fresh) return;
  snprintf(text, sizeof text,
           COOKIE "=%s; Path=/sign/; HttpOnly; SameSite=Lax%s", visit->cookie,
           tls ? "; Secure" : "");
  reply->cookie = strdup(text);
}

void visit_token(const Visit *visit, char out[SECRET_HASH_SIZE]) {
  char text[VISIT_SIZE + UUID_SIZE + 8];
  snprintf(text, sizeof text, "form %s %s", visit->cookie, visit->session);
  secret_mac(visit->service->client_secret, text, out);
}

bool visit_has_token(const Visit *visit, const char *token) {
  char expected[SECRET_HASH_SIZE];
  visit_token(visit, expected);
  return token && secret_equal(token, expected);
}

int visit_name(const Visit *visit, char name[VISIT_NAME_SIZE]) {
  char hash[SECRET_HASH_SIZE];
  secret_hash(visit->cookie, DIGITS, hash);
  Rows *rows = store_query(visit->service->store,
                           "SELECT name FROM visit"
                           " WHERE session = ? AND hash = ? AND expires > ?",
                           "ssi", visit->session, hash, when_now());
  int found = store_next(rows);
  if (found > 0) snprintf(name, VISIT_NAME_SIZE, "%s", store_text(rows, 0));
  store_done(rows);
  return found;
}

bool visit_identify(const Visit *visit, const char *name) {
  char hash[SECRET_HASH_SIZE];
  When now = when_now();
  secret_hash(visit->cookie, DIGITS, hash);
  return store_run(visit->service->store,
                   "DELETE FROM visit WHERE expires <= ?", "i", now) >= 0 &&
         store_run(visit->service->store,
                   "INSERT OR REPLACE INTO visit VALUES(?, ?, ?, ?)", "sssi",
                   visit->session, hash, name,
                   now + GUESS_VISIT_MINUTES * WHEN_MINUTE) > 0;
}
