/* Tests of limits in one process, at given times: what a bucket gives, what it says, and what a
 * flood of keys does to those that are held back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/limiter.h"

#include <pthread.h>
#include <stdio.h>

enum { SECOND = 1000000 };

/* Of one bucket. */
static vl_limit_state take_at(vl_limiter *limiter, const char *key, const vl_limit *limit,
                              int64_t now_us) {
    vl_limit_take t = {.limit = *limit};
    snprintf(t.key, sizeof t.key, "%s", key);
    bool all = vl_limiter_take_at(limiter, &t, 1, now_us);
    assert_int_equal(all, t.state.allowed);
    return t.state;
}

static void test_bucket(void **state) {
    static const struct {
        double at; /* seconds */
        bool allowed;
        double remaining, reset, retry;
    } rows[] = {
        {100.0, true, 2, 1, 0},  {100.0, true, 1, 2, 0},      {100.0, true, 0, 3, 0},
        {100.0, false, 0, 3, 1}, {100.5, false, 0, 2.5, 0.5}, {101.0, true, 0, 3, 0},
        {101.0, false, 0, 3, 1}, {103.0, true, 1, 2, 0},      {500.0, true, 2, 1, 0},
    };
    vl_limiter *limiter = vl_limiter_new(100, NULL);
    vl_limit limit = {.per_minute = 60, .burst = 3};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_limit_state s = take_at(limiter, "ip:a", &limit, (int64_t)(rows[i].at * SECOND));
        if (s.allowed != rows[i].allowed || s.remaining != rows[i].remaining || s.limit != 3 ||
            s.reset_seconds < rows[i].reset - 1e-3 || s.reset_seconds > rows[i].reset + 1e-3 ||
            s.retry_seconds < rows[i].retry - 1e-3 || s.retry_seconds > rows[i].retry + 1e-3)
            fail_msg("at %.1f: %d, %.2f left, full in %.3f, again in %.3f", rows[i].at,
                     s.allowed, s.remaining, s.reset_seconds, s.retry_seconds);
    }
    /* Another key has a bucket of its own. */
    assert_true(take_at(limiter, "ip:b", &limit, 101 * SECOND).allowed);
    assert_int_equal(vl_limiter_count(limiter), 2);
    vl_limit none = {.per_minute = 0};
    for (int i = 0; i < 1000; i++)
        assert_true(take_at(limiter, "ip:c", &none, 101 * SECOND).allowed);
    assert_int_equal(vl_limiter_count(limiter), 2);
    vl_limiter_free(limiter);
}

/* In any minute no more than the rate and the burst. */
static void test_long_run(void **state) {
    vl_limiter *limiter = vl_limiter_new(100, NULL);
    vl_limit limit = {.per_minute = 100, .burst = 20};
    int allowed = 0;
    (void)state;
    for (int64_t ms = 0; ms < 600000; ms += 7)
        allowed += take_at(limiter, "k", &limit, SECOND + ms * 1000).allowed;
    assert_in_range(allowed, 1015, 1020);
    vl_limiter_free(limiter);
}

/* From all of them or from none, and each says how it stands. */
static void test_several(void **state) {
    static const struct {
        const char *keys[2];
        bool allowed[2];
        double remaining[2];
    } rows[] = {
        {{"ip:a", "all"}, {true, true}, {1, 2}},  {{"ip:a", "all"}, {true, true}, {0, 1}},
        {{"ip:a", "all"}, {false, true}, {0, 1}}, {{"ip:b", "all"}, {true, true}, {1, 0}},
        {{"ip:b", "all"}, {true, false}, {1, 0}}, {{"ip:a", "all"}, {false, false}, {0, 0}},
    };
    const vl_limit limits[] = {{.per_minute = 1, .burst = 2}, {.per_minute = 1, .burst = 3}};
    vl_limiter *limiter = vl_limiter_new(100, NULL);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_limit_take t[3] = {{.limit = limits[0]}, {.limit = limits[1]}, {.key = "no limit"}};
        for (int k = 0; k < 2; k++)
            snprintf(t[k].key, sizeof t[k].key, "%s", rows[i].keys[k]);
        bool all = vl_limiter_take_at(limiter, t, 3, SECOND);
        assert_int_equal(all, rows[i].allowed[0] && rows[i].allowed[1]);
        assert_true(t[2].state.allowed);
        for (int k = 0; k < 2; k++)
            if (t[k].state.allowed != rows[i].allowed[k] ||
                t[k].state.remaining != rows[i].remaining[k])
                fail_msg("row %zu, %s: %d, %.2f left", i, rows[i].keys[k], t[k].state.allowed,
                         t[k].state.remaining);
    }
    assert_int_equal(vl_limiter_count(limiter), 3);
    vl_limiter_free(limiter);
}

