/*
 * courier.c: posting events with libcurl; the only file that knows it.
 *
 * It goes to the address that the webhook names and nowhere else: no proxy
 * of the environment, no redirects, http and https only. One delivery at a
 * time, so that events arrive in their order as long as they are taken. The
 * waiting is libcurl's, too: curl_multi_poll ends early when rung.
 */
#include "courier.h"

#include "guesses.h"
#include "outbox.h"
#include "secret.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_SECONDS 3L
#define TOTAL_SECONDS 5L
/* Milliseconds until the store is asked again after it has failed; they
 * double, as what was delivered and not noted is delivered again. */
#define AFTER_FAILURE 1000
#define MOST_AFTER_FAILURE 300000
#define LONGEST_WAIT 3600000

struct Courier {
  Store *store;
  pthread_t thread;
  CURLM *multi;
  CURL *easy;
  int ending; /* atomic */
};

static bool is_ending(const Courier *courier) {
  return __atomic_load_n(&courier->ending, __ATOMIC_SEQ_CST);
}

/* An answer's body says nothing; one without end runs into the timeout. */
static size_t pass_over(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes, (void)context;
  return size * count;
}

static bool set_up(CURL *easy) {
  return curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") ==
             CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) ==
             CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_TIMEOUT, TOTAL_SECONDS) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over) == CURLE_OK;
}

static struct curl_slist *headers_of(const OutboxDue *due) {
  char line[sizeof GUESS_EVENT_HEADER + 2 + SECRET_HASH_SIZE];
  char digits[SECRET_HASH_SIZE];
  secret_mac(due->secret, due->body, digits);
  snprintf(line, sizeof line, GUESS_EVENT_HEADER ": %s", digits);
  struct curl_slist *list =
      curl_slist_append(NULL, "Content-Type: application/json");
  struct curl_slist *longer = list ? curl_slist_append(list, line) : NULL;
  if (!longer) curl_slist_free_all(list);
  return longer;
}

/* Runs the transfer that is added; CURLE_ABORTED_BY_CALLBACK when ending. */
static CURLcode transfer(Courier *courier) {
  int running = 1, left;
  while (running && !is_ending(courier)) {
    if (curl_multi_perform(courier->multi, &running) != CURLM_OK) break;
    if (running) curl_multi_poll(courier->multi, NULL, 0, 1000, NULL);
  }
  CURLMsg *said = curl_multi_info_read(courier->multi, &left);
  return said ? said->data.result : CURLE_ABORTED_BY_CALLBACK;
}

/* True when the try was made; *status 0 when nobody answered. */
static bool post(Courier *courier, const OutboxDue *due, long *status,
                 const char **words) {
  CURL *easy = courier->easy;
  struct curl_slist *headers = headers_of(due);
  CURLcode result = CURLE_OUT_OF_MEMORY;
  *status = 0;
  if (headers && curl_easy_setopt(easy, CURLOPT_URL, due->url) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, due->body) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
      curl_multi_add_handle(courier->multi, easy) == CURLM_OK) {
    result = transfer(courier);
    if (result == CURLE_OK)
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
    curl_multi_remove_handle(courier->multi, easy);
  }
  curl_slist_free_all(headers);
  *words = curl_easy_strerror(result);
  return result != CURLE_ABORTED_BY_CALLBACK;
}

/* False when the store fails, or the end came in between. */
static bool deliver(Courier *courier, const OutboxDue *due) {
  char number[16];
  const char *outcome;
  long status;
  if (!post(courier, due, &status, &outcome)) return false;
  bool taken = status >= 200 && status < 300; /* guess: any of these */
  snprintf(number, sizeof number, "%ld", status);
  return outbox_done(courier->store, due, taken, status ? number : outcome);
}

/* Milliseconds until then, by the sandbox's clock. */
static int until(When next) {
  if (next == WHEN_NONE) return LONGEST_WAIT;
  int64_t left = (next - when_now()) / (WHEN_SECOND / 1000) + 1;
  if (left < 0) left = 0;
  return left < LONGEST_WAIT ? (int)left : LONGEST_WAIT;
}

static void *run(void *context) {
  Courier *courier = context;
  OutboxDue due;
  When next;
  int after_failure = AFTER_FAILURE;
  while (!is_ending(courier)) {
    int wait = 0, found = outbox_next(courier->store, &due, &next);
    if (found == 0) {
      wait = until(next);
    } else if (found == 1 && deliver(courier, &due)) {
      after_failure = AFTER_FAILURE;
    } else {
      wait = after_failure;
      if (after_failure < MOST_AFTER_FAILURE) after_failure *= 2;
    }
    outbox_clear(&due);
    if (wait > 0 && !is_ending(courier))
      curl_multi_poll(courier->multi, NULL, 0, wait, NULL);
  }
  return NULL;
}

static void ring(void *courier) {
  courier_ring(courier);
}

Courier *courier_open(Store *store, bool beyond) {
  Courier *courier = calloc(1, sizeof *courier);
  if (!courier || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    free(courier);
    return NULL;
  }
  courier->store = store;
  courier->multi = curl_multi_init();
  courier->easy = curl_easy_init();
  if (courier->multi && courier->easy && set_up(courier->easy) &&
      outbox_resume(store, beyond)) {
    store_watch(store, ring, courier);
    if (pthread_create(&courier->thread, NULL, run, courier) == 0)
      return courier;
    store_watch(store, NULL, NULL);
  }
  curl_easy_cleanup(courier->easy);
  curl_multi_cleanup(courier->multi);
  free(courier);
  curl_global_cleanup();
  return NULL;
}

void courier_ring(Courier *courier) {
  curl_multi_wakeup(courier->multi);
}

void courier_close(Courier *courier) {
  if (!courier) return;
  __atomic_store_n(&courier->ending, 1, __ATOMIC_SEQ_CST);
  courier_ring(courier);
  pthread_join(courier->thread, NULL);
  store_watch(courier->store, NULL, NULL);
  curl_easy_cleanup(courier->easy);
  curl_multi_cleanup(courier->multi);
  free(courier);
  curl_global_cleanup();
}
