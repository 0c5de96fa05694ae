/*
 * token.c: the token endpoint, and judging the tokens it gave out.
 *
 * Client credentials come in the form or by HTTP Basic, never both. A token
 * is random; the store keeps its digest and its end only. Failures here have
 * the OAuth form, not problem+json.
 */
#include "token.h"

#include "api.h"
#include "disk.h"
#include "guesses.h"
#include "request.h"
#include "secret.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define SCOPE "signicat-api"
#define TOKEN_DIGITS 64
#define MOST_TOKEN 512

static void refuse(Reply *reply, int status, const char *error,
                   const char *description) {
  reply_json(reply, status, REPLY_JSON,
             json_pack("{s:s, s:s}", "error", error, "error_description",
                       description));
  reply->no_store = true;
  if (status == 401) reply->challenge = "Basic realm=\"signicat-sandbox\"";
}

/* The words after "<scheme> ", or NULL when it is another scheme. */
static const char *after_scheme(const char *header, const char *scheme) {
  size_t size = strlen(scheme);
  if (!header || strncasecmp(header, scheme, size) != 0) return NULL;
  if (header[size] != ' ') return NULL;
  header += size;
  return header + strspn(header, " ");
}

/* Credentials as HTTP Basic carries them. */
typedef struct Basic {
  char text[4 * (SERVICE_ID_SIZE + SERVICE_SECRET_SIZE)];
  char *id, *secret; /* into text */
} Basic;

/* Both halves are form-encoded before they are joined (RFC 6749, 2.3.1). */
static bool read_basic(const char *encoded, Basic *basic) {
  size_t size = strlen(encoded);
  if (size == 0 || size % 4 || size / 4 * 3 >= sizeof basic->text) return false;
  int length = EVP_DecodeBlock((unsigned char *)basic->text,
                               (const unsigned char *)encoded, (int)size);
  if (length < 0) return false;
  /* Padding was decoded as zero bytes, so the text ends before it. */
  basic->text[length] = '\0';
  basic->secret = basic->text;
  basic->id = strsep(&basic->secret, ":");
  return basic->secret && query_decode(basic->id, true) &&
         query_decode(basic->secret, true);
}

static bool is_client(const Service *service, const char *id,
                      const char *secret) {
  return id && secret && secret_equal(id, service->client_id) &&
         secret_equal(secret, service->client_secret);
}

/* Names this endpoint reads; OAuth forbids any of them to come twice. */
static bool any_twice(const Query *form) {
  static const char *const names[] = {"grant_type", "scope", "client_id",
                                      "client_secret"};
  bool again = false;
  for (size_t i = 0; i < sizeof names / sizeof *names && !again; i++)
    query_value(form, names[i], &again);
  return again;
}

static bool has_scope(const char *scope) {
  if (!scope) return !GUESS_SCOPE_REQUIRED;
  for (size_t size; *scope; scope += size) {
    scope += strspn(scope, " ");
    size = strcspn(scope, " ");
    if (size == strlen(SCOPE) && memcmp(scope, SCOPE, size) == 0) return true;
  }
  return false;
}

static void issue(const Service *service, Reply *reply) {
  char token[TOKEN_DIGITS + 1], hash[SECRET_HASH_SIZE];
  When now = when_now();
  secret_random_hex(token, TOKEN_DIGITS);
  secret_hash(token, TOKEN_DIGITS, hash);
  if (store_run(service->store, "DELETE FROM token WHERE expires <= ?", "i",
                now) < 0 ||
      store_run(service->store, "INSERT INTO token VALUES(?, ?)", "si", hash,
                now + service->token_ttl * WHEN_SECOND) < 0) {
    refuse(reply, disk_was_full() ? 507 : 500, "server_error",
           "The token could not be stored.");
    return;
  }
  reply_json(reply, 200, REPLY_JSON,
             json_pack("{s:s, s:I, s:s, s:s}", "access_token", token,
                       "expires_in", (json_int_t)service->token_ttl,
                       "token_type", "Bearer", "scope", SCOPE));
  reply->no_store = true;
}

static void answer(const Request *request, const Query *form, Reply *reply) {
  bool again;
  const char *header = request_header(request, "Authorization");
  const char *encoded = after_scheme(header, "Basic");
  const char *id = query_value(form, "client_id", &again);
  const char *secret = query_value(form, "client_secret", &again);
  const char *grant = query_value(form, "grant_type", &again);
  Basic basic;
  if (any_twice(form))
    refuse(reply, 400, "invalid_request", "A parameter was given twice.");
  else if (header && secret)
    refuse(reply, 400, "invalid_request",
           "Credentials belong in the form or in the header, not in both.");
  else if (header && (!encoded || !read_basic(encoded, &basic)))
    refuse(reply, 401, "invalid_client",
           "The Authorization header is not valid HTTP Basic.");
  else if (!is_client(request->service, encoded ? basic.id : id,
                      encoded ? basic.secret : secret))
    refuse(reply, 401, "invalid_client",
           "The client_id or client_secret is missing or wrong.");
  else if (!grant)
    refuse(reply, 400, "invalid_request", "grant_type is missing.");
  else if (strcmp(grant, "client_credentials") != 0)
    refuse(reply, 400, "unsupported_grant_type",
           "grant_type must be client_credentials.");
  else if (!has_scope(query_value(form, "scope", &again)))
    refuse(reply, 400, "invalid_scope", "The scope must be " SCOPE ".");
  else
    issue(request->service, reply);
}

void token_issue(Request *request, Reply *reply) {
  Query form = {0};
  if (query_read(&form, request->body ? request->body : "", request->body_size))
    answer(request, &form, reply);
  else
    refuse(reply, 400, "invalid_request", "The form cannot be read.");
  query_clear(&form);
}

bool token_accepts(const Service *service, const char *authorization,
                   bool *failed) {
  char hash[SECRET_HASH_SIZE];
  const char *token = after_scheme(authorization, "Bearer");
  if (!token || strlen(token) > MOST_TOKEN) return false;
  secret_hash(token, strlen(token), hash);
  Rows *rows = store_query(service->store,
                           "SELECT 1 FROM token WHERE hash = ? AND expires > ?",
                           "si", hash, when_now());
  int found = store_next(rows);
  store_done(rows);
  *failed = found < 0;
  return found > 0;
}
