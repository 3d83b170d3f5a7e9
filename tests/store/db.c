/* Tests of the database layer: what goes in comes out, transactions hold together, waiting and
 * failing say what is the matter, and a server that comes back is used again. */
#include "both.h"

#include <float.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- values ------------------------------------------------------------------------------ */

typedef struct sample {
    int64_t whole;
    double real;
    const char *text;
    const char *bytes;
    size_t count;
} sample;
static const sample samples[] = {
    {0, 0, "", "", 0},
    {INT64_MAX, DBL_MAX, "ጤና ይስጥልኝ ʼɓ'\"; DROP TABLE kinds; --", "\0\1\2", 3},
    {INT64_MIN, -DBL_MIN, "سلام\n\t\\x41", "\\x00", 4},
    {-1, 0.1, "$1 ? :name", "\xFF\xFE\0\x80", 4},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static vl_status compare(const vl_db_value *columns, size_t count, void *row, vl_error *why) {
    const sample *s = &samples[(*(size_t *)row)++];
    (void)why;
    assert_int_equal(count, 6);
    assert_int_equal(columns[1].type, VL_DB_INT);
    assert_true(columns[1].integer == s->whole);
    assert_int_equal(columns[2].type, VL_DB_REAL);
    assert_true(columns[2].real == s->real);
    assert_int_equal(columns[3].type, VL_DB_TEXT);
    assert_string_equal(vl_db_string(&columns[3]), s->text);
    assert_int_equal(columns[4].type, VL_DB_BLOB);
    assert_int_equal(columns[4].count, s->count);
    assert_memory_equal(columns[4].bytes, s->bytes, s->count);
    assert_int_equal(columns[5].type, VL_DB_NULL);
    return VL_OK;
}

static void values(vl_db *db) {
    need(run(db, "CREATE TABLE kinds (n INTEGER, i BIGINT, r DOUBLE PRECISION, t TEXT, "
                 "b BYTEA, e TEXT)"));
    for (size_t i = 0; i < SAMPLES; i++) {
        const sample *s = &samples[i];
        int64_t changed = 0;
        vl_db_call put = {.sql = "INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6)",
                          VL_DB_PARAMS(vl_db_int((int64_t)i), vl_db_int(s->whole),
                                       vl_db_real(s->real), vl_db_text(s->text),
                                       vl_db_blob(s->bytes, s->count), vl_db_text(NULL)),
                          .changed = &changed};
        need(vl_db_once(db, &put, &error));
        assert_int_equal(changed, 1);
    }
    size_t seen = 0;
    need(vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT * FROM kinds ORDER BY n", .row = compare, .user = &seen},
        &error));
    assert_int_equal(seen, SAMPLES);
    assert_int_equal(number_of(db, "SELECT count(*) FROM kinds WHERE e IS NULL"), SAMPLES);
}

static void test_values(void **state) {
    (void)state;
    on_both(values);
}

/* More statements than a connection keeps prepared, twice over. */
static void many_statements(vl_db *db) {
    char sql[64];
    for (int i = 0; i < 600; i++) {
        snprintf(sql, sizeof sql, "SELECT %d", i % 300);
        assert_int_equal(number_of(db, sql), i % 300);
    }
}

static void test_many_statements(void **state) {
    (void)state;
    on_both(many_statements);
}

/* ---- transactions ------------------------------------------------------------------------ */

static vl_status insert_and(vl_db_conn *conn, void *then, vl_error *why) {
    vl_status status = vl_db_run(
        conn, &(vl_db_call){.sql = "INSERT INTO notes VALUES ($1)", VL_DB_PARAMS(vl_db_int(7))},
        why);
    return status               ? status
           : *(vl_status *)then ? vl_fail(why, VL_ERR_LIMIT, "on purpose")
                                : VL_OK;
}

static vl_status refuse(const vl_db_value *columns, size_t count, void *user, vl_error *why) {
    (void)columns;
    (void)count;
    (void)user;
    return vl_fail(why, VL_ERR_CANCELLED, "enough");
}

static void all_or_nothing(vl_db *db) {
    vl_status fail = VL_ERR_LIMIT, pass = VL_OK;
    need(run(db, "CREATE TABLE notes (n INTEGER PRIMARY KEY)"));
    assert_int_equal(vl_db_transact(db, VL_DB_SERIALIZABLE, insert_and, &fail, &error),
                     VL_ERR_LIMIT);
    assert_string_equal(error.message, "on purpose");
    assert_int_equal(number_of(db, "SELECT count(*) FROM notes"), 0);
    need(vl_db_transact(db, VL_DB_SERIALIZABLE, insert_and, &pass, &error));
    assert_int_equal(vl_db_transact(db, VL_DB_SERIALIZABLE, insert_and, &pass, &error),
                     VL_ERR_INPUT); /* twice the same key */
    assert_int_equal(number_of(db, "SELECT count(*) FROM notes"), 1);
    assert_int_equal(run(db, "SELEKT 1"), VL_ERR_INTERNAL);
    vl_db_call stop = {.sql = "SELECT n FROM notes", .row = refuse};
    assert_int_equal(vl_db_once(db, &stop, &error), VL_ERR_CANCELLED);
    vl_db_call few = {.sql = "SELECT $1", .count = 0};
    assert_int_equal(vl_db_once(db, &few, &error), VL_ERR_INTERNAL);
    assert_int_equal(number_of(db, "SELECT count(*) FROM notes"), 1); /* still of use */
}

