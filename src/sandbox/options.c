/*
 * options.c: reading the command line, and the help.
 */
#include "options.h"

#include "guesses.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1.0"

static const char help[] =
    "Usage: signicat-sandbox [options]\n"
    "\n"
    "A local stand-in for the Signicat Sign API v2, on 127.0.0.1 only. It\n"
    "prints one line when it is ready, with its URL and credentials, and runs\n"
    "until it is interrupted.\n"
    "\n"
    "  --port N            listen on this port (default: a free one)\n"
    "  --data DIR          keep everything in DIR, over restarts (default: a\n"
    "                      temporary folder, removed at the end)\n"
    "  --token-ttl SECONDS how long an access token lasts, 1 to 3600\n"
    "                      (default: 600)\n"
    "  --max-upload BYTES  the largest document (default: 104857600)\n"
    "  --tls [KIND]        serve https, with a certificate that is made at "
    "the\n"
    "                      start; the ready line says whom to trust. KIND is\n"
    "                      its state: good (the default), wrong-name, expired\n"
    "                      or untrusted\n"
    "  --log FILE          add a line for each request to FILE; - is stderr\n"
    "  --beyond-the-service  also do what the service is not known to do\n"
    "  --parent-fd N       end when this inherited descriptor reaches its end\n"
    "  --help              this text\n"
    "  --version           the version\n"
    "\n"
    "Sign in a browser:   a session's signatureUrl, on this machine\n"
    "Act as the signer:   POST /_sandbox/sessions/{id}/sign or .../reject\n"
    "Its certificate:     GET /_sandbox/ca.pem\n"
    "Get events:          POST /_sandbox/webhooks {url, secret}\n"
    "For tests:           /_sandbox/clock, journal, faults, seed, reset\n"
    "Signatures made here have no legal effect.\n";

/* A whole number in a range; says what is wrong otherwise. */
static bool number(const char *option, const char *text, long long least,
                   long long most, long long *value) {
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  if (end != text && !*end && !errno && *value >= least && *value <= most)
    return true;
  fprintf(stderr,
          "signicat-sandbox: --%s takes a whole number from %lld to %lld, "
          "not '%s'; see --help\n",
          option, least, most, text);
  return false;
}

static bool read_tls(const char *text, Options *options) {
  static const char *const kinds[] = {[PKI_GOOD] = "good",
                                      [PKI_WRONG_NAME] = "wrong-name",
                                      [PKI_EXPIRED] = "expired",
                                      [PKI_UNTRUSTED] = "untrusted"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(text, kinds[i]) == 0) {
      options->certificate = (PkiServer)i;
      options->tls = true;
      return true;
    }
  fprintf(stderr,
          "signicat-sandbox: --tls takes good, wrong-name, expired or "
          "untrusted, not '%s'; see --help\n",
          text);
  return false;
}

/* getopt takes an optional word only behind a "=": here it may follow. */
static const char *kind_after(int argc, char **argv) {
  if (optarg) return optarg;
  return optind < argc && *argv[optind] != '-' ? argv[optind++] : "good";
}

static bool open_descriptor(long long descriptor) {
  if (fcntl((int)descriptor, F_GETFD) >= 0) return true;
  fprintf(stderr,
          "signicat-sandbox: --parent-fd %lld is not open here; give the "
          "reading end of a pipe\n",
          descriptor);
  return false;
}

int options_read(Options *options, int argc, char **argv) {
  static const struct option known[] = {
      {"port", required_argument, NULL, 'p'},
      {"data", required_argument, NULL, 'd'},
      {"token-ttl", required_argument, NULL, 't'},
      {"max-upload", required_argument, NULL, 'u'},
      {"tls", optional_argument, NULL, 's'},
      {"log", required_argument, NULL, 'l'},
      {"beyond-the-service", no_argument, NULL, 'b'},
      {"parent-fd", required_argument, NULL, 'f'},
      {"help", no_argument, NULL, 'h'},
      {"version", no_argument, NULL, 'v'},
      {NULL, 0, NULL, 0}};
  long long value = 0;
  bool good = true;
  *options =
      (Options){.token_ttl = 600, .max_upload = GUESS_MAX_UPLOAD, .parent = -1};
  for (int one; good && (one = getopt_long(argc, argv, "", known, NULL)) >= 0;)
    switch (one) {
    case 'p':
      good = number("port", optarg, 0, 65535, &value);
      options->port = (unsigned short)value;
      break;
    case 'd': options->data = optarg; break;
    case 't':
      good = number("token-ttl", optarg, 1, 3600, &value);
      options->token_ttl = value;
      break;
    case 'u':
      good = number("max-upload", optarg, 1, 1ll << 40, &value);
      options->max_upload = (uint64_t)value;
      break;
    case 's': good = read_tls(kind_after(argc, argv), options); break;
    case 'l': options->log = optarg; break;
    case 'b': options->beyond = true; break;
    case 'f':
      good = number("parent-fd", optarg, 0, 1 << 20, &value) &&
             open_descriptor(value);
      options->parent = (int)value;
      break;
    case 'h': return fputs(help, stdout) < 0;
    case 'v': return puts("signicat-sandbox " VERSION) < 0;
    default: good = false; /* getopt has said what */
    }
  if (good && optind < argc) {
    fprintf(stderr, "signicat-sandbox: '%s' is not an option; see --help\n",
            argv[optind]);
    good = false;
  }
  return good ? -1 : 2;
}
