/* jobs.c — jobs as a client sees them: a batch is taken, a job is shown, listed, cancelled and
 * tried again. All of it waits for the database or the disk, and runs as an errand. */
#include "serve/jobs_inside.h"
#include "store/json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_DEFAULT = 100,
    PAGE_MAX = 1000,
    PAGE_BYTES = 16 << 20, /* of results in one answer */
    OPTIONS_MAX = 1 << 20,
    KEY_MAX = 255,
};

/* ---- what is said of a job ---------------------------------------------------------- */

static cJSON *job_json(const vl_job_info *job) {
    char url[96];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "job_id", job->id);
    cJSON_AddStringToObject(json, "task", job->kind);
    cJSON_AddStringToObject(json, "state", vl_job_state_name(job->state));
    cJSON_AddNumberToObject(json, "total", (double)job->total);
    cJSON_AddNumberToObject(json, "done", (double)job->done);
    cJSON_AddNumberToObject(json, "failed", (double)job->failed);
    json_add_time(json, "created", job->created_ms);
    json_add_time(json, "finished", job->finished_ms);
    snprintf(url, sizeof url, "/api/v1/jobs/%s", job->id);
    cJSON_AddStringToObject(json, "status_url", url);
    snprintf(url, sizeof url, "/api/v1/jobs/%s/events", job->id);
    cJSON_AddStringToObject(json, "events_url", url);
    return json;
}

static void decide_job(vl_request *request, unsigned status, const vl_job_info *job) {
    vl_decide_json(request, job_json(job));
    if (request->outcome.status == 200)
        request->outcome.status = status;
}

char *job_problem_text(const char *problem) {
    if (*problem == '{') {
        cJSON *json = cJSON_Parse(problem);
        char *text = cJSON_PrintUnformatted(json);
        cJSON_Delete(json);
        return text;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "type", "about:blank");
    cJSON_AddStringToObject(json, "title", vl_reason(500));
    cJSON_AddNumberToObject(json, "status", 500);
    cJSON_AddStringToObject(json, "detail", problem);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

void job_item_name(const char *input, char name[VL_FILENAME_MAX]) {
    cJSON *json = cJSON_Parse(input);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, "name"));
    snprintf(name, VL_FILENAME_MAX, "%s", text ? text : "");
    cJSON_Delete(json);
}

/* ---- who asks ----------------------------------------------------------------------- */

static void owner_of(const vl_caller *caller, char owner[VL_JOB_OWNER_SIZE]) {
    if (caller->user)
        snprintf(owner, VL_JOB_OWNER_SIZE, "user:%" PRId64, caller->user);
    else
        snprintf(owner, VL_JOB_OWNER_SIZE, "anonymous");
}

static void decide_error(vl_request *request, const vl_error *error) {
    unsigned status = error->status == VL_ERR_DENIED ? 404 : vl_http_status(error->status);
    vl_decide_failure(request, status, error);
}

/* The job that the path names, when the caller may see it. */
typedef struct named_job {
    char id[VL_JOB_ID_SIZE], own[VL_JOB_OWNER_SIZE];
    const char *owner; /* NULL: anyone's */
} named_job;

static bool find_named_job(vl_request *request, named_job *s) {
    owner_of(&request->caller, s->own);
    s->owner = request->caller.role >= VL_ROLE_OPERATOR ? NULL : s->own;
    if (vl_route_segment(request, "id", s->id, sizeof s->id) && vl_job_id_is(s->id))
        return true;
    vl_decide_problem(request, 404, "There is no such job.");
    return false;
}

