/*
 * transfer.h: one transfer of libcurl, from a Request to a Response.
 *
 * A transfer is used again and again: its easy handle and its memory stay.
 * connection.c sets what all transfers of a client share, fill.c what
 * one request asks for, wire.c has curl's
 * callbacks, watch.c our own limits, breakdown.c the words for a failure.
 * This is the one header that includes curl's.
 */
#ifndef SC_TRANSFER_H
#define SC_TRANSFER_H

#include "compat.h"
#include "message.h"
#include "part.h"

#include <curl/curl.h>

/* The blobs of CA certificates; nothing else that we cannot do without came
 * later. */
#if LIBCURL_VERSION_NUM < 0x074d00
#error "libcurl 7.77 or later is needed, for CURLOPT_CAINFO_BLOB"
#endif

#define TRANSFER_TYPE "signicat.transfer"
#define TRANSFER_MAX_HEADERS (MESSAGE_MAX_HEADERS + 6) /* and our own */

/* From 7.80 on libcurl tells each time it sends a request. */
#define TRANSFER_KNOWS_RESENDS (LIBCURL_VERSION_NUM >= 0x075000)

/* How many bytes of a document a turn of a task moves, about: they are hashed
 * and written on the way. */
#define TRANSFER_SLICE 2048

struct Multi;

/* The slots: what Lua's collector leaves alone for a transfer. */
enum {
  TRANSFER_MULTI = 1,
  TRANSFER_REQUEST,
  TRANSFER_PIECE,  /* of a reader, while it is sent */
  TRANSFER_FAILURE /* as Lua told it */
};

typedef enum TransferState {
  TRANSFER_IDLE,
  TRANSFER_RUNNING, /* in a multi's list */
  TRANSFER_DONE     /* `code` says how; finish takes the response */
} TransferState;

/* Which of our own limits was broken. */
typedef enum Late { LATE_NOT, LATE_FIRST_BYTE, LATE_STALL } Late;

typedef struct Transfer {
  ObjectHead head;
  CURL *easy;
  CURLU *address; /* where to, in parts */
  Buffer origin;  /* "https://host:port" as `address` has it, or empty */
  TransferState state;
  struct Multi *home;           /* kept alive by a slot */
  struct Multi *multi;          /* the same, while running */
  struct Transfer *next, *prev; /* in the multi's list */
  struct Transfer *next_in[2];  /* in the multi's queues */
  char is_in[2];                /* it is in that one */
  size_t alarm;                 /* its place among the alarms, 0: none */
  double look_at;               /* when to look whether it is late */
  Request *request;             /* anchored by a slot */
  CURLcode code;
  long version; /* of HTTP, as the client asks for it */
  int status;
  int status_read;  /* the status line of the final answer came */
  int headers_read; /* and all of its headers */
  int too_large;    /* the body broke the cap */
  int no_memory;    /* a callback found none */
  int sends;        /* how often libcurl sent the request */
  int tells;        /* whether libcurl, as it is loaded here, tells that */
  int stuck;        /* it could not send it again */
  int sliced;       /* body bytes go in small pieces, to keep turns short */
  size_t fed;       /* so many came in this turn */
  int told;         /* Lua told the failure, it is in its slot */
  Misfit misfit;
  void *tls;  /* OpenSSL's of the connection, once headers came over it */
  int shared; /* the connection is HTTP/2's, and others' as well */
  int paused; /* until Lua has supplied or taken bytes */
  int hungry; /* it waits for a reader */
  int awaiting;
  Late late;
  curl_off_t moved; /* bytes at the last look, and when they last did */
  double moved_at;
  size_t header_size;
  Buffer bytes;      /* the answer: headers, then the body */
  Buffer line_bytes; /* the request's header lines, each ended by NUL */
  struct curl_slist lines[TRANSFER_MAX_HEADERS];
  char message[CURL_ERROR_SIZE];
} Transfer;

/* transfer(multi) -> a new idle transfer that keeps the multi alive; or nil and
 * a failure. */
int transfer_new(lua_State *L);

/* The multi tells: it is out of the list, and how it ended. */
void sc_transfer_done(Transfer *transfer, CURLcode code);

void sc_transfer_define(lua_State *L);

#endif
