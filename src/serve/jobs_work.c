/* jobs_work.c — items are taken, worked on and ended.
 *
 * The keeper's thread takes an item when a worker is free and no request needs him, hands it to
 * the pool of workers, beats for it until it has ended, and has it stopped when nobody wants it
 * any more (vl_stop_watch). Whoever ends an item, the lease decides whether that counts. */
#include "serve/jobs_inside.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TICK_MS = 100,     /* how soon a worker that comes free is seen */
    POLL_MS = 1000,    /* how soon what other processes ordered is */
    CHECK_MS = 1000,   /* how soon a worker hears that others cancelled his item */
    AWAY_MS = 3000,    /* between questions to a database that does not answer */
    LOOK_MS = 2000,    /* how old the depth of the queue may be */
    SWEEP_MS = 300000, /* between sweeps of what is old */
    TELL_TRIES = 20,   /* a second apart: how long an ended item is held for the database */
};

/* What the keeper does again and again for each item in work. */
typedef enum duty { DUTY_BEAT, DUTY_CHECK, DUTY_COUNT } duty;

struct job_run {
    vl_jobs *jobs;
    vl_job_task task;
    job_run *next;
    int64_t done_ns[DUTY_COUNT]; /* when each duty was done */
    bool lost;                   /* the lease is no longer good, or was given back */
    atomic_bool stop;            /* the worker is to end it */
};

static bool run_is_to_stop(void *run) {
    return atomic_load(&((job_run *)run)->stop);
}

static int64_t in_ms(int64_t now_ns, int64_t ms) {
    return now_ns + ms * 1000000;
}

/* ---- one item ----------------------------------------------------------------------- */

static void count_duration(vl_jobs *jobs, double seconds) {
    static const double bounds[JOB_BUCKETS] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
    size_t bucket = 0;
    while (bucket < JOB_BUCKETS && seconds > bounds[bucket])
        bucket++;
    atomic_fetch_add(&jobs->buckets[bucket], 1);
    atomic_fetch_add(&jobs->microseconds, (uint64_t)(seconds * 1e6));
}

/* What the item's file and options say is asked, as a form. */
static vl_status make_form(vl_jobs *jobs, const vl_job_task *task, const vl_route *route,
                           const cJSON *input, vl_form **form, vl_error *error) {
    vl_buf bytes;
    cJSON *options = cJSON_Parse(task->options.data ? task->options.data : "");
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(input, "name"));
    vl_buf_init(&bytes, jobs->server->settings.max_upload);
    vl_status status =
        vl_job_file_read(&jobs->server->store, task->job, task->number, input, &bytes, error);
    if (!status)
        status = vl_batch_form(route, options, cJSON_GetObjectItem(input, "options"),
                               name ? name : "", bytes.data, bytes.len, form, error);
    vl_buf_deinit(&bytes);
    cJSON_Delete(options);
    return status;
}

static vl_status answer(vl_jobs *jobs, const vl_job_task *task, size_t worker,
                        const cJSON *input, vl_blob **blob, vl_error *error) {
    const vl_route *route = vl_batch_task(task->kind);
    vl_form *form = NULL;
    if (!route)
        return vl_fail(error, VL_ERR_UNSUPPORTED, "this version knows no task \"%s\"",
                       task->kind);
    vl_status status = make_form(jobs, task, route, input, &form, error);
    if (!status)
        status = vl_work_answer(jobs->server, worker, route, form, blob, error);
    vl_form_free(NULL, form);
    return status;
}

/* The answer as it is when it is JSON, else with its media type. */
static vl_status result_text(const vl_blob *blob, vl_buf *out, vl_error *error) {
    if (!strcmp(blob->type, "application/json")) {
        vl_buf_append(out, blob->bytes, blob->size);
        return vl_buf_status(out, "a result", error);
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "media_type", blob->type);
    cJSON_AddStringToObject(json, "text", blob->bytes);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    vl_buf_puts(out, text ? text : "");
    cJSON_free(text);
    return text ? vl_buf_status(out, "a result", error)
                : vl_fail(error, VL_ERR_MEMORY, "there is no memory for a result");
}

