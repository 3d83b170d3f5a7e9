/* Tests of Redis as the service uses it: one server, a sentinel's, a cluster's, and one that
 * goes away and comes back; and of limits that several processes share in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/limiter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static vl_error error;

static void need(vl_status status) {
    if (status)
        fail_msg("%s: %s", vl_status_name(status), error.message);
}

static vl_redis *open_redis(const char *variable) {
    vl_redis *redis;
    const char *url = getenv(variable);
    assert_non_null(url);
    need(vl_redis_open(url, 2, 0.2, &redis, &error));
    return redis;
}

static void set(vl_redis *redis, const char *key, const char *value) {
    need(vl_redis_set(redis, key, value, strlen(value), 60, &error));
}

/* "" when there is none. */
static const char *get(vl_redis *redis, const char *key, vl_buf *out) {
    bool found;
    vl_buf_clear(out);
    need(vl_redis_get(redis, key, out, &found, &error));
    return found && out->data ? out->data : "";
}

/* From one bucket. */
static vl_limit_state take(vl_limiter *limiter, const char *key, const vl_limit *limit) {
    vl_limit_take t = {.limit = *limit};
    snprintf(t.key, sizeof t.key, "%s", key);
    bool all = vl_limiter_take(limiter, &t, 1);
    assert_int_equal(all, t.state.allowed);
    return t.state;
}

/* ---- commands ---------------------------------------------------------------------------- */

static void test_commands(void **state) {
    static const char *const kinds[] = {"VISLANG_TEST_REDIS", "VISLANG_TEST_REDIS_SENTINEL",
                                        "VISLANG_TEST_REDIS_CLUSTER"};
    (void)state;
    for (int k = 0; k < 3; k++) {
        vl_redis *redis = open_redis(kinds[k]);
        vl_buf out;
        bool found;
        int64_t removed, numbers[2];
        char version[32], key[32];
        vl_buf_init(&out, 1 << 20);
        assert_string_equal(get(redis, "a:none", &out), "");
        for (int i = 0; i < 100; i++) { /* of all slots of a cluster */
            snprintf(key, sizeof key, "%s:%d", i % 2 ? "odd" : "even", i);
            set(redis, key, key);
        }
        for (int i = 0; i < 100; i++) {
            snprintf(key, sizeof key, "%s:%d", i % 2 ? "odd" : "even", i);
            assert_string_equal(get(redis, key, &out), key);
        }
        need(vl_redis_set(redis, "a:b", "\0\r\n\xFF", 4, 60, &error));
        vl_buf_clear(&out);
        need(vl_redis_get(redis, "a:b", &out, &found, &error));
        assert_int_equal(out.len, 4);
        assert_memory_equal(out.data, "\0\r\n\xFF", 4);
        need(vl_redis_delete(redis, "a:b", &error));
        assert_string_equal(get(redis, "a:b", &out), "");
        need(vl_redis_set(redis, "a:brief", "x", 1, 0.001, &error));
        usleep(20000);
        assert_string_equal(get(redis, "a:brief", &out), "");
        need(vl_redis_clear(redis, "odd:", &removed, &error));
        assert_int_equal(removed, 50);
        assert_string_equal(get(redis, "odd:7", &out), "");
        assert_string_equal(get(redis, "even:8", &out), "even:8");
        need(vl_redis_clear(redis, "even:", &removed, &error));
        const char *keys[] = {"{k}k", "{k}kk"}, *arguments[] = {"7", "ab"};
        vl_redis_script script = {"return {ARGV[1] * 6, string.len(ARGV[2] .. KEYS[2])}", keys,
                                  2, arguments, 2};
        for (int twice = 0; twice < 2; twice++) {
            need(vl_redis_eval(redis, &script, numbers, 2, &error));
            assert_int_equal(numbers[0], 42);
            assert_int_equal(numbers[1], 7);
        }
        vl_redis_script broken = {"return {1", keys, 1, NULL, 0},
                        lone = {"return 1", keys, 1, NULL, 0},
                        none = {"return {}", keys, 0, NULL, 0};
        assert_int_equal(vl_redis_eval(redis, &broken, numbers, 1, &error), VL_ERR_INTERNAL);
        assert_int_equal(vl_redis_eval(redis, &lone, numbers, 2, &error), VL_ERR_INTERNAL);
        assert_int_equal(vl_redis_eval(redis, &none, numbers, 0, &error), VL_ERR_INTERNAL);
        need(vl_redis_version(redis, version, &error));
        assert_true(version[0] >= '5' && version[1] == '.');
        vl_buf_deinit(&out);
        vl_redis_close(redis);
    }
}

