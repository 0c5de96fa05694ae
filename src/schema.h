/*
 * schema.h: how the API's payloads are described. Data only.
 *
 * The family rows (documents.c, collections.c, sessions.c) are written in
 * these terms; validate.c checks a Lua value against them and json_write.c
 * lets them decide what the value alone cannot say (that an empty table is
 * an array). Schemas are constant and never refer back to themselves, so
 * their depth bounds every walk over them.
 */
#ifndef SC_SCHEMA_H
#define SC_SCHEMA_H

#include <stddef.h> /* NULL, which ends every list of the rows */
#include <stdint.h>

typedef enum SchemaType {
  SCHEMA_ANY,
  SCHEMA_STRING,  /* min, max: Unicode code points */
  SCHEMA_INTEGER, /* min, max: the value itself */
  SCHEMA_BOOLEAN,
  SCHEMA_UUID,      /* 8-4-4-4-12 hexadecimal digits */
  SCHEMA_DATE_TIME, /* RFC 3339 */
  SCHEMA_URL,       /* absolute: an app's own scheme will do */
  SCHEMA_ARRAY,     /* items; min, max: their number */
  SCHEMA_OBJECT,    /* fields */
  SCHEMA_MAP        /* any names; items describes each value */
} SchemaType;

/* Where a rule comes from, which decides at what level it is checked. */
typedef enum RuleSource {
  RULE_REFERENCE, /* the API reference: always, unless validate = "off" */
  RULE_DOCUMENTED /* client libraries, guides: not at "reference" */
} RuleSource;

typedef struct Schema Schema;
typedef struct Field Field;

struct Schema {
  SchemaType type;
  /* Of everything beyond the bare type: form, limits, values, fields. The
   * reference names some objects without opening them; these are
   * RULE_DOCUMENTED, and so is all that lies below them: at "reference"
   * nobody looks inside. */
  RuleSource source;
  int64_t min, max;          /* both included; max 0: no limits */
  const char *const *values; /* a closed list ended by NULL, or NULL: open */
  const Schema *items;       /* of an array or a map */
  const Field *fields;       /* of an object, ended by a NULL name */
  int32_t max_days_ahead;    /* of a date-time, 0: any */
  unsigned char single_ok;   /* of an array of strings: one bare string is a
                              * list of one; for queries, which repeat a key */
};

struct Field {
  const char *name;
  const Schema *schema;
  unsigned char required; /* its source is that of the object */
  unsigned char nullable; /* null is a value of this field */
};

/* What more than one family needs (schema.c). */
extern const Schema sc_schema_text; /* any string */
extern const Schema sc_schema_uuid;
extern const Schema sc_schema_package_to;

#endif
