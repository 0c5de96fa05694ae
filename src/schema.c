/*
 * schema.c: the schemas that more than one family refers to. Data only.
 */
#include "schema.h"

const Schema sc_schema_text = {.type = SCHEMA_STRING};

const Schema sc_schema_uuid = {.type = SCHEMA_UUID};

static const char *const package_types[] = {"PADES_CONTAINER", NULL};

static const Schema package_type = {
    .type = SCHEMA_STRING,
    .values = package_types,
};

const Schema sc_schema_package_to = {
    .type = SCHEMA_ARRAY,
    .max = 5,
    .items = &package_type,
};
