/* workers.c — see workers.h.
 *
 * A result on its pipe is a header and its bytes; that of a task that failed has the message.
 */
#include "dataset/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct header {
    uint32_t status, bytes;
} header;

typedef struct process {
    pid_t id; /* 0: not there any more */
    int pipe; /* -1: closed */
} process;

struct workers {
    process *all;
    size_t count;
    uint64_t next, tasks;
};

/* ---- in the process that works
 * --------------------------------------------------------------- */

static bool put_all(int pipe, const void *bytes, size_t count) {
    for (const char *at = bytes; count;) {
        ssize_t n = write(pipe, at, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        count -= (size_t)n;
    }
    return true;
}

static bool do_task(int pipe, uint64_t task, workers_task run, void *user, vl_buf *out) {
    vl_error error = {0};
    vl_buf_clear(out);
    vl_status status = run(user, task, out, &error);
    if (!status)
        status = vl_buf_status(out, "a result", &error);
    size_t bytes = status ? strlen(error.message) : out->len;
    header h = {(uint32_t)status, (uint32_t)bytes};
    return put_all(pipe, &h, sizeof h) &&
           put_all(pipe, status ? error.message : out->data, bytes) && !status;
}

/* Leaves at once: what is registered for the end of the program is its parent's to do. */
static _Noreturn void work(int pipe, uint64_t first, const workers *w, workers_task run,
                           void *user) {
    vl_buf out;
    bool goes_on = true;
    vl_buf_init(&out, WORKERS_MAX_RESULT);
    for (uint64_t task = first; goes_on && task < w->tasks; task += w->count)
        goes_on = do_task(pipe, task, run, user, &out);
    _exit(goes_on ? 0 : 1);
}

/* ---- in the one that started it
 * ---------------------------------------------------------------- */

static vl_status start_one(workers *w, size_t index, workers_task run, void *user,
                           vl_error *error) {
    int ends[2];
    if (pipe(ends))
        return vl_fail(error, VL_ERR_IO, "no pipe to a worker: %s", strerror(errno));
    pid_t id = fork();
    if (id == 0) {
        /* Held open here, the others' pipes would never break when their reader is gone. */
        for (size_t i = 0; i < index; i++)
            close(w->all[i].pipe);
        close(ends[0]);
        work(ends[1], index, w, run, user);
    }
    int trouble = errno;
    close(ends[1]);
    if (id < 0) {
        close(ends[0]);
        return vl_fail(error, VL_ERR_IO, "no process for a worker: %s", strerror(trouble));
    }
    w->all[index] = (process){id, ends[0]};
    return VL_OK;
}

vl_status workers_start(size_t count, uint64_t tasks, workers_task run, void *user,
                        workers **out, vl_error *error) {
    *out = NULL;
    if (!count || count > WORKERS_MAX)
        return vl_fail(error, VL_ERR_USAGE, "1 to %d workers, not %zu", WORKERS_MAX, count);
    workers *w = calloc(1, sizeof *w);
    process *all = calloc(count, sizeof *all);
    if (!w || !all) {
        free(w);
        free(all);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu workers", count);
    }
    *w = (workers){.all = all, .count = count, .tasks = tasks};
    for (size_t i = 0; i < count; i++)
        all[i].pipe = -1;
    vl_status status = VL_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = start_one(w, i, run, user, error);
    if (status)
        workers_free(w);
    else
        *out = w;
    return status;
}

static bool take_all(int pipe, void *bytes, size_t count) {
    for (char *at = bytes; count;) {
        ssize_t n = read(pipe, at, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        count -= (size_t)n;
    }
    return true;
}

static int wait_for(process *p) {
    int state = 0;
    while (waitpid(p->id, &state, 0) < 0 && errno == EINTR)
        ;
    p->id = 0;
    return state;
}

/* Its pipe broke before the result was whole. */
static vl_status say_dead(process *p, uint64_t task, vl_error *error) {
    kill(p->id, SIGKILL); /* were it alive after all, waiting for it would never end */
    int state = wait_for(p);
    unsigned long long number = (unsigned long long)task;
    if (WIFSIGNALED(state))
        return vl_fail(error, VL_ERR_INTERNAL, "the worker at task %llu was killed: %s", number,
                       strsignal(WTERMSIG(state)));
    return vl_fail(error, VL_ERR_INTERNAL, "the worker at task %llu ended with exit code %d",
                   number, WEXITSTATUS(state));
}

static vl_status take_bytes(process *p, uint64_t task, size_t bytes, vl_buf *out,
                            vl_error *error) {
    char piece[1 << 16];
    while (bytes) {
        size_t part = bytes < sizeof piece ? bytes : sizeof piece;
        if (!take_all(p->pipe, piece, part))
            return say_dead(p, task, error);
        vl_buf_append(out, piece, part);
        bytes -= part;
    }
    return vl_buf_status(out, "a worker's result", error);
}

vl_status workers_next(workers *w, vl_buf *out, vl_error *error) {
    process *p = &w->all[w->next % w->count];
    uint64_t task = w->next++;
    header h;
    vl_buf_clear(out);
    if (!p->id)
        return vl_fail(error, VL_ERR_INTERNAL, "the worker for task %llu is gone",
                       (unsigned long long)task);
    if (!take_all(p->pipe, &h, sizeof h))
        return say_dead(p, task, error);
    vl_status status = take_bytes(p, task, h.bytes, out, error);
    if (!status && h.status)
        status = vl_fail(error, (vl_status)h.status, "%s", out->data ? out->data : "");
    return status;
}

void workers_free(workers *w) {
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++) {
        if (w->all[i].pipe >= 0)
            close(w->all[i].pipe);
        if (w->all[i].id) {
            kill(w->all[i].id, SIGKILL);
            wait_for(&w->all[i]);
        }
    }
    free(w->all);
    free(w);
}
