/* build_queue.c — see build_queue.h. */
#include "dataset/build_queue.h"

#include "dataset/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME FOLDER_WORK "/queue"
/* Many, since a worker that is killed is no fault of what it was at. */
enum { ATTEMPTS = 20, POLL_MS = 200, AWAY_S = 60, KEY_SIZE = 96 };

struct build_queue {
    vl_db *db;
    double seconds;
    char name[VL_JOB_ID_SIZE];
};

/* ---- the build's name ----------------------------------------------------------------------
 */

/* Whoever comes first names it; a link appears whole, also where several machines share the
 * folder. */
static vl_status name_build(const char *path, vl_error *error) {
    char name[VL_JOB_ID_SIZE], own[FOLDER_PATH_SIZE + VL_JOB_ID_SIZE];
    vl_job_id_new(name);
    snprintf(own, sizeof own, "%s.%s", path, name);
    vl_status status = vl_file_write(own, name, strlen(name), error);
    if (!status && link(own, path) != 0 && errno != EEXIST)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    unlink(own);
    return status;
}

static vl_status read_name(const char *folder, char name[VL_JOB_ID_SIZE], vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_buf text;
    vl_status status = folder_path(folder, NAME, path, error);
    if (!status && access(path, F_OK) != 0)
        status = name_build(path, error);
    if (status)
        return status;
    vl_buf_init(&text, VL_JOB_ID_SIZE);
    status = vl_file_read(path, VL_JOB_ID_SIZE - 1, &text, error);
    snprintf(name, VL_JOB_ID_SIZE, "%s", text.data ? text.data : "");
    if (!status && !vl_job_id_is(name))
        status = vl_fail(error, VL_ERR_INPUT, "%s: damaged", path);
    vl_buf_deinit(&text);
    return status;
}

vl_status build_queue_open(const char *url, const char *folder, double seconds,
                           build_queue **queue, vl_error *error) {
    build_queue *q = calloc(1, sizeof *q);
    int applied;
    *queue = q;
    if (!q)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    q->seconds = seconds;
    vl_status status = read_name(folder, q->name, error);
    if (!status)
        status = vl_db_open(url, NULL, &q->db, error);
    if (!status)
        status = vl_db_migrate(q->db, 0, &applied, error);
    if (!status)
        return VL_OK;
    build_queue_close(q);
    *queue = NULL;
    return status;
}

void build_queue_close(build_queue *queue) {
    if (!queue)
        return;
    vl_db_close(queue->db);
    free(queue);
}

/* ---- steps ---------------------------------------------------------------------------------
 */

vl_status build_queue_step(build_queue *queue, const char *name, size_t count, build_step *step,
                           vl_error *error) {
    char key[KEY_SIZE], id[VL_JOB_ID_SIZE];
    const char **inputs = calloc(count, sizeof *inputs);
    vl_job_info job;
    bool was_there;
    if (!inputs)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        inputs[i] = "{}"; /* its number says it all */
    vl_job_id_new(id);
    snprintf(key, sizeof key, "%s/%s", queue->name, name);
    vl_job_order order = {.id = id,
                          .owner = "dataset",
                          .kind = "dataset",
                          .options = "{}",
                          .key = key,
                          .digest = key,
                          .inputs = inputs,
                          .count = count,
                          .priority = VL_JOB_PRIVATE,
                          .max_attempts = ATTEMPTS};
    vl_status status = vl_job_enqueue(queue->db, &order, &job, &was_there, error);
    if (!status && was_there && job.failed) /* the same command tries again */
        status = vl_job_retry(queue->db, job.id, NULL, &job, error);
    free(inputs);
    snprintf(step->job, sizeof step->job, "%s", job.id);
    return status;
}

typedef struct holding {
    const build_queue *queue;
    const build_work *work;
    const vl_job_task *task; /* NULL: none */
    int64_t beat_ns;
    bool lost;
} holding;

