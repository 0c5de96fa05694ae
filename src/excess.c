/*
 * excess.c: looks where bytes can be left: in the socket, and in OpenSSL's
 * buffer, which may have read more than it was asked for; see excess.h.
 */
#include "excess.h"

#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

static int is_http1(CURL *easy) {
  long version = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  return version != CURL_HTTP_VERSION_2_0;
}

void sc_excess_watch(Transfer *transfer) {
  struct curl_tlssessioninfo *session = NULL;
  transfer->tls = NULL;
  if (strncmp(transfer->request->url, "https:", 6) != 0 ||
      !is_http1(transfer->easy)) {
    return;
  }
  curl_easy_getinfo(transfer->easy, CURLINFO_TLS_SSL_PTR, &session);
  if (session && session->backend == CURLSSLBACKEND_OPENSSL) {
    transfer->tls = session->internals;
  }
}

/* The socket is that of a connection that libcurl keeps; one it has closed,
 * and its TLS with it, has none. */
void sc_excess_end(const Transfer *transfer) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  char bytes[1024];
  if (!is_http1(transfer->easy)) return;
  curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &socket);
  if (socket == CURL_SOCKET_BAD) return;
  if (recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) <= 0 &&
      (!transfer->tls || SSL_pending(transfer->tls) == 0)) {
    return;
  }
  shutdown(socket, SHUT_RDWR);
  while (recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
}
