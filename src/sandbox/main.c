/*
 * main.c: signicat-sandbox, from the command line to the end.
 *
 * Ready line, the only one on stdout, in this form and order:
 *
 *   signicat-sandbox ready url=http://127.0.0.1:PORT client_id=ID
 *   client_secret=SECRET
 *
 * on one line, with one space between the parts and none inside them. With
 * --tls the URL is https and two parts follow:
 *
 *   control=http://127.0.0.1:PORT ca=PATH
 *
 * for tests' levers, and for the certificate to trust: its path is the rest
 * of the line. The API's base is <url>/sign, the token endpoint
 * <url>/auth/open/connect/token. What goes wrong at the start is told on
 * stderr with what to do next; the exit status is 1, or 2 for wrong usage.
 * SIGTERM, SIGINT, SIGHUP (unless it came to us ignored) and the end of
 * --parent-fd end the service cleanly.
 */
#include "courier.h"
#include "documents.h"
#include "faults.h"
#include "folder.h"
#include "fonts.h"
#include "http.h"
#include "journal.h"
#include "log.h"
#include "options.h"
#include "packager.h"
#include "press.h"
#include "service.h"
#include "store_version.h"
#include "xades.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <jansson.h>

/* All that is open; what is not is NULL, -1 or false. */
typedef struct Run {
  bool xml;
  Folder folder;
  Service service;
  char ca[2100]; /* with --tls: the file of the authority's certificate */
  int signals;
  Http *http;
} Run;

static bool fail(const char *why) {
  fprintf(stderr, "signicat-sandbox: %s\n", why);
  return false;
}

/* Blocked in all threads, read by the main one: no handler ever runs. */
static int open_signals(void) {
  sigset_t ends;
  struct sigaction terminal;
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); /* a file too large is an error, not an end */
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  /* A signal that is blocked is heard even if nohup has it ignored. */
  if (sigaction(SIGHUP, NULL, &terminal) == 0 && terminal.sa_handler != SIG_IGN)
    sigaddset(&ends, SIGHUP);
  if (pthread_sigmask(SIG_BLOCK, &ends, NULL) != 0) return -1;
  return signalfd(-1, &ends, SFD_CLOEXEC);
}

static bool open_log(Run *run, const char *path) {
  char why[4352];
  if (!path) return true;
  run->service.log = log_open(path);
  if (run->service.log >= 0) return true;
  snprintf(why, sizeof why, "%s cannot be written for --log (%s)", path,
           strerror(errno));
  return fail(why);
}

static bool open_data(Run *run, const char *data) {
  char why[4352];
  Service *service = &run->service;
  /* Before anything is made in it. */
  if (data && !store_version_fits(data, why, sizeof why)) return fail(why);
  if (!folder_open(&run->folder, data, why, sizeof why)) return fail(why);
  const char *path = run->folder.path;
  if (!folder_credentials(&run->folder, service->client_id,
                          sizeof service->client_id, service->client_secret,
                          sizeof service->client_secret, why, sizeof why))
    return fail(why);
  service->pki = pki_open(path, why, sizeof why);
  if (!service->pki) return fail(why);
  service->store = store_open(path, why, sizeof why);
  if (!service->store) return fail(why);
  service->documents = blob_open_folder(path);
  if (service->documents < 0) {
    snprintf(why, sizeof why,
             "no folder for documents in %s (%s); check who owns it", path,
             strerror(errno));
    return fail(why);
  }
  blob_sweep(service->documents, documents_known, service->store);
  service->press = press_open(service->documents, PRESS_SECONDS);
  service->journal = journal_open();
  service->faults = faults_open();
  if (!service->press || !service->journal || !service->faults)
    return fail("there is no memory left");
  service->courier = courier_open(service->store, service->beyond);
  if (!service->courier)
    return fail("events cannot be delivered; see whether the machine has "
                "memory and descriptors");
  service->packager = packager_start(service);
  return service->packager || fail("there is no memory left");
}

/* Where a test finds what to trust before it can ask anybody. */
static bool write_ca(Run *run) {
  snprintf(run->ca, sizeof run->ca, "%s/ca.pem", run->folder.path);
  FILE *file = fopen(run->ca, "we");
  bool good = file && fchmod(fileno(file), 0644) == 0 && /* for anybody */
              fputs(pki_ca_pem(run->service.pki), file) >= 0;
  if (file && fclose(file) != 0) good = false;
  return good || fail("ca.pem cannot be written in the data folder; check who "
                      "owns it");
}

