/* both.h — a test of the database runs twice: on SQLite, and on the PostgreSQL server of
 * with-postgres.sh, each time in an empty database. */
#ifndef TEST_STORE_BOTH_H
#define TEST_STORE_BOTH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER TEST_BINARY_DIR "/store-" TEST_NAME

static vl_error error;

static void need(vl_status status) {
    if (status)
        fail_msg("%s: %s", vl_status_name(status), error.message);
}

static void remove_sqlite(const char *name) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[512];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, FOLDER "/%s%s", name, ends[i]);
        unlink(path);
    }
}

static const char *sqlite_url(void) {
    return "sqlite://" FOLDER "/test.db";
}

static const char *postgres_url(void) {
    const char *url = getenv("VISLANG_TEST_POSTGRES");
    assert_non_null(url);
    return url;
}

static vl_db *open_empty(const char *url, const vl_db_options *options) {
    vl_db *db;
    if (!strncmp(url, "sqlite", 6))
        remove_sqlite("test.db");
    need(vl_db_open(url, options, &db, &error));
    if (vl_db_is_postgres(db))
        need(vl_db_once(db, &(vl_db_call){.sql = "DROP SCHEMA public CASCADE"}, &error));
    if (vl_db_is_postgres(db))
        need(vl_db_once(db, &(vl_db_call){.sql = "CREATE SCHEMA public"}, &error));
    return db;
}

typedef void (*on_database)(vl_db *db);
__attribute__((unused)) static void on_both(on_database test) {
    need(vl_dir_make(FOLDER, &error));
    const char *const urls[] = {sqlite_url(), postgres_url()};
    for (int i = 0; i < 2; i++) {
        vl_db *db = open_empty(urls[i], NULL);
        test(db);
        vl_db_close(db);
    }
}

__attribute__((unused)) static int64_t number_of(vl_db *db, const char *sql) {
    int64_t number = -1;
    need(vl_db_once(db, &(vl_db_call){.sql = sql, .row = vl_db_take_int, .user = &number},
                    &error));
    return number;
}

__attribute__((unused)) static vl_status run(vl_db *db, const char *sql) {
    return vl_db_once(db, &(vl_db_call){.sql = sql}, &error);
}

#endif
