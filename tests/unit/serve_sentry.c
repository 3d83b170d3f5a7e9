/* serve_sentry.c — DSNs, rate limits and envelopes. What goes over a socket is held against a
 * receiver in tests/api/test_operations.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cjson/cJSON.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "serve/sentry.h"

static void test_dsns(void **state) {
    static const struct {
        const char *text, *url, *key; /* url NULL: refused */
    } rows[] = {
        {"https://public@sentry.example.com/1", "https://sentry.example.com/api/1/envelope/",
         "public"},
        {"https://public:secret@sentry.example.com/1",
         "https://sentry.example.com/api/1/envelope/", "public"},
        {"http://a1b2@127.0.0.1:9000/42", "http://127.0.0.1:9000/api/42/envelope/", "a1b2"},
        {"http://k@[::1]:9000/42", "http://[::1]:9000/api/42/envelope/", "k"},
        {"https://k@host/some/prefix/7", "https://host/some/prefix/api/7/envelope/", "k"},
        {"https://sentry.example.com/1", NULL, NULL},
        {"https://public@sentry.example.com/", NULL, NULL},
        {"https://public@sentry.example.com", NULL, NULL},
        {"https://public@/1", NULL, NULL},
        {"ftp://public@host/1", NULL, NULL},
        {"file:///etc/passwd", NULL, NULL},
        {"https://pub%0d%0alic@host/1", NULL, NULL},
        {"https://public@host/1?x=y", NULL, NULL},
        {"https://public@host/a b", NULL, NULL},
        {"https://public@host/%2e%2e", NULL, NULL},
        {"public@host/1", NULL, NULL},
        {"nonsense", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_sentry_dsn dsn;
        vl_error error = {0};
        vl_status status = vl_sentry_dsn_parse(rows[i].text, &dsn, &error);
        if ((status == VL_OK) != (rows[i].url != NULL))
            fail_msg("'%s': %s", rows[i].text, status ? error.message : dsn.url);
        if (rows[i].url) {
            assert_string_equal(dsn.url, rows[i].url);
            assert_string_equal(dsn.key, rows[i].key);
        } else {
            assert_int_equal(status, VL_ERR_USAGE);
            assert_null(strstr(error.message, "public"));
        }
    }
}

static void test_limits(void **state) {
    static const struct {
        const char *text;
        double seconds;
    } rows[] = {
        {"", 0},
        {"60:error:key", 60},
        {"60::organization", 60},
        {"60", 60},
        {"60:", 60},
        {"60:transaction:key", 0},
        {"60:transaction;error:key", 60},
        {"60:error;transaction:key", 60},
        {"60:errors;terror:key", 0},
        {"60:default:key", 60},
        {"60:security:key, 90:default;error;transaction:organization", 90},
        {"60:transaction:key, 2700:default;error;security:organization", 2700},
        {" 1.5:error ", 1.5},
        {"30:error,60:error", 60},
        {"60:error,30:error", 60},
        {"soon:error", 60},
        {"-5:error", 60},
        {":error", 60},
        {"1e9:error", 60},
        {"nan:error", 60},
        {"99999999999:error", 86400},
        {"0:error", 0},
        {",,", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double seconds = vl_sentry_limit_parse(rows[i].text, strlen(rows[i].text));
        if (seconds < rows[i].seconds || seconds > rows[i].seconds)
            fail_msg("'%s' is %g seconds", rows[i].text, seconds);
    }
}

static const char *text_at(const cJSON *json, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text ? text : "(none)";
}

static const cJSON *item(const cJSON *json, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

static void test_envelope(void **state) {
    vl_sentry_event event = {.level = VL_SENTRY_ERROR,
                             .kind = VL_ERR_IO,
                             .message = "cannot write %s: \"%s\"",
                             .file = "/home/someone/src/project/src/store/db.c",
                             .line = 7,
                             .method = "POST",
                             .route = "/predict",
                             .status = 500,
                             .trace = "4bf92f3577b34da6a3ce929d0e0e4736",
                             .span = "00f067aa0ba902b7"};
    vl_buf out;
    (void)state;
    vl_buf_init(&out, 64 << 10);
    vl_sentry_envelope(&event, "staging", &out);
    assert_false(out.failed);
    assert_null(strstr(out.data, "someone"));
    char *item_head = strchr(out.data, '\n') + 1, *payload = strchr(item_head, '\n') + 1;
    item_head[-1] = payload[-1] = '\0';
    cJSON *head = cJSON_Parse(out.data), *kind = cJSON_Parse(item_head),
          *json = cJSON_ParseWithLength(payload, strlen(payload) - 1);
    assert_non_null(head);
    assert_string_equal(text_at(kind, "type"), "event");
    assert_int_equal((size_t)item(kind, "length")->valuedouble, strlen(payload) - 1);
    assert_int_equal(payload[strlen(payload) - 1], '\n');
    assert_int_equal(strlen(text_at(json, "event_id")), 32);
    assert_string_equal(text_at(json, "event_id"), text_at(head, "event_id"));
    assert_string_equal(text_at(json, "level"), "error");
    assert_string_equal(text_at(json, "environment"), "staging");
    assert_string_equal(text_at(json, "release"), "vislang@" VL_VERSION);
    assert_string_equal(text_at(json, "transaction"), "POST /predict");
    assert_string_equal(text_at(item(json, "logentry"), "message"), event.message);
    const cJSON *trace = item(item(json, "contexts"), "trace");
    assert_string_equal(text_at(trace, "trace_id"), event.trace);
    const cJSON *one = cJSON_GetArrayItem(item(item(json, "exception"), "values"), 0);
    assert_string_equal(text_at(one, "type"), "io");
    const cJSON *frame = cJSON_GetArrayItem(item(item(one, "stacktrace"), "frames"), 0);
    assert_string_equal(text_at(frame, "filename"), "src/store/db.c");
    assert_int_equal(item(frame, "lineno")->valueint, 7);
    cJSON_Delete(head);
    cJSON_Delete(kind);
    cJSON_Delete(json);
    vl_buf_deinit(&out);
}

static void test_without_a_dsn(void **state) {
    vl_sentry *sentry = NULL;
    vl_error error;
    (void)state;
    assert_int_equal(vl_sentry_open("", "production", &sentry, &error), VL_OK);
    assert_null(sentry);
    vl_sentry_capture(NULL, &(vl_sentry_event){.message = "nothing happens"});
    vl_sentry_close(NULL, 1);
    assert_int_equal(vl_sentry_open("https://host/1", "production", &sentry, &error),
                     VL_ERR_USAGE);
    assert_null(sentry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dsns),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_without_a_dsn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
