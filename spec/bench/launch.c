/*
 * launch.c: runs a program and tells what it took.
 *
 * One line on stderr: seconds of processor time, seconds in all, and the peak
 * of its memory in KiB. A small parent, because a child begins with its
 * parent's pages and never has a lower peak than those.
 *
 *   launch PROGRAM [ARGUMENT...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  struct rusage used;
  double began = now();
  int status = 0;
  pid_t child;
  if (argc < 2) return 2;
  child = fork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  if (child < 0 || wait4(child, &status, 0, &used) < 0) {
    perror("launch");
    return 1;
  }
  fprintf(stderr, "took: %.6f %.6f %ld\n",
          seconds(used.ru_utime) + seconds(used.ru_stime), now() - began,
          used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
