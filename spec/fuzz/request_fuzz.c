/*
 * request_fuzz.c: arbitrary requests against the sandbox, from dispatch.c to
 * the handlers and the store, without sockets.
 *
 * An input is requests as they are on the wire, parted by 0x1e; $T, $D, $C,
 * $S and $U stand for a token and the ids of a document, a collection, a
 * session, of its signatureUrl, $K and $F for what the last page gave: its
 * cookie, and the token of its form. Whatever a stranger sends, the sandbox
 * answers and never with an internal error; its JSON is JSON, a header is one
 * line of ASCII, and no markup of the stranger's gets into a page.
 */
#include "fuzz.h"

#include "sandbox/api.h"
#include "sandbox/courier.h"
#include "sandbox/dispatch.h"
#include "sandbox/documents.h"
#include "sandbox/faults.h"
#include "sandbox/folder.h"
#include "sandbox/journal.h"
#include "sandbox/packager.h"
#include "sandbox/press.h"
#include "sandbox/xades.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SEPARATOR 0x1e
#define MOST_LINES 32
#define MOST_TEXT (64 * 1024)

/* A request on its way in: its parts are cut out of a copy of the input. */
typedef struct Wire {
  char *method, *target, *lines[MOST_LINES];
  size_t line_count;
  const char *body;
  size_t body_size;
} Wire;

static Folder folder = {.lock = -1};
static Service service = {.documents = -1, .log = -1};

/* What stands for what, one letter each. */
static char known[128][256];

/* ---- in the place of the server ---------------------------------------- */

static const char *value_of(const char *line, const char *name) {
  size_t size = strlen(name);
  if (strncasecmp(line, name, size) != 0 || line[size] != ':') return NULL;
  line += size + 1;
  return line + strspn(line, " \t");
}

const char *request_header(const Request *request, const char *name) {
  const Wire *wire = request->connection;
  for (size_t i = 0; i < wire->line_count; i++) {
    const char *value = value_of(wire->lines[i], name);
    if (value) return value;
  }
  return NULL;
}

bool request_headers_all(const Request *request, const char *name,
                         bool (*test)(const char *value)) {
  const Wire *wire = request->connection;
  for (size_t i = 0; i < wire->line_count; i++) {
    const char *value = value_of(wire->lines[i], name);
    if (value && !test(value)) return false;
  }
  return true;
}

int64_t request_length(const Request *request) {
  return (int64_t)((const Wire *)request->connection)->body_size;
}

bool request_has_body(const Request *request) {
  return request_length(request) > 0;
}

/* Nothing is sent and nothing goes on behind an answer. */
void courier_ring(Courier *courier) {
  (void)courier;
}

void packager_wake(Packager *packager) {
  (void)packager;
}

/* ---- reading an input -------------------------------------------------- */

/* The input with what stands for something replaced; its size. */
static size_t expand(const char *text, size_t size, char *out) {
  size_t used = 0;
  for (size_t i = 0; i < size && used < MOST_TEXT - sizeof known[0]; i++) {
    const char *word =
        text[i] == '$' && i + 1 < size ? known[text[i + 1] & 127] : "";
    size_t length = strlen(word);
    memcpy(out + used, word, length);
    used += length;
    if (length > 0)
      i++;
    else
      out[used++] = text[i];
  }
  out[used] = '\0';
  return used;
}

/* False: no request that a server would hand on. */
static bool cut(char *text, size_t size, Wire *wire) {
  char *rest = text, *line = strsep(&rest, "\n");
  wire->method = strsep(&line, " ");
  wire->target = line;
  if (!line || !rest || *line != '/' || strchr(line, ' ')) return false;
  while ((line = strsep(&rest, "\n")) && *line) {
    if (wire->line_count == MOST_LINES) return false;
    wire->lines[wire->line_count++] = line;
  }
  wire->body = rest ? rest : "";
  wire->body_size = rest ? size - (size_t)(rest - text) : 0;
  return true;
}

/* ---- what has to hold -------------------------------------------------- */

