/*
 * aside.c: moves what is to be worked on out of request and response and back
 * again; see aside.h.
 */
#include "aside.h"

#include "crew.h"
#include "json_read.h"
#include "message.h"
#include "multi.h"
#include "object.h"
#include "response.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASIDE_TYPE "signicat.aside"

enum { SLOT_MULTI = 1, SLOT_REQUEST, SLOT_RESPONSE, SLOTS = SLOT_RESPONSE };

/* All that a thread touches, and nobody else meanwhile. */
typedef struct Work {
  Job job;
  Effort effort;
  Buffer bytes; /* the response's */
  size_t header_size;
  Buffer index;
  char sha256[SC_SHA256_BASE64];
  Sink sink; /* the request's */
} Work;

typedef struct Aside {
  ObjectHead head;
  Multi *multi;
  Crew *crew; /* kept */
  Work *work; /* NULL: done, or never begun */
  Request *request;
  Response *response;
  char *temporary; /* the name of a file that may be left */
} Aside;

/* ---- in the thread ------------------------------------------------------ */

static void hash(Work *work) {
  Digest digest = {0};
  if (sc_digest_begin(&digest) != 0) return;
  sc_digest_update(&digest, work->bytes.data + work->header_size,
                   work->bytes.size - work->header_size);
  sc_digest_base64(&digest, work->sha256);
  sc_digest_end(&digest);
}

/* What is no JSON, or finds no memory, decode will find out. */
static void read_json(Work *work) {
  JsonFault fault;
  sc_json_read(work->bytes.data + work->header_size,
               work->bytes.size - work->header_size, &work->index, &fault);
}

static void run(Job *job) {
  Work *work = (Work *)(void *)job;
  switch (work->effort) {
  case EFFORT_COMMIT: (void)sc_sink_commit(&work->sink); break;
  case EFFORT_HASH: hash(work); break;
  case EFFORT_READ: read_json(work); break;
  case EFFORT_NONE: break;
  }
}

static void discard(Job *job) {
  Work *work = (Work *)(void *)job;
  sc_buffer_free(&work->bytes);
  sc_buffer_free(&work->index);
  sc_sink_close(&work->sink);
  free(work);
}

/* ---- in Lua's ----------------------------------------------------------- */

static void move_buffer(Buffer *to, Buffer *from) {
  *to = *from;
  memset(from, 0, sizeof *from);
}

static void move_sink(Sink *to, Sink *from) {
  *to = *from;
  memset(from, 0, sizeof *from);
}

/* The index of the response is Lua's, with an allocator that no thread may
 * call; the one that comes back is not. It is freed when decode ends. */
static void give(Aside *aside) {
  Work *work = aside->work;
  if (work->effort == EFFORT_COMMIT) {
    move_sink(&work->sink, &aside->request->sink);
  } else {
    work->header_size = aside->response->header_size;
    move_buffer(&work->bytes, &aside->response->bytes);
  }
}

/* The crew is needed no more, and what it has open ends with its multi. */
static void let_go(Aside *aside) {
  if (aside->crew) sc_crew_release(aside->crew);
  aside->crew = NULL;
}

static void take_back(Aside *aside) {
  Work *work = aside->work;
  Response *response = aside->response;
  if (work->effort == EFFORT_COMMIT) {
    move_sink(&aside->request->sink, &work->sink);
  } else {
    move_buffer(&response->bytes, &work->bytes);
    memcpy(response->sha256, work->sha256, sizeof work->sha256);
    if (work->index.size > 0) move_buffer(&response->index, &work->index);
  }
  aside->work = NULL;
  aside->multi->asides--;
  discard(&work->job);
  let_go(aside);
}

/* Gives the job away; 0, or -1 and nothing was moved. */
static int begin(Aside *aside, Effort effort) {
  Crew *crew = sc_multi_crew(aside->multi);
  const Sink *sink = &aside->request->sink;
  Work *work = crew ? calloc(1, sizeof *work) : NULL;
  if (!work) return -1;
  if (effort == EFFORT_COMMIT) aside->temporary = strdup(sink->temporary);
  work->effort = effort;
  work->job.run = run;
  work->job.discard = discard;
  aside->work = work;
  give(aside);
  aside->multi->asides++;
  if (sc_crew_give(crew, &work->job) != 0) {
    take_back(aside);
    return -1;
  }
  aside->crew = crew;
  sc_crew_keep(crew);
  return 0;
}

int aside_new(lua_State *L) {
  Multi *multi = sc_multi_check(L, 1);
  Request *request = sc_request_check(L, 2);
  Response *response = sc_response_test(L, 3);
  Effort effort =
      response ? sc_response_effort(request, response) : EFFORT_NONE;
  Aside *aside;
  int slot;
  if (effort == EFFORT_NONE) return 0;
  lua_settop(L, SLOTS);
  aside = sc_object_new(L, ASIDE_TYPE, sizeof *aside, SLOTS);
  for (slot = SLOT_MULTI; slot <= SLOTS; slot++) {
    lua_pushvalue(L, slot);
    sc_setslot(L, -2, slot);
  }
  aside->multi = multi;
  aside->request = request;
  aside->response = response;
  return begin(aside, effort) == 0;
}

static Aside *check(lua_State *L) {
  return sc_object_check(L, 1, ASIDE_TYPE);
}

static int aside_done(lua_State *L) {
  Aside *aside = check(L);
  if (aside->work && aside->work->job.taken) take_back(aside);
  lua_pushboolean(L, !aside->work);
  return 1;
}

static int aside_key(lua_State *L) {
  lua_pushlightuserdata(L, check(L)->work);
  return 1;
}

/* Whoever waited is gone. A file that would come yet does not. */
static void abandon(Aside *aside) {
  Multi *multi = aside->multi;
  Job *job = &aside->work->job;
  if (sc_crew_inherited(aside->crew)) return;
  if (aside->temporary) unlink(aside->temporary);
  if (multi->crew == aside->crew) multi->asides--;
  if (multi->done == job) multi->done = NULL;
  sc_crew_drop(aside->crew, job);
}

static int aside_gc(lua_State *L) {
  Aside *aside = check(L);
  if (aside->work) abandon(aside);
  aside->work = NULL;
  let_go(aside);
  free(aside->temporary);
  aside->temporary = NULL;
  return 0;
}

void sc_aside_define(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"done", aside_done}, {"key", aside_key}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", aside_gc}, {NULL, NULL}};
  sc_object_define(L, ASIDE_TYPE, methods, meta);
}
