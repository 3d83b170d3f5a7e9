/* pool.c — a fixed set of workers over one bounded queue.
 *
 * One lock guards everything: jobs here are pages and requests (milliseconds to seconds), so
 * the queue is never the bottleneck. A job that an idle worker is about to take does not count
 * as waiting; `max_queued` 0 therefore means "only if a worker is free".
 *
 * Workers block every signal, so that the program's own threads handle them. A job may submit
 * jobs; with vl_pool_submit_wait it could wait for itself when every worker does so. */
#include <vislang/base.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    struct job *next;
    vl_job run;
    void *arg;
} job;

typedef struct worker {
    vl_pool *pool;
    pthread_t thread;
    size_t index;
} worker;

struct vl_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;  /* a job was queued, or the pool closes */
    pthread_cond_t place; /* a place came free, or the pool closes */
    pthread_cond_t idle;  /* nothing queued or running, or a waiter left */
    job *head, **tail;
    size_t queued, running, waiters, max_queued;
    bool closing;
    size_t threads;
    worker workers[];
};

static job *job_take(vl_pool *pool) {
    job *taken = pool->head;
    pool->head = taken->next;
    if (!pool->head)
        pool->tail = &pool->head;
    pool->queued--;
    pool->running++;
    return taken;
}

static void *worker_main(void *arg) {
    worker *self = arg;
    vl_pool *pool = self->pool;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->head && !pool->closing)
            pthread_cond_wait(&pool->work, &pool->lock);
        if (!pool->head)
            break;
        job *taken = job_take(pool);
        pthread_mutex_unlock(&pool->lock);
        taken->run(taken->arg, self->index);
        free(taken);
        pthread_mutex_lock(&pool->lock);
        pool->running--;
        pthread_cond_signal(&pool->place);
        if (!pool->queued && !pool->running)
            pthread_cond_broadcast(&pool->idle);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool workers_start(vl_pool *pool, size_t threads) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (pool->threads < threads) {
        worker *next = &pool->workers[pool->threads];
        *next = (worker){.pool = pool, .index = pool->threads};
        if (pthread_create(&next->thread, NULL, worker_main, next) != 0)
            break;
        pthread_mutex_lock(&pool->lock);
        pool->threads++;
        pthread_mutex_unlock(&pool->lock);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return pool->threads == threads;
}

vl_pool *vl_pool_new(size_t threads, size_t max_queued) {
    if (threads == 0 || threads > 4096)
        return NULL;
    vl_pool *pool = calloc(1, sizeof *pool + threads * sizeof pool->workers[0]);
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->place, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->tail = &pool->head;
    pool->max_queued = max_queued;
    if (!workers_start(pool, threads)) {
        vl_pool_free(pool);
        return NULL;
    }
    return pool;
}

/* Queued jobs that no idle worker is about to take. */
static size_t waiting(const vl_pool *pool) {
    size_t free_workers = pool->threads - pool->running;
    return pool->queued > free_workers ? pool->queued - free_workers : 0;
}

static bool is_full(const vl_pool *pool) {
    size_t free_workers = pool->threads - pool->running;
    return pool->queued >= free_workers && pool->queued - free_workers >= pool->max_queued;
}

static vl_status submit(vl_pool *pool, vl_job run, void *arg, bool wait) {
    job *added = malloc(sizeof *added);
    if (!added)
        return VL_ERR_MEMORY;
    *added = (job){.run = run, .arg = arg};
    vl_status status = VL_OK;
    pthread_mutex_lock(&pool->lock);
    pool->waiters++;
    while (wait && !pool->closing && is_full(pool))
        pthread_cond_wait(&pool->place, &pool->lock);
    pool->waiters--;
    if (pool->closing) {
        status = VL_ERR_CANCELLED;
        pthread_cond_broadcast(&pool->idle);
    } else if (is_full(pool)) {
        status = VL_ERR_BUSY;
    } else {
        *pool->tail = added;
        pool->tail = &added->next;
        pool->queued++;
        pthread_cond_signal(&pool->work);
        added = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    free(added);
    return status;
}

vl_status vl_pool_submit(vl_pool *pool, vl_job run, void *arg) {
    return submit(pool, run, arg, false);
}

vl_status vl_pool_submit_wait(vl_pool *pool, vl_job run, void *arg) {
    return submit(pool, run, arg, true);
}

void vl_pool_wait(vl_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    while (pool->queued || pool->running)
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

size_t vl_pool_queued(vl_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    size_t count = waiting(pool);
    pthread_mutex_unlock(&pool->lock);
    return count;
}

void vl_pool_free(vl_pool *pool) {
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_cond_broadcast(&pool->place);
    while (pool->waiters)
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->place);
    pthread_cond_destroy(&pool->idle);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* ---- processors ------------------------------------------------------------------- */

/* First line of a small file of the kernel's, without the newline. */
static bool line_read(const char *path, char *out, size_t size) {
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool got = fgets(out, (int)size, file) != NULL;
    fclose(file);
    if (got)
        out[strcspn(out, "\n")] = '\0';
    return got;
}

static size_t quota_cpus(double quota, double period, size_t best) {
    if (quota <= 0 || period <= 0)
        return best;
    size_t cpus = (size_t)((quota + period - 1) / period);
    return cpus < 1 ? 1 : cpus < best ? cpus : best;
}

/* The smallest cpu.max on the way from our cgroup (version 2) up to the root. */
static size_t cgroup2_cpus(size_t best) {
    char line[1024], path[1200], value[64];
    if (!line_read("/proc/self/cgroup", line, sizeof line) || strncmp(line, "0::", 3) != 0)
        return best;
    char *group = line + 3;
    for (;;) {
        double quota, period;
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
        if (line_read(path, value, sizeof value) &&
            sscanf(value, "%lf %lf", &quota, &period) == 2)
            best = quota_cpus(quota, period, best);
        char *slash = strrchr(group, '/');
        if (!slash)
            return best;
        *slash = '\0';
    }
}

static size_t cgroup1_cpus(size_t best) {
    char quota[64], period[64];
    if (!line_read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, sizeof quota) ||
        !line_read("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof period))
        return best;
    return quota_cpus(atof(quota), atof(period), best);
}

size_t vl_cpu_count(void) {
    cpu_set_t set;
    size_t cpus = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        cpus = (size_t)CPU_COUNT(&set);
    return cgroup1_cpus(cgroup2_cpus(cpus));
}
