/* db.c — values, the pool of connections, and transactions that are begun again.
 *
 *   vl_db_open, borrow, give_back     the pool
 *   vl_db_transact, vl_db_once        what runs on a connection
 *   vl_db_together                    several of them as one */
#include "store/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { URL_MAX = 1024, MAX_TRIES = 12, FIRST_PAUSE_MS = 4, LONGEST_PAUSE_MS = 500 };

struct vl_db_conn {
    vl_db_conn *next; /* idle */
    const vl_db_driver *driver;
    void *link;
};

struct vl_db {
    const vl_db_driver *driver;
    char url[URL_MAX];
    vl_db_options options;
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    vl_db_conn *idle;
    size_t open; /* idle and lent */
};

/* The transaction that this thread is in by vl_db_together. */
static _Thread_local struct {
    const vl_db *db; /* NULL: none */
    vl_db_conn *conn;
} together;

/* ---- values ------------------------------------------------------------------------------ */

vl_db_value vl_db_int(int64_t value) {
    return (vl_db_value){.type = VL_DB_INT, .integer = value};
}

vl_db_value vl_db_real(double value) {
    return (vl_db_value){.type = VL_DB_REAL, .real = value};
}

vl_db_value vl_db_text(const char *text) {
    return text ? (vl_db_value){.type = VL_DB_TEXT, .bytes = text, .count = strlen(text)}
                : vl_db_null();
}

vl_db_value vl_db_blob(const void *bytes, size_t count) {
    return (vl_db_value){.type = VL_DB_BLOB, .bytes = count ? bytes : "", .count = count};
}

vl_db_value vl_db_null(void) {
    return (vl_db_value){.type = VL_DB_NULL};
}

const char *vl_db_string(const vl_db_value *value) {
    return value->type == VL_DB_TEXT ? value->bytes : "";
}

vl_status vl_db_take_int(const vl_db_value *columns, size_t count, void *int64,
                         vl_error *error) {
    (void)count;
    (void)error;
    *(int64_t *)int64 = columns[0].integer;
    return VL_OK;
}

int64_t vl_db_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the pool ---------------------------------------------------------------------------- */

vl_db_options vl_db_options_default(void) {
    return (vl_db_options){.max_connections = 8, .wait_seconds = 10};
}

static const vl_db_driver *driver_of(const char *url) {
    if (!strncmp(url, "sqlite:", 7))
        return &vl_db_sqlite;
    if (!strncmp(url, "postgresql://", 13) || !strncmp(url, "postgres://", 11))
        return &vl_db_postgres;
    return NULL;
}

static vl_db_conn *conn_new(vl_db *db, vl_error *error) {
    vl_db_conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        vl_fail(error, VL_ERR_MEMORY, "no memory for a connection");
        return NULL;
    }
    conn->driver = db->driver;
    if (db->driver->open(db->url, &conn->link, error)) {
        free(conn);
        return NULL;
    }
    return conn;
}

static void conn_free(vl_db_conn *conn) {
    conn->driver->close(conn->link);
    free(conn);
}

static struct timespec deadline_in(double seconds) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)seconds;
    at.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* One that is idle, or leave to open another: then `*conn` is NULL. */
static vl_status borrow_place(vl_db *db, vl_db_conn **conn, vl_error *error) {
    struct timespec until = deadline_in(db->options.wait_seconds);
    vl_status status = VL_OK;
    *conn = NULL;
    pthread_mutex_lock(&db->lock);
    while (!db->idle && db->open >= db->options.max_connections && !status)
        if (pthread_cond_timedwait(&db->given_back, &db->lock, &until) == ETIMEDOUT)
            status = VL_ERR_BUSY;
    if (db->idle) {
        *conn = db->idle;
        db->idle = (*conn)->next;
        status = VL_OK;
    } else if (!status) {
        db->open++;
    }
    pthread_mutex_unlock(&db->lock);
    return status ? vl_fail(error, status,
                            "all %zu connections to the database were in use for %.0f s",
                            db->options.max_connections, db->options.wait_seconds)
                  : VL_OK;
}

static void place_free(vl_db *db) {
    pthread_mutex_lock(&db->lock);
    db->open--;
    pthread_cond_signal(&db->given_back);
    pthread_mutex_unlock(&db->lock);
}

static vl_status borrow(vl_db *db, vl_db_conn **conn, vl_error *error) {
    vl_error why = {0};
    vl_status status = borrow_place(db, conn, error);
    if (status || *conn)
        return status;
    *conn = conn_new(db, &why);
    if (*conn)
        return VL_OK;
    place_free(db);
    return vl_fail(error, why.status, "%s", why.message);
}

static void give_back(vl_db *db, vl_db_conn *conn, bool is_broken) {
    if (is_broken || !conn->driver->is_alive(conn->link)) {
        conn_free(conn);
        place_free(db);
        return;
    }
    pthread_mutex_lock(&db->lock);
    conn->next = db->idle;
    db->idle = conn;
    pthread_cond_signal(&db->given_back);
    pthread_mutex_unlock(&db->lock);
}

static void init_locks(vl_db *db) {
    pthread_condattr_t attributes;
    pthread_mutex_init(&db->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&db->given_back, &attributes);
    pthread_condattr_destroy(&attributes);
}

