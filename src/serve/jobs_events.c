/* jobs_events.c — GET /api/v1/jobs/{id}/events: those who follow a job, by server-sent events
 * (WHATWG HTML, section 9.2).
 *
 * A listener is a connection that is suspended while there is nothing to say: it holds no
 * worker, and of what happened at most one piece, which the teller's thread makes anew from the
 * database once the one before is sent. Items are told in the order in which they ended, which
 * is their event id: who comes back with Last-Event-ID goes on from there. */
#include "serve/jobs_inside.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PIECE_MAX = 64 << 10,
    ITEMS_A_PIECE = 20, /* with a name of 255 bytes each, escaped, they fit */
    LOOK_MS = 1000,     /* how soon what other processes did is seen */
    BEAT_MS = 15000,    /* a comment, so that proxies and clients see that it lives */
};

struct listener {
    vl_jobs *jobs;
    struct MHD_Connection *connection;
    char job[VL_JOB_ID_SIZE];
    listener *next;
    unsigned references; /* the response's, and the teller's; under the lock, as all below */
    vl_buf out;
    size_t sent; /* of it */
    bool suspended, over, gone;
    /* The teller's alone. */
    int64_t told; /* items */
    int64_t done, failed;
    vl_job_state state;
    int64_t said_ns;
};

/* ---- the connection's side ---------------------------------------------------------- */

/* Under the lock. */
static void leave(listener *l) {
    if (--l->references)
        return;
    vl_buf_deinit(&l->out);
    free(l);
}

static void close_listener(void *self) {
    listener *l = self;
    vl_jobs *jobs = l->jobs;
    pthread_mutex_lock(&jobs->lock);
    listener **link = &jobs->listeners;
    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
    jobs->listener_count--;
    l->gone = true;
    leave(l);
    pthread_mutex_unlock(&jobs->lock);
}

/* The event thread asks for bytes to send; without any the connection sleeps. */
static ssize_t read_piece(void *self, uint64_t position, char *out, size_t max) {
    listener *l = self;
    ssize_t count;
    (void)position;
    pthread_mutex_lock(&l->jobs->lock);
    size_t left = l->out.len - l->sent;
    count = (ssize_t)(left < max ? left : max);
    if (count) {
        memcpy(out, l->out.data + l->sent, (size_t)count);
        l->sent += (size_t)count;
    } else if (l->over) {
        count = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        l->suspended = true;
        MHD_suspend_connection(l->connection);
        l->jobs->changes++; /* there is room; the teller may be at work and hear no signal */
        pthread_cond_signal(&l->jobs->changed);
    }
    pthread_mutex_unlock(&l->jobs->lock);
    return count;
}

/* Under the lock. */
static void wake(listener *l) {
    if (!l->suspended)
        return;
    l->suspended = false;
    MHD_resume_connection(l->connection);
}

void job_streams_end(vl_jobs *jobs) {
    pthread_mutex_lock(&jobs->lock);
    for (listener *l = jobs->listeners; l; l = l->next) {
        l->over = true;
        wake(l);
    }
    pthread_mutex_unlock(&jobs->lock);
}

/* ---- the teller's side -------------------------------------------------------------- */

static void add_event(vl_buf *out, const char *name, int64_t id, cJSON *data) {
    char *text = data ? cJSON_PrintUnformatted(data) : NULL;
    cJSON_Delete(data);
    if (id)
        vl_buf_printf(out, "id: %" PRId64 "\n", id);
    vl_buf_printf(out, "event: %s\ndata: ", name);
    vl_buf_puts(out, text ? text : "{}");
    vl_buf_puts(out, "\n\n");
    cJSON_free(text);
}

typedef struct piece {
    listener *to;
    vl_buf text;
    int64_t items;
} piece;

static vl_status add_item(const vl_job_item *item, void *user, vl_error *error) {
    piece *p = user;
    char name[VL_FILENAME_MAX];
    cJSON *data = cJSON_CreateObject();
    job_item_name(item->input, name);
    cJSON_AddNumberToObject(data, "number", (double)item->number);
    cJSON_AddStringToObject(data, "name", name);
    cJSON_AddStringToObject(data, "state", vl_job_state_name(item->state));
    if (item->state == VL_JOB_FAILED) {
        char *problem = job_problem_text(item->problem);
        cJSON_AddItemToObject(data, "problem", cJSON_CreateRaw(problem ? problem : "{}"));
        cJSON_free(problem);
    }
    add_event(&p->text, "item", item->ended, data);
    p->to->told = item->ended;
    p->items++;
    return vl_buf_status(&p->text, "the events of a job", error);
}

static void add_progress(vl_buf *out, const char *event, const vl_job_info *job) {
    cJSON *data = cJSON_CreateObject();
    cJSON_AddStringToObject(data, "state", vl_job_state_name(job->state));
    cJSON_AddNumberToObject(data, "total", (double)job->total);
    cJSON_AddNumberToObject(data, "done", (double)job->done);
    cJSON_AddNumberToObject(data, "failed", (double)job->failed);
    add_event(out, event, 0, data);
}

