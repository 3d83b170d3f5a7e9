/* review.c — the service of `vislang dataset review`: the page, and the few routes that it asks
 * (docs/dataset.md). What is decided is dataset/review.h's.
 *
 * A reviewer is who has his token. It stands behind the '#' of the address, so that no log and
 * no other page sees it, and comes as Authorization: Bearer with every call; only the files of
 * the page, which say nothing, are had without. Everything that touches the folder runs as an
 * errand. */
#include "serve/service.h"

#include "dataset/review.h"
#include "dataset/review_json.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    AHEAD_MOST = 50,      /* items that are given at once */
    HAVE_MOST = 200,      /* ids that a reviewer says he has */
    DECISIONS_MOST = 500, /* that come at once */
    PICTURE_MAX = 64 << 20,
};
static const size_t ARENA_BYTES = (size_t)64 << 20;

struct vl_reviewing {
    struct vl_review *review;
    size_t count;
    struct {
        char name[REVIEW_NAME_SIZE], token[REVIEW_TOKEN_SIZE];
    } reviewers[];
};

vl_status vl_reviewing_open(vl_server *server, struct vl_review *review,
                            const char *const *reviewers, size_t count, vl_error *error) {
    vl_reviewing *r = calloc(1, sizeof *r + count * sizeof *r->reviewers);
    vl_status status = r ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    server->reviewing = r;
    for (size_t i = 0; i < count && !status; i++) {
        snprintf(r->reviewers[i].name, sizeof r->reviewers[i].name, "%s", reviewers[i]);
        status = review_token(review_db(review), reviewers[i], r->reviewers[i].token, error);
    }
    if (status)
        return status;
    r->review = review;
    r->count = count;
    return VL_OK;
}

void vl_reviewing_free(vl_reviewing *reviewing) {
    if (reviewing)
        explicit_bzero(reviewing->reviewers, reviewing->count * sizeof *reviewing->reviewers);
    free(reviewing);
}

/* ---- who calls --------------------------------------------------------------------------- */

/* In a time that does not tell how much of it is right. */
static bool is_token(const char *given, const char *token) {
    unsigned differs = 0;
    if (strlen(given) != REVIEW_TOKEN_SIZE - 1)
        return false;
    for (size_t i = 0; i < REVIEW_TOKEN_SIZE - 1; i++)
        differs |= (unsigned)(given[i] ^ token[i]);
    return !differs;
}

void vl_reviewing_admit(vl_request *request) {
    const vl_reviewing *r = request->server->reviewing;
    const char *shown = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_AUTHORIZATION);
    if (request->route->access == VL_ACCESS_OPEN)
        return;
    bool bears = shown && !strncasecmp(shown, "Bearer ", 7);
    for (size_t i = 0; bears && i < r->count; i++)
        if (is_token(shown + 7, r->reviewers[i].token)) {
            request->caller.kind = VL_CALLER_USER;
            snprintf(request->caller.name, sizeof request->caller.name, "%s",
                     r->reviewers[i].name);
            return;
        }
    request->outcome.challenge = "Bearer";
    vl_decide_problem(request, 401,
                      "Open the address that 'vislang dataset review' printed: this one has no "
                      "token, or not that of a reviewer of this run.");
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void fail(vl_request *request, const vl_error *error) {
    unsigned status = error->status == VL_ERR_MISSING ? 404 : vl_http_status(error->status);
    vl_decide_failure(request, status, error);
}

/* cJSON ends a text at a NUL. NULL: decided. */
static cJSON *read_body(vl_request *request) {
    const vl_buf *body = &request->form->json;
    bool has_nul = memchr(body->data, '\0', body->len) ||
                   memmem(body->data, body->len, "\\u0000", 6) ||
                   vl_utf8_valid_prefix(body->data, body->len) != body->len;
    cJSON *json = has_nul ? NULL : cJSON_ParseWithLength(body->data, body->len);
    if (cJSON_IsObject(json))
        return json;
    vl_decide_problem(request, 400,
                      "The body is not a JSON object in UTF-8, or has a NUL in it.");
    cJSON_Delete(json);
    return NULL;
}