static void expect_line(const char *text) {
  for (; text && *text; text++)
    expect((unsigned char)*text >= ' ' && (unsigned char)*text <= '~');
}

static void check_json(const Reply *reply) {
  json_t *body = json_loadb(reply->body ? reply->body : "", reply->size,
                            JSON_REJECT_DUPLICATES, NULL);
  bool problem = strcmp(reply->type, REPLY_PROBLEM) == 0;
  expect(body != NULL);
  expect(!problem ||
         json_integer_value(json_object_get(body, "status")) == reply->status);
  json_decref(body);
}

static void check_page(const Reply *reply) {
  static const char *const never[] = {"<script", "<img", "<iframe", "onerror="};
  for (size_t i = 0; reply->body && i < sizeof never / sizeof *never - 1; i++)
    expect(!memmem(reply->body, reply->size, never[i], strlen(never[i])));
  expect(reply->policy != NULL);
}

static void check(const Reply *reply) {
  expect(reply->status >= 200 && reply->status < 600);
  expect(reply->status != 500);
  expect_line(reply->type);
  expect_line(reply->location);
  expect_line(reply->cookie);
  expect_line(reply->policy);
  expect((reply->status == 405) == (reply->allow[0] != '\0'));
  if (reply->has_file) return;
  if (strncmp(reply->type, "application/", 12) == 0 &&
      strstr(reply->type, "json"))
    check_json(reply);
  if (strncmp(reply->type, "text/html", 9) == 0) check_page(reply);
}

/* ---- one request ------------------------------------------------------- */

/* A hundred thousand sessions take a second each time. */
static bool is_slow(const Request *request) {
  return request->match.route && request->match.route->handle == account_seed;
}

/* A NUL is nowhere in JSON. */
static void check_body(const Request *request, const Reply *reply) {
  RouteBody kind = request->match.route->body;
  if (kind != ROUTE_JSON && kind != ROUTE_MAY_JSON) return;
  if (request->body_size > 0 && memchr(request->body, 0, request->body_size))
    expect(reply->status >= 400);
}

/* The body comes in two pieces, as it well may. */
static void answer(Request *request, const Wire *wire, Reply *reply) {
  size_t half = wire->body_size / 2;
  if (!dispatch_head(request, reply) || is_slow(request)) return;
  if ((half > 0 && !dispatch_body(request, reply, wire->body, half)) ||
      (wire->body_size > half &&
       !dispatch_body(request, reply, wire->body + half,
                      wire->body_size - half)))
    return;
  dispatch_end(request, reply);
  check_body(request, reply);
}

/* What a browser has after a page. */
static void keep(const Reply *reply) {
  static const char field[] = "name=\"token\" value=\"";
  const char *token = reply->body ? strstr(reply->body, field) : NULL;
  if (token)
    snprintf(known['F'], sizeof known['F'], "%.64s", token + strlen(field));
  if (reply->cookie)
    snprintf(known['K'], sizeof known['K'], "%.*s",
             (int)strcspn(reply->cookie, ";"), reply->cookie);
}

/* Whether it may have changed anything. */
static bool serve(const char *text, size_t size, Reply *reply) {
  char *copy = malloc(MOST_TEXT + 1);
  Wire wire = {.line_count = 0};
  bool changed = false;
  if (cut(copy, expand(text, size, copy), &wire)) {
    Request request = {.service = &service,
                       .connection = &wire,
                       .method = wire.method,
                       .target = wire.target};
    answer(&request, &wire, reply);
    if (!is_slow(&request)) check(reply);
    expect(!strstr(wire.target, "%00") || reply->status >= 400);
    keep(reply);
    changed = strcmp(wire.method, "GET") != 0 && reply->status < 400;
    blob_abandon(request.blob);
    query_clear(&request.query);
    free(request.body);
  }
  free(copy);
  return changed;
}

/* ---- the account that strangers meet ----------------------------------- */

