/*
 * documents.c: the five operations on documents. Data only.
 *
 * A document's bytes never pass through a schema: the upload's body is the
 * file itself, and its media type is a header that request.c judges.
 */
#include "operation.h"

static const Schema filename = {.type = SCHEMA_STRING, .max = 255};
static const Schema description = {.type = SCHEMA_STRING, .max = 1000};
static const Schema title = {.type = SCHEMA_STRING, .max = 255};

static const Field metadata_fields[] = {
    {.name = "filename", .schema = &filename},
    {.name = "description", .schema = &description},
    {.name = "title", .schema = &title},
    {.name = NULL},
};

static const Schema metadata = {
    .type = SCHEMA_OBJECT,
    .fields = metadata_fields,
};

const Operation sc_document_operations[] = {
    {
        .id = "uploadDocument",
        .name = "documents:upload",
        .method = "POST",
        .path = "/documents",
        .body = BODY_FILE,
        .result = RESULT_DOCUMENT,
        .creates = 1,
    },
    {
        .id = "getDocument",
        .name = "documents:download",
        .method = "GET",
        .path = "/documents/{documentId}",
        .result = RESULT_BYTES,
    },
    {
        .id = "deleteDocument",
        .name = "documents:delete",
        .method = "DELETE",
        .path = "/documents/{documentId}",
        .result = RESULT_NOTHING,
    },
    {
        .id = "updateDocumentMetadata",
        .name = "documents:update",
        .method = "PATCH",
        .path = "/documents/{documentId}/metadata",
        .body = BODY_JSON,
        .payload = &metadata,
        .result = RESULT_DOCUMENT,
    },
    {
        .id = "getDocumentInfo",
        .name = "documents:metadata",
        .method = "GET",
        .path = "/documents/{documentId}/metadata",
        .result = RESULT_DOCUMENT,
    },
    {.id = NULL},
};
