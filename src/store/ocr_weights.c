/* ocr_weights.c — the track record of engines in the tables ocr_weights, ocr_calibrations and
 * ocr_record, whose one row has the mark.
 *
 * A change begins by taking hold of that row, so that changes happen one after the other on
 * either kind of database. */
#include "store/db.h"

#include <math.h>
#include <string.h>

/* ---- the mark ---------------------------------------------------------------------------- */

static vl_status read_mark(vl_db_conn *conn, int64_t *mark, vl_error *error) {
    *mark = 0;
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "SELECT mark FROM ocr_record WHERE id = 1",
                                   .row = vl_db_take_int,
                                   .user = mark},
                     error);
}

/* With the row locked until the end of the transaction, as every update does. */
static vl_status hold_mark(vl_db_conn *conn, int64_t *mark, vl_error *error) {
    return vl_db_run(conn,
                     &(vl_db_call){.sql =
                                       "INSERT INTO ocr_record (id, mark) VALUES (1, 0) "
                                       "ON CONFLICT (id) DO UPDATE SET mark = ocr_record.mark "
                                       "RETURNING mark",
                                   .row = vl_db_take_int,
                                   .user = mark},
                     error);
}

static vl_status leave_mark(vl_db_conn *conn, int64_t *mark, vl_error *error) {
    uint64_t chance;
    vl_random_bytes(&chance, sizeof chance);
    *mark = (int64_t)(chance >> 1 | 1);
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "UPDATE ocr_record SET mark = $1 WHERE id = 1",
                                   VL_DB_PARAMS(vl_db_int(*mark))},
                     error);
}

static vl_status look(vl_db_conn *conn, void *mark, vl_error *error) {
    return read_mark(conn, mark, error);
}

vl_status vl_weights_mark(vl_db *db, int64_t *mark, vl_error *error) {
    return vl_db_transact(db, VL_DB_SNAPSHOT, look, mark, error);
}

/* ---- reading ----------------------------------------------------------------------------- */

typedef struct reading {
    const vl_weights_reader *reader;
    int64_t mark;
} reading;

static vl_status take_numbers(const vl_db_value *columns, size_t count, double *out,
                              const char *table, vl_error *error) {
    for (size_t i = 0; i < count; i++) {
        out[i] = columns[i].real;
        if (columns[i].type != VL_DB_REAL || !isfinite(out[i]))
            return vl_fail(error, VL_ERR_INPUT, "the table %s has a value that is no number",
                           table);
    }
    return VL_OK;
}

static vl_status take_row(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    const vl_weights_reader *reader = ((reading *)user)->reader;
    double numbers[3];
    vl_weight row = {.fade = 1};
    (void)count;
    for (size_t i = 0; i < VL_WEIGHT_FIELDS; i++)
        row.key[i] = vl_db_string(&columns[i]);
    vl_status status =
        take_numbers(columns + VL_WEIGHT_FIELDS, 3, numbers, "ocr_weights", error);
    row.right = numbers[0];
    row.wrong = numbers[1];
    row.human = numbers[2];
    return status ? status : reader->row(&row, reader->to, error);
}

static vl_status take_calibration(const vl_db_value *columns, size_t count, void *user,
                                  vl_error *error) {
    const vl_weights_reader *reader = ((reading *)user)->reader;
    double n[3];
    (void)count;
    vl_status status = take_numbers(columns + 1, 3, n, "ocr_calibrations", error);
    vl_weight_calibration calibration = {vl_db_string(&columns[0]), n[0], n[1], n[2]};
    return status ? status : reader->calibration(&calibration, reader->to, error);
}

static vl_status read_all(vl_db_conn *conn, void *user, vl_error *error) {
    reading *r = user;
    r->reader->begin(r->reader->to);
    vl_status status = read_mark(conn, &r->mark, error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "SELECT engine, script, language, kind, source, hits, misses, "
                                 "human FROM ocr_weights "
                                 "ORDER BY engine, script, language, kind, source",
                          .row = take_row,
                          .user = r},
            error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "SELECT engine, slope, intercept, base FROM ocr_calibrations",
                          .row = take_calibration,
                          .user = r},
            error);
    return status;
}

vl_status vl_weights_read(vl_db *db, const vl_weights_reader *reader, int64_t *mark,
                          vl_error *error) {
    reading r = {.reader = reader};
    vl_status status = vl_db_transact(db, VL_DB_SNAPSHOT, read_all, &r, error);
    *mark = r.mark;
    return status;
}

/* ---- changing ---------------------------------------------------------------------------- */

typedef struct changing {
    const vl_weights *weights;
    const char *voice; /* of a reset */
    vl_weights_change *change;
    int64_t now_ms;
} changing;

static vl_status add_row(vl_db_conn *conn, const vl_weight *row, int64_t now_ms,
                         vl_error *error) {
    const char *const *key = row->key;
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "INSERT INTO ocr_weights (engine, script, language, kind, source, hits, "
                   "misses, human, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                   "ON CONFLICT (engine, script, language, kind, source) DO UPDATE SET "
                   "hits = ocr_weights.hits * $10 + excluded.hits, "
                   "misses = ocr_weights.misses * $10 + excluded.misses, "
                   "human = ocr_weights.human * $10 + excluded.human, "
                   "changed_ms = excluded.changed_ms",
            VL_DB_PARAMS(vl_db_text(key[0]), vl_db_text(key[1]), vl_db_text(key[2]),
                         vl_db_text(key[3]), vl_db_text(key[4]), vl_db_real(row->right),
                         vl_db_real(row->wrong), vl_db_real(row->human), vl_db_int(now_ms),
                         vl_db_real(row->fade))},
        error);
}