static void test_urls(void **state) {
    static const char *const bad[] = {"",
                                      "redis:",
                                      "redis://",
                                      "rediss://h",
                                      "http://h",
                                      "redis://h:0",
                                      "redis://h:99999",
                                      "redis://h:6379x",
                                      "redis://h/x",
                                      "redis://h/-1",
                                      "redis://a,b",
                                      "redis+unix://relative",
                                      "redis+sentinel://h:1",
                                      "redis+cluster://h:1/2"};
    static const char *const good[] = {
        "redis://localhost", "redis://u:p@[::1]:6380/2", "redis+unix:///run/redis.sock",
        "redis+sentinel://a:1,b:2/name", "redis+cluster://a:1,b:2,c:3"};
    vl_redis *redis;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (vl_redis_open(bad[i], 1, 1, &redis, &error) != VL_ERR_USAGE)
            fail_msg("%s is taken", bad[i]);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        need(vl_redis_open(good[i], 1, 1, &redis, &error));
        vl_redis_close(redis);
    }
    char wrong[256];
    snprintf(wrong, sizeof wrong, "%s", getenv("VISLANG_TEST_REDIS"));
    *strchr(wrong, '%') = 'x'; /* another password */
    bool found;
    vl_buf out;
    vl_buf_init(&out, 16);
    need(vl_redis_open(wrong, 1, 1, &redis, &error));
    assert_int_equal(vl_redis_get(redis, "k", &out, &found, &error), VL_ERR_MISSING);
    vl_redis_close(redis);
}

/* ---- a server that goes away ------------------------------------------------------------- */

static void control(const char *what) {
    char command[600];
    snprintf(command, sizeof command, "%s %s", getenv("VISLANG_TEST_REDIS_CTL"), what);
    assert_int_equal(system(command), 0);
}

static void test_goes_away(void **state) {
    vl_redis *redis = open_redis("VISLANG_TEST_REDIS");
    vl_limiter *limiter = vl_limiter_new(1000, redis);
    vl_limit limit = {.per_minute = 60, .burst = 2};
    vl_buf out;
    bool found;
    (void)state;
    vl_buf_init(&out, 1 << 16);
    set(redis, "k", "v");
    assert_true(take(limiter, "ip:1", &limit).allowed);
    assert_int_equal(vl_limiter_count(limiter), 0); /* it is counted there */
    control("stop");
    assert_int_equal(vl_redis_get(redis, "k", &out, &found, &error), VL_ERR_MISSING);
    assert_false(vl_redis_is_up(redis));
    /* Limits go on, each process for itself. */
    assert_true(take(limiter, "ip:1", &limit).allowed);
    assert_true(take(limiter, "ip:1", &limit).allowed);
    assert_false(take(limiter, "ip:1", &limit).allowed);
    control("start");
    usleep(250000); /* longer than it rests */
    assert_string_equal(get(redis, "k", &out), "");
    set(redis, "k", "w");
    assert_string_equal(get(redis, "k", &out), "w");
    assert_true(vl_redis_is_up(redis));
    assert_true(take(limiter, "ip:1", &limit).allowed);
    vl_buf_deinit(&out);
    vl_limiter_free(limiter);
    vl_redis_close(redis);
}

/* ---- shared limits ----------------------------------------------------------------------- */

enum { PROCESSES = 4, TRIES = 60, BURST = 50 };

