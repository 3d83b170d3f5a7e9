/* Corrected lines: what is learned from them, what is refused, and who else learns of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ocr/record.h"

#define SAID(engine, text) "{\"engine\":\"" engine "\",\"text\":\"" text "\"}"
#define WORD(said) "{\"hypotheses\":[" said "]}"
#define PAGE(record, line)                                                                     \
    "{\"pages\":[{\"record\":" record ",\"blocks\":[{\"lines\":[" line "]}]}]}"

static char folder[] = TEST_BINARY_DIR "/corrections-XXXXXX", url[512];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(url, sizeof url, "sqlite://%s/vislang.db", folder);
    return 0;
}

static int drop_folder(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[600];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/vislang.db%s", folder, ends[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static vl_record *memory(void) {
    vl_record *record;
    assert_int_equal(vl_record_open(NULL, NULL, &record, NULL), VL_OK);
    return record;
}

static double accuracy(vl_record *record, const char *voice, const char *degradation,
                       const char *source) {
    return vl_record_accuracy(
        record, &(vl_record_key){voice, "Latn", "eng", degradation, source}, NULL);
}

static const char good[] = PAGE(
    "{\"script\":\"Latn\",\"language\":\"eng\",\"degradation\":\"scan\",\"source\":\"fax\"}",
    "{\"text\":\"Clean vvater\",\"corrected\":\"Clean water\",\"words\":[" WORD(
        SAID("tesseract", "Clean") "," SAID("ocrad", "Clcan") "," SAID(
            "gocr",
            "")) "," WORD(SAID("tesseract",
                               "water") "," SAID("ocrad",
                                                 "vvater") "," SAID("gocr",
                                                                    "water")) "]},{\"text\":"
                                                                              "\"not looked "
                                                                              "at\",\"words\":"
                                                                              "[" WORD(SAID(
                                                                                  "oc"
                                                                                  "ra"
                                                                                  "d",
                                                                                  "x")) "]}");

static void test_a_line_is_learned_from(void **state) {
    vl_record *record = memory();
    vl_buf report;
    (void)state;
    vl_buf_init(&report, 1 << 16);
    assert_int_equal(vl_record_correct_document(record, good, strlen(good), &report, NULL),
                     VL_OK);
    assert_non_null(strstr(report.data, "\"lines\":1"));
    assert_non_null(strstr(report.data, "{\"engine\":\"tesseract\",\"accuracy_before\":0.8,"));
    double t = accuracy(record, "tesseract", "scan", "fax");
    double o = accuracy(record, "ocrad", "scan", "fax"),
           g = accuracy(record, "gocr", "scan", "fax");
    assert_true(t > 0.9 && t > g && g > 0.5 && t > o && o < 0.8);
    /* Each place of the line weighs ten; where readings differ in length several are one. */
    double clusters;
    vl_record_accuracy(record, &(vl_record_key){.voice = "tesseract"}, &clusters);
    assert_true(clusters >= 80 && clusters <= 110);
    /* Another source knows what all sources share, and no more. */
    assert_true(accuracy(record, "tesseract", "scan", "phone") > 0.8);
    assert_true(accuracy(record, "tesseract", "scan", "phone") < t);
    vl_buf_deinit(&report);
    vl_record_free(record);
}

