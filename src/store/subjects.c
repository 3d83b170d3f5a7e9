/* subjects.c — people whose data is kept: what came with their consent, and all of it in one
 * archive. */
#include "store/jobs.h"
#include "store/json.h"
#include "store/zip.h"

#include <cJSON.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 64 << 20, OBJECT_BYTES_MAX = 1 << 30 };

vl_status vl_subject_check(const char *subject, vl_error *error) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._:@-";
    size_t length = strlen(subject);
    if (!length || length >= VL_SUBJECT_SIZE || strspn(subject, allowed) != length)
        return vl_fail(error, VL_ERR_INPUT,
                       "a subject is 1 to %d of A–Z, a–z, 0–9, '.', '_', ':', '@' and '-'",
                       VL_SUBJECT_SIZE - 1);
    return VL_OK;
}

void vl_subject_mark(const char *subject, char mark[VL_SUBJECT_MARK_SIZE]) {
    memcpy(mark, "subject:", 8);
    vl_sha256_hex(subject, strlen(subject), mark + 8);
}

/* ---- keeping ----------------------------------------------------------------------------- */

static vl_status add_consent(vl_db *db, const vl_keep *keep, vl_error *error) {
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "INSERT INTO consents (subject, purpose, wording, request_id, "
                             "given_ms) VALUES ($1, $2, $3, $4, $5)",
                      VL_DB_PARAMS(vl_db_text(keep->subject), vl_db_text(keep->kind),
                                   vl_db_text(keep->consent), vl_db_text(keep->request_id),
                                   vl_db_int(vl_db_now_ms()))},
        error);
}

typedef struct keeping {
    vl_store *store;
    const void *bytes;
    size_t count;
    const vl_keep *keep;
    vl_object *object;
} keeping;

static vl_status note_kept(const keeping *k, vl_error *error) {
    char mark[VL_SUBJECT_MARK_SIZE], detail[160];
    vl_subject_mark(k->keep->subject, mark);
    snprintf(detail, sizeof detail, "{\"object\":\"%s\",\"bytes\":%zu}", k->object->id,
             k->count);
    return vl_audit_append(k->store->audit,
                           &(vl_audit_entry){.actor = k->keep->actor,
                                             .action = "upload.keep",
                                             .subject = mark,
                                             .outcome = "done",
                                             .detail = detail,
                                             .request_id = k->keep->request_id,
                                             .address = k->keep->address},
                           error);
}

/* Nothing is kept of which nobody knows why: rows of the object, the consent and the trail are
 * one transaction. */
static vl_status keep_all(void *user, vl_error *error) {
    const keeping *k = user;
    vl_vault_discard(k->store->vault, k->object->id); /* of a try before */
    vl_status status = vl_vault_put(k->store->vault, k->bytes, k->count, k->object, error);
    if (!status)
        status = add_consent(k->store->db, k->keep, error);
    return status ? status : note_kept(k, error);
}

vl_status vl_subject_keep(vl_store *store, const void *bytes, size_t count, const vl_keep *keep,
                          vl_object *object, vl_error *error) {
    keeping k = {store, bytes, count, keep, object};
    if (!store->vault)
        return vl_fail(error, VL_ERR_MISSING,
                       "nothing is kept here: encryption_key names no master key");
    vl_status status = vl_subject_check(keep->subject, error);
    if (status)
        return status;
    *object = (vl_object){0};
    snprintf(object->kind, sizeof object->kind, "%s", keep->kind);
    snprintf(object->subject, sizeof object->subject, "%s", keep->subject);
    snprintf(object->media_type, sizeof object->media_type, "%s", keep->media_type);
    if (keep->seconds > 0)
        object->expires_ms = vl_db_now_ms() + (int64_t)(keep->seconds * 1000);
    status = vl_audit_together(store->audit, keep_all, &k, error);
    /* When nobody can say whether the rows were written, the sweep will see. */
    if (status && status != VL_ERR_MISSING)
        vl_vault_discard(store->vault, object->id);
    return status;
}

