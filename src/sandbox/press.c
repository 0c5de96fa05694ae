/*
 * press.c: starting a process for an order, and being that process.
 *
 * Both sides share two files in memory and nothing else: the order, as JSON,
 * and the product, a page for the answer with the PDF behind it. Waiting for
 * the end is all the talking there is, and whoever waits also sees the time
 * go by and the service stop.
 */
#include "press.h"

#include "blob.h"
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ITSELF "/proc/self/exe"

/* A process's descriptors; its standard output is its standard error. */
enum { ORDER = STDIN_FILENO, PRODUCT = 3, DOCUMENTS, BEYOND };
enum { OUT_OF_THE_WAY = 10 }; /* here, all of those are above this */

#define HEAD 4096  /* bytes before the PDF: whole pages, so it can be mapped */
#define SECONDS 60 /* of work, however long that takes */
#define MEMORY (UINT64_C(2) << 30)
#define PRODUCT_MOST (UINT64_C(2) << 30)

struct Press {
  int documents, seconds;
  int stop; /* a timer; once it has run out, it is readable for good */
};

typedef struct Answer {
  bool given;
  PadesResult result;
  size_t contents, range; /* the layout's */
  char why[1024];
} Answer;

/* --- the process -------------------------------------------------------- */

static void limit(int resource, uint64_t soft, uint64_t hard) {
  const struct rlimit both = {.rlim_cur = soft, .rlim_max = hard};
  setrlimit(resource, &both);
}

static void set_limits(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_FSIZE, PRODUCT_MOST, PRODUCT_MOST);
/* A sanitizer reserves terabytes. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit(RLIMIT_AS, MEMORY, MEMORY);
#endif
  limit(RLIMIT_CPU, SECONDS, SECONDS + 1); /* at one bound SIGKILL comes */
}

static const char *member(const json_t *order, const char *name) {
  return json_string_value(json_object_get(order, name));
}

static PadesResult carry_out(const json_t *order, PadesLayout *layout,
                             Answer *answer) {
  size_t size;
  const char *document = member(order, "sign");
  unsigned char *pdf = NULL;
  if (document == NULL) {
    PadesResult made = container_make(order, DOCUMENTS, &pdf, &size,
                                      answer->why, sizeof answer->why);
    if (made != PADES_DONE) return made;
  } else {
    pdf = blob_load(DOCUMENTS, document, &size);
  }
  if (pdf == NULL) return PADES_FAILED;
  const PadesRequest request = {
      .pdf = pdf,
      .size = size,
      .signer_name = member(order, "name"),
      .reason = member(order, "reason"),
      .when = json_integer_value(json_object_get(order, "when"))};
  return pades_lay_out(&request, layout, answer->why, sizeof answer->why);
}

static bool put(const void *bytes, size_t size, off_t at) {
  for (const char *from = bytes; size > 0;) {
    ssize_t written = pwrite(PRODUCT, from, size, at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    from += written;
    size -= (size_t)written;
    at += written;
  }
  return true;
}

/* Memory is left to the end, which is near. */
int press_main(void) {
  PadesLayout layout = {.pdf = NULL};
  Answer answer;
  memset(&answer, 0, sizeof answer);
  set_limits();
  json_t *order = json_loadfd(ORDER, 0, NULL);
  answer.result = carry_out(order, &layout, &answer);
  answer.given = true;
  answer.contents = layout.contents;
  answer.range = layout.range;
  bool done =
      put(layout.pdf, layout.size, HEAD) && put(&answer, sizeof answer, 0);
  _exit(done ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- starting it -------------------------------------------------------- */

/* A descriptor that no number of the process is in the way of. */
static int move(int file) {
  int moved = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
  return moved;
}

static int open_memory(const char *name) {
  int file = memfd_create(name, MFD_CLOEXEC);
  int moved = move(file);
  if (file >= 0) close(file);
  return moved;
}

static int open_order(json_t *taken) {
  int file = open_memory("order");
  bool written = file >= 0 && json_dumpfd(taken, file, JSON_COMPACT) == 0 &&
                 lseek(file, 0, SEEK_SET) == 0;
  json_decref(taken);
  if (written) return file;
  if (file >= 0) close(file);
  return -1;
}

/* False: not started. */
static bool start(int order, int product, int documents, pid_t *pid) {
  char name[] = "signicat-sandbox", option[] = PRESS_OPTION;
  char *const words[] = {name, option, NULL};
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return false;
  int failed =
      posix_spawn_file_actions_adddup2(&actions, order, ORDER) |
      posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) |
      posix_spawn_file_actions_adddup2(&actions, product, PRODUCT) |
      posix_spawn_file_actions_adddup2(&actions, documents, DOCUMENTS) |
      posix_spawn_file_actions_addclosefrom_np(&actions, BEYOND);
  if (!failed)
    failed = posix_spawn(pid, ITSELF, &actions, NULL, words, environ);
  posix_spawn_file_actions_destroy(&actions);
  return !failed;
}

/* --- its end ------------------------------------------------------------ */

static PadesResult refuse(char *why, size_t size, const char *sentence) {
  snprintf(why, size, "%s", sentence);
  return PADES_REFUSED;
}

/* What a process that gave no answer died of. */
static PadesResult explain(int status, char *why, size_t size) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    return refuse(why, size, "The PDF takes too long to be read.");
  if (WIFSIGNALED(status)) {
    snprintf(why, size,
             "The PDF cannot be read: the process that read it was ended by "
             "signal %d.",
             WTERMSIG(status));
    return PADES_REFUSED;
  }
  return PADES_FAILED;
}

static PadesResult fetch(int product, int status, PadesLayout *layout,
                         char *why, size_t why_size) {
  Answer answer;
  struct stat facts;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS ||
      pread(product, &answer, sizeof answer, 0) != sizeof answer ||
      !answer.given)
    return explain(status, why, why_size);
  if (answer.result != PADES_DONE) {
    answer.why[sizeof answer.why - 1] = 0;
    snprintf(why, why_size, "%s", answer.why);
    return answer.result == PADES_REFUSED ? PADES_REFUSED : PADES_FAILED;
  }
  if (fstat(product, &facts) != 0 || facts.st_size <= HEAD) return PADES_FAILED;
  size_t size = (size_t)facts.st_size - HEAD;
  void *pdf =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, product, HEAD);
  if (pdf == MAP_FAILED) return PADES_FAILED;
  *layout = (PadesLayout){pdf, size, answer.contents, answer.range};
  return PADES_DONE;
}

