/* Tests of the track record of engines: what it answers, how it fades, its file, and several
 * processes that learn into one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ocr/record.h"

/* cmocka compares as float. */
#define assert_near(a, b, by) assert_true(fabs((double)(a) - (double)(b)) <= (by))

static char path[256], lock_path[270];

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "%s/record-test-%d.json", TEST_BINARY_DIR, (int)getpid());
    snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    unlink(path);
    unlink(lock_path);
    return 0;
}

static vl_record *open_record(const char *file) {
    vl_record *record;
    vl_error error = {.message = ""};
    if (vl_record_open(file, NULL, &record, &error))
        fail_msg("%s", error.message);
    return record;
}

static void add(vl_record *record, vl_record_key key, double right, double wrong) {
    assert_int_equal(vl_record_add(record, &key, right, wrong, NULL), VL_OK);
}

static double ask(vl_record *record, vl_record_key key) {
    return vl_record_accuracy(record, &key, NULL);
}

static void write_file(const char *text) {
    assert_int_equal(vl_file_write(path, text, strlen(text), NULL), VL_OK);
}

/* ---- questions ----------------------------------------------------------------------------
 */

static void test_backs_off(void **state) {
    vl_record *r = open_record(NULL);
    double clusters;
    (void)state;
    assert_near(ask(r, (vl_record_key){"a", "Latn", "swa", "blur", "fax"}), 0.8, 1e-12);
    add(r, (vl_record_key){"a", "Latn", NULL, NULL, NULL}, 90, 10);
    /* voice: (90 + 40·0.8)/140; script: (90 + 40·that)/140 */
    double voice = (90 + 32) / 140.0, script = (90 + 40 * voice) / 140;
    assert_near(ask(r, (vl_record_key){.voice = "a"}), voice, 1e-12);
    assert_near(ask(r, (vl_record_key){"a", "Latn", NULL, NULL, NULL}), script, 1e-12);
    assert_near(ask(r, (vl_record_key){"a", "Latn", "swa", "blur", NULL}), script, 1e-12);
    assert_near(ask(r, (vl_record_key){"a", "Arab", NULL, NULL, NULL}), voice, 1e-12);
    assert_near(ask(r, (vl_record_key){.voice = "b"}), 0.8, 1e-12);
    /* Bad at one language, unlike elsewhere. */
    add(r, (vl_record_key){"a", "Latn", "yor", NULL, NULL}, 20, 180);
    assert_true(ask(r, (vl_record_key){"a", "Latn", "yor", NULL, NULL}) < 0.2);
    assert_true(ask(r, (vl_record_key){"a", "Latn", "swa", NULL, NULL}) > 0.3);
    /* What is not known is passed over. */
    add(r, (vl_record_key){"a", "Latn", NULL, "blur", NULL}, 0, 50);
    double blurred = ask(r, (vl_record_key){"a", "Latn", NULL, "blur", NULL});
    assert_true(blurred < ask(r, (vl_record_key){"a", "Latn", NULL, NULL, NULL}));
    vl_record_accuracy(r, &(vl_record_key){"a", "Latn", NULL, "blur", NULL}, &clusters);
    assert_near(clusters, 50, 1e-9);
    vl_record_free(r);
}

static void test_forgets(void **state) {
    vl_record *r = open_record(NULL);
    double clusters;
    vl_record_key key = {.voice = "a"};
    (void)state;
    for (int i = 0; i < 2000; i++)
        add(r, key, 100, 0);
    assert_true(ask(r, key) > 0.99);
    vl_record_accuracy(r, &key, &clusters);
    /* A sum that fades by half every 20,000: 100 / (1 - 2^(-100/20000)). */
    assert_near(clusters, 100 / (1 - exp2(-0.005)), 100);
    for (int i = 0; i < 1000; i++) /* a new version is bad: 100,000 characters later */
        add(r, key, 20, 80);
    assert_near(ask(r, key), 0.2, 0.03);
    vl_record_free(r);
}

