/* Folders of scans: the manifest's columns, its halves, how texts are compared, and what is
 * missing; a small folder scored by Tesseract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ocr/scans.h"

#define HEAD "set\tid\timage\tdoc\ttesseract_lang\tunit\n"

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

static size_t parse(const char *text, vl_scan **scans) {
    size_t count = 0;
    vl_error error;
    vl_status status = vl_scans_parse(arena, text, strlen(text), scans, &count, &error);
    if (status)
        fail_msg("%s", error.message);
    return count;
}

static void test_columns_go_by_name(void **state) {
    (void)state;
    vl_scan *scans;
    assert_int_equal(parse("image\tset\tunit\tid\tlanguage\tdocument\r\n"
                           "p/a.png\tprint\tline\ta\tswa\tbook\r\n\r\np/b.png\tprint\t\tb\n",
                           &scans),
                     2);
    assert_string_equal(scans[0].set, "print");
    assert_string_equal(scans[0].id, "a");
    assert_string_equal(scans[0].image, "p/a.png");
    assert_string_equal(scans[0].document, "book");
    assert_string_equal(scans[0].languages, "swa");
    assert_string_equal(scans[0].unit, "line");
    assert_null(scans[0].broken);
    assert_string_equal(scans[1].document, "b"); /* its own */
    assert_string_equal(scans[1].languages, "");
}

static void test_broken_lines_are_items(void **state) {
    (void)state;
    vl_scan *scans;
    assert_int_equal(parse(HEAD "s\tgood\ts/a.png\ts\nalone\ns\tout\t../a.png\ts\n"
                                "s\tout\ts/../../a.png\ts\ns\tout\t/etc/a.png\ts\n",
                           &scans),
                     5);
    assert_null(scans[0].broken);
    assert_non_null(strstr(scans[1].broken, "line 3"));
    for (size_t i = 2; i < 5; i++)
        assert_non_null(strstr(scans[i].broken, "outside"));
}

static void test_what_is_no_manifest(void **state) {
    static const char *const rows[] = {"", "\n", "set\tid\n1\t2\n", HEAD, "\x89PNG\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_scan *scans;
        size_t count;
        assert_int_equal(vl_scans_parse(arena, rows[i], strlen(rows[i]), &scans, &count, NULL),
                         VL_ERR_INPUT);
    }
}

/* Documents stay whole, halves differ by at most one document, and neither order nor other
 * sets change where an item is. */
static void test_halves(void **state) {
    (void)state;
    vl_buf forward, backward;
    vl_buf_init(&forward, 1 << 20);
    vl_buf_init(&backward, 1 << 20);
    vl_buf_puts(&forward, HEAD);
    vl_buf_puts(&backward, HEAD "other\tx\to/x.png\to\n");
    for (int i = 0; i < 60; i++) {
        vl_buf_printf(&forward, "s\t%d\ts/%d.png\tbook%d\n", i, i, i % 7);
        vl_buf_printf(&backward, "s\t%d\ts/%d.png\tbook%d\n", 59 - i, 59 - i, (59 - i) % 7);
    }
    vl_scan *a, *b;
    assert_int_equal(parse(forward.data, &a), 60);
    assert_int_equal(parse(backward.data, &b), 61);
    int documents = 0;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(a[i].for_score, a[i % 7].for_score);
        assert_int_equal(a[i].for_score, b[60 - i].for_score);
        documents += i < 7 && a[i].for_score;
    }
    assert_int_equal(documents, 4);
    vl_buf_deinit(&forward);
    vl_buf_deinit(&backward);
}

static void test_one_document_is_split_by_item(void **state) {
    (void)state;
    vl_scan *scans;
    size_t count = parse(HEAD "s\t1\ta.png\td\ns\t2\tb.png\td\ns\t3\tc.png\td\n", &scans);
    int score = 0;
    for (size_t i = 0; i < count; i++)
        score += scans[i].for_score;
    assert_int_equal(score, 2);
}

