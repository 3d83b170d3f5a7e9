/* What sources answer in JSON: documents that are broken in the ways that they come broken, and
 * values of every kind that one key is seen with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harvest/json.h"

#include <stdlib.h>
#include <string.h>

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(8 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

static cJSON *parse(const char *text) {
    cJSON *root;
    vl_error error;
    if (vl_json_parse(text, strlen(text), &root, &error))
        fail_msg("%s: %s", text, error.message);
    return root;
}

static void test_documents(void **state) {
    static const struct {
        const char *text;
        vl_status status;
        const char *says;
    } rows[] = {
        {"", VL_ERR_INPUT, "it is empty"},
        {"   \n", VL_ERR_INPUT, "it is empty"},
        {"<!doctype html><title>Too many</title>", VL_ERR_INPUT, "a page came instead"},
        {"  <html>", VL_ERR_INPUT, "a page came instead"},
        {"{\"a\":1", VL_ERR_INPUT, "no JSON at byte"},
        {"{\"a\":1} trailing", VL_ERR_INPUT, "no JSON"},
        {"{\"a\":\"\\", VL_ERR_INPUT, "no JSON"},
        {"{\"a\":1}\n", VL_OK, NULL},
        {"\xEF\xBB\xBF[]", VL_OK, NULL},
        {"null", VL_OK, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *root;
        vl_error error;
        vl_status status = vl_json_parse(rows[i].text, strlen(rows[i].text), &root, &error);
        if (status != rows[i].status)
            fail_msg("%s: status %d", rows[i].text, status);
        assert_true(!root == (status != VL_OK));
        if (status && !strstr(error.message, rows[i].says))
            fail_msg("%s: %s", rows[i].text, error.message);
        cJSON_Delete(root);
    }
}

static void test_repaired(void **state) {
    static const char *const rows[][2] = {
        {"\"a\xFF"
         "b\"",
         "a\xEF\xBF\xBD"
         "b"},
        {"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"},
        {"\"x\\ud83d\"", "x\xEF\xBF\xBD"},
        {"\"x\\ude00y\"", "x\xEF\xBF\xBDy"},
        {"\"x\\ud83d\\u0041\"", "x\xEF\xBF\xBD"
                                "A"},
        {"\"a\\u0000b\"", "a\xEF\xBF\xBD"
                          "b"},
        {"\"a\\\\ud800\"", "a\\ud800"}, /* an escaped backslash, no surrogate */
        {"\"\\u0645\\n\"", "م"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *root = parse(rows[i][0]);
        assert_string_equal(vl_json_text_of(arena, root), rows[i][1]);
        cJSON_Delete(root);
    }
}

static void test_limits(void **state) {
    cJSON *root;
    vl_error error;
    char deep[2 * VL_JSON_DEPTH + 3] = "";
    (void)state;
    memset(deep, '[', VL_JSON_DEPTH);
    memset(deep + VL_JSON_DEPTH, ']', VL_JSON_DEPTH);
    assert_int_equal(vl_json_parse(deep, strlen(deep), &root, &error), VL_OK);
    cJSON_Delete(root);
    memset(deep, '[', VL_JSON_DEPTH + 1);
    assert_int_equal(vl_json_parse(deep, strlen(deep), &root, &error), VL_ERR_LIMIT);
    assert_non_null(strstr(error.message, "deeper than 64"));
    size_t bytes = 2 * (size_t)VL_JSON_VALUES + 8;
    char *wide = malloc(bytes);
    memset(wide, ',', bytes);
    wide[0] = '[';
    assert_int_equal(vl_json_parse(wide, bytes, &root, &error), VL_ERR_LIMIT);
    assert_non_null(strstr(error.message, "values"));
    free(wide);
    assert_int_equal(vl_json_parse("\"[[[[,,,,\\\"[\"", 14, &root, &error), VL_OK);
    cJSON_Delete(root);
}