/* Another try may end otherwise. */
static bool may_pass(vl_status status) {
    switch (status) {
    case VL_ERR_USAGE:
    case VL_ERR_INPUT:
    case VL_ERR_UNSUPPORTED:
    case VL_ERR_LIMIT:
    case VL_ERR_DENIED:
        return false;
    default:
        return true;
    }
}

static char *problem_text(const vl_error *why) {
    unsigned status = vl_http_status(why->status);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "type", "about:blank");
    cJSON_AddStringToObject(json, "title", vl_reason(status));
    cJSON_AddNumberToObject(json, "status", status);
    cJSON_AddStringToObject(json, "detail", why->message);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

typedef struct ending {
    vl_status status; /* of the work */
    vl_buf result;
    char *problem;
    bool failed; /* for good */
} ending;

static vl_status tell_once(vl_jobs *jobs, vl_job_task *task, ending *e, vl_error *error) {
    vl_db *db = jobs->server->store.db;
    return e->status ? vl_job_fail(db, task, e->problem ? e->problem : "", may_pass(e->status),
                                   &e->failed, error)
                     : vl_job_finish(db, task, e->result.data, error);
}

static bool is_stopping(vl_jobs *jobs) {
    pthread_mutex_lock(&jobs->lock);
    bool stopping = jobs->stopping;
    pthread_mutex_unlock(&jobs->lock);
    return stopping;
}

/* What took minutes is not thrown away because the database is away for a moment. */
static vl_status tell(vl_jobs *jobs, vl_job_task *task, ending *e, vl_error *error) {
    vl_status status = tell_once(jobs, task, e, error);
    for (int i = 0; i < TELL_TRIES && !is_stopping(jobs) &&
                    (status == VL_ERR_MISSING || status == VL_ERR_BUSY || status == VL_ERR_IO);
         i++) {
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        status = tell_once(jobs, task, e, error);
    }
    return status;
}

static void count_ending(vl_jobs *jobs, const vl_job_task *task, const ending *e) {
    atomic_fetch_add(!e->status  ? &jobs->items_done
                     : e->failed ? &jobs->items_failed
                                 : &jobs->items_retried,
                     1);
    if (task->left >= VL_JOB_DONE)
        atomic_fetch_add(&jobs->by_state[task->left], 1);
}

static void log_item(const vl_job_task *task, const ending *e, const vl_error *why,
                     double milliseconds) {
    vl_log(e->status ? VL_LOG_WARN : VL_LOG_INFO, "job item", VL_F_STR("job", task->job),
           VL_F_INT("item", task->number), VL_F_STR("task", task->kind),
           VL_F_INT("attempt", task->attempt), VL_F_NUM("milliseconds", milliseconds),
           VL_F_STR("outcome", !e->status  ? "done"
                               : e->failed ? "failed"
                                           : "again later"),
           VL_F_STR("reason", e->status ? why->message : ""));
}

/* The result as it is to be written, or why there is none. */
static void make_result(vl_jobs *jobs, const vl_job_task *task, size_t worker,
                        const cJSON *input, ending *e, vl_error *why) {
    vl_blob *blob = NULL;
    vl_buf text;
    vl_buf_init(&text, JOB_RESULT_MAX);
    e->status = answer(jobs, task, worker, input, &blob, why);
    if (!e->status)
        e->status = result_text(blob, &text, why);
    if (e->status == VL_ERR_MEMORY && text.failed)
        e->status =
            vl_fail(why, VL_ERR_LIMIT, "the result has over %d MB", JOB_RESULT_MAX >> 20);
    if (!e->status)
        e->status = vl_job_result_seal(&jobs->server->store, task->job, task->number, text.data,
                                       &e->result, why);
    vl_blob_unref(blob);
    vl_buf_deinit(&text);
}

static void note_lost(vl_jobs *jobs, const vl_job_task *task, const char *reason) {
    atomic_fetch_add(&jobs->items_lost, 1);
    vl_log(VL_LOG_WARN, "a job's item was worked on for nothing", VL_F_STR("job", task->job),
           VL_F_INT("item", task->number), VL_F_STR("reason", reason));
}