/* ---- the archive ------------------------------------------------------------------------- */

static vl_status take_consent(const vl_db_value *columns, size_t count, void *user,
                              vl_error *error) {
    cJSON *o = cJSON_CreateObject();
    (void)count;
    (void)error;
    cJSON_AddStringToObject(o, "purpose", vl_db_string(&columns[0]));
    cJSON_AddStringToObject(o, "wording", vl_db_string(&columns[1]));
    cJSON_AddStringToObject(o, "request_id", vl_db_string(&columns[2]));
    json_add_time(o, "given", columns[3].integer);
    json_add_time(o, "withdrawn", columns[4].integer);
    cJSON_AddItemToArray(user, o);
    return VL_OK;
}

static vl_status read_consents(vl_db *db, const char *subject, cJSON *list, vl_error *error) {
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT purpose, wording, request_id, given_ms, "
                             "coalesce(withdrawn_ms, 0) FROM consents WHERE subject = $1 "
                             "ORDER BY given_ms, id",
                      VL_DB_PARAMS(vl_db_text(subject)),
                      .row = take_consent,
                      .user = list},
        error);
}

static vl_status take_entry(const vl_db_value *columns, size_t count, void *user,
                            vl_error *error) {
    cJSON *o = cJSON_CreateObject(), *detail = cJSON_Parse(vl_db_string(&columns[5]));
    (void)count;
    (void)error;
    cJSON_AddNumberToObject(o, "number", (double)columns[0].integer);
    json_add_time(o, "at", columns[1].integer);
    cJSON_AddStringToObject(o, "actor", vl_db_string(&columns[2]));
    cJSON_AddStringToObject(o, "action", vl_db_string(&columns[3]));
    cJSON_AddStringToObject(o, "outcome", vl_db_string(&columns[4]));
    cJSON_AddItemToObject(o, "detail", detail ? detail : cJSON_CreateObject());
    cJSON_AddStringToObject(o, "request_id", vl_db_string(&columns[6]));
    cJSON_AddItemToArray(user, o);
    return VL_OK;
}

static vl_status read_entries(vl_db *db, const char *subject, cJSON *list, vl_error *error) {
    char mark[VL_SUBJECT_MARK_SIZE];
    vl_subject_mark(subject, mark);
    return vl_db_once(db,
                      &(vl_db_call){.sql = "SELECT number, at_ms, actor, action, outcome, "
                                           "detail, request_id FROM audit WHERE subject = $1 "
                                           "ORDER BY number",
                                    VL_DB_PARAMS(vl_db_text(mark)),
                                    .row = take_entry,
                                    .user = list},
                      error);
}