static void test_comparable(void **state) {
    static const struct {
        bool fold;
        const char *text, *expected;
    } rows[] = {
        {false, "  A  b\n\nC ", "A b C"},
        {true, "TOTAL Straße", "total strasse"},
        {false, "e\xCC\x81", "é"},
        {false, "\u0627\u0644\u0652\u062D\u064E\u0645\u0640\u0640\u062F\u0670",
         "\u0627\u0644\u062D\u0645\u062F"},
        {false, "Ɛ̀ ŋ", "Ɛ̀ ŋ"},
        {true, "\u064B", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_scan scan = {.fold_case = rows[i].fold};
        assert_string_equal(vl_scan_comparable(arena, &scan, rows[i].text), rows[i].expected);
    }
}

/* ---- a folder -----------------------------------------------------------------------------
 */

static void put(const char *folder, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(vl_file_write(path, text, strlen(text), NULL), VL_OK);
}

static void copy_sample(const char *folder, const char *name) {
    char path[512];
    vl_buf bytes;
    vl_buf_init(&bytes, 16 << 20);
    snprintf(path, sizeof path, "%s/samples/%s", TEST_SOURCE_DIR, name);
    assert_int_equal(vl_file_read(path, 16 << 20, &bytes, NULL), VL_OK);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(vl_file_write(path, bytes.data, bytes.len, NULL), VL_OK);
    vl_buf_deinit(&bytes);
}

static void make_folder(char folder[64]) {
    strcpy(folder, "/tmp/vislang-scans-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void remove_folder(const char *folder) {
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void test_case_rule_follows_the_transcripts(void **state) {
    (void)state;
    char folder[64];
    vl_scan *scans;
    size_t count;
    make_folder(folder);
    put(folder, "MANIFEST.tsv",
        HEAD "caps\t1\tcaps1.png\ta\teng\tpage\ncaps\t2\tcaps2.png\tb\teng\tpage\n"
             "book\t1\tbook1.png\ta\teng\tpage\narab\t1\tarab1.png\ta\tara\tline\n"
             "sign\t1\tsign1.png\ta\teng\tword:English\nbook\t2\tgone.png\ta\teng\tpage\n"
             "book\t3\tblank.png\ta\teng\tpage\n");
    put(folder, "caps1.gt.txt", "TOTAL 12.00");
    put(folder, "caps2.gt.txt", "THANK YOU");
    put(folder, "book1.gt.txt", "A book");
    put(folder, "arab1.gt.txt", "\u0643\u062A\u0627\u0628");
    put(folder, "sign1.gt.txt", "Exit");
    put(folder, "blank.gt.txt", " \n");
    assert_int_equal(vl_scans_load(arena, folder, &scans, &count, NULL), VL_OK);
    assert_int_equal(count, 7);
    static const bool fold[] = {true, true, false, false, true};
    for (size_t i = 0; i < 5; i++) {
        assert_null(scans[i].broken);
        assert_int_equal(scans[i].fold_case, fold[i]);
    }
    assert_non_null(strstr(scans[5].broken, "gone.gt.txt"));
    assert_non_null(strstr(scans[6].broken, "empty"));
    remove_folder(folder);
}

static double at(const cJSON *root, const char *a, const char *b, const char *c,
                 const char *d) {
    const char *const path[] = {a, b, c, d};
    for (size_t i = 0; i < 4; i++)
        if (path[i] && !(root = cJSON_GetObjectItemCaseSensitive(root, path[i])))
            fail_msg("no %s", path[i]);
    return root->valuedouble;
}

static void test_scores(void **state) {
    (void)state;
    static const char *const engines[] = {"tesseract"};
    char folder[64];
    vl_buf json;
    vl_error error = {0};
    vl_buf_init(&json, 1 << 20);
    make_folder(folder);
    copy_sample(folder, "notice-swh.jpg");
    copy_sample(folder, "notice-swh.gt.txt");
    copy_sample(folder, "notice-ukr.gt.txt");
    put(folder, "notice-ukr.png", "no picture");
    put(folder, "MANIFEST.tsv",
        HEAD "notices\tsw\tnotice-swh.jpg\ta\tswa\tpage\n"
             "notices\tuk\tnotice-ukr.png\tb\tukr\tpage\n");
    vl_ocr_evaluation how = {.folder = folder,
                             .engines = engines,
                             .engine_count = 1,
                             .ocr = vl_ocr_options_default(),
                             .limits = vl_media_limits_default()};
    if (vl_ocr_evaluate(&how, &json, &error))
        fail_msg("%s", error.message);
    cJSON *root = cJSON_Parse(json.data);
    assert_non_null(root);
    double cer = at(root, "sets", "notices", "tesseract", "cer");
    assert_true(cer > 0 && cer < 0.05);
    assert_true(at(root, "scripts", "Latn", "tesseract", "cer") == cer);
    assert_true(at(root, "all", "tesseract", "cer_low", NULL) == cer); /* of one item */
    assert_true(at(root, "all", "tesseract", "wer", NULL) < 0.1);
    assert_true(at(root, "all", "tesseract", "n", NULL) == 1);
    assert_true(at(root, "all", "tesseract", "failed", NULL) == 0);
    const cJSON *broken = cJSON_GetObjectItem(root, "broken");
    assert_int_equal(cJSON_GetArraySize(broken), 1);
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(broken, 0), "id")->valuestring,
                        "uk");
    cJSON_Delete(root);
    how.sets = "notice";
    assert_int_equal(vl_ocr_evaluate(&how, &json, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "no set 'notice'"));
    remove_folder(folder);
    vl_buf_deinit(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_go_by_name),
        cmocka_unit_test(test_broken_lines_are_items),
        cmocka_unit_test(test_what_is_no_manifest),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_one_document_is_split_by_item),
        cmocka_unit_test(test_comparable),
        cmocka_unit_test(test_case_rule_follows_the_transcripts),
        cmocka_unit_test(test_scores),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
