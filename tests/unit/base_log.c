/* base_log.c — every log line is one JSON object, whatever it is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cJSON.h>
#include <cmocka.h>
#include <vislang/base.h>

static int saved_stderr, captured;

static void capture_begin(void) {
    saved_stderr = dup(STDERR_FILENO);
    captured = memfd_create("log", 0);
    dup2(captured, STDERR_FILENO);
}

static char *capture_end(void) {
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    off_t bytes = lseek(captured, 0, SEEK_END);
    char *text = calloc(1, (size_t)bytes + 1);
    assert_int_equal(pread(captured, text, (size_t)bytes, 0), bytes);
    close(captured);
    return text;
}

static cJSON *only_line(char *text) {
    size_t length = strlen(text);
    assert_true(length > 1 && text[length - 1] == '\n');
    assert_ptr_equal(strchr(text, '\n'), text + length - 1);
    assert_int_equal(vl_utf8_valid_prefix(text, length), length);
    cJSON *line = cJSON_ParseWithOpts(text, NULL, 1);
    assert_non_null(line);
    free(text);
    return line;
}

static const char *text_of(const cJSON *line, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, name));
    return text ? text : "(none)";
}

static void test_fields(void **state) {
    (void)state;
    capture_begin();
    vl_log_set_request_id("r-1");
    vl_log(VL_LOG_WARN, "listening", VL_F_STR("address", "::1"), VL_F_INT("port", 8000),
           VL_F_NUM("load", 0.25), VL_F_BOOL("ready", true), VL_F_NUM("bad", NAN),
           VL_F_STR("none", NULL), VL_F_INT("least", INT64_MIN));
    vl_log_set_request_id(NULL);
    cJSON *line = only_line(capture_end());
    assert_string_equal(text_of(line, "level"), "warn");
    assert_string_equal(text_of(line, "message"), "listening");
    assert_string_equal(text_of(line, "request_id"), "r-1");
    assert_string_equal(text_of(line, "address"), "::1");
    assert_int_equal(strlen(text_of(line, "time")), 24);
    assert_int_equal(cJSON_GetObjectItem(line, "port")->valueint, 8000);
    assert_true(cJSON_GetObjectItem(line, "load")->valuedouble == 0.25);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(line, "ready")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(line, "bad")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(line, "none")));
    cJSON_Delete(line);
}

static void test_escaping(void **state) {
    (void)state;
    static const struct {
        const char *given, *read;
    } cases[] = {
        {"", ""},
        {"quote \" slash \\ / tab \t line \n return \r",
         "quote \" slash \\ / tab \t line \n return \r"},
        {"\x01\x1f\x7f", "\x01\x1f\x7f"},
        {"Kiswahili አማርኛ 😀", "Kiswahili አማርኛ 😀"},
        {"a\xFFz", "a\xEF\xBF\xBDz"},
        {"cut \xE1\x88", "cut \xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        capture_begin();
        vl_log(VL_LOG_ERROR, cases[i].given, VL_F_STR("text", cases[i].given));
        cJSON *line = only_line(capture_end());
        assert_string_equal(text_of(line, "text"), cases[i].read);
        assert_string_equal(text_of(line, "message"), cases[i].read);
        cJSON_Delete(line);
    }
}

static void test_long_strings_are_cut(void **state) {
    (void)state;
    char *text = calloc(1, 100001);
    for (size_t i = 0; i < 99999; i += 3)
        memcpy(text + i, "አ", 3);
    capture_begin();
    vl_log(VL_LOG_ERROR, "long", VL_F_STR("text", text));
    cJSON *line = only_line(capture_end());
    const char *kept = text_of(line, "text");
    size_t length = strlen(kept);
    assert_true(length > 8000 && length < 8300);
    assert_string_equal(kept + length - 3, "…");
    assert_null(strstr(kept, "\xEF\xBF\xBD"));
    cJSON_Delete(line);
    free(text);
}

static void test_levels(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int level;
    } cases[] = {{"debug", VL_LOG_DEBUG},
                 {"INFO", VL_LOG_INFO},
                 {"warn", VL_LOG_WARN},
                 {"Warning", VL_LOG_WARN},
                 {"error", VL_LOG_ERROR},
                 {"loud", -1},
                 {"", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vl_log_level level;
        vl_error error;
        vl_status status = vl_log_level_parse(cases[i].name, &level, &error);
        assert_int_equal(status, cases[i].level < 0 ? VL_ERR_USAGE : VL_OK);
        if (status == VL_OK)
            assert_int_equal((int)level, cases[i].level);
    }
    capture_begin();
    vl_log(VL_LOG_DEBUG, "hidden", VL_F_INT("n", 1));
    vl_log_set_level(VL_LOG_ERROR);
    vl_log(VL_LOG_WARN, "hidden", VL_F_INT("n", 2));
    vl_log_set_level(VL_LOG_DEBUG);
    vl_log(VL_LOG_DEBUG, "shown", VL_F_INT("n", 3));
    vl_log_set_level(VL_LOG_INFO);
    cJSON *line = only_line(capture_end());
    assert_string_equal(text_of(line, "message"), "shown");
    cJSON_Delete(line);
}

enum { WRITERS = 4, LINES = 200 };

static void *write_lines(void *arg) {
    char id[16];
    snprintf(id, sizeof id, "thread-%d", *(int *)arg);
    vl_log_set_request_id(id);
    for (int i = 0; i < LINES; i++)
        vl_log(VL_LOG_INFO, "line", VL_F_INT("n", i), VL_F_STR("id", id));
    return NULL;
}

static void test_threads_do_not_mix(void **state) {
    (void)state;
    pthread_t threads[WRITERS];
    int numbers[WRITERS];
    capture_begin();
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    char *text = capture_end(), *rest = text;
    int lines = 0;
    for (char *one; (one = strsep(&rest, "\n")) && *one; lines++) {
        cJSON *line = cJSON_ParseWithOpts(one, NULL, 1);
        assert_non_null(line);
        assert_string_equal(text_of(line, "request_id"), text_of(line, "id"));
        cJSON_Delete(line);
    }
    assert_int_equal(lines, WRITERS * LINES);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_long_strings_are_cut),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