static void test_what_is_refused(void **state) {
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"", "no document"},
        {"[]", "no document"},
        {"{\"pages\":7}", "no document"},
        {"{\"pages\":[]}", "corrected"},
        {"{\"pages\":[7,{\"blocks\":{}},{\"blocks\":[[]]}]}", "corrected"},
        {PAGE("[]", ""), "pages[0] has a \"record\""},
        {PAGE("{\"script\":[]}", ""), "pages[0] has a \"record\""},
        {PAGE("{\"source\":\"a\\nb\"}", ""), "pages[0]"},
        {PAGE("{}", "{\"corrected\":null,\"words\":[]}"), "lines[0] is corrected by"},
        {PAGE("{}", "{\"corrected\":\"a\"}"), "lines[0] says not who read what"},
        {PAGE("{}", "{\"corrected\":\"a\",\"words\":[{}]}"), "says not who read what"},
        {PAGE("{}", "{\"corrected\":\"a\",\"words\":[{\"hypotheses\":[7]}]}"), "no engine"},
        {PAGE("{}", "{\"corrected\":\"a\",\"words\":[" WORD(SAID("", "a")) "]}"), "no engine"},
        {PAGE("{}", "{\"corrected\":\"a\",\"words\":[" WORD(SAID("a\\tb", "a")) "]}"),
         "lines[0]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_record *record = memory();
        vl_error error;
        vl_buf report;
        vl_buf_init(&report, 1 << 16);
        assert_int_equal(vl_record_correct_document(record, cases[i].json,
                                                    strlen(cases[i].json), &report, &error),
                         VL_ERR_INPUT);
        if (!strstr(error.message, cases[i].says))
            fail_msg("%s: %s", cases[i].json, error.message);
        vl_buf_deinit(&report);
        vl_record_free(record);
    }
}

/* A line of 16,000 letters read by two, again and again: too much for one call. */
static void test_too_much_is_refused(void **state) {
    enum { LETTERS = 4000, LINES = 80 };
    vl_record *record = memory();
    vl_error error;
    vl_buf json, report;
    (void)state;
    vl_buf_init(&report, 1 << 16);
    vl_buf_init(&json, 8 << 20);
    vl_buf_puts(&json, "{\"pages\":[{\"blocks\":[{\"lines\":[");
    for (int line = 0; line < LINES; line++) {
        vl_buf_printf(&json,
                      "%s{\"corrected\":\"%0*d\",\"words\":[{\"hypotheses\":[{\"engine\":"
                      "\"a\",\"text\":\"%0*d\"}]}]}",
                      line ? "," : "", line ? LETTERS : 2 * LETTERS, 0, 2 * LETTERS, 0);
    }
    vl_buf_puts(&json, "]}]}]}");
    assert_false(json.failed);
    assert_int_equal(vl_record_correct_document(record, json.data, json.len, &report, &error),
                     VL_ERR_LIMIT);
    vl_buf_deinit(&json);
    vl_buf_deinit(&report);
    vl_record_free(record);
}

static vl_db *open_db(void) {
    vl_db *db;
    int applied;
    assert_int_equal(vl_db_open(url, NULL, &db, NULL), VL_OK);
    assert_int_equal(vl_db_migrate(db, 0, &applied, NULL), VL_OK);
    return db;
}

static vl_ocr_record *share(vl_db *db) {
    vl_ocr_record *record;
    assert_int_equal(vl_ocr_record_open(db, &record, NULL), VL_OK);
    return record;
}

static void test_others_learn_of_it(void **state) {
    vl_db *db = open_db(), *elsewhere = open_db();
    vl_ocr_record *shared = share(db);
    vl_record *other, *inside = vl_ocr_record_inside(shared);
    vl_buf report;
    (void)state;
    vl_buf_init(&report, 1 << 16);
    assert_int_equal(vl_record_open(elsewhere, NULL, &other, NULL), VL_OK);
    vl_record_key own = {"tesseract", "Latn", "eng", "scan", "phone"};
    assert_int_equal(vl_record_add(other, &own, 10, 90, NULL), VL_OK);
    double before = accuracy(other, "ocrad", "scan", "fax"),
           shipped = accuracy(inside, "ocrad", "scan", "fax");
    assert_int_equal(vl_record_refresh(other, NULL), VL_OK); /* nothing is there yet */
    assert_int_equal(vl_ocr_record_correct(shared, good, strlen(good), &report, NULL), VL_OK);
    assert_true(accuracy(inside, "ocrad", "scan", "fax") != shipped); /* from now on … */
    assert_true(accuracy(other, "ocrad", "scan", "fax") == before);
    assert_int_equal(vl_record_refresh(other, NULL), VL_OK); /* … and elsewhere at a look */
    assert_true(accuracy(other, "ocrad", "scan", "fax") < before);
    double kept = accuracy(other, "tesseract", "scan", "phone");
    assert_true(kept < 0.5); /* what it had learned itself is still there … */
    assert_int_equal(vl_record_refresh(other, NULL), VL_OK);
    assert_true(accuracy(other, "tesseract", "scan", "phone") == kept);
    assert_int_equal(vl_record_flush(other, NULL), VL_OK); /* … and is written once */
    vl_record_free(other);
    assert_int_equal(vl_record_open(elsewhere, NULL, &other, NULL), VL_OK);
    assert_true(accuracy(other, "ocrad", "scan", "fax") < before);
    double written = accuracy(other, "tesseract", "scan", "phone");
    assert_true(written > kept - 1e-3 && written < kept + 1e-3);
    vl_record_free(other);
    vl_ocr_record_close(shared);
    vl_db_close(db);
    vl_db_close(elsewhere);
    vl_buf_deinit(&report);
}

