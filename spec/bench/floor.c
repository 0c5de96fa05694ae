/*
 * floor.c: the least a client on libcurl can cost, for comparison.
 *
 * One easy handle, filled once and used again, sends the same GET `count`
 * times and throws the bodies away. `multi` drives it as the client does,
 * through a multi handle with one transfer in flight; `parts` does so, too,
 * and hands the address over in parts, which saves libcurl its reading.
 *
 *   floor easy|multi|parts COUNT URL [HEADER...]
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t discard(char *bytes, size_t one, size_t size, void *context) {
  (void)bytes;
  (void)context;
  return one * size;
}

static void fail(const char *what) {
  fprintf(stderr, "floor: %s\n", what);
  exit(1);
}

static void get_easy(CURL *easy) {
  CURLcode code = curl_easy_perform(easy);
  if (code != CURLE_OK) fail(curl_easy_strerror(code));
}

static void get_multi(CURLM *multi, CURL *easy) {
  CURLMsg *message;
  int running, left;
  curl_multi_add_handle(multi, easy);
  for (;;) {
    curl_multi_perform(multi, &running);
    if (running == 0) break;
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  message = curl_multi_info_read(multi, &left);
  if (!message || message->data.result != CURLE_OK) fail("no answer");
  curl_multi_remove_handle(multi, easy);
}

int main(int argc, char **argv) {
  struct curl_slist *headers = NULL;
  CURLM *multi = NULL;
  CURLU *parts = NULL;
  CURL *easy;
  long i, count, status = 0;
  if (argc < 4) fail("usage: floor easy|multi|parts COUNT URL [HEADER...]");
  count = strtol(argv[2], NULL, 10);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (strcmp(argv[1], "easy") != 0) multi = curl_multi_init();
  easy = curl_easy_init();
  for (i = 4; i < argc; i++) {
    headers = curl_slist_append(headers, argv[i]);
  }
  if (strcmp(argv[1], "parts") == 0) {
    parts = curl_url();
    if (curl_url_set(parts, CURLUPART_URL, argv[3], 0)) fail("no address");
    curl_easy_setopt(easy, CURLOPT_CURLU, parts);
  } else {
    curl_easy_setopt(easy, CURLOPT_URL, argv[3]);
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  for (i = 0; i < count; i++) {
    if (multi) {
      get_multi(multi, easy);
    } else {
      get_easy(easy);
    }
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) fail("the status is not 200");
  }
  curl_easy_cleanup(easy);
  if (multi) curl_multi_cleanup(multi);
  curl_url_cleanup(parts);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