static const char *query(const vl_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* False: the request is decided. */
static bool query_number(vl_request *request, const char *name, int64_t least, int64_t most,
                         int64_t *number) {
    const char *text = query(request, name);
    if (!text)
        return true;
    size_t length = strlen(text);
    bool is_number = length && length < 10 && strspn(text, "0123456789") == length;
    int64_t value = is_number ? strtoll(text, NULL, 10) : -1;
    if (value < least || value > most) {
        vl_decide_problem(request, 400, "\"%s\" is a number from %" PRId64 " to %" PRId64 ".",
                          name, least, most);
        return false;
    }
    *number = value;
    return true;
}

/* ---- taking a batch ----------------------------------------------------------------- */

typedef struct arrival { /* of a batch */
    vl_request *request;
    vl_jobs *jobs;
    const vl_route *task;
    cJSON *options;
    char id[VL_JOB_ID_SIZE], owner[VL_JOB_OWNER_SIZE], subject[VL_USER_NAME_SIZE + 8];
    char digest[VL_SHA256_HEX_SIZE];
    char *options_text;
    char **inputs;         /* [count of the batch] */
    const char **subjects; /* the same: whom each is about */
} arrival;

/* Whom an item is about: as it says, as all of them say, or who ordered it. */
static const char *subject_of(const arrival *a, const vl_batch_item *item) {
    const char *name = vl_form_field_name(VL_FORM_SUBJECT),
               *own = cJSON_GetStringValue(cJSON_GetObjectItem(item->options, name)),
               *all = cJSON_GetStringValue(cJSON_GetObjectItem(a->options, name));
    return own ? own : all ? all : a->subject;
}

/* What every item asks, held against what the task takes and what is loaded. */
static vl_status check_items(const arrival *a, vl_error *error) {
    const vl_batch *batch = a->request->form->batch;
    vl_status status = vl_batch_check(a->task, a->options, error);
    for (size_t i = 0; i < batch->count && !status; i++) {
        vl_form *form = NULL;
        const vl_batch_item *item = &batch->items[i];
        if (i && !item->options)
            continue; /* as the first one */
        status = vl_batch_check(a->task, item->options, error);
        if (!status)
            status = vl_batch_form(a->task, a->options, item->options, item->name, "", 0, &form,
                                   error);
        if (!status)
            status = vl_work_check(a->request->server, a->task, form, error);
        vl_form_free(NULL, form);
    }
    return status;
}

static vl_status make_digest(arrival *a, vl_error *error) {
    const vl_form *form = a->request->form;
    vl_sha256 *hash = vl_sha256_new();
    if (!hash)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a job");
    vl_sha256_update(hash, a->task->id, strlen(a->task->id) + 1);
    vl_sha256_update(hash, a->options_text, strlen(a->options_text) + 1);
    vl_sha256_update(hash, form->upload.digest, sizeof form->upload.digest);
    for (size_t i = 0; i < form->batch->count; i++) {
        const vl_batch_item *item = &form->batch->items[i];
        char *text = item->options ? cJSON_PrintUnformatted(item->options) : NULL;
        vl_sha256_update(hash, &item->size, sizeof item->size);
        vl_sha256_update(hash, item->name, strlen(item->name) + 1);
        if (text)
            vl_sha256_update(hash, text, strlen(text) + 1);
        cJSON_free(text);
    }
    vl_sha256_finish(hash, a->digest);
    return VL_OK;
}

static vl_status keep_item(arrival *a, const vl_job_order *order, size_t number,
                           vl_error *error) {
    const vl_form *form = a->request->form;
    const vl_batch_item *item = &form->batch->items[number];
    const char *bytes = vl_upload_bytes(&form->upload);
    cJSON *input = cJSON_CreateObject();
    cJSON_AddStringToObject(input, "name", item->name);
    if (item->options)
        cJSON_AddItemToObject(input, "options", cJSON_Duplicate(item->options, true));
    vl_status status = vl_job_file_keep(
        &a->request->server->store, order, number,
        vl_media_kind_type(vl_media_sniff(bytes + item->begin, item->size)),
        2 * a->jobs->keep_seconds, bytes + item->begin, item->size, input, error);
    a->inputs[number] = status ? NULL : cJSON_PrintUnformatted(input);
    if (!status && !a->inputs[number])
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a job");
    cJSON_Delete(input);
    return status;
}

/* The files that were kept for an order that did not become a job. */
static void discard(arrival *a, size_t count) {
    for (size_t i = 0; i < count; i++) {
        cJSON *input = a->inputs[i] ? cJSON_Parse(a->inputs[i]) : NULL;
        vl_job_file_remove(&a->request->server->store, a->id, (int64_t)i, input, NULL);
        cJSON_Delete(input);
    }
}

static vl_status place_order(arrival *a, vl_job_info *job, vl_error *error) {
    const vl_form *form = a->request->form;
    bool was_there = false;
    size_t kept = 0;
    vl_job_order order = {
        .id = a->id,
        .owner = a->owner,
        .kind = a->task->id,
        .options = a->options_text,
        .key = MHD_lookup_connection_value(a->request->connection, MHD_HEADER_KIND,
                                           "Idempotency-Key"),
        .digest = a->digest,
        .count = form->batch->count,
        .max_attempts = a->jobs->attempts,
        .bytes = form->upload.size,
        .owner_items_max = a->jobs->owner_items_max,
        .all_bytes_max = a->jobs->storage_max,
    };
    if (order.key && (strlen(order.key) > KEY_MAX ||
                      vl_utf8_valid_prefix(order.key, strlen(order.key)) != strlen(order.key)))
        return vl_fail(error, VL_ERR_INPUT, "an Idempotency-Key has at most %d bytes", KEY_MAX);
    vl_status status = VL_OK;
    for (size_t i = 0; i < order.count; i++)
        a->subjects[i] = subject_of(a, &form->batch->items[i]);
    order.subjects = a->subjects;
    for (; kept < order.count && !status; kept++)
        status = keep_item(a, &order, kept, error);
    order.inputs = (const char *const *)a->inputs;
    if (!status)
        status = vl_job_enqueue(a->request->server->store.db, &order, job, &was_there, error);
    /* When nobody can say whether it was written, the sweep will see. */
    if ((status && status != VL_ERR_MISSING) || was_there)
        discard(a, kept);
    if (!status && !was_there)
        atomic_fetch_add(&a->jobs->by_state[VL_JOB_QUEUED], 1);
    return status;
}

static void decide_refusal(vl_request *request, const vl_error *error) {
    if (error->status == VL_ERR_LIMIT) {
        request->outcome.retry_after = 60;
        vl_decide_problem(request, 429, "%s", error->message);
    } else if (error->status == VL_ERR_DENIED) {
        vl_decide_problem(request, 403, "%s", error->message);
    } else {
        decide_error(request, error);
    }
}

static void take_batch(arrival *a) {
    vl_request *request = a->request;
    vl_job_info job;
    vl_error error;
    vl_status status = check_items(a, &error);
    if (status) { /* well-formed, and not to be done */
        unsigned http = vl_http_status(status);
        vl_decide_problem(request, http == 400 ? 422 : http, "%s", error.message);
        return;
    }
    status = make_digest(a, &error);
    if (!status)
        status = place_order(a, &job, &error);
    if (status == VL_ERR_USAGE) /* the key: RFC draft-ietf-httpapi-idempotency-key-header */
        vl_decide_problem(request, 422, "%s", error.message);
    else if (status)
        decide_refusal(request, &error);
    else {
        snprintf(request->outcome.location, sizeof request->outcome.location, "/api/v1/jobs/%s",
                 job.id);
        decide_job(request, 202, &job);
        job_ordered(a->jobs);
    }
}

static void batch_errand(vl_request *request) {
    const vl_form *form = request->form;
    const char *task = form->text[VL_FORM_TASK].data;
    arrival a = {.request = request,
                 .jobs = request->server->jobs,
                 .task = vl_batch_task(task ? task : "")};
    if (!a.task) {
        vl_decide_problem(request, 400,
                          "\"task\" is one of ocr, caption, predict, scene and vqa.");
        return;
    }
    vl_job_id_new(a.id);
    owner_of(&request->caller, a.owner);
    snprintf(a.subject, sizeof a.subject, "%s%s", request->caller.user ? "user:" : "anonymous",
             request->caller.name);
    a.options = vl_batch_options(form);
    a.options_text = cJSON_PrintUnformatted(a.options);
    a.inputs = calloc(form->batch->count + 1, sizeof *a.inputs);
    a.subjects = calloc(form->batch->count + 1, sizeof *a.subjects);
    if (a.options_text && a.inputs && a.subjects)
        take_batch(&a);
    else
        vl_decide_problem(request, 500, "There is no memory for the job.");
    for (size_t i = 0; a.inputs && i < form->batch->count; i++)
        cJSON_free(a.inputs[i]);
    free(a.inputs);
    free(a.subjects);
    cJSON_free(a.options_text);
    cJSON_Delete(a.options);
}

void vl_handle_batch(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, batch_errand);
}