/* In a table that is full no bucket of a request takes another's place. */
static void test_several_in_a_full_table(void **state) {
    vl_limit limit = {.per_minute = 1, .burst = 10};
    vl_limiter *limiter = vl_limiter_new(1, NULL);
    (void)state;
    for (int turn = 0; turn < 2000; turn++) {
        vl_limit_take t[VL_LIMIT_TAKES_MAX];
        for (int k = 0; k < VL_LIMIT_TAKES_MAX; k++) {
            t[k] = (vl_limit_take){.limit = limit};
            snprintf(t[k].key, sizeof t[k].key, "%d:%d", k, turn);
        }
        assert_true(vl_limiter_take_at(limiter, t, VL_LIMIT_TAKES_MAX, SECOND));
        assert_true(vl_limiter_take_at(limiter, t, VL_LIMIT_TAKES_MAX, SECOND));
        for (int k = 0; k < VL_LIMIT_TAKES_MAX; k++)
            if (t[k].state.remaining != 8)
                fail_msg("%s has %.0f left", t[k].key, t[k].state.remaining);
    }
    vl_limiter_free(limiter);
}

/* A clock that is set back holds nobody back for longer than an empty bucket does. */
static void test_clock_set_back(void **state) {
    vl_limit limit = {.per_minute = 60, .burst = 3};
    vl_limiter *limiter = vl_limiter_new(100, NULL);
    (void)state;
    take_at(limiter, "k", &limit, 10000LL * SECOND);
    assert_false(take_at(limiter, "k", &limit, SECOND).allowed);
    vl_limit_state later = take_at(limiter, "k", &limit, 3 * SECOND);
    assert_true(later.retry_seconds <= 1);
    assert_true(later.reset_seconds <= 3);
    vl_limiter_free(limiter);
}

/* Who is held back stays so while strangers come. */
static void test_flood(void **state) {
    vl_limiter *limiter = vl_limiter_new(4096, NULL);
    vl_limit limit = {.per_minute = 60, .burst = 10};
    char key[64];
    (void)state;
    for (int i = 0; i < 11; i++)
        take_at(limiter, "ip:attacker", &limit, SECOND);
    for (int i = 0; i < 40000; i++) {
        snprintf(key, sizeof key, "ip:%d", i);
        assert_true(take_at(limiter, key, &limit, SECOND).allowed);
    }
    assert_false(take_at(limiter, "ip:attacker", &limit, SECOND).allowed);
    assert_true(vl_limiter_count(limiter) <= 8192);
    vl_limiter_free(limiter);
}

enum { THREADS = 4, TRIES = 500 };

static void *take_many(void *limiter) {
    vl_limit limit = {.per_minute = 1, .burst = 300};
    uintptr_t allowed = 0;
    for (int i = 0; i < TRIES; i++)
        allowed += take_at(limiter, "shared", &limit, SECOND).allowed;
    return (void *)allowed;
}

static void test_threads(void **state) {
    vl_limiter *limiter = vl_limiter_new(100, NULL);
    pthread_t threads[THREADS];
    uintptr_t all = 0;
    (void)state;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_many, limiter);
    for (int i = 0; i < THREADS; i++) {
        void *allowed;
        pthread_join(threads[i], &allowed);
        all += (uintptr_t)allowed;
    }
    assert_int_equal(all, 300);
    vl_limiter_free(limiter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bucket),         cmocka_unit_test(test_long_run),
        cmocka_unit_test(test_several),        cmocka_unit_test(test_several_in_a_full_table),
        cmocka_unit_test(test_clock_set_back), cmocka_unit_test(test_flood),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
