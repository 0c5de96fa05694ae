/*
 * http.h: the server on its socket.
 *
 * http.c is the only file that knows libmicrohttpd: it brings requests to
 * dispatch.h and sends the replies. It listens on 127.0.0.1 and nowhere
 * else.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "service.h"

typedef struct Http Http;

/* A listening socket, or -1 with errno; *port 0 becomes the one it got. The
 * socket is made first so that the service knows its own URL before the
 * first request can come. */
int http_listen(unsigned short *port);
/* Takes the socket. NULL when the server cannot start. */
Http *http_start(const Service *service, int listener);
/* Answers nothing more; its threads have ended when it returns. */
void http_stop(Http *http);

#endif
