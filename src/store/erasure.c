/* erasure.c — all of a person's data gone: objects, rows, and what a copy of the database would
 * bring back.
 *
 * A tombstone is a mark of the person (a digest, no name), when, and the receipt. It stands in
 * the database and, so that a lost database does not forget it, as a line of a file beside the
 * encrypted objects. Restoring a copy obeys both.
 *
 * The receipt is a text of JSON, signed as a whole: HMAC-SHA256 (RFC 2104) under secret_key of
 * "vislang erasure receipt", a line's end, and the text. */
#include "store/jobs.h"
#include "store/subjects.h"

#include <cJSON.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 << 20, RECEIPT_MAX = 4096, TOMBSTONES_MAX = 1 << 20 };
static const double LATEST_MS = 9007199254740992.0; /* of JSON, exactly */

/* ---- tombstones -------------------------------------------------------------------------- */

void tombstones_free(tombstones *all) {
    for (size_t i = 0; i < all->count; i++)
        free(all->rows[i].receipt);
    free(all->rows);
    *all = (tombstones){0};
}

static vl_status add_tombstone(tombstones *all, const char *mark, int64_t ms,
                               const char *receipt, vl_error *error) {
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 64;
        tombstone *grown =
            capacity <= TOMBSTONES_MAX ? realloc(all->rows, capacity * sizeof *grown) : NULL;
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the list of erasures");
        all->rows = grown;
        all->capacity = capacity;
    }
    tombstone *t = &all->rows[all->count];
    *t = (tombstone){.erased_ms = ms, .receipt = strdup(receipt)};
    if (!t->receipt)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the list of erasures");
    snprintf(t->mark, sizeof t->mark, "%s", mark);
    all->count++;
    return VL_OK;
}

static vl_status take_tombstone(const vl_db_value *columns, size_t count, void *user,
                                vl_error *error) {
    (void)count;
    return add_tombstone(user, vl_db_string(&columns[0]), columns[2].integer,
                         vl_db_string(&columns[1]), error);
}

vl_status tombstones_read(vl_db_conn *conn, tombstones *all, vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT subject, receipt, erased_ms FROM erasures ORDER BY id",
                      .row = take_tombstone,
                      .user = all},
        error);
}

static vl_status take_line(const char *line, size_t count, tombstones *all, vl_error *error) {
    cJSON *json = cJSON_ParseWithLength(line, count);
    const char *mark = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "subject")),
               *receipt =
                   cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "receipt"));
    const cJSON *ms = cJSON_GetObjectItemCaseSensitive(json, "erased_ms");
    bool is_time = cJSON_IsNumber(ms) && ms->valuedouble > 0 && ms->valuedouble < LATEST_MS;
    vl_status status = mark && receipt && is_time && strlen(mark) == VL_SUBJECT_MARK_SIZE - 1
                           ? add_tombstone(all, mark, (int64_t)ms->valuedouble, receipt, error)
                           : VL_ERR_INPUT;
    cJSON_Delete(json);
    return status;
}

vl_status tombstones_read_file(const char *path, tombstones *all, vl_error *error) {
    vl_buf text;
    vl_status status = VL_OK;
    if (access(path, F_OK) && errno == ENOENT)
        return VL_OK;
    vl_buf_init(&text, FILE_MAX_BYTES);
    status = vl_file_read(path, FILE_MAX_BYTES, &text, error);
    for (size_t at = 0, line = 1; !status && at < text.len; line++) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        if (!end) /* cut short by what stopped the process; the database has it or nobody */
            break;
        size_t count = (size_t)(end - (text.data + at));
        status = count ? take_line(text.data + at, count, all, error) : VL_OK;
        if (status == VL_ERR_INPUT)
            vl_fail(error, status, "%s:%zu: no line of the list of erasures", path, line);
        at += count + 1;
    }
    vl_buf_deinit(&text);
    return status;
}

typedef struct search {
    const tombstones *all;
    vl_buf found; /* subject, NUL, … */
    vl_buf times; /* int64_t for each */
} search;

