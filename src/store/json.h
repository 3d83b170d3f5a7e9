/* json.h — a tree of JSON appended to text on one line; the tree is deleted. */
#ifndef VL_STORE_JSON_H
#define VL_STORE_JSON_H

#include <vislang/base.h>

struct cJSON;
void json_put(struct cJSON *json, vl_buf *out);

#endif
