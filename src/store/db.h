/* db.h — one way to talk to SQLite and to PostgreSQL.
 *
 * SQL is written once, for both: parameters are $1, $2, …, in order of their first appearance;
 * times are integers (milliseconds since 1970, UTC), truth values 0 or 1, JSON is text. Only
 * prepared statements run (vl_db_run); scripts without parameters are for migrations.
 *
 * Threads: a vl_db is a pool that any thread may use; a connection belongs to the function that
 * was given it, until that function returns.
 *
 * Errors: VL_ERR_BUSY: another transaction was in the way, over and over; VL_ERR_MISSING: the
 * database cannot be reached; VL_ERR_IO: it cannot write (disk full, read only); VL_ERR_INPUT:
 * a constraint refused the data; VL_ERR_INTERNAL: the statement is wrong. */
#ifndef VL_STORE_DB_H
#define VL_STORE_DB_H

#include <vislang/store.h>

typedef struct vl_db_conn vl_db_conn;

/* ---- values ------------------------------------------------------------------------------ */

typedef enum vl_db_type {
    VL_DB_NULL,
    VL_DB_INT,
    VL_DB_REAL,
    VL_DB_TEXT, /* UTF-8, NUL-terminated; `count` bytes */
    VL_DB_BLOB,
} vl_db_type;
typedef struct vl_db_value {
    vl_db_type type;
    int64_t integer;
    double real;
    const void *bytes; /* of text and blobs; the caller's, or until the row function returns */
    size_t count;
} vl_db_value;
vl_db_value vl_db_int(int64_t value);
vl_db_value vl_db_real(double value);
vl_db_value vl_db_text(const char *text); /* NULL: a null */
vl_db_value vl_db_blob(const void *bytes, size_t count);
vl_db_value vl_db_null(void);
/* "" for a null. */
const char *vl_db_string(const vl_db_value *value);

/* ---- statements -------------------------------------------------------------------------- */

/* Called for every row; another status than VL_OK ends the statement with it. */
typedef vl_status (*vl_db_row)(const vl_db_value *columns, size_t count, void *user,
                               vl_error *error);
typedef struct vl_db_call {
    const char *sql;
    const vl_db_value *params;
    size_t count;
    vl_db_row row; /* may be NULL */
    void *user;
    int64_t *changed; /* rows inserted, updated or deleted; may be NULL */
} vl_db_call;
#define VL_DB_PARAMS(...)                                                                      \
    .params = (const vl_db_value[]){__VA_ARGS__},                                              \
    .count = sizeof((const vl_db_value[]){__VA_ARGS__}) / sizeof(vl_db_value)
vl_status vl_db_run(vl_db_conn *conn, const vl_db_call *call, vl_error *error);
/* Several statements without parameters. */
vl_status vl_db_script(vl_db_conn *conn, const char *sql, vl_error *error);
bool vl_db_is_postgres(const vl_db *db);
bool vl_db_conn_is_postgres(const vl_db_conn *conn);

/* Row functions for the commonest answers. */
vl_status vl_db_take_int(const vl_db_value *columns, size_t count, void *int64,
                         vl_error *error);

/* ---- transactions ------------------------------------------------------------------------ */

typedef enum vl_db_isolation {
    VL_DB_SERIALIZABLE,   /* as if transactions ran one after another */
    VL_DB_READ_COMMITTED, /* for queues that skip what others hold */
    VL_DB_SNAPSHOT,       /* only reads, all of one moment */
} vl_db_isolation;
typedef vl_status (*vl_db_work)(vl_db_conn *conn, void *user, vl_error *error);
/* Runs `work` in a transaction: committed when it returns VL_OK, else undone. It is run again
 * when another transaction was in its way, or the connection broke before the commit, so it
 * must begin anew each time. VL_OK: what it wrote is on disk. */
vl_status vl_db_transact(vl_db *db, vl_db_isolation isolation, vl_db_work work, void *user,
                         vl_error *error);
/* Several of the store's functions as one serializable transaction: what `work` asks of `db`,
 * on this thread, is done when it returns VL_OK, or nothing of it is. It may be run again, as
 * the work of vl_db_transact; a failure of one of them is to be returned, nothing can follow
 * it. */
typedef vl_status (*vl_db_joint)(void *user, vl_error *error);
vl_status vl_db_together(vl_db *db, vl_db_joint work, void *user, vl_error *error);
/* Whether this thread is inside of one. */
bool vl_db_is_together(const vl_db *db);
/* One statement, a transaction of its own. */
vl_status vl_db_once(vl_db *db, const vl_db_call *call, vl_error *error);

int64_t vl_db_now_ms(void);

/* ---- drivers ----------------------------------------------------------------------------- */

/* db_sqlite.c and db_postgres.c. A driver's statuses are those above; VL_ERR_BUSY says that
 * the transaction may succeed when it is begun again. */
typedef struct vl_db_driver {
    const char *name;
    vl_status (*open)(const char *url, void **link, vl_error *error);
    void (*close)(void *link);
    bool (*is_alive)(void *link); /* without asking the server */
    vl_status (*run)(void *link, const vl_db_call *call, vl_error *error);
    vl_status (*script)(void *link, const char *sql, vl_error *error);
    const char *begin[3]; /* by isolation */
} vl_db_driver;
extern const vl_db_driver vl_db_sqlite, vl_db_postgres;

#endif