static vl_status match_subject(const vl_db_value *columns, size_t count, void *user,
                               vl_error *error) {
    search *s = user;
    char mark[VL_SUBJECT_MARK_SIZE];
    int64_t latest = 0;
    const char *subject = vl_db_string(&columns[0]);
    (void)count;
    vl_subject_mark(subject, mark);
    for (size_t i = 0; i < s->all->count; i++)
        if (!strcmp(s->all->rows[i].mark, mark) && s->all->rows[i].erased_ms > latest)
            latest = s->all->rows[i].erased_ms;
    if (!latest)
        return VL_OK;
    vl_buf_append(&s->found, subject, strlen(subject) + 1);
    vl_buf_append(&s->times, &latest, sizeof latest);
    return vl_buf_status(&s->found, "the list of erasures", error);
}

static vl_status delete_rows(vl_db_conn *conn, const char *subject, int64_t until_ms,
                             int64_t *consents, int64_t *objects, vl_error *error) {
    int64_t unused;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "DELETE FROM consents WHERE subject = $1 AND given_ms <= $2",
                      VL_DB_PARAMS(vl_db_text(subject), vl_db_int(until_ms)),
                      .changed = consents ? consents : &unused},
        error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "DELETE FROM blobs WHERE subject = $1 AND created_ms <= $2",
                          VL_DB_PARAMS(vl_db_text(subject), vl_db_int(until_ms)),
                          .changed = objects ? objects : &unused},
            error);
    return status;
}

static vl_status insert_tombstone(vl_db_conn *conn, const char *mark, const char *receipt,
                                  int64_t ms, vl_error *error) {
    int64_t there = 0;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql =
                          "SELECT count(*) FROM erasures WHERE subject = $1 AND erased_ms = $2",
                      VL_DB_PARAMS(vl_db_text(mark), vl_db_int(ms)),
                      .row = vl_db_take_int,
                      .user = &there},
        error);
    if (status || there)
        return status;
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "INSERT INTO erasures (subject, receipt, erased_ms) VALUES ($1, $2, $3)",
            VL_DB_PARAMS(vl_db_text(mark), vl_db_text(receipt), vl_db_int(ms))},
        error);
}

vl_status tombstones_apply(vl_db_conn *conn, const tombstones *all, vl_error *error) {
    search s = {.all = all};
    gone_items gone;
    vl_status status = VL_OK;
    gone_items_init(&gone);
    vl_buf_init(&s.found, FILE_MAX_BYTES);
    vl_buf_init(&s.times, FILE_MAX_BYTES);
    for (size_t i = 0; i < all->count && !status; i++)
        status = insert_tombstone(conn, all->rows[i].mark, all->rows[i].receipt,
                                  all->rows[i].erased_ms, error);
    if (!status)
        status = vl_db_run(conn,
                           &(vl_db_call){.sql = "SELECT subject FROM blobs UNION SELECT "
                                                "subject FROM consents UNION SELECT subject "
                                                "FROM job_items WHERE subject IS NOT NULL",
                                         .row = match_subject,
                                         .user = &s},
                           error);
    for (size_t at = 0, i = 0; at < s.found.len && !status; i++) {
        int64_t until;
        memcpy(&until, s.times.data + i * sizeof until, sizeof until);
        status = delete_rows(conn, s.found.data + at, until, NULL, NULL, error);
        if (!status) /* their files go with the next sweep */
            status = job_items_erase(conn, s.found.data + at, until, &gone, error);
        at += strlen(s.found.data + at) + 1;
    }
    gone_items_deinit(&gone);
    vl_buf_deinit(&s.found);
    vl_buf_deinit(&s.times);
    return status;
}

/* ---- receipts ---------------------------------------------------------------------------- */