/* Waits for its end, or brings it about. PADES_DONE: it was its own. */
static PadesResult attend(const Press *press, pid_t pid, int *status, char *why,
                          size_t size) {
  PadesResult result = PADES_DONE;
  struct pollfd watched[] = {{.fd = pidfd_open(pid, 0), .events = POLLIN},
                             {.fd = press->stop, .events = POLLIN}};
  int ready = -1;
  do
    if (watched[0].fd >= 0) ready = poll(watched, 2, press->seconds * 1000);
  while (ready < 0 && errno == EINTR);
  if (!watched[0].revents) {
    kill(pid, SIGKILL);
    result = PADES_FAILED;
    if (ready == 0) {
      snprintf(why, size, "The PDF was not read within %d seconds.",
               press->seconds);
      result = PADES_REFUSED;
    } else if (ready > 0) {
      snprintf(why, size, "The PDF was not read: the sandbox ends.");
    }
  }
  if (watched[0].fd >= 0) close(watched[0].fd);
  while (waitpid(pid, status, 0) < 0 && errno == EINTR)
    continue;
  return result;
}

PadesResult press_run(Press *press, json_t *taken, PadesLayout *layout,
                      char *why, size_t why_size) {
  int order = open_order(taken), product = open_memory("product");
  int folder = move(press->documents), status;
  pid_t pid;
  PadesResult result = PADES_FAILED;
  snprintf(why, why_size, "No process can be started to read the PDF.");
  if (order >= 0 && product >= 0 && folder >= 0 &&
      start(order, product, folder, &pid)) {
    snprintf(why, why_size, "The PDF could not be worked on.");
    result = attend(press, pid, &status, why, why_size);
    if (result == PADES_DONE)
      result = fetch(product, status, layout, why, why_size);
  }
  if (order >= 0) close(order);
  if (product >= 0) close(product);
  if (folder >= 0) close(folder);
  return result;
}

void press_free(PadesLayout *layout) {
  if (layout->pdf != NULL) munmap(layout->pdf, layout->size);
  layout->pdf = NULL;
}

/* --- all of it ---------------------------------------------------------- */

Press *press_open(int documents, int seconds) {
  Press *press = calloc(1, sizeof *press);
  if (!press) return NULL;
  press->documents = documents;
  press->seconds = seconds;
  press->stop = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (press->stop >= 0) return press;
  free(press);
  return NULL;
}

void press_stop(Press *press, int milliseconds) {
  const struct itimerspec once = {
      .it_value = {.tv_sec = milliseconds / 1000,
                   .tv_nsec = milliseconds % 1000 * 1000000L + 1}};
  timerfd_settime(press->stop, 0, &once, NULL);
}

bool press_has_stopped(const Press *press) {
  struct pollfd watched = {.fd = press->stop, .events = POLLIN};
  return poll(&watched, 1, 0) > 0;
}

void press_close(Press *press) {
  if (!press) return;
  close(press->stop);
  free(press);
}
