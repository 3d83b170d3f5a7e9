/* privacy.c — keeping, forgetting, giving out and erasing. */
#include "serve/service.h"
#include "store/jobs.h"

#include <stdio.h>
#include <string.h>

enum { ARCHIVE_MAX = 1 << 30, RECEIPT_MAX = 64 << 10 };
static const double DAY_SECONDS = 86400;

/* ---- keeping an upload --------------------------------------------------------------- */

static const char *given(const vl_form *form, vl_form_field field) {
    const char *text = form->text[field].data;
    return text && *text ? text : NULL;
}

bool vl_privacy_admit(vl_request *request, vl_keeper_note *note) {
    const vl_form *form = request->form;
    const char *keep = given(form, VL_FORM_KEEP), *subject = given(form, VL_FORM_SUBJECT),
               *consent = given(form, VL_FORM_CONSENT);
    *note = (vl_keeper_note){.keeps = keep && !strcmp(keep, "true")};
    if (!note->keeps && (subject || consent))
        vl_decide_problem(request, 422, "\"subject\" and \"consent\" go with keep=true.");
    else if (note->keeps && (!subject || !consent))
        vl_decide_problem(request, 422,
                          "An upload is kept with \"subject\", whom it is about, and "
                          "\"consent\", who consented to what.");
    else if (note->keeps && !request->server->store.vault)
        vl_decide_problem(request, 409,
                          "Nothing is kept here: the setting encryption_key is empty, and "
                          "uploads are only kept encrypted.");
    if (request->state == VL_REQUEST_DECIDED)
        return false;
    if (note->keeps) {
        vl_caller_actor(&request->caller, note->actor);
        snprintf(note->request_id, sizeof note->request_id, "%s", request->id);
        vl_address_format(&request->client, note->address);
    }
    return true;
}

vl_status vl_privacy_keep(vl_server *server, const vl_form *form, const vl_keeper_note *note,
                          char id[VL_OBJECT_ID_SIZE], vl_error *error) {
    vl_object object;
    const void *bytes = vl_upload_bytes(&form->upload);
    vl_keep keep = {.subject = given(form, VL_FORM_SUBJECT),
                    .consent = given(form, VL_FORM_CONSENT),
                    .kind = "upload",
                    .media_type = vl_media_kind_type(vl_media_sniff(bytes, form->upload.size)),
                    .seconds = server->retention.upload_seconds,
                    .actor = note->actor,
                    .request_id = note->request_id,
                    .address = note->address};
    vl_status status =
        vl_subject_keep(&server->store, bytes, form->upload.size, &keep, &object, error);
    if (!status)
        memcpy(id, object.id, VL_OBJECT_ID_SIZE);
    return status;
}

/* ---- the sweeper --------------------------------------------------------------------- */

void vl_retention_read(const vl_config *config, vl_retention *retention) {
    retention->upload_seconds = vl_config_number(config, "retention_days_upload") * DAY_SECONDS;
    retention->job_seconds = vl_config_number(config, "retention_days_job") * DAY_SECONDS;
    retention->interval = vl_config_number(config, "retention_interval");
}

static void sweep(vl_server *server) {
    vl_store *store = &server->store;
    int64_t objects = 0;
    vl_job_swept jobs = {0};
    char detail[160];
    vl_error error;
    vl_status status = store->vault ? vl_vault_sweep(store->vault, &objects, &error) : VL_OK;
    if (!status && server->retention.job_seconds > 0)
        status = vl_jobs_sweep(store, server->retention.job_seconds, &jobs, &error);
    snprintf(detail, sizeof detail, "{\"objects\":%lld,\"jobs\":%lld}", (long long)objects,
             (long long)jobs.removed);
    if (!status && (objects || jobs.removed))
        status = vl_audit_append(store->audit,
                                 &(vl_audit_entry){.actor = "system",
                                                   .action = "retention.sweep",
                                                   .outcome = "done",
                                                   .detail = detail,
                                                   .subject = "",
                                                   .request_id = "",
                                                   .address = ""},
                                 &error);
    if (status) {
        const vl_field field = VL_F_STR("error", error.message);
        vl_log_write(VL_LOG_WARN, "retention sweep failed", &field, 1);
    }
    atomic_store(&server->retention.sweeping, false);
}