static void test_bad_keys(void **state) {
    static const vl_record_key keys[] = {
        {NULL, NULL, NULL, NULL, NULL},
        {"", "Latn", NULL, NULL, NULL},
        {"a\tb", NULL, NULL, NULL, NULL},
        {"a", "La\ntn", NULL, NULL, NULL},
        {"a", NULL, "\xFF", NULL, NULL},
        {"a", NULL, NULL, NULL,
         "0123456789012345678901234567890123456789012345678901234567890123"},
    };
    vl_record *r = open_record(NULL);
    vl_error error;
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(vl_record_add(r, &keys[i], 1, 1, &error), VL_ERR_INPUT);
    assert_int_equal(vl_record_add(r, &(vl_record_key){.voice = "a"}, -1, 0, &error),
                     VL_ERR_INPUT);
    assert_int_equal(vl_record_add(r, &(vl_record_key){.voice = "a"}, NAN, 0, &error),
                     VL_ERR_INPUT);
    vl_record_free(r);
}

/* ---- learning -----------------------------------------------------------------------------
 */

static vl_vote_voice voice_of(vl_arena *arena, const char *name, const char *text) {
    vl_vote_voice voice = {.name = name, .calibration = vl_calibration_none()};
    assert_int_equal(vl_vote_clusters_of(arena, text, 0.8, &voice.clusters, &voice.count, NULL),
                     VL_OK);
    return voice;
}

static void test_learns_from_agreement(void **state) {
    vl_arena *arena = vl_arena_new(16 << 20);
    vl_vote_voice voices[] = {voice_of(arena, "a", "clean water"),
                              voice_of(arena, "b", "clean water"),
                              voice_of(arena, "c", "c1ean watcr")};
    vl_vote_options o = vl_vote_options_default();
    vl_vote_result *result;
    vl_record *r = open_record(NULL);
    vl_record_key where = {.script = "Latn"};
    (void)state;
    assert_int_equal(vl_vote(arena, voices, 3, &o, &result, NULL), VL_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(vl_record_learn(r, result, &where, NULL), VL_OK);
    double a = ask(r, (vl_record_key){"a", "Latn", NULL, NULL, NULL});
    double c = ask(r, (vl_record_key){"c", "Latn", NULL, NULL, NULL});
    assert_true(a > 0.9);
    assert_near(c, 9 / 11.0, 0.05); /* two of its eleven characters were outvoted */
    vl_record_free(r);
    vl_arena_free(arena);
}

/* Two readings that differ are told apart by the language model's word alone; three families
 * are another function's. */
static void test_learns_from_two(void **state) {
    static const double says[] = {12, -12, 0}; /* nats for the first where they differ */
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        vl_arena *arena = vl_arena_new(16 << 20);
        vl_vote_voice voices[] = {voice_of(arena, "a", "clean water"),
                                  voice_of(arena, "b", "c1ean watcr"),
                                  voice_of(arena, "c", "clean water")};
        vl_vote_options o = vl_vote_options_default();
        vl_vote_result *result;
        vl_record *r = open_record(NULL);
        double clusters;
        assert_int_equal(vl_vote(arena, voices, 2, &o, &result, NULL), VL_OK);
        double *witness = vl_arena_array(arena, 2 * result->slot_count, sizeof *witness);
        for (size_t s = 0; s < result->slot_count; s++)
            witness[2 * s] =
                strcmp(result->slots[s].read[0], result->slots[s].read[1]) ? says[i] : 0;
        for (int k = 0; k < 100; k++)
            assert_int_equal(vl_record_learn_two(r, result, witness, &(vl_record_key){0}, NULL),
                             VL_OK);
        double a = ask(r, (vl_record_key){.voice = "a"});
        double b = ask(r, (vl_record_key){.voice = "b"});
        assert_near(a + b, 1 + 9 / 11.0, 0.06); /* two of eleven are one's mistakes */
        assert_near(a - b, i == 0 ? 2 / 11.0 : i == 1 ? -2 / 11.0 : 0, 0.04);
        assert_int_equal(vl_vote(arena, voices, 3, &o, &result, NULL), VL_OK);
        witness = vl_arena_array(arena, 3 * result->slot_count, sizeof *witness);
        assert_int_equal(vl_record_learn_two(r, result, witness, &(vl_record_key){0}, NULL),
                         VL_OK);
        vl_record_accuracy(r, &(vl_record_key){.voice = "c"}, &clusters);
        assert_near(clusters, 0, 0);
        vl_record_free(r);
        vl_arena_free(arena);
    }
}