/* ---- one job ------------------------------------------------------------------------ */

typedef struct page {
    vl_jobs *jobs;
    const char *job;
    cJSON *items;
    int64_t most, last;
    size_t bytes;
    bool more;
} page;

static void add_result(page *p, cJSON *json, const vl_job_item *item) {
    vl_error why;
    vl_buf text;
    vl_buf_init(&text, 2 * JOB_RESULT_MAX);
    if (!*item->result) {
        cJSON_AddNullToObject(json, "result");
    } else if (vl_job_result_unseal(&p->jobs->server->store, p->job, item->number, item->result,
                                    &text, &why)) {
        char *problem = job_problem_text(why.message);
        cJSON_AddNullToObject(json, "result");
        cJSON_AddItemToObject(json, "problem", cJSON_CreateRaw(problem ? problem : "{}"));
        cJSON_free(problem);
    } else {
        cJSON_AddItemToObject(json, "result", cJSON_CreateRaw(text.data));
        p->bytes += text.len;
    }
    vl_buf_deinit(&text);
}

static vl_status add_item(const vl_job_item *item, void *to, vl_error *error) {
    page *p = to;
    char name[VL_FILENAME_MAX];
    p->more = cJSON_GetArraySize(p->items) >= p->most || p->bytes > PAGE_BYTES;
    if (p->more)
        return vl_fail(error, VL_ERR_CANCELLED, "the page is full");
    cJSON *json = cJSON_CreateObject();
    job_item_name(item->input, name);
    cJSON_AddNumberToObject(json, "number", (double)item->number);
    cJSON_AddStringToObject(json, "name", name);
    cJSON_AddStringToObject(json, "state", vl_job_state_name(item->state));
    cJSON_AddNumberToObject(json, "attempts", (double)item->attempts);
    if (*item->problem) {
        char *problem = job_problem_text(item->problem);
        cJSON_AddItemToObject(json, "problem", cJSON_CreateRaw(problem ? problem : "{}"));
        cJSON_free(problem);
    }
    add_result(p, json, item);
    cJSON_AddItemToArray(p->items, json);
    p->last = item->number;
    return VL_OK;
}

