/* handlers.c — routes that are answered at once, from what the server knows. */
#include "serve/asset.h"
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double uptime(const vl_server *server) {
    return vl_clock_ms_since(server->start_ns) / 1000;
}

/* Asked for many times a second by balancers, hence no JSON tree. */
void vl_handle_health(vl_request *request) {
    char text[128];
    int length =
        snprintf(text, sizeof text,
                 "{\"status\":\"ok\",\"version\":\"" VL_VERSION "\",\"uptime_seconds\":%.3f}",
                 uptime(request->server));
    vl_decide_blob(request, 200, vl_blob_new("application/json", text, (size_t)length));
}

static vl_blob *print_blob(cJSON *json) {
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    vl_blob *blob = text ? vl_blob_new("application/json", text, strlen(text)) : NULL;
    cJSON_free(text);
    return blob;
}

/* Without language packs no Tesseract reads, whether it was called yet or not. */
size_t vl_handlers_engines(const vl_server *server,
                           vl_ocr_engine_health health[VL_OCR_ENGINES_MAX]) {
    size_t count = vl_ocr_engines_health(server->engines, health, VL_OCR_ENGINES_MAX);
    for (size_t i = 0; i < count && !server->ocr_ready; i++) {
        if (strcmp(health[i].name, "tesseract") != 0)
            continue;
        health[i].available = false;
        snprintf(health[i].last_error, sizeof health[i].last_error, "%s", server->ocr_trouble);
    }
    return count;
}

static void add_engine(cJSON *list, const vl_server *server,
                       const vl_ocr_engine_health *health) {
    cJSON *engine = cJSON_CreateObject();
    bool tesseract = !strcmp(health->name, "tesseract");
    cJSON_AddStringToObject(engine, "name", health->name);
    cJSON_AddStringToObject(engine, "version", health->version);
    cJSON_AddBoolToObject(engine, "available", health->available);
    cJSON_AddNumberToObject(engine, "calls", (double)health->calls);
    cJSON_AddNumberToObject(engine, "failures", (double)health->failures);
    cJSON_AddNumberToObject(engine, "timeouts", (double)health->timeouts);
    cJSON_AddNumberToObject(engine, "mean_ms", round(health->mean_ms * 10) / 10);
    cJSON_AddNumberToObject(engine, "votes", (double)health->votes);
    cJSON_AddNumberToObject(engine, "votes_won", (double)health->votes_won);
    cJSON_AddStringToObject(engine, "last_error", health->last_error);
    if (tesseract)
        cJSON_AddItemToObject(engine, "packs", cJSON_Duplicate(server->ocr_packs, true));
    cJSON_AddItemToArray(list, engine);
}

void vl_handle_health_ocr(vl_request *request) {
    const vl_server *server = request->server;
    vl_ocr_engine_health health[VL_OCR_ENGINES_MAX];
    size_t count = vl_handlers_engines(server, health);
    bool all = true;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        add_engine(list, server, &health[i]);
        all = all && health[i].available;
    }
    cJSON_AddStringToObject(json, "status",
                            !server->ocr_ready ? "missing"
                            : all              ? "ok"
                                               : "degraded");
    cJSON_AddItemToObject(json, "engines", list);
    vl_blob *blob = print_blob(json);
    if (blob)
        vl_decide_blob(request, server->ocr_ready ? 200 : 503, blob);
    else
        vl_decide_problem(request, 500, "There is no memory for the answer.");
}

void vl_handle_models(vl_request *request) {
    vl_decide_blob(request, 200, vl_blob_ref(request->server->models));
}

static bool matches_etag(const vl_request *request, const char *etag) {
    const char *wanted = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_IF_NONE_MATCH);
    return wanted && (strstr(wanted, etag) || !strcmp(wanted, "*"));
}

static void decide_cacheable(vl_request *request, vl_blob *blob, const char *etag) {
    request->outcome.etag = etag;
    request->outcome.cache_control = "no-cache"; /* kept, and asked about each time */
    if (!matches_etag(request, etag)) {
        vl_decide_blob(request, 200, blob);
        return;
    }
    vl_blob_unref(blob);
    vl_decide_blob(request, 304, vl_blob_new("application/json", "", 0));
}

void vl_handle_openapi(vl_request *request) {
    decide_cacheable(request, vl_blob_ref(request->server->openapi),
                     request->server->openapi_etag);
}