static vl_status put_calibration(vl_db_conn *conn, const vl_weight_calibration *c,
                                 int64_t now_ms, vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "INSERT INTO ocr_calibrations (engine, slope, intercept, base, "
                             "changed_ms) VALUES ($1, $2, $3, $4, $5) "
                             "ON CONFLICT (engine) DO UPDATE SET slope = excluded.slope, "
                             "intercept = excluded.intercept, base = excluded.base, "
                             "changed_ms = excluded.changed_ms",
                      VL_DB_PARAMS(vl_db_text(c->voice), vl_db_real(c->slope),
                                   vl_db_real(c->offset), vl_db_real(c->base),
                                   vl_db_int(now_ms))},
        error);
}

/* Rows that are new are not those to go. */
static vl_status drop_least(vl_db_conn *conn, int64_t now_ms, vl_error *error) {
    int64_t count = 0;
    vl_status status = vl_db_run(conn,
                                 &(vl_db_call){.sql = "SELECT count(*) FROM ocr_weights",
                                               .row = vl_db_take_int,
                                               .user = &count},
                                 error);
    if (status || count <= VL_WEIGHTS_MAX)
        return status;
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "DELETE FROM ocr_weights WHERE (engine, script, language, kind, "
                             "source) IN (SELECT engine, script, language, kind, source "
                             "FROM ocr_weights WHERE changed_ms <> $1 "
                             "ORDER BY hits + misses LIMIT $2)",
                      VL_DB_PARAMS(vl_db_int(now_ms), vl_db_int(count - VL_WEIGHTS_MAX))},
        error);
}

static vl_status put_all(vl_db_conn *conn, const changing *c, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < c->weights->row_count && !status; i++)
        status = add_row(conn, &c->weights->rows[i], c->now_ms, error);
    for (size_t i = 0; i < c->weights->calibration_count && !status; i++)
        status = put_calibration(conn, &c->weights->calibrations[i], c->now_ms, error);
    return status;
}

static vl_status merge(vl_db_conn *conn, void *user, vl_error *error) {
    changing *c = user;
    vl_status status = hold_mark(conn, &c->change->before, error);
    if (!status)
        status = put_all(conn, c, error);
    if (!status)
        status = drop_least(conn, c->now_ms, error);
    return status ? status : leave_mark(conn, &c->change->after, error);
}

static vl_status remove_rows(vl_db_conn *conn, const char *sql, const char *voice,
                             int64_t *removed, vl_error *error) {
    char below[256];
    int64_t count = 0;
    size_t bytes = voice ? strlen(voice) : 0;
    vl_db_call call = {.sql = sql, .changed = &count};
    vl_db_value params[2];
    if (voice) {
        if (bytes >= sizeof below - 1)
            return VL_OK; /* no row has such a name */
        memcpy(below, voice, bytes);
        memcpy(below + bytes, "/", 2);
        params[0] = vl_db_text(voice);
        params[1] = vl_db_text(below);
        call.params = params;
        call.count = 2;
    }
    vl_status status = vl_db_run(conn, &call, error);
    *removed += count;
    return status;
}

#define OF_VOICE " WHERE engine = $1 OR substr(engine, 1, length(CAST($2 AS TEXT))) = $2"

static vl_status remove_all(vl_db_conn *conn, const char *voice, int64_t *removed,
                            vl_error *error) {
    *removed = 0;
    vl_status status = remove_rows(
        conn, voice ? "DELETE FROM ocr_weights" OF_VOICE : "DELETE FROM ocr_weights", voice,
        removed, error);
    if (!status)
        status = remove_rows(conn,
                             voice ? "DELETE FROM ocr_calibrations" OF_VOICE
                                   : "DELETE FROM ocr_calibrations",
                             voice, removed, error);
    return status;
}

static vl_status reset(vl_db_conn *conn, void *user, vl_error *error) {
    changing *c = user;
    vl_status status = hold_mark(conn, &c->change->before, error);
    if (!status)
        status = remove_all(conn, c->voice, &c->change->removed, error);
    return status ? status : leave_mark(conn, &c->change->after, error);
}

static vl_status replace(vl_db_conn *conn, void *user, vl_error *error) {
    changing *c = user;
    vl_status status = reset(conn, user, error);
    return status ? status : put_all(conn, c, error);
}

vl_status vl_weights_merge(vl_db *db, const vl_weights *learned, vl_weights_change *change,
                           vl_error *error) {
    changing c = {.weights = learned, .change = change, .now_ms = vl_db_now_ms()};
    *change = (vl_weights_change){0};
    return vl_db_transact(db, VL_DB_READ_COMMITTED, merge, &c, error);
}

vl_status vl_weights_replace(vl_db *db, const vl_weights *all, vl_weights_change *change,
                             vl_error *error) {
    changing c = {.weights = all, .change = change, .now_ms = vl_db_now_ms()};
    *change = (vl_weights_change){0};
    return vl_db_transact(db, VL_DB_READ_COMMITTED, replace, &c, error);
}

vl_status vl_weights_reset(vl_db *db, const char *voice, vl_weights_change *change,
                           vl_error *error) {
    changing c = {.voice = voice, .change = change};
    *change = (vl_weights_change){0};
    return vl_db_transact(db, VL_DB_READ_COMMITTED, reset, &c, error);
}
