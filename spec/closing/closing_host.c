/*
 * closing_host.c: a host that closes its Lua state while a name is being
 * looked up, and lives on.
 *
 *     closing_host script.lua
 *
 * Its getaddrinfo comes before libc's, for libcurl too, and takes until the
 * state has been closed; the script gives up sooner. It prints what the script
 * returned and what was seen: whether the lookup had begun and was still on
 * when the state had been closed, and that the host was still there when the
 * lookup had ended.
 *
 *     timeout dns begun=1 over=0 alive=1
 */
#include "../support/luas.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#if defined(__GNUC__)
#define EXPORTED __attribute__((visibility("default")))
#else
#define EXPORTED
#endif

/* At most: a state that waited for the lookup would otherwise never close. */
#define LOOKUP_MS 20000
#define LOOK_MS 10
/* For what libcurl's thread does once it has its answer. */
#define AFTERWARDS_MS 300

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int lookups_begun, lookups_over, states_closed;

static void pause_ms(long ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void count(int *counter) {
  pthread_mutex_lock(&lock);
  ++*counter;
  pthread_mutex_unlock(&lock);
}

static int read_counter(const int *counter) {
  pthread_mutex_lock(&lock);
  int value = *counter;
  pthread_mutex_unlock(&lock);
  return value;
}

/* Until it has come to that, but for no longer than a lookup may take. */
static void wait_for(const int *counter, int wanted) {
  for (int ms = 0; read_counter(counter) < wanted && ms < LOOKUP_MS;
       ms += LOOK_MS)
    pause_ms(LOOK_MS);
}

EXPORTED int getaddrinfo(const char *node, const char *service,
                         const struct addrinfo *hints,
                         struct addrinfo **result) {
  (void)node, (void)service, (void)hints, (void)result;
  count(&lookups_begun);
  wait_for(&states_closed, 1);
  count(&lookups_over);
  return EAI_AGAIN;
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (argc != 2 || L == NULL) return 2;
  luaL_openlibs(L);
  if (luaL_dofile(L, argv[1]) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return 2;
  }
  printf("%s", lua_tostring(L, -1));
  lua_close(L);
  wait_for(&lookups_begun, 1); /* on a thread that may just have started */
  int begun = read_counter(&lookups_begun);
  printf(" begun=%d over=%d", begun, read_counter(&lookups_over));
  fflush(stdout);
  count(&states_closed);
  wait_for(&lookups_over, begun);
  pause_ms(AFTERWARDS_MS);
  printf(" alive=1\n");
  return 0;
}
