/* jobs_subjects.c — what jobs hold about a person: given out, and taken out of them. */
#include "store/jobs.h"
#include "store/json.h"
#include "store/zip.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS_MAX = 64 << 20, RESULT_MAX = 64 << 20, FILE_MAX = 1 << 30, FIRST_ROOM = 64 };

/* ---- erasing ----------------------------------------------------------------------------- */

void gone_items_init(gone_items *gone) {
    *gone = (gone_items){0};
    vl_buf_init(&gone->inputs, INPUTS_MAX);
}

void gone_items_deinit(gone_items *gone) {
    free(gone->items);
    vl_buf_deinit(&gone->inputs);
    *gone = (gone_items){0};
}

static vl_status take_gone(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    gone_items *gone = user;
    const char *input = vl_db_string(&columns[2]);
    (void)count;
    if (gone->count == gone->room) {
        size_t room = gone->room ? 2 * gone->room : FIRST_ROOM;
        gone_item *grown = realloc(gone->items, room * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the items of a subject");
        gone->items = grown;
        gone->room = room;
    }
    gone_item *item = &gone->items[gone->count++];
    *item = (gone_item){.number = columns[1].integer,
                        .state = job_state_of(vl_db_string(&columns[3])),
                        .input = gone->inputs.len};
    snprintf(item->job, sizeof item->job, "%s", vl_db_string(&columns[0]));
    vl_buf_append(&gone->inputs, input, strlen(input) + 1);
    return vl_buf_status(&gone->inputs, "the items of a subject", error);
}

static int by_job(const void *a, const void *b) {
    return strcmp(((const gone_item *)a)->job, ((const gone_item *)b)->job);
}

/* The items from `first` to `end` are no longer the job's. */
static vl_status shrink_job(vl_db_conn *conn, const gone_item *first, const gone_item *end,
                            vl_error *error) {
    int64_t done = 0, failed = 0;
    for (const gone_item *item = first; item < end; item++) {
        done += item->state == VL_JOB_DONE;
        failed += item->state == VL_JOB_FAILED;
    }
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){
            .sql =
                "UPDATE jobs SET total = total - $1, done = done - $2, failed = failed - $3, "
                "state = CASE WHEN state = 'cancelled' "
                "OR done - $2 + failed - $3 < total - $1 THEN state "
                "WHEN done - $2 > 0 THEN 'done' ELSE 'failed' END, "
                "finished_ms = CASE WHEN finished_ms IS NOT NULL "
                "OR done - $2 + failed - $3 < total - $1 THEN finished_ms ELSE $4 END "
                "WHERE id = $5",
            VL_DB_PARAMS(vl_db_int(end - first), vl_db_int(done), vl_db_int(failed),
                         vl_db_int(vl_db_now_ms()), vl_db_text(first->job))},
        error);
    if (!status)
        status = vl_db_run(conn,
                           &(vl_db_call){.sql = "DELETE FROM jobs WHERE id = $1 AND total = 0",
                                         VL_DB_PARAMS(vl_db_text(first->job))},
                           error);
    return status;
}

vl_status job_items_erase(vl_db_conn *conn, const char *subject, int64_t until_ms,
                          gone_items *gone, vl_error *error) {
    gone->count = 0;
    vl_buf_clear(&gone->inputs);
    vl_status status =
        vl_db_run(conn,
                  &(vl_db_call){.sql = "DELETE FROM job_items WHERE subject = $1 AND job_id IN "
                                       "(SELECT id FROM jobs WHERE created_ms <= $2) "
                                       "RETURNING job_id, number, input, state",
                                VL_DB_PARAMS(vl_db_text(subject), vl_db_int(until_ms)),
                                .row = take_gone,
                                .user = gone},
                  error);
    if (gone->count)
        qsort(gone->items, gone->count, sizeof *gone->items, by_job);
    for (size_t i = 0; i < gone->count && !status;) {
        size_t next = i;
        while (next < gone->count && !strcmp(gone->items[next].job, gone->items[i].job))
            next++;
        status = shrink_job(conn, &gone->items[i], &gone->items[next], error);
        i = next;
    }
    return status;
}

/* ---- giving out -------------------------------------------------------------------------- */

static void add_parsed(cJSON *to, const char *name, const char *text) {
    cJSON *json = cJSON_Parse(text);
    cJSON_AddItemToObject(to, name, json ? json : cJSON_CreateNull());
}

