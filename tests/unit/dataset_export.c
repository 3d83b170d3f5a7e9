/* Rows of exports: strings and numbers as every reader takes them, and licences by the names
 * that the hub of Hugging Face has. (Whole exports: tests/dataset/test_export.py.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dataset/export.h"

static const char *put_text(vl_buf *out, const char *text) {
    vl_buf_clear(out);
    export_put_text(out, text);
    return out->data;
}

static void texts(void **state) {
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"a \"b\" \\ c", "\"a \\\"b\\\" \\\\ c\""},
        {"\n\r\t\x01\x7F", "\"\\n\\r\\t\\u0001\\u007f\""},
        {"\xC3\xA9 \xE1\x8A\xA0 \xF0\x9F\x8C\x8A",
         "\"\xC3\xA9 \xE1\x8A\xA0 \xF0\x9F\x8C\x8A\""},
        {"\xE2\x80\xA8\xE2\x80\xA9\xC2\x85", "\"\\u2028\\u2029\\u0085\""},
        {"\xE2\x80\xA6\xC2\x86", "\"\xE2\x80\xA6\xC2\x86\""}, /* their neighbours */
        /* What Arrow would read as a time, and what it would not. */
        {"2025-01-31", "\"2025-01-31 \""},
        {"2025-01-31T10", "\"2025-01-31T10 \""},
        {"2025-01-31 10:20", "\"2025-01-31 10:20 \""},
        {"2025-01-31T10:20:30Z", "\"2025-01-31T10:20:30Z \""},
        {"2025-01-31T10:20:30+03:00", "\"2025-01-31T10:20:30+03:00 \""},
        {"2025-01-31T10:20:30-0300", "\"2025-01-31T10:20:30-0300 \""},
        {"2025-01-31T10:20:30.5Z", "\"2025-01-31T10:20:30.5Z\""},
        {"2025-01-31 to 2025-02-01", "\"2025-01-31 to 2025-02-01\""},
        {"2025-1-31", "\"2025-1-31\""},
        {"2025", "\"2025\""},
        {"12:30", "\"12:30\""},
    };
    vl_buf out;
    (void)state;
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(put_text(&out, cases[i][0]), cases[i][1]);
    vl_buf_deinit(&out);
}

static void numbers(void **state) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0.0"},     {1, "1.0"},         {150, "150.0"}, {0.9731, "0.9731"},
                 {-0.5, "-0.5"}, {0.00001, "1e-05"}, {1e9, "1e+09"}, {2.0 / 3, "0.666667"}};
    vl_buf out;
    (void)state;
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_buf_clear(&out);
        export_put_real(&out, cases[i].value);
        assert_string_equal(out.data, cases[i].text);
    }
    vl_buf_deinit(&out);
}

static vl_item an_item(void) {
    vl_item item = {.id = "00112233445566aa",
                    .picture = "",
                    .picture_kind = "",
                    .instruction = "",
                    .text = "",
                    .origin = "",
                    .phrase = "",
                    .review = ""};
    item.source.document = item.source.record = item.source.url = item.source.title = "";
    item.source.licence = item.source.publisher = item.source.published = "";
    item.source.fetched = "";
    return item;
}

static void times_stay_strings(void **state) {
    static const char *const cases[][2] = {
        {"2025-01-31T10:20:30Z", "2025-01-31T10:20:30.000Z"},
        {"2025-01-31T10:20:30+03:00", "2025-01-31T10:20:30.000+03:00"},
        {"2025-01-31T10:20:30.25Z", "2025-01-31T10:20:30.25Z"},
        {"2025-01-31", "2025-01-31Z"},
        {"2025-01-31T10:20Z", "2025-01-31T10:20Z "},
        {"January", "January"},
        {"", ""},
    };
    vl_buf out;
    (void)state;
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_item item = an_item();
        item.source.published = cases[i][0];
        vl_buf_clear(&out);
        vl_buf_puts(&out, "{");
        export_put_columns(&out, &item, "", EXPORT_ALL);
        vl_buf_puts(&out, "}");
        cJSON *row = cJSON_Parse(out.data);
        assert_string_equal(card_about(row, "published"), cases[i][1]);
        assert_int_equal(cJSON_GetArraySize(row), export_column_count);
        cJSON_Delete(row);
    }
    vl_buf_deinit(&out);
}

static void regions(void **state) {
    vl_item base = an_item(), item = an_item();
    vl_buf out;
    (void)state;
    vl_buf_init(&out, 1 << 10);
    base.width = 200;
    base.height = 100;
    export_put_region(&out, &item, &base);
    assert_int_equal(out.len, 0);
    item.has_region = true;
    item.region = (vl_box){20, 10, 100, 80};
    export_put_region(&out, &item, &base);
    assert_string_equal(out.data, " [0.10, 0.10, 0.60, 0.90]");
    vl_buf_deinit(&out);
}

static void licences(void **state) {
    static const char *const cases[][2] = {
        {"CC-BY-4.0", "cc-by-4.0"},
        {"CC BY 4.0", "cc-by-4.0"},
        {"Creative Commons BY-NC-SA 3.0", "cc-by-nc-sa-3.0"},
        {"https://creativecommons.org/licenses/by-sa/4.0/", "cc-by-sa-4.0"},
        {"http://creativecommons.org/licenses/by/4.0/legalcode", "cc-by-4.0"},
        {"https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"},
        {"CC0-1.0", "cc0-1.0"},
        {"ODC-By-1.0", "odc-by"},
        {"ODbL-1.0", "odbl"},
        {"PDDL-1.0", "pddl"},
        {"CC-BY-3.0-IGO", NULL},
        {"https://creativecommons.org/licenses/by-nc-sa/3.0/igo/", NULL},
        {"CC BY", NULL},
        {"by courtesy of the press office", NULL},
        {"All rights reserved", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *id = card_licence(cases[i][0]);
        if (cases[i][1])
            assert_string_equal(id ? id : "", cases[i][1]);
        else
            assert_null(id);
    }
}

static void tallies(void **state) {
    static tally t;
    char name[16];
    size_t index;
    (void)state;
    for (int i = 0; i < TALLY_NAMES + 5; i++) {
        snprintf(name, sizeof name, "n%04d", i);
        assert_int_equal(tally_add(&t, name, &index, NULL), VL_OK);
        assert_int_equal(index, i < TALLY_NAMES ? i : TALLY_NAMES);
    }
    assert_int_equal(tally_add(&t, "n0007", &index, NULL), VL_OK);
    assert_int_equal(index, 7);
    tally_sort(&t);
    assert_string_equal(t.names[0], "n0007");
    assert_int_equal(t.counts[0], 2);
    assert_string_equal(t.names[1], "n0000");
    assert_int_equal(t.others, 5);
    tally_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),    cmocka_unit_test(numbers),
        cmocka_unit_test(regions),  cmocka_unit_test(times_stay_strings),
        cmocka_unit_test(licences), cmocka_unit_test(tallies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
