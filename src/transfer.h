/*
 * transfer.h: one transfer of libcurl, from a Request to a Response.
 *
 * A transfer is used again and again: its easy handle and its memory stay.
 * curl's callbacks move bytes between libcurl, the request's source and sink
 * and the transfer's own buffer; they know no Lua. This is the one header
 * that includes curl's.
 */
#ifndef SC_TRANSFER_H
#define SC_TRANSFER_H

#include "compat.h"
#include "message.h"

#include <curl/curl.h>

#define TRANSFER_TYPE "signicat.transfer"
#define TRANSFER_MAX_HEADERS (MESSAGE_MAX_HEADERS + 4) /* and our own */

/* From 7.80 on libcurl tells each time it sends a request. */
#define TRANSFER_KNOWS_RESENDS (LIBCURL_VERSION_NUM >= 0x075000)

struct Multi;

typedef enum TransferState {
  TRANSFER_IDLE,
  TRANSFER_RUNNING, /* in a multi's list */
  TRANSFER_DONE     /* `code` says how; finish takes the response */
} TransferState;

typedef struct Transfer {
  ObjectHead head;
  CURL *easy;
  CURLU *address; /* where to, in parts */
  Buffer origin;  /* "https://host:port" as `address` has it, or empty */
  TransferState state;
  struct Multi *multi;          /* while running */
  struct Transfer *next, *prev; /* in the multi's list */
  Request *request;             /* anchored by a slot */
  CURLcode code;
  int status;
  int status_read;  /* the status line of the final answer came */
  int headers_read; /* and all of its headers */
  int too_large;    /* the body broke the cap */
  int no_memory;    /* a callback found none */
  int sends;        /* how often libcurl sent the request */
  size_t header_size;
  Buffer bytes;      /* the answer: headers, then the body */
  Buffer line_bytes; /* the request's header lines, each ended by NUL */
  struct curl_slist lines[TRANSFER_MAX_HEADERS];
  char message[CURL_ERROR_SIZE];
} Transfer;

/* transfer(multi) -> a new idle transfer that keeps the multi alive. */
int transfer_new(lua_State *L);

/* The multi tells: it is out of the list, and how it ended. */
void sc_transfer_done(Transfer *transfer, CURLcode code);

void sc_transfer_define(lua_State *L);

#endif
