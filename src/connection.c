/*
 * connection.c: trust, certificate, proxy and version of HTTP of a client's
 * connections; see connection.h.
 *
 * The environment has no say in any of it. lua/signicat/connection.lua has
 * judged the settings and brought them into this flat form.
 */
#include "connection.h"

#include <string.h>

/* Whether there is no memory for it. An option that is not set would be one
 * that nobody misses: another trust, no proxy. */
#define SET(option, value) \
  (curl_easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY)

typedef struct Setting {
  const char *name;
  CURLoption option;
} Setting;

static const Setting texts[] = {
    {"ca_file", CURLOPT_CAINFO},    {"ca_file", CURLOPT_PROXY_CAINFO},
    {"cert_file", CURLOPT_SSLCERT}, {"key_file", CURLOPT_SSLKEY},
    {"proxy", CURLOPT_PROXY},       {"proxy_user", CURLOPT_PROXYUSERNAME},
    {"no_proxy", CURLOPT_NOPROXY},  {"proxy_password", CURLOPT_PROXYPASSWORD},
};

static const Setting pems[] = {
    {"ca_pem", CURLOPT_CAINFO_BLOB},
    {"ca_pem", CURLOPT_PROXY_CAINFO_BLOB},
    {"cert_pem", CURLOPT_SSLCERT_BLOB},
    {"key_pem", CURLOPT_SSLKEY_BLOB},
};

#define COUNT(list) (sizeof list / sizeof *list)

static int set_texts(lua_State *L, int index, CURL *easy) {
  int failed = 0;
  size_t i;
  for (i = 0; i < COUNT(texts); i++) {
    lua_getfield(L, index, texts[i].name);
    if (lua_isstring(L, -1)) {
      failed |= SET(texts[i].option, lua_tostring(L, -1));
    }
    lua_pop(L, 1);
  }
  return failed;
}

static int set_pems(lua_State *L, int index, CURL *easy) {
  int failed = 0;
  size_t i;
  for (i = 0; i < COUNT(pems); i++) {
    lua_getfield(L, index, pems[i].name);
    if (lua_isstring(L, -1)) {
      struct curl_blob blob;
      blob.data = (void *)lua_tolstring(L, -1, &blob.len);
      blob.flags = CURL_BLOB_COPY;
      failed |= SET(pems[i].option, &blob);
    }
    lua_pop(L, 1);
  }
  return failed;
}

int sc_connection_set(lua_State *L, int index, CURL *easy) {
  /* The bundle alone can be cached; a folder is read at each connect. Proxies
   * of the environment are not ours to use unasked. */
  if (SET(CURLOPT_CAPATH, NULL) || SET(CURLOPT_PROXY_CAPATH, NULL) ||
      SET(CURLOPT_PROXY, "") || SET(CURLOPT_NOPROXY, "")) {
    return -1;
  }
  (void)SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!lua_istable(L, index)) return 0;
  if (set_texts(L, index, easy) || set_pems(L, index, easy)) return -1;
  lua_getfield(L, index, "insecure");
  if (lua_toboolean(L, -1)) {
    (void)SET(CURLOPT_SSL_VERIFYPEER, 0L);
    (void)SET(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  lua_pop(L, 1);
  return 0;
}

long sc_connection_version(lua_State *L, int index) {
  const char *version;
  long wanted = CURL_HTTP_VERSION_NONE;
  if (!lua_istable(L, index)) return wanted;
  lua_getfield(L, index, "http_version");
  version = lua_tostring(L, -1);
  if (version && strcmp(version, "1.1") == 0) wanted = CURL_HTTP_VERSION_1_1;
  if (version && strcmp(version, "2") == 0) wanted = CURL_HTTP_VERSION_2TLS;
  lua_pop(L, 1);
  return wanted;
}
