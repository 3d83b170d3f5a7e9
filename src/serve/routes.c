/* routes.c — the one table of routes: the router, the Allow header, the metrics' labels and
 * /openapi.json all come from it. */
#include "serve/accounts.h"
#include "serve/alignment.h"
#include "serve/service.h"
#include "serve/shared.h"
#include "serve/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) (1u << VL_FORM_##name)
#define KEEP_FIELDS (FIELD(KEEP) | FIELD(CONSENT) | FIELD(SUBJECT))
#define PREDICT_FIELDS                                                                         \
    (FIELD(FILE) | FIELD(INSTRUCTION) | FIELD(LANGUAGES) | FIELD(PICTURES) | FIELD(EXPLAIN) |  \
     FIELD(REDACT) | FIELD(MODEL) | FIELD(STREAM) | KEEP_FIELDS)
#define CAPTION_FIELDS (FIELD(FILE) | FIELD(LANGUAGE) | KEEP_FIELDS)
#define VQA_FIELDS (FIELD(FILE) | FIELD(QUESTION) | FIELD(STATEMENT) | KEEP_FIELDS)
#define SCENE_FIELDS (FIELD(FILE) | FIELD(SET) | KEEP_FIELDS)
#define RETRIEVE_FIELDS (FIELD(FILE) | FIELD(TEXT) | FIELD(LANGUAGE) | FIELD(K))
#define OCR_FIELDS                                                                             \
    (FIELD(FILE) | FIELD(LANGUAGES) | FIELD(FORMAT) | FIELD(EXPLAIN) | FIELD(SOURCE) |         \
     FIELD(REDACT) | KEEP_FIELDS)

#define BATCH_FIELDS                                                                           \
    (FIELD(TASK) |                                                                             \
     ((PREDICT_FIELDS | CAPTION_FIELDS | VQA_FIELDS | SCENE_FIELDS | OCR_FIELDS) &             \
      ~(FIELD(KEEP) | FIELD(CONSENT) | FIELD(STREAM))))

