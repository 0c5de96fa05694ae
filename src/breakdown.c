/*
 * breakdown.c: makes a failure of how a transfer ended; see breakdown.h.
 *
 * libcurl's own words go into the line that is logged, except where they
 * name files: those are the caller's and go to `detail`. The address of a
 * proxy has no password in it (see connection.lua), so no words of libcurl's
 * can have one.
 */
#include "breakdown.h"

#include "error.h"
#include "wire.h"

#include <string.h>

/* Whether a proxy was asked for a tunnel, and made none. */
static int has_no_tunnel(CURL *easy) {
  long asked = 0, status = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &asked);
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
  return asked > 0 && status / 100 != 2;
}

/* The phase that was under way when the transfer failed. */
static const char *phase_of(const Transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_off_t lookup = 0;
  char *address = NULL;
  if (transfer->status_read) return "body";
  if (sc_wire_head_sent(transfer) > 0) {
    const Source *source = &transfer->request->source;
    return source->position < source->size ? "send" : "first_byte";
  }
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup);
  if (lookup == 0) return "dns";
  /* CONNECT_TIME comes only when the handshake is done as well. */
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
  if (!address || !*address || has_no_tunnel(easy)) return "connect";
  return strncmp(transfer->request->url, "https:", 6) ? "send" : "tls";
}

/* A stream of HTTP/2 that the server ended is what a connection is that it
 * ended: CURLE_HTTP2_STREAM is with all the others, `connect`. */
static const char *kind_of(CURLcode code) {
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT: return "timeout";
  case CURLE_OUT_OF_MEMORY: return "memory";
  case CURLE_ABORTED_BY_CALLBACK: return "cancelled";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH: return "tls";
  case CURLE_URL_MALFORMAT: return "invalid";
  case CURLE_UNSUPPORTED_PROTOCOL: /* an answer that is not HTTP/1 or 2 */
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_HTTP2:
  case CURLE_BAD_CONTENT_ENCODING: return "protocol";
  default: return "connect";
  }
}

static int push_late(lua_State *L, Late late) {
  if (late == LATE_FIRST_BYTE) {
    return sc_fail(L, "timeout",
                   "no byte of the answer came within first_byte_timeout");
  }
  return sc_fail(L, "timeout", "no byte moved within stall_timeout");
}

/* What we stopped ourselves we know better than libcurl's code. */
static int push_own_failure(lua_State *L, const Transfer *transfer) {
  const Request *request = transfer->request;
  if (transfer->told) {
    lua_pushnil(L);
    sc_getslot(L, 1, TRANSFER_FAILURE);
    return 2;
  }
  if (transfer->no_memory) {
    return sc_fail(L, "memory", "not enough memory for the transfer");
  }
  if (transfer->too_large) {
    return sc_fail(L, "too_large", "the answer is larger than max_body allows");
  }
  if (sc_part_push_failure(L, request, transfer->misfit)) return 2;
  if (transfer->late) return push_late(L, transfer->late);
  return 0;
}

static int names_files(CURLcode code) {
  return code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
}

/* What libcurl says of our own callbacks says nothing to others: that seek did
 * not let it send a request again was after its connection broke. */
static const char *words_of(const Transfer *transfer) {
  if (transfer->code == CURLE_SEND_FAIL_REWIND) {
    return "the connection broke before an answer came";
  }
  if (*transfer->message) return transfer->message;
  if (transfer->code == CURLE_ABORTED_BY_CALLBACK) {
    return "its task was cancelled, or its client closed";
  }
  return curl_easy_strerror(transfer->code);
}

static void push_libcurl_failure(lua_State *L, const Transfer *transfer) {
  CURLcode code = transfer->code;
  const char *words = words_of(transfer);
  /* There always is one: there was no memory to put it together. */
  if (code == CURLE_URL_MALFORMAT && strcmp(words, "No URL set") == 0) {
    sc_fail(L, "memory", "libcurl has no memory for the address");
    return;
  }
  if (!names_files(code)) {
    sc_fail(L, kind_of(code), "%s", words);
    return;
  }
  sc_fail(L, "tls", "%s",
          code == CURLE_SSL_CERTPROBLEM
              ? "the client's own certificate or key cannot be used"
              : "the certificates of tls.ca_file or ca_pem cannot be used");
  lua_pushstring(L, words);
  lua_setfield(L, -2, "detail");
}

int sc_breakdown_push(lua_State *L, Transfer *transfer) {
  int own = push_own_failure(L, transfer);
  if (!own) push_libcurl_failure(L, transfer);
  lua_pushboolean(L, sc_wire_head_sent(transfer) > 0);
  lua_setfield(L, -2, "sent");
  if (transfer->status_read) {
    lua_pushinteger(L, transfer->status);
    lua_setfield(L, -2, "status");
  }
  lua_pushstring(L, phase_of(transfer));
  lua_setfield(L, -2, "phase");
  /* Only a break of the network's is mended by going on; what was decided here
   * would be decided again. */
  sc_part_end(L, transfer->request, !own || transfer->late);
  return 2;
}
