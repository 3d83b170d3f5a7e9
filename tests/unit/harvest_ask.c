/* What is asked for, in sources' own words: lists, times, kinds of files, addresses, places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/ask.h"

#include <string.h>

static void test_lists(void **state) {
    size_t count;
    (void)state;
    vl_arena *arena = vl_arena_new(1 << 20);
    char **items = vl_ask_list(arena, " Health,, Water Sanitation Hygiene ,x", &count);
    assert_int_equal(count, 3);
    assert_string_equal(items[1], "Water Sanitation Hygiene");
    assert_string_equal(items[2], "x");
    assert_null(items[3]);
    assert_null(vl_ask_list(arena, NULL, &count)[0]);
    assert_int_equal(count, 0);
    assert_true(vl_ask_listed("a, PDF ,b", "pdf"));
    assert_false(vl_ask_listed("pdfs", "pdf"));
    assert_false(vl_ask_listed("", "pdf"));
    assert_true(vl_ask_language("sw,fr", "swa"));
    assert_true(vl_ask_language("SWA", "sw"));
    assert_false(vl_ask_language("sw,fr", "en"));
    assert_true(vl_ask_language(" , ", "en"));
    assert_true(vl_ask_language(NULL, "en"));
    vl_arena_free(arena);
}

static void test_times(void **state) {
    static const struct {
        const char *text;
        bool end;
        const char *out;
    } rows[] = {
        {"2025-01-31", false, "2025-01-31T00:00:00Z"},
        {"2025-01-31", true, "2025-01-31T23:59:59Z"},
        {"2024-02-29", false, "2024-02-29T00:00:00Z"},
        {"2025-02-29", false, NULL},
        {"2025-01-31T10:20:30Z", true, "2025-01-31T10:20:30Z"},
        {"2025-01-31T10:20:30+00:00", false, "2025-01-31T10:20:30Z"},
        {"2025-01-31T01:20:30+02:00", false, "2025-01-30T23:20:30Z"},
        {"2025-01-31T22:20:30-0530", false, "2025-02-01T03:50:30Z"},
        {"2025-01-31T10:20", false, "2025-01-31T10:20:00Z"},
        {"2025-01-31 10:20:30.5", false, "2025-01-31T10:20:30Z"},
        {"2025-01-31t10:20:30z", false, "2025-01-31T10:20:30Z"},
        {"0843-09-25", false, NULL},
        {"1997-01-01 ", false, "1997-01-01T00:00:00Z"},
        {"[2019-10-22T00:00:00 TO *]", false, NULL},
        {"01/01/1997-12/31/2015", false, NULL},
        {"2025-13-01", false, NULL},
        {"2025-00-10", false, NULL},
        {"2025-01-31T25:00:00Z", false, NULL},
        {"2025-01-31T10:20:30 UTC", false, NULL},
        {"2025-01-31x", false, NULL},
        {"2025-1-3", false, NULL},
        {"0001-01-01T00:00:00+23:00", false, NULL},
        {"0025-01-01", false, NULL},
        {"9999-12-31T23:59:59-01:00", false, NULL},
        {"", false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[VL_ASK_TIME_SIZE];
        bool is = vl_ask_time(rows[i].text, rows[i].end, out);
        if (is != (rows[i].out != NULL) || (is && strcmp(out, rows[i].out)))
            fail_msg("%s: %s", rows[i].text, is ? out : "no time");
    }
}

static void test_refused(void **state) {
    vl_error error;
    vl_harvest_query query = {.since = "2025-02-01", .until = "2025-01-31", .words = ""};
    (void)state;
    assert_int_equal(vl_ask_check_times(&query, &error), VL_ERR_USAGE);
    query.until = "2025-02-01";
    assert_int_equal(vl_ask_check_times(&query, &error), VL_OK);
    query.until = "soon";
    assert_int_equal(vl_ask_check_times(&query, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "'soon' is no date"));
    assert_int_equal(
        vl_ask_refuse("x", &query, VL_ASK_WORDS | VL_ASK_THEMES | VL_ASK_LANGUAGES, &error),
        VL_OK);
    assert_int_equal(vl_ask_refuse("x", &query, VL_ASK_TIMES, &error), VL_ERR_USAGE);
    query.countries = "ken";
    assert_int_equal(vl_ask_refuse("who", &query, VL_ASK_COUNTRIES, &error), VL_ERR_USAGE);
    assert_string_equal(error.message, "who cannot be asked by countries; leave them out");
}

static void test_kinds(void **state) {
    static const char *const rows[][3] = {
        {"application/pdf", NULL, "pdf"},
        {"Application/PDF; charset=x", "a.html", "pdf"},
        {NULL, "https://x.org/a/report.PDF?x=1.html", "pdf"},
        {"application/octet-stream", "report.docx", "docx"},
        {NULL, "letter.odt", "odt"},
        {NULL, "XLSX", "data"},
        {NULL, "Geodatabase", "data"},
        {"text/markdown", NULL, "text"},
        {"text/html; charset=utf-8", NULL, "html"},
        {"image/jpeg", NULL, "picture"},
        {NULL, "https://x.org/pdf/", ""},
        {NULL, "https://x.org/a.b/c", ""},
        {"Web App", NULL, ""},
        {"text/csv application/zip", NULL, "data"},
        {"", "", ""},
        {NULL, NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(vl_ask_kind(rows[i][0], rows[i][1]), rows[i][2]);
    vl_harvest_query query = {.formats = "pdf, data"};
    assert_true(vl_ask_wants(&query, "data"));
    assert_false(vl_ask_wants(&query, "html"));
    assert_false(vl_ask_wants(&query, ""));
    query.formats = " ";
    assert_true(vl_ask_wants(&query, ""));
}

static void test_escaped(void **state) {
    vl_buf out;
    (void)state;
    vl_buf_init(&out, 100);
    vl_ask_put_escaped(&out, "a b&c=d/é-._~+");
    assert_string_equal(out.data, "a%20b%26c%3Dd%2F%C3%A9-._~%2B");
    vl_buf_deinit(&out);
}

/* A place written and read again. */
static vl_ask_place through_cursor(const vl_ask_place *place, const vl_harvest_query *query,
                                   const char *cursor) {
    vl_ask_place again;
    vl_buf out;
    vl_buf_init(&out, 100);
    vl_ask_place_write(place, &out);
    assert_string_equal(out.data, cursor);
    assert_int_equal(vl_ask_place_read(out.data, query, &again, NULL), VL_OK);
    vl_buf_deinit(&out);
    return again;
}