const vl_route vl_routes[] = {
    {"GET", "/health", "health", "The process answers", VL_BODY_NONE, 0, "application/json",
     "Health", NULL, vl_handle_health, VL_ACCESS_OPEN},
    {"POST", "/predict", "predict",
     "Looks at a photo or page and answers; without an instruction it describes", VL_BODY_FORM,
     PREDICT_FIELDS, "application/json", "Answer", NULL, vl_work_predict, VL_ACCESS_VIEWER},
    {"POST", "/api/v1/ocr", "ocr", "Reads the text of a picture or document",
     VL_BODY_FORM_OR_JSON, OCR_FIELDS, NULL, "OcrDocument", NULL, vl_work_ocr,
     VL_ACCESS_VIEWER},
    {"POST", "/api/v1/ocr/corrections", "ocr_corrections",
     "Takes what people say that lines are, so that engines are trusted as they deserve",
     VL_BODY_JSON, 0, "application/json", "OcrTaught", "OcrCorrections", vl_work_corrections,
     VL_ACCESS_ANNOTATOR},
    {"POST", "/api/v1/caption", "caption", "Says in a sentence what a photograph shows",
     VL_BODY_FORM_OR_JSON, CAPTION_FIELDS, "application/json", "Caption", NULL, vl_work_caption,
     VL_ACCESS_VIEWER},
    {"POST", "/api/v1/vqa", "vqa",
     "Answers a question about a photograph, or says whether a statement is true",
     VL_BODY_FORM_OR_JSON, VQA_FIELDS, "application/json", "PictureAnswer", NULL, vl_work_vqa,
     VL_ACCESS_VIEWER},
    {"POST", "/api/v1/scene", "scene", "Sorts a picture by labels, with probabilities",
     VL_BODY_FORM_OR_JSON, SCENE_FIELDS, "application/json", "Labels", NULL, vl_work_scene,
     VL_ACCESS_VIEWER},
    {"POST", "/api/v1/retrieve", "retrieve",
     "Finds the pictures of the configured index that are nearest to a picture or a text",
     VL_BODY_FORM_OR_JSON, RETRIEVE_FIELDS, "application/json", "Retrieved", NULL,
     vl_work_retrieve, VL_ACCESS_VIEWER},
    {"POST", "/research/alignment", "alignment",
     "Finds the sentences of a bank that say in another language what a sentence says, and "
     "glosses its words",
     VL_BODY_JSON, 0, "application/json", "Alignment", "AlignmentRequest", vl_handle_alignment,
     VL_ACCESS_VIEWER},
    {"POST", "/api/v1/batch", "batch",
     "Takes many files for one task, done when there is time; Idempotency-Key is heeded",
     VL_BODY_FORM_OR_JSON, BATCH_FIELDS, "application/json", "Job", NULL, vl_handle_batch,
     VL_ACCESS_VIEWER},
    {"GET", "/api/v1/jobs", "jobs", "The caller's jobs, the newest first", VL_BODY_NONE, 0,
     "application/json", "Jobs", NULL, vl_handle_jobs, VL_ACCESS_VIEWER},
    {"GET", "/api/v1/jobs/{id}", "job", "How far a job is, and what came of its items",
     VL_BODY_NONE, 0, "application/json", "JobWithItems", NULL, vl_handle_job,
     VL_ACCESS_VIEWER},
    {"DELETE", "/api/v1/jobs/{id}", "job_cancel", "Ends what has not ended of a job",
     VL_BODY_NONE, 0, "application/json", "Job", NULL, vl_handle_job_cancel, VL_ACCESS_VIEWER},
    {"POST", "/api/v1/jobs/{id}/retry", "job_retry", "Tries again what failed of a job",
     VL_BODY_NONE, 0, "application/json", "Job", NULL, vl_handle_job_retry, VL_ACCESS_VIEWER},
    {"GET", "/api/v1/jobs/{id}/events", "job_events",
     "Follows a job by server-sent events: item, progress, end; Last-Event-ID goes on from "
     "there",
     VL_BODY_NONE, 0, "text/event-stream", NULL, NULL, vl_handle_job_events, VL_ACCESS_VIEWER},
    {"GET", "/ready", "ready", "Whether new requests should be sent here", VL_BODY_NONE, 0,
     "application/json", "Ready", NULL, vl_handle_ready, VL_ACCESS_OPEN},
    {"GET", "/health/ocr", "health_ocr", "Which reading engines and language packs are there",
     VL_BODY_NONE, 0, "application/json", "OcrHealth", NULL, vl_handle_health_ocr,
     VL_ACCESS_VIEWER},
    {"GET", "/health/detailed", "health_detailed",
     "Everything the service depends on: state, latency, version", VL_BODY_NONE, 0,
     "application/json", "HealthDetailed", NULL, vl_handle_health_detailed, VL_ACCESS_OPERATOR},
    {"GET", "/metrics", "metrics", "Counters in Prometheus' text format", VL_BODY_NONE, 0,
     "text/plain; version=0.0.4; charset=utf-8", NULL, NULL, vl_handle_metrics,
     VL_ACCESS_METRICS},
    {"GET", "/stats", "stats", "The same counters, summed up, as JSON", VL_BODY_NONE, 0,
     "application/json", "Stats", NULL, vl_handle_stats, VL_ACCESS_VIEWER},
    {"GET", "/admin/subjects/{id}", "subject_export", "All that is kept of a person, as a ZIP",
     VL_BODY_NONE, 0, "application/zip", NULL, NULL, vl_handle_subject_export, VL_ACCESS_ADMIN},
    {"DELETE", "/admin/subjects/{id}", "subject_erase",
     "Erases all that is kept of a person, with a signed receipt", VL_BODY_NONE, 0,
     "application/json", "ErasureReceipt", NULL, vl_handle_subject_erase, VL_ACCESS_ADMIN},
    {"GET", "/models", "models", "What answers are made with", VL_BODY_NONE, 0,
     "application/json", "Models", NULL, vl_handle_models, VL_ACCESS_VIEWER},
    {"GET", "/openapi.json", "openapi", "This description", VL_BODY_NONE, 0, "application/json",
     "Anything", NULL, vl_handle_openapi, VL_ACCESS_OPEN},
    {"POST", "/auth/token", "auth_token", "Logs in: an access token and a refresh token",
     VL_BODY_SMALL_JSON, 0, "application/json", "Tokens", "Login", vl_account_token,
     VL_ACCESS_LOGIN},
    {"POST", "/auth/refresh", "auth_refresh",
     "New tokens for a refresh token, which is good once", VL_BODY_SMALL_JSON, 0,
     "application/json", "Tokens", "RefreshToken", vl_account_refresh, VL_ACCESS_ANYONE},
    {"POST", "/auth/revoke", "auth_revoke", "Logs out: ends the session of a refresh token",
     VL_BODY_SMALL_JSON, 0, "application/json", "Revoked", "RefreshToken", vl_account_revoke,
     VL_ACCESS_ANYONE},
    {"GET", "/admin/users", "users", "Who may use the service", VL_BODY_NONE, 0,
     "application/json", "Users", NULL, vl_account_users, VL_ACCESS_ADMIN},
    {"POST", "/admin/users", "user_create", "Makes a user", VL_BODY_SMALL_JSON, 0,
     "application/json", "User", "NewUser", vl_account_user_create, VL_ACCESS_ADMIN},
    {"PATCH", "/admin/users/{id}", "user_change",
     "A user's role, password, or whether he is disabled; one of them at once. It ends his "
     "sessions",
     VL_BODY_SMALL_JSON, 0, "application/json", "User", "UserChange", vl_account_user_change,
     VL_ACCESS_ADMIN},
    {"DELETE", "/admin/users/{id}", "user_delete", "Removes a user and his keys", VL_BODY_NONE,
     0, "application/json", "Gone", NULL, vl_account_user_delete, VL_ACCESS_ADMIN},
    {"GET", "/admin/users/{id}/keys", "keys", "A user's API keys", VL_BODY_NONE, 0,
     "application/json", "Keys", NULL, vl_account_keys, VL_ACCESS_ADMIN},
    {"POST", "/admin/users/{id}/keys", "key_create",
     "Makes an API key, which the answer shows this once", VL_BODY_SMALL_JSON, 0,
     "application/json", "KeyMade", "NewKey", vl_account_key_create, VL_ACCESS_ADMIN},
    {"DELETE", "/admin/keys/{id}", "key_revoke", "Revokes an API key", VL_BODY_NONE, 0,
     "application/json", "Gone", NULL, vl_account_key_revoke, VL_ACCESS_ADMIN},
    {"POST", "/admin/clear_cache", "clear_cache",
     "Forgets answers that were made before, here and in Redis", VL_BODY_NONE, 0,
     "application/json", "CacheCleared", NULL, vl_handle_clear_cache, VL_ACCESS_OPERATOR},
    {"GET", "/admin/ocr/weights", "weights",
     "How often each engine was right, as votes are weighed by it", VL_BODY_NONE, 0,
     "application/json", "OcrWeights", NULL, vl_weights_show, VL_ACCESS_OPERATOR},
    {"DELETE", "/admin/ocr/weights", "weights_reset",
     "Forgets how often `engine` was right; without that, how often each was", VL_BODY_NONE, 0,
     "application/json", "OcrWeightsReset", NULL, vl_weights_reset_them, VL_ACCESS_ADMIN},
    {"GET", "/admin/audit", "audit",
     "Entries of the audit trail after number `after`, oldest first, at most `limit` (100)",
     VL_BODY_NONE, 0, "application/json", "Audit", NULL, vl_account_audit, VL_ACCESS_ADMIN},
    {"GET", "/", "page", "The browser page", VL_BODY_NONE, 0, "text/html; charset=utf-8", NULL,
     NULL, vl_handle_asset, VL_ACCESS_OPEN},
    {"GET", "/static/", "static", "Files of the browser page", VL_BODY_NONE, 0, NULL, NULL,
     NULL, vl_handle_asset, VL_ACCESS_OPEN},
};
const size_t vl_route_count = sizeof vl_routes / sizeof *vl_routes;
_Static_assert(sizeof vl_routes / sizeof *vl_routes < VL_METRICS_ROUTES,
               "one label is left for what matched no route");

