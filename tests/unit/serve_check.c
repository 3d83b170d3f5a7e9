/* serve_check.c — the request checks, as tables of (request, status). */
#include "serve/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_HEADERS = 6 };

static vl_header header(const char *name, const char *value) {
    return (vl_header){name, value, strlen(name), strlen(value)};
}

static void test_headers(void **state) {
    (void)state;
    static const struct {
        const char *version;
        const char *pairs[2 * MAX_HEADERS + 1];
        unsigned status;
    } cases[] = {
        {"HTTP/1.1", {"Host", "a"}, 0},
        {"HTTP/1.1", {"host", "a:80", "X", ""}, 0},
        {"HTTP/1.1", {"Host", "[::1]:80"}, 0},
        {"HTTP/1.0", {NULL}, 0},
        {"HTTP/1.1", {NULL}, 400},
        {"HTTP/2.0", {"Host", "a"}, 505},
        {"", {"Host", "a"}, 505},
        {"HTTP/1.1", {"Host", ""}, 400},
        {"HTTP/1.1", {"Host", "a/b"}, 400},
        {"HTTP/1.1", {"Host", "a@b"}, 400},
        {"HTTP/1.1", {"Host", "a", "HOST", "a"}, 400},
        {"HTTP/1.1", {"Host", "a", "X ", "b"}, 400},
        {"HTTP/1.1", {"Host", "a", "X\t", "b"}, 400},
        {"HTTP/1.1", {"Host", "a", "", "b"}, 400},
        {"HTTP/1.1", {"Host", "a", "X:Y", "b"}, 400},
        {"HTTP/1.1", {"Host", "a", "X", "b\rY: c"}, 400},
        {"HTTP/1.1", {"Host", "a", "X", "b\x7f"}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "0"}, 0},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "999999999999999999"}, 0},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "9999999999999999999"}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", ""}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "-1"}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "+1"}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "1 "}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "1,1"}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "1", "Content-Length", "1"}, 400},
        {"HTTP/1.1", {"Host", "a", "Transfer-Encoding", "chunked"}, 0},
        {"HTTP/1.1", {"Host", "a", "Transfer-Encoding", "Chunked"}, 0},
        {"HTTP/1.1", {"Host", "a", "Transfer-Encoding", "gzip, chunked"}, 501},
        {"HTTP/1.1", {"Host", "a", "Transfer-Encoding", "chunked "}, 501},
        {"HTTP/1.1", {"Host", "a", "Transfer-Encoding", "chunked", "Content-Length", "1"}, 400},
        {"HTTP/1.1", {"Host", "a", "Content-Length", "1", "transfer-encoding", "chunked"}, 400},
        {"HTTP/1.0", {"Host", "a", "Transfer-Encoding", "chunked"}, 400},
        {"HTTP/1.1", {"Host", "a", "Expect", "100-continue"}, 0},
        {"HTTP/1.1", {"Host", "a", "Expect", "a miracle"}, 417},
        {"HTTP/1.1", {"Host", "a", "Content-Type", "a/b", "Content-Type", "c/d"}, 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_header headers[MAX_HEADERS];
        vl_framing framing;
        size_t count = 0;
        for (; cases[i].pairs[2 * count]; count++)
            headers[count] = header(cases[i].pairs[2 * count], cases[i].pairs[2 * count + 1]);
        vl_refusal refusal = vl_check_headers(headers, count, cases[i].version, &framing);
        if (refusal.status != cases[i].status)
            fail_msg("case %zu: %u instead of %u", i, refusal.status, cases[i].status);
        assert_int_equal(!refusal.detail, !refusal.status);
    }
}

/* `wire` is a header section as the library leaves it: ':' and CR LF overwritten by NUL. */
static bool layout(const char *wire, size_t size, const char *const *pairs, size_t count) {
    vl_header headers[MAX_HEADERS];
    const char *at = wire;
    for (size_t i = 0; i < count; i++) {
        const char *name =
            memmem(at, size - (size_t)(at - wire), pairs[2 * i], strlen(pairs[2 * i]) + 1);
        assert_non_null(name);
        const char *value = name + strlen(name) + 1;
        value = memmem(value, size - (size_t)(value - wire), pairs[2 * i + 1],
                       strlen(pairs[2 * i + 1]) + 1);
        assert_non_null(value);
        headers[i] = (vl_header){name, value, strlen(name), strlen(value)};
        at = value;
    }
    return vl_check_header_layout(wire, headers, count, wire + size);
}

