/*
 * message.h: the Request and the Response, what crosses between the core and
 * a transport.
 *
 * Both are userdata that read like the plain tables they may be replaced by;
 * headers, timing and the like become Lua values only when somebody looks.
 * A request anchors its Lua strings in its slots, so the pointers below
 * live as long as it does. request.c makes requests, response.c judges
 * responses, transfer.c carries one into the other.
 */
#ifndef SC_MESSAGE_H
#define SC_MESSAGE_H

#include "body.h"
#include "buffer.h"
#include "compat.h"
#include "object.h"
#include "spares.h"

#define REQUEST_TYPE "signicat.request"
#define RESPONSE_TYPE "signicat.response"
#define MESSAGE_MAX_HEADERS 60

struct Operation;

/* What Lua's collector has to leave alone for a request: its strings. With
 * streams there is a table in the place of the body, { body =, reader =,
 * rewind =, writer =, on_progress = }: what Lua supplies and takes while the
 * request is under way. Only what is no operation has a method of its own, and
 * only an operation a document whose hash is known. */
enum RequestAnchor {
  ANCHOR_URL = 1,
  ANCHOR_METHOD,
  ANCHOR_EXPECTED = ANCHOR_METHOD,
  ANCHOR_LINES,
  ANCHOR_AUTHORIZATION,
  ANCHOR_BODY,
  ANCHOR_STREAMS = ANCHOR_BODY
};

/* One of each is made for every call, so they are laid out to be small. */
typedef struct Request {
  ObjectHead head;
  const struct Operation *operation; /* never looked into here */
  const char *method;
  const char *url;
  const char *lines;         /* "Name: value\n", any number of them */
  const char *authorization; /* the header's value, or NULL */
  double timeout;            /* seconds in all; 0: no limit */
  float connect_timeout;     /* seconds */
  float first_byte_timeout;  /* seconds from the last byte sent; 0: none */
  float stall_timeout;       /* seconds without a byte; 0: no limit */
  unsigned char creates;     /* never sent twice */
  unsigned char streams;     /* ANCHOR_STREAMS holds a table */
  size_t max_body;           /* bytes of an answer kept in memory */
  const char *expected;      /* the document's hash as known, or NULL */
  Source source;
  Sink sink;
} Request;

/* Pushes an empty request. */
Request *sc_request_new(lua_State *L);
Request *sc_request_check(lua_State *L, int index);
/* Keeps the string on top of the stack alive with the request at `index`,
 * pops it and returns its bytes. */
const char *sc_request_anchor(lua_State *L, int index,
                              enum RequestAnchor anchor);

/* Whether it can be sent (again) as it is: a reader does not begin twice
 * unasked, and a writer never gets the same bytes twice. */
int sc_request_replayable(const Request *request);
/* Brings source and sink to their beginning, or to where a document is to be
 * continued. What is wrong, or NULL. */
const char *sc_request_begin(Request *request);

enum ResponseTime {
  TIME_NAME_LOOKUP,
  TIME_CONNECT,
  TIME_TLS,
  TIME_FIRST_BYTE,
  TIME_TOTAL,
  TIME_COUNT
};

typedef enum Verified { VERIFIED_UNKNOWN, VERIFIED_NO, VERIFIED_YES } Verified;

typedef struct Response {
  ObjectHead head;
  int status;
  int attempts;
  unsigned char reused;          /* the connection had served before */
  unsigned char resent;          /* by libcurl, which had no answer before */
  unsigned char repeated;        /* the success is of an earlier attempt */
  unsigned char verified;        /* Verified */
  unsigned char nameless;        /* its x-request-id is nobody's to see */
  size_t header_size;            /* of `bytes`; the body follows */
  Buffer bytes;                  /* headers as received, then the body */
  Buffer index;                  /* of the body, while it is decoded */
  Spares *spares;                /* where their memory goes; NULL: nowhere */
  double timing[TIME_COUNT];     /* seconds since the start */
  char sha256[SC_SHA256_BASE64]; /* of the document's bytes, or "" */
} Response;

Response *sc_response_new(lua_State *L, Spares *spares);
Response *sc_response_test(lua_State *L, int index);
/* Some services answer with what they were sent: a request id that repeats the
 * Authorization is none. */
void sc_response_hide_echo(Response *response, const Request *request);
/* The value of a header in `size` bytes of header lines, or NULL. */
const char *sc_header_find(const char *lines, size_t size, const char *name,
                           size_t *value_size);
/* Gives the memory of body and index back and keeps the headers. */
void sc_response_drop_body(Response *response);

/* header_lines(table) -> string, or nil, name, reason: the table's headers as
 * lines, after judging each name and value. */
int message_header_lines(lua_State *L);

void sc_message_define(lua_State *L);

#endif