static void show(vl_request *request, const named_job *s, int64_t after, int64_t most) {
    vl_db *db = request->server->store.db;
    vl_job_info job;
    vl_error error;
    vl_buf options;
    vl_buf_init(&options, OPTIONS_MAX);
    page p = {.jobs = request->server->jobs, .job = s->id, .most = most};
    vl_status status = vl_job_get(db, s->id, s->owner, &job, &options, &error);
    p.items = cJSON_CreateArray();
    if (!status)
        status = vl_job_items(db, s->id, false, after, most + 1, add_item, &p, &error);
    if (status && !p.more) {
        decide_error(request, &error);
        cJSON_Delete(p.items);
    } else {
        cJSON *json = job_json(&job);
        cJSON_AddItemToObject(json, "options",
                              cJSON_CreateRaw(options.len ? options.data : "{}"));
        cJSON_AddItemToObject(json, "items", p.items);
        cJSON_AddItemToObject(json, "next",
                              p.more ? cJSON_CreateNumber((double)p.last) : cJSON_CreateNull());
        vl_decide_json(request, json);
    }
    vl_buf_deinit(&options);
}

static void job_errand(vl_request *request) {
    named_job s;
    int64_t after = -1, most = PAGE_DEFAULT;
    if (find_named_job(request, &s) && query_number(request, "after", 0, 999999999, &after) &&
        query_number(request, "limit", 1, PAGE_MAX, &most))
        show(request, &s, after, most);
}

void vl_handle_job(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, job_errand);
}

static void cancel_errand(vl_request *request) {
    vl_jobs *jobs = request->server->jobs;
    vl_db *db = request->server->store.db;
    vl_job_info before, job;
    vl_error error;
    named_job s;
    if (!find_named_job(request, &s))
        return;
    if (vl_job_get(db, s.id, s.owner, &before, NULL, &error) ||
        vl_job_cancel(db, s.id, s.owner, &job, &error)) {
        decide_error(request, &error);
        return;
    }
    if (job.state == VL_JOB_CANCELLED) {
        vl_job_files_remove(&request->server->store, s.id);
        if (before.state < VL_JOB_DONE)
            atomic_fetch_add(&jobs->by_state[VL_JOB_CANCELLED], 1);
    }
    job_revoked(jobs);
    job_changed(jobs);
    decide_job(request, 200, &job);
}

void vl_handle_job_cancel(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, cancel_errand);
}

static void retry_errand(vl_request *request) {
    vl_job_info job;
    vl_error error;
    named_job s;
    if (!find_named_job(request, &s))
        return;
    vl_status status = vl_job_retry(request->server->store.db, s.id, s.owner, &job, &error);
    if (status == VL_ERR_USAGE)
        vl_decide_problem(request, 409, "%s", error.message);
    else if (status)
        decide_error(request, &error);
    else {
        decide_job(request, 202, &job);
        job_ordered(request->server->jobs);
    }
}