/* What is new to the listener. True: that was all there will be. */
static bool make_piece(piece *p) {
    listener *l = p->to;
    vl_db *db = l->jobs->server->store.db;
    vl_job_info job;
    vl_status status = vl_job_get(db, l->job, NULL, &job, NULL, NULL);
    if (status == VL_ERR_DENIED) {
        add_event(&p->text, "end", 0, NULL); /* it is past its time */
        return true;
    }
    if (status)
        return false; /* the database is away; the heartbeat goes on */
    int64_t told = l->told;
    if (job.ended > told &&
        vl_job_items(db, l->job, true, told, ITEMS_A_PIECE, add_item, p, NULL))
        return false;
    if (p->items < ITEMS_A_PIECE && l->told < job.ended)
        l->told = job.ended; /* of items that are tried again */
    if (job.done != l->done || job.failed != l->failed || job.state != l->state)
        add_progress(&p->text, "progress", &job);
    l->done = job.done;
    l->failed = job.failed;
    l->state = job.state;
    bool over = job.state >= VL_JOB_DONE && l->told >= job.ended;
    if (over)
        add_progress(&p->text, "end", &job);
    return over;
}

static bool has_room(listener *l) {
    pthread_mutex_lock(&l->jobs->lock);
    bool room = !l->gone && !l->over && l->sent == l->out.len;
    pthread_mutex_unlock(&l->jobs->lock);
    return room;
}

static void tell(listener *l) {
    piece p = {.to = l};
    if (!has_room(l))
        return;
    vl_buf_init(&p.text, PIECE_MAX);
    bool over = make_piece(&p);
    if (!p.text.len && !over && vl_clock_ms_since(l->said_ns) > BEAT_MS)
        vl_buf_puts(&p.text, ": still here\n\n");
    if (p.text.len || over) {
        l->said_ns = vl_clock_ns();
        pthread_mutex_lock(&l->jobs->lock);
        vl_buf_deinit(&l->out);
        l->out = p.text;
        l->sent = 0;
        l->over = l->over || over;
        if (!l->gone)
            wake(l);
        pthread_mutex_unlock(&l->jobs->lock);
    } else {
        vl_buf_deinit(&p.text);
    }
}

/* Everyone who listens now, so that the lock is not held while the database is asked. */
static size_t gather(vl_jobs *jobs, listener **all, uint64_t *changes) {
    size_t count = 0;
    pthread_mutex_lock(&jobs->lock);
    *changes = jobs->changes;
    for (listener *l = jobs->listeners; l && count < jobs->listeners_max; l = l->next) {
        l->references++;
        all[count++] = l;
    }
    pthread_mutex_unlock(&jobs->lock);
    return count;
}

static void let_go(vl_jobs *jobs, listener **all, size_t count) {
    pthread_mutex_lock(&jobs->lock);
    for (size_t i = 0; i < count; i++)
        leave(all[i]);
    pthread_mutex_unlock(&jobs->lock);
}

/* True: go on. */
static bool wait_for_news(vl_jobs *jobs, uint64_t changes) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_MS / 1000;
    pthread_mutex_lock(&jobs->lock);
    if (changes == jobs->changes && !jobs->stopping)
        pthread_cond_timedwait(&jobs->changed, &jobs->lock, &until);
    bool stopping = jobs->stopping;
    pthread_mutex_unlock(&jobs->lock);
    return !stopping;
}

void *job_teller(void *arg) {
    vl_jobs *jobs = arg;
    listener **all = calloc(jobs->listeners_max + 1, sizeof *all);
    uint64_t changes = 0;
    do {
        size_t count = all ? gather(jobs, all, &changes) : 0;
        for (size_t i = 0; i < count; i++)
            tell(all[i]);
        let_go(jobs, all, count);
    } while (wait_for_news(jobs, changes));
    free(all);
    return NULL;
}

void job_changed(vl_jobs *jobs) {
    pthread_mutex_lock(&jobs->lock);
    jobs->changes++;
    pthread_cond_signal(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}

/* ---- the request -------------------------------------------------------------------- */

static int64_t last_event(const vl_request *request) {
    const char *text =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
    bool is_number =
        text && *text && strlen(text) < 16 && strspn(text, "0123456789") == strlen(text);
    return is_number ? strtoll(text, NULL, 10) : 0;
}

/* NULL: no memory; `*full`: as many listen as may. */
static listener *open_listener(vl_request *request, const char *job, bool *full) {
    vl_jobs *jobs = request->server->jobs;
    listener *l = calloc(1, sizeof *l);
    *full = false;
    if (!l)
        return NULL;
    l->jobs = jobs;
    l->connection = request->connection;
    l->references = 1;
    l->told = last_event(request);
    l->done = -1;
    l->said_ns = vl_clock_ns();
    snprintf(l->job, sizeof l->job, "%s", job);
    vl_buf_init(&l->out, PIECE_MAX);
    vl_buf_puts(&l->out, "retry: 2000\n\n");
    pthread_mutex_lock(&jobs->lock);
    *full = jobs->draining || jobs->listener_count >= jobs->listeners_max;
    if (!*full) {
        l->next = jobs->listeners;
        jobs->listeners = l;
        jobs->listener_count++;
    }
    jobs->changes++;
    pthread_cond_signal(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    if (!*full)
        return l;
    vl_buf_deinit(&l->out);
    free(l);
    return NULL;
}

void job_follow(vl_request *request, const char *job) {
    bool full;
    listener *l = open_listener(request, job, &full);
    if (!l) {
        request->outcome.retry_after = 5;
        vl_decide_problem(request, 503,
                          full ? "As many as allowed follow jobs; ask for the "
                                 "job itself now and then."
                               : "There is no memory for the events.");
        return;
    }
    request->outcome.status = 200;
    request->outcome.stream = (vl_stream){"text/event-stream", read_piece, close_listener, l};
    request->state = VL_REQUEST_DECIDED;
}
