/*
 * sessions.c: the four operations on signing sessions. Data only.
 *
 * The reference lists a session's own fields and names the objects below
 * them; what those objects hold is known from client libraries and guides,
 * so each of them is RULE_DOCUMENTED. Lists that are known to grow (the
 * identity providers' names, the vendors) are plain text here.
 */
#include "operation.h"

static const Schema boolean = {.type = SCHEMA_BOOLEAN};
static const Schema url = {.type = SCHEMA_URL};

/* SessionDocument */

static const char *const action_values[] = {"SIGN", "VIEW", NULL};

static const Schema action = {.type = SCHEMA_STRING, .values = action_values};

static const Field document_fields[] = {
    {.name = "documentCollectionId", .schema = &sc_schema_uuid, .required = 1},
    {.name = "documentId", .schema = &sc_schema_uuid, .required = 1},
    {.name = "action", .schema = &action, .required = 1},
    {.name = NULL},
};

static const Schema document = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = document_fields,
};

static const Schema documents = {
    .type = SCHEMA_ARRAY,
    .min = 1,
    .max = 50,
    .items = &document,
};

/* SigningSetup */

static const Field provider_fields[] = {
    {.name = "idpName", .schema = &sc_schema_text, .required = 1},
    {.name = NULL},
};

static const Schema provider = {
    .type = SCHEMA_OBJECT,
    .fields = provider_fields,
};

static const Schema providers = {.type = SCHEMA_ARRAY, .items = &provider};

static const Schema parameters = {
    .type = SCHEMA_MAP,
    .items = &sc_schema_text,
};

static const char *const flow_values[] = {
    "AUTHENTICATION_BASED",
    "PKISIGNING",
    NULL,
};

static const Schema flow = {.type = SCHEMA_STRING, .values = flow_values};

static const Field setup_fields[] = {
    {.name = "signingFlow", .schema = &flow, .required = 1},
    {.name = "identityProviders", .schema = &providers},
    {.name = "vendor", .schema = &sc_schema_text},
    {.name = "additionalParameters", .schema = &parameters},
    {.name = NULL},
};

static const Schema setup = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = setup_fields,
};

static const Schema setups = {
    .type = SCHEMA_ARRAY,
    .min = 1,
    .max = 1,
    .items = &setup,
};

/* Signer */

static const char *const validation_values[] = {
    "NATIONAL_IDENTIFICATION_NUMBER",
    NULL,
};

static const Schema validation = {
    .type = SCHEMA_STRING,
    .values = validation_values,
};

static const Schema validations = {.type = SCHEMA_ARRAY, .items = &validation};

static const char *const parameter_values[] = {"NIN", NULL};
static const char *const restriction_values[] = {"NO_USE", NULL};

static const Schema parameter = {
    .type = SCHEMA_STRING,
    .values = parameter_values,
};

static const Schema restriction = {
    .type = SCHEMA_STRING,
    .values = restriction_values,
};

static const Field restrict_fields[] = {
    {.name = "parameter", .schema = &parameter},
    {.name = "restriction", .schema = &restriction},
    {.name = NULL},
};

static const Schema restrict_one = {
    .type = SCHEMA_OBJECT,
    .fields = restrict_fields,
};

static const Schema restrict_use = {
    .type = SCHEMA_ARRAY,
    .items = &restrict_one,
};

static const Field signer_fields[] = {
    {.name = "nationalIdentificationNumber", .schema = &sc_schema_text},
    {.name = "validations", .schema = &validations},
    {.name = "restrictUse", .schema = &restrict_use},
    /* Older revisions only; harmless, and programs still send them. */
    {.name = "email", .schema = &sc_schema_text},
    {.name = "mobile", .schema = &sc_schema_text},
    {.name = NULL},
};

static const Schema signer = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = signer_fields,
};

/* The smaller objects */

static const Field archive_fields[] = {
    {.name = "sendOriginalToArchive", .schema = &boolean},
    {.name = "sendResultToArchive", .schema = &boolean},
    {.name = NULL},
};

static const Schema archive = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = archive_fields,
};

static const Field pre_authentication_fields[] = {
    {.name = "enabled", .schema = &boolean, .required = 1},
    {.name = "identityProviders", .schema = &providers},
    {.name = NULL},
};

static const Schema pre_authentication = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = pre_authentication_fields,
};

static const char *const language_values[] = {
    "da", "de", "en", "fi", "nb", "nn", "sv", NULL,
};

static const Schema language = {
    .type = SCHEMA_STRING,
    .values = language_values,
};

static const Field ui_fields[] = {
    {.name = "language", .schema = &language},
    {.name = NULL},
};