void vl_handle_job_retry(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, retry_errand);
}

static void events_errand(vl_request *request) {
    vl_job_info job;
    vl_error error;
    named_job s;
    if (!find_named_job(request, &s))
        return;
    if (vl_job_get(request->server->store.db, s.id, s.owner, &job, NULL, &error))
        decide_error(request, &error);
    else
        job_follow(request, s.id);
}

void vl_handle_job_events(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, events_errand);
}

/* ---- all of them -------------------------------------------------------------------- */

typedef struct listing {
    cJSON *jobs;
    int64_t most;
    char last[VL_JOB_ID_SIZE];
    bool more;
} listing;

static vl_status add_job(const vl_job_info *job, void *to, vl_error *error) {
    listing *l = to;
    (void)error;
    l->more = cJSON_GetArraySize(l->jobs) >= l->most;
    if (l->more)
        return VL_OK;
    cJSON_AddItemToArray(l->jobs, job_json(job));
    memcpy(l->last, job->id, sizeof l->last);
    return VL_OK;
}

static void list_errand(vl_request *request) {
    char owner[VL_JOB_OWNER_SIZE];
    listing l = {.most = PAGE_DEFAULT};
    vl_error error;
    const char *before = query(request, "before"), *all = query(request, "all");
    bool everyones = all && !strcmp(all, "true");
    owner_of(&request->caller, owner);
    if (everyones && request->caller.role < VL_ROLE_OPERATOR) {
        vl_decide_problem(request, 403, "The jobs of all are for operators.");
        return;
    }
    if (all && !everyones && strcmp(all, "false") != 0) {
        vl_decide_problem(request, 400, "\"all\" is true or false.");
        return;
    }
    if (before && !vl_job_id_is(before)) {
        vl_decide_problem(request, 400, "\"before\" is the id of a job.");
        return;
    }
    if (!query_number(request, "limit", 1, PAGE_MAX, &l.most))
        return;
    l.jobs = cJSON_CreateArray();
    if (vl_job_list(request->server->store.db, everyones ? NULL : owner, before, l.most + 1,
                    add_job, &l, &error)) {
        cJSON_Delete(l.jobs);
        decide_error(request, &error);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "jobs", l.jobs);
    cJSON_AddItemToObject(json, "next",
                          l.more ? cJSON_CreateString(l.last) : cJSON_CreateNull());
    vl_decide_json(request, json);
}

void vl_handle_jobs(vl_request *request) {
    vl_errand_start(request, VL_DESK_SLOW, list_errand);
}

/* ---- metrics ------------------------------------------------------------------------ */

static uint64_t count_of(const atomic_uint_fast64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void write_durations(const vl_jobs *jobs, vl_buf *out) {
    static const char *const bounds[JOB_BUCKETS] = {"0.05", "0.1", "0.25", "0.5", "1",
                                                    "2.5",  "5",   "10",   "30",  "60"};
    static const char name[] = "vislang_job_item_duration_seconds";
    uint64_t below = 0;
    vl_buf_printf(out, "# HELP %s From the moment an item is begun until its end is written.\n",
                  name);
    vl_buf_printf(out, "# TYPE %s histogram\n", name);
    for (size_t b = 0; b < JOB_BUCKETS; b++) {
        below += count_of(&jobs->buckets[b]);
        vl_buf_printf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, bounds[b], below);
    }
    below += count_of(&jobs->buckets[JOB_BUCKETS]);
    vl_buf_printf(out,
                  "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
                  name, below, name, (double)count_of(&jobs->microseconds) / 1e6, name, below);
}