static bool make_tls(Run *run, PkiServer kind, HttpTls *tls) {
  Identity *server = pki_issue_server(run->service.pki, kind);
  if (server) {
    tls->key = pki_identity_key_pem(server);
    tls->certificate = pki_identity_certificate_pem(server);
  }
  pki_identity_free(server);
  return (tls->key && tls->certificate) ||
         fail("no certificate can be made for https");
}

/* Both sockets; their URLs are then known. */
static bool open_ports(Run *run, const Options *options, int *listener,
                       int *control) {
  char why[160];
  unsigned short port = options->port, control_port = 0;
  *listener = http_listen(&port);
  if (*listener < 0) {
    snprintf(why, sizeof why,
             "port %u cannot be used (%s); choose another with --port, or "
             "leave it out for a free one",
             port, strerror(errno));
    return fail(why);
  }
  *control = http_listen(&control_port);
  if (*control < 0) {
    close(*listener);
    return fail("there is no port left for tests' levers");
  }
  Service *service = &run->service;
  snprintf(service->url, sizeof service->url, "%s://127.0.0.1:%u",
           options->tls ? "https" : "http", port);
  snprintf(service->control_url, sizeof service->control_url,
           "http://127.0.0.1:%u", control_port);
  return true;
}

static bool open_server(Run *run, const Options *options) {
  HttpTls tls = {NULL, NULL};
  int listener = -1, control = -1;
  bool ready = !options->tls ||
               (write_ca(run) && make_tls(run, options->certificate, &tls));
  if (ready && open_ports(run, options, &listener, &control)) {
    run->http = http_start(&run->service, listener, control,
                           options->tls ? &tls : NULL);
    ready = run->http ||
            fail("the HTTP server does not start; see whether the machine has "
                 "memory and descriptors left");
  }
  free(tls.key);
  free(tls.certificate);
  return ready && run->http;
}

static bool say_ready(const Run *run) {
  const Service *service = &run->service;
  printf("signicat-sandbox ready url=%s client_id=%s client_secret=%s",
         service->url, service->client_id, service->client_secret);
  if (run->ca[0]) printf(" control=%s ca=%s", service->control_url, run->ca);
  putchar('\n');
  return fflush(stdout) == 0 ||
         fail("nobody can read the ready line; leave stdout open");
}

/* True when the parent's end of the pipe is closed. */
static bool has_ended(int parent) {
  char ignored[64];
  ssize_t got = read(parent, ignored, sizeof ignored);
  return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

static void wait_for_the_end(int signals, int parent) {
  struct pollfd watched[] = {{.fd = signals, .events = POLLIN},
                             {.fd = parent, .events = POLLIN}};
  for (;;) {
    if (poll(watched, 2, -1) < 0) continue; /* EINTR: a debugger, say */
    if (watched[0].revents) return;
    if (watched[1].revents && has_ended(parent)) return;
  }
}

static void close_all(Run *run) {
  http_stop(run->http);
  packager_stop(run->service.packager);
  courier_close(run->service.courier);
  press_close(run->service.press);
  if (run->service.log >= 0) close(run->service.log);
  if (run->service.documents >= 0) close(run->service.documents);
  store_close(run->service.store);
  journal_close(run->service.journal);
  faults_close(run->service.faults);
  if (run->service.pki) pki_close(run->service.pki);
  folder_close(&run->folder);
  if (run->xml) xades_end();
  if (run->signals >= 0) close(run->signals);
}

static bool start(Run *run, const Options *options) {
  run->service.token_ttl = options->token_ttl;
  run->service.max_upload = options->max_upload;
  run->service.beyond = options->beyond;
  if (options->beyond)
    fputs("signicat-sandbox: --beyond-the-service: does also what the service "
          "is not known to do\n",
          stderr);
  run->signals = open_signals();
  if (run->signals < 0)
    return fail("signals cannot be watched; the machine has no descriptors "
                "left");
  if (!fonts_found()) return fail(FONTS_MISSING);
  run->xml = xades_start();
  return run->xml && open_log(run, options->log) &&
         open_data(run, options->data) && open_server(run, options) &&
         say_ready(run);
}

int main(int argc, char **argv) {
  Options options;
  Run run = {.folder = {.lock = -1},
             .service = {.documents = -1, .log = -1},
             .signals = -1};
  if (argc == 2 && strcmp(argv[1], PRESS_OPTION) == 0) return press_main();
  int status = options_read(&options, argc, argv);
  if (status >= 0) return status;
  if (options.parent >= 0) fcntl(options.parent, F_SETFD, FD_CLOEXEC);
  umask(077); /* what is stored holds secrets, whoever owns the folder */
  json_object_seed(0); /* once, before there are threads */
  bool started = start(&run, &options);
  if (started) wait_for_the_end(run.signals, options.parent);
  close_all(&run);
  return started ? 0 : 1;
}
