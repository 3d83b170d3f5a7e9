/* jobs_list.c — the queue as those who ask about it and those who look after it see it.
 *
 *   vl_job_get, vl_job_list, vl_job_items, vl_job_depth
 *   vl_job_cancel, vl_job_retry
 *   vl_job_sweep_leases, vl_job_sweep */
#include "store/jobs.h"

#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 64 };

/* ---- asking ------------------------------------------------------------------------------ */

typedef struct question {
    const char *id, *owner;
    vl_job_info *job;
    vl_buf *options;
} question;

static vl_status get(vl_db_conn *conn, void *user, vl_error *error) {
    const question *q = user;
    return job_read(conn, q->id, q->owner, q->job, q->options, error);
}

vl_status vl_job_get(vl_db *db, const char *id, const char *owner, vl_job_info *job,
                     vl_buf *options, vl_error *error) {
    question q = {id, owner, job, options};
    return vl_db_transact(db, VL_DB_SNAPSHOT, get, &q, error);
}

typedef struct listing {
    const char *sql;
    vl_db_value params[4];
    size_t count;
    vl_job_fn give;
    vl_job_item_fn give_item;
    void *to;
} listing;

static vl_status give_job(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    const listing *l = user;
    vl_job_info job;
    (void)count;
    job_from(columns, &job);
    return l->give(&job, l->to, error);
}

static vl_status give_item(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    const listing *l = user;
    (void)count;
    vl_job_item item = {.number = columns[0].integer,
                        .state = job_state_of(vl_db_string(&columns[1])),
                        .attempts = columns[2].integer,
                        .ended = columns[3].integer,
                        .input = vl_db_string(&columns[4]),
                        .result = vl_db_string(&columns[5]),
                        .problem = vl_db_string(&columns[6])};
    return l->give_item(&item, l->to, error);
}

static vl_status list(vl_db_conn *conn, void *user, vl_error *error) {
    const listing *l = user;
    return vl_db_run(conn,
                     &(vl_db_call){.sql = l->sql,
                                   .params = l->params,
                                   .count = l->count,
                                   .row = l->give ? give_job : give_item,
                                   .user = user},
                     error);
}

#define LIST(owners)                                                                           \
    "SELECT " JOB_COLUMNS " FROM jobs WHERE (created_ms, id) < ($1, $2) " owners               \
    "ORDER BY created_ms DESC, id DESC LIMIT $3"

vl_status vl_job_list(vl_db *db, const char *owner, const char *before, int64_t most,
                      vl_job_fn give, void *to, vl_error *error) {
    vl_job_info last = {.created_ms = INT64_MAX};
    vl_status status = before ? vl_job_get(db, before, owner, &last, NULL, error) : VL_OK;
    listing l = {.sql = owner ? LIST("AND owner = $4 ") : LIST(""),
                 .params = {vl_db_int(last.created_ms), vl_db_text(last.id), vl_db_int(most),
                            vl_db_text(owner)},
                 .count = owner ? 4 : 3,
                 .give = give,
                 .to = to};
    return status ? status : vl_db_transact(db, VL_DB_SNAPSHOT, list, &l, error);
}

#define ITEMS(order)                                                                           \
    "SELECT number, state, attempts, coalesce(ended, 0), input, result, error FROM job_items " \
    "WHERE job_id = $1 AND " order " > $2 ORDER BY " order " LIMIT $3"

vl_status vl_job_items(vl_db *db, const char *id, bool by_end, int64_t after, int64_t most,
                       vl_job_item_fn give, void *to, vl_error *error) {
    listing l = {.sql = by_end ? ITEMS("ended") : ITEMS("number"),
                 .params = {vl_db_text(id), vl_db_int(after), vl_db_int(most)},
                 .count = 3,
                 .give_item = give,
                 .to = to};
    return vl_db_transact(db, VL_DB_SNAPSHOT, list, &l, error);
}

static vl_status take_two(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    int64_t *numbers = user;
    (void)count;
    (void)error;
    numbers[strcmp(vl_db_string(&columns[0]), "queued") != 0] = columns[1].integer;
    return VL_OK;
}

vl_status vl_job_depth(vl_db *db, int64_t *queued, int64_t *running, vl_error *error) {
    int64_t numbers[2] = {0};
    vl_status status =
        vl_db_once(db,
                   &(vl_db_call){.sql = "SELECT state, count(*) FROM job_items WHERE state IN "
                                        "('queued', 'running') GROUP BY state",
                                 .row = take_two,
                                 .user = numbers},
                   error);
    *queued = numbers[0];
    *running = numbers[1];
    return status;
}

/* ---- cancelling and beginning again ------------------------------------------------------ */