static void test_places(void **state) {
    vl_ask_place place, again;
    vl_harvest_query query = {.since = "2025-01-31", .until = "2025-03-01"};
    (void)state;
    assert_int_equal(vl_ask_place_read("", &query, &place, NULL), VL_OK);
    assert_string_equal(place.from, "2025-01-31T00:00:00Z");
    assert_string_equal(place.to, "2025-03-01T23:59:59Z");
    assert_int_equal(place.offset, 0);
    vl_ask_place_advance(&place, "2025-02-01T00:00:00Z", 10); /* from there, not past it */
    assert_string_equal(place.from, "2025-02-01T00:00:00Z");
    assert_int_equal(place.offset, 0);
    vl_ask_place_advance(&place, "2025-02-01T00:00:00Z", 10); /* all of one second */
    vl_ask_place_advance(&place, NULL, 7);
    vl_ask_place_advance(&place, "2025-01-01T00:00:00Z", 1); /* out of order */
    assert_int_equal(place.offset, 18);
    again = through_cursor(&place, &query, "oldest 2025-02-01T00:00:00Z 18");
    assert_memory_equal(&again, &place, sizeof place);
}

/* With a limit the newest come first, and a cursor says so, whatever the limit is then. */
static void test_places_from_the_newest(void **state) {
    vl_ask_place place, again;
    vl_harvest_query query = {.since = "2025-01-31", .limit = 5};
    (void)state;
    assert_int_equal(vl_ask_place_read("", &query, &place, NULL), VL_OK);
    assert_true(place.newest_first);
    again = through_cursor(&place, &query, "newest - 0");
    assert_memory_equal(&again, &place, sizeof place);
    vl_ask_place_advance(&place, "2025-02-07T00:00:00Z", 5);
    vl_ask_place_advance(&place, "2025-02-07T00:00:00Z", 5);
    assert_string_equal(place.from, "2025-01-31T00:00:00Z");
    assert_string_equal(place.to, "2025-02-07T00:00:00Z");
    assert_int_equal(place.offset, 5);
    query.limit = 0;
    again = through_cursor(&place, &query, "newest 2025-02-07T00:00:00Z 5");
    assert_memory_equal(&again, &place, sizeof place);
}

static void test_no_places(void **state) {
    static const char *const bad[] = {"x",
                                      "oldest",
                                      "oldest -",
                                      "oldest - x",
                                      "oldest - -3",
                                      "oldest - 3 4",
                                      "oldest 2025 3",
                                      "oldest 2025-01-31 3",
                                      "2025-01-31T00:00:00Z 3",
                                      "latest 2025-01-31T00:00:00Z 3",
                                      "oldest 2025-01-31T00:00:00Z 12345678901234567890"};
    vl_harvest_query query = {.since = ""};
    vl_ask_place place;
    vl_error error;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(vl_ask_place_read(bad[i], &query, &place, &error), VL_ERR_INPUT);
    query.since = "soon";
    assert_int_equal(vl_ask_place_read("", &query, &place, &error), VL_ERR_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_escaped),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_from_the_newest),
        cmocka_unit_test(test_no_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