static void add_raw(cJSON *to, const char *name, const char *json) {
    cJSON_AddItemToObject(to, name, cJSON_CreateRaw(json));
}

static vl_status take_decision(const review_row *row, void *to, vl_error *error) {
    (void)error;
    cJSON_AddItemToObject(to, "decision", review_decision_json(&row->decision));
    return VL_OK;
}

/* {"item", "revision", "decision"}: what the reviewer said last of it, if anything holds. */
static vl_status given_json(vl_request *request, const review_given *given, cJSON *json,
                            vl_error *error) {
    vl_db *db = review_db(request->server->reviewing->review);
    const char *who = request->caller.name;
    int64_t revision;
    add_raw(json, "item", given->json);
    vl_status status = review_latest(db, given->item.id, who, &revision, error);
    cJSON_AddNumberToObject(json, "revision", (double)revision);
    if (!status)
        status = review_verdicts(db, given->item.id, who, take_decision, json, error);
    if (!status && !cJSON_GetObjectItemCaseSensitive(json, "decision"))
        cJSON_AddNullToObject(json, "decision");
    return status;
}

/* ---- GET /review/api/state --------------------------------------------------------------- */

static void add_counts(cJSON *to, const review_counts *counts) {
    cJSON *mine = cJSON_AddObjectToObject(to, "mine");
    for (int v = 0; v <= REVIEW_SKIPPED; v++)
        cJSON_AddNumberToObject(mine, review_verdict_name((review_verdict)v),
                                (double)counts->by_verdict[v]);
    cJSON_AddNumberToObject(mine, "seconds", round(counts->seconds * 10) / 10);
}

static void work_state(vl_request *request) {
    struct vl_review *review = request->server->reviewing->review;
    review_counts counts;
    vl_error error;
    if (review_count(review_db(review), request->caller.name, &counts, &error)) {
        fail(request, &error);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    const char *folder = review_folder(review), *slash = strrchr(folder, '/');
    cJSON_AddStringToObject(json, "dataset", slash && slash[1] ? slash + 1 : folder);
    cJSON_AddStringToObject(json, "built", review_built(review));
    cJSON_AddStringToObject(json, "reviewer", request->caller.name);
    cJSON_AddNumberToObject(json, "items", (double)review_size(review));
    add_counts(json, &counts);
    cJSON *reasons = cJSON_AddArrayToObject(json, "reasons");
    for (const review_reason *r = review_reasons; r->name; r++) {
        cJSON *reason = cJSON_CreateObject();
        cJSON_AddStringToObject(reason, "name", r->name);
        cJSON_AddStringToObject(reason, "says", r->says);
        cJSON_AddItemToArray(reasons, reason);
    }
    vl_decide_json(request, json);
}

/* ---- POST /review/api/next --------------------------------------------------------------- */

/* Ids that the reviewer has. False: decided. */
static bool read_have(vl_request *request, const cJSON *body, const char **have, size_t *count,
                      size_t *most) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "have"), *one;
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(body, "count");
    *count = 0;
    *most = 1;
    bool good = !list || (cJSON_IsArray(list) && cJSON_GetArraySize(list) <= HAVE_MOST);
    for (one = good && list ? list->child : NULL; one; one = one->next) {
        good = good && cJSON_IsString(one);
        if (good)
            have[(*count)++] = one->valuestring;
    }
    if (good && wanted)
        good = cJSON_IsNumber(wanted) && wanted->valuedouble >= 1 &&
               wanted->valuedouble <= AHEAD_MOST;
    if (good && wanted)
        *most = (size_t)wanted->valuedouble;
    if (!good)
        vl_decide_problem(
            request, 400,
            "\"have\" is a list of at most %d ids, \"count\" a number from 1 to %d.", HAVE_MOST,
            AHEAD_MOST);
    return good;
}

