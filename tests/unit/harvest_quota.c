/* Calls of a day, and languages said in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/language.h"
#include "harvest/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY = 24 * 3600 };
static const time_t noon = 1738324800; /* 2025-01-31T12:00:00Z */

static void test_quota(void **state) {
    char folder[] = "/tmp/vislang-quota-XXXXXX", path[64];
    vl_error error;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state/calls", folder);
    for (int i = 0; i < 3; i++)
        assert_int_equal(vl_quota_take(path, "me", 3, noon + i, &error), VL_OK);
    assert_int_equal(vl_quota_take(path, "me", 3, noon + DAY / 2 - 1, &error), VL_ERR_BUSY);
    assert_string_equal(
        error.message,
        "all 3 calls of this day are used up; come back after 2025-02-01T00:00:00Z");
    assert_int_equal(vl_quota_take(path, "you", 3, noon, &error), VL_OK);
    assert_int_equal(vl_quota_take(path, "me", 4, noon, &error), VL_OK);
    assert_int_equal(vl_quota_take(path, "me", 1, noon + DAY / 2, &error), VL_OK);
    assert_int_equal(vl_quota_take(path, "me", 1, noon + DAY, &error), VL_ERR_BUSY);
    vl_buf text;
    vl_buf_init(&text, 4096);
    assert_int_equal(vl_file_read(path, 4096, &text, &error), VL_OK);
    assert_int_equal(text.len, strlen("2025-02-01 0123456789abcdef\n")); /* of that day alone */
    assert_null(strstr(text.data, "me"));
    vl_buf_deinit(&text);
    assert_int_equal(vl_quota_take("", "me", 0, noon, &error), VL_OK);
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path) || rmdir(folder), 0);
}

static void test_path(void **state) {
    char path[64];
    (void)state;
    vl_quota_path("none", "calls", path, sizeof path);
    assert_string_equal(path, "");
    vl_quota_path("/x/y", "calls", path, sizeof path);
    assert_string_equal(path, "/x/y");
}

static void test_language(void **state) {
    static const char *const rows[][2] = {
        {"Arabic version", "ar"},
        {"ARABIC Version", "ar"},
        {"Swahili translation", "sw"},
        {"French", "fr"},
        {"Français", "fr"},
        {"العربية", "ar"},
        {"Haitian Creole version", "ht"},
        {"Floods in Afar", NULL},
        {"Afar region map", NULL},
        {"English and French", NULL},
        {"version", NULL},
        {" version", NULL},
        {"a.pdf", NULL},
        {"en", NULL},
        {"", NULL},
        {"\xFF", NULL},
        {"A description that is much longer than the name of any language that there is", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *code = vl_language_said(rows[i][0]);
        if (!code != !rows[i][1] || (code && strcmp(code, rows[i][1])))
            fail_msg("%s: %s", rows[i][0], code ? code : "none");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
