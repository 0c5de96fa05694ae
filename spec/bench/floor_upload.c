/*
 * floor_upload.c: the least that uploading a document with its SHA-256 costs.
 *
 * Posts the file `count` times with one easy handle, from a read callback, as
 * the client does; the bytes are hashed with the same libcrypto on their way.
 * `plain` leaves the hash out.
 *
 *   floor_upload hashed|plain COUNT URL FILE [HEADER...]
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int file;
static EVP_MD_CTX *digest; /* NULL: no hash */

static size_t discard(char *bytes, size_t one, size_t size, void *context) {
  (void)bytes;
  (void)context;
  return one * size;
}

static size_t supply(char *into, size_t one, size_t room, void *context) {
  ssize_t got = read(file, into, one * room);
  (void)context;
  if (got < 0) return CURL_READFUNC_ABORT;
  if (digest) EVP_DigestUpdate(digest, into, (size_t)got);
  return (size_t)got;
}

static void fail(const char *what) {
  fprintf(stderr, "floor_upload: %s\n", what);
  exit(1);
}

static void post(CURL *easy) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  long status = 0;
  CURLcode code;
  lseek(file, 0, SEEK_SET);
  if (digest) EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
  code = curl_easy_perform(easy);
  if (code != CURLE_OK) fail(curl_easy_strerror(code));
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) fail("the status is not 200");
  if (digest) EVP_DigestFinal_ex(digest, hash, NULL);
}

int main(int argc, char **argv) {
  struct curl_slist *headers = NULL;
  CURL *easy;
  long count;
  int i;
  if (argc < 5) fail("usage: floor_upload HOW COUNT URL FILE [HEADER...]");
  count = strtol(argv[2], NULL, 10);
  file = open(argv[4], O_RDONLY);
  if (file < 0) fail("the file cannot be opened");
  if (strcmp(argv[1], "hashed") == 0) digest = EVP_MD_CTX_new();
  curl_global_init(CURL_GLOBAL_DEFAULT);
  easy = curl_easy_init();
  headers = curl_slist_append(headers, "Expect:");
  for (i = 5; i < argc; i++)
    headers = curl_slist_append(headers, argv[i]);
  curl_easy_setopt(easy, CURLOPT_URL, argv[3]);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, supply);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512 * 1024L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   (curl_off_t)lseek(file, 0, SEEK_END));
  while (count-- > 0)
    post(easy);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  EVP_MD_CTX_free(digest);
  close(file);
  curl_global_cleanup();
  return 0;
}
