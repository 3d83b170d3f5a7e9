/* db_sqlite.c — a file, by way of SQLite: write-ahead log, every commit synced. */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 5000, PREPARED_MAX = 128, COLUMNS_MAX = 64 };

typedef struct prepared {
    char *sql;
    sqlite3_stmt *statement;
    bool in_use;
} prepared;

typedef struct db_link {
    sqlite3 *file;
    prepared prepared[PREPARED_MAX];
    size_t count, next; /* the next to make room when all are taken */
} db_link;

static vl_status status_of(int code) {
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return VL_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return VL_ERR_BUSY;
    case SQLITE_NOMEM:
        return VL_ERR_MEMORY;
    case SQLITE_CONSTRAINT:
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return VL_ERR_INPUT;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return VL_ERR_IO;
    case SQLITE_CANTOPEN:
        return VL_ERR_MISSING;
    default:
        return VL_ERR_INTERNAL;
    }
}

static vl_status trouble(db_link *l, int code, vl_error *error) {
    return vl_fail(error, status_of(code), "the database: %s",
                   l->file ? sqlite3_errmsg(l->file) : sqlite3_errstr(code));
}

/* ---- opening ----------------------------------------------------------------------------- */

static vl_status path_of(const char *url, char *path, size_t size, vl_error *error) {
    const char *name = url + strlen("sqlite:");
    int length;
    if (!strncmp(name, "///", 3))
        name += 2;
    if (*name)
        length = snprintf(path, size, "%s", name);
    else if (*vl_state_dir())
        length = snprintf(path, size, "%s/vislang.db", vl_state_dir());
    else
        return vl_fail(error, VL_ERR_USAGE,
                       "there is no state directory for the database: name a file, "
                       "sqlite:///path/vislang.db");
    if (length >= (int)size)
        return vl_fail(error, VL_ERR_USAGE, "the path of the database is too long");
    return VL_OK;
}

/* The folder, and a file that only its owner reads. A file that is there is not opened here:
 * closing it would drop the locks that SQLite holds on it for this process's other connections
 * (POSIX fcntl locks), and the next program to leave the database would take itself for the
 * last one and remove the write-ahead log under us. */
static vl_status make_file(const char *path, vl_error *error) {
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (slash && slash > path) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        vl_status status = vl_dir_make(folder, error);
        if (status)
            return status;
    }
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST && !access(path, R_OK | W_OK))
        return VL_OK;
    if (file < 0)
        return vl_fail(error, errno == EACCES || errno == EROFS ? VL_ERR_IO : VL_ERR_MISSING,
                       "%s: %s", path, strerror(errno));
    close(file);
    return VL_OK;
}

static void sqlite_close(void *opened) {
    db_link *l = opened;
    for (size_t i = 0; i < l->count; i++) {
        sqlite3_finalize(l->prepared[i].statement);
        free(l->prepared[i].sql);
    }
    sqlite3_close(l->file);
    free(l);
}