static void test_all_or_nothing(void **state) {
    (void)state;
    on_both(all_or_nothing);
}

enum { COUNTERS = 6, COUNTS = 40 };

static vl_status count_up(vl_db_conn *conn, void *unused, vl_error *why) {
    int64_t now = 0;
    (void)unused;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT n FROM counter", .row = vl_db_take_int, .user = &now},
        why);
    return status ? status
                  : vl_db_run(conn,
                              &(vl_db_call){.sql = "UPDATE counter SET n = $1",
                                            VL_DB_PARAMS(vl_db_int(now + 1))},
                              why);
}

static void *count_often(void *db) {
    size_t refused = 0;
    vl_error why;
    for (int i = 0; i < COUNTS; i++)
        while (vl_db_transact(db, VL_DB_SERIALIZABLE, count_up, NULL, &why))
            if (why.status != VL_ERR_BUSY || ++refused > 1000)
                return "a transaction failed";
    return NULL;
}

static void no_update_is_lost(vl_db *db) {
    pthread_t threads[COUNTERS];
    need(run(db, "CREATE TABLE counter (n BIGINT)"));
    need(run(db, "INSERT INTO counter VALUES (0)"));
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_often, db), 0);
    for (int i = 0; i < COUNTERS; i++) {
        void *trouble;
        pthread_join(threads[i], &trouble);
        assert_null(trouble);
    }
    assert_int_equal(number_of(db, "SELECT n FROM counter"), COUNTERS * COUNTS);
}

static void test_no_update_is_lost(void **state) {
    (void)state;
    on_both(no_update_is_lost);
}

static vl_status ask_again(vl_db_conn *conn, void *db, vl_error *why) {
    (void)conn;
    return vl_db_once(db, &(vl_db_call){.sql = "SELECT 1"}, why) == VL_ERR_BUSY
               ? VL_OK
               : VL_ERR_INTERNAL;
}

/* All connections lent: the next one waits, and is told so. */
static void test_pool(void **state) {
    const char *const urls[] = {sqlite_url(), postgres_url()};
    vl_db_options one = {.max_connections = 1, .wait_seconds = 0.05};
    (void)state;
    for (int i = 0; i < 2; i++) {
        vl_db *db = open_empty(urls[i], &one);
        need(vl_db_transact(db, VL_DB_SNAPSHOT, ask_again, db, &error));
        vl_db_close(db);
    }
}

/* ---- what is not there ------------------------------------------------------------------- */

static void test_urls(void **state) {
    static const struct {
        const char *url;
        vl_status status;
    } rows[] = {
        {"", VL_ERR_USAGE},
        {"mysql://root@localhost/x", VL_ERR_USAGE},
        {"sqlite:///proc/none/here.db", VL_ERR_IO},
        {"sqlite://" FOLDER "/text.db", VL_ERR_INPUT},
        {"sqlite://" FOLDER, VL_ERR_MISSING},
        {"postgresql://nobody@/none?host=" FOLDER, VL_ERR_MISSING},
        {"postgresql://nobody@127.0.0.1:1/none", VL_ERR_MISSING},
        {"postgresql://%zz@/", VL_ERR_MISSING},
    };
    char missing[512];
    vl_db *db;
    (void)state;
    need(vl_file_write(FOLDER "/text.db", "this is a text and no database at all", 37, &error));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        error = (vl_error){0};
        vl_status status = vl_db_open(rows[i].url, NULL, &db, &error);
        if (status != rows[i].status || !*error.message || db)
            fail_msg("%s: %s (%s)", rows[i].url, vl_status_name(status), error.message);
    }
    snprintf(missing, sizeof missing, "%s", postgres_url());
    memcpy(strstr(missing, "/postgres?"), "/nosuchdb?", 10);
    assert_int_equal(vl_db_open(missing, NULL, &db, &error), VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "nosuchdb"));
}

static void control(const char *what) {
    char command[600];
    snprintf(command, sizeof command, "%s %s", getenv("VISLANG_TEST_PG_CTL"), what);
    assert_int_equal(system(command), 0);
}

/* A server that stops is missed, and used again when it is back: by the same pool, whose
 * connections all broke. */
static void test_server_goes_away(void **state) {
    vl_db *db = open_empty(postgres_url(), NULL);
    char version[64];
    pthread_t threads[4];
    (void)state;
    need(run(db, "CREATE TABLE counter (n BIGINT)"));
    need(run(db, "INSERT INTO counter VALUES (0)"));
    for (int i = 0; i < 4; i++) /* so that there are several connections */
        pthread_create(&threads[i], NULL, count_often, db);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    control("stop");
    for (int i = 0; i < 3; i++)
        if (vl_db_ping(db, version, &error) != VL_ERR_MISSING)
            fail_msg("%s: %s", vl_status_name(error.status), error.message);
    control("start");
    need(vl_db_ping(db, version, &error));
    assert_true(!strncmp(version, "PostgreSQL ", 11));
    assert_int_equal(number_of(db, "SELECT n FROM counter"), 4 * COUNTS);
    vl_db_close(db);
}