static void test_text(void **state) {
    static const struct {
        const char *path, *text;
    } rows[] = {
        {"s", "3670541"}, {"n", "3670541"},     {"big", "9007199254740991"},
        {"half", "0.5"},  {"space", "in text"}, {"empty", NULL},
        {"null", NULL},   {"list", NULL},       {"yes", NULL},
        {"deep.er", "x"}, {"deep.not", NULL},   {"deep.er.more", NULL},
        {"S", NULL},      {"nothing", NULL},
    };
    (void)state;
    cJSON *root = parse("{\"s\":\"3670541\",\"n\":3670541,\"big\":9007199254740991,"
                        "\"half\":0.5,\"space\":\" in text\\n\",\"empty\":\"  \",\"null\":null,"
                        "\"list\":[1],\"yes\":true,\"deep\":{\"er\":\"x\"}}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = vl_json_text(arena, root, rows[i].path);
        if (!text != !rows[i].text || (text && strcmp(text, rows[i].text)))
            fail_msg("%s: %s", rows[i].path, text ? text : "NULL");
    }
    assert_null(vl_json_text(arena, NULL, "a"));
    cJSON_Delete(root);
}

static void test_numbers(void **state) {
    static const struct {
        const char *text;
        bool is;
        double value;
        uint64_t count;
        bool yes;
    } rows[] = {
        {"[1684789]", true, 1684789, 1684789, true},
        {"[\"1684789\"]", true, 1684789, 1684789, false},
        {"[\" 0 \"]", true, 0, 0, false},
        {"[0]", true, 0, 0, false},
        {"[1]", true, 1, 1, true},
        {"[\"1\"]", true, 1, 1, true},
        {"[-3]", true, -3, 0, true},
        {"[1e300]", true, 1e300, 0, true},
        {"[\"-\"]", false, 0, 0, false},
        {"[\"\"]", false, 0, 0, false},
        {"[\"12 kB\"]", false, 0, 0, false},
        {"[\"inf\"]", false, 0, 0, false},
        {"[null]", false, 0, 0, false},
        {"[false]", false, 0, 0, false},
        {"[true]", false, 0, 0, true},
        {"[\"true\"]", false, 0, 0, true},
        {"[\"True\"]", false, 0, 0, true},
        {"[\"false\"]", false, 0, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *root = cJSON_CreateObject(), *list = parse(rows[i].text);
        double value;
        cJSON_AddItemToObject(root, "x", cJSON_DetachItemFromArray(list, 0));
        bool is = vl_json_number(root, "x", &value);
        if (is != rows[i].is || value != rows[i].value ||
            vl_json_count(root, "x") != rows[i].count || vl_json_true(root, "x") != rows[i].yes)
            fail_msg("%s: %d %g %d", rows[i].text, is, value, vl_json_true(root, "x"));
        cJSON_Delete(root);
        cJSON_Delete(list);
    }
}

static void test_lists(void **state) {
    (void)state;
    cJSON *root =
        parse("{\"c\":[{\"iso3\":\"sdn\"},{},{\"iso3\":\"ssd\"},{\"iso3\":\"sdn\"},"
              "{\"iso3\":\"sd\"}],\"t\":[\"a, b\",7,null,\"\"],\"e\":[],\"s\":\"x\"}");
    assert_string_equal(vl_json_list(arena, vl_json_at(root, "c"), "iso3"), "sdn,ssd,sd");
    assert_string_equal(vl_json_list(arena, vl_json_at(root, "t"), ""), "a; b,7");
    assert_null(vl_json_list(arena, vl_json_at(root, "e"), "x"));
    assert_null(vl_json_list(arena, vl_json_at(root, "s"), "x"));
    assert_null(vl_json_list(arena, NULL, "x"));
    const cJSON *first = cJSON_GetArrayItem(vl_json_at(root, "c"), 0);
    assert_string_equal(vl_json_raw(arena, first), "{\"iso3\":\"sdn\"}");
    cJSON_Delete(root);
}

static void test_times(void **state) {
    (void)state;
    cJSON *root = parse("{\"a\":\"2019-10-22T08:11:12.520687\",\"b\":\"yesterday\",\"c\":7}");
    assert_string_equal(vl_json_time(arena, root, "a"), "2019-10-22T08:11:12Z");
    assert_null(vl_json_time(arena, root, "b"));
    assert_null(vl_json_time(arena, root, "c"));
    assert_null(vl_json_time(arena, root, "d"));
    cJSON_Delete(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents), cmocka_unit_test(test_repaired),
        cmocka_unit_test(test_limits),    cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_lists),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