static void write_end(vl_jobs *jobs, vl_job_task *task, const cJSON *input, ending *e,
                      const vl_error *why, int64_t start_ns) {
    vl_error trouble = {0};
    e->problem = e->status ? problem_text(why) : NULL;
    if (tell(jobs, task, e, &trouble)) {
        note_lost(jobs, task, trouble.message);
    } else {
        double milliseconds = vl_clock_ms_since(start_ns);
        if (!e->status)
            vl_job_file_remove(&jobs->server->store, task->job, task->number, input, NULL);
        if (task->left >= VL_JOB_DONE)
            vl_job_files_tidy(&jobs->server->store, task->job);
        count_ending(jobs, task, e);
        count_duration(jobs, milliseconds / 1000);
        log_item(task, e, why, milliseconds);
    }
    cJSON_free(e->problem);
}

static void give_back_task(vl_jobs *jobs, const vl_job_task *task) {
    if (vl_job_release(jobs->server->store.db, task, NULL))
        return;
    atomic_fetch_add(&jobs->items_given_back, 1);
    vl_log(VL_LOG_INFO, "a job's item is given back", VL_F_STR("job", task->job),
           VL_F_INT("item", task->number));
}

/* To the queue, once: by who first says that the run has lost its lease. */
static void give_back(vl_jobs *jobs, job_run *run) {
    pthread_mutex_lock(&jobs->lock);
    bool was_lost = run->lost;
    run->lost = true;
    pthread_mutex_unlock(&jobs->lock);
    if (!was_lost)
        give_back_task(jobs, &run->task);
}

/* A worker was stopped in the middle of it: nobody wants it, or this process ends. */
static void end_stopped(vl_jobs *jobs, job_run *run) {
    pthread_mutex_lock(&jobs->lock);
    bool lost = run->lost && !jobs->draining;
    pthread_mutex_unlock(&jobs->lock);
    if (lost)
        note_lost(jobs, &run->task, "its job was cancelled or erased, or another has it");
    else
        give_back(jobs, run);
}

static void work_on(vl_jobs *jobs, job_run *run, size_t worker) {
    vl_job_task *task = &run->task;
    vl_error why = {0};
    ending e = {.status = VL_OK};
    int64_t start = vl_clock_ns();
    cJSON *input = cJSON_Parse(task->input.data ? task->input.data : "");
    vl_buf_init(&e.result, 2 * JOB_RESULT_MAX);
    vl_stop_watch(run_is_to_stop, run);
    make_result(jobs, task, worker, input, &e, &why);
    bool stopped = e.status && vl_stop_asked();
    vl_stop_watch(NULL, NULL);
    if (stopped)
        end_stopped(jobs, run);
    else
        write_end(jobs, task, input, &e, &why, start);
    cJSON_Delete(input);
    vl_buf_deinit(&e.result);
}

static void run_free(job_run *run) {
    vl_jobs *jobs = run->jobs;
    pthread_mutex_lock(&jobs->lock);
    job_run **link = &jobs->runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    jobs->run_count--;
    jobs->ordered = true; /* there may be more */
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
    vl_job_task_deinit(&run->task);
    free(run);
}

static void run_item(void *arg, size_t worker) {
    job_run *run = arg;
    vl_jobs *jobs = run->jobs;
    pthread_mutex_lock(&jobs->lock);
    bool lost = run->lost, draining = jobs->draining;
    pthread_mutex_unlock(&jobs->lock);
    vl_log_set_request_id(run->task.job);
    if (draining)
        give_back(jobs, run);
    else if (!lost)
        work_on(jobs, run, worker);
    vl_log_set_request_id(NULL);
    run_free(run);
    job_changed(jobs);
}

/* ---- taking ------------------------------------------------------------------------- */

