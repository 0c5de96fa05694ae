/*
 * sigpipe.c: holds SIGPIPE back for a while; see sigpipe.h.
 *
 * A thread whose SIGPIPE is not blocked has none that waits, so only hosts
 * that block it cost a look.
 */
#include "sigpipe.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* Since 7.87 libcurl writes OpenSSL's bytes itself, as all others, and asks
 * for an error alone; of 7.88 that was seen. */
#define ASKS_FOR_ERRORS 0x075800

int sc_sigpipe_may_come(void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  return info->version_num < ASKS_FOR_ERRORS || !info->ssl_version ||
         strncmp(info->ssl_version, "OpenSSL/", 8) != 0;
}

static void set_of_it(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

void sc_sigpipe_hold(Sigpipe *sigpipe) {
  sigset_t set;
  set_of_it(&set);
  pthread_sigmask(SIG_BLOCK, &set, &sigpipe->mask);
  sigpipe->waits = 0;
  if (sigismember(&sigpipe->mask, SIGPIPE) == 1) {
    sigpending(&set);
    sigpipe->waits = sigismember(&set, SIGPIPE) == 1;
  }
}

void sc_sigpipe_release(const Sigpipe *sigpipe) {
  static const struct timespec at_once = {0, 0};
  sigset_t set;
  set_of_it(&set);
  if (!sigpipe->waits) sigtimedwait(&set, NULL, &at_once);
  pthread_sigmask(SIG_SETMASK, &sigpipe->mask, NULL);
}
