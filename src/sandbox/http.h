/*
 * http.h: the server on its sockets.
 *
 * http.c and delivery.c are the only files that know libmicrohttpd: they
 * bring requests to dispatch.h and send the replies. All is on 127.0.0.1 and
 * nowhere else. Beside the service's port there is a second one, for tests'
 * levers alone, which stays open and plain whatever becomes of the first.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "service.h"

typedef struct Http Http;

/* PEM texts for https at the service's port. */
typedef struct HttpTls {
  char *key, *certificate;
} HttpTls;

/* A listening socket, or -1 with errno; *port 0 becomes the one it got. The
 * sockets are made first so that the service knows its own URLs before the
 * first request can come. */
int http_listen(unsigned short *port);
/* Takes the sockets, of the service and of the levers; `tls` NULL: plain.
 * NULL when the server cannot start. */
Http *http_start(const Service *service, int listener, int control,
                 const HttpTls *tls);
/* Takes nothing more, and answers what is under way, within a time; its
 * threads have ended when it returns. */
void http_stop(Http *http);

#endif
