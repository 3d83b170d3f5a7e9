/* build.c — a dataset from a recipe: the plan, its chunks on several threads, and the end. */
#include "dataset/build_queue.h"
#include "dataset/build_report.h"
#include "dataset/chunk.h"
#include "dataset/finish.h"
#include "dataset/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK FOLDER_WORK "/lock"
#define RECIPE FOLDER_WORK "/recipe.yaml"
static const size_t RECIPE_ARENA = (size_t)16 << 20;
enum { OPEN_FOLDERS = 16 };

vl_build_options vl_build_options_default(void) {
    return (vl_build_options){.queue = "", .lease_seconds = 60, .memory = (size_t)256 << 20};
}

/* ---- the folder ----------------------------------------------------------------------------
 */

/* One process at a time builds there, however it ends. */
static vl_status lock_folder(const char *folder, int *lock, vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_status status = folder_path(folder, LOCK, path, error);
    if (status)
        return status;
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*lock < 0)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) != 0)
        return vl_fail(error, VL_ERR_BUSY, "%s: another process is building there", folder);
    return VL_OK;
}

static bool is_finished(const char *folder) {
    char path[FOLDER_PATH_SIZE];
    vl_error ignored;
    return !folder_path(folder, FOLDER_ABOUT, path, &ignored) && !access(path, F_OK);
}

static vl_status make_folders(const char *folder, vl_error *error) {
    static const char *const names[] = {FOLDER_WORK "/pictures", FOLDER_WORK "/chunks"};
    char path[FOLDER_PATH_SIZE];
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < sizeof names / sizeof *names; i++) {
        status = folder_path(folder, names[i], path, error);
        if (!status)
            status = vl_dir_make(path, error);
    }
    return status;
}

/* The recipe stands in the folder from the first moment, and in what it became at the end. */
static vl_status check_recipe(const build_recipe *recipe, const char *folder, const char *there,
                              vl_error *error) {
    return !strcmp(there, recipe->text)
               ? VL_OK
               : vl_fail(error, VL_ERR_USAGE,
                         "%s: what is there was built by another recipe; remove the folder, or "
                         "build into another",
                         folder);
}

static vl_status check_finished(const build_recipe *recipe, const char *folder,
                                vl_error *error) {
    vl_dataset *dataset = NULL;
    vl_status status = vl_dataset_open(folder, &dataset, error);
    cJSON *about = status ? NULL : cJSON_Parse(vl_dataset_about(dataset));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(about, "recipe"));
    if (!status)
        status = check_recipe(recipe, folder, text ? text : "", error);
    cJSON_Delete(about);
    vl_dataset_close(dataset);
    return status;
}

static vl_status check_begun(const build_recipe *recipe, const char *folder, vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_buf before;
    vl_status status = folder_path(folder, RECIPE, path, error);
    if (!status)
        status = make_folders(folder, error);
    if (status)
        return status;
    if (access(path, F_OK) != 0)
        return vl_file_write(path, recipe->text, strlen(recipe->text), error);
    vl_buf_init(&before, (size_t)1 << 20);
    status = vl_file_read(path, (size_t)1 << 20, &before, error);
    if (!status)
        status = check_recipe(recipe, folder, before.data ? before.data : "", error);
    vl_buf_deinit(&before);
    return status;
}

static int remove_entry(const char *path, const struct stat *about, int type,
                        struct FTW *where) {
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

static vl_status remove_work(const char *folder, vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_status status = folder_path(folder, FOLDER_WORK, path, error);
    if (!status && access(path, F_OK) == 0 &&
        nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    return status;
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
    if (is_finished(b->options->folder))
        return VL_OK;
    vl_status status =
        finish_build(b->recipe, b->options, b->plan, chunk_kit_quality(b->kit), &end, error);
    return status ? status : remove_work(b->options->folder, error);
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
    if (!status)
        status = chunk_kit_new(b->recipe, b->options, &b->kit, error);
    if (!status && b->queue && plan_chunks(b->plan))
        status = build_queue_step(b->queue, "chunks", plan_chunks(b->plan), &b->step, error);
    if (!status)
        status = make_chunks(b, error);
    if (!status)
        status = do_step(b, "finish", do_finish, error);
    chunk_kit_free(b->kit);
    plan_close(b->plan);
    return status;
}

static vl_status build_in(const build_recipe *recipe, const vl_build_options *options,
                          vl_build_report *report, vl_error *error) {
    building b = {.recipe = recipe,
                  .options = options,
                  .report = report,
                  .mutex = PTHREAD_MUTEX_INITIALIZER};
    const bool shared = options->queue && *options->queue;
    int lock = -1;
    vl_status status = check_begun(recipe, options->folder, error);
    if (!status)
        status = shared ? build_queue_open(options->queue, options->folder,
                                           options->lease_seconds, &b.queue, error)
                        : lock_folder(options->folder, &lock, error);
    if (!status)
        status = build_all(&b, error);
    build_queue_close(b.queue);
    if (lock >= 0)
        close(lock);
    return status;
}

vl_status vl_dataset_build(const vl_build_options *options, vl_build_report *report,
                           vl_error *error) {
    int64_t start = vl_clock_ns();
    vl_arena *arena = vl_arena_new(RECIPE_ARENA);
    build_recipe recipe;
    *report = (vl_build_report){0};
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = build_recipe_read(options->recipe, arena, &recipe, error);
    if (!status)
        status = is_finished(options->folder) ? check_finished(&recipe, options->folder, error)
                                              : build_in(&recipe, options, report, error);
    if (!status)
        status = remove_work(options->folder, error);
    if (!status)
        status = build_report_read(options->folder, report, error);
    report->seconds = vl_clock_ms_since(start) / 1e3;
    vl_arena_free(arena);
    return status;
}