/* What few routes have beside that. */
const vl_route_more *vl_route_more_of(const vl_route *route) {
    static const vl_route_more none = {.status = 200};
    static const struct {
        const char *id;
        vl_route_more more;
    } rows[] = {
        {"batch", {.status = 202, .many = true}},
        {"jobs", {.status = 200, .query = "before limit all"}},
        {"job", {.status = 200, .query = "after limit"}},
        {"job_retry", {.status = 202}},
        {"user_create", {.status = 201}},
        {"key_create", {.status = 201}},
        {"weights_reset", {.status = 200, .query = "engine"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].id, route->id))
            return &rows[i].more;
    return &none;
}

/* How many characters the segment at `path` has. */
static size_t segment_length(const char *path) {
    return strcspn(path, "/");
}

static bool matches_path(const vl_route *route, const char *path) {
    const char *pattern = route->path;
    while (*pattern && *path) {
        if (*pattern == '{') {
            size_t length = segment_length(path);
            if (!length)
                return false;
            pattern += segment_length(pattern);
            path += length;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    bool is_folder = pattern > route->path + 1 && pattern[-1] == '/';
    return !*pattern && (is_folder ? *path != '\0' : !*path);
}

static bool matches_method(const vl_route *route, const char *method) {
    return !strcmp(route->method, method) ||
           (!strcmp(method, "HEAD") && !strcmp(route->method, "GET"));
}

const vl_route *vl_route_find_among(const vl_route *routes, size_t count, const char *method,
                                    const char *path, char allow[64]) {
    size_t length = 0;
    allow[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const vl_route *route = &routes[i];
        if (!matches_path(route, path))
            continue;
        if (matches_method(route, method))
            return route;
        bool gets = !strcmp(route->method, "GET");
        length += (size_t)snprintf(allow + length, 64 - length, "%s, ",
                                   gets ? "GET, HEAD" : route->method);
    }
    if (length)
        snprintf(allow + length, 64 - length, "OPTIONS");
    return NULL;
}

const vl_route *vl_route_find(const char *method, const char *path, char allow[64]) {
    return vl_route_find_among(vl_routes, vl_route_count, method, path, allow);
}

/* Paths of the next version are in no description, and say so when they are asked for. */
#define PLANNED " not in version " VL_VERSION "; planned for " VL_VERSION_NEXT "."
const char *vl_route_planned(const char *path) {
    static const struct {
        const char *path, *what;
    } planned[] = {
        {"/load_model", "Models in memory under a budget are" PLANNED},
        {"/unload_model", "Models in memory under a budget are" PLANNED},
        {"/api/v1/vision/", "Models in memory under a budget are" PLANNED},
        {"/research/benchmark", "Benchmarks over HTTP are" PLANNED},
        {"/performance-comparison", "Two versions side by side are" PLANNED},
    };
    for (size_t i = 0; i < sizeof planned / sizeof *planned; i++) {
        size_t length = strlen(planned[i].path);
        bool below = planned[i].path[length - 1] == '/';
        if (below ? !strncmp(path, planned[i].path, length) : !strcmp(path, planned[i].path))
            return planned[i].what;
    }
    return NULL;
}

bool vl_route_segment(const vl_request *request, const char *name, char *out, size_t size) {
    const char *pattern = request->route->path, *path = request->path;
    while (*pattern && *path) {
        size_t wanted = segment_length(pattern), length = segment_length(path);
        bool is_it = wanted == strlen(name) + 2 && *pattern == '{' &&
                     !strncmp(pattern + 1, name, wanted - 2);
        if (is_it && length < size) {
            memcpy(out, path, length);
            out[length] = '\0';
            return true;
        }
        pattern += wanted + (pattern[wanted] == '/');
        path += length + (path[length] == '/');
    }
    return false;
}

bool vl_route_id(const vl_request *request, const char *name, int64_t *id) {
    char text[20]; /* 18 digits do not overflow */
    if (!vl_route_segment(request, name, text, 19) ||
        strspn(text, "0123456789") != strlen(text))
        return false;
    *id = strtoll(text, NULL, 10);
    return *id > 0;
}

size_t vl_route_index(const vl_route *route) {
    bool counted = route >= vl_routes && route < vl_routes + vl_route_count;
    return counted ? (size_t)(route - vl_routes) : vl_route_count;
}

const char *vl_form_field_name(vl_form_field field) {
    static const char *const names[VL_FORM_FIELD_COUNT] = {
        "",          "file",     "instruction", "languages", "pictures", "format",  "question",
        "statement", "language", "set",         "text",      "k",        "explain", "source",
        "redact",    "model",    "stream",      "keep",      "consent",  "subject", "task"};
    return names[field];
}
