/* jobs.c — the queue as those who fill it and those who work on it see it.
 *
 *   vl_job_enqueue                             an order and its items
 *   vl_job_claim, vl_job_beat, vl_job_holds    an item is lent
 *   vl_job_finish, vl_job_fail, vl_job_release and is given back
 *
 * PostgreSQL hands several workers different items without one waiting for the other (FOR
 * UPDATE SKIP LOCKED); SQLite has one writer at a time, which comes to the same. */
#include "store/jobs.h"

#include <stdio.h>
#include <string.h>

enum {
    APART_MS = 1000, /* between the turns of a job's items */
    FIRST_PAUSE_MS = 5000,
    LONGEST_PAUSE_MS = 600000,
    TEXT_MAX = 1 << 20, /* of options, and of an input */
};

static const char *const state_names[VL_JOB_STATE_COUNT] = {"queued", "running", "done",
                                                            "failed", "cancelled"};

const char *vl_job_state_name(vl_job_state state) {
    return state < VL_JOB_STATE_COUNT ? state_names[state] : "";
}

vl_job_state job_state_of(const char *name) {
    vl_job_state state = VL_JOB_QUEUED;
    while (state < VL_JOB_CANCELLED && strcmp(state_names[state], name) != 0)
        state++;
    return state;
}

void vl_job_id_new(char id[VL_JOB_ID_SIZE]) {
    uint8_t bytes[(VL_JOB_ID_SIZE - 1) / 2];
    vl_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

bool vl_job_id_is(const char *id) {
    return strlen(id) == VL_JOB_ID_SIZE - 1 &&
           strspn(id, "0123456789abcdef") == VL_JOB_ID_SIZE - 1;
}

/* ---- a job out of a row ------------------------------------------------------------------ */

void job_from(const vl_db_value *columns, vl_job_info *job) {
    *job = (vl_job_info){.state = job_state_of(vl_db_string(&columns[3])),
                         .total = columns[4].integer,
                         .done = columns[5].integer,
                         .failed = columns[6].integer,
                         .ended = columns[7].integer,
                         .created_ms = columns[8].integer,
                         .finished_ms = columns[9].integer};
    snprintf(job->id, sizeof job->id, "%s", vl_db_string(&columns[0]));
    snprintf(job->kind, sizeof job->kind, "%s", vl_db_string(&columns[1]));
    snprintf(job->owner, sizeof job->owner, "%s", vl_db_string(&columns[2]));
}

typedef struct reading {
    vl_job_info *job;
    vl_buf *options; /* NULL: not wanted */
    bool found;
} reading;

static vl_status take_job(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    reading *r = user;
    (void)count;
    job_from(columns, r->job);
    r->found = true;
    if (!r->options)
        return VL_OK;
    vl_buf_puts(r->options, vl_db_string(&columns[JOB_COLUMN_COUNT]));
    return vl_buf_status(r->options, "a job's options", error);
}

vl_status job_read(vl_db_conn *conn, const char *id, const char *owner, vl_job_info *job,
                   vl_buf *options, vl_error *error) {
    reading r = {.job = job, .options = options};
    if (options)
        vl_buf_clear(options);
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT " JOB_COLUMNS ", options FROM jobs WHERE id = $1",
                      VL_DB_PARAMS(vl_db_text(id)),
                      .row = take_job,
                      .user = &r},
        error);
    if (!status && (!r.found || (owner && strcmp(owner, job->owner) != 0)))
        status = vl_fail(error, VL_ERR_DENIED, "there is no such job");
    return status;
}

/* ---- enqueueing -------------------------------------------------------------------------- */

typedef struct ordering {
    const vl_job_order *order;
    vl_job_info *job;
    bool was_there;
} ordering;

static vl_status number_of(vl_db_conn *conn, const char *sql, const vl_db_value *params,
                           size_t count, int64_t *number, vl_error *error) {
    return vl_db_run(conn,
                     &(vl_db_call){.sql = sql,
                                   .params = params,
                                   .count = count,
                                   .row = vl_db_take_int,
                                   .user = number},
                     error);
}