/* All of a document or nothing, and what readers learned themselves is written at the end. */
static void test_the_shared_record(void **state) {
    static const char half[] =
        "{\"pages\":[{\"blocks\":[{\"lines\":["
        "{\"corrected\":\"a\",\"words\":[" WORD(SAID("zz", "a")) "]},"
                                                                 "{\"corrected\":\"a\"}]}]}]}";
    vl_db *db = open_db();
    vl_ocr_record *shared = share(db);
    vl_record_key key = {.voice = "zz"};
    vl_error error;
    vl_buf out;
    size_t removed;
    (void)state;
    vl_buf_init(&out, 1 << 20);
    assert_int_equal(vl_ocr_record_correct(shared, half, strlen(half), &out, &error),
                     VL_ERR_INPUT);
    vl_buf_clear(&out);
    assert_int_equal(vl_ocr_record_export(shared, &out, NULL), VL_OK);
    assert_null(strstr(out.data, "zz"));
    assert_int_equal(vl_record_add(vl_ocr_record_inside(shared), &key, 3, 1, NULL), VL_OK);
    vl_ocr_record_close(shared);
    shared = share(db);
    vl_buf_clear(&out);
    assert_int_equal(vl_ocr_record_show(shared, &out, NULL), VL_OK);
    assert_non_null(strstr(out.data, "\nzz "));
    assert_int_equal(vl_ocr_record_reset(shared, "a\nb", &removed, &error), VL_ERR_INPUT);
    assert_int_equal(vl_ocr_record_reset(shared, "nobody", &removed, &error), VL_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(vl_ocr_record_reset(shared, "zz", &removed, &error), VL_OK);
    assert_int_equal(removed, 1);
    vl_ocr_record_close(shared);
    vl_db_close(db);
    shared = share(NULL); /* in memory it does the same */
    assert_int_equal(vl_ocr_record_correct(shared, good, strlen(good), &out, NULL), VL_OK);
    vl_buf_clear(&out);
    assert_int_equal(vl_ocr_record_export(shared, &out, NULL), VL_OK);
    assert_non_null(strstr(out.data, "\"source\": \"fax\""));
    vl_ocr_record_close(shared);
    vl_buf_deinit(&out);
}

static void test_the_setting(void **state) {
    static const struct {
        const char *text;
        vl_status status;
        bool kept;
        const char *says;
    } rows[] = {
        {"store", VL_OK, true, ""},
        {"none", VL_OK, false, ""},
        {"", VL_ERR_USAGE, false, "store or none"},
        {"/srv/record.json", VL_ERR_USAGE, false, "--record import /srv/record.json"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {.message = ""};
        vl_config *config;
        bool kept;
        vl_setting flag = {"ocr_record", rows[i].text};
        assert_int_equal(vl_config_load(NULL, &flag, 1, &config, &error), VL_OK);
        assert_int_equal(vl_ocr_record_setting(config, &kept, &error), rows[i].status);
        assert_int_equal(kept, rows[i].kept);
        if (!strstr(error.message, rows[i].says))
            fail_msg("%s", error.message);
        vl_config_free(config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_learned_from),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_too_much_is_refused),
        cmocka_unit_test(test_others_learn_of_it),
        cmocka_unit_test(test_the_shared_record),
        cmocka_unit_test(test_the_setting),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
