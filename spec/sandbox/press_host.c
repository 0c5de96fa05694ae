/*
 * press_host.c: a press (press.h) that has a second, for orders that take
 * forever. Says what became of one, and of its process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/sandbox/press.h"

int main(int argc, char **argv) {
  char why[256];
  PadesLayout layout = {.pdf = NULL};
  if (argc == 2 && strcmp(argv[1], PRESS_OPTION) == 0) return pause();
  Press *press = press_open(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1);
  if (press == NULL) return 1;
  PadesResult result =
      press_run(press, json_object(), &layout, why, sizeof why);
  printf("%s: %s\n", result == PADES_REFUSED ? "refused" : "not refused", why);
  press_close(press);
  return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0 : 1;
}