/* Orders that come at the same moment may pass together; the next one does not. */
static vl_status check_room(vl_db_conn *conn, const vl_job_order *order, vl_error *error) {
    int64_t items = 0, bytes = 0;
    vl_db_value owner = vl_db_text(order->owner);
    vl_status status =
        number_of(conn,
                  "SELECT CAST(coalesce(sum(total - done - failed), 0) AS BIGINT) FROM jobs "
                  "WHERE owner = $1 AND finished_ms IS NULL",
                  &owner, 1, &items, error);
    if (!status)
        status = number_of(conn,
                           "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM jobs "
                           "WHERE finished_ms IS NULL",
                           NULL, 0, &bytes, error);
    if (!status && order->owner_items_max &&
        items + (int64_t)order->count > order->owner_items_max)
        return vl_fail(error, VL_ERR_LIMIT,
                       "%lld items are in the queue already, of at most %lld", (long long)items,
                       (long long)order->owner_items_max);
    if (!status && order->all_bytes_max &&
        (uint64_t)bytes + order->bytes > order->all_bytes_max)
        return vl_fail(error, VL_ERR_LIMIT, "the files of the queue have reached their limit");
    return status;
}

static vl_status insert_items(vl_db_conn *conn, const vl_job_order *order, int64_t now,
                              vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < order->count && !status; i++)
        status = vl_db_run(
            conn,
            &(vl_db_call){
                .sql = "INSERT INTO job_items (job_id, number, state, priority, "
                       "input, ready_ms, turn_ms, subject) "
                       "VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7)",
                VL_DB_PARAMS(vl_db_text(order->id), vl_db_int((int64_t)i),
                             vl_db_int(order->priority), vl_db_text(order->inputs[i]),
                             vl_db_int(now), vl_db_int(now + (int64_t)i * APART_MS),
                             vl_db_text(order->subjects ? order->subjects[i] : NULL))},
            error);
    return status;
}

/* The job that the key was used for. */
static vl_status find_earlier(vl_db_conn *conn, ordering *o, vl_error *error) {
    const vl_job_order *order = o->order;
    int64_t same = 0;
    reading r = {.job = o->job};
    vl_db_value key[] = {vl_db_text(order->owner), vl_db_text(order->key),
                         vl_db_text(order->digest ? order->digest : "")};
    vl_status status = vl_db_run(conn,
                                 &(vl_db_call){.sql = "SELECT " JOB_COLUMNS " FROM jobs "
                                                      "WHERE owner = $1 AND idempotency = $2",
                                               .params = key,
                                               .count = 2,
                                               .row = take_job,
                                               .user = &r},
                                 error);
    if (!status)
        status = number_of(conn,
                           "SELECT count(*) FROM jobs "
                           "WHERE owner = $1 AND idempotency = $2 AND digest = $3",
                           key, 3, &same, error);
    if (!status && r.found && !same)
        return vl_fail(error, VL_ERR_USAGE, "the key was used for another order");
    o->was_there = r.found;
    return status;
}

static vl_status insert_job(vl_db_conn *conn, const vl_job_order *order, int64_t now,
                            int64_t *inserted, vl_error *error) {
    const char *key = order->key && *order->key ? order->key : NULL;
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "INSERT INTO jobs (id, owner, kind, state, options, priority, total, "
                   "created_ms, idempotency, digest, bytes, max_attempts) "
                   "VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11) "
                   "ON CONFLICT (owner, idempotency) DO NOTHING",
            VL_DB_PARAMS(vl_db_text(order->id), vl_db_text(order->owner),
                         vl_db_text(order->kind), vl_db_text(order->options),
                         vl_db_int(order->priority), vl_db_int((int64_t)order->count),
                         vl_db_int(now), vl_db_text(key),
                         vl_db_text(order->digest ? order->digest : ""),
                         vl_db_int((int64_t)order->bytes), vl_db_int(order->max_attempts)),
            .changed = inserted},
        error);
}

