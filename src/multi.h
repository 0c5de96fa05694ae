/*
 * multi.h: the transfers of one client on one libcurl multi handle.
 *
 * A multi never owns a transfer: it lists the running ones, and whichever of
 * the two ends first unlinks the other. What it does, it does by the turn: at
 * most one ready socket or one timer each, so that whoever has little time
 * can stop in between.
 */
#ifndef SC_MULTI_H
#define SC_MULTI_H

#include "alarms.h"
#include "compat.h"
#include "crew.h"
#include "sigpipe.h"
#include "sockets.h"
#include "transfer.h"

#define MULTI_TYPE "signicat.multi"

typedef struct Multi {
  ObjectHead head;
  CURLM *handle;   /* NULL: none, until the next transfer */
  CURLSH *tickets; /* of TLS, kept alive by a slot */
  Spares *spares;  /* for answers */
  int is_spent;    /* the handle found no memory once */
  double due;      /* when libcurl wants to be called; HUGE_VAL: not */
  int timers;      /* so many turns in a row went to the timer */
  Transfer *running;
  int count;
  int sent;      /* a request left while libcurl had the word last */
  int streaming; /* so many of them may wait for Lua */
  int knows_tls; /* libcurl's TLS library is ours, too */
  int sigpipes;  /* they may come */
  int holds;     /* so often is SIGPIPE held back, within each other */
  Sigpipe sigpipe;
  Sockets sockets;
  double asked; /* when it was last asked for those that are ready */
  Alarms alarms;
  Transfer *first[2], *last[2]; /* of the queues */
  int was_rest;                 /* the last turn went to one that rested */
  unsigned long fork;           /* by the count of the process it is of */
  Crew *crew;                   /* for what takes long, once there was such */
  int asides;                   /* so many jobs it has */
  Job *done;                    /* one of them, that Lua has to hear of */
} Multi;

/* Queues of transfers. */
enum {
  QUEUE_READY,  /* ended, paused for Lua, or moving: Lua has to look */
  QUEUE_RESTING /* had its slice of a turn, goes on in another */
};

/* In a child of fork, the first time: ends what runs, lets go of the parent's
 * connections and begins anew. 0, or -1 when libcurl cannot. */
int sc_multi_part(Multi *multi);
/* Raises unless the multi at `index` is open. */
Multi *sc_multi_check(lua_State *L, int index);
/* Its crew, or NULL where the system has none to give. */
Crew *sc_multi_crew(Multi *multi);
/* Pushes the settings of its connections, a table or nil. */
void sc_multi_push_settings(lua_State *L, int index);
/* 0, or -1 when libcurl refuses; the transfer is running afterwards. */
int sc_multi_add(Multi *multi, Transfer *transfer);
void sc_multi_remove(Multi *multi, Transfer *transfer);
/* A paused one goes on; what libcurl finds out then may end it at once. */
void sc_multi_unpause(Transfer *transfer);
/* Into a queue, if it is not there yet, and out of it. */
void sc_multi_enqueue(Multi *multi, int queue, Transfer *transfer);
void sc_multi_dequeue(Multi *multi, int queue, Transfer *transfer);

/* multi(settings) -> a new multi, with the settings of its connections as
 * connection.h has them, or none; or nil and a failure. Transfers read them at
 * their birth. */
int multi_new(lua_State *L);

void sc_multi_define(lua_State *L);

#endif