static const char *extension_of(const char *type) {
    static const char *const known[][2] = {{"image/jpeg", ".jpg"},
                                           {"image/png", ".png"},
                                           {"image/webp", ".webp"},
                                           {"image/tiff", ".tif"},
                                           {"application/pdf", ".pdf"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(type, known[i][0]))
            return known[i][1];
    return ".bin";
}

static vl_status take_object(const vl_object *object, void *to, vl_error *error) {
    cJSON *o = cJSON_CreateObject();
    char file[96];
    (void)error;
    snprintf(file, sizeof file, "objects/%s%s", object->id, extension_of(object->media_type));
    cJSON_AddStringToObject(o, "id", object->id);
    cJSON_AddStringToObject(o, "class", object->kind);
    cJSON_AddStringToObject(o, "media_type", object->media_type);
    cJSON_AddNumberToObject(o, "bytes", (double)object->bytes);
    cJSON_AddStringToObject(o, "sha256", object->sha256);
    json_add_time(o, "created", object->created_ms);
    json_add_time(o, "expires", object->expires_ms);
    cJSON_AddStringToObject(o, "file", file);
    cJSON_AddItemToArray(to, o);
    return VL_OK;
}

static vl_status zip_json(zip_writer *zip, const char *name, const cJSON *json,
                          vl_error *error) {
    char *text = cJSON_Print(json);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an archive");
    vl_status status = zip_add(zip, name, text, strlen(text), error);
    cJSON_free(text);
    return status;
}

/* One past its time, or erased meanwhile, is left out and said to be. */
static vl_status zip_objects(zip_writer *zip, vl_vault *vault, cJSON *objects,
                             vl_error *error) {
    cJSON *o;
    vl_status status = VL_OK;
    cJSON_ArrayForEach(o, objects) {
        vl_buf bytes;
        vl_object object;
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(o, "id"));
        vl_buf_init(&bytes, OBJECT_BYTES_MAX);
        status = vl_vault_get(vault, id, &object, &bytes, error);
        if (!status)
            status = zip_add(zip, cJSON_GetStringValue(cJSON_GetObjectItem(o, "file")),
                             bytes.data ? bytes.data : "", bytes.len, error);
        vl_buf_deinit(&bytes);
        if (status == VL_ERR_DENIED) {
            cJSON_ReplaceItemInObject(o, "file", cJSON_CreateNull());
            status = VL_OK;
        }
        if (status)
            break;
    }
    return status;
}

/* What is in the archive beside files. */
typedef struct facts {
    cJSON *data, *objects, *consents, *jobs, *entries;
} facts;

static facts facts_new(const char *subject) {
    char now[VL_RFC3339_SIZE];
    facts f = {.data = cJSON_CreateObject(),
               .consents = cJSON_CreateArray(),
               .jobs = cJSON_CreateArray(),
               .entries = cJSON_CreateArray()};
    vl_time_rfc3339(now);
    cJSON_AddStringToObject(f.data, "subject", subject);
    cJSON_AddStringToObject(f.data, "exported", now);
    f.objects = cJSON_AddArrayToObject(f.data, "objects");
    return f;
}

static void facts_free(facts *f) {
    cJSON_Delete(f->data);
    cJSON_Delete(f->consents);
    cJSON_Delete(f->jobs);
    cJSON_Delete(f->entries);
}

static vl_status write_facts(zip_writer *zip, const facts *f, vl_error *error) {
    const struct {
        const char *name;
        const cJSON *json;
    } files[] = {{"data.json", f->data},
                 {"consents.json", f->consents},
                 {"jobs.json", f->jobs},
                 {"audit.json", f->entries}};
    vl_status status = VL_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && !status; i++)
        status = zip_json(zip, files[i].name, files[i].json, error);
    return status;
}

static vl_status write_archive(vl_store *store, const char *subject, facts *f, zip_writer *zip,
                               vl_error *error) {
    vl_status status = read_consents(store->db, subject, f->consents, error);
    if (!status)
        status = read_entries(store->db, subject, f->entries, error);
    if (!status && store->vault)
        status = vl_vault_list(store->vault, subject, take_object, f->objects, error);
    if (!status && store->vault)
        status = zip_objects(zip, store->vault, f->objects, error);
    if (!status)
        status = job_items_export(store, subject, f->jobs, zip, error);
    if (!status && !cJSON_GetArraySize(f->objects) && !cJSON_GetArraySize(f->consents) &&
        !cJSON_GetArraySize(f->jobs))
        status = vl_fail(error, VL_ERR_DENIED, "nothing is kept of this subject");
    if (!status)
        status = write_facts(zip, f, error);
    return status ? status : zip_end(zip, error);
}

vl_status vl_subject_export(vl_store *store, const char *subject, vl_buf *out,
                            vl_error *error) {
    zip_writer zip;
    vl_status status = vl_subject_check(subject, error);
    if (status)
        return status;
    facts f = facts_new(subject);
    zip_begin(&zip, out);
    status = write_archive(store, subject, &f, &zip, error);
    zip_free(&zip);
    facts_free(&f);
    return status;
}