/* Sends a request and keeps a member of its answer under a letter. */
static void make(const char *text, char letter, const char *member) {
  Reply reply = {.status = 0};
  serve(text, strlen(text), &reply);
  json_t *body = json_loadb(reply.body ? reply.body : "", reply.size, 0, NULL);
  const json_t *object = json_is_array(body) ? json_array_get(body, 0) : body;
  const char *value = json_string_value(json_object_get(object, member));
  expect(value != NULL);
  if (letter == 'U') value = strchr(value, '=') + 1;
  snprintf(known[(int)letter], sizeof known[0], "%s", value);
  if (letter == 'S') {
    value = json_string_value(json_object_get(object, "signatureUrl"));
    snprintf(known['U'], sizeof known['U'], "%s", strchr(value, '=') + 1);
  }
  json_decref(body);
  reply_clear(&reply);
}

static void fill_account(void) {
  char form[512];
  snprintf(form, sizeof form,
           "POST /auth/open/connect/token\nHost: localhost\nContent-Type: "
           "application/x-www-form-urlencoded\n\ngrant_type=client_credentials"
           "&scope=signicat-api&client_id=%s&client_secret=%s",
           service.client_id, service.client_secret);
  make(form, 'T', "access_token");
  make("POST /sign/documents\nHost: localhost\nAuthorization: Bearer $T\n"
       "Content-Type: text/markdown\n\n# Lease\n\nof a *flat*\n",
       'D', "documentId");
  make("POST /sign/document-collections\nHost: localhost\nAuthorization: "
       "Bearer $T\nContent-Type: application/json\n\n"
       "{\"documents\":[{\"documentId\":\"$D\"}]}",
       'C', "id");
  make("POST /sign/signing-sessions\nHost: localhost\nAuthorization: Bearer "
       "$T\nContent-Type: application/json\n\n[{\"title\":\"Lease\","
       "\"documents\":[{\"documentId\":\"$D\",\"documentCollectionId\":\"$C\","
       "\"action\":\"SIGN\"}],\"redirectSettings\":{\"success\":"
       "\"https://a.example/?\xc3\xa9#x\",\"cancel\":\"app://a\",\"error\":"
       "\"https://a.example\"},\"signingSetup\":[{\"signingFlow\":"
       "\"AUTHENTICATION_BASED\",\"identityProviders\":[{\"idpName\":\"nbid\"}]"
       "}]}]",
       'S', "id");
}

static void reset(void) {
  static const char text[] = "POST /_sandbox/reset\nHost: localhost\n\n";
  Reply reply = {.status = 0};
  serve(text, sizeof text - 1, &reply);
  expect(reply.status == 204);
  reply_clear(&reply);
  fill_account();
}

static void close_all(void) {
  store_close(service.store);
  folder_close(&folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  char why[4352] = "";
  if (*argc == 2 && strcmp((*argv)[1], PRESS_OPTION) == 0) return press_main();
  if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
  json_object_seed(1);
  expect(xades_start() && folder_open(&folder, NULL, why, sizeof why));
  atexit(close_all);
  expect(folder_credentials(&folder, service.client_id,
                            sizeof service.client_id, service.client_secret,
                            sizeof service.client_secret, why, sizeof why));
  service.pki = pki_open(folder.path, why, sizeof why);
  service.store = store_open(folder.path, why, sizeof why);
  service.documents = blob_open_folder(folder.path);
  service.press = press_open(service.documents, PRESS_SECONDS);
  service.journal = journal_open();
  service.faults = faults_open();
  service.token_ttl = 3600;
  service.max_upload = 1024 * 1024;
  snprintf(service.url, sizeof service.url, "http://127.0.0.1:1");
  snprintf(service.control_url, sizeof service.control_url, "%s", service.url);
  expect(service.pki && service.store && service.documents >= 0 &&
         service.press);
  fill_account();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data, *end = text + size;
  bool changed = false;
  *known['K'] = *known['F'] = '\0';
  while (text < end) {
    Reply reply = {.status = 0};
    const char *stop = memchr(text, SEPARATOR, (size_t)(end - text));
    if (!stop) stop = end;
    changed |= serve(text, (size_t)(stop - text), &reply);
    reply_clear(&reply);
    text = stop + 1;
  }
  if (changed) reset();
  return 0;
}