void vl_privacy_tick(vl_server *server) {
    vl_retention *retention = &server->retention;
    int64_t now = vl_clock_ns();
    if (now < atomic_load(&retention->next_ns) || atomic_exchange(&retention->sweeping, true))
        return;
    atomic_store(&retention->next_ns, now + (int64_t)(retention->interval * 1e9));
    if (!vl_errand_post(server, VL_DESK_SLOW, sweep))
        atomic_store(&retention->sweeping, false);
}

/* ---- subjects ------------------------------------------------------------------------ */

static bool read_subject(vl_request *request, char subject[VL_SUBJECT_SIZE]) {
    vl_error error;
    if (!vl_route_segment(request, "id", subject, VL_SUBJECT_SIZE)) {
        vl_decide_problem(request, 404, "There is no such subject.");
        return false;
    }
    if (vl_subject_check(subject, &error)) {
        vl_decide_problem(request, 400, "%s", error.message);
        return false;
    }
    return true;
}

static void decide_failure(vl_request *request, const vl_error *error) {
    bool unsigned_receipt = error->status == VL_ERR_MISSING && !request->server->store.secret;
    unsigned status = error->status == VL_ERR_DENIED ? 404
                      : unsigned_receipt             ? 409
                                                     : vl_http_status(error->status);
    vl_decide_failure(request, status, error);
}

static vl_status note_export(vl_request *request, const char *subject, vl_error *error) {
    char mark[VL_SUBJECT_MARK_SIZE], actor[VL_ACTOR_SIZE], address[VL_ADDRESS_TEXT_SIZE];
    vl_subject_mark(subject, mark);
    vl_caller_actor(&request->caller, actor);
    vl_address_format(&request->client, address);
    return vl_audit_append(request->server->store.audit,
                           &(vl_audit_entry){.actor = actor,
                                             .action = "subject.export",
                                             .subject = mark,
                                             .outcome = "done",
                                             .detail = "{}",
                                             .request_id = request->id,
                                             .address = address},
                           error);
}

static void export_on_errand(vl_request *request) {
    char subject[VL_SUBJECT_SIZE];
    vl_buf zip;
    vl_error error;
    if (!read_subject(request, subject))
        return;
    vl_buf_init(&zip, ARCHIVE_MAX);
    vl_status status = vl_subject_export(&request->server->store, subject, &zip, &error);
    if (!status)
        status = note_export(request, subject, &error);
    if (status)
        decide_failure(request, &error);
    else
        vl_decide_blob(request, 200, vl_blob_new("application/zip", zip.data, zip.len));
    vl_buf_deinit(&zip);
}

static void erase_on_errand(vl_request *request) {
    char subject[VL_SUBJECT_SIZE], actor[VL_ACTOR_SIZE], address[VL_ADDRESS_TEXT_SIZE];
    vl_buf receipt;
    vl_error error;
    if (!read_subject(request, subject))
        return;
    vl_caller_actor(&request->caller, actor);
    vl_address_format(&request->client, address);
    vl_buf_init(&receipt, RECEIPT_MAX);
    vl_erasing by = {actor, request->id, address};
    if (vl_subject_erase(&request->server->store, subject, &by, &receipt, &error))
        decide_failure(request, &error);
    else
        vl_decide_blob(request, 200,
                       vl_blob_new("application/json", receipt.data, receipt.len));
    vl_jobs_revoked(request->server);
    vl_buf_deinit(&receipt);
}

void vl_handle_subject_export(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, export_on_errand);
}

void vl_handle_subject_erase(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, erase_on_errand);
}
