/* build.c — a dataset from a recipe: the plan, its chunks on several threads, and the end. */
#include "dataset/build_folder.h"
#include "dataset/build_queue.h"
#include "dataset/build_report.h"
#include "dataset/chunk.h"
#include "dataset/finish.h"
#include "dataset/folder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t RECIPE_ARENA = (size_t)16 << 20;

vl_build_options vl_build_options_default(void) {
    return (vl_build_options){.queue = "", .lease_seconds = 60, .memory = (size_t)256 << 20};
}

/* ---- chunks --------------------------------------------------------------------------------
 */

typedef struct building {
    const build_recipe *recipe;
    const vl_build_options *options;
    chunk_kit *kit;
    plan *plan;
    build_queue *queue; /* NULL: this process is alone */
    build_step step;    /* of the queue, that is done now */
    vl_build_report *report;
    pthread_mutex_t mutex; /* of what follows, and of the report */
    size_t next;
    vl_status status;
    vl_error error;
} building;

static bool is_cancelled(void *user) {
    const building *b = user;
    return b->options->cancel && atomic_load(b->options->cancel);
}

static void count_chunk(building *b, const chunk_counts *counts) {
    pthread_mutex_lock(&b->mutex);
    b->report->chunks_done++;
    b->report->documents += counts->documents;
    b->report->unread += counts->unread;
    b->report->made += counts->items;
    b->report->pages += counts->pages;
    b->report->pages_ocr += counts->pages_ocr;
    if (b->options->progress)
        b->options->progress(b->report, b->options->user);
    pthread_mutex_unlock(&b->mutex);
}

/* False: there is none, or somebody failed. */
static bool take_chunk(building *b, size_t *chunk) {
    pthread_mutex_lock(&b->mutex);
    bool more = !b->status && b->next < plan_chunks(b->plan);
    if (more)
        *chunk = b->next++;
    pthread_mutex_unlock(&b->mutex);
    return more;
}

/* One thread's. */
typedef struct working {
    building *b;
    chunk_worker *worker;
} working;

static bool is_unwanted(void *user) {
    return is_cancelled(((const working *)user)->b);
}

static vl_status make_chunk(void *user, size_t chunk, vl_error *error) {
    working *w = user;
    chunk_counts counts = {0};
    vl_status status = chunk_make(w->worker, w->b->plan, chunk, &counts, error);
    if (!status)
        count_chunk(w->b, &counts);
    return status;
}

static vl_status work_alone(working *w, vl_error *error) {
    vl_status status = VL_OK;
    size_t chunk = 0;
    vl_stop_watch(is_unwanted, w);
    while (!status && take_chunk(w->b, &chunk)) {
        status = vl_stop_check(error);
        if (!status)
            status = make_chunk(w, chunk, error);
    }
    vl_stop_watch(NULL, NULL);
    return status;
}

static void *work(void *to) {
    building *b = to;
    working w = {.b = b};
    vl_error error = {0};
    vl_status status = chunk_worker_new(b->kit, &w.worker, &error);
    if (!status && b->queue)
        status = build_queue_run(b->queue, &b->step, &(build_work){make_chunk, is_unwanted, &w},
                                 &error);
    else if (!status)
        status = work_alone(&w, &error);
    pthread_mutex_lock(&b->mutex);
    if (status && !b->status) {
        b->status = status;
        b->error = error;
    }
    pthread_mutex_unlock(&b->mutex);
    chunk_worker_free(w.worker);
    return NULL;
}

static vl_status make_chunks(building *b, vl_error *error) {
    enum { MOST = 64 };
    pthread_t threads[MOST];
    size_t jobs = b->options->jobs ? b->options->jobs : vl_cpu_count(), started = 0;
    jobs = jobs > MOST ? MOST : jobs;
    jobs = jobs > plan_chunks(b->plan) ? plan_chunks(b->plan) : jobs;
    b->report->chunks = plan_chunks(b->plan);
    while (started < jobs && pthread_create(&threads[started], NULL, work, b) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (jobs && !started)
        return vl_fail(error, VL_ERR_MEMORY, "no thread could be started");
    if (b->status && error)
        *error = b->error;
    return b->status;
}

/* ---- the steps -----------------------------------------------------------------------------
 */

static vl_status do_plan(void *user, size_t item, vl_error *error) {
    building *b = user;
    (void)item;
    return plan_is_there(b->options->folder) ? VL_OK : plan_make(b->recipe, b->options, error);
}

static vl_status do_finish(void *user, size_t item, vl_error *error) {
    building *b = user;
    vl_build_report end = {0};
    (void)item;
    if (build_folder_is_finished(b->options->folder))
        return VL_OK;
    vl_status status =
        finish_build(b->recipe, b->options, b->plan, chunk_kit_quality(b->kit), &end, error);
    if (!status)
        build_folder_clear(b->options->folder);
    return status;
}

/* Of one item: by this process, or by whichever comes to it. */
static vl_status do_step(building *b, const char *name,
                         vl_status (*run)(void *user, size_t item, vl_error *error),
                         vl_error *error) {
    vl_status status = VL_OK;
    if (b->queue) {
        status = build_queue_step(b->queue, name, 1, &b->step, error);
        return status ? status
                      : build_queue_run(b->queue, &b->step, &(build_work){run, is_cancelled, b},
                                        error);
    }
    vl_stop_watch(is_cancelled, b);
    status = run(b, 0, error);
    vl_stop_watch(NULL, NULL);
    return status;
}

static vl_status build_all(building *b, vl_error *error) {
    vl_status status = do_step(b, "plan", do_plan, error);
    if (!status)
        status = plan_open(b->options->folder, &b->plan, error);
    if (!status && b->queue)
        status = build_queue_step(b->queue, "chunks", plan_chunks(b->plan), &b->step, error);
    if (!status)
        status = make_chunks(b, error);
    if (!status)
        status = do_step(b, "finish", do_finish, error);
    plan_close(b->plan);
    return status;
}

/* What the recipe needs is there before anything is written. */
static vl_status build_in(const build_recipe *recipe, const vl_build_options *options,
                          build_folder *folder, vl_build_report *report, vl_error *error) {
    building b = {.recipe = recipe,
                  .options = options,
                  .report = report,
                  .mutex = PTHREAD_MUTEX_INITIALIZER};
    vl_status status = chunk_kit_new(recipe, options, &b.kit, error);
    if (!status)
        status =
            build_folder_enter(recipe, options->folder, *options->queue != '\0', folder, error);
    report->was_finished = folder->finished;
    if (!status && !folder->finished && folder->shared)
        status = build_queue_open(options->queue, options->folder, options->lease_seconds,
                                  &b.queue, error);
    if (!status && !folder->finished)
        status = build_all(&b, error);
    build_queue_close(b.queue);
    chunk_kit_free(b.kit);
    return status;
}

vl_status vl_dataset_build(const vl_build_options *options, vl_build_report *report,
                           vl_error *error) {
    int64_t start = vl_clock_ns();
    vl_arena *arena = vl_arena_new(RECIPE_ARENA);
    build_folder folder = {.lock = -1};
    build_recipe recipe;
    *report = (vl_build_report){0};
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = build_recipe_read(options->recipe, arena, &recipe, error);
    if (!status)
        status = build_in(&recipe, options, &folder, report, error);
    if (!status) {
        build_folder_clear(options->folder);
        const bool was_finished = report->was_finished;
        status = build_report_read(options->folder, report, error);
        report->was_finished = was_finished;
    }
    build_folder_leave(&folder);
    report->seconds = vl_clock_ms_since(start) / 1e3;
    vl_arena_free(arena);
    return status;
}