static vl_status sqlite_script(void *opened, const char *sql, vl_error *error) {
    db_link *l = opened;
    int code = sqlite3_exec(l->file, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? VL_OK : trouble(l, code, error);
}

static vl_status sqlite_open(const char *url, void **opened, vl_error *error) {
    char path[4096];
    vl_status status = path_of(url, path, sizeof path, error);
    if (!status)
        status = make_file(path, error);
    if (status)
        return status;
    db_link *l = calloc(1, sizeof *l);
    if (!l)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a connection");
    int code =
        sqlite3_open_v2(path, &l->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        status = trouble(l, code, error);
    } else {
        sqlite3_extended_result_codes(l->file, 1);
        sqlite3_busy_timeout(l->file, BUSY_MS);
        status = sqlite_script(l,
                               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
                               error);
    }
    if (status) {
        vl_error_prefix(error, "%s", path);
        sqlite_close(l);
        return status;
    }
    *opened = l;
    return VL_OK;
}

static bool sqlite_is_alive(void *opened) {
    (void)opened;
    return true;
}

/* ---- statements -------------------------------------------------------------------------- */

static void forget(prepared *p) {
    sqlite3_finalize(p->statement);
    free(p->sql);
    *p = (prepared){0};
}

/* The slot for one more statement. NULL: all are running. */
static prepared *slot_of(db_link *l) {
    if (l->count < PREPARED_MAX)
        return &l->prepared[l->count++];
    for (size_t tries = 0; tries < PREPARED_MAX; tries++) {
        prepared *p = &l->prepared[l->next];
        l->next = (l->next + 1) % PREPARED_MAX;
        if (!p->in_use) {
            forget(p);
            return p;
        }
    }
    return NULL;
}

static vl_status prepare(db_link *l, const char *sql, prepared **found, vl_error *error) {
    for (size_t i = 0; i < l->count; i++)
        if (!l->prepared[i].in_use && l->prepared[i].sql && !strcmp(l->prepared[i].sql, sql)) {
            *found = &l->prepared[i];
            return VL_OK;
        }
    sqlite3_stmt *statement;
    int code =
        sqlite3_prepare_v3(l->file, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (code != SQLITE_OK)
        return trouble(l, code, error);
    prepared *p = slot_of(l);
    char *copy = p ? strdup(sql) : NULL;
    if (!copy) {
        sqlite3_finalize(statement);
        return vl_fail(error, VL_ERR_MEMORY, "no room for a statement");
    }
    *p = (prepared){.sql = copy, .statement = statement};
    *found = p;
    return VL_OK;
}

static int bind_value(sqlite3_stmt *statement, int place, const vl_db_value *value) {
    switch (value->type) {
    case VL_DB_NULL:
        return sqlite3_bind_null(statement, place);
    case VL_DB_INT:
        return sqlite3_bind_int64(statement, place, value->integer);
    case VL_DB_REAL:
        return sqlite3_bind_double(statement, place, value->real);
    case VL_DB_TEXT:
        return sqlite3_bind_text64(statement, place, value->bytes, value->count, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case VL_DB_BLOB:
        return sqlite3_bind_blob64(statement, place, value->bytes, value->count, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static vl_status bind_all(db_link *l, sqlite3_stmt *statement, const vl_db_call *call,
                          vl_error *error) {
    int wanted = sqlite3_bind_parameter_count(statement);
    if (wanted != (int)call->count)
        return vl_fail(error, VL_ERR_INTERNAL, "%zu values for %d parameters of: %.200s",
                       call->count, wanted, call->sql);
    for (size_t i = 0; i < call->count; i++) {
        char name[16];
        snprintf(name, sizeof name, "$%zu", i + 1);
        int place = sqlite3_bind_parameter_index(statement, name);
        int code = bind_value(statement, place, &call->params[i]);
        if (code != SQLITE_OK)
            return trouble(l, code, error);
    }
    return VL_OK;
}

static vl_db_value column_of(sqlite3_stmt *statement, int i) {
    switch (sqlite3_column_type(statement, i)) {
    case SQLITE_INTEGER:
        return vl_db_int(sqlite3_column_int64(statement, i));
    case SQLITE_FLOAT:
        return vl_db_real(sqlite3_column_double(statement, i));
    case SQLITE_TEXT:
        return (vl_db_value){.type = VL_DB_TEXT,
                             .bytes = sqlite3_column_text(statement, i),
                             .count = (size_t)sqlite3_column_bytes(statement, i)};
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_column_blob(statement, i);
        return vl_db_blob(bytes, (size_t)sqlite3_column_bytes(statement, i));
    }
    default:
        return vl_db_null();
    }
}

static vl_status step_all(db_link *l, sqlite3_stmt *statement, const vl_db_call *call,
                          vl_error *error) {
    vl_db_value columns[COLUMNS_MAX];
    int count = sqlite3_column_count(statement), code;
    if (count > COLUMNS_MAX)
        return vl_fail(error, VL_ERR_INTERNAL, "over %d columns", COLUMNS_MAX);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < count; i++)
            columns[i] = column_of(statement, i);
        vl_status status =
            call->row ? call->row(columns, (size_t)count, call->user, error) : VL_OK;
        if (status)
            return status;
    }
    return code == SQLITE_DONE ? VL_OK : trouble(l, code, error);
}

static vl_status sqlite_run(void *opened, const vl_db_call *call, vl_error *error) {
    db_link *l = opened;
    prepared *p = NULL;
    vl_status status = prepare(l, call->sql, &p, error);
    if (status)
        return status;
    p->in_use = true;
    status = bind_all(l, p->statement, call, error);
    if (!status)
        status = step_all(l, p->statement, call, error);
    if (!status && call->changed)
        *call->changed = sqlite3_changes64(l->file);
    sqlite3_reset(p->statement);
    sqlite3_clear_bindings(p->statement);
    p->in_use = false;
    return status;
}

/* A transaction that will write takes its turn at once, so that no other can be in its way
 * later on. */
const vl_db_driver vl_db_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .is_alive = sqlite_is_alive,
    .run = sqlite_run,
    .script = sqlite_script,
    .begin = {[VL_DB_SERIALIZABLE] = "BEGIN IMMEDIATE",
              [VL_DB_READ_COMMITTED] = "BEGIN IMMEDIATE",
              [VL_DB_SNAPSHOT] = "BEGIN"},
};
