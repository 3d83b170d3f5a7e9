/* Tests of migrations and copies: every step up and down, steps that others made, many at once;
 * a copy from either database into either, and copies that are damaged. */
#include "both.h"

#include "store/migrations.h"

#include <pthread.h>
#include <zlib.h>

#define COPY FOLDER "/copy.vldb"

/* ---- steps ------------------------------------------------------------------------------- */

static int64_t table_count(vl_db *db) {
    return number_of(db, vl_db_is_postgres(db)
                             ? "SELECT count(*) FROM information_schema.tables "
                               "WHERE table_schema = current_schema()"
                             : "SELECT count(*) FROM sqlite_master WHERE type = 'table' "
                               "AND name NOT LIKE 'sqlite_%'");
}

static void up_and_down(vl_db *db) {
    vl_migration_state states[64];
    int64_t tables[64] = {1}; /* schema_migrations */
    size_t count;
    int moved;
    for (int to = 1; to <= vl_db_schema_newest(); to++) {
        need(vl_db_migrate(db, to, &moved, &error));
        assert_int_equal(moved, 1);
        tables[to] = table_count(db);
        assert_true(tables[to] >= tables[to - 1]); /* some only add columns */
    }
    assert_int_equal(tables[vl_db_schema_newest()], vl_table_count + 1);
    need(vl_db_migrate(db, 0, &moved, &error));
    assert_int_equal(moved, 0);
    for (int to = vl_db_schema_newest() - 1; to >= 0; to--) {
        need(vl_db_rollback(db, to, &moved, &error));
        assert_int_equal(moved, 1);
        assert_int_equal(table_count(db), tables[to]);
        need(vl_db_schema_status(db, states, &count, &error));
        for (size_t i = 0; i < count; i++)
            assert_int_equal(states[i].applied_ms > 0, (int)i < to);
    }
    need(vl_db_migrate(db, 0, &moved, &error));
    assert_int_equal(moved, vl_db_schema_newest());
    assert_int_equal(vl_db_migrate(db, 99, &moved, &error), VL_ERR_USAGE);
    assert_int_equal(vl_db_rollback(db, -1, &moved, &error), VL_ERR_USAGE);
}

static void test_up_and_down(void **state) {
    (void)state;
    on_both(up_and_down);
}

static void others_steps(vl_db *db) {
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
    need(run(db, "UPDATE schema_migrations SET digest = 'x' WHERE number = 2"));
    assert_int_equal(vl_db_migrate(db, 0, &moved, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "migration 2"));
    need(run(db, "UPDATE schema_migrations SET number = 200 WHERE number = 2"));
    assert_int_equal(vl_db_rollback(db, 0, &moved, &error), VL_ERR_INPUT);
    assert_int_equal(table_count(db), vl_table_count + 1);
    assert_non_null(strstr(error.message, "newer"));
}

static void test_others_steps(void **state) {
    (void)state;
    on_both(others_steps);
}

static void *migrate(void *db) {
    int moved = 0;
    return vl_db_migrate(db, 0, &moved, NULL) ? NULL : (void *)(uintptr_t)(moved + 1);
}

/* Replicas that start together: each step is done once. */
static void at_once(vl_db *db) {
    pthread_t threads[6];
    uintptr_t all = 0;
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, migrate, db);
    for (int i = 0; i < 6; i++) {
        void *moved;
        pthread_join(threads[i], &moved);
        assert_non_null(moved);
        all += (uintptr_t)moved - 1;
    }
    assert_int_equal(all, vl_db_schema_newest());
}

static void test_at_once(void **state) {
    (void)state;
    on_both(at_once);
}

static vl_status take_plan(const vl_db_value *columns, size_t count, void *plan,
                           vl_error *why) {
    (void)count;
    (void)why;
    strncat(plan, vl_db_string(&columns[3]), 255 - strlen(plan));
    return VL_OK;
}

