/*
 * collections.c: the three operations on document collections. Data only.
 */
#include "operation.h"

/* The reference names DocumentReference, client libraries open it. */
static const Field reference_fields[] = {
    {.name = "documentId", .schema = &sc_schema_uuid, .required = 1},
    {.name = "description", .schema = &sc_schema_text},
    {.name = NULL},
};

static const Schema reference = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = reference_fields,
};

static const Schema references = {
    .type = SCHEMA_ARRAY,
    .min = 1,
    .max = 100,
    .items = &reference,
};

static const Field collection_fields[] = {
    {.name = "documents", .schema = &references, .required = 1},
    {.name = "packageTo", .schema = &sc_schema_package_to},
    {.name = NULL},
};

static const Schema collection = {
    .type = SCHEMA_OBJECT,
    .fields = collection_fields,
};

const Operation sc_collection_operations[] = {
    {
        .id = "createDocumentCollection",
        .name = "collections:create",
        .method = "POST",
        .path = "/document-collections",
        .body = BODY_JSON,
        .payload = &collection,
        .result = RESULT_COLLECTION,
        .creates = 1,
    },
    {
        .id = "getDocumentCollection",
        .name = "collections:get",
        .method = "GET",
        .path = "/document-collections/{documentCollectionId}",
        .result = RESULT_COLLECTION,
    },
    {
        .id = "deleteDocumentCollection",
        .name = "collections:delete",
        .method = "DELETE",
        .path = "/document-collections/{documentCollectionId}",
        .result = RESULT_NOTHING,
    },
    {.id = NULL},
};