/* ---- the browser page --------------------------------------------------------------- */

enum { MAX_ASSETS = 32 };
static char asset_etags[MAX_ASSETS][24]; /* written once, before the event thread starts */

static const char *asset_type(const char *name) {
    static const struct {
        const char *extension, *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".svg", "image/svg+xml"},
                 {".json", "application/json"}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (!strcmp(dot, types[i].extension))
            return types[i].type;
    return "application/octet-stream";
}

/* A service worker rules over what lies below it, so that of the review stands at the top. */
static const char *asset_name(const vl_request *request) {
    bool is_page = !strcmp(request->path, "/");
    if (is_page)
        return request->server->reviewing ? "review.html" : "index.html";
    bool is_static = !strncmp(request->path, "/static/", strlen("/static/"));
    return request->path + (is_static ? strlen("/static/") : 1);
}

void vl_handle_asset(vl_request *request) {
    const char *name = asset_name(request);
    size_t i = 0;
    while (vl_assets[i].name && strcmp(vl_assets[i].name, name))
        i++;
    if (!vl_assets[i].name) {
        vl_decide_problem(request, 404, "The browser page has no such file.");
        return;
    }
    request->outcome.policy = "default-src 'none'; script-src 'self'; style-src 'self'; "
                              "img-src 'self' data: blob:; connect-src 'self'; "
                              "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    decide_cacheable(request,
                     vl_blob_new(asset_type(name), vl_assets[i].bytes, vl_assets[i].size),
                     asset_etags[i]);
}

/* ---- what is made once --------------------------------------------------------------- */

static void make_etag(const void *bytes, size_t size, char etag[24]) {
    char digest[VL_SHA256_HEX_SIZE];
    vl_sha256_hex(bytes, size, digest);
    snprintf(etag, 24, "\"%.16s\"", digest);
}

/* Tesseract's packs, which do not change while the service runs. */
static void find_packs(vl_server *server) {
    vl_error error = {0};
    const char **packs = NULL;
    size_t count = 0;
    const vl_ocr_options *options = &server->settings.answer.ocr;
    vl_arena *arena = vl_arena_new(1 << 20);
    vl_status status = arena ? vl_ocr_packs(options, arena, &packs, &count, &error)
                             : vl_fail(&error, VL_ERR_MEMORY, "no memory");
    server->ocr_ready = !status && count;
    server->ocr_packs = cJSON_CreateStringArray(packs, status ? 0 : (int)count);
    snprintf(server->ocr_trouble, sizeof server->ocr_trouble, "%s",
             status ? error.message : "");
    vl_arena_free(arena);
}

static vl_blob *make_models(const vl_server *server) {
    const struct {
        const char *name, *version, *task;
        bool available;
    } models[] = {
        {VL_ANSWER_MODEL, VL_VERSION, "answer", true},
        {"tesseract", vl_ocr_engine_version(), "ocr", server->ocr_ready},
        {"seer", server->seer ? vl_seer_version(server->seer) : "", "caption, vqa, scene",
         server->seer != NULL},
    };
    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "models");
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        cJSON *model = cJSON_CreateObject();
        cJSON_AddStringToObject(model, "name", models[i].name);
        cJSON_AddStringToObject(model, "version", models[i].version);
        cJSON_AddStringToObject(model, "task", models[i].task);
        cJSON_AddBoolToObject(model, "available", models[i].available);
        cJSON_AddItemToArray(list, model);
    }
    return print_blob(json);
}

void vl_handlers_prepare_assets(void) {
    for (size_t i = 0; vl_assets[i].name && i < MAX_ASSETS; i++)
        make_etag(vl_assets[i].bytes, vl_assets[i].size, asset_etags[i]);
}

vl_status vl_handlers_prepare(vl_server *server, vl_error *error) {
    vl_handlers_prepare_assets();
    server->openapi = vl_openapi_make(server);
    find_packs(server);
    server->models = make_models(server);
    if (!server->openapi || !server->ocr_packs || !server->models)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to start the service");
    make_etag(server->openapi->bytes, server->openapi->size, server->openapi_etag);
    snprintf(server->version_tag, sizeof server->version_tag, "%s %s %s %s", VL_VERSION,
             vl_ocr_engine_version(), server->seer ? vl_seer_version(server->seer) : "none",
             server->seer ? vl_seer_format(server->seer) : "");
    return VL_OK;
}