/* What the commonest questions need an index for is answered by one. */
static void test_indexes(void **state) {
    static const char *const asked[] = {
        "SELECT * FROM documents WHERE source = 'x' AND language = 'sw'",
        "SELECT * FROM training_runs WHERE status = 'running'",
        "SELECT * FROM items WHERE dataset = 'd' AND score > 0.5",
        "SELECT * FROM audit WHERE subject = 'u'",
        "SELECT * FROM job_items WHERE state = 'queued' ORDER BY priority DESC, turn_ms",
        "SELECT * FROM sessions WHERE hash = 'h'",
        "SELECT * FROM api_keys WHERE hash = 'h'",
        "SELECT * FROM blobs WHERE expires_ms < 5",
    };
    vl_db *db = open_empty(sqlite_url(), NULL);
    int moved;
    (void)state;
    need(vl_db_migrate(db, 0, &moved, &error));
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char sql[256], plan[256] = "";
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", asked[i]);
        need(vl_db_once(db, &(vl_db_call){.sql = sql, .row = take_plan, .user = plan}, &error));
        if (!strstr(plan, "USING INDEX") || strstr(plan, "SCAN"))
            fail_msg("%s: %s", asked[i], plan);
    }
    vl_db_close(db);
}

/* ---- copies ------------------------------------------------------------------------------ */

static void fill(vl_db *db) {
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
    for (int i = 1; i <= 50; i++) {
        char name[64];
        snprintf(name, sizeof name, "doc %d ግዕዝ \"'\\ \n", i);
        vl_db_call document = {.sql = "INSERT INTO documents (source, title, sha256, bytes, "
                                      "fetched_ms, created_ms) VALUES ($1, $2, $3, $4, 5, 6)",
                               VL_DB_PARAMS(vl_db_text("dir"), vl_db_text(name),
                                            vl_db_text(name), vl_db_int(INT64_MAX - i))};
        need(vl_db_once(db, &document, &error));
        vl_db_call page = {
            .sql = "INSERT INTO pages (document_id, number, confidence, created_ms) "
                   "VALUES ($1, 1, $2, 7)",
            VL_DB_PARAMS(vl_db_int(i), vl_db_real(i / 3.0))};
        need(vl_db_once(db, &page, &error));
    }
    vl_db_call blob = {.sql =
                           "INSERT INTO blobs (id, class, subject, bytes, sha256, key_id, "
                           "wrapped_key, created_ms) VALUES ('b', 'upload', 's', 4, 'h', 'k', "
                           "$1, 8)",
                       VL_DB_PARAMS(vl_db_blob("\0\1\xFF\\", 4))};
    need(vl_db_once(db, &blob, &error));
    vl_weight row = {.key = {"reader", "Ethi", "amh", "scan", "ፋክስ"},
                     .right = 1 / 3.0,
                     .wrong = 2,
                     .human = 0.1,
                     .fade = 1};
    vl_weight_calibration calibration = {"reader", 0.75, -0.5, 0.9};
    vl_weights_change change;
    need(vl_weights_merge(db, &(vl_weights){&row, 1, &calibration, 1}, &change, &error));
}

enum { FILLED = 101 + 3 };

/* There and back, through the other kind of database: the same rows, and ids go on after them.
 */
static void from_one_to_the_other(const char *from, const char *to) {
    vl_db_copy_report out, in, again;
    vl_db *db = open_empty(from, NULL);
    fill(db);
    need(vl_db_backup(db, COPY, &out, &error));
    assert_int_equal(out.rows, FILLED);
    assert_int_equal(out.schema, vl_db_schema_newest());
    vl_db_close(db);
    db = open_empty(to, NULL);
    need(vl_db_restore(db, COPY, false, &in, &error));
    assert_int_equal(in.rows, FILLED);
    assert_string_equal(in.sha256, out.sha256);
    assert_int_equal(vl_db_restore(db, COPY, false, &in, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "--replace"));
    need(vl_db_restore(db, COPY, true, &in, &error));
    need(vl_db_backup(db, FOLDER "/again.vldb", &again, &error));
    assert_int_equal(again.rows, FILLED);
    need(run(db, "INSERT INTO documents (source, sha256, fetched_ms, created_ms) "
                 "VALUES ('new', 'new', 1, 1)"));
    assert_int_equal(number_of(db, "SELECT id FROM documents WHERE source = 'new'"), 51);
    assert_int_equal(number_of(db, "SELECT bytes FROM documents WHERE id = 9"), INT64_MAX - 9);
    assert_int_equal(number_of(db, "SELECT count(*) FROM pages WHERE document_id = 50"), 1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM ocr_weights WHERE engine = 'reader' "
                                   "AND source = 'ፋክስ' AND human = 0.1"),
                     1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM ocr_calibrations WHERE intercept = "
                                   "-0.5"),
                     1);
    vl_db_close(db);
}

