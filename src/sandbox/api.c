/*
 * api.c: the table of contents: every method and path the sandbox answers.
 */
#include "api.h"

#define DOCUMENT "/sign/documents/{documentId}"
#define COLLECTION "/sign/document-collections/{documentCollectionId}"
#define SESSION "/sign/signing-sessions/{sessionId}"
#define SIGNER "/_sandbox/sessions/{sessionId}"

const Route api_routes[] = {
    {"POST", "/auth/open/connect/token", ROUTE_OPEN, ROUTE_FORM, token_issue,
     "token"},

    {"POST", "/sign/documents", ROUTE_TOKEN, ROUTE_FILE, documents_upload,
     "uploadDocument"},
    {"GET", DOCUMENT, ROUTE_TOKEN, ROUTE_NO_BODY, documents_download,
     "getDocument"},
    {"DELETE", DOCUMENT, ROUTE_TOKEN, ROUTE_NO_BODY, documents_delete,
     "deleteDocument"},
    {"GET", DOCUMENT "/metadata", ROUTE_TOKEN, ROUTE_NO_BODY,
     documents_metadata, "getDocumentInfo"},
    {"PATCH", DOCUMENT "/metadata", ROUTE_TOKEN, ROUTE_JSON, documents_update,
     "updateDocumentMetadata"},

    {"POST", "/sign/document-collections", ROUTE_TOKEN, ROUTE_JSON,
     collections_create, "createDocumentCollection"},
    {"GET", COLLECTION, ROUTE_TOKEN, ROUTE_NO_BODY, collections_get,
     "getDocumentCollection"},
    {"DELETE", COLLECTION, ROUTE_TOKEN, ROUTE_NO_BODY, collections_delete,
     "deleteDocumentCollection"},

    {"POST", "/sign/signing-sessions", ROUTE_TOKEN, ROUTE_JSON, sessions_create,
     "createSigningSession"},
    {"GET", "/sign/signing-sessions", ROUTE_TOKEN, ROUTE_NO_BODY, listing_get,
     "listSigningSessions"},
    {"GET", SESSION, ROUTE_TOKEN, ROUTE_NO_BODY, sessions_get,
     "getSigningSession"},
    {"DELETE", SESSION, ROUTE_TOKEN, ROUTE_NO_BODY, sessions_delete,
     "deleteSigningSession"},

    {"GET", "/sign/", ROUTE_OPEN, ROUTE_NO_BODY, page_open, NULL},
    {"GET", "/sign/document", ROUTE_OPEN, ROUTE_NO_BODY, page_document, NULL},
    {"GET", "/sign/login", ROUTE_OPEN, ROUTE_NO_BODY, page_login, NULL},
    {"GET", "/sign/reject", ROUTE_OPEN, ROUTE_NO_BODY, page_ask_reason, NULL},
    {"POST", "/sign/identify", ROUTE_OPEN, ROUTE_FORM, page_identify, NULL},
    {"POST", "/sign/sign", ROUTE_OPEN_LONG, ROUTE_FORM, page_sign, NULL},
    {"POST", "/sign/reject", ROUTE_OPEN, ROUTE_FORM, page_reject, NULL},
    {"POST", "/sign/cancel", ROUTE_OPEN, ROUTE_FORM, page_cancel, NULL},
    {"GET", "/sign/page.css", ROUTE_OPEN, ROUTE_NO_BODY, page_style, NULL},

    {"POST", SIGNER "/open", ROUTE_OPEN, ROUTE_NO_BODY, control_open, NULL},
    {"POST", SIGNER "/sign", ROUTE_OPEN_LONG, ROUTE_MAY_JSON, control_sign,
     NULL},
    {"POST", SIGNER "/reject", ROUTE_OPEN, ROUTE_MAY_JSON, control_reject,
     NULL},
    {"GET", "/_sandbox/ca.pem", ROUTE_OPEN, ROUTE_NO_BODY, control_ca, NULL},

    {"GET", "/_sandbox/webhooks", ROUTE_OPEN, ROUTE_NO_BODY, webhooks_list,
     NULL},
    {"POST", "/_sandbox/webhooks", ROUTE_OPEN, ROUTE_JSON, webhooks_add, NULL},
    {"DELETE", "/_sandbox/webhooks/{webhookId}", ROUTE_OPEN, ROUTE_NO_BODY,
     webhooks_remove, NULL},
    {"GET", "/_sandbox/events", ROUTE_OPEN, ROUTE_NO_BODY, webhooks_events,
     NULL},
    {"POST", "/_sandbox/events/{eventId}/deliver", ROUTE_OPEN, ROUTE_NO_BODY,
     webhooks_deliver, NULL},

    {"GET", "/_sandbox/clock", ROUTE_OPEN, ROUTE_NO_BODY, levers_clock, NULL},
    {"POST", "/_sandbox/clock", ROUTE_OPEN, ROUTE_JSON, levers_advance, NULL},
    {"GET", "/_sandbox/journal", ROUTE_OPEN, ROUTE_NO_BODY, levers_journal,
     NULL},
    {"DELETE", "/_sandbox/journal", ROUTE_OPEN, ROUTE_NO_BODY, levers_forget,
     NULL},
    {"GET", "/_sandbox/faults", ROUTE_OPEN, ROUTE_NO_BODY, levers_faults, NULL},
    {"POST", "/_sandbox/faults", ROUTE_OPEN, ROUTE_JSON, levers_break, NULL},
    {"DELETE", "/_sandbox/faults", ROUTE_OPEN, ROUTE_NO_BODY, levers_mend,
     NULL},
    {"POST", "/_sandbox/seed", ROUTE_OPEN, ROUTE_MAY_JSON, account_seed, NULL},
    {"POST", "/_sandbox/reset", ROUTE_OPEN, ROUTE_MAY_JSON, account_reset,
     NULL},
};

const size_t api_route_count = sizeof api_routes / sizeof *api_routes;