static vl_status sign(const vl_store *store, const char *receipt, char hex[VL_SHA256_HEX_SIZE],
                      vl_error *error) {
    static const char purpose[] = "vislang erasure receipt\n";
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    vl_buf text;
    if (!store->secret)
        return vl_fail(error, VL_ERR_MISSING,
                       "a receipt is signed with secret_key, and there is none");
    vl_buf_init(&text, RECEIPT_MAX + sizeof purpose);
    vl_buf_puts(&text, purpose);
    vl_buf_puts(&text, receipt);
    vl_status status = vl_buf_status(&text, "a receipt", error);
    if (!status && !HMAC(EVP_sha256(), store->secret, (int)strlen(store->secret),
                         (const uint8_t *)text.data, text.len, digest, &count))
        status = vl_fail(error, VL_ERR_INTERNAL, "HMAC-SHA256 is not to be had");
    for (unsigned i = 0; i < count; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    vl_buf_deinit(&text);
    return status;
}

vl_status vl_receipt_verify(const vl_store *store, const char *text, size_t bytes,
                            vl_error *error) {
    char hex[VL_SHA256_HEX_SIZE] = "";
    cJSON *json = cJSON_ParseWithLength(text, bytes);
    const char *receipt =
                   cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "receipt")),
               *signature =
                   cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "signature"));
    vl_status status = receipt && signature
                           ? sign(store, receipt, hex, error)
                           : vl_fail(error, VL_ERR_INPUT, "not a receipt of an erasure");
    if (!status &&
        (strlen(signature) != strlen(hex) || CRYPTO_memcmp(signature, hex, strlen(hex)) != 0))
        status = vl_fail(error, VL_ERR_INPUT,
                         "the receipt was not signed with this secret_key, or was changed");
    cJSON_Delete(json);
    return status;
}

/* ---- erasing ----------------------------------------------------------------------------- */

typedef struct erasure {
    const char *subject, *mark;
    vl_buf list;
    gone_items items; /* of jobs */
    int64_t objects, consents, ms;
    char receipt[RECEIPT_MAX];
} erasure;

static vl_status take_id(const vl_object *object, void *to, vl_error *error) {
    erasure *e = to;
    vl_buf_append(&e->list, object->id, VL_OBJECT_ID_SIZE);
    return vl_buf_status(&e->list, "the list of objects", error);
}

static vl_status delete_objects(vl_store *store, erasure *e, vl_error *error) {
    vl_status status =
        store->vault ? vl_vault_list(store->vault, e->subject, take_id, e, error) : VL_OK;
    for (size_t at = 0; at < e->list.len && !status; at += VL_OBJECT_ID_SIZE) {
        status = vl_vault_delete(store->vault, e->list.data + at, error);
        e->objects += !status;
        status = status == VL_ERR_DENIED ? VL_OK : status;
    }
    return status;
}

static vl_status erase_items(vl_db_conn *conn, void *user, vl_error *error) {
    erasure *e = user;
    return job_items_erase(conn, e->subject, e->ms, &e->items, error);
}

/* Rows first: then nobody begins with one, and who has it in work cannot write its result. */
static vl_status delete_items(vl_store *store, erasure *e, vl_error *error) {
    vl_status status = vl_db_transact(store->db, VL_DB_READ_COMMITTED, erase_items, e, error);
    for (size_t i = 0; i < e->items.count && !status; i++) {
        const gone_item *item = &e->items.items[i];
        cJSON *input = cJSON_Parse(e->items.inputs.data + item->input);
        status = vl_job_file_remove(store, item->job, item->number, input, error);
        cJSON_Delete(input);
    }
    return status;
}

static void write_receipt(erasure *e, const vl_erasing *by) {
    char now[VL_RFC3339_SIZE];
    vl_time_rfc3339(now);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "subject", e->mark);
    cJSON_AddStringToObject(json, "erased", now);
    cJSON_AddNumberToObject(json, "objects", (double)e->objects);
    cJSON_AddNumberToObject(json, "consents", (double)e->consents);
    cJSON_AddNumberToObject(json, "job_items", (double)e->items.count);
    cJSON_AddStringToObject(json, "by", by->actor);
    cJSON_AddStringToObject(json, "request_id", by->request_id ? by->request_id : "");
    if (!cJSON_PrintPreallocated(json, e->receipt, RECEIPT_MAX, false))
        e->receipt[0] = '\0';
    cJSON_Delete(json);
}

typedef struct rows {
    erasure *e;
    const vl_erasing *by;
    int64_t objects; /* whose files are gone or never were */
} rows;