/* Several processes ask at once for more than there is: exactly what there is is given. */
static void test_shared_limits(void **state) {
    int pipes[2];
    unsigned given = 0;
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < PROCESSES; i++)
        if (!fork()) {
            vl_redis *redis = open_redis("VISLANG_TEST_REDIS");
            vl_limiter *limiter = vl_limiter_new(1000, redis);
            vl_limit limit = {.per_minute = 0.001, .burst = BURST};
            uint8_t allowed = 0;
            for (int k = 0; k < TRIES; k++)
                allowed = (uint8_t)(allowed + take(limiter, "user:7", &limit).allowed);
            _exit(write(pipes[1], &allowed, 1) != 1 || vl_limiter_count(limiter) != 0);
        }
    for (int i = 0; i < PROCESSES; i++) {
        uint8_t allowed;
        int status;
        assert_int_equal(read(pipes[0], &allowed, 1), 1);
        given += allowed;
        wait(&status);
        assert_int_equal(status, 0);
    }
    assert_int_equal(given, BURST);
}

/* Redis and this process say the same. */
static void test_same_figures(void **state) {
    vl_redis *redis = open_redis("VISLANG_TEST_REDIS");
    vl_limiter *there = vl_limiter_new(1000, redis), *here = vl_limiter_new(1000, NULL);
    vl_limit limit = {.per_minute = 6, .burst = 5};
    (void)state;
    for (int i = 0; i < 8; i++) {
        vl_limit_state a = take(there, "same", &limit), b = take(here, "same", &limit);
        assert_int_equal(a.allowed, i < 5);
        assert_int_equal(a.allowed, b.allowed);
        assert_true(a.limit == b.limit && a.remaining == b.remaining);
        assert_true(a.reset_seconds - b.reset_seconds < 2 &&
                    b.reset_seconds - a.reset_seconds < 2);
        assert_int_equal(a.retry_seconds > 0, i >= 5);
    }
    vl_limiter_free(there);
    vl_limiter_free(here);
    vl_redis_close(redis);
}

/* All buckets of a request in one call: the same from a cluster, whose keys must be of one
 * slot, from a server, and from this process; and what one server was asked for grows by one a
 * take. */
static long commands_of(vl_redis *redis) {
    static const char script[] = "local n = string.match(redis.call('INFO', 'commandstats'), "
                                 "'cmdstat_evalsha:calls=(%d+)') return {tonumber(n or '0')}";
    const char *key = "{vislang:limit}:";
    int64_t number;
    need(
        vl_redis_eval(redis, &(vl_redis_script){script, &key, 1, NULL, 0}, &number, 1, &error));
    return (long)number;
}

static void test_several_at_once(void **state) {
    static const char *const kinds[] = {"VISLANG_TEST_REDIS", "VISLANG_TEST_REDIS_CLUSTER"};
    static const char *const keys[] = {"ip:9", "all", "user:9", "key:9"};
    (void)state;
    for (int k = 0; k < 2; k++) {
        vl_redis *redis = open_redis(kinds[k]);
        vl_limiter *there = vl_limiter_new(1000, redis), *here = vl_limiter_new(1000, NULL);
        for (int turn = 0; turn < 5; turn++) {
            vl_limit_take a[4], b[4];
            for (int i = 0; i < 4; i++) {
                a[i] = (vl_limit_take){.limit = {.per_minute = 0.01, .burst = 3 + i}};
                snprintf(a[i].key, sizeof a[i].key, "%s", keys[i]);
                b[i] = a[i];
            }
            long before = commands_of(redis);
            assert_int_equal(vl_limiter_take(there, a, 4), turn < 3);
            assert_true(turn < 1 || commands_of(redis) == before + 2); /* it, and this */
            assert_int_equal(vl_limiter_take(here, b, 4), turn < 3);
            for (int i = 0; i < 4; i++) {
                assert_int_equal(a[i].state.allowed, turn < 3 || i > 0);
                assert_int_equal(a[i].state.allowed, b[i].state.allowed);
                assert_true(a[i].state.remaining == b[i].state.remaining);
            }
        }
        assert_int_equal(vl_limiter_count(there), 0); /* Redis was asked each time */
        vl_limiter_free(there);
        vl_limiter_free(here);
        vl_redis_close(redis);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),     cmocka_unit_test(test_urls),
        cmocka_unit_test(test_goes_away),    cmocka_unit_test(test_shared_limits),
        cmocka_unit_test(test_same_figures), cmocka_unit_test(test_several_at_once),
    };
    vl_log_set_level(VL_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
