/* Tests of base64: the vectors of RFC 4648, section 10, what is none, and everything both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <vislang/base.h>

#include <string.h>

static void test_vectors(void **state) {
    static const char *const rows[][3] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xFB\xFF\xFE", "+//+", "-__-"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int url = 0; url < 2; url++) {
            char text[16], bytes[16];
            size_t count = 99;
            vl_base64_encode(rows[i][0], strlen(rows[i][0]), url, text);
            assert_string_equal(text, rows[i][1 + url]);
            assert_true(vl_base64_decode(text, strlen(text), url, bytes, &count));
            assert_int_equal(count, strlen(rows[i][0]));
            assert_memory_equal(bytes, rows[i][0], count);
        }
}

static void test_refused(void **state) {
    static const struct {
        const char *text;
        bool url;
    } rows[] = {
        {"Zg", false},    {"Zg=", false},  {"Z===", false}, {"====", false},
        {"Zm9v=", false}, {"Zh==", false}, {"Zm9=", false}, {"Zm 9v", false},
        {"-__-", false},  {"+//+", true},  {"Zg==", true},  {"Z", true},
        {"Zm9vY", true},  {"Zh", true},    {"Zm\n9", true}, {"Zg==Zg==", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bytes[16];
        size_t count;
        if (vl_base64_decode(rows[i].text, strlen(rows[i].text), rows[i].url, bytes, &count))
            fail_msg("%s is taken", rows[i].text);
    }
}

static void test_both_ways(void **state) {
    uint8_t bytes[300], again[300];
    char text[VL_BASE64_SIZE(300)];
    uint64_t chance = 5;
    (void)state;
    for (size_t count = 0; count <= 300; count++) {
        size_t got = 0;
        for (size_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)vl_random_next(&chance);
        for (int url = 0; url < 2; url++) {
            vl_base64_encode(bytes, count, url, text);
            assert_true(vl_base64_decode(text, strlen(text), url, again, &got));
            assert_int_equal(got, count);
            assert_memory_equal(again, bytes, count);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
