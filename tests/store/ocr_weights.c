/* Tests of the engines' track record in the store: counts that fade and add up, also those of
 * many processes at once; marks; what is forgotten, replaced, dropped; values that are damaged.
 */
#include "both.h"

#include <math.h>
#include <sys/wait.h>

enum { ROWS_MAX = 64 };
typedef struct shelf { /* what was read */
    struct {
        char key[VL_WEIGHT_FIELDS][64];
        double right, wrong, human;
    } rows[ROWS_MAX];
    vl_weight_calibration calibration; /* the last one */
    size_t row_count, calibration_count;
} shelf;

static void begin(void *to) {
    memset(to, 0, sizeof(shelf));
}

static vl_status take(const vl_weight *row, void *to, vl_error *why) {
    shelf *s = to;
    if (s->row_count == ROWS_MAX)
        return vl_fail(why, VL_ERR_LIMIT, "over %d rows", ROWS_MAX);
    for (size_t i = 0; i < VL_WEIGHT_FIELDS; i++)
        snprintf(s->rows[s->row_count].key[i], 64, "%s", row->key[i]);
    s->rows[s->row_count].right = row->right;
    s->rows[s->row_count].wrong = row->wrong;
    s->rows[s->row_count++].human = row->human;
    return VL_OK;
}

static vl_status take_calibration(const vl_weight_calibration *from, void *to, vl_error *why) {
    shelf *s = to;
    (void)why;
    s->calibration = *from;
    s->calibration_count++;
    return VL_OK;
}

static vl_status read_into(vl_db *db, shelf *s, int64_t *mark) {
    vl_weights_reader reader = {begin, take, take_calibration, s};
    return vl_weights_read(db, &reader, mark, &error);
}

static vl_weight weight(const char *voice, const char *source, double right, double wrong,
                        double human, double fade) {
    return (vl_weight){.key = {voice, "Latn", "", "", source},
                       .right = right,
                       .wrong = wrong,
                       .human = human,
                       .fade = fade};
}

static vl_weights_change merge(vl_db *db, vl_weight row) {
    vl_weights_change change;
    need(vl_weights_merge(db, &(vl_weights){.rows = &row, .row_count = 1}, &change, &error));
    return change;
}

static void migrate(vl_db *db) {
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
}

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-9)

/* ---- counts and marks -------------------------------------------------------------------- */

static void adds_and_fades(vl_db *db) {
    static shelf s;
    int64_t mark;
    migrate(db);
    need(vl_weights_mark(db, &mark, &error));
    assert_int_equal(mark, 0);
    need(read_into(db, &s, &mark));
    assert_int_equal(s.row_count + s.calibration_count, 0);
    vl_weights_change first = merge(db, weight("a", "ፋክስ 'x'", 10, 2, 0, 1));
    assert_int_equal(first.before, 0);
    assert_true(first.after != 0);
    vl_weights_change second = merge(db, weight("a", "ፋክስ 'x'", 5, 0.25, 5, 0.5));
    assert_int_equal(second.before, first.after);
    assert_int_not_equal(second.after, first.after);
    need(vl_weights_mark(db, &mark, &error));
    assert_int_equal(mark, second.after);
    need(read_into(db, &s, &mark));
    assert_int_equal(mark, second.after);
    assert_int_equal(s.row_count, 1);
    assert_string_equal(s.rows[0].key[0], "a");
    assert_string_equal(s.rows[0].key[2], "");
    assert_string_equal(s.rows[0].key[4], "ፋክስ 'x'");
    assert_near(s.rows[0].right, 10);
    assert_near(s.rows[0].wrong, 1.25);
    assert_near(s.rows[0].human, 5);
    vl_weight_calibration calibrations[] = {{"a", 0.75, -0.5, 0.9}, {"a", 0.5, -0.25, 0.8}};
    vl_weights_change change;
    need(vl_weights_merge(db,
                          &(vl_weights){.calibrations = calibrations, .calibration_count = 2},
                          &change, &error));
    need(read_into(db, &s, &mark));
    assert_int_equal(s.calibration_count, 1);
    assert_near(s.calibration.slope, 0.5);
    assert_near(s.calibration.offset, -0.25);
    assert_near(s.calibration.base, 0.8);
}

static void test_adds_and_fades(void **state) {
    (void)state;
    on_both(adds_and_fades);
}

/* ---- many at once ------------------------------------------------------------------------ */

enum { PROCESSES = 4, ROUNDS = 20 };

/* Some rows are everybody's, and each process meets them in an order of its own. */
static int learn(const char *url, int process) {
    char names[3][16] = {"all", "both", ""};
    vl_db *db;
    vl_weights_change change;
    snprintf(names[2], 16, "v%d", process);
    if (vl_db_open(url, NULL, &db, NULL))
        return 1;
    for (int round = 0; round < ROUNDS; round++) {
        vl_weight rows[3];
        for (int i = 0; i < 3; i++)
            rows[i] = weight(names[(i + process) % 3], "", 1, 2, 0, 1);
        if (vl_weights_merge(db, &(vl_weights){.rows = rows, .row_count = 3}, &change, NULL))
            return 2;
    }
    vl_db_close(db);
    return 0;
}