vl_status vl_db_open(const char *url, const vl_db_options *options, vl_db **db,
                     vl_error *error) {
    const vl_db_driver *driver = driver_of(url);
    vl_db_conn *first;
    *db = NULL;
    if (!driver)
        return vl_fail(error, VL_ERR_USAGE,
                       "a database's URL begins with sqlite: or postgresql://");
    if (strlen(url) >= URL_MAX)
        return vl_fail(error, VL_ERR_USAGE, "a database's URL has at most %d bytes",
                       URL_MAX - 1);
    vl_db *made = calloc(1, sizeof *made);
    if (!made)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a database");
    made->driver = driver;
    strcpy(made->url, url);
    made->options = options ? *options : vl_db_options_default();
    init_locks(made);
    vl_status status = borrow(made, &first, error);
    if (status) {
        vl_db_close(made);
        return status;
    }
    give_back(made, first, false);
    *db = made;
    return VL_OK;
}

void vl_db_close(vl_db *db) {
    if (!db)
        return;
    while (db->idle) {
        vl_db_conn *conn = db->idle;
        db->idle = conn->next;
        conn_free(conn);
    }
    pthread_cond_destroy(&db->given_back);
    pthread_mutex_destroy(&db->lock);
    explicit_bzero(db->url, sizeof db->url);
    free(db);
}

const char *vl_db_kind(const vl_db *db) {
    return db->driver->name;
}

bool vl_db_is_postgres(const vl_db *db) {
    return db->driver == &vl_db_postgres;
}

bool vl_db_conn_is_postgres(const vl_db_conn *conn) {
    return conn->driver == &vl_db_postgres;
}

/* ---- what runs on a connection ----------------------------------------------------------- */

vl_status vl_db_run(vl_db_conn *conn, const vl_db_call *call, vl_error *error) {
    return conn->driver->run(conn->link, call, error);
}

vl_status vl_db_script(vl_db_conn *conn, const char *sql, vl_error *error) {
    return conn->driver->script(conn->link, sql, error);
}

/* One try. `*committing`: the connection broke when nobody can say whether the work is done. */
static vl_status attempt(vl_db_conn *conn, vl_db_isolation isolation, vl_db_work work,
                         void *user, bool *committing, vl_error *error) {
    *committing = false;
    vl_status status = vl_db_script(conn, conn->driver->begin[isolation], error);
    if (status)
        return status;
    status = work(conn, user, error);
    if (!status) {
        *committing = true;
        status = vl_db_script(conn, "COMMIT", error);
    }
    if (status && conn->driver->is_alive(conn->link))
        vl_db_script(conn, "ROLLBACK", NULL); /* the first trouble is the one to tell */
    return status;
}

/* Longer every time, and by chance, so that two do not meet again. */
static void pause_after(int tries) {
    uint64_t chance;
    int64_t longest = (int64_t)FIRST_PAUSE_MS << tries;
    vl_random_bytes(&chance, sizeof chance);
    longest = longest > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : longest;
    int64_t ms = longest / 2 + (int64_t)(chance % (uint64_t)(longest / 2 + 1));
    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000L}, NULL);
}

static bool is_worth_another(vl_status status, bool committing) {
    return status == VL_ERR_BUSY || (status == VL_ERR_MISSING && !committing);
}

vl_status vl_db_transact(vl_db *db, vl_db_isolation isolation, vl_db_work work, void *user,
                         vl_error *error) {
    vl_status status = VL_OK;
    if (together.db == db)
        return work(together.conn, user, error);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        vl_db_conn *conn;
        bool committing = false;
        status = borrow(db, &conn, error);
        if (status)
            return status;
        status = attempt(conn, isolation, work, user, &committing, error);
        give_back(db, conn, status == VL_ERR_MISSING);
        if (!is_worth_another(status, committing))
            return status;
        pause_after(tries);
    }
    return status;
}

typedef struct joint {
    const vl_db *db;
    vl_db_joint work;
    void *user;
} joint;

static vl_status run_joint(vl_db_conn *conn, void *user, vl_error *error) {
    const joint *j = user;
    together.db = j->db;
    together.conn = conn;
    vl_status status = j->work(j->user, error);
    together.db = NULL;
    return status;
}

vl_status vl_db_together(vl_db *db, vl_db_joint work, void *user, vl_error *error) {
    joint j = {db, work, user};
    return together.db == db ? work(user, error)
                             : vl_db_transact(db, VL_DB_SERIALIZABLE, run_joint, &j, error);
}

bool vl_db_is_together(const vl_db *db) {
    return together.db == db;
}

static vl_status run_call(vl_db_conn *conn, void *call, vl_error *error) {
    return vl_db_run(conn, call, error);
}

vl_status vl_db_once(vl_db *db, const vl_db_call *call, vl_error *error) {
    return vl_db_transact(db, VL_DB_READ_COMMITTED, run_call, (void *)call, error);
}

static vl_status take_version(const vl_db_value *columns, size_t count, void *version,
                              vl_error *error) {
    const char *text = vl_db_string(&columns[0]);
    size_t bytes = strcspn(text, "(,");
    (void)count;
    (void)error;
    bytes = bytes < 63 ? bytes : 63;
    while (bytes && text[bytes - 1] == ' ')
        bytes--;
    memcpy(version, text, bytes);
    ((char *)version)[bytes] = '\0';
    return VL_OK;
}

vl_status vl_db_ping(vl_db *db, char version[64], vl_error *error) {
    const char *sql =
        vl_db_is_postgres(db) ? "SELECT version()" : "SELECT 'SQLite ' || sqlite_version()";
    version[0] = '\0';
    return vl_db_once(db, &(vl_db_call){.sql = sql, .row = take_version, .user = version},
                      error);
}
