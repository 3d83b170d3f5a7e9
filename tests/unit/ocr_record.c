/* Tests of the track record of engines: what it answers, how it fades, what of it is in the
 * store, several processes that learn into one, and a database that goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ocr/record.h"
#include "store/db.h"

/* cmocka compares as float. */
#define assert_near(a, b, by) assert_true(fabs((double)(a) - (double)(b)) <= (by))

static char path[256], url[270];

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "%s/record-test-%d.db", TEST_BINARY_DIR, (int)getpid());
    snprintf(url, sizeof url, "sqlite://%s", path);
    return 0;
}

static int remove_files(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char name[300];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return 0;
}

static vl_db *open_db(void) {
    vl_db *db;
    vl_error error = {.message = ""};
    int applied;
    if (vl_db_open(url, NULL, &db, &error) || vl_db_migrate(db, 0, &applied, &error))
        fail_msg("%s", error.message);
    return db;
}

static void run(vl_db *db, const char *sql) {
    vl_error error = {.message = ""};
    if (vl_db_once(db, &(vl_db_call){.sql = sql}, &error))
        fail_msg("%s: %s", sql, error.message);
}

static vl_record *open_record(vl_db *db) {
    vl_record *record;
    vl_error error = {.message = ""};
    if (vl_record_open(db, NULL, &record, &error))
        fail_msg("%s", error.message);
    return record;
}

static void add(vl_record *record, vl_record_key key, double right, double wrong) {
    assert_int_equal(vl_record_add(record, &key, right, wrong, NULL), VL_OK);
}

static double ask(vl_record *record, vl_record_key key) {
    return vl_record_accuracy(record, &key, NULL);
}

