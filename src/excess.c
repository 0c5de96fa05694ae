/*
 * excess.c: looks where bytes can be left: in the socket, and in OpenSSL's
 * buffer, which may have read more than it was asked for; see excess.h.
 */
#include "excess.h"

#include "multi.h"

#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

int sc_excess_knows_tls(void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  const char *version = info->ssl_version;
  return version && strncmp(version, "OpenSSL/", 8) == 0 &&
         strcmp(version + 8, OpenSSL_version(OPENSSL_VERSION_STRING)) == 0;
}

void sc_excess_watch(Transfer *transfer) {
  struct curl_tlssessioninfo *session = NULL;
  long version = 0;
  transfer->shared = 0;
  transfer->tls = NULL;
  /* Without TLS there is no HTTP/2. */
  if (strncmp(transfer->request->url, "https:", 6) != 0) return;
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
  transfer->shared = version == CURL_HTTP_VERSION_2_0;
  if (transfer->shared || !transfer->home->knows_tls) return;
  curl_easy_getinfo(transfer->easy, CURLINFO_TLS_SSL_PTR, &session);
  if (session && session->backend == CURLSSLBACKEND_OPENSSL) {
    transfer->tls = session->internals;
  }
}

/* Its connection's, by which two transfers know that they have the same. */
static long local_port(const Transfer *transfer) {
  long port = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_LOCAL_PORT, &port);
  return port;
}

/* Whether a transfer that began when this one ended has its connection, and
 * rests: then libcurl does not watch it. */
static int is_taken(const Transfer *transfer) {
  const Transfer *it = transfer->home->sent ? transfer->home->running : NULL;
  long port = local_port(transfer);
  for (; it; it = it->next) {
    if (it != transfer && (it->paused || it->is_in[QUEUE_RESTING]) &&
        local_port(it) == port) {
      return 1;
    }
  }
  return 0;
}

/* libcurl tells the socket of a connection that it keeps; one that it closed,
 * and its TLS with it, has none. One that it watches again, or that another
 * transfer has that rests, is that one's already, and what comes there the
 * answer to it. */
void sc_excess_end(const Transfer *transfer) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  char bytes[1024];
  if (transfer->shared) return;
  curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &socket);
  if (socket == CURL_SOCKET_BAD ||
      curl_multi_assign(transfer->multi->handle, socket, NULL) == CURLM_OK ||
      is_taken(transfer)) {
    return;
  }
  if (recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) <= 0 &&
      (!transfer->tls || SSL_pending(transfer->tls) == 0)) {
    return;
  }
  shutdown(socket, SHUT_RDWR);
  while (recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
}
