/*
 * api.c: the table of contents: every method and path the sandbox answers.
 */
#include "api.h"

#define DOCUMENT "/sign/documents/{documentId}"
#define COLLECTION "/sign/document-collections/{documentCollectionId}"
#define SESSION "/sign/signing-sessions/{sessionId}"
#define CONTROL "/_sandbox/sessions/{sessionId}"

const Route api_routes[] = {
    {"POST", "/auth/open/connect/token", ROUTE_OPEN, ROUTE_FORM, token_issue},

    {"POST", "/sign/documents", ROUTE_TOKEN, ROUTE_FILE, documents_upload},
    {"GET", DOCUMENT, ROUTE_TOKEN, ROUTE_NO_BODY, documents_download},
    {"DELETE", DOCUMENT, ROUTE_TOKEN, ROUTE_NO_BODY, documents_delete},
    {"GET", DOCUMENT "/metadata", ROUTE_TOKEN, ROUTE_NO_BODY,
     documents_metadata},
    {"PATCH", DOCUMENT "/metadata", ROUTE_TOKEN, ROUTE_JSON, documents_update},

    {"POST", "/sign/document-collections", ROUTE_TOKEN, ROUTE_JSON,
     collections_create},
    {"GET", COLLECTION, ROUTE_TOKEN, ROUTE_NO_BODY, collections_get},
    {"DELETE", COLLECTION, ROUTE_TOKEN, ROUTE_NO_BODY, collections_delete},

    {"POST", "/sign/signing-sessions", ROUTE_TOKEN, ROUTE_JSON,
     sessions_create},
    {"GET", "/sign/signing-sessions", ROUTE_TOKEN, ROUTE_NO_BODY, listing_get},
    {"GET", SESSION, ROUTE_TOKEN, ROUTE_NO_BODY, sessions_get},
    {"DELETE", SESSION, ROUTE_TOKEN, ROUTE_NO_BODY, sessions_delete},

    {"GET", "/sign/", ROUTE_OPEN, ROUTE_NO_BODY, sessions_page},

    {"POST", CONTROL "/sign", ROUTE_OPEN, ROUTE_MAY_JSON, control_sign},
    {"POST", CONTROL "/reject", ROUTE_OPEN, ROUTE_MAY_JSON, control_reject},
    {"GET", "/_sandbox/ca.pem", ROUTE_OPEN, ROUTE_NO_BODY, control_ca},
};

const size_t api_route_count = sizeof api_routes / sizeof *api_routes;