static void test_no_engine_votes_for_itself(void **state) {
    vl_arena *arena = vl_arena_new(16 << 20);
    vl_vote_voice alone[] = {voice_of(arena, "a", "water"), voice_of(arena, "a/2", "water")};
    vl_vote_options o = vl_vote_options_default();
    vl_vote_result *result;
    vl_record *r = open_record(NULL);
    double clusters;
    (void)state;
    assert_int_equal(vl_vote(arena, alone, 2, &o, &result, NULL), VL_OK);
    assert_int_equal(vl_record_learn(r, result, &(vl_record_key){0}, NULL), VL_OK);
    vl_record_accuracy(r, &(vl_record_key){.voice = "a"}, &clusters);
    assert_near(clusters, 0, 0);
    vl_record_free(r);
    vl_arena_free(arena);
}

static void test_corrections_weigh_more(void **state) {
    vl_arena *arena = vl_arena_new(16 << 20);
    vl_vote_voice voices[] = {voice_of(arena, "a", "f1ood here"),
                              voice_of(arena, "b", "flood her")};
    vl_record *r = open_record(NULL);
    double clusters;
    (void)state;
    assert_int_equal(vl_record_correct(r, voices, 2, "flood here",
                                       &(vl_record_key){.language = "eng"}, NULL),
                     VL_OK);
    double a = vl_record_accuracy(r, &(vl_record_key){.voice = "a"}, &clusters);
    assert_near(clusters, 100, 1e-9);
    assert_near(a, (90 + 32) / 140.0, 1e-9);
    assert_near(vl_record_corrected(r, &(vl_record_key){.voice = "a"}), 1, 1e-9);
    assert_int_equal(vl_record_add(r, &(vl_record_key){.voice = "a"}, 300, 0, NULL), VL_OK);
    assert_near(vl_record_corrected(r, &(vl_record_key){.voice = "a"}), 0.25, 0.01);
    assert_near(vl_record_corrected(r, &(vl_record_key){.voice = "a", .language = "eng"}), 1,
                1e-9);
    assert_near(vl_record_corrected(r, &(vl_record_key){.voice = "nobody"}), 0, 0);
    assert_near(ask(r, (vl_record_key){.voice = "b"}), (90 + 32) / 140.0, 1e-9);
    vl_record_free(r);
    vl_arena_free(arena);
}

/* ---- the file -----------------------------------------------------------------------------
 */

static void test_round_trip(void **state) {
    vl_record *r = open_record(path);
    vl_vote_calibration c = {0.75, -0.5, 0.9}, d;
    vl_buf out, again;
    (void)state;
    add(r, (vl_record_key){"tesseract/sauvola", "Ethi", "amh", "blur", "the \"old\" fax\\2"}, 7,
        3);
    add(r, (vl_record_key){.voice = "reader"}, 1.5, 0.25);
    assert_int_equal(vl_record_calibrate(r, "reader", &c, NULL), VL_OK);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    vl_record *s = open_record(path);
    vl_buf_init(&out, 1 << 20);
    vl_buf_init(&again, 1 << 20);
    assert_int_equal(vl_record_export(r, &out, NULL), VL_OK);
    assert_int_equal(vl_record_export(s, &again, NULL), VL_OK);
    assert_string_equal(out.data, again.data);
    d = vl_record_calibration(s, "reader");
    assert_near(d.slope, 0.75, 0);
    assert_near(d.base, 0.9, 0);
    assert_near(vl_record_calibration(s, "other").slope, 1, 0);
    vl_buf_clear(&again);
    vl_record_show(s, &again);
    assert_non_null(strstr(again.data, "tesseract/sauvola"));
    assert_non_null(strstr(again.data, "70.00%"));
    vl_record *t = open_record(NULL);
    assert_int_equal(vl_record_import(t, out.data, out.len, NULL), VL_OK);
    assert_near(ask(t, (vl_record_key){.voice = "reader"}),
                ask(r, (vl_record_key){.voice = "reader"}), 1e-9);
    vl_buf_deinit(&out);
    vl_buf_deinit(&again);
    vl_record_free(r);
    vl_record_free(s);
    vl_record_free(t);
    remove_files(NULL);
}

