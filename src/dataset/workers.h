/* workers.h — numbered tasks done in several processes, their results taken in order.
 *
 * Processes and not threads, because Pango, cairo and FreeType, each in its own thread's hands,
 * still share caches that crash now and then. Task i is done by process i mod count, which goes
 * from one to its next and waits while nobody takes its results, so that a pipe's worth of them
 * is all that is ahead. A process that dies is an error of the task that it was at, never a gap
 * or a wait.
 *
 * Start them while the process has one thread: the new ones have a copy of its memory as it is
 * then, locks included. They end with workers_free, or by themselves when whoever started them
 * is gone. */
#ifndef VL_DATASET_WORKERS_H
#define VL_DATASET_WORKERS_H

#include <vislang/base.h>

typedef struct workers workers;
/* Appends the result of `task` to `out`. Runs in a process of its own: what it changes in
 * `user` stays there, for its later tasks. */
typedef vl_status (*workers_task)(void *user, uint64_t task, vl_buf *out, vl_error *error);

enum { WORKERS_MAX = 256, WORKERS_MAX_RESULT = 64 << 20 };
/* VL_ERR_USAGE: no process, or more than WORKERS_MAX; VL_ERR_IO: the system gives no more. */
vl_status workers_start(size_t count, uint64_t tasks, workers_task run, void *user,
                        workers **out, vl_error *error);
/* The result of the next task, from 0 on, in place of what `out` has. The error of the task, or
 * VL_ERR_INTERNAL with what became of its process. Not to be called past the last task. */
vl_status workers_next(workers *w, vl_buf *out, vl_error *error);
/* Ends the processes, whatever they are at (NULL allowed). */
void workers_free(workers *w);

#endif
