/* db_postgres.c — PostgreSQL 13 and newer, by way of libpq.
 *
 * Nobody waits for ever for a server that is silent. A connection is there within 5 s or is
 * not; a host that vanished without a word is found out by the kernel (tcp_user_timeout,
 * keepalives); and a server that holds the connection and says nothing is asked over another
 * one whether it is alive, as often as that time passes: a statement that takes long goes on, a
 * server that hangs is given up (VL_ERR_MISSING). What the URL says of these goes before. */
#include "store/db.h"

#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREPARED_MAX = 256,
    PARAMS_MAX = 64,
    COLUMNS_MAX = 64,
    NUMBER_SIZE = 40,
    OLDEST_SERVER = 130000,
};
/* Types of columns, as the server numbers them (pg_type.dat). */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701
};

typedef struct db_link {
    PGconn *server;
    char *url;                    /* to ask whether the server is alive */
    int patience_ms;              /* before that; -1: without an end */
    bool is_lost;                 /* it was not */
    char *prepared[PREPARED_MAX]; /* the statement called "s<i>" */
    size_t count, next;
} db_link;

/* By class of SQLSTATE (PostgreSQL documentation, appendix A). */
static vl_status status_of(const char *state) {
    static const struct {
        const char *begins;
        vl_status status;
    } classes[] = {
        {"08P01", VL_ERR_INTERNAL}, {"40", VL_ERR_BUSY},       {"55P03", VL_ERR_BUSY},
        {"57014", VL_ERR_TIMEOUT},  {"08", VL_ERR_MISSING},    {"57P", VL_ERR_MISSING},
        {"53300", VL_ERR_BUSY},     {"53", VL_ERR_IO},         {"25006", VL_ERR_IO},
        {"58", VL_ERR_IO},          {"23", VL_ERR_INPUT},      {"22", VL_ERR_INPUT},
        {"28", VL_ERR_MISSING},     {"3D000", VL_ERR_MISSING},
    };
    if (!state) /* libpq itself says so: there is no server to say it */
        return VL_ERR_MISSING;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (!strncmp(state, classes[i].begins, strlen(classes[i].begins)))
            return classes[i].status;
    return VL_ERR_INTERNAL;
}

/* The first line of what libpq says. */
static const char *one_line(const char *message, char *out, size_t size) {
    snprintf(out, size, "%.*s", (int)strcspn(message, "\n"), message);
    return out;
}