static void test_copies(void **state) {
    (void)state;
    from_one_to_the_other(sqlite_url(), postgres_url());
    from_one_to_the_other(postgres_url(), sqlite_url());
}

/* A copy made before an upgrade has the old schema, and leaves the database as it is; restored,
 * it is brought up to date with its rows. */
static void older_schema(vl_db *db) {
    vl_db_copy_report report;
    vl_migration_state states[64];
    size_t count;
    int moved;
    need(vl_db_migrate(db, 2, &moved, &error));
    need(run(db, "INSERT INTO models (name, version, path, sha256, bytes, created_ms) "
                 "VALUES ('seer', '1', 'p', 's', 3, 4)"));
    need(vl_db_backup(db, COPY, &report, &error));
    assert_int_equal(report.schema, 2);
    assert_int_equal(report.rows, 1);
    need(vl_db_schema_status(db, states, &count, &error));
    assert_int_equal(states[2].applied_ms, 0);
    need(vl_db_restore(db, COPY, true, &report, &error));
    need(vl_db_schema_status(db, states, &count, &error));
    assert_true(states[count - 1].applied_ms > 0);
    assert_int_equal(number_of(db, "SELECT bytes FROM models WHERE name = 'seer'"), 3);
}

static void test_older_schema(void **state) {
    (void)state;
    on_both(older_schema);
}

static void write_gzip(const char *text) {
    gzFile file = gzopen(COPY, "wb");
    assert_non_null(file);
    gzputs(file, text);
    assert_int_equal(gzclose(file), Z_OK);
}

/* A copy that is not whole is refused before anything is touched. */
static void test_damaged(void **state) {
    static const char *const texts[] = {
        "",
        "\n",
        "hello\n",
        "{\"vislang_copy\":1}\n",
        "{\"vislang_copy\":2,\"schema\":1}\n",
        "{\"vislang_copy\":1,\"schema\":999}\n",
        "{\"vislang_copy\":1,\"schema\":-1}\n",
        "{\"vislang_copy\":1,\"schema\":1}\n",
        "{\"vislang_copy\":1,\"schema\":1}\n[\"i1\"]\n",
        "{\"vislang_copy\":1,\"schema\":1}\n{\"table\":\"sqlite_master\",\"columns\":[\"a\"]}"
        "\n",
        "{\"vislang_copy\":1,\"schema\":1}\n{\"table\":\"documents\",\"columns\":[\"a;b\"]}\n",
        "{\"vislang_copy\":1,\"schema\":1}\n{\"table\":\"documents\",\"columns\":[]}\n",
        "{\"vislang_copy\":1,\"schema\":1}\n{\"table\":\"documents\",\"columns\":[\"id\"]}\n"
        "[\"x1\"]\n",
        "{\"vislang_copy\":1,\"schema\":1}\n{\"table\":\"documents\",\"columns\":[\"id\"]}\n"
        "[\"i1\",\"i2\"]\n",
        "{\"vislang_copy\":1,\"schema\":1}\n{\"table\":\"documents\",\"columns\":[\"id\"]}\n"
        "[\"b!!!!\"]\n",
        "{\"vislang_copy\":1,\"schema\":1}\n{\"rows\":0,\"sha256\":\"00\"}\n",
    };
    vl_db *db = open_empty(sqlite_url(), NULL);
    vl_db_copy_report report, whole;
    vl_buf copy;
    (void)state;
    fill(db);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_gzip(texts[i]);
        error = (vl_error){0};
        if (vl_db_restore(db, COPY, true, &report, &error) != VL_ERR_INPUT || !*error.message)
            fail_msg("text %zu: %s", i, error.message);
    }
    need(vl_db_backup(db, COPY, &whole, &error));
    vl_buf_init(&copy, 16 << 20);
    need(vl_file_read(COPY, 16 << 20, &copy, &error));
    for (size_t i = 0; i < copy.len; i += 1 + copy.len / 97) {
        need(vl_file_write(COPY, copy.data, i, &error)); /* cut short */
        assert_int_equal(vl_db_restore(db, COPY, true, &report, &error), VL_ERR_INPUT);
        copy.data[i] ^= 0x10;
        need(vl_file_write(COPY, copy.data, copy.len, &error)); /* a flipped bit */
        copy.data[i] ^= 0x10;
        /* Where gzip has bits that say nothing it does no harm, and the rows are the same. */
        vl_status status = vl_db_backup_verify(COPY, &report, &error);
        assert_true(status == VL_ERR_INPUT ||
                    (!status && !strcmp(report.sha256, whole.sha256)));
    }
    vl_buf_deinit(&copy);
    assert_int_equal(number_of(db, "SELECT count(*) FROM documents"), 50);
    assert_int_equal(vl_db_restore(db, FOLDER "/none.vldb", true, &report, &error),
                     VL_ERR_INPUT);
    vl_db_close(db);
}