static void answer_next(vl_request *request, const cJSON *body, vl_arena *arena) {
    const char *have[HAVE_MOST];
    review_given given[AHEAD_MOST];
    size_t have_count, most, count;
    vl_error error;
    if (!read_have(request, body, have, &have_count, &most))
        return;
    cJSON *json = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(json, "items");
    vl_status status = review_next(request->server->reviewing->review, request->caller.name,
                                   have, have_count, most, arena, given, &count, &error);
    for (size_t i = 0; i < count && !status; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(items, one);
        status = given_json(request, &given[i], one, &error);
    }
    if (!status) {
        vl_decide_json(request, json);
        return;
    }
    cJSON_Delete(json);
    fail(request, &error);
}

static void work_next(vl_request *request) {
    cJSON *body = read_body(request);
    if (!body)
        return;
    vl_arena *arena = vl_arena_new(ARENA_BYTES);
    if (arena)
        answer_next(request, body, arena);
    else
        vl_decide_problem(request, 500, "There is no memory for the answer.");
    vl_arena_free(arena);
    cJSON_Delete(body);
}

/* ---- GET /review/api/items/{id}, …/picture ------------------------------------------------
 */

typedef void (*item_answer)(vl_request *request, const review_given *given, vl_arena *arena);

static void with_item(vl_request *request, item_answer answer) {
    char id[VL_ITEM_ID_SIZE] = "";
    review_given given;
    vl_error error;
    vl_arena *arena = vl_arena_new(ARENA_BYTES);
    vl_route_segment(request, "id", id, sizeof id);
    vl_status status =
        arena ? review_find(request->server->reviewing->review, id, arena, &given, &error)
              : vl_fail(&error, VL_ERR_MEMORY, "no memory");
    if (status)
        fail(request, &error);
    else
        answer(request, &given, arena);
    vl_arena_free(arena);
}

static void answer_item(vl_request *request, const review_given *given, vl_arena *arena) {
    cJSON *json = cJSON_CreateObject();
    vl_error error;
    (void)arena;
    if (!given_json(request, given, json, &error)) {
        vl_decide_json(request, json);
        return;
    }
    cJSON_Delete(json);
    fail(request, &error);
}

static const char *picture_type(const vl_buf *bytes) {
    switch (vl_media_sniff(bytes->data, bytes->len)) {
    case VL_MEDIA_PNG:
        return "image/png";
    case VL_MEDIA_JPEG:
        return "image/jpeg";
    case VL_MEDIA_WEBP:
        return "image/webp";
    default:
        return NULL;
    }
}

static void answer_picture(vl_request *request, const review_given *given, vl_arena *arena) {
    vl_buf bytes;
    vl_error error;
    (void)arena;
    vl_buf_init(&bytes, PICTURE_MAX);
    vl_status status =
        review_picture(request->server->reviewing->review, &given->item, &bytes, &error);
    const char *type = status ? NULL : picture_type(&bytes);
    if (status)
        fail(request, &error);
    else if (!type)
        vl_decide_problem(request, 415, "The picture of this item is none that pages show.");
    else
        vl_decide_blob(request, 200, vl_blob_new(type, bytes.data, bytes.len));
    vl_buf_deinit(&bytes);
}

static void work_item(vl_request *request) {
    with_item(request, answer_item);
}

static void work_picture(vl_request *request) {
    with_item(request, answer_picture);
}

/* ---- POST /review/api/decisions ------------------------------------------------------------
 */

