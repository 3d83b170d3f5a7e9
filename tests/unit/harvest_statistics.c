/* What sources of figures share: countries, years, places between pages, tables, SDMX. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/sdmx.h"
#include "harvest/statistics.h"
#include "harvest/table_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_arena *arena;

static int open_arena(void **state) {
    (void)state;
    arena = vl_arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int close_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

static void test_countries(void **state) {
    static const struct {
        const char *text, *want; /* NULL: refused */
    } rows[] = {
        {"", ""},       {"ken", "KEN"}, {" ssd ,KEN,,Ken\t", "KEN+SSD"},
        {"xkx", "XKX"}, {"ke", NULL},   {"kenya", NULL},
        {"k3n", NULL},  {"é1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_country_list list;
        vl_buf out;
        vl_error error;
        vl_buf_init(&out, 256);
        vl_buf_puts(&out, "");
        vl_status status = vl_country_list_read(rows[i].text, &list, &error);
        assert_int_equal(status, rows[i].want ? VL_OK : VL_ERR_USAGE);
        if (rows[i].want) {
            vl_country_list_put(&list, "+", &out);
            assert_string_equal(out.data, rows[i].want);
        }
        vl_buf_deinit(&out);
    }
}

static void test_too_many_countries(void **state) {
    vl_country_list list;
    vl_buf text;
    (void)state;
    vl_buf_init(&text, 8192);
    for (int i = 0; i <= VL_COUNTRIES_MAX; i++)
        vl_buf_printf(&text, "A%c%c,", 'A' + i / 26, 'A' + i % 26);
    assert_int_equal(vl_country_list_read(text.data, &list, NULL), VL_ERR_USAGE);
    text.data[(VL_COUNTRIES_MAX)*4] = '\0';
    assert_int_equal(vl_country_list_read(text.data, &list, NULL), VL_OK);
    assert_int_equal(list.count, VL_COUNTRIES_MAX);
    vl_buf_deinit(&text);
}

static void test_country_names(void **state) {
    (void)state;
    assert_string_equal(vl_country_name("KEN", arena), "Kenya");
    assert_string_equal(vl_country_name("TLS", arena), "Timor-Leste");
    assert_string_equal(vl_country_name("QQX", arena), "QQX");
}

static void test_places(void **state) {
    static const struct {
        const char *cursor;
        bool good;
    } rows[] = {
        {"population:coa 2024 1", true},
        {"KEN 0 3", true},
        {"KEN 2024 0", false},
        {"KEN 2024", false},
        {"KEN", false},
        {"", false},
        {"KEN -1 1", false},
        {"KEN 1 1x", false},
        {"KEN 1 1 ", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_statistics_place place;
        vl_buf out;
        vl_buf_init(&out, 256);
        vl_status status = vl_statistics_place_read(rows[i].cursor, &place, NULL);
        assert_int_equal(status, rows[i].good ? VL_OK : VL_ERR_INPUT);
        if (rows[i].good) {
            vl_statistics_place_write(&place, &out);
            assert_string_equal(out.data, rows[i].cursor);
        }
        vl_buf_deinit(&out);
    }
}

static void test_years(void **state) {
    (void)state;
    assert_int_equal(vl_statistics_year("2025-01-31", 7), 2025);
    assert_int_equal(vl_statistics_year(" 2025-01-31T00:00:00Z", 7), 2025);
    assert_int_equal(vl_statistics_year("", 7), 7);
    assert_int_equal(vl_statistics_year(NULL, 7), 7);
    assert_in_range(vl_statistics_this_year(), 2025, 9999);
}

static const char *csv_of(const vl_table *table) {
    const char *csv;
    size_t bytes;
    assert_non_null(table);
    assert_int_equal(vl_table_csv(table, &csv, &bytes, NULL), VL_OK);
    assert_int_equal(strlen(csv), bytes);
    return csv;
}

static void test_tables(void **state) {
    static const struct {
        const char *json, *csv;
    } rows[] = {
        {"[]", "\r\n"},
        {"[{\"a\":1,\"b\":\"2\"},{\"a\":\"-\",\"b\":null}]", "a,b\r\n1,2\r\n,\r\n"},
        {"[{\"a\":1},{\"b\":2},{\"b\":3,\"a\":4}]", "a,b\r\n1,\r\n,2\r\n4,3\r\n"},
        {"[{\"a\":\"x,y\",\"b\":\"\\\"q\\\"\\n\"}]", "a,b\r\n\"x,y\",\"\"\"q\"\"\"\r\n"},
        {"[{\"a\":true,\"b\":{\"c\":[1]}}]", "a,b\r\ntrue,\"{\"\"c\"\":[1]}\"\r\n"},
        {"[{\"a\":0.1,\"b\":12345678901}]", "a,b\r\n0.1,12345678901\r\n"},
        {"[{\"a\":1,\"a\":2}]", "a\r\n1\r\n"},
        {"[1,{\"a\":1},null]", "a\r\n1\r\n"},
    };
    (void)state;
    vl_log_set_level(VL_LOG_ERROR);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *json = cJSON_Parse(rows[i].json);
        assert_non_null(json);
        assert_string_equal(csv_of(vl_table_of_json(arena, json, "test")), rows[i].csv);
        cJSON_Delete(json);
    }
}

