/* base_pool.c — the thread pool: every job runs once, the queue is bounded, the end is clean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <vislang/base.h>

enum { THREADS = 4, SUBMITTERS = 4, JOBS = 5000 };

typedef struct tally {
    atomic_size_t ran, wrong_worker, inside[THREADS];
} tally;

static void count_job(void *arg, size_t worker) {
    tally *t = arg;
    /* A worker's number belongs to one job at a time. */
    if (worker >= THREADS || atomic_fetch_add(&t->inside[worker], 1) != 0)
        atomic_fetch_add(&t->wrong_worker, 1);
    atomic_fetch_add(&t->ran, 1);
    if (worker < THREADS)
        atomic_fetch_sub(&t->inside[worker], 1);
}

typedef struct submitter {
    vl_pool *pool;
    tally *tally;
    size_t busy, failed;
} submitter;

static void *submit_many(void *arg) {
    submitter *s = arg;
    for (int i = 0; i < JOBS; i++) {
        vl_status status = vl_pool_submit(s->pool, count_job, s->tally);
        s->busy += status == VL_ERR_BUSY;
        if (status == VL_ERR_BUSY)
            status = vl_pool_submit_wait(s->pool, count_job, s->tally);
        s->failed += status != VL_OK;
    }
    return NULL;
}

static void test_contention(void **state) {
    (void)state;
    tally t = {0};
    vl_pool *pool = vl_pool_new(THREADS, 8);
    assert_non_null(pool);
    pthread_t threads[SUBMITTERS];
    submitter submitters[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (submitter){.pool = pool, .tally = &t};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &submitters[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(submitters[i].failed, 0);
    }
    vl_pool_wait(pool);
    assert_int_equal(t.ran, SUBMITTERS * JOBS);
    assert_int_equal(t.wrong_worker, 0);
    assert_int_equal(vl_pool_queued(pool), 0);
    vl_pool_free(pool);
}

typedef struct gate {
    sem_t entered, open;
    atomic_size_t ran;
} gate;

static void gate_job(void *arg, size_t worker) {
    (void)worker;
    gate *g = arg;
    sem_post(&g->entered);
    sem_wait(&g->open);
    atomic_fetch_add(&g->ran, 1);
}

static void gate_init(gate *g) {
    sem_init(&g->entered, 0, 0);
    sem_init(&g->open, 0, 0);
    atomic_store(&g->ran, 0);
}

static void test_busy_and_free_with_queued_work(void **state) {
    (void)state;
    gate g;
    gate_init(&g);
    vl_pool *pool = vl_pool_new(1, 2);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    sem_wait(&g.entered);
    assert_int_equal(vl_pool_queued(pool), 0);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    assert_int_equal(vl_pool_queued(pool), 2);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_ERR_BUSY);
    for (int i = 0; i < 3; i++)
        sem_post(&g.open);
    vl_pool_free(pool); /* the queued ones still run */
    assert_int_equal(g.ran, 3);
}

static void test_no_queue_at_all(void **state) {
    (void)state;
    gate g;
    gate_init(&g);
    vl_pool *pool = vl_pool_new(2, 0);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_ERR_BUSY);
    sem_post(&g.open);
    sem_post(&g.open);
    vl_pool_wait(pool);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    sem_post(&g.open);
    vl_pool_free(pool);
    assert_int_equal(g.ran, 3);
}

typedef struct late {
    vl_pool *pool;
    gate *gate;
    vl_status status;
} late;

static void *submit_late(void *arg) {
    late *l = arg;
    l->status = vl_pool_submit_wait(l->pool, gate_job, l->gate);
    return NULL;
}

static void *open_gate_later(void *arg) {
    usleep(50000);
    sem_post(&((gate *)arg)->open);
    sem_post(&((gate *)arg)->open);
    return NULL;
}

/* One thread waits for a place while another begins to free the pool. */
static void test_free_cancels_waiting_submitters(void **state) {
    (void)state;
    gate g;
    gate_init(&g);
    vl_pool *pool = vl_pool_new(1, 1);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    sem_wait(&g.entered);
    assert_int_equal(vl_pool_submit(pool, gate_job, &g), VL_OK);
    late l = {.pool = pool, .gate = &g, .status = VL_OK};
    pthread_t submitting, opening;
    assert_int_equal(pthread_create(&submitting, NULL, submit_late, &l), 0);
    usleep(50000);
    assert_int_equal(pthread_create(&opening, NULL, open_gate_later, &g), 0);
    vl_pool_free(pool);
    pthread_join(submitting, NULL);
    pthread_join(opening, NULL);
    assert_int_equal(l.status, VL_ERR_CANCELLED);
    assert_int_equal(g.ran, 2);
}

static void test_bounds(void **state) {
    (void)state;
    assert_null(vl_pool_new(0, 4));
    vl_pool *idle = vl_pool_new(3, 1);
    vl_pool_wait(idle);
    vl_pool_free(idle);
    vl_pool_free(NULL);
    size_t cpus = vl_cpu_count();
    assert_true(cpus >= 1 && cpus <= (size_t)sysconf(_SC_NPROCESSORS_CONF));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contention),
        cmocka_unit_test(test_busy_and_free_with_queued_work),
        cmocka_unit_test(test_no_queue_at_all),
        cmocka_unit_test(test_free_cancels_waiting_submitters),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