static vl_status take_item(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    cJSON *o = cJSON_CreateObject();
    (void)count;
    (void)error;
    cJSON_AddStringToObject(o, "job_id", vl_db_string(&columns[0]));
    cJSON_AddNumberToObject(o, "number", (double)columns[1].integer);
    cJSON_AddStringToObject(o, "task", vl_db_string(&columns[2]));
    cJSON_AddStringToObject(o, "state", vl_db_string(&columns[3]));
    json_add_time(o, "created", columns[4].integer);
    add_parsed(o, "options", vl_db_string(&columns[5]));
    add_parsed(o, "input", vl_db_string(&columns[6]));
    cJSON_AddStringToObject(o, "problem", vl_db_string(&columns[7]));
    cJSON_AddItemToArray(user, o);
    return VL_OK;
}

static vl_status list_items(vl_db *db, const char *subject, cJSON *list, vl_error *error) {
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT i.job_id, i.number, j.kind, i.state, j.created_ms, "
                             "j.options, i.input, coalesce(i.error, '') FROM job_items i "
                             "JOIN jobs j ON j.id = i.job_id WHERE i.subject = $1 "
                             "ORDER BY j.created_ms, i.job_id, i.number",
                      VL_DB_PARAMS(vl_db_text(subject)),
                      .row = take_item,
                      .user = list},
        error);
}

static vl_status take_result(const vl_db_value *columns, size_t count, void *user,
                             vl_error *error) {
    (void)count;
    vl_buf_puts(user, vl_db_string(&columns[0]));
    return vl_buf_status(user, "a result", error);
}

static vl_status zip_result(vl_store *store, const char *job, int64_t number, cJSON *item,
                            zip_writer *zip, vl_error *error) {
    char name[96];
    vl_buf kept, text;
    vl_buf_init(&kept, RESULT_MAX);
    vl_buf_init(&text, RESULT_MAX);
    vl_status status =
        vl_db_once(store->db,
                   &(vl_db_call){.sql = "SELECT coalesce(result, '') FROM job_items "
                                        "WHERE job_id = $1 AND number = $2",
                                 VL_DB_PARAMS(vl_db_text(job), vl_db_int(number)),
                                 .row = take_result,
                                 .user = &kept},
                   error);
    if (!status && kept.len) {
        status = vl_job_result_unseal(store, job, number, kept.data, &text, error);
        snprintf(name, sizeof name, "jobs/%s/%lld/result.json", job, (long long)number);
        if (!status)
            status = zip_add(zip, name, text.data, text.len, error);
        cJSON_AddStringToObject(item, "result", name);
    } else {
        cJSON_AddNullToObject(item, "result");
    }
    vl_buf_deinit(&kept);
    vl_buf_deinit(&text);
    return status;
}

/* What is in the vault is among the objects. */
static vl_status zip_file(vl_store *store, const char *job, int64_t number, cJSON *item,
                          zip_writer *zip, vl_error *error) {
    char name[96];
    vl_buf bytes;
    const cJSON *input = cJSON_GetObjectItem(item, "input");
    const char *object = cJSON_GetStringValue(cJSON_GetObjectItem(input, "object"));
    vl_status status = VL_OK;
    vl_buf_init(&bytes, FILE_MAX);
    if (!object && !vl_job_file_read(store, job, number, input, &bytes, NULL)) {
        snprintf(name, sizeof name, "jobs/%s/%lld/file", job, (long long)number);
        status = zip_add(zip, name, bytes.data ? bytes.data : "", bytes.len, error);
        cJSON_AddStringToObject(item, "file", name);
    } else { /* gone with its end, or an object */
        cJSON_AddNullToObject(item, "file");
    }
    vl_buf_deinit(&bytes);
    return status;
}

vl_status job_items_export(vl_store *store, const char *subject, cJSON *list,
                           struct zip_writer *zip, vl_error *error) {
    cJSON *item;
    vl_status status = list_items(store->db, subject, list, error);
    cJSON_ArrayForEach(item, list) {
        const char *job = cJSON_GetStringValue(cJSON_GetObjectItem(item, "job_id"));
        int64_t number = (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(item, "number"));
        if (!status)
            status = zip_result(store, job, number, item, zip, error);
        if (!status)
            status = zip_file(store, job, number, item, zip, error);
    }
    return status;
}