/* What became of one. False: it cannot be stored now, and neither can what follows. */
static bool decide_one(vl_request *request, const cJSON *given, cJSON *result,
                       vl_error *error) {
    static const char *const outcomes[] = {"stored", "known", "conflict", "unknown"};
    review_decision decision;
    review_outcome outcome = REVIEW_UNKNOWN;
    int64_t latest = 0;
    vl_status status = cJSON_IsObject(given)
                           ? review_decision_read(given, &decision, error)
                           : vl_fail(error, VL_ERR_INPUT, "a decision is an object");
    if (!status)
        status = review_decide(request->server->reviewing->review, request->caller.name,
                               &decision, &outcome, &latest, error);
    if (status && status != VL_ERR_INPUT)
        return false;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(given, "item");
    const cJSON *revision = cJSON_GetObjectItemCaseSensitive(given, "revision");
    cJSON_AddItemToObject(result, "item",
                          cJSON_IsString(item) ? cJSON_Duplicate(item, false)
                                               : cJSON_CreateNull());
    cJSON_AddItemToObject(result, "revision",
                          cJSON_IsNumber(revision) ? cJSON_Duplicate(revision, false)
                                                   : cJSON_CreateNull());
    cJSON_AddStringToObject(result, "status", status ? "refused" : outcomes[outcome]);
    cJSON_AddNumberToObject(result, "latest", (double)latest);
    if (status)
        cJSON_AddStringToObject(result, "detail", error->message);
    return true;
}

static void answer_decisions(vl_request *request, const cJSON *body) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "decisions"), *one;
    vl_error error = {0};
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > DECISIONS_MOST) {
        vl_decide_problem(request, 400, "\"decisions\" is a list of at most %d decisions.",
                          DECISIONS_MOST);
        return;
    }
    cJSON *json = cJSON_CreateObject(), *results = cJSON_AddArrayToObject(json, "results");
    bool goes_on = true;
    cJSON_ArrayForEach(one, list) {
        cJSON *result = cJSON_CreateObject();
        cJSON_AddItemToArray(results, result);
        goes_on = decide_one(request, one, result, &error);
        if (!goes_on)
            break;
    }
    if (goes_on) {
        vl_decide_json(request, json);
        return;
    }
    cJSON_Delete(json); /* what was stored is known when it comes again */
    fail(request, &error);
}

static void work_decisions(vl_request *request) {
    cJSON *body = read_body(request);
    if (body)
        answer_decisions(request, body);
    cJSON_Delete(body);
}

/* ---- routes -------------------------------------------------------------------------------
 */

static void handle_state(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, work_state);
}

static void handle_next(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, work_next);
}

static void handle_item(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, work_item);
}

static void handle_picture(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, work_picture);
}

static void handle_decisions(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, work_decisions);
}

const vl_route vl_review_routes[] = {
    {"GET", "/review/api/state", "review_state", "How far the reviewer is", VL_BODY_NONE, 0,
     "application/json", NULL, NULL, handle_state, VL_ACCESS_ANNOTATOR},
    {"POST", "/review/api/next", "review_next", "What he is to decide on next",
     VL_BODY_SMALL_JSON, 0, "application/json", NULL, NULL, handle_next, VL_ACCESS_ANNOTATOR},
    {"GET", "/review/api/items/{id}", "review_item", "An item", VL_BODY_NONE, 0,
     "application/json", NULL, NULL, handle_item, VL_ACCESS_ANNOTATOR},
    {"GET", "/review/api/items/{id}/picture", "review_picture", "Its picture", VL_BODY_NONE, 0,
     NULL, NULL, NULL, handle_picture, VL_ACCESS_ANNOTATOR},
    {"POST", "/review/api/decisions", "review_decisions", "Takes decisions, each once",
     VL_BODY_JSON, 0, "application/json", NULL, NULL, handle_decisions, VL_ACCESS_ANNOTATOR},
    {"GET", "/", "review_page", "The page", VL_BODY_NONE, 0, "text/html; charset=utf-8", NULL,
     NULL, vl_handle_asset, VL_ACCESS_OPEN},
    {"GET", "/review-worker.js", "review_worker", "Its service worker", VL_BODY_NONE, 0, NULL,
     NULL, NULL, vl_handle_asset, VL_ACCESS_OPEN},
    {"GET", "/static/", "review_static", "Its files", VL_BODY_NONE, 0, NULL, NULL, NULL,
     vl_handle_asset, VL_ACCESS_OPEN},
};
const size_t vl_review_route_count = sizeof vl_review_routes / sizeof *vl_review_routes;
