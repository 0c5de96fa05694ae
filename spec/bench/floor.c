/*
 * floor.c: the least a client on libcurl can cost, for comparison.
 *
 * Sends the same GET `count` times and throws the bodies away. Easy handles
 * are filled once and used again:
 *
 *   easy   one of them
 *   reset  one, which is reset and filled anew for each GET
 *   multi  one, through a multi handle, as the client's transfers go
 *   parts  the same, with the address in parts: libcurl need not read it
 *   many   64 at a time, through one multi handle
 *
 *   floor HOW COUNT URL [HEADER...]
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 64

static struct curl_slist *headers;
static const char *url;
static CURLU *parts;

static size_t discard(char *bytes, size_t one, size_t size, void *context) {
  (void)bytes;
  (void)context;
  return one * size;
}

static void fail(const char *what) {
  fprintf(stderr, "floor: %s\n", what);
  exit(1);
}

static void fill(CURL *easy) {
  if (parts) {
    curl_easy_setopt(easy, CURLOPT_CURLU, parts);
  } else {
    curl_easy_setopt(easy, CURLOPT_URL, url);
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static CURL *new_easy(void) {
  CURL *easy = curl_easy_init();
  if (!easy) fail("no memory");
  fill(easy);
  return easy;
}

static void check(CURL *easy, CURLcode code) {
  long status = 0;
  if (code != CURLE_OK) fail(curl_easy_strerror(code));
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) fail("the status is not 200");
}

static void get_easily(long count, int anew) {
  CURL *easy = new_easy();
  while (count-- > 0) {
    check(easy, curl_easy_perform(easy));
    if (!anew) continue;
    curl_easy_reset(easy);
    fill(easy);
  }
  curl_easy_cleanup(easy);
}

static void get_at_once(long count, int most) {
  CURL *easies[MANY];
  CURLM *multi = curl_multi_init();
  CURLMsg *message;
  int running, left, i;
  for (i = 0; i < most; i++) {
    easies[i] = new_easy();
    if (i < count) curl_multi_add_handle(multi, easies[i]);
  }
  while (count > 0) {
    curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left))) {
      CURL *easy = message->easy_handle;
      check(easy, message->data.result);
      count--;
      curl_multi_remove_handle(multi, easy);
      /* The others under way are enough for the last ones. */
      if (count >= most) curl_multi_add_handle(multi, easy);
    }
    if (running > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  for (i = 0; i < most; i++)
    curl_easy_cleanup(easies[i]);
  curl_multi_cleanup(multi);
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  long count;
  int i;
  if (argc < 4) fail("usage: floor HOW COUNT URL [HEADER...]");
  count = strtol(argv[2], NULL, 10);
  url = argv[3];
  curl_global_init(CURL_GLOBAL_DEFAULT);
  for (i = 4; i < argc; i++)
    headers = curl_slist_append(headers, argv[i]);
  if (strcmp(how, "parts") == 0) {
    parts = curl_url();
    if (curl_url_set(parts, CURLUPART_URL, url, 0)) fail("no address");
  }
  if (strcmp(how, "easy") == 0 || strcmp(how, "reset") == 0) {
    get_easily(count, *how == 'r');
  } else {
    get_at_once(count, strcmp(how, "many") == 0 ? MANY : 1);
  }
  curl_url_cleanup(parts);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