/* Forked while there is no connection, which no two processes may share. */
static void many_at_once(const char *url) {
    static shelf s;
    int64_t mark;
    vl_db *db = open_empty(url, NULL);
    migrate(db);
    vl_db_close(db);
    for (int p = 0; p < PROCESSES; p++)
        if (!fork())
            _exit(learn(url, p));
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    need(vl_db_open(url, NULL, &db, &error));
    need(read_into(db, &s, &mark));
    assert_int_equal(s.row_count, 2 + PROCESSES);
    for (size_t i = 0; i < s.row_count; i++) {
        double times = *s.rows[i].key[0] == 'v' ? ROUNDS : ROUNDS * PROCESSES;
        assert_near(s.rows[i].right, times);
        assert_near(s.rows[i].wrong, 2 * times);
    }
    vl_db_close(db);
}

static void test_many_at_once(void **state) {
    (void)state;
    need(vl_dir_make(FOLDER, &error));
    many_at_once(sqlite_url());
    many_at_once(postgres_url());
}

/* ---- forgotten, replaced, dropped -------------------------------------------------------- */

static void forgets(vl_db *db) {
    static shelf s;
    static const char *const voices[] = {"tesseract", "tesseract/otsu", "tesseract5", "a%_/b"};
    vl_weights_change change;
    int64_t mark;
    migrate(db);
    for (size_t i = 0; i < 4; i++)
        merge(db, weight(voices[i], "", 1, 1, 0, 1));
    vl_weight_calibration calibration = {"tesseract/otsu", 1, 0, 0};
    need(vl_weights_merge(db,
                          &(vl_weights){.calibrations = &calibration, .calibration_count = 1},
                          &change, &error));
    need(vl_weights_reset(db, "tesseract", &change, &error));
    assert_int_equal(change.removed, 3);
    need(vl_weights_reset(db, "a%_", &change, &error));
    assert_int_equal(change.removed, 1);
    need(vl_weights_reset(db, "tess", &change, &error));
    assert_int_equal(change.removed, 0);
    need(read_into(db, &s, &mark));
    assert_int_equal(mark, change.after);
    assert_int_equal(s.row_count, 1);
    assert_int_equal(s.calibration_count, 0);
    assert_string_equal(s.rows[0].key[0], "tesseract5");
    vl_weight row = weight("other", "", 3, 4, 1, 1);
    need(vl_weights_replace(db, &(vl_weights){.rows = &row, .row_count = 1}, &change, &error));
    need(read_into(db, &s, &mark));
    assert_int_equal(s.row_count, 1);
    assert_near(s.rows[0].wrong, 4);
    need(vl_weights_reset(db, NULL, &change, &error));
    need(read_into(db, &s, &mark));
    assert_int_equal(s.row_count, 0);
}

static void test_forgets(void **state) {
    (void)state;
    on_both(forgets);
}

/* A full table makes room for what is new by what it knows least of. */
static void drops_the_least(vl_db *db) {
    char sql[512];
    migrate(db);
    snprintf(sql, sizeof sql,
             "INSERT INTO ocr_weights (engine, script, language, kind, source, hits, misses, "
             "human, changed_ms) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
             "n WHERE i < %d) SELECT 'a', 'Latn', '', '', 'scanner ' || i, i, 100, 0, 5 FROM n",
             VL_WEIGHTS_MAX);
    need(run(db, sql));
    merge(db, weight("new", "", 1, 0, 0, 1));
    merge(db, weight("newer", "", 1, 0, 0, 1));
    assert_int_equal(number_of(db, "SELECT count(*) FROM ocr_weights"), VL_WEIGHTS_MAX);
    assert_int_equal(number_of(db, "SELECT count(*) FROM ocr_weights WHERE engine = 'newer'"),
                     1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM ocr_weights WHERE source = "
                                   "'scanner 1'"),
                     0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM ocr_weights WHERE source = "
                                   "'scanner 3'"),
                     1);
}

static void test_drops_the_least(void **state) {
    (void)state;
    on_both(drops_the_least);
}

/* ---- damage ------------------------------------------------------------------------------ */

static void damaged(vl_db *db) {
    static shelf s;
    int64_t mark;
    bool postgres = vl_db_is_postgres(db);
    migrate(db);
    merge(db, weight("a", "", 1, 1, 0, 1));
    need(run(db, postgres ? "UPDATE ocr_weights SET hits = 'NaN'"
                          : "UPDATE ocr_weights SET hits = 'torn'"));
    assert_int_equal(read_into(db, &s, &mark), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "ocr_weights"));
    need(run(db, "UPDATE ocr_weights SET hits = 1"));
    need(run(db, postgres ? "INSERT INTO ocr_calibrations VALUES ('a', 1, 'infinity', 0, 5)"
                          : "INSERT INTO ocr_calibrations VALUES ('a', 1, 1e999, 0, 5)"));
    assert_int_equal(read_into(db, &s, &mark), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "ocr_calibrations"));
    need(run(db, "DROP TABLE ocr_record"));
    assert_int_equal(vl_weights_mark(db, &mark, &error), VL_ERR_INTERNAL);
}

static void test_damaged(void **state) {
    (void)state;
    on_both(damaged);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adds_and_fades), cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_forgets),        cmocka_unit_test(test_drops_the_least),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
