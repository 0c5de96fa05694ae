/*
 * sockets.c: makes sockets and watches them on epoll; see sockets.h.
 */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_WAIT 1000000 /* milliseconds */

int sc_sockets_open(Sockets *sockets) {
  memset(sockets, 0, sizeof *sockets);
  sockets->set = epoll_create1(EPOLL_CLOEXEC) + 1;
  return sockets->set ? 0 : -1;
}

void sc_sockets_close(Sockets *sockets) {
  if (sockets->set) close(sockets->set - 1);
  free(sockets->made);
  memset(sockets, 0, sizeof *sockets);
}

int sc_sockets_descriptor(const Sockets *sockets) {
  return sockets->set - 1;
}

/* NULL: one that others made. */
static Socket *find(const Sockets *sockets, int socket) {
  Socket *it = socket < sockets->room ? &sockets->made[socket] : NULL;
  return it && it->is_open ? it : NULL;
}

static int has_room(Sockets *sockets, int socket) {
  int before = sockets->room, room = socket + socket / 2 + 64;
  Socket *made = sockets->made;
  if (socket < before) return 1;
  made = realloc(made, (size_t)room * sizeof *made);
  if (!made) return 0;
  memset(made + before, 0, (size_t)(room - before) * sizeof *made);
  sockets->made = made;
  sockets->room = room;
  return 1;
}

int sc_sockets_make(Sockets *sockets, int family, int type, int protocol) {
  int made = socket(family, type | SOCK_CLOEXEC, protocol);
  if (made < 0) return -1;
  if (has_room(sockets, made)) {
    sockets->made[made].is_open = 1;
    return made;
  }
  close(made);
  errno = ENOMEM;
  return -1;
}

/* One that is closed already has left by itself. */
static int leave(Sockets *sockets, int socket) {
  struct epoll_event unused;
  memset(&unused, 0, sizeof unused);
  epoll_ctl(sockets->set - 1, EPOLL_CTL_DEL, socket, &unused);
  return 0;
}

/* What it was found ready for and is not wanted for is no news. */
static void limit(Sockets *sockets, int socket, int wanted) {
  int i;
  for (i = sockets->next; i < sockets->count; i++)
    if (sockets->found[i].socket == socket) sockets->found[i].ready &= wanted;
}

int sc_sockets_unmake(Sockets *sockets, int socket) {
  Socket *it = find(sockets, socket);
  limit(sockets, socket, 0);
  if (it && it->watched) leave(sockets, socket);
  if (it) memset(it, 0, sizeof *it);
  return close(socket);
}

void sc_sockets_part(Sockets *sockets) {
  int i;
  for (i = 0; i < sockets->room; i++)
    if (find(sockets, i)) (void)dup3(sockets->set - 1, i, O_CLOEXEC);
  close(sockets->set - 1);
  sockets->set = 0;
}

static int enter(Sockets *sockets, int socket, int wanted) {
  int set = sockets->set - 1;
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.data.fd = socket;
  if (wanted & SOCKET_READ) event.events |= EPOLLIN;
  if (wanted & SOCKET_WRITE) event.events |= EPOLLOUT;
  if (epoll_ctl(set, EPOLL_CTL_ADD, socket, &event) == 0) return 0;
  return errno == EEXIST ? epoll_ctl(set, EPOLL_CTL_MOD, socket, &event) : -1;
}

int sc_sockets_watch(Sockets *sockets, int socket, int wanted) {
  Socket *it = find(sockets, socket);
  limit(sockets, socket, wanted);
  if (!it) {
    return wanted ? enter(sockets, socket, wanted) : leave(sockets, socket);
  }
  it->wanted = (unsigned char)wanted;
  if (!wanted || wanted == it->watched) return 0;
  if (enter(sockets, socket, wanted) != 0) return -1;
  it->watched = (unsigned char)wanted;
  return 0;
}

/* What a socket that the system tells of is ready for; one that nobody wants
 * is let go. */
static int ready_for(Sockets *sockets, int socket, unsigned events) {
  Socket *it = find(sockets, socket);
  if (it && !it->wanted) {
    it->watched = 0;
    return leave(sockets, socket);
  }
  return (events & (EPOLLIN | EPOLLHUP) ? SOCKET_READ : 0) |
         (events & EPOLLOUT ? SOCKET_WRITE : 0) |
         (events & EPOLLERR ? SOCKET_BROKEN : 0);
}

/* Asks the system for those that are ready. */
static void ask(Sockets *sockets, int wait) {
  struct epoll_event events[SOCKETS_AT_ONCE];
  int count = epoll_wait(sockets->set - 1, events, SOCKETS_AT_ONCE, wait), i;
  sockets->next = 0;
  sockets->count = count > 0 ? count : 0;
  for (i = 0; i < count; i++) {
    sockets->found[i].socket = events[i].data.fd;
    sockets->found[i].ready =
        ready_for(sockets, events[i].data.fd, events[i].events);
  }
}

/* The next of those that were found and are ready still. */
static int take(Sockets *sockets, int *ready) {
  while (sockets->next < sockets->count) {
    int place = sockets->next++;
    *ready = sockets->found[place].ready;
    if (*ready) return sockets->found[place].socket;
  }
  return -1;
}

int sc_sockets_found(const Sockets *sockets) {
  int i = sockets->next;
  while (i < sockets->count && !sockets->found[i].ready)
    i++;
  return i < sockets->count;
}

int sc_sockets_wait(Sockets *sockets, double seconds, int *ready) {
  double ms = ceil(seconds * 1000);
  int wait = ms < MAX_WAIT ? (int)ms : MAX_WAIT;
  int socket = take(sockets, ready);
  if (socket >= 0) return socket;
  ask(sockets, wait > 0 ? wait : 0);
  return take(sockets, ready);
}