static void test_reset(void **state) {
    vl_record *r = open_record(path), *s;
    double clusters;
    (void)state;
    add(r, (vl_record_key){.voice = "tesseract"}, 10, 0);
    add(r, (vl_record_key){.voice = "tesseract/otsu"}, 10, 0);
    add(r, (vl_record_key){.voice = "tesseract5"}, 10, 0);
    add(r, (vl_record_key){.voice = "reader"}, 10, 0);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    add(r, (vl_record_key){.voice = "tesseract"}, 10, 0); /* and what is not flushed yet */
    assert_int_equal(vl_record_reset(r, "tesseract", NULL), VL_OK);
    s = open_record(path);
    static const struct {
        const char *voice;
        double clusters;
    } rows[] = {{"tesseract", 0}, {"tesseract/otsu", 0}, {"tesseract5", 10}, {"reader", 10}};
    for (size_t i = 0; i < 4; i++) {
        vl_record_key key = {.voice = rows[i].voice};
        vl_record_accuracy(r, &key, &clusters);
        assert_near(clusters, rows[i].clusters, 1e-9);
        vl_record_accuracy(s, &key, &clusters);
        assert_near(clusters, rows[i].clusters, 1e-9);
    }
    assert_int_equal(vl_record_reset(r, NULL, NULL), VL_OK);
    assert_int_equal(vl_record_flush(s, NULL), VL_OK); /* takes over that all is gone */
    assert_near(ask(s, (vl_record_key){.voice = "reader"}), 0.8, 1e-12);
    vl_record_free(r);
    vl_record_free(s);
    remove_files(NULL);
}

static void test_processes_share_a_file(void **state) {
    enum { PROCESSES = 4, ROUNDS = 25 };
    double clusters;
    (void)state;
    for (int p = 0; p < PROCESSES; p++)
        if (fork() == 0) {
            char name[16];
            vl_record *r;
            bool ok = !vl_record_open(path, NULL, &r, NULL);
            snprintf(name, sizeof name, "v%d", p);
            for (int i = 0; i < ROUNDS && ok; i++)
                ok = !vl_record_add(r, &(vl_record_key){.voice = name}, 1, 0, NULL) &&
                     !vl_record_add(r, &(vl_record_key){.voice = "all"}, 1, 0, NULL) &&
                     !vl_record_flush(r, NULL);
            _exit(!ok);
        }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    vl_record *r = open_record(path);
    for (int p = 0; p < PROCESSES; p++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", p);
        vl_record_accuracy(r, &(vl_record_key){.voice = name}, &clusters);
        assert_near(clusters, ROUNDS, 0.1); /* less what faded */
    }
    vl_record_accuracy(r, &(vl_record_key){.voice = "all"}, &clusters);
    assert_near(clusters, ROUNDS * PROCESSES, 0.5);
    vl_record_free(r);
    remove_files(NULL);
}