static vl_status cancel_items(vl_db_conn *conn, const char *id, vl_error *error) {
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "UPDATE job_items SET state = 'cancelled', "
                                          "lease = NULL, lease_ms = 0 WHERE job_id = $1 "
                                          "AND state IN ('queued', 'running')",
                                   VL_DB_PARAMS(vl_db_text(id))},
                     error);
}

static vl_status cancel(vl_db_conn *conn, void *user, vl_error *error) {
    const question *q = user;
    vl_status status = job_read(conn, q->id, q->owner, q->job, NULL, error);
    if (!status)
        status = cancel_items(conn, q->id, error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "UPDATE jobs SET state = 'cancelled', finished_ms = $1 "
                                 "WHERE id = $2 AND finished_ms IS NULL",
                          VL_DB_PARAMS(vl_db_int(vl_db_now_ms()), vl_db_text(q->id))},
            error);
    return status ? status : job_read(conn, q->id, q->owner, q->job, NULL, error);
}

vl_status vl_job_cancel(vl_db *db, const char *id, const char *owner, vl_job_info *job,
                        vl_error *error) {
    question q = {id, owner, job, NULL};
    return vl_db_transact(db, VL_DB_READ_COMMITTED, cancel, &q, error);
}

static vl_status requeue_failed(vl_db_conn *conn, const char *id, int64_t *changed,
                                vl_error *error) {
    return vl_db_run(conn,
                     &(vl_db_call){.sql =
                                       "UPDATE job_items SET state = 'queued', error = NULL, "
                                       "attempts = 0, ended = NULL, ready_ms = $1 "
                                       "WHERE job_id = $2 AND state = 'failed'",
                                   VL_DB_PARAMS(vl_db_int(vl_db_now_ms()), vl_db_text(id)),
                                   .changed = changed},
                     error);
}

static vl_status retry(vl_db_conn *conn, void *user, vl_error *error) {
    const question *q = user;
    int64_t changed = 0;
    vl_status status = job_read(conn, q->id, q->owner, q->job, NULL, error);
    if (!status && q->job->state == VL_JOB_CANCELLED)
        return vl_fail(error, VL_ERR_USAGE, "the job was cancelled");
    if (!status)
        status = requeue_failed(conn, q->id, &changed, error);
    if (!status && !changed)
        return vl_fail(error, VL_ERR_USAGE, "nothing of the job failed");
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "UPDATE jobs SET state = 'running', finished_ms = NULL, "
                                 "failed = failed - $1 WHERE id = $2",
                          VL_DB_PARAMS(vl_db_int(changed), vl_db_text(q->id))},
            error);
    return status ? status : job_read(conn, q->id, q->owner, q->job, NULL, error);
}

vl_status vl_job_retry(vl_db *db, const char *id, const char *owner, vl_job_info *job,
                       vl_error *error) {
    question q = {id, owner, job, NULL};
    return vl_db_transact(db, VL_DB_READ_COMMITTED, retry, &q, error);
}

/* ---- sweeping ---------------------------------------------------------------------------- */

typedef struct late { /* an item whose worker has not beaten in time */
    char job[VL_JOB_ID_SIZE], lease[VL_JOB_ID_SIZE];
    int64_t number, attempts, max_attempts;
} late;
typedef struct late_items {
    late items[AT_ONCE];
    size_t count;
    int64_t now;
} late_items;

static vl_status take_late(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    late_items *all = user;
    late *item = &all->items[all->count++];
    (void)count;
    (void)error;
    *item = (late){.number = columns[1].integer,
                   .attempts = columns[3].integer,
                   .max_attempts = columns[4].integer};
    snprintf(item->job, sizeof item->job, "%s", vl_db_string(&columns[0]));
    snprintf(item->lease, sizeof item->lease, "%s", vl_db_string(&columns[2]));
    return VL_OK;
}

static vl_status find_late(vl_db *db, late_items *all, vl_error *error) {
    all->count = 0;
    all->now = vl_db_now_ms();
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT i.job_id, i.number, i.lease, i.attempts, j.max_attempts "
                             "FROM job_items i JOIN jobs j ON j.id = i.job_id "
                             "WHERE i.state = 'running' AND i.lease_ms <= $1 LIMIT $2",
                      VL_DB_PARAMS(vl_db_int(all->now), vl_db_int(AT_ONCE)),
                      .row = take_late,
                      .user = all},
        error);
}

typedef struct late_end {
    item_end end;
    bool is_spent;
} late_end;

static vl_status end_late(vl_db_conn *conn, void *user, vl_error *error) {
    late_end *l = user;
    return l->is_spent ? item_finish(conn, &l->end, error)
                       : item_requeue(conn, &l->end, vl_db_now_ms(), true, error);
}

