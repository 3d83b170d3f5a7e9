/* base_trace.c — trace headers: which are taken, what is passed on (W3C Trace Context; the
 * tables follow the cases of its own test suite, trace-context/test). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <vislang/base.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define ZERO16 "0000000000000000"

static void test_parents(void **state) {
    static const struct {
        const char *text;
        bool valid;
        unsigned flags;
    } rows[] = {
        {"00-" ID "-" SPAN "-01", true, 1},
        {"00-" ID "-" SPAN "-00", true, 0},
        {"00-" ID "-" SPAN "-03", true, 3},
        {"00-" ID "-" SPAN "-ff", true, 3},
        {"00-" ID "-" SPAN "-0", false, 0},
        {"00-" ID "-" SPAN "-", false, 0},
        {"00-" ID "-" SPAN, false, 0},
        {"00-" ID "-" SPAN "-01-", false, 0},
        {"00-" ID "-" SPAN "-01.", false, 0},
        {"00-" ID "-" SPAN "-01-what-the-future-will-be-like", false, 0},
        {"cc-" ID "-" SPAN "-01", true, 1},
        {"cc-" ID "-" SPAN "-01-what-the-future-will-be-like", true, 1},
        {"cc-" ID "-" SPAN "-01.what-the-future-will-not-be-like", false, 0},
        {"ff-" ID "-" SPAN "-01", false, 0},
        {".0-" ID "-" SPAN "-01", false, 0},
        {"0-" ID "-" SPAN "-01", false, 0},
        {"000-" ID "-" SPAN "-01", false, 0},
        {"0x-" ID "-" SPAN "-01", false, 0},
        {"00-" ZERO16 ZERO16 "-" SPAN "-01", false, 0},
        {"00-" ID "-" ZERO16 "-01", false, 0},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false, 0},
        {"00-" ID "-00F067AA0BA902B7-01", false, 0},
        {"00-" ID "-" SPAN "-0A", false, 0},
        {"00-.bf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01", false, 0},
        {"00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01", false, 0},
        {"00-" ID "a-" SPAN "-01", false, 0},
        {"00_" ID "_" SPAN "_01", false, 0},
        {"", false, 0},
        {"0", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_trace trace;
        memset(&trace, 'x', sizeof trace);
        bool valid = vl_trace_read(rows[i].text, strlen(rows[i].text), &trace);
        if (valid != rows[i].valid)
            fail_msg("'%s' is %staken", rows[i].text, valid ? "" : "not ");
        assert_string_equal(trace.id, valid ? ID : "");
        assert_string_equal(trace.caller, valid ? SPAN : "");
        assert_string_equal(trace.state, "");
        assert_int_equal(trace.flags, rows[i].flags);
    }
}

static void check_state(const char *text, const char *expected) {
    vl_trace trace = {.state = "x=y"};
    vl_trace_read_state(text, strlen(text), &trace);
    if (strcmp(trace.state, expected) != 0)
        fail_msg("'%s' became '%s'", text, trace.state);
}

static void test_states(void **state) {
    static const char *const rows[][2] = {
        {"foo=1", "foo=1"},
        {"foo=1,bar=2", "foo=1,bar=2"},
        {" foo=1 \t,\t bar=2 ", "foo=1,bar=2"},
        {"foo=1,,bar=2,", "foo=1,bar=2"},
        {"", ""},
        {",", ""},
        {"foo=1 2", "foo=1 2"},
        {"foo= 1", "foo= 1"},
        {"foo=1,foo=2", ""},
        {"foo", ""},
        {"foo=", ""},
        {"foo= ", ""},
        {"=1", ""},
        {"foo=1=2", ""},
        {"foo =1", ""},
        {"FOO=1", ""},
        {"foo.bar=1", ""},
        {"0foo=1", ""},
        {"foo@=1,bar=2", ""},
        {"@foo=1,bar=2", ""},
        {"foo@@bar=1,bar=2", ""},
        {"foo@bar@baz=1,bar=2", ""},
        {"fw529a3039@dt=FfzzPXwu", "fw529a3039@dt=FfzzPXwu"},
        {"0t@v=1", "0t@v=1"},
        {"t@0v=1", ""},
        {"a-b_c*d/e=~!", "a-b_c*d/e=~!"},
        {"foo=\x7f", ""},
        {"foo=\x80", ""},
        {"foo=a\tb", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_state(rows[i][0], rows[i][1]);
}

/* `count` of them, named aa, ab, …, each with a value of `bytes`. */
static char *many(unsigned count, unsigned bytes) {
    vl_buf text;
    vl_buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < count; i++)
        vl_buf_printf(&text, "%s%c%c=%0*d", i ? "," : "", 'a' + (char)(i / 26),
                      'a' + (char)(i % 26), (int)bytes, 0);
    return text.data;
}

