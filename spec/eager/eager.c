/*
 * eager.c: loaded before libc (LD_PRELOAD), it has each write to a socket
 * wait until the other side may have answered, so that who shakes hands over
 * TLS never has to wait by itself.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ANSWERED_MS 100

__attribute__((visibility("default"))) ssize_t
write(int file, const void *bytes, size_t size) {
  const struct timespec pause = {0, ANSWERED_MS * 1000000L};
  int kind;
  socklen_t room = sizeof kind;
  ssize_t written = syscall(SYS_write, file, bytes, size);
  if (getsockopt(file, SOL_SOCKET, SO_TYPE, &kind, &room) == 0)
    nanosleep(&pause, NULL);
  return written;
}