static void test_columns(void **state) {
    const char *least, *greatest;
    cJSON *json = cJSON_Parse("[{\"y\":2021,\"n\":\"b\"},{\"y\":\"2019\",\"n\":\"a\"},"
                              "{\"y\":\"-\",\"n\":\"b\"},{\"n\":\"c\"}]");
    (void)state;
    vl_table *table = vl_table_of_json(arena, json, "test");
    vl_table_range(table, "y", &least, &greatest);
    assert_string_equal(least, "2019");
    assert_string_equal(greatest, "2021");
    assert_string_equal(vl_table_names(table, "n", ", ", 9), "b, a, c");
    assert_string_equal(vl_table_names(table, "n", ", ", 2), "b, a and 1 more");
    assert_string_equal(vl_table_names(table, "none", ", ", 2), "");
    vl_table_range(table, "none", &least, &greatest);
    assert_null(least);
    cJSON_Delete(json);
}

static void test_a_table_larger_than_memory(void **state) {
    vl_arena *small = vl_arena_new(16 << 10);
    vl_table *table = vl_table_new(small);
    vl_error error;
    const char *csv;
    size_t bytes;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        vl_table_row(table);
        vl_table_put(table, "column", "a value of some length");
    }
    assert_int_equal(vl_table_csv(table, &csv, &bytes, &error), VL_ERR_LIMIT);
    assert_null(csv);
    vl_arena_free(small);
}

static void test_sdmx(void **state) {
    static const struct {
        const char *text, *csv; /* NULL: refused */
    } rows[] = {
        {"REF_AREA,TIME_PERIOD,OBS_VALUE\nKEN,2020,1\r\n\r\n\"a \"\"b\"\"\",,",
         "REF_AREA,TIME_PERIOD,OBS_VALUE\r\nKEN,2020,1\r\n\"a \"\"b\"\"\",,\r\n"},
        {"\xEF\xBB\xBFREF_AREA,TIME_PERIOD,OBS_VALUE\n1,2,3",
         "REF_AREA,TIME_PERIOD,OBS_VALUE\r\n1,2,3\r\n"},
        {"\xEF\xBB\xBF\xEF\xBB\xBF"
         "A,REF_AREA,TIME_PERIOD,OBS_VALUE\n0,1,2,3",
         "\"\xEF\xBB\xBF"
         "A\",REF_AREA,TIME_PERIOD,OBS_VALUE\r\n0,1,2,3\r\n"},
        {"REF_AREA,TIME_PERIOD,OBS_VALUE\n", "\r\n"},
        {"REF_AREA,TIME_PERIOD\n", NULL},
        {"REF_AREA,TIME_PERIOD,OBS_VALUE\n1,2,3,4\n", NULL},
        {"REF_AREA,TIME_PERIOD,OBS_VALUE\n\"1\n", NULL},
        {"REF_AREA,TIME_PERIOD,OBS_VALUE\n\"1\"2,3\n", NULL},
        {"", NULL},
        {"<StructureSpecificData><DataSet><Series REF_AREA='KEN' x:y='z' xmlns:x='x'>"
         "<Obs TIME_PERIOD='2020' OBS_VALUE='1'/><Obs OBS_VALUE='&lt;&amp;&#65;'/></Series>"
         "<Obs REF_AREA='SSD'/></DataSet></StructureSpecificData>",
         "REF_AREA,TIME_PERIOD,OBS_VALUE\r\nKEN,2020,1\r\nKEN,,<&A\r\nSSD,,\r\n"},
        {"<StructureSpecificData><Series>", NULL},
        {"<!DOCTYPE a><StructureSpecificData/>", NULL},
        {"<GenericData/>", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_table *table = vl_table_new(arena);
        const char *text = rows[i].text;
        vl_status status = *text == '<' ? vl_sdmx_read_xml(text, strlen(text), table, NULL)
                                        : vl_sdmx_read_csv(text, strlen(text), table, NULL);
        assert_int_equal(status, rows[i].csv ? VL_OK : VL_ERR_INPUT);
        if (rows[i].csv)
            assert_string_equal(csv_of(table), rows[i].csv);
    }
}

/* A table of VL_TABLE_COLUMNS columns, as two hundred attributes of a series and more of its
 * observations make one, is read again from its own CSV. */
static void test_many_columns(void **state) {
    vl_table *table = vl_table_new(arena), *again = vl_table_new(arena);
    (void)state;
    vl_table_row(table);
    vl_table_put(table, "REF_AREA", "KEN");
    vl_table_put(table, "TIME_PERIOD", "2020");
    vl_table_put(table, "OBS_VALUE", "1");
    for (int i = 3; i < VL_TABLE_COLUMNS; i++) {
        char name[16];
        snprintf(name, sizeof name, "C%d", i);
        vl_table_put(table, name, "x");
    }
    const char *csv = csv_of(table);
    assert_int_equal(vl_sdmx_read_csv(csv, strlen(csv), again, NULL), VL_OK);
    assert_string_equal(csv_of(again), csv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_countries),     cmocka_unit_test(test_too_many_countries),
        cmocka_unit_test(test_country_names), cmocka_unit_test(test_places),
        cmocka_unit_test(test_years),         cmocka_unit_test(test_tables),
        cmocka_unit_test(test_columns),       cmocka_unit_test(test_a_table_larger_than_memory),
        cmocka_unit_test(test_sdmx),          cmocka_unit_test(test_many_columns),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