/* ---- killed, and out of room ------------------------------------------------------------- */

enum { KILLS = 200 };

/* Inserts one number after another and says each on `out` once it is written. */
static void write_until_killed(const char *url, int64_t from, int out) {
    vl_db *db;
    while (vl_db_open(url, NULL, &db, NULL)) /* the killed ones' places are not free at once */
        usleep(1000);
    for (int64_t n = from;; n++) {
        vl_db_call put = {.sql = "INSERT INTO kept VALUES ($1, $2)",
                          VL_DB_PARAMS(vl_db_int(n), vl_db_text("padding padding padding"))};
        vl_status status = vl_db_once(db, &put, NULL);
        if (status ==
            VL_ERR_INPUT) /* the last one's, which was on its way when it was killed */
            continue;
        if (status || write(out, &n, sizeof n) != sizeof n)
            _exit(2);
    }
}

static void test_killed(const char *url) {
    vl_db *db = open_empty(url, NULL);
    uint64_t chance = 11;
    int64_t last = 0, written = 0;
    need(run(db, "CREATE TABLE kept (n BIGINT PRIMARY KEY, t TEXT)"));
    for (int i = 0; i < KILLS; i++) {
        int pipes[2], status;
        int64_t n;
        assert_int_equal(pipe(pipes), 0);
        int64_t first = number_of(db, "SELECT coalesce(max(n), 0) FROM kept") + 1;
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child)
            write_until_killed(url, first, pipes[1]);
        close(pipes[1]);
        usleep((useconds_t)(2000 + vl_random_below(&chance, 12000)));
        kill(child, SIGKILL);
        while (read(pipes[0], &n, sizeof n) == sizeof n) {
            last = n;
            written++;
        }
        close(pipes[0]);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        char sql[80];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM kept WHERE n <= %lld", (long long)last);
        assert_int_equal(number_of(db, sql), last); /* all that was acknowledged is there */
    }
    assert_true(written > 0);
    if (!vl_db_is_postgres(db))
        assert_int_equal(number_of(db, "SELECT count(*) FROM pragma_integrity_check "
                                       "WHERE integrity_check = 'ok'"),
                         1);
    vl_db_close(db);
}

static void test_killed_sqlite(void **state) {
    (void)state;
    test_killed(sqlite_url());
}

static void test_killed_postgres(void **state) {
    (void)state;
    test_killed(postgres_url());
}

static vl_status ask_beside(vl_db_conn *conn, void *db, vl_error *why) {
    (void)conn;
    return vl_db_once(db, &(vl_db_call){.sql = "SELECT 1"}, why);
}

/* A connection more must not drop the locks of those before it: another program that leaves the
 * database would take itself for the last one and remove the log that is still read here. The
 * other one is forked before, so that it inherits none of SQLite's own notes. */
static void test_another_program_leaves(void **state) {
    int go[2], status;
    char byte = 0;
    (void)state;
    remove_sqlite("test.db");
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        vl_db *own;
        bool failed = read(go[0], &byte, 1) != 1 ||
                      vl_db_open(sqlite_url(), NULL, &own, NULL) ||
                      run(own, "INSERT INTO kept VALUES (1)");
        if (!failed)
            vl_db_close(own);
        _exit(failed);
    }
    vl_db *db = open_empty(sqlite_url(), NULL);
    need(run(db, "CREATE TABLE kept (n BIGINT)"));
    need(vl_db_transact(db, VL_DB_SNAPSHOT, ask_beside, db, &error));
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
    assert_int_equal(access(FOLDER "/test.db-wal", F_OK), 0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM kept"), 1);
    vl_db_close(db);
    close(go[0]);
    close(go[1]);
}

/* No room: said as such, nothing half written, and well again when there is room. */
static void test_no_room(void **state) {
    vl_db *db = open_empty(sqlite_url(), NULL);
    struct rlimit old, small = {.rlim_cur = 96 << 10, .rlim_max = RLIM_INFINITY};
    static char large[64 << 10];
    vl_db_call put = {.sql = "INSERT INTO kept VALUES ($1)",
                      VL_DB_PARAMS(vl_db_blob(large, sizeof large))};
    vl_status status = VL_OK;
    int64_t kept = 0;
    (void)state;
    need(run(db, "CREATE TABLE kept (b BYTEA)"));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    for (; kept < 10 && !status; kept += !status)
        status = vl_db_once(db, &put, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, VL_ERR_IO);
    assert_int_equal(number_of(db, "SELECT count(*) FROM kept"), kept);
    need(vl_db_once(db, &put, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM kept"), kept + 1);
    vl_db_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_many_statements),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_no_update_is_lost),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_server_goes_away),
        cmocka_unit_test(test_killed_sqlite),
        cmocka_unit_test(test_killed_postgres),
        cmocka_unit_test(test_another_program_leaves),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