static vl_status enqueue(vl_db_conn *conn, void *user, vl_error *error) {
    ordering *o = user;
    const vl_job_order *order = o->order;
    int64_t now = vl_db_now_ms(), inserted = 0;
    vl_status status = VL_OK;
    o->was_there = false;
    if (order->key && *order->key)
        status = find_earlier(conn, o, error);
    if (status || o->was_there)
        return status;
    status = check_room(conn, order, error);
    if (!status)
        status = insert_job(conn, order, now, &inserted, error);
    if (!status && !inserted) /* by another, at this moment */
        return find_earlier(conn, o, error);
    if (!status)
        status = insert_items(conn, order, now, error);
    return status ? status : job_read(conn, order->id, NULL, o->job, NULL, error);
}

vl_status vl_job_enqueue(vl_db *db, const vl_job_order *order, vl_job_info *job,
                         bool *was_there, vl_error *error) {
    ordering o = {.order = order, .job = job};
    if (!order->count || order->count > VL_JOB_ITEMS_MAX)
        return vl_fail(error, VL_ERR_USAGE, "a job has 1 to %d items", VL_JOB_ITEMS_MAX);
    if (strlen(order->owner) >= VL_JOB_OWNER_SIZE || strlen(order->kind) >= VL_JOB_KIND_SIZE ||
        !vl_job_id_is(order->id) || order->max_attempts < 1)
        return vl_fail(error, VL_ERR_INTERNAL, "a job of no good form");
    vl_status status = vl_db_transact(db, VL_DB_READ_COMMITTED, enqueue, &o, error);
    *was_there = o.was_there;
    return status;
}

/* ---- lending ----------------------------------------------------------------------------- */

typedef struct lending {
    const char *job; /* NULL: any */
    vl_job_task *task;
    double seconds;
    bool found;
} lending;

static vl_status take_item(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    lending *l = user;
    vl_job_task *task = l->task;
    (void)count;
    l->found = true;
    snprintf(task->job, sizeof task->job, "%s", vl_db_string(&columns[0]));
    task->number = columns[1].integer;
    task->attempt = columns[2].integer;
    vl_buf_puts(&task->input, vl_db_string(&columns[3]));
    return vl_buf_status(&task->input, "an item's input", error);
}

static vl_status take_head(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    vl_job_task *task = user;
    (void)count;
    snprintf(task->kind, sizeof task->kind, "%s", vl_db_string(&columns[0]));
    snprintf(task->owner, sizeof task->owner, "%s", vl_db_string(&columns[1]));
    task->max_attempts = columns[2].integer;
    vl_buf_puts(&task->options, vl_db_string(&columns[3]));
    return vl_buf_status(&task->options, "a job's options", error);
}

#define CLAIM(whose, lock)                                                                     \
    "UPDATE job_items SET state = 'running', lease = $1, lease_ms = $2, "                      \
    "attempts = attempts + 1 WHERE (job_id, number) = (SELECT job_id, number FROM job_items "  \
    "WHERE state = 'queued' AND ready_ms <= $3 AND " whose " "                                 \
    "ORDER BY priority DESC, turn_ms, job_id, number LIMIT 1" lock                             \
    ") RETURNING job_id, number, attempts, input"
#define OF_ANY "priority >= 0 AND $4 = ''" /* not VL_JOB_PRIVATE */
#define OF_ONE "job_id = $4"

static const char *claim_sql(bool postgres, bool one) {
    if (one)
        return postgres ? CLAIM(OF_ONE, " FOR UPDATE SKIP LOCKED") : CLAIM(OF_ONE, "");
    return postgres ? CLAIM(OF_ANY, " FOR UPDATE SKIP LOCKED") : CLAIM(OF_ANY, "");
}

