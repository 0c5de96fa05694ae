/*
 * courier.c: posting events with libcurl; the only file that knows it.
 *
 * It goes to the address that the webhook names and nowhere else: no proxy
 * of the environment, no redirects, http and https only. One delivery at a
 * time to each webhook, so that events arrive in their order as long as they
 * are taken; all webhooks at once, so that none waits for another. The
 * waiting is libcurl's, too: curl_multi_poll ends early when rung.
 */
#include "courier.h"

#include "guesses.h"
#include "outbox.h"
#include "secret.h"
#include "when.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL_SECONDS 30L
#define MOST_AT_ONCE 32
/* Milliseconds until something is begun again after the store has failed;
 * they double, as what was delivered and not noted is delivered again. */
#define AFTER_FAILURE 1000
#define MOST_AFTER_FAILURE 300000
#define LONGEST_WAIT 3600000

/* A place for one that is on its way; free when it has no URL. */
typedef struct Delivery {
  CURL *easy;
  struct curl_slist *headers;
  OutboxDue due;
} Delivery;

struct Courier {
  Store *store;
  pthread_t thread;
  CURLM *multi;
  Delivery deliveries[MOST_AT_ONCE];
  int64_t held; /* nothing is begun until then, unless rung */
  int after_failure;
  int ending, rung; /* atomic */
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

/* --- one delivery -------------------------------------------------------- */

/* Whether its outcome could be noted. */
static bool finish(Courier *courier, Delivery *delivery, CURLcode result) {
  char number[16];
  long status = 0;
  if (result == CURLE_OK)
    curl_easy_getinfo(delivery->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(courier->multi, delivery->easy);
  curl_slist_free_all(delivery->headers);
  delivery->headers = NULL;
  bool taken = status >= 200 && status < 300; /* guess: any of these */
  snprintf(number, sizeof number, "%ld", status);
  bool noted = outbox_done(courier->store, &delivery->due, taken,
                           status ? number : curl_easy_strerror(result));
  outbox_clear(&delivery->due);
  return noted;
}

/* What cannot be begun is a try that failed. */
static bool begin(Courier *courier, Delivery *delivery) {
  const OutboxDue *due = &delivery->due;
  CURL *easy = delivery->easy;
  delivery->headers = headers_of(due);
  if (delivery->headers &&
      curl_easy_setopt(easy, CURLOPT_URL, due->url) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, due->body) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_HTTPHEADER, delivery->headers) ==
          CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_PRIVATE, delivery) == CURLE_OK &&
      curl_multi_add_handle(courier->multi, easy) == CURLM_OK)
    return true;
  return finish(courier, delivery, CURLE_OUT_OF_MEMORY);
}

/* --- all of them --------------------------------------------------------- */

/* An OutboxBusy. */
static bool is_busy(void *context, const char *webhook) {
  const Courier *courier = context;
  for (size_t i = 0; i < MOST_AT_ONCE; i++) {
    const OutboxDue *due = &courier->deliveries[i].due;
    if (due->url && strcmp(due->webhook, webhook) == 0) return true;
  }
  return false;
}

/* Begins what is due, as long as there are places; *next is when more will
 * be. False: the store failed. */
static bool begin_all(Courier *courier, When *next) {
  *next = WHEN_NONE;
  for (size_t i = 0; i < MOST_AT_ONCE; i++) {
    Delivery *delivery = &courier->deliveries[i];
    if (delivery->due.url) continue;
    int found =
        outbox_next(courier->store, is_busy, courier, &delivery->due, next);
    if (found == 0) return true;
    if (found < 0 || !begin(courier, delivery)) return false;
  }
  return true;
}

/* Goes on with what is on its way. False: the store failed. */
static bool go_on(Courier *courier) {
  bool noted = true;
  int running, left;
  curl_multi_perform(courier->multi, &running);
  for (CURLMsg *said; (said = curl_multi_info_read(courier->multi, &left));) {
    CURLcode result = said->data.result;
    char *delivery = NULL;
    curl_easy_getinfo(said->easy_handle, CURLINFO_PRIVATE, &delivery);
    if (finish(courier, (Delivery *)(void *)delivery, result))
      courier->after_failure = AFTER_FAILURE;
    else
      noted = false;
  }
  return noted;
}

/* Milliseconds until then, by the sandbox's clock. */
static int until(When next) {
  if (next == WHEN_NONE) return LONGEST_WAIT;
  int64_t left = (next - when_now()) / (WHEN_SECOND / 1000) + 1;
  if (left < 0) left = 0;
  return left < LONGEST_WAIT ? (int)left : LONGEST_WAIT;
}

static void hold(Courier *courier) {
  courier->held = when_milliseconds() + courier->after_failure;
  if (courier->after_failure < MOST_AFTER_FAILURE) courier->after_failure *= 2;
}

/* How much longer; 0: it is not held. */
static int64_t holds(Courier *courier) {
  if (__atomic_exchange_n(&courier->rung, 0, __ATOMIC_SEQ_CST))
    courier->held = 0;
  int64_t left = courier->held - when_milliseconds();
  return left > 0 ? left : 0;
}

static void *run(void *context) {
  Courier *courier = context;
  while (!is_ending(courier)) {
    When next = WHEN_NONE;
    bool held = holds(courier) > 0;
    bool done = held || begin_all(courier, &next);
    if (!go_on(courier) || !done) hold(courier);
    int64_t left = holds(courier);
    int wait = left > 0 ? (int)left : until(next);
    if (!is_ending(courier))
      curl_multi_poll(courier->multi, NULL, 0, wait, NULL);
  }
  return NULL;
}

static void ring(void *courier) {
  courier_ring(courier);
}

static bool open_all(Courier *courier) {
  courier->multi = curl_multi_init();
  for (size_t i = 0; i < MOST_AT_ONCE; i++) {
    CURL *easy = courier->deliveries[i].easy = curl_easy_init();
    if (!easy || !set_up(easy)) return false;
  }
  return courier->multi != NULL;
}

static void close_all(Courier *courier) {
  for (size_t i = 0; i < MOST_AT_ONCE; i++) {
    Delivery *delivery = &courier->deliveries[i];
    if (courier->multi && delivery->easy)
      curl_multi_remove_handle(courier->multi, delivery->easy);
    curl_easy_cleanup(delivery->easy);
    curl_slist_free_all(delivery->headers);
    outbox_clear(&delivery->due);
  }
  curl_multi_cleanup(courier->multi);
  free(courier);
  curl_global_cleanup();
}

Courier *courier_open(Store *store, bool beyond) {
  Courier *courier = calloc(1, sizeof *courier);
  if (!courier || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    free(courier);
    return NULL;
  }
  courier->store = store;
  courier->after_failure = AFTER_FAILURE;
  if (open_all(courier) && outbox_resume(store, beyond)) {
    store_watch(store, ring, courier);
    if (pthread_create(&courier->thread, NULL, run, courier) == 0)
      return courier;
    store_watch(store, NULL, NULL);
  }
  close_all(courier);
  return NULL;
}

void courier_ring(Courier *courier) {
  __atomic_store_n(&courier->rung, 1, __ATOMIC_SEQ_CST);
  curl_multi_wakeup(courier->multi);
}

void courier_close(Courier *courier) {
  if (!courier) return;
  __atomic_store_n(&courier->ending, 1, __ATOMIC_SEQ_CST);
  courier_ring(courier);
  pthread_join(courier->thread, NULL);
  store_watch(courier->store, NULL, NULL);
  close_all(courier);
}
