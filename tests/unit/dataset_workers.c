/* Tests of tasks done in several processes: results in order and the same for any number of
 * them, and what is said of one that fails, ends or is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/workers.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than a pipe holds, so that workers wait for their reader. */
enum { TASKS = 23, LONG = 200000 };

typedef struct job {
    uint64_t at;                                /* the task that goes wrong */
    enum { FINE, FAILS, ENDS, IS_KILLED } what; /* how */
    uint64_t done;                              /* of this process */
} job;

static vl_status run(void *user, uint64_t task, vl_buf *out, vl_error *error) {
    job *j = user;
    j->done++;
    if (j->what != FINE && task == j->at) {
        if (j->what == FAILS)
            return vl_fail(error, VL_ERR_INPUT, "task %d is not to be done", (int)task);
        if (j->what == ENDS)
            _exit(7);
        raise(SIGKILL);
    }
    vl_buf_printf(out, "%d:", (int)task);
    for (size_t i = 0; i < (task % 5 == 3 ? LONG : task % 7); i++)
        vl_buf_append(out, (const char[]){(char)('a' + (task + i) % 26)}, 1);
    return VL_OK;
}

static void check_result(const vl_buf *out, uint64_t task) {
    vl_buf want;
    job fine = {0};
    vl_buf_init(&want, WORKERS_MAX_RESULT);
    assert_int_equal(run(&fine, task, &want, NULL), VL_OK);
    assert_int_equal(out->len, want.len);
    assert_memory_equal(out->data, want.data, want.len);
    vl_buf_deinit(&want);
}

/* Takes results until one fails; returns how many there were. */
static uint64_t take(size_t count, job *j, vl_error *error) {
    workers *w = NULL;
    vl_buf out;
    uint64_t task = 0;
    vl_buf_init(&out, WORKERS_MAX_RESULT);
    *error = (vl_error){0};
    assert_int_equal(workers_start(count, TASKS, run, j, &w, error), VL_OK);
    while (task < TASKS && !workers_next(w, &out, error))
        check_result(&out, task++);
    workers_free(w);
    vl_buf_deinit(&out);
    return task;
}

static bool has_children(void) {
    return waitpid(-1, NULL, WNOHANG) >= 0;
}

static void test_in_order(void **state) {
    static const size_t counts[] = {1, 2, 3, TASKS, TASKS + 5};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        job fine = {0};
        vl_error error;
        assert_int_equal(take(counts[i], &fine, &error), TASKS);
        assert_int_equal(fine.done, 0); /* not one of them was done here */
        assert_false(has_children());
    }
}

static void test_trouble(void **state) {
    static const struct {
        job job;
        vl_status status;
        const char *message;
    } bad[] = {
        {{.at = 0, .what = FAILS}, VL_ERR_INPUT, "task 0 is not to be done"},
        {{.at = 11, .what = FAILS}, VL_ERR_INPUT, "task 11 is not to be done"},
        {{.at = 11, .what = ENDS}, VL_ERR_INTERNAL, "task 11 ended with exit code 7"},
        {{.at = 0, .what = IS_KILLED}, VL_ERR_INTERNAL, "task 0 was killed: Killed"},
        {{.at = TASKS - 1, .what = IS_KILLED}, VL_ERR_INTERNAL, "task 22 was killed: Killed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t count = 1; count < 4; count++) {
            job j = bad[i].job;
            vl_error error;
            assert_int_equal(take(count, &j, &error), bad[i].job.at);
            assert_int_equal(error.status, bad[i].status);
            if (!strstr(error.message, bad[i].message))
                fail_msg("%s", error.message);
            assert_false(has_children());
        }
}

/* One of three dies: what the others have is not taken for its tasks. */
static void test_after_trouble(void **state) {
    workers *w = NULL;
    vl_error error = {0};
    vl_buf out;
    job j = {.at = 1, .what = IS_KILLED};
    (void)state;
    vl_buf_init(&out, WORKERS_MAX_RESULT);
    assert_int_equal(workers_start(3, TASKS, run, &j, &w, &error), VL_OK);
    assert_int_equal(workers_next(w, &out, &error), VL_OK);
    assert_int_equal(workers_next(w, &out, &error), VL_ERR_INTERNAL);
    assert_int_equal(workers_next(w, &out, &error), VL_OK);
    check_result(&out, 2);
    assert_int_equal(workers_next(w, &out, &error), VL_OK);
    assert_int_equal(workers_next(w, &out, &error), VL_ERR_INTERNAL); /* 4, the dead one's */
    workers_free(w);
    vl_buf_deinit(&out);
    assert_false(has_children());
}

/* Left before all is done, with workers that wait for a reader. */
static void test_left_early(void **state) {
    workers *w = NULL;
    vl_error error = {0};
    job fine = {0};
    (void)state;
    assert_int_equal(workers_start(4, TASKS, run, &fine, &w, &error), VL_OK);
    workers_free(w);
    assert_false(has_children());
    workers_free(NULL);
}

static void test_refusals(void **state) {
    workers *w = NULL;
    vl_error error = {0};
    job fine = {0};
    (void)state;
    assert_int_equal(workers_start(0, 1, run, &fine, &w, &error), VL_ERR_USAGE);
    assert_int_equal(workers_start(WORKERS_MAX + 1, 1, run, &fine, &w, &error), VL_ERR_USAGE);
    assert_null(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),      cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_after_trouble), cmocka_unit_test(test_left_early),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