static vl_status claim(vl_db_conn *conn, void *user, vl_error *error) {
    lending *l = user;
    vl_job_task *task = l->task;
    int64_t now = vl_db_now_ms();
    l->found = false;
    vl_buf_clear(&task->input);
    vl_buf_clear(&task->options);
    vl_job_id_new(task->lease);
    vl_status status =
        vl_db_run(conn,
                  &(vl_db_call){.sql = claim_sql(vl_db_conn_is_postgres(conn), l->job != NULL),
                                VL_DB_PARAMS(vl_db_text(task->lease),
                                             vl_db_int(now + (int64_t)(l->seconds * 1000)),
                                             vl_db_int(now), vl_db_text(l->job ? l->job : "")),
                                .row = take_item,
                                .user = l},
                  error);
    if (status || !l->found)
        return status;
    status = vl_db_run(
        conn,
        &(vl_db_call){.sql =
                          "SELECT kind, owner, max_attempts, options FROM jobs WHERE id = $1",
                      VL_DB_PARAMS(vl_db_text(task->job)),
                      .row = take_head,
                      .user = task},
        error);
    if (status)
        return status;
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "UPDATE jobs SET state = 'running' "
                                          "WHERE id = $1 AND state = 'queued'",
                                   VL_DB_PARAMS(vl_db_text(task->job))},
                     error);
}

vl_status vl_job_claim(vl_db *db, const char *job, double seconds, vl_job_task *task,
                       bool *found, vl_error *error) {
    lending l = {.job = job, .task = task, .seconds = seconds};
    *task = (vl_job_task){.number = 0};
    vl_buf_init(&task->options, TEXT_MAX);
    vl_buf_init(&task->input, TEXT_MAX);
    vl_status status = vl_db_transact(db, VL_DB_READ_COMMITTED, claim, &l, error);
    *found = !status && l.found;
    if (!*found)
        vl_job_task_deinit(task);
    return status;
}

void vl_job_task_deinit(vl_job_task *task) {
    vl_buf_deinit(&task->options);
    vl_buf_deinit(&task->input);
}

static vl_status is_good(int64_t changed, vl_error *error) {
    return changed
               ? VL_OK
               : vl_fail(error, VL_ERR_CANCELLED,
                         "the item is no longer lent to this worker: its job was cancelled, "
                         "or another has it");
}

vl_status vl_job_beat(vl_db *db, const vl_job_task *task, double seconds, vl_error *error) {
    int64_t changed = 0;
    vl_status status = vl_db_once(
        db,
        &(vl_db_call){.sql = "UPDATE job_items SET lease_ms = $1 WHERE job_id = $2 "
                             "AND number = $3 AND state = 'running' AND lease = $4",
                      VL_DB_PARAMS(vl_db_int(vl_db_now_ms() + (int64_t)(seconds * 1000)),
                                   vl_db_text(task->job), vl_db_int(task->number),
                                   vl_db_text(task->lease)),
                      .changed = &changed},
        error);
    return status ? status : is_good(changed, error);
}

vl_status vl_job_holds(vl_db *db, const vl_job_task *task, vl_error *error) {
    int64_t good = 0;
    vl_status status =
        vl_db_once(db,
                   &(vl_db_call){.sql = "SELECT count(*) FROM job_items WHERE job_id = $1 "
                                        "AND number = $2 AND state = 'running' AND lease = $3",
                                 VL_DB_PARAMS(vl_db_text(task->job), vl_db_int(task->number),
                                              vl_db_text(task->lease)),
                                 .row = vl_db_take_int,
                                 .user = &good},
                   error);
    return status ? status : is_good(good, error);
}

/* ---- giving back ------------------------------------------------------------------------- */

static vl_status take_left(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    item_end *end = user;
    (void)count;
    (void)error;
    end->ended = columns[0].integer;
    end->left = job_state_of(vl_db_string(&columns[1]));
    return VL_OK;
}

static vl_status count_ending(vl_db_conn *conn, item_end *end, vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "UPDATE jobs SET done = done + $1, failed = failed + $2, ended = ended + 1, "
                   "state = CASE WHEN done + failed + 1 < total THEN state "
                   "WHEN done + $1 > 0 THEN 'done' ELSE 'failed' END, "
                   "finished_ms = CASE WHEN done + failed + 1 < total THEN finished_ms "
                   "ELSE $3 END WHERE id = $4 RETURNING ended, state",
            VL_DB_PARAMS(vl_db_int(end->state == VL_JOB_DONE),
                         vl_db_int(end->state == VL_JOB_FAILED), vl_db_int(vl_db_now_ms()),
                         vl_db_text(end->job)),
            .row = take_left,
            .user = end},
        error);
}