static double clusters_of(vl_record *record, const char *voice) {
    double clusters;
    vl_record_accuracy(record, &(vl_record_key){.voice = voice}, &clusters);
    return clusters;
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

/* ---- the store ----------------------------------------------------------------------------
 */

static void test_round_trip(void **state) {
    vl_db *db = open_db();
    vl_record *r = open_record(db);
    vl_vote_calibration c = {0.75, -0.5, 0.9}, d;
    vl_buf out, again;
    (void)state;
    add(r, (vl_record_key){"tesseract/sauvola", "Ethi", "amh", "blur", "the \"old\" fax\\2"}, 7,
        3);
    add(r, (vl_record_key){.voice = "reader"}, 1.5, 0.25);
    assert_int_equal(vl_record_calibrate(r, "reader", &c, NULL), VL_OK);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    vl_record *s = open_record(db);
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
    vl_db_close(db);
    remove_files(NULL);
}

static void test_reset(void **state) {
    vl_db *db = open_db();
    vl_record *r = open_record(db), *s, *other = open_record(db);
    size_t removed;
    (void)state;
    add(r, (vl_record_key){.voice = "tesseract"}, 10, 0);
    add(r, (vl_record_key){.voice = "tesseract/otsu"}, 10, 0);
    add(r, (vl_record_key){.voice = "tesseract5"}, 10, 0);
    add(r, (vl_record_key){.voice = "reader"}, 10, 0);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    add(r, (vl_record_key){.voice = "tesseract"}, 10, 0); /* and what is not flushed yet */
    add(r, (vl_record_key){.voice = "reader"}, 1, 0);     /* which is another's */
    assert_int_equal(vl_record_reset(r, "tesseract", &removed, NULL), VL_OK);
    assert_int_equal(removed, 2);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    s = open_record(db);
    static const struct {
        const char *voice;
        double clusters;
    } rows[] = {{"tesseract", 0}, {"tesseract/otsu", 0}, {"tesseract5", 10}, {"reader", 11}};
    for (size_t i = 0; i < 4; i++) {
        assert_near(clusters_of(r, rows[i].voice), rows[i].clusters, 1e-3);
        assert_near(clusters_of(s, rows[i].voice), rows[i].clusters, 1e-3);
    }
    assert_int_equal(vl_record_reset(r, NULL, NULL, NULL), VL_OK);
    assert_int_equal(vl_record_flush(s, NULL), VL_OK); /* takes over that all is gone */
    assert_near(ask(s, (vl_record_key){.voice = "reader"}), 0.8, 1e-12);
    /* Who knows less than the store says how much went there. */
    add(s, (vl_record_key){.voice = "late"}, 1, 0);
    assert_int_equal(vl_record_flush(s, NULL), VL_OK);
    assert_int_equal(vl_record_reset(other, "late", &removed, NULL), VL_OK);
    assert_int_equal(removed, 1);
    vl_record_free(r);
    vl_record_free(s);
    vl_record_free(other);
    vl_db_close(db);
    remove_files(NULL);
}

/* What others wrote is seen by a look, and what is not flushed yet stays beside it. */
static void test_takes_over(void **state) {
    vl_db *db = open_db();
    vl_record *r = open_record(db), *s = open_record(db);
    (void)state;
    add(r, (vl_record_key){.voice = "a"}, 6, 0);
    add(s, (vl_record_key){.voice = "a"}, 0, 4);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    assert_near(clusters_of(s, "a"), 4, 1e-3);
    assert_int_equal(vl_record_refresh(s, NULL), VL_OK);
    assert_near(clusters_of(s, "a"), 10, 1e-2);
    assert_int_equal(vl_record_flush(s, NULL), VL_OK);
    assert_int_equal(vl_record_refresh(r, NULL), VL_OK);
    assert_near(clusters_of(r, "a"), 10, 1e-2);
    assert_near(ask(r, (vl_record_key){.voice = "a"}), (6 + 32) / 50.0, 1e-4);
    vl_record_free(r);
    vl_record_free(s);
    vl_db_close(db);
    remove_files(NULL);
}

/* Nothing is read again while nobody wrote: a row that changes without a mark is not seen. */
static void test_looks_at_the_mark_alone(void **state) {
    vl_db *db = open_db();
    vl_record *r = open_record(db);
    (void)state;
    for (int i = 0; i < 3; i++) {
        add(r, (vl_record_key){.voice = "a"}, 10, 0);
        assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    }
    run(db, "UPDATE ocr_weights SET hits = 1000");
    assert_int_equal(vl_record_refresh(r, NULL), VL_OK);
    assert_near(clusters_of(r, "a"), 30, 0.1);
    run(db, "UPDATE ocr_record SET mark = mark + 1");
    assert_int_equal(vl_record_refresh(r, NULL), VL_OK);
    assert_near(clusters_of(r, "a"), 1000, 1e-9);
    vl_record_free(r);
    vl_db_close(db);
    remove_files(NULL);
}

enum { PROCESSES = 4, ROUNDS = 25 };

static bool learn(int process) {
    char name[16];
    vl_db *db;
    vl_record *r = NULL;
    bool ok = !vl_db_open(url, NULL, &db, NULL) && !vl_record_open(db, NULL, &r, NULL);
    snprintf(name, sizeof name, "v%d", process);
    for (int i = 0; i < ROUNDS && ok; i++)
        ok = !vl_record_add(r, &(vl_record_key){.voice = name}, 1, 0, NULL) &&
             !vl_record_add(r, &(vl_record_key){.voice = "all"}, 1, 0, NULL) &&
             !vl_record_flush(r, NULL);
    return ok;
}

static void test_processes_share_a_store(void **state) {
    (void)state;
    vl_db_close(open_db());
    for (int p = 0; p < PROCESSES; p++)
        if (fork() == 0)
            _exit(!learn(p));
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    vl_db *db = open_db();
    vl_record *r = open_record(db);
    for (int p = 0; p < PROCESSES; p++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", p);
        assert_near(clusters_of(r, name), ROUNDS, 0.1); /* less what faded */
    }
    assert_near(clusters_of(r, "all"), ROUNDS * PROCESSES, 0.5);
    vl_record_free(r);
    vl_db_close(db);
    remove_files(NULL);
}

typedef struct learner {
    vl_record *record;
    const char *voice; /* NULL: flushes */
    bool ok;
} learner;

static void *learn_or_flush(void *arg) {
    learner *l = arg;
    l->ok = true;
    for (int i = 0; i < 200 && l->ok; i++)
        l->ok = l->voice
                    ? !vl_record_add(l->record, &(vl_record_key){.voice = l->voice}, 1, 0, NULL)
                    : !vl_record_flush(l->record, NULL);
    return NULL;
}

/* What is learned while a flush is under way is neither lost nor written twice. */
static void test_learning_goes_on(void **state) {
    vl_db *db = open_db();
    vl_record *r = open_record(db), *s;
    pthread_t threads[4];
    learner learners[4] = {
        {r, "a", false}, {r, "a", false}, {r, NULL, false}, {r, NULL, false}};
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, learn_or_flush, &learners[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        assert_true(learners[i].ok);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    s = open_record(db);
    assert_near(clusters_of(r, "a"), 400, 4); /* less what faded: 400²/2 ln 2 / 20,000 */
    assert_near(clusters_of(s, "a"), clusters_of(r, "a"), 1e-6);
    vl_record_free(r);
    vl_record_free(s);
    vl_db_close(db);
    remove_files(NULL);
}

/* Rows that were damaged are refused and kept; nothing learned is lost once they are well. */
static void test_damaged_rows(void **state) {
    static const char *const rows[][3] = {
        {"UPDATE ocr_weights SET hits = 'torn'", "ocr_weights",
         "UPDATE ocr_weights SET hits = 3"},
        {"UPDATE ocr_weights SET misses = -1", "below 0", "UPDATE ocr_weights SET misses = 0"},
        {"UPDATE ocr_weights SET language = 'a' || char(9)", "control character",
         "UPDATE ocr_weights SET language = ''"},
        {"INSERT INTO ocr_calibrations VALUES ('a', 1e9, 0, 0, 1)", "out of range",
         "DELETE FROM ocr_calibrations"},
    };
    vl_db *db = open_db();
    vl_record *r = open_record(db), *s;
    (void)state;
    add(r, (vl_record_key){.voice = "a"}, 3, 0);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {.message = ""};
        run(db, rows[i][0]);
        run(db, "UPDATE ocr_record SET mark = mark + 1");
        assert_int_equal(vl_record_open(db, NULL, &s, &error), VL_ERR_INPUT);
        assert_null(s);
        if (!strstr(error.message, rows[i][1]))
            fail_msg("row %zu: '%s'", i, error.message);
        assert_int_equal(vl_record_refresh(r, &error), VL_ERR_INPUT);
        assert_near(clusters_of(r, "a"), 3, 1e-9); /* as it was */
        run(db, rows[i][2]);
        assert_int_equal(vl_record_refresh(r, &error), VL_OK);
    }
    vl_record_free(r);
    vl_db_close(db);
    remove_files(NULL);
}

/* A database that is away for a while: what is learned waits, and is written once. */
static void test_database_away(void **state) {
    vl_db *db = open_db();
    vl_record *r = open_record(db);
    vl_error error;
    (void)state;
    add(r, (vl_record_key){.voice = "a"}, 5, 0);
    run(db, "ALTER TABLE ocr_weights RENAME TO away");
    assert_int_not_equal(vl_record_flush(r, &error), VL_OK);
    add(r, (vl_record_key){.voice = "a"}, 0, 2); /* learned after what waits */
    add(r, (vl_record_key){.voice = "b"}, 1, 0);
    assert_int_not_equal(vl_record_flush(r, &error), VL_OK);
    assert_int_not_equal(vl_record_reset(r, NULL, NULL, &error), VL_OK);
    assert_near(clusters_of(r, "a"), 7, 1e-2);
    run(db, "ALTER TABLE away RENAME TO ocr_weights");
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK); /* and is not added twice */
    vl_record *s = open_record(db);
    assert_near(clusters_of(s, "a"), clusters_of(r, "a"), 1e-9);
    assert_near(clusters_of(s, "a"), 7, 1e-2);
    assert_near(clusters_of(s, "b"), 1, 1e-9);
    vl_record_free(r);
    vl_record_free(s);
    vl_db_close(db);
    remove_files(NULL);
}

