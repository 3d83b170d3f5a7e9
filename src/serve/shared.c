/* shared.c — the cache that processes share, and the route that empties both.
 *
 * A value is its media type, a line end, and the answer. */
#include "serve/shared.h"
#include "serve/errand.h"
#include "serve/service.h"
#include "serve/trail.h"
#include "store/redis.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "vislang:answer:"
enum { KEY_SIZE = sizeof PREFIX + VL_CACHE_KEY_SIZE, TYPE_MAX = 64 };
static const double LONGEST_S = 7 * 86400; /* where answers are kept until evicted */

static size_t largest(const vl_server *server) {
    return server->settings.cache_bytes / 4;
}

static void name_of(const char *key, char name[KEY_SIZE]) {
    snprintf(name, KEY_SIZE, PREFIX "%s", key);
}

/* Types of blobs are static: a type that no answer of this program has is no answer of it. */
static const char *type_of(const char *text, size_t length) {
    for (int format = 0; format < VL_OCR_FORMAT_COUNT; format++) {
        const char *type = vl_work_format_type((vl_ocr_format)format);
        if (strlen(type) == length && !memcmp(type, text, length))
            return type;
    }
    return NULL;
}

vl_blob *vl_shared_get(vl_server *server, const char *key) {
    char name[KEY_SIZE];
    bool found = false;
    vl_error trouble;
    vl_blob *blob = NULL;
    vl_buf value;
    if (!server->store.redis || !*key || !largest(server))
        return NULL;
    name_of(key, name);
    vl_buf_init(&value, largest(server) + TYPE_MAX);
    vl_status status = vl_redis_get(server->store.redis, name, &value, &found, &trouble);
    const char *end = !status && found ? memchr(value.data, '\n', value.len) : NULL;
    const char *type = end ? type_of(value.data, (size_t)(end - value.data)) : NULL;
    if (type)
        blob = vl_blob_new(type, end + 1, (size_t)(value.data + value.len - end - 1));
    vl_buf_deinit(&value);
    if (blob)
        atomic_fetch_add(&server->metrics.shared_hits, 1);
    return blob;
}

void vl_shared_put(vl_server *server, const char *key, const vl_blob *blob) {
    char name[KEY_SIZE];
    vl_error trouble;
    vl_buf value;
    double seconds = server->settings.cache_seconds;
    if (!server->store.redis || !*key || blob->size > largest(server))
        return;
    name_of(key, name);
    vl_buf_init(&value, blob->size + TYPE_MAX);
    vl_buf_printf(&value, "%s\n", blob->type);
    vl_buf_append(&value, blob->bytes, blob->size);
    if (!vl_buf_status(&value, "an answer", NULL) &&
        vl_redis_set(server->store.redis, name, value.data, value.len,
                     seconds > 0 ? seconds : LONGEST_S, &trouble))
        vl_log(VL_LOG_DEBUG, "an answer was not shared", VL_F_STR("reason", trouble.message));
    vl_buf_deinit(&value);
}

/* ---- POST /admin/clear_cache --------------------------------------------------------- */

static void clear(vl_request *request) {
    vl_server *server = request->server;
    size_t entries, bytes;
    int64_t removed = 0;
    vl_error error;
    char detail[96];
    vl_cache_clear(server->cache, &entries, &bytes);
    vl_status status = server->store.redis
                           ? vl_redis_clear(server->store.redis, PREFIX, &removed, &error)
                           : VL_OK;
    snprintf(detail, sizeof detail, "{\"entries\":%zu,\"shared\":%" PRId64 "}", entries,
             removed);
    if (vl_trail_done(request, "cache.clear", "", detail, &error)) {
        request->outcome.retry_after = 5;
        vl_decide_problem(request, 503,
                          "The caches are empty; the audit trail could not be written.");
        return;
    }
    if (status) {
        request->outcome.retry_after = 5;
        vl_decide_problem(request, 503,
                          "The cache of this process is empty; the shared one could not be "
                          "reached.");
        return;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "entries", (double)entries);
    cJSON_AddNumberToObject(json, "bytes", (double)bytes);
    cJSON_AddNumberToObject(json, "shared_entries", (double)removed);
    vl_decide_json(request, json);
}

void vl_handle_clear_cache(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, clear);
}