vl_status vl_job_sweep_leases(vl_db *db, vl_job_swept *swept, vl_error *error) {
    late_items all;
    vl_status status;
    *swept = (vl_job_swept){0};
    do {
        status = find_late(db, &all, error);
        for (size_t i = 0; i < all.count && !status; i++) {
            const late *item = &all.items[i];
            late_end l = {.end = {.job = item->job,
                                  .number = item->number,
                                  .lease = item->lease,
                                  .expired_ms = all.now,
                                  .state = VL_JOB_FAILED,
                                  .problem = "its worker went away, every time it was tried"},
                          .is_spent = item->attempts >= item->max_attempts};
            if (!l.is_spent)
                l.end.problem = "its worker went away";
            status = vl_db_transact(db, VL_DB_READ_COMMITTED, end_late, &l, error);
            if (status == VL_ERR_CANCELLED) /* another sweep, or a worker that was only late */
                status = VL_OK;
            else if (!status)
                ++*(l.is_spent ? &swept->failed : &swept->returned);
        }
    } while (!status && all.count == AT_ONCE);
    return status;
}

typedef struct ids {
    char ids[AT_ONCE][VL_JOB_ID_SIZE];
    size_t count;
} ids;

static vl_status take_id(const vl_db_value *columns, size_t count, void *user,
                         vl_error *error) {
    ids *all = user;
    (void)count;
    (void)error;
    snprintf(all->ids[all->count++], VL_JOB_ID_SIZE, "%s", vl_db_string(columns));
    return VL_OK;
}

/* One that was begun again lately is not old. */
static vl_status cancel_old(vl_db *db, int64_t before_ms, int64_t *cancelled, vl_error *error) {
    ids all;
    vl_job_info job;
    vl_status status;
    do {
        all.count = 0;
        status =
            vl_db_once(db,
                       &(vl_db_call){.sql = "SELECT id FROM jobs WHERE finished_ms IS NULL "
                                            "AND created_ms < $1 AND NOT EXISTS (SELECT 1 "
                                            "FROM job_items WHERE job_id = jobs.id "
                                            "AND state IN ('queued', 'running') "
                                            "AND ready_ms >= $1) LIMIT $2",
                                     VL_DB_PARAMS(vl_db_int(before_ms), vl_db_int(AT_ONCE)),
                                     .row = take_id,
                                     .user = &all},
                       error);
        for (size_t i = 0; i < all.count && !status; i++) {
            status = vl_job_cancel(db, all.ids[i], NULL, &job, error);
            if (status == VL_ERR_DENIED) /* gone meanwhile */
                status = VL_OK;
            else if (!status)
                ++*cancelled;
        }
    } while (!status && all.count == AT_ONCE);
    return status;
}

/* One that began anew meanwhile stays. */
static vl_status remove_job(vl_db *db, const char *id, int64_t before_ms,
                            const vl_job_leave *leave, int64_t *removed, vl_error *error) {
    int64_t changed = 0;
    if (leave && leave->before(id, leave->to))
        return VL_OK;
    vl_status status =
        vl_db_once(db,
                   &(vl_db_call){.sql = "DELETE FROM jobs WHERE id = $1 AND finished_ms < $2",
                                 VL_DB_PARAMS(vl_db_text(id), vl_db_int(before_ms)),
                                 .changed = &changed},
                   error);
    *removed += changed;
    if (!status && changed && leave)
        leave->after(id, leave->to);
    return status;
}

static vl_status remove_old(vl_db *db, int64_t before_ms, const vl_job_leave *leave,
                            int64_t *removed, vl_error *error) {
    ids all;
    vl_status status;
    int64_t had;
    do {
        all.count = 0;
        had = *removed;
        status = vl_db_once(
            db,
            &(vl_db_call){.sql = "SELECT id FROM jobs WHERE finished_ms < $1 LIMIT $2",
                          VL_DB_PARAMS(vl_db_int(before_ms), vl_db_int(AT_ONCE)),
                          .row = take_id,
                          .user = &all},
            error);
        for (size_t i = 0; i < all.count && !status; i++)
            status = remove_job(db, all.ids[i], before_ms, leave, removed, error);
    } while (!status && all.count == AT_ONCE && *removed > had);
    return status;
}

vl_status vl_job_sweep(vl_db *db, double keep_seconds, const vl_job_leave *leave,
                       vl_job_swept *swept, vl_error *error) {
    int64_t before = vl_db_now_ms() - (int64_t)(keep_seconds * 1000);
    *swept = (vl_job_swept){0};
    vl_status status = cancel_old(db, before, &swept->expired, error);
    return status ? status : remove_old(db, before, leave, &swept->removed, error);
}