/* Requests go first: an item is taken for a worker that none of them needs. */
static bool may_take(vl_jobs *jobs) {
    vl_server *server = jobs->server;
    if (server->settings.jobs == VL_JOBS_OFF)
        return false;
    size_t requests = vl_work_in_flight(server);
    pthread_mutex_lock(&jobs->lock);
    bool may = !jobs->draining && jobs->run_count + requests < server->settings.workers;
    pthread_mutex_unlock(&jobs->lock);
    return may;
}

static void hand_over(vl_jobs *jobs, job_run *run) {
    pthread_mutex_lock(&jobs->lock);
    run->next = jobs->runs;
    jobs->runs = run;
    jobs->run_count++;
    pthread_mutex_unlock(&jobs->lock);
    if (!vl_pool_submit(jobs->server->pool, run_item, run))
        return;
    give_back(jobs, run);
    run_free(run);
}

static vl_status take(vl_jobs *jobs, bool *found, vl_error *error) {
    job_run *run = calloc(1, sizeof *run);
    *found = false;
    if (!run)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a job");
    run->jobs = jobs;
    for (duty d = 0; d < DUTY_COUNT; d++)
        run->done_ns[d] = vl_clock_ns();
    vl_status status = vl_job_claim(jobs->server->store.db, NULL, jobs->lease_seconds,
                                    &run->task, found, error);
    if (*found) {
        hand_over(jobs, run);
        job_changed(jobs);
    } else {
        free(run);
    }
    return status;
}

/* ---- looking after ------------------------------------------------------------------ */

/* The lease of one for which the duty is due, copied: it may end meanwhile. */
static bool next_due(vl_jobs *jobs, duty what, int64_t before_ns, int64_t now,
                     vl_job_task *task) {
    bool due = false;
    pthread_mutex_lock(&jobs->lock);
    for (job_run *run = jobs->runs; run && !due; run = run->next) {
        due = !run->lost && run->done_ns[what] < before_ns;
        if (due) {
            *task = run->task;
            run->done_ns[what] = now;
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return due;
}

static void lose(vl_jobs *jobs, const char *lease) {
    pthread_mutex_lock(&jobs->lock);
    for (job_run *run = jobs->runs; run; run = run->next)
        if (!strcmp(run->task.lease, lease)) {
            run->lost = true;
            atomic_store(&run->stop, true);
        }
    pthread_mutex_unlock(&jobs->lock);
}

static void beat(vl_jobs *jobs) {
    int64_t now = vl_clock_ns(), before = now - (int64_t)(jobs->lease_seconds / 3 * 1e9);
    vl_job_task task;
    while (next_due(jobs, DUTY_BEAT, before, now, &task))
        if (vl_job_beat(jobs->server->store.db, &task, jobs->lease_seconds, NULL) ==
            VL_ERR_CANCELLED)
            lose(jobs, task.lease);
}

static void check_leases(vl_jobs *jobs) {
    int64_t now = vl_clock_ns();
    vl_job_task task;
    pthread_mutex_lock(&jobs->lock);
    int64_t before = jobs->check_all ? now : in_ms(now, -CHECK_MS);
    jobs->check_all = false;
    pthread_mutex_unlock(&jobs->lock);
    while (next_due(jobs, DUTY_CHECK, before, now, &task))
        if (vl_job_holds(jobs->server->store.db, &task, NULL) == VL_ERR_CANCELLED)
            lose(jobs, task.lease);
}

/* Workers end what they do, and give it back. */
static void end_grace(vl_jobs *jobs) {
    pthread_mutex_lock(&jobs->lock);
    bool over =
        jobs->draining && (double)(vl_clock_ns() - jobs->drain_ns) >= jobs->grace_seconds * 1e9;
    for (job_run *run = jobs->runs; run && over; run = run->next)
        atomic_store(&run->stop, true);
    pthread_mutex_unlock(&jobs->lock);
}

void job_give_back_all(vl_jobs *jobs) {
    for (;;) {
        vl_job_task task = {.number = 0};
        pthread_mutex_lock(&jobs->lock);
        job_run *run = jobs->runs;
        while (run && run->lost)
            run = run->next;
        if (run) {
            task = run->task;
            run->lost = true;
            atomic_store(&run->stop, true);
        }
        pthread_mutex_unlock(&jobs->lock);
        if (!run)
            return;
        give_back_task(jobs, &task);
    }
}

static void look(vl_jobs *jobs) {
    int64_t queued, running;
    if (vl_job_depth(jobs->server->store.db, &queued, &running, NULL))
        return;
    atomic_store(&jobs->depth, queued);
    atomic_store(&jobs->lent, running);
}

static void sweep_leases(vl_jobs *jobs) {
    vl_job_swept swept;
    if (vl_job_sweep_leases(jobs->server->store.db, &swept, NULL) ||
        !(swept.returned + swept.failed))
        return;
    vl_log(VL_LOG_WARN, "workers of jobs went away", VL_F_INT("returned", swept.returned),
           VL_F_INT("failed", swept.failed));
    job_ordered(jobs);
    job_changed(jobs);
}

static void sweep(vl_jobs *jobs) {
    vl_job_swept swept;
    if (vl_jobs_sweep(&jobs->server->store, jobs->keep_seconds, &swept, NULL))
        return;
    vl_job_files_sweep(&jobs->server->store);
    if (swept.expired + swept.removed)
        vl_log(VL_LOG_INFO, "old jobs are gone", VL_F_INT("cancelled", swept.expired),
               VL_F_INT("removed", swept.removed));
}

/* Until there may be something to do. */
static void rest(vl_jobs *jobs) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&jobs->lock);
    if (!jobs->ordered && !jobs->stopping && !jobs->check_all)
        pthread_cond_timedwait(&jobs->wake, &jobs->lock, &until);
    pthread_mutex_unlock(&jobs->lock);
}