static void test_limits(void **state) {
    static const struct {
        unsigned count, bytes, kept;
    } rows[] = {
        {32, 1, 32}, {33, 1, 0},  {1, 256, 1},
        {1, 257, 0}, {2, 252, 2}, /* 2 × 255 and a comma: 511 */
        {2, 253, 1},              /* 2 × 256 and a comma: 513, so a long one goes */
        {10, 50, 9},              /* each 53, with its comma 54; none is long */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = many(rows[i].count, rows[i].bytes);
        char *kept = rows[i].kept ? many(rows[i].kept, rows[i].bytes) : strdup("");
        check_state(text, kept);
        free(text);
        free(kept);
    }
    char *small = many(20, 10), text[2048]; /* 20 × 14 − 1 = 279 */
    snprintf(text, sizeof text, "long=%0200d,%s,more=%0100d", 0, small, 0);
    char expected[2048];
    snprintf(expected, sizeof expected, "%s,more=%0100d", small, 0);
    check_state(text, expected);
    free(small);
    char key[600];
    snprintf(key, sizeof key, "a%0255d=1", 0);
    check_state(key, key);
    snprintf(key, sizeof key, "a%0256d=1", 0);
    check_state(key, "");
    snprintf(key, sizeof key, "%0241d@a%013d=1", 0, 0);
    check_state(key, key);
    snprintf(key, sizeof key, "%0242d@a%013d=1", 0, 0);
    check_state(key, "");
    snprintf(key, sizeof key, "%0241d@a%014d=1", 0, 0);
    check_state(key, "");
}

static void test_own_span(void **state) {
    (void)state;
    uint64_t seed = 7;
    char text[VL_TRACE_PARENT_SIZE], before[VL_TRACE_PARENT_SIZE] = "";
    vl_trace trace;
    static const char parent[] = "00-" ID "-" SPAN "-03";
    assert_true(vl_trace_read(parent, sizeof parent - 1, &trace));
    for (int i = 0; i < 100; i++) {
        vl_trace_begin(&trace, &seed);
        vl_trace_write(&trace, text);
        assert_memory_equal(text, "00-" ID "-", 36);
        assert_string_equal(text + 52, "-03");
        assert_string_not_equal(text, before);
        assert_string_equal(trace.caller, SPAN);
        memcpy(before, text, sizeof text);
        vl_trace again;
        assert_true(vl_trace_read(text, strlen(text), &again));
        assert_string_equal(again.caller, trace.span);
    }
    vl_trace first = {0}, second = {0};
    vl_trace_begin(&first, &seed);
    vl_trace_begin(&second, &seed);
    assert_string_not_equal(first.id, second.id);
    vl_trace_write(&first, text);
    assert_true(vl_trace_read(text, strlen(text), &second));
    assert_string_equal(first.id, second.id);
}

static void test_what_a_thread_works_on(void **state) {
    (void)state;
    vl_trace trace = {.id = ID};
    assert_null(vl_trace_now());
    vl_trace_set(&trace);
    assert_string_equal(vl_trace_now()->id, ID);
    vl_trace_set(NULL);
    assert_null(vl_trace_now());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parents),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_own_span),
        cmocka_unit_test(test_what_a_thread_works_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
