/*
 * route.h: from method and path to a handler; pure.
 *
 * A pattern is a path whose variable parts are {named}. "No such path" and
 * "wrong method" are told apart, and the latter says which methods there
 * are. What a row says beyond that (who may call, what body) is for
 * dispatch.c.
 */
#ifndef SANDBOX_ROUTE_H
#define SANDBOX_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct Request;
struct Reply;

typedef enum RouteAccess {
  ROUTE_TOKEN,
  ROUTE_OPEN,
  ROUTE_OPEN_LONG /* open, and its handler may take long */
} RouteAccess;

typedef enum RouteBody {
  ROUTE_NO_BODY,  /* one that comes is read past */
  ROUTE_JSON,     /* application/json, collected */
  ROUTE_MAY_JSON, /* the same, or nothing at all */
  ROUTE_FORM,     /* application/x-www-form-urlencoded, collected */
  ROUTE_FILE      /* streamed into a blob */
} RouteBody;

typedef void RouteHandler(struct Request *request, struct Reply *reply);

typedef struct Route {
  const char *method, *pattern;
  RouteAccess access;
  RouteBody body;
  RouteHandler *handle;
  const char *operation; /* the API's name for it; NULL: none of the API's */
} Route;

#define ROUTE_VALUES 2 /* variable parts a pattern may have */
#define ROUTE_PATH_SIZE 512

typedef enum RouteResult {
  ROUTE_FOUND,
  ROUTE_NO_PATH,
  ROUTE_NO_METHOD,
  ROUTE_MALFORMED
} RouteResult;

typedef struct RouteMatch {
  const Route *route;
  char allow[64]; /* with ROUTE_NO_METHOD: the methods there are */
  const char *names[ROUTE_VALUES]; /* not terminated; see name_sizes */
  size_t name_sizes[ROUTE_VALUES];
  const char *values[ROUTE_VALUES];
  size_t count;
  char memory[ROUTE_PATH_SIZE]; /* what `values` point into */
} RouteMatch;

/* `path` is as it came, still percent-encoded; `size` bytes of it. */
RouteResult route_find(const Route *routes, size_t count, const char *method,
                       const char *path, size_t size, RouteMatch *match);

#endif
