/*
 * sockets.c: a set of sockets on epoll; see sockets.h.
 */
#include "sockets.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_WAIT 1000000 /* milliseconds */

int sc_sockets_open(void) {
  return epoll_create1(EPOLL_CLOEXEC);
}

void sc_sockets_close(int set) {
  close(set);
}

int sc_sockets_watch(int set, int socket, int wanted) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.data.fd = socket;
  if (wanted & SOCKET_READ) event.events |= EPOLLIN;
  if (wanted & SOCKET_WRITE) event.events |= EPOLLOUT;
  if (!wanted) {
    /* One that is closed already has left by itself. */
    epoll_ctl(set, EPOLL_CTL_DEL, socket, &event);
    return 0;
  }
  if (epoll_ctl(set, EPOLL_CTL_ADD, socket, &event) == 0) return 0;
  return errno == EEXIST ? epoll_ctl(set, EPOLL_CTL_MOD, socket, &event) : -1;
}

int sc_sockets_wait(int set, double seconds, int *ready) {
  struct epoll_event event;
  double ms = ceil(seconds * 1000);
  int wait = ms < MAX_WAIT ? (int)ms : MAX_WAIT;
  if (epoll_wait(set, &event, 1, wait > 0 ? wait : 0) != 1) return -1;
  *ready = (event.events & (EPOLLIN | EPOLLHUP) ? SOCKET_READ : 0) |
           (event.events & EPOLLOUT ? SOCKET_WRITE : 0) |
           (event.events & EPOLLERR ? SOCKET_BROKEN : 0);
  return event.data.fd;
}