/* A row that the database refuses undoes the whole restore. */
static void test_refused_rows(void **state) {
    static const char *const rows =
        "{\"vislang_copy\":1,\"schema\":1}\n"
        "{\"table\":\"documents\",\"columns\":[\"id\",\"source\",\"sha256\",\"fetched_ms\","
        "\"created_ms\"]}\n"
        "[\"i1\",\"ta\",\"th\",\"i1\",\"i1\"]\n[\"i1\",\"ta\",\"tg\",\"i1\",\"i1\"]\n";
    char text[1024], digest[VL_SHA256_HEX_SIZE];
    const char *const urls[] = {sqlite_url(), postgres_url()};
    (void)state;
    vl_sha256_hex(rows, strlen(rows), digest);
    snprintf(text, sizeof text, "%s{\"rows\":2,\"sha256\":\"%s\"}\n", rows, digest);
    for (int i = 0; i < 2; i++) {
        vl_db_copy_report report;
        vl_db *db = open_empty(urls[i], NULL);
        fill(db);
        write_gzip(text);
        need(vl_db_backup_verify(COPY, &report, &error));
        assert_int_equal(vl_db_restore(db, COPY, true, &report, &error), VL_ERR_INPUT);
        assert_int_equal(number_of(db, "SELECT count(*) FROM documents"), 50);
        vl_db_close(db);
    }
}

static void touch(const char *name) {
    char path[512];
    snprintf(path, sizeof path, FOLDER "/copies/%s", name);
    need(vl_file_write(path, "x", 1, &error));
}

static bool is_there(const char *name) {
    char path[512];
    snprintf(path, sizeof path, FOLDER "/copies/%s", name);
    return !access(path, F_OK);
}

/* Old copies go when a new one is good; other files never do. */
static void test_folder(void **state) {
    static const char *const old = "vislang-20200102T030405Z.vldb";
    static const char *const others[] = {"vislang-20200102T030405Z.vldb.part", "notes.txt",
                                         "vislang-20209902T030405Z.vldb",
                                         "vislang-99991231T235959Z.vldb"};
    vl_db *db = open_empty(sqlite_url(), NULL);
    vl_db_folder_report report;
    (void)state;
    fill(db);
    need(vl_dir_make(FOLDER "/copies", &error));
    touch(old);
    for (size_t i = 0; i < 4; i++)
        touch(others[i]);
    need(vl_db_backup_folder(db, FOLDER "/copies", 0, &report, &error));
    assert_true(is_there(old));
    need(vl_db_backup_folder(db, FOLDER "/copies/", 30, &report, &error));
    assert_int_equal(report.removed, 1);
    assert_int_equal(report.copy.rows, FILLED);
    assert_false(is_there(old));
    assert_int_equal(access(report.path, R_OK), 0);
    for (size_t i = 0; i < 4; i++)
        assert_true(is_there(others[i]));
    assert_int_equal(vl_db_backup_folder(db, FOLDER "/copies/notes.txt", 30, &report, &error),
                     VL_ERR_IO);
    vl_db_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_and_down), cmocka_unit_test(test_others_steps),
        cmocka_unit_test(test_at_once),     cmocka_unit_test(test_indexes),
        cmocka_unit_test(test_copies),      cmocka_unit_test(test_older_schema),
        cmocka_unit_test(test_damaged),     cmocka_unit_test(test_refused_rows),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