static void test_damaged_files(void **state) {
    static const char *const rows[][2] = {
        {"", "not JSON"},
        {"{\"format\": \"vislang-record\", \"version\": 1, \"rows\": [", "cut short"},
        {"[]", "no track record"},
        {"{\"format\": \"other\", \"version\": 1, \"rows\": [], \"calibrations\": []}",
         "no track record"},
        {"{\"format\": \"vislang-record\", \"version\": 2, \"rows\": [], \"calibrations\": []}",
         "version 2"},
        {"{\"format\": \"vislang-record\", \"version\": 1, \"rows\": [{\"voice\": \"a\", "
         "\"right\": -1, \"wrong\": 0, \"human\": 0}], \"calibrations\": []}",
         "'right'"},
        {"{\"format\": \"vislang-record\", \"version\": 1, \"rows\": [{\"voice\": \"a\", "
         "\"right\": 1, \"wrong\": 0, \"human\": 0, \"weight\": 3}], \"calibrations\": []}",
         "'weight'"},
        {"{\"format\": \"vislang-record\", \"version\": 1, \"rows\": ["
         "{\"voice\": \"a\", \"right\": 1, \"wrong\": 0, \"human\": 0},"
         "{\"voice\": \"a\", \"right\": 1, \"wrong\": 0, \"human\": 0}], \"calibrations\": []}",
         "twice"},
        {"{\"format\": \"vislang-record\", \"version\": 1, \"rows\": [{\"voice\": "
         "\"a\\u0001\", "
         "\"right\": 1, \"wrong\": 0, \"human\": 0}], \"calibrations\": []}",
         "control character"},
        {"{\"format\": \"vislang-record\", \"version\": 1, \"rows\": [], \"calibrations\": "
         "[{\"voice\": \"a\", \"slope\": 1e9, \"offset\": 0, \"base\": 0}]}",
         "out of range"},
        {"{\"format\": \"vislang-record\", \"version\": 1, \"rows\": [], \"calibrations\": []} "
         "x",
         "not JSON"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_record *r;
        vl_error error = {.message = ""};
        vl_buf kept;
        write_file(rows[i][0]);
        assert_int_not_equal(vl_record_open(path, NULL, &r, &error), VL_OK);
        assert_null(r);
        if (!strstr(error.message, rows[i][1]) || !strstr(error.message, path))
            fail_msg("row %zu: '%s'", i, error.message);
        vl_buf_init(&kept, 1 << 16);
        assert_int_equal(vl_file_read(path, 1 << 16, &kept, NULL), VL_OK);
        assert_string_equal(kept.len ? kept.data : "", rows[i][0]);
        vl_buf_deinit(&kept);
    }
    remove_files(NULL);
}

/* Damaged while we run: refused, kept, and nothing learned is lost once it is well again. */
static void test_damaged_later(void **state) {
    vl_record *r = open_record(path);
    vl_error error;
    double clusters;
    (void)state;
    add(r, (vl_record_key){.voice = "a"}, 5, 0);
    write_file("torn");
    assert_int_equal(vl_record_flush(r, &error), VL_ERR_INPUT);
    assert_int_equal(vl_record_reset(r, NULL, &error), VL_ERR_INPUT);
    unlink(path);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK); /* and is not added twice */
    vl_record_accuracy(r, &(vl_record_key){.voice = "a"}, &clusters);
    assert_near(clusters, 5, 1e-9);
    vl_record_free(r);
    remove_files(NULL);
}

static void test_import_of_rubbish(void **state) {
    vl_record *r = open_record(NULL);
    vl_error error;
    (void)state;
    add(r, (vl_record_key){.voice = "a"}, 90, 0);
    double before = ask(r, (vl_record_key){.voice = "a"});
    assert_int_equal(vl_record_import(r, "{}", 2, &error), VL_ERR_INPUT);
    assert_near(ask(r, (vl_record_key){.voice = "a"}), before, 0);
    vl_record_free(r);
}

static void test_many_sources(void **state) {
    vl_record *r = open_record(NULL);
    vl_buf out;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof name, "scanner %d", i);
        add(r, (vl_record_key){"a", "Latn", "swa", "clean", name}, 1, 0);
    }
    vl_buf_init(&out, VL_RECORD_MAX_BYTES);
    assert_int_equal(vl_record_export(r, &out, NULL), VL_OK);
    vl_record *s = open_record(NULL);
    assert_int_equal(vl_record_import(s, out.data, out.len, NULL), VL_OK);
    assert_near(ask(s, (vl_record_key){.voice = "a"}), ask(r, (vl_record_key){.voice = "a"}),
                1e-9);
    vl_buf_deinit(&out);
    vl_record_free(r);
    vl_record_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backs_off),
        cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_learns_from_agreement),
        cmocka_unit_test(test_learns_from_two),
        cmocka_unit_test(test_no_engine_votes_for_itself),
        cmocka_unit_test(test_corrections_weigh_more),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_processes_share_a_file),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_damaged_later),
        cmocka_unit_test(test_import_of_rubbish),
        cmocka_unit_test(test_many_sources),
    };
    return cmocka_run_group_tests(tests, make_path, remove_files);
}
