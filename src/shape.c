/*
 * shape.c: the form of answers; see shape.h.
 */
#include "shape.h"

#include <string.h>

static const char *object_fault(const Json *json, const JsonNode *object,
                                const char *id) {
  const JsonNode *node;
  if (sc_json_type(object) != JSON_OBJECT) return "the answer is not an object";
  node = sc_json_member(json, object, id, strlen(id));
  if (node && sc_json_type(node) == JSON_STRING) return NULL;
  return "the answer does not say the id of what it is about";
}

static const char *list_fault(const Json *json, const JsonNode *list,
                              const char *id) {
  const JsonNode *item, *end = list + sc_json_span(list);
  if (sc_json_type(list) != JSON_ARRAY) return "the answer is not a list";
  for (item = list + 1; item < end; item += sc_json_span(item)) {
    const char *fault;
    if (sc_json_type(item) != JSON_OBJECT) {
      return "the answer is not a list of objects";
    }
    fault = object_fault(json, item, id);
    if (fault) return fault;
  }
  return NULL;
}

static const char *page_fault(const Json *json, const JsonNode *page) {
  const JsonNode *data;
  if (sc_json_type(page) != JSON_OBJECT) return "the answer is not an object";
  data = sc_json_member(json, page, "data", 4);
  return data ? list_fault(json, data, "id") : "the answer has no `data`";
}

const char *sc_shape_fault(const Json *json, ResultKind result) {
  const JsonNode *root = json->nodes;
  switch (result) {
  case RESULT_ANY: return NULL;
  case RESULT_SESSIONS: return list_fault(json, root, "id");
  case RESULT_PAGE: return page_fault(json, root);
  case RESULT_DOCUMENT: return object_fault(json, root, "documentId");
  default: return object_fault(json, root, "id");
  }
}