static bool was_ordered(vl_jobs *jobs) {
    pthread_mutex_lock(&jobs->lock);
    bool ordered = jobs->ordered;
    jobs->ordered = false;
    pthread_mutex_unlock(&jobs->lock);
    return ordered;
}

/* When what is to be done next, in nanoseconds. */
typedef struct agenda {
    int64_t take, leases, look, sweep;
    bool away; /* the database does not answer */
} agenda;

static void do_what_is_due(vl_jobs *jobs, agenda *due) {
    int64_t now = vl_clock_ns(), lease_ms = (int64_t)(jobs->lease_seconds * 500);
    beat(jobs);
    check_leases(jobs);
    end_grace(jobs);
    if (now >= due->leases) {
        sweep_leases(jobs);
        due->leases = in_ms(now, lease_ms < 5000 ? lease_ms : 5000);
    }
    if (now >= due->look) {
        look(jobs);
        due->look = in_ms(now, LOOK_MS);
    }
    if (now >= due->sweep) {
        sweep(jobs);
        due->sweep = in_ms(now, SWEEP_MS);
    }
}

/* Whether there may be more at once. */
static bool take_next(vl_jobs *jobs, agenda *due) {
    vl_error why;
    bool found;
    vl_status status = take(jobs, &found, &why);
    due->take = found ? 0 : in_ms(vl_clock_ns(), status ? AWAY_MS : POLL_MS);
    if (status && !due->away)
        vl_log(VL_LOG_WARN, "no job can be taken", VL_F_STR("reason", why.message));
    due->away = status != VL_OK;
    return found;
}

void *job_keeper(void *arg) {
    vl_jobs *jobs = arg;
    agenda due = {.take = 0};
    while (!is_stopping(jobs)) {
        do_what_is_due(jobs, &due);
        if (was_ordered(jobs) && !due.away)
            due.take = 0;
        while (vl_clock_ns() >= due.take && may_take(jobs) && take_next(jobs, &due))
            ;
        rest(jobs);
    }
    return NULL;
}

void job_ordered(vl_jobs *jobs) {
    pthread_mutex_lock(&jobs->lock);
    jobs->ordered = true;
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
}

void job_revoked(vl_jobs *jobs) {
    pthread_mutex_lock(&jobs->lock);
    jobs->check_all = true;
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
}
