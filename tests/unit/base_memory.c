/* base_memory.c — arena, growing buffer, strings, statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <vislang/base.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void test_arena_limits(void **state) {
    (void)state;
    vl_arena *arena = vl_arena_new(1000);
    assert_non_null(arena);
    assert_null(vl_arena_alloc(arena, 1001));
    assert_null(vl_arena_array(arena, SIZE_MAX / 2, 3));
    unsigned char *first = vl_arena_alloc(arena, 600);
    assert_non_null(first);
    for (size_t i = 0; i < 600; i++)
        assert_int_equal(first[i], 0);
    assert_int_equal((uintptr_t)first % alignof(max_align_t), 0);
    assert_null(vl_arena_alloc(arena, 600));
    assert_true(vl_arena_used(arena) >= 600);
    vl_arena_reset(arena);
    assert_int_equal(vl_arena_used(arena), 0);
    assert_ptr_equal(vl_arena_alloc(arena, 600), first);
    vl_arena_free(arena);
    vl_arena_free(NULL);
}

static void test_arena_text(void **state) {
    (void)state;
    vl_arena *arena = vl_arena_new(1 << 20);
    assert_string_equal(vl_arena_strdup(arena, "ጤና"), "ጤና");
    assert_string_equal(vl_arena_strndup(arena, "abcdef", 3), "abc");
    assert_string_equal(vl_arena_printf(arena, "%d of %s", 3, "five"), "3 of five");
    int *numbers = vl_arena_array(arena, 4, sizeof *numbers);
    for (int i = 0; i < 4; i++)
        numbers[i] = i;
    int *more = vl_arena_grow(arena, numbers, 4 * sizeof *numbers, 100000 * sizeof *numbers);
    assert_non_null(more);
    assert_int_equal(more[3], 3);
    assert_int_equal(more[99999], 0);
    assert_int_equal(numbers[3], 3);
    vl_arena_free(arena);
}

static void test_buf_limits(void **state) {
    (void)state;
    vl_buf buf;
    vl_buf_init(&buf, 10);
    vl_buf_puts(&buf, "12345");
    vl_buf_printf(&buf, "%d", 67890);
    assert_false(buf.failed);
    assert_string_equal(buf.data, "1234567890");
    vl_buf_append(&buf, "", 0);
    assert_int_equal(vl_buf_status(&buf, "answer", NULL), VL_OK);
    vl_buf_puts(&buf, "x");
    assert_true(buf.failed);
    vl_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    vl_buf_append(&buf, "12345678901", 11);
    vl_buf_puts(&buf, "1");
    assert_true(buf.failed);
    assert_int_equal(buf.len, 0);
    vl_error error;
    assert_int_equal(vl_buf_status(&buf, "answer", &error), VL_ERR_MEMORY);
    assert_string_equal(error.message, "answer does not fit into 10 bytes");
    vl_buf_deinit(&buf);
    assert_null(buf.data);
}

static void test_parse_bytes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
        bool valid;
    } cases[] = {
        {"0", 0, true},
        {"1048576", 1048576, true},
        {"512k", 524288, true},
        {"100MB", 104857600, true},
        {"2 GB", 2147483648u, true},
        {"1KiB", 1024, true},
        {"3t", 3298534883328u, true},
        {"7B", 7, true},
        {"18446744073709551615", UINT64_MAX, true},
        {"18446744073709551616", 0, false},
        {"17179869184GB", 0, false},
        {"-1", 0, false},
        {"", 0, false},
        {"MB", 0, false},
        {"1.5GB", 0, false},
        {"10 apples", 0, false},
        {"1iB", 0, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t bytes = 77;
        vl_error error = {0};
        vl_status status = vl_parse_bytes(cases[i].text, &bytes, &error);
        assert_int_equal(status, cases[i].valid ? VL_OK : VL_ERR_USAGE);
        assert_true(bytes == (cases[i].valid ? cases[i].bytes : 77));
    }
}

static void test_nearest_name(void **state) {
    (void)state;
    static const char *const names[] = {"port", "host", "workers", "max_upload_size"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"prot", "port"},       {"Port", "port"},
        {"hosts", "host"},      {"worker", "workers"},
        {"max_upload", NULL},   {"completely", NULL},
        {"workres", "workers"}, {"maxuploadsize", "max_upload_size"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *nearest = vl_nearest_name(cases[i].word, names, COUNT(names));
        if (cases[i].nearest)
            assert_string_equal(nearest ? nearest : "(none)", cases[i].nearest);
        else
            assert_null(nearest);
    }
    assert_null(vl_nearest_name("x", NULL, 0));
}

static void test_utf8(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t length, valid;
    } cases[] = {
        {"", 0, 0},
        {"abc", 3, 3},
        {"é", 2, 2},
        {"አማርኛ", 12, 12},
        {"\xF0\x9F\x98\x80", 4, 4},
        {"\xF4\x8F\xBF\xBF", 4, 4},
        {"a\xF4\x90\x80\x80", 5, 1}, /* past U+10FFFF */
        {"a\xED\xA0\x80", 4, 1},     /* surrogate */
        {"a\xC0\xAF", 3, 1},         /* overlong */
        {"a\xE0\x80\xAF", 4, 1},
        {"ab\xE1\x88", 4, 2}, /* cut */
        {"\x80", 1, 0},
        {"a\0b", 3, 3},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(vl_utf8_valid_prefix(cases[i].bytes, cases[i].length), cases[i].valid);
}

static void test_status(void **state) {
    (void)state;
    static const struct {
        vl_status status;
        const char *name;
        int exit_code;
    } cases[] = {
        {VL_OK, "ok", 0},
        {VL_ERR_INTERNAL, "internal", 1},
        {VL_ERR_USAGE, "usage", 2},
        {VL_ERR_INPUT, "bad_input", 3},
        {VL_ERR_LIMIT, "limit", 3},
        {VL_ERR_UNSUPPORTED, "unsupported", 3},
        {VL_ERR_IO, "io", 1},
        {VL_ERR_MISSING, "missing", 4},
        {VL_ERR_BUSY, "busy", 1},
        {VL_ERR_CANCELLED, "cancelled", 1},
        {VL_ERR_MEMORY, "memory", 1},
        {VL_ERR_TIMEOUT, "timeout", 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(vl_status_name(cases[i].status), cases[i].name);
        assert_int_equal(vl_status_exit_code(cases[i].status), cases[i].exit_code);
    }
    vl_error error;
    assert_int_equal(vl_fail(&error, VL_ERR_INPUT, "page %d is cut", 2), VL_ERR_INPUT);
    assert_int_equal(vl_error_prefix(&error, "%s", "a.pdf"), VL_ERR_INPUT);
    assert_string_equal(error.message, "a.pdf: page 2 is cut");
    assert_int_equal(vl_fail(NULL, VL_ERR_IO, "nobody reads this"), VL_ERR_IO);
}

static void test_error_is_cut_between_characters(void **state) {
    (void)state;
    char text[2001];
    vl_error error;
    for (size_t i = 0; i < 2000; i += 2)
        memcpy(text + i, "é", 2);
    text[2000] = '\0';
    vl_fail(&error, VL_ERR_INPUT, "%s", text);
    size_t length = strlen(error.message);
    assert_int_equal(length, 510);
    assert_int_equal(vl_utf8_valid_prefix(error.message, length), length);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_limits),
        cmocka_unit_test(test_arena_text),
        cmocka_unit_test(test_buf_limits),
        cmocka_unit_test(test_parse_bytes),
        cmocka_unit_test(test_nearest_name),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_error_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