static void test_layout(void **state) {
    (void)state;
    static const char *const pairs[] = {"Host", "a", "X", "b"};
    static const char plain[] = "HTTP/1.1\0\0Host\0 a\0\0X\0 \tb\0\0\0";
    static const char bare_line_feed[] = "HTTP/1.1\0\0Host\0 a\0X\0 b\0\0\0";
    static const char hidden_middle[] = "HTTP/1.1\0\0Host\0 a\0c\0\0X\0 b\0\0\0";
    static const char hidden_last[] = "HTTP/1.1\0\0Host\0 a\0\0X\0 b\0c\0\0\0";
    static const char hidden_version[] = "HTTP/1.1\0c\0\0Host\0 a\0\0X\0 b\0\0\0";
    /* sizeof counts the literal's own NUL: the fourth of the closing CR LF CR LF. */
    assert_true(layout(plain, sizeof plain, pairs, 2));
    assert_false(layout(bare_line_feed, sizeof bare_line_feed, pairs, 2));
    assert_false(layout(hidden_middle, sizeof hidden_middle, pairs, 2));
    assert_false(layout(hidden_last, sizeof hidden_last, pairs, 2));
    assert_false(layout(hidden_version, sizeof hidden_version, pairs, 2));
}

static void test_target(void **state) {
    (void)state;
    static const struct {
        const char *target;
        unsigned status;
        const char *path;
    } cases[] = {
        {"/", 0, "/"},
        {"/a?x=%zz", 0, "/a"},
        {"/a%20b", 0, "/a b"},
        {"/%c3%a9", 0, "/\xc3\xa9"},
        {"/.well-known/x", 0, "/.well-known/x"},
        {"/a..b/...", 0, "/a..b/..."},
        {"", 400, ""},
        {"*", 400, ""},
        {"http://a/", 400, ""},
        {"/%", 400, ""},
        {"/%1", 400, ""},
        {"/%g1", 400, ""},
        {"/%00", 400, ""},
        {"/a%00.html", 400, ""},
        {"/..", 400, ""},
        {"/.", 400, ""},
        {"/a/../b", 400, ""},
        {"/a/%2e%2e/b", 400, ""},
        {"/a%2f..%2fb", 400, ""},
        {"/a\\b", 400, ""},
        {"/a%5cb", 400, ""},
        {"//a", 400, ""},
        {"/a b", 400, ""},
        {"/\xff", 400, ""},
        {"/%ff", 400, ""},
        {"/%0d%0aX", 400, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[VL_PATH_MAX];
        vl_refusal refusal = vl_check_target(cases[i].target, path);
        if (refusal.status != cases[i].status)
            fail_msg("%s: %u instead of %u", cases[i].target, refusal.status, cases[i].status);
        if (!refusal.status)
            assert_string_equal(path, cases[i].path);
    }
    char path[VL_PATH_MAX], target[2 * VL_PATH_MAX];
    memset(target, 'a', sizeof target - 1);
    target[0] = '/';
    target[sizeof target - 1] = '\0';
    assert_int_equal(vl_check_target(target, path).status, 414);
}

static void test_hosts(void **state) {
    (void)state;
    static const struct {
        const char *list, *host;
        bool listed;
    } cases[] = {
        {"", "anything", true},
        {"*", "anything", true},
        {"a, b", "b", true},
        {"a, b", "B:8000", true},
        {"a,b", "ab", false},
        {"a.example", "x.a.example", false},
        {"a.example", "a.example.evil", false},
        {"[::1]", "[::1]:80", true},
        {"[::1]", "[::2]", false},
        {",,", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(vl_check_host_listed(cases[i].list, cases[i].host, false),
                         cases[i].listed);
    assert_true(vl_check_host_listed("https://a:1", "https://a:1", true));
    assert_false(vl_check_host_listed("https://a:1", "https://a:2", true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