vl_status item_finish(vl_db_conn *conn, item_end *end, vl_error *error) {
    int64_t changed = 0;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE job_items SET state = $1, result = $2, error = $3, "
                             "lease = NULL, lease_ms = 0 WHERE job_id = $4 AND number = $5 "
                             "AND state = 'running' AND lease = $6 AND lease_ms <= $7",
                      VL_DB_PARAMS(vl_db_text(vl_job_state_name(end->state)),
                                   vl_db_text(end->result), vl_db_text(end->problem),
                                   vl_db_text(end->job), vl_db_int(end->number),
                                   vl_db_text(end->lease), vl_db_int(end->expired_ms)),
                      .changed = &changed},
        error);
    if (status || (status = is_good(changed, error)))
        return status;
    status = count_ending(conn, end, error);
    return status ? status
                  : vl_db_run(
                        conn,
                        &(vl_db_call){.sql = "UPDATE job_items SET ended = $1 "
                                             "WHERE job_id = $2 AND number = $3",
                                      VL_DB_PARAMS(vl_db_int(end->ended), vl_db_text(end->job),
                                                   vl_db_int(end->number))},
                        error);
}

vl_status item_requeue(vl_db_conn *conn, const item_end *end, int64_t ready_ms, bool counts,
                       vl_error *error) {
    int64_t changed = 0;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE job_items SET state = 'queued', error = $1, lease = NULL, "
                             "lease_ms = 0, ready_ms = $2, attempts = attempts - $3 "
                             "WHERE job_id = $4 AND number = $5 AND state = 'running' "
                             "AND lease = $6 AND lease_ms <= $7",
                      VL_DB_PARAMS(vl_db_text(end->problem), vl_db_int(ready_ms),
                                   vl_db_int(!counts), vl_db_text(end->job),
                                   vl_db_int(end->number), vl_db_text(end->lease),
                                   vl_db_int(end->expired_ms)),
                      .changed = &changed},
        error);
    return status ? status : is_good(changed, error);
}

static item_end end_of(const vl_job_task *task) {
    return (item_end){.job = task->job,
                      .number = task->number,
                      .lease = task->lease,
                      .expired_ms = INT64_MAX};
}

static vl_status finish(vl_db_conn *conn, void *end, vl_error *error) {
    return item_finish(conn, end, error);
}

vl_status vl_job_finish(vl_db *db, vl_job_task *task, const char *result, vl_error *error) {
    item_end end = end_of(task);
    end.state = VL_JOB_DONE;
    end.result = result;
    vl_status status = vl_db_transact(db, VL_DB_READ_COMMITTED, finish, &end, error);
    task->left = end.left;
    return status;
}

static int64_t pause_after(int64_t attempt) {
    int64_t ms = FIRST_PAUSE_MS;
    for (int64_t i = 1; i < attempt && ms < LONGEST_PAUSE_MS; i++)
        ms *= 2;
    return ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
}

typedef struct failing {
    item_end end;
    int64_t attempt;
} failing;

static vl_status try_later(vl_db_conn *conn, void *user, vl_error *error) {
    const failing *f = user;
    return item_requeue(conn, &f->end, vl_db_now_ms() + pause_after(f->attempt), true, error);
}

vl_status vl_job_fail(vl_db *db, vl_job_task *task, const char *problem, bool retry,
                      bool *ended, vl_error *error) {
    failing f = {.end = end_of(task), .attempt = task->attempt};
    f.end.state = VL_JOB_FAILED;
    f.end.problem = problem;
    *ended = !retry || task->attempt >= task->max_attempts;
    vl_status status = *ended ? vl_db_transact(db, VL_DB_READ_COMMITTED, finish, &f.end, error)
                              : vl_db_transact(db, VL_DB_READ_COMMITTED, try_later, &f, error);
    task->left = f.end.left;
    return status;
}

static vl_status release(vl_db_conn *conn, void *end, vl_error *error) {
    return item_requeue(conn, end, vl_db_now_ms(), false, error);
}

vl_status vl_job_release(vl_db *db, const vl_job_task *task, vl_error *error) {
    item_end end = end_of(task);
    return vl_db_transact(db, VL_DB_READ_COMMITTED, release, &end, error);
}