static const Schema ui = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = ui_fields,
};

static const Field redirect_fields[] = {
    {.name = "success", .schema = &url, .required = 1},
    {.name = "cancel", .schema = &url, .required = 1},
    {.name = "error", .schema = &url, .required = 1},
    {.name = NULL},
};

static const Schema redirects = {
    .type = SCHEMA_OBJECT,
    .source = RULE_DOCUMENTED,
    .fields = redirect_fields,
};

/* SigningSession */

static const Schema title = {.type = SCHEMA_STRING, .max = 255};
static const Schema minutes = {.type = SCHEMA_INTEGER, .min = 5, .max = 525600};
static const Schema sign_text = {.type = SCHEMA_STRING, .max = 2048};
static const Schema external = {.type = SCHEMA_STRING, .max = 1024};

static const Schema due_date = {
    .type = SCHEMA_DATE_TIME,
    .max_days_ahead = 45,
};

static const Schema subsequent_to = {
    .type = SCHEMA_ARRAY,
    .max = 50,
    .items = &sc_schema_uuid,
};

static const Field session_fields[] = {
    {.name = "title", .schema = &title, .required = 1},
    {.name = "documents", .schema = &documents, .required = 1},
    {.name = "signingSetup", .schema = &setups, .required = 1},
    {.name = "signatureUrlTTL", .schema = &minutes},
    {.name = "signText", .schema = &sign_text},
    {.name = "dueDate", .schema = &due_date},
    {.name = "externalReference", .schema = &external, .nullable = 1},
    {.name = "subsequentTo", .schema = &subsequent_to},
    {.name = "packageTo", .schema = &sc_schema_package_to},
    {.name = "signer", .schema = &signer},
    {.name = "archive", .schema = &archive},
    {.name = "preAuthentication", .schema = &pre_authentication},
    {.name = "ui", .schema = &ui},
    {.name = "redirectSettings", .schema = &redirects},
    {.name = NULL},
};

static const Schema session = {
    .type = SCHEMA_OBJECT,
    .fields = session_fields,
};

static const Schema sessions = {
    .type = SCHEMA_ARRAY,
    .min = 1,
    .max = 100,
    .items = &session,
};

/* The list's query. Dates are plain strings to a client: the reference gives
 * them no format, only examples. */

static const Schema offset = {.type = SCHEMA_INTEGER, .max = 100000};
static const Schema limit = {.type = SCHEMA_INTEGER, .min = 1, .max = 1000};

static const Schema sort = {
    .type = SCHEMA_ARRAY,
    .items = &sc_schema_text,
    .single_ok = 1,
};

static const char *const state_values[] = {
    "BLOCKED", "READY", "SIGNED", "REJECTED", NULL,
};

static const Schema state = {
    .type = SCHEMA_STRING,
    .source = RULE_DOCUMENTED,
    .values = state_values,
};

static const Schema states = {
    .type = SCHEMA_ARRAY,
    .items = &state,
    .single_ok = 1,
};

static const Field query_fields[] = {
    {.name = "offset", .schema = &offset},
    {.name = "limit", .schema = &limit},
    {.name = "sort", .schema = &sort},
    {.name = "createdDateFrom", .schema = &sc_schema_text},
    {.name = "createdDateTo", .schema = &sc_schema_text},
    {.name = "state", .schema = &states},
    {.name = "dueDateFrom", .schema = &sc_schema_text},
    {.name = "dueDateTo", .schema = &sc_schema_text},
    {.name = "sessionTitleLike", .schema = &sc_schema_text},
    {.name = NULL},
};

static const Schema query = {.type = SCHEMA_OBJECT, .fields = query_fields};

const Operation sc_session_operations[] = {
    {
        .id = "createSigningSession",
        .name = "sessions:create",
        .method = "POST",
        .path = "/signing-sessions",
        .body = BODY_JSON,
        .payload = &sessions,
        .result = RESULT_SESSIONS,
        .creates = 1,
    },
    {
        .id = "listSigningSessions",
        .name = "sessions:list",
        .method = "GET",
        .path = "/signing-sessions",
        .query = &query,
        .result = RESULT_PAGE,
    },
    {
        .id = "getSigningSession",
        .name = "sessions:get",
        .method = "GET",
        .path = "/signing-sessions/{sessionId}",
        .result = RESULT_SESSION,
    },
    {
        .id = "deleteSigningSession",
        .name = "sessions:delete",
        .method = "DELETE",
        .path = "/signing-sessions/{sessionId}",
        .result = RESULT_NOTHING,
    },
    {.id = NULL},
};
