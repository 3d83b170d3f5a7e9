/* OCR services as engines: their answers, their problems, and how they are named. A running
 * service is asked in tests/api/test_engines.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "ocr/http.h"

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

static vl_status parse(const char *text, vl_engine_reading *reading, vl_error *error) {
    return vl_http_parse_reply(text, strlen(text), 400, 300, arena, reading, error);
}

/* Words with their boxes, "text@x,y,w,h", lines apart by '/'. */
static const char *shown(const vl_engine_reading *reading) {
    vl_buf out;
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < reading->line_count; i++)
        for (size_t j = 0; j < reading->lines[i].word_count; j++) {
            const vl_word *w = &reading->lines[i].words[j];
            vl_buf_printf(&out, "%s%s@%d,%d,%d,%d",
                          j   ? " "
                          : i ? "/"
                              : "",
                          w->text, w->box.x, w->box.y, w->box.width, w->box.height);
        }
    const char *text = vl_arena_strdup(arena, out.data ? out.data : "");
    vl_buf_deinit(&out);
    return text;
}

#define PAGE(rest) "{\"pages\":[{\"page\":1," rest "}]}"
#define WORD(text, box) "{\"text\":\"" text "\",\"box\":" box ",\"confidence\":0.5}"

static void test_answers(void **state) {
    static const char *const rows[][2] = {
        {PAGE("\"blocks\":[]"), ""},
        {PAGE("\"blocks\":[{\"lines\":[{\"words\":[" WORD("a", "[1,2,3,4]") "," WORD(
             "b", "[5,6,7,8]") "]},{\"words\":[" WORD("c", "[1,1,1,1]") "]}]}]"),
         "a@1,2,3,4 b@5,6,7,8/c@1,1,1,1"},
        /* turned back */
        {PAGE("\"rotation\":90,\"blocks\":[{\"lines\":[{\"words\":[" WORD(
             "a", "[10,20,30,5]") "]}]}]"),
         "a@20,260,5,30"},
        {PAGE("\"rotation\":180,\"blocks\":[{\"lines\":[{\"words\":[" WORD(
             "a", "[10,20,30,5]") "]}]}]"),
         "a@360,275,30,5"},
        {PAGE("\"rotation\":270,\"blocks\":[{\"lines\":[{\"words\":[" WORD(
             "a", "[10,20,30,5]") "]}]}]"),
         "a@375,10,5,30"},
        /* a line without words */
        {PAGE("\"blocks\":[{\"lines\":[{\"text\":\"ab cd\",\"box\":[100,5,50,9]}]}]"),
         "ab@100,5,20,9 cd@130,5,20,9"},
        {PAGE("\"blocks\":[{\"lines\":[{\"text\":\"  \"},{},7,{\"words\":[{}]},null]}]"), ""},
        {PAGE("\"blocks\":[{\"lines\":[{\"words\":[" WORD("a", "[1,2,3]") "," WORD(
             "b", "\"x\"") "," WORD("c", "[1e300,-1e300,-5,1]") "]}]}]"),
         "a@0,0,0,0 b@0,0,0,0 c@1000000,-1000000,0,0"},
        {PAGE("\"blocks\":[{\"lines\":[{\"words\":[" WORD("e\\u0301 ", "[1,2,3,4]") "]}]}]"),
         "é@1,2,3,4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_engine_reading reading;
        vl_error error;
        if (parse(rows[i][0], &reading, &error))
            fail_msg("%s: %s", rows[i][0], error.message);
        assert_string_equal(shown(&reading), rows[i][1]);
        for (size_t l = 0; l < reading.line_count; l++)
            assert_true(reading.lines[l].confidence >= 0 && reading.lines[l].confidence <= 1);
    }
}

static void test_answers_that_are_none(void **state) {
    static const char *const rows[][2] = {
        {"", "no JSON"},
        {"<html>", "no JSON"},
        {"[]", "pages[0].blocks"},
        {"{\"pages\":[]}", "pages[0].blocks"},
        {"{\"pages\":[{\"blocks\":{}}]}", "pages[0].blocks"},
        {PAGE("\"error\":{\"status\":\"bad_input\",\"message\":\"torn\"}"), "page: torn"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_engine_reading reading;
        vl_error error;
        assert_int_equal(parse(rows[i][0], &reading, &error), VL_ERR_INPUT);
        assert_non_null(strstr(error.message, rows[i][1]));
    }
}

static void test_problems(void **state) {
    static const struct {
        long status;
        const char *body;
        vl_status expected;
        const char *says;
    } rows[] = {
        {400, "{\"title\":\"Bad\",\"detail\":\"no pack xx\"}", VL_ERR_INPUT, "400: no pack xx"},
        {415, "{\"detail\":\"no Arabic\"}", VL_ERR_UNSUPPORTED, "415: no Arabic"},
        {404, "not found", VL_ERR_INPUT, "answered 404"},
        {302, "", VL_ERR_IO, "answered 302"},
        {429, "{}", VL_ERR_BUSY, "answered 429"},
        {503, "{\"detail\":7}", VL_ERR_BUSY, "answered 503"},
        {504, "", VL_ERR_TIMEOUT, "answered 504"},
        {500, "[[[", VL_ERR_IO, "answered 500"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error;
        assert_int_equal(
            vl_http_parse_problem(rows[i].status, rows[i].body, strlen(rows[i].body), &error),
            rows[i].expected);
        assert_non_null(strstr(error.message, rows[i].says));
    }
}

static void test_names_and_addresses(void **state) {
    static const char *const good[] = {
        "easyocr", "tesseract,easyocr,paddleocr", "mine=http://10.0.0.7:8000",
        "mine=https://ocr.example.org/reader/,tesseract", "mine=http://[::1]:9"};
    static const char *const bad[][2] = {
        {"mine=ftp://host", "write http://host:port"},
        {"mine=http://", "write http://host:port"},
        {"mine=", "write http://host:port"},
        {"mine=http://user:pass@host", "write http://host:port"},
        {"mine=http://host/?q=1", "write http://host:port"},
        {"tesseract=http://host", "no name for a service"},
        {"My Engine=http://host", "no engine 'My'"},
        {"=http://host", "no name for a service"},
        {"easyorc", "did you mean 'easyocr'"},
        {"easyocr,easyocr=http://host", "named twice"},
    };
    (void)state;
    vl_ocr_engines *engines = NULL;
    vl_error error;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (vl_ocr_engines_new(good[i], &engines, &error))
            fail_msg("%s", error.message);
        vl_ocr_engines_free(engines);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(vl_ocr_engines_new(bad[i][0], &engines, &error), VL_ERR_USAGE);
        if (!strstr(error.message, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], error.message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_answers_that_are_none),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_names_and_addresses),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