void vl_jobs_write_metrics(vl_server *server, vl_buf *out) {
    static const vl_job_state states[] = {VL_JOB_QUEUED, VL_JOB_DONE, VL_JOB_FAILED,
                                          VL_JOB_CANCELLED};
    vl_jobs *jobs = server->jobs;
    const struct {
        const char *outcome;
        uint64_t count;
    } items[] = {{"done", count_of(&jobs->items_done)},
                 {"failed", count_of(&jobs->items_failed)},
                 {"again", count_of(&jobs->items_retried)},
                 {"given_back", count_of(&jobs->items_given_back)},
                 {"lost", count_of(&jobs->items_lost)}};
    vl_buf_puts(out, "# HELP vislang_jobs_total Jobs by what became of them in this process: "
                     "queued, or ended.\n# TYPE vislang_jobs_total counter\n");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        vl_buf_printf(out, "vislang_jobs_total{state=\"%s\"} %" PRIu64 "\n",
                      vl_job_state_name(states[i]), count_of(&jobs->by_state[states[i]]));
    vl_buf_puts(out, "# HELP vislang_job_items_total Items worked on in this process.\n"
                     "# TYPE vislang_job_items_total counter\n");
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        vl_buf_printf(out, "vislang_job_items_total{outcome=\"%s\"} %" PRIu64 "\n",
                      items[i].outcome, items[i].count);
    vl_buf_printf(out,
                  "# HELP vislang_job_items Items of the whole queue, of all processes.\n"
                  "# TYPE vislang_job_items gauge\n"
                  "vislang_job_items{state=\"queued\"} %" PRIdFAST64 "\n"
                  "vislang_job_items{state=\"running\"} %" PRIdFAST64 "\n",
                  atomic_load(&jobs->depth), atomic_load(&jobs->lent));
    write_durations(jobs, out);
}

/* ---- opening and ending ------------------------------------------------------------- */

vl_status vl_jobs_mode_parse(const char *name, vl_jobs_mode *mode, vl_error *error) {
    static const char *const names[] = {"on", "off", "only"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            *mode = (vl_jobs_mode)i;
            return VL_OK;
        }
    return vl_fail(error, VL_ERR_USAGE, "jobs is on, off or only, not '%s'", name);
}

static void init_locks(vl_jobs *jobs) {
    pthread_condattr_t attributes;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->wake, &attributes);
    pthread_cond_init(&jobs->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void read_settings(vl_jobs *jobs, const vl_config *config) {
    jobs->lease_seconds = vl_config_number(config, "job_lease");
    jobs->keep_seconds = vl_config_number(config, "job_retention");
    jobs->grace_seconds = vl_config_number(config, "job_grace");
    jobs->storage_max = (uint64_t)vl_config_int(config, "job_storage");
    jobs->owner_items_max = vl_config_int(config, "job_items_per_owner");
    jobs->attempts = (int)vl_config_int(config, "job_attempts");
    jobs->listeners_max = (size_t)vl_config_int(config, "job_listeners");
}

vl_status vl_jobs_open(vl_server *server, const vl_config *config, vl_error *error) {
    vl_jobs *jobs = server->jobs = calloc(1, sizeof *jobs);
    if (!jobs)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the jobs");
    jobs->server = server;
    jobs->ordered = true; /* what was queued when the last process stopped */
    init_locks(jobs);
    read_settings(jobs, config);
    jobs->keeper_runs = !pthread_create(&jobs->keeper, NULL, job_keeper, jobs);
    jobs->teller_runs = !pthread_create(&jobs->teller, NULL, job_teller, jobs);
    return jobs->keeper_runs && jobs->teller_runs
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "no threads for the jobs");
}

void vl_jobs_drain(vl_server *server) {
    vl_jobs *jobs = server->jobs;
    pthread_mutex_lock(&jobs->lock);
    jobs->draining = true;
    jobs->drain_ns = vl_clock_ns();
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
    job_streams_end(jobs);
}

void vl_jobs_revoked(vl_server *server) {
    job_revoked(server->jobs);
    job_changed(server->jobs);
}

bool vl_jobs_busy(vl_server *server) {
    vl_jobs *jobs = server->jobs;
    pthread_mutex_lock(&jobs->lock);
    bool busy = jobs->run_count;
    pthread_mutex_unlock(&jobs->lock);
    return busy;
}

void vl_jobs_stop(vl_server *server) {
    vl_jobs *jobs = server->jobs;
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->draining = jobs->stopping = true;
    pthread_cond_broadcast(&jobs->wake);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    if (jobs->keeper_runs)
        pthread_join(jobs->keeper, NULL);
    if (jobs->teller_runs)
        pthread_join(jobs->teller, NULL);
    jobs->keeper_runs = jobs->teller_runs = false;
    job_streams_end(jobs);
    job_give_back_all(jobs);
}

void vl_jobs_free(vl_jobs *jobs) {
    if (!jobs)
        return;
    pthread_cond_destroy(&jobs->wake);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}