static vl_status trouble(db_link *l, PGresult *result, vl_error *error) {
    char line[400];
    bool broken = l->is_lost || PQstatus(l->server) != CONNECTION_OK;
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *said = l->is_lost ? "it says nothing any more"
                       : result   ? PQresultErrorMessage(result)
                                  : PQerrorMessage(l->server);
    vl_status status = broken ? VL_ERR_MISSING : status_of(state);
    return vl_fail(error, status, "the database: %s", one_line(said, line, sizeof line));
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* What a connection is made with: what the URL says, and else this. */
static const char *const connect_keys[] = {"connect_timeout",
                                           "tcp_user_timeout",
                                           "keepalives_idle",
                                           "keepalives_interval",
                                           "keepalives_count",
                                           "application_name",
                                           "dbname", /* the URL: goes before those before it */
                                           NULL};
enum { URL_AT = 6, CONNECT_VALUES = 8 };
static void connect_values(const char *url, const char *values[CONNECT_VALUES]) {
    static const char *const defaults[CONNECT_VALUES] = {"5", "15000", "15",
                                                         "5", "3",     "vislang"};
    memcpy(values, defaults, sizeof defaults);
    values[URL_AT] = url;
}

/* Whether another connection gets as far as a word from the server. */
static bool is_alive_elsewhere(const db_link *l) {
    const char *values[CONNECT_VALUES];
    connect_values(l->url, values);
    PGPing ping = PQpingParams(connect_keys, values, 1);
    return ping == PQPING_OK || ping == PQPING_REJECT;
}

/* False: the server is given up. */
static bool wait_for_answer(db_link *l) {
    while (!l->is_lost && PQisBusy(l->server)) {
        struct pollfd socket = {.fd = PQsocket(l->server), .events = POLLIN};
        int ready = poll(&socket, 1, l->patience_ms);
        if (!ready)
            l->is_lost = !is_alive_elsewhere(l);
        else if ((ready > 0 || errno != EINTR) && !PQconsumeInput(l->server))
            break; /* PQgetResult says why */
    }
    return !l->is_lost;
}

/* NULL: there is none any more, or the server is given up. */
static PGresult *next_result(db_link *l) {
    return wait_for_answer(l) ? PQgetResult(l->server) : NULL;
}

/* The last result of what was `sent`, or the first that is an error. NULL: there is none. */
static PGresult *only_result(db_link *l, int sent) {
    PGresult *kept = NULL, *result;
    while (sent && (result = next_result(l)) != NULL) {
        if (kept && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
    }
    return kept;
}

/* ---- opening ----------------------------------------------------------------------------- */

static void postgres_close(void *opened) {
    db_link *l = opened;
    for (size_t i = 0; i < PREPARED_MAX; i++)
        free(l->prepared[i]);
    PQfinish(l->server);
    if (l->url)
        explicit_bzero(l->url, strlen(l->url));
    free(l->url);
    free(l);
}

static vl_status postgres_script(void *opened, const char *sql, vl_error *error) {
    db_link *l = opened;
    PGresult *result = only_result(l, PQsendQuery(l->server, sql));
    ExecStatusType state = PQresultStatus(result);
    vl_status status = !l->is_lost && (state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK)
                           ? VL_OK
                           : trouble(l, result, error);
    /* A COMMIT of a transaction that had failed is a rollback that calls itself done. */
    if (!status && !strcmp(sql, "COMMIT") && !strcmp(PQcmdStatus(result), "ROLLBACK"))
        status = vl_fail(error, VL_ERR_BUSY, "the database undid the transaction");
    PQclear(result);
    return status;
}

static void keep_quiet(void *nothing, const PGresult *notice) {
    (void)nothing;
    (void)notice;
}

/* As the connection has it, from the URL or from us; 0 is the system's, which is no end. */
static int patience_of(PGconn *server) {
    int ms = 0;
    PQconninfoOption *options = PQconninfo(server);
    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (!strcmp(o->keyword, "tcp_user_timeout") && o->val)
            ms = atoi(o->val);
    PQconninfoFree(options);
    return ms > 0 ? ms : -1;
}

static vl_status postgres_open(const char *url, void **opened, vl_error *error) {
    static const char *const settings =
        "SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET lock_timeout = '10s';"
        "SET idle_in_transaction_session_timeout = '60s'; SET extra_float_digits = 1";
    char line[400];
    const char *values[CONNECT_VALUES];
    db_link *l = calloc(1, sizeof *l);
    if (!l || !(l->url = strdup(url))) {
        free(l);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a connection");
    }
    connect_values(url, values);
    l->server = PQconnectdbParams(connect_keys, values, 1);
    vl_status status = VL_OK;
    if (PQstatus(l->server) != CONNECTION_OK)
        status = vl_fail(error, VL_ERR_MISSING, "the database cannot be reached: %s",
                         one_line(PQerrorMessage(l->server), line, sizeof line));
    else if (PQserverVersion(l->server) < OLDEST_SERVER)
        status = vl_fail(error, VL_ERR_UNSUPPORTED, "PostgreSQL 13 or newer is needed");
    if (!status) {
        l->patience_ms = patience_of(l->server);
        PQsetNoticeReceiver(l->server, keep_quiet, NULL);
        status = postgres_script(l, settings, error);
    }
    if (status) {
        postgres_close(l);
        return status;
    }
    *opened = l;
    return VL_OK;
}

static bool postgres_is_alive(void *opened) {
    db_link *l = opened;
    return !l->is_lost && PQstatus(l->server) == CONNECTION_OK;
}

/* ---- statements -------------------------------------------------------------------------- */

static void deallocate(db_link *l, size_t i) {
    char sql[64];
    snprintf(sql, sizeof sql, "DEALLOCATE s%zu", i);
    PQclear(only_result(l, PQsendQuery(l->server, sql)));
    free(l->prepared[i]);
    l->prepared[i] = NULL;
}

/* Names the statement, prepared once a connection. */
static vl_status prepare(db_link *l, const char *sql, char name[24], vl_error *error) {
    for (size_t i = 0; i < l->count; i++)
        if (l->prepared[i] && !strcmp(l->prepared[i], sql)) {
            snprintf(name, 24, "s%zu", i);
            return VL_OK;
        }
    size_t place = l->count < PREPARED_MAX ? l->count : l->next;
    if (l->prepared[place])
        deallocate(l, place);
    snprintf(name, 24, "s%zu", place);
    PGresult *result = only_result(l, PQsendPrepare(l->server, name, sql, 0, NULL));
    vl_status status = !l->is_lost && PQresultStatus(result) == PGRES_COMMAND_OK
                           ? VL_OK
                           : trouble(l, result, error);
    PQclear(result);
    if (status)
        return status;
    l->prepared[place] = strdup(sql);
    if (place == l->count)
        l->count++;
    else
        l->next = (l->next + 1) % PREPARED_MAX;
    return VL_OK;
}

typedef struct parameters {
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX], formats[PARAMS_MAX];
    char numbers[PARAMS_MAX][NUMBER_SIZE];
} parameters;

static vl_status fill(parameters *p, const vl_db_call *call, vl_error *error) {
    if (call->count > PARAMS_MAX)
        return vl_fail(error, VL_ERR_INTERNAL, "over %d parameters", PARAMS_MAX);
    for (size_t i = 0; i < call->count; i++) {
        const vl_db_value *value = &call->params[i];
        p->formats[i] = value->type == VL_DB_BLOB;
        p->values[i] = value->type == VL_DB_NULL ? NULL : p->numbers[i];
        if (value->type == VL_DB_INT)
            snprintf(p->numbers[i], NUMBER_SIZE, "%" PRId64, value->integer);
        else if (value->type == VL_DB_REAL)
            snprintf(p->numbers[i], NUMBER_SIZE, "%.17g", value->real);
        else if (value->type != VL_DB_NULL)
            p->values[i] = value->bytes;
        if (value->count > INT32_MAX / 2)
            return vl_fail(error, VL_ERR_LIMIT, "a value of over 1 GB");
        p->lengths[i] = (int)value->count;
        if (value->type == VL_DB_TEXT && strlen(value->bytes) != value->count)
            return vl_fail(error, VL_ERR_INPUT, "a text with a NUL in it");
    }
    return VL_OK;
}

static unsigned hex_digit(char c) {
    return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* "\x68656a", decoded in place. */
static vl_db_value blob_of(char *text, size_t length) {
    size_t count = length >= 2 ? (length - 2) / 2 : 0;
    for (size_t i = 0; i < count; i++)
        text[i] = (char)(hex_digit(text[2 + 2 * i]) << 4 | hex_digit(text[3 + 2 * i]));
    return vl_db_blob(text, count);
}

static vl_db_value column_of(PGresult *result, int row, int i) {
    if (PQgetisnull(result, row, i))
        return vl_db_null();
    char *text = PQgetvalue(result, row, i);
    size_t length = (size_t)PQgetlength(result, row, i);
    switch (PQftype(result, i)) {
    case OID_INT8:
    case OID_INT4:
    case OID_INT2:
        return vl_db_int(strtoll(text, NULL, 10));
    case OID_BOOL:
        return vl_db_int(*text == 't');
    case OID_FLOAT4:
    case OID_FLOAT8:
        return vl_db_real(strtod(text, NULL));
    case OID_BYTEA:
        return blob_of(text, length);
    default:
        return (vl_db_value){.type = VL_DB_TEXT, .bytes = text, .count = length};
    }
}

static vl_status give_rows(PGresult *result, const vl_db_call *call, vl_error *error) {
    vl_db_value columns[COLUMNS_MAX];
    int rows = PQntuples(result), count = PQnfields(result);
    if (count > COLUMNS_MAX)
        return vl_fail(error, VL_ERR_INTERNAL, "over %d columns", COLUMNS_MAX);
    for (int row = 0; row < rows && call->row; row++) {
        for (int i = 0; i < count; i++)
            columns[i] = column_of(result, row, i);
        vl_status status = call->row(columns, (size_t)count, call->user, error);
        if (status)
            return status;
    }
    return VL_OK;
}

/* A row at a time, so that a table larger than memory can be walked. */
static vl_status give_results(db_link *l, const vl_db_call *call, vl_error *error) {
    vl_status status = VL_OK;
    PGresult *result;
    while ((result = next_result(l)) != NULL) {
        ExecStatusType state = PQresultStatus(result);
        if (status)
            ; /* only emptied, so that the connection can go on */
        else if (state == PGRES_SINGLE_TUPLE)
            status = give_rows(result, call, error);
        else if (state != PGRES_TUPLES_OK && state != PGRES_COMMAND_OK)
            status = trouble(l, result, error);
        else if (call->changed)
            *call->changed = strtoll(PQcmdTuples(result), NULL, 10);
        PQclear(result);
    }
    if (!status && !postgres_is_alive(l))
        status = trouble(l, NULL, error);
    return status;
}

static vl_status postgres_run(void *opened, const vl_db_call *call, vl_error *error) {
    db_link *l = opened;
    char name[24];
    parameters p;
    vl_status status = fill(&p, call, error);
    if (!status)
        status = prepare(l, call->sql, name, error);
    if (status)
        return status;
    if (!PQsendQueryPrepared(l->server, name, (int)call->count, p.values, p.lengths, p.formats,
                             0) ||
        !PQsetSingleRowMode(l->server))
        return trouble(l, NULL, error);
    return give_results(l, call, error);
}

const vl_db_driver vl_db_postgres = {
    .name = "postgresql",
    .open = postgres_open,
    .close = postgres_close,
    .is_alive = postgres_is_alive,
    .run = postgres_run,
    .script = postgres_script,
    .begin = {[VL_DB_SERIALIZABLE] = "BEGIN ISOLATION LEVEL SERIALIZABLE",
              [VL_DB_READ_COMMITTED] = "BEGIN ISOLATION LEVEL READ COMMITTED",
              [VL_DB_SNAPSHOT] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
};
