/*
 * forks.c: counts forks and lists sockets; see forks.h.
 *
 * The one thing of the whole process that this module keeps; it is written
 * only in a child that has no other thread yet.
 */
#include "forks.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned long forks_seen;
static int failed;

static void count_fork(void) {
  forks_seen++;
}

static void begin_counting(void) {
  failed = pthread_atfork(NULL, NULL, count_fork);
}

int sc_forks_begin(Forks *forks) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, begin_counting);
  forks->seen = forks_seen;
  return failed ? -1 : 0;
}

unsigned long sc_forks_seen(void) {
  return forks_seen;
}

int sc_forks_inherited(const Forks *forks) {
  return forks->seen != forks_seen;
}

static int has_room(Forks *forks) {
  size_t room = forks->room ? 2 * forks->room : 8;
  int *sockets;
  if (forks->count < forks->room) return 1;
  sockets = realloc(forks->sockets, room * sizeof *sockets);
  if (!sockets) return 0;
  forks->sockets = sockets;
  forks->room = room;
  return 1;
}

int sc_forks_socket(Forks *forks, int family, int type, int protocol) {
  int made = -1;
  if (has_room(forks)) made = socket(family, type | SOCK_CLOEXEC, protocol);
  if (made >= 0) forks->sockets[forks->count++] = made;
  return made;
}

int sc_forks_close(Forks *forks, int socket) {
  size_t i;
  for (i = 0; i < forks->count; i++) {
    if (forks->sockets[i] == socket) {
      forks->sockets[i] = forks->sockets[--forks->count];
      break;
    }
  }
  return close(socket);
}

void sc_forks_part(Forks *forks, int other) {
  size_t i;
  for (i = 0; i < forks->count; i++)
    (void)dup3(other, forks->sockets[i], O_CLOEXEC);
}

void sc_forks_free(Forks *forks) {
  free(forks->sockets);
  forks->sockets = NULL;
  forks->count = forks->room = 0;
}
