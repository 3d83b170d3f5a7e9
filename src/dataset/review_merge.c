/* review_merge.c — what was said of another build of a dataset, or on another machine, taken
 * over.
 *
 * Rows are copied as they are, those that are here already stay: doing it twice changes
 * nothing. */
#include "dataset/review.h"

#include "store/db.h"

typedef struct table {
    const char *select, *insert;
    bool counts; /* its rows are decisions */
} table;

/* Not the reviewers: each folder has tokens of its own. */
static const table tables[] = {
    {"SELECT item, reviewer, revision, verdict, text, box, reason, note, seconds, decided_ms,"
     " received_ms, language, source, kind, quality, score, random, distance FROM review"
     " ORDER BY item, reviewer, revision",
     "INSERT INTO review VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
     " $15, $16, $17, $18) ON CONFLICT DO NOTHING",
     true},
    {"SELECT item, reviewer, state, at_ms FROM claim WHERE state > 0",
     "INSERT INTO claim VALUES ($1, $2, $3, $4) ON CONFLICT (item, reviewer) DO UPDATE SET "
     "state = $3"
     " WHERE state = 0",
     false},
    {"SELECT item, reviewer, revision FROM taught",
     "INSERT INTO taught VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", false},
};

typedef struct merging {
    vl_db *from;
    vl_db_conn *to;
    const table *table;
    review_merged *merged;
} merging;

/* What is here under that revision: the same decision, or another one, which stays. */
static vl_status count_kept(const merging *m, const vl_db_value *row, vl_error *error) {
    int64_t decided = -1;
    vl_status status = vl_db_run(m->to,
                                 &(vl_db_call){.sql = "SELECT decided_ms FROM review WHERE"
                                                      " item = $1 AND reviewer = $2 AND"
                                                      " revision = $3",
                                               .params = row,
                                               .count = 3,
                                               .row = vl_db_take_int,
                                               .user = &decided},
                                 error);
    m->merged->conflicts += decided != row[9].integer;
    m->merged->known += decided == row[9].integer;
    return status;
}

static vl_status copy_row(const vl_db_value *columns, size_t count, void *to, vl_error *error) {
    const merging *m = to;
    int64_t changed = 0;
    vl_status status = vl_db_run(
        m->to,
        &(vl_db_call){
            .sql = m->table->insert, .params = columns, .count = count, .changed = &changed},
        error);
    if (status || !m->table->counts)
        return status;
    m->merged->taken += (size_t)changed;
    return changed ? VL_OK : count_kept(m, columns, error);
}

static vl_status merge_work(vl_db_conn *conn, void *user, vl_error *error) {
    merging *m = user;
    vl_status status = VL_OK;
    m->to = conn;
    *m->merged = (review_merged){0};
    for (size_t t = 0; t < sizeof tables / sizeof *tables && !status; t++) {
        m->table = &tables[t];
        status = vl_db_once(
            m->from, &(vl_db_call){.sql = m->table->select, .row = copy_row, .user = m}, error);
    }
    return status;
}

vl_status review_merge(vl_db *db, const char *folder, review_merged *merged, vl_error *error) {
    merging m = {.merged = merged};
    if (!review_db_exists(folder))
        return vl_fail(error, VL_ERR_INPUT, "%s: there is no " REVIEW_FILE, folder);
    vl_status status = review_db_open(folder, &m.from, error);
    if (!status)
        status = vl_db_transact(db, VL_DB_SERIALIZABLE, merge_work, &m, error);
    vl_db_close(m.from);
    return status;
}
