/* json.h — a tree of JSON appended to text on one line (the tree is deleted), and times in it.
 */
#ifndef VL_STORE_JSON_H
#define VL_STORE_JSON_H

#include <vislang/base.h>

struct cJSON;
void json_put(struct cJSON *json, vl_buf *out);
/* A member of RFC 3339, in seconds, UTC; null for 0. */
void json_add_time(struct cJSON *to, const char *name, int64_t ms);

#endif
