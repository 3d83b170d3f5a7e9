/* weights.c — the track record: kept in the store from time to time, shown, and forgotten. */
#include "serve/weights.h"
#include "serve/service.h"
#include "serve/trail.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { RECORD_MAX = 32 << 20, NAME_SIZE = 64 };

vl_status vl_weights_open(vl_server *server, const vl_config *config, vl_error *error) {
    bool kept;
    vl_status status = vl_ocr_record_setting(config, &kept, error);
    if (!status && kept)
        status = vl_ocr_record_open(server->store.db, &server->record, error);
    server->settings.answer.ocr.record = server->record;
    return status;
}

void vl_weights_close(vl_server *server) {
    vl_ocr_record_close(server->record);
    server->record = NULL;
}

/* ---- from time to time --------------------------------------------------------------- */

static void tend(vl_server *server) {
    vl_ocr_record_tend(server->record);
    atomic_store(&server->tends, false);
}

void vl_weights_tick(vl_server *server) {
    if (!server->record || !vl_ocr_record_is_due(server->record) ||
        atomic_exchange(&server->tends, true))
        return;
    if (!vl_errand_post(server, VL_DESK_SLOW, tend))
        atomic_store(&server->tends, false);
}

/* ---- the routes ---------------------------------------------------------------------- */

bool vl_weights_admit(vl_request *request) {
    if (request->server->record)
        return true;
    vl_decide_problem(request, 503,
                      "This service keeps no record of its engines (setting ocr_record).");
    return false;
}

static void show(vl_request *request) {
    vl_buf json;
    vl_error error;
    vl_buf_init(&json, RECORD_MAX);
    if (!vl_ocr_record_export(request->server->record, &json, &error)) {
        vl_decide_text(request, "application/json", &json);
        return;
    }
    vl_buf_deinit(&json);
    vl_decide_failure(request, vl_http_status(error.status), &error);
}

/* Of an engine: printable ASCII. */
static bool is_name(const char *engine) {
    size_t bytes = strlen(engine);
    for (size_t i = 0; i < bytes; i++)
        if (engine[i] < ' ' || engine[i] > '~')
            return false;
    return bytes && bytes < NAME_SIZE;
}

typedef struct resetting {
    vl_request *request;
    const char *engine; /* NULL: all */
    int64_t removed;
} resetting;

/* For the trail, and as the answer. */
static cJSON *json_of(const resetting *r) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "engine",
                          r->engine ? cJSON_CreateString(r->engine) : cJSON_CreateNull());
    cJSON_AddNumberToObject(json, "rows", (double)r->removed);
    return json;
}

/* In one transaction with its entry of the trail, which may be begun again. */
static vl_status reset_and_note(void *user, vl_error *error) {
    resetting *r = user;
    vl_weights_change change;
    vl_status status =
        vl_weights_reset(r->request->server->store.db, r->engine, &change, error);
    r->removed = change.removed;
    if (status || (r->engine && !r->removed))
        return status;
    cJSON *json = json_of(r);
    char *detail = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    status = vl_trail_done(r->request, "ocr.reset", "", detail, error);
    cJSON_free(detail);
    return status;
}

static void reset(vl_request *request) {
    vl_server *server = request->server;
    vl_error error;
    resetting r = {.request = request,
                   .engine = MHD_lookup_connection_value(request->connection,
                                                         MHD_GET_ARGUMENT_KIND, "engine")};
    if (r.engine && !is_name(r.engine)) {
        vl_decide_problem(request, 400, "\"engine\" is a name of 1 to %d bytes.",
                          NAME_SIZE - 1);
        return;
    }
    vl_status status = vl_ocr_record_flush(server->record, &error);
    if (!status)
        status = vl_audit_together(server->store.audit, reset_and_note, &r, &error);
    if (status) {
        unsigned http = vl_http_status(status);
        request->outcome.retry_after = http == 503 ? 5 : 0;
        vl_decide_failure(request, http, &error);
        return;
    }
    vl_ocr_record_forget(server->record, r.engine);
    if (r.engine && !r.removed) {
        vl_decide_problem(request, 404, "Nothing is recorded of such an engine.");
        return;
    }
    atomic_fetch_add(&server->taught, 1);
    vl_decide_json(request, json_of(&r));
}

void vl_weights_show(vl_request *request) {
    if (vl_weights_admit(request))
        vl_errand_start(request, VL_DESK_SLOW, show);
}

void vl_weights_reset_them(vl_request *request) {
    if (vl_weights_admit(request))
        vl_errand_start(request, VL_DESK_SLOW, reset);
}