/* Asked often while an item is worked on, so the lease is kept by it. */
static bool is_over(void *user) {
    holding *h = user;
    if (h->work->cancelled(h->work->user) || h->lost)
        return true;
    if (h->task && vl_clock_ms_since(h->beat_ns) > h->queue->seconds * 1000 / 3) {
        h->beat_ns = vl_clock_ns();
        h->lost =
            vl_job_beat(h->queue->db, h->task, h->queue->seconds, NULL) == VL_ERR_CANCELLED;
    }
    return h->lost;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* What became of an item is told the queue. When that cannot be, the item is lent again later,
 * and found done. */
static vl_status do_item(holding *h, vl_job_task *task, vl_error *error) {
    bool ended;
    h->task = task;
    h->beat_ns = vl_clock_ns();
    h->lost = false;
    vl_error why = {0};
    vl_status status = h->work->work(h->work->user, (size_t)task->number, &why);
    h->task = NULL;
    if (h->lost)
        return VL_OK;
    if (!status) {
        vl_job_finish(h->queue->db, task, "{}", NULL);
        return VL_OK;
    }
    if (error)
        *error = why;
    if (status == VL_ERR_CANCELLED || status == VL_ERR_IO || status == VL_ERR_MEMORY) {
        vl_job_release(h->queue->db, task, NULL); /* this machine's trouble, not the item's */
        return status;
    }
    vl_job_fail(h->queue->db, task, why.message, true, &ended, NULL);
    return VL_OK;
}

static vl_status take_problem(const vl_job_item *item, void *to, vl_error *error) {
    (void)error;
    if (item->state == VL_JOB_FAILED && !*(char *)to)
        snprintf(to, 256, "%s", item->problem);
    return VL_OK;
}

/* Nothing is to be had: over, or others are at it. */
static vl_status look_round(build_queue *q, const build_step *step, bool *over,
                            vl_error *error) {
    vl_job_info job;
    vl_job_swept swept;
    char problem[256] = "";
    vl_status status = vl_job_get(q->db, step->job, NULL, &job, NULL, error);
    if (status)
        return status;
    *over = job.done == job.total;
    if (job.failed || job.state == VL_JOB_CANCELLED) {
        vl_job_items(q->db, step->job, false, -1, VL_JOB_ITEMS_MAX, take_problem, problem,
                     NULL);
        return vl_fail(error, VL_ERR_INPUT, "a step of the build %s%s%s",
                       job.failed ? "failed: " : "was cancelled", problem,
                       job.failed ? "" : " in the queue");
    }
    return *over ? VL_OK : vl_job_sweep_leases(q->db, &swept, error);
}

static bool is_away(vl_status status) {
    return status == VL_ERR_MISSING || status == VL_ERR_BUSY || status == VL_ERR_TIMEOUT;
}

vl_status build_queue_run(build_queue *queue, const build_step *step, const build_work *work,
                          vl_error *error) {
    holding h = {.queue = queue, .work = work};
    int64_t heard_ns = vl_clock_ns();
    bool over = false;
    vl_status status = VL_OK;
    vl_stop_watch(is_over, &h);
    while (!status && !over) {
        vl_job_task task;
        bool found = false;
        h.lost = false;
        status = vl_stop_check(error);
        if (status)
            break;
        status = vl_job_claim(queue->db, step->job, queue->seconds, &task, &found, error);
        if (!status && found) {
            status = do_item(&h, &task, error);
            vl_job_task_deinit(&task);
        } else if (!status)
            status = look_round(queue, step, &over, error);
        if (!status)
            heard_ns = vl_clock_ns();
        else if (is_away(status) && vl_clock_ms_since(heard_ns) < AWAY_S * 1e3)
            status = VL_OK;
        if (!status && !found && !over)
            pause_ms(POLL_MS);
    }
    vl_stop_watch(NULL, NULL);
    return status;
}