/* ---- JSON ---------------------------------------------------------------------------------
 */

static void test_damaged_json(void **state) {
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
    vl_db *db = open_db();
    vl_record *r = open_record(db);
    (void)state;
    add(r, (vl_record_key){.voice = "a"}, 5, 0);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {.message = ""};
        assert_int_not_equal(vl_record_import(r, rows[i][0], strlen(rows[i][0]), &error),
                             VL_OK);
        if (!strstr(error.message, rows[i][1]))
            fail_msg("row %zu: '%s'", i, error.message);
    }
    vl_record *s = open_record(db); /* in memory and in the store all is as it was */
    assert_near(clusters_of(r, "a"), 5, 1e-9);
    assert_near(clusters_of(s, "a"), 5, 1e-9);
    vl_record_free(r);
    vl_record_free(s);
    vl_db_close(db);
    remove_files(NULL);
}

/* Replaces what was there, in the store too, and what was not flushed. */
static void test_import(void **state) {
    static const char json[] =
        "{\"format\": \"vislang-record\", \"version\": 1, \"rows\": [{\"voice\": \"b\", "
        "\"right\": 7, \"wrong\": 1, \"human\": 2}], \"calibrations\": [{\"voice\": \"b\", "
        "\"slope\": 0.5, \"offset\": 0, \"base\": 0.9}]}";
    vl_db *db = open_db();
    vl_record *r = open_record(db), *other = open_record(db);
    (void)state;
    add(r, (vl_record_key){.voice = "a"}, 5, 0);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    add(r, (vl_record_key){.voice = "a"}, 5, 0);
    assert_int_equal(vl_record_import(r, json, strlen(json), NULL), VL_OK);
    assert_int_equal(vl_record_flush(r, NULL), VL_OK);
    assert_int_equal(vl_record_refresh(other, NULL), VL_OK);
    vl_record *const both[] = {r, other};
    for (size_t i = 0; i < 2; i++) {
        assert_near(clusters_of(both[i], "a"), 0, 0);
        assert_near(clusters_of(both[i], "b"), 8, 1e-9);
        assert_near(vl_record_corrected(both[i], &(vl_record_key){.voice = "b"}), 0.25, 1e-9);
        assert_near(vl_record_calibration(both[i], "b").slope, 0.5, 0);
    }
    vl_record_free(r);
    vl_record_free(other);
    vl_db_close(db);
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
        cmocka_unit_test(test_takes_over),
        cmocka_unit_test(test_looks_at_the_mark_alone),
        cmocka_unit_test(test_processes_share_a_store),
        cmocka_unit_test(test_learning_goes_on),
        cmocka_unit_test(test_damaged_rows),
        cmocka_unit_test(test_database_away),
        cmocka_unit_test(test_damaged_json),
        cmocka_unit_test(test_import),
        cmocka_unit_test(test_import_of_rubbish),
        cmocka_unit_test(test_many_sources),
    };
    return cmocka_run_group_tests(tests, make_path, remove_files);
}
