/* json.h — what sources answer in JSON, on its way into records.
 *
 * Ownership: what the readers give lies in the arena they get (NULL past its maximum: callers
 * check the strings that a record cannot be without, and the arena says the rest by being full
 * again). Trees belong to the caller (cJSON_Delete).
 *
 * A path is keys with dots between: "date.created". What is not there, null, or of a kind that
 * makes no sense is absent: NULL, false. Objects may be NULL. */
#ifndef VL_HARVEST_JSON_H
#define VL_HARVEST_JSON_H

#include "harvest/source.h"

#include <cjson/cJSON.h>

enum {
    VL_JSON_DEPTH = 64,           /* of what is read */
    VL_JSON_VALUES = 4 << 20,     /* in one document */
    VL_JSON_ANSWER_MAX = 64 << 20 /* bytes of one answer */
};

/* A whole document. Bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD, so
 * that every string of the tree is UTF-8. VL_ERR_INPUT: it is none; a page in HTML is told
 * apart. VL_ERR_LIMIT: more or deeper than the above. */
vl_status vl_json_parse(const char *text, size_t bytes, cJSON **root, vl_error *error);
/* The answer of an interface that is offered to programs; `request` names URL, headers, body
 * and interval. Errors are those of vl_polite_get and vl_json_parse. */
vl_status vl_json_get(const vl_source_call *call, const vl_polite_request *request,
                      cJSON **root, vl_error *error);

/* Gives a record whose `raw` is that object. Its strings and texts may be those of the tree. */
vl_status vl_json_give(const vl_source_call *call, vl_record *record, const cJSON *object,
                       vl_error *error);
/* Says in the log that a record was left out, and why; `key` may be NULL. VL_ERR_MEMORY: it
 * made no sense because the arena is full. */
vl_status vl_json_leave_out(const vl_source_call *call, const char *source, const char *key,
                            const char *why, vl_error *error);

/* The value at `path`, null too; NULL: there is none. */
const cJSON *vl_json_at(const cJSON *object, const char *path);
/* A string without white space around it, or a number as text (ids come as either). "" and
 * absent are NULL. */
const char *vl_json_text(vl_arena *arena, const cJSON *object, const char *path);
/* The same of a value itself. */
const char *vl_json_text_of(vl_arena *arena, const cJSON *value);
/* A number, or a string that is one and nothing else. */
bool vl_json_number(const cJSON *object, const char *path, double *value);
/* Bytes, counts: 0 when it is not said or cannot be. */
uint64_t vl_json_count(const cJSON *object, const char *path);
/* true, "true" in any case, "1", "yes", and numbers but 0. */
bool vl_json_true(const cJSON *object, const char *path);
/* A date or time as RFC 3339 in UTC, whole seconds: "2019-10-22T08:11:12Z" of
 * "2019-10-22T08:11:12.520687", "2019-10-22T10:11:12+02:00", "2019-10-22 08:11:12". */
const char *vl_json_time(vl_arena *arena, const cJSON *object, const char *path);
/* Comma list of the text at `path` in each item of an array ("": of the items themselves),
 * each once, a comma inside one a semicolon. NULL: there is none. */
const char *vl_json_list(vl_arena *arena, const cJSON *array, const char *path);
/* The value as JSON on one line. */
const char *vl_json_raw(vl_arena *arena, const cJSON *value);

#endif
