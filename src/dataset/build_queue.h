/* build_queue.h — one build shared by several processes on several machines, which see the same
 * folder and the same database: its steps are jobs of the queue (store.h), so that each is done
 * by whoever comes to it, and again by another when that one dies. What a step leaves is files
 * that appear whole, and the same whoever makes them.
 *
 * Thread-safe. */
#ifndef VL_DATASET_BUILD_QUEUE_H
#define VL_DATASET_BUILD_QUEUE_H

#include <vislang/dataset.h>
#include <vislang/store.h>

typedef struct build_queue build_queue;
/* `seconds`: of a lease. The build is known to the database by a name that stands in its
 * folder. VL_ERR_MISSING: the database does not answer. */
vl_status build_queue_open(const char *url, const char *folder, double seconds,
                           build_queue **queue, vl_error *error);
void build_queue_close(build_queue *queue); /* NULL allowed */

/* A step of `count` items is there for all, whoever said so first. */
typedef struct build_step {
    char job[VL_JOB_ID_SIZE];
} build_step;
vl_status build_queue_step(build_queue *queue, const char *name, size_t count, build_step *step,
                           vl_error *error);
/* Does items of the step, on this thread, until all of them are done, by whomever. While `work`
 * runs the thread is asked to stop (vl_stop_watch) when `cancelled` says so or the item was
 * lent to another. An item that fails is tried by another process, twenty times in all; then
 * the step fails with what was said. The database may go away for a minute. */
typedef struct build_work {
    vl_status (*work)(void *user, size_t item, vl_error *error);
    bool (*cancelled)(void *user);
    void *user;
} build_work;
vl_status build_queue_run(build_queue *queue, const build_step *step, const build_work *work,
                          vl_error *error);

#endif