static vl_status erase_rows(vl_db_conn *conn, void *user, vl_error *error) {
    rows *r = user;
    erasure *e = r->e;
    int64_t left = 0;
    vl_status status = delete_rows(conn, e->subject, e->ms, &e->consents, &left, error);
    e->objects = r->objects + left;
    write_receipt(e, r->by);
    if (!status && !*e->receipt)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a receipt");
    return status ? status : insert_tombstone(conn, e->mark, e->receipt, e->ms, error);
}

/* The tombstone where a new database finds it, on disk when this returns. */
static vl_status write_line(const char *path, const erasure *e, vl_error *error) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "subject", e->mark);
    cJSON_AddNumberToObject(json, "erased_ms", (double)e->ms);
    cJSON_AddStringToObject(json, "receipt", e->receipt);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    vl_buf line;
    vl_buf_init(&line, 2 * RECEIPT_MAX);
    vl_buf_printf(&line, "%s\n", text ? text : "");
    vl_status status = text ? vl_buf_status(&line, "a tombstone", error)
                            : vl_fail(error, VL_ERR_MEMORY, "no memory for a tombstone");
    char folder[4096];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
             slash ? path : ".");
    if (!status)
        status = vl_dir_make(folder, error);
    if (!status)
        status = vl_file_append_line(path, line.data, line.len, error);
    cJSON_free(text);
    vl_buf_deinit(&line);
    return status;
}

static vl_status answer(const erasure *e, const char *signature, vl_buf *out, vl_error *error) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "receipt", e->receipt);
    cJSON_AddStringToObject(json, "algorithm", "HMAC-SHA256");
    cJSON_AddStringToObject(json, "signature", signature);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (text)
        vl_buf_puts(out, text);
    cJSON_free(text);
    return text ? vl_buf_status(out, "a receipt", error)
                : vl_fail(error, VL_ERR_MEMORY, "no memory for a receipt");
}

static vl_status note(vl_store *store, const erasure *e, const vl_erasing *by,
                      const vl_buf *receipt, vl_error *error) {
    return vl_audit_append(store->audit,
                           &(vl_audit_entry){.actor = by->actor,
                                             .action = "subject.erase",
                                             .subject = e->mark,
                                             .outcome = "done",
                                             .detail = receipt->data,
                                             .request_id = by->request_id ? by->request_id : "",
                                             .address = by->address ? by->address : ""},
                           error);
}

typedef struct erasing {
    vl_store *store;
    erasure *e;
    const vl_erasing *by;
    int64_t objects;
    vl_buf *receipt;
} erasing;

/* Rows, tombstone and the entry of the trail, with the receipt. */
static vl_status erase_all(void *user, vl_error *error) {
    const erasing *w = user;
    char signature[VL_SHA256_HEX_SIZE];
    rows r = {w->e, w->by, w->objects};
    vl_status status = vl_db_transact(w->store->db, VL_DB_SERIALIZABLE, erase_rows, &r, error);
    vl_buf_clear(w->receipt);
    if (!status)
        status = sign(w->store, w->e->receipt, signature, error);
    if (!status)
        status = answer(w->e, signature, w->receipt, error);
    return status ? status : note(w->store, w->e, w->by, w->receipt, error);
}

vl_status vl_subject_erase(vl_store *store, const char *subject, const vl_erasing *by,
                           vl_buf *receipt, vl_error *error) {
    char mark[VL_SUBJECT_MARK_SIZE], signature[VL_SHA256_HEX_SIZE];
    erasure e = {.subject = subject, .mark = mark, .ms = vl_db_now_ms()};
    vl_status status = vl_subject_check(subject, error);
    vl_subject_mark(subject, mark);
    if (!status) /* told before anything is gone */
        status = sign(store, "", signature, error);
    if (status)
        return status;
    vl_buf_init(&e.list, FILE_MAX_BYTES);
    gone_items_init(&e.items);
    status = delete_items(store, &e, error);
    if (!status)
        status = delete_objects(store, &e, error);
    erasing w = {store, &e, by, e.objects, receipt};
    if (!status)
        status = vl_audit_together(store->audit, erase_all, &w, error);
    if (!status)
        status = write_line(store->erasures, &e, error);
    vl_buf_deinit(&e.list);
    gone_items_deinit(&e.items);
    return status;
}
