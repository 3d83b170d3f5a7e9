/* review_store.c — reviews.db: who reviews, who was given what, and all that was ever decided.
 *
 *   schema, review_db_open
 *   review_token, review_reviewer_of   reviewers
 *   review_store                       a decision, once
 *   review_verdicts, review_history    what was decided
 *   review_was_taught                  what the engines' record has learned */
#include "dataset/review.h"
#include "dataset/folder.h"

#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *review_verdict_name(review_verdict verdict) {
    static const char *const names[REVIEW_VERDICT_COUNT] = {"accepted", "corrected", "rejected",
                                                            "skipped", "undone"};
    return names[verdict];
}

const review_reason review_reasons[] = {
    {"unrelated", "Text and picture do not belong together"},
    {"wrong_answer", "The response does not answer the instruction"},
    {"wrong_text", "The text is not what stands there, past mending"},
    {"wrong_language", "It is in another language than it says"},
    {"boilerplate", "Menu, footer, page number or the like"},
    {"unreadable", "The picture cannot be made out"},
    {"personal_data", "It names a person, a number or an address"},
    {"harmful", "It may harm somebody"},
    {"duplicate", "It is there already"},
    {"other", "Something else"},
    {NULL, NULL},
};

/* ---- opening ------------------------------------------------------------------------------
 */

/* `claim.state`: 0 given, 1 decided, 2 skipped. `review.verdict` is a review_verdict's name. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS reviewer (name TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE,"
    " since_ms INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS claim (item TEXT NOT NULL, reviewer TEXT NOT NULL,"
    " state INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (item, reviewer));"
    "CREATE TABLE IF NOT EXISTS review (item TEXT NOT NULL, reviewer TEXT NOT NULL,"
    " revision INTEGER NOT NULL, verdict TEXT NOT NULL, text TEXT, box TEXT,"
    " reason TEXT NOT NULL, note TEXT NOT NULL, seconds REAL NOT NULL,"
    " decided_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, language TEXT, source TEXT,"
    " kind TEXT, quality TEXT, score REAL, random INTEGER, distance REAL,"
    " PRIMARY KEY (item, reviewer, revision));"
    "CREATE TABLE IF NOT EXISTS taught (item TEXT NOT NULL, reviewer TEXT NOT NULL,"
    " revision INTEGER NOT NULL, PRIMARY KEY (item, reviewer, revision));";
enum { SCHEMA = 1 };

static vl_status make_schema(vl_db_conn *conn, void *user, vl_error *error) {
    int64_t version = 0;
    (void)user;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "PRAGMA user_version", .row = vl_db_take_int, .user = &version},
        error);
    if (!status && version > SCHEMA)
        return vl_fail(error, VL_ERR_INPUT, REVIEW_FILE " is of a newer version of vislang");
    if (!status && version < SCHEMA)
        status = vl_db_script(conn, schema, error);
    if (!status && version < SCHEMA)
        status = vl_db_script(conn, "PRAGMA user_version = 1", error);
    return status;
}

bool review_db_exists(const char *folder) {
    char path[FOLDER_PATH_SIZE];
    return !folder_path(folder, REVIEW_FILE, path, NULL) && access(path, F_OK) == 0;
}

/* It is made with mode 0600: whoever reads a token in it reviews in another's name. */
static vl_status check_rights(const char *path, vl_error *error) {
    if (access(path, F_OK) != 0 || access(path, R_OK | W_OK) == 0)
        return VL_OK;
    return vl_fail(
        error, VL_ERR_DENIED,
        "%s: %s; it has the tokens of reviewers and is its owner's alone: do this as "
        "who reviewed, or have that user export",
        path, strerror(errno));
}

vl_status review_db_open(const char *folder, vl_db **db, vl_error *error) {
    char path[FOLDER_PATH_SIZE], url[FOLDER_PATH_SIZE + 16];
    *db = NULL;
    vl_status status = folder_path(folder, REVIEW_FILE, path, error);
    if (status)
        return status;
    snprintf(url, sizeof url, "sqlite:%s", path);
    status = check_rights(path, error);
    if (!status)
        status = vl_db_open(url, NULL, db, error);
    if (!status)
        status = vl_db_transact(*db, VL_DB_SERIALIZABLE, make_schema, NULL, error);
    if (status) {
        vl_db_close(*db);
        *db = NULL;
    }
    return status;
}

vl_status review_setting(vl_db *db, const char *name, int64_t *value, vl_error *error) {
    return vl_db_once(db,
                      &(vl_db_call){.sql = "SELECT value FROM setting WHERE name = $1",
                                    VL_DB_PARAMS(vl_db_text(name)),
                                    .row = vl_db_take_int,
                                    .user = value},
                      error);
}

vl_status review_set(vl_db *db, const char *name, int64_t value, vl_error *error) {
    return vl_db_once(db,
                      &(vl_db_call){.sql = "INSERT INTO setting VALUES ($1, $2)"
                                           " ON CONFLICT (name) DO UPDATE SET value = $2",
                                    VL_DB_PARAMS(vl_db_text(name), vl_db_int(value))},
                      error);
}

/* ---- reviewers ----------------------------------------------------------------------------
 */

typedef struct short_text {
    char *text;
    size_t size;
} short_text;

static vl_status take_text(const vl_db_value *columns, size_t count, void *to,
                           vl_error *error) {
    const short_text *into = to;
    (void)count;
    (void)error;
    snprintf(into->text, into->size, "%s", vl_db_string(&columns[0]));
    return VL_OK;
}

static bool is_name(const char *name) {
    size_t bytes = strlen(name);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return false;
    return bytes && bytes < REVIEW_NAME_SIZE && vl_utf8_valid_prefix(name, bytes) == bytes;
}

vl_status review_token(vl_db *db, const char *name, char token[REVIEW_TOKEN_SIZE],
                       vl_error *error) {
    uint8_t secret[32];
    char fresh[VL_BASE64_SIZE(sizeof secret)];
    short_text into = {token, REVIEW_TOKEN_SIZE};
    if (!is_name(name))
        return vl_fail(error, VL_ERR_USAGE,
                       "a reviewer's name has 1 to %d bytes of UTF-8 and no control characters",
                       REVIEW_NAME_SIZE - 1);
    vl_random_bytes(secret, sizeof secret);
    vl_base64_encode(secret, sizeof secret, true, fresh);
    vl_status status = vl_db_once(
        db,
        &(vl_db_call){
            .sql = "INSERT INTO reviewer VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            VL_DB_PARAMS(vl_db_text(name), vl_db_text(fresh), vl_db_int(vl_db_now_ms()))},
        error);
    if (!status)
        status = vl_db_once(db,
                            &(vl_db_call){.sql = "SELECT token FROM reviewer WHERE name = $1",
                                          VL_DB_PARAMS(vl_db_text(name)),
                                          .row = take_text,
                                          .user = &into},
                            error);
    return status;
}

vl_status review_reviewer_of(vl_db *db, const char *token, char name[REVIEW_NAME_SIZE],
                             vl_error *error) {
    short_text into = {name, REVIEW_NAME_SIZE};
    *name = '\0';
    vl_status status =
        vl_db_once(db,
                   &(vl_db_call){.sql = "SELECT name FROM reviewer WHERE token = $1",
                                 VL_DB_PARAMS(vl_db_text(token)),
                                 .row = take_text,
                                 .user = &into},
                   error);
    return status || *name ? status : vl_fail(error, VL_ERR_DENIED, "nobody has this token");
}

/* ---- values -------------------------------------------------------------------------------
 */

vl_status review_distance(const char *was, const char *is, double *distance, vl_error *error) {
    vl_edit_count there, back;
    vl_status status = vl_text_cer(is, was, &there, error);
    if (!status)
        status = vl_text_cer(was, is, &back, error);
    uint64_t longer = 0;
    if (!status)
        longer = there.length > back.length ? there.length : back.length;
    *distance = longer ? (double)there.edits / (double)longer : 0;
    return status;
}

enum { BOX_SIZE = 64, QUALITY_SIZE = 512 };

static vl_db_value box_value(const review_decision *d, char text[BOX_SIZE]) {
    if (!d->has_box)
        return vl_db_null();
    snprintf(text, BOX_SIZE, "%d %d %d %d", d->box.x, d->box.y, d->box.width, d->box.height);
    return vl_db_text(text);
}

/* "ocr=0.98 alignment=1 …" */
static void quality_write(const double quality[VL_QUALITY_PART_COUNT],
                          char text[QUALITY_SIZE]) {
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < VL_QUALITY_PART_COUNT; i++)
        used += (size_t)snprintf(text + used, QUALITY_SIZE - used, "%s%s=%.4f", i ? " " : "",
                                 vl_quality_part_name((vl_quality_part)i), quality[i]);
}

static void quality_read(const char *text, double quality[VL_QUALITY_PART_COUNT]) {
    for (int i = 0; i < VL_QUALITY_PART_COUNT; i++) {
        const char *name = vl_quality_part_name((vl_quality_part)i), *at = text;
        size_t length = strlen(name);
        while (*at && (strncmp(at, name, length) != 0 || at[length] != '=')) {
            at += strcspn(at, " ");
            at += *at == ' ';
        }
        quality[i] = *at ? strtod(at + length + 1, NULL) : 0;
    }
}

/* ---- one decision -------------------------------------------------------------------------
 */

typedef struct storing {
    const char *reviewer;
    const review_decision *decision;
    const review_facts *facts;
    review_outcome outcome;
    int64_t latest;
} storing;

typedef struct same_check {
    const review_decision *decision;
    bool found, same;
} same_check;

#define REVIEW_COLUMNS                                                                         \
    "item, revision, verdict, text, box, reason, note, seconds, decided_ms, reviewer, "        \
    "language, source, kind, quality, score, random, distance"

static review_verdict verdict_of(const char *name) {
    int v = REVIEW_ACCEPTED;
    while (v < REVIEW_VERDICT_COUNT - 1 && strcmp(name, review_verdict_name((review_verdict)v)))
        v++;
    return (review_verdict)v;
}

static void read_row(const vl_db_value *c, review_row *row) {
    review_decision *d = &row->decision;
    *row = (review_row){0};
    snprintf(d->item, sizeof d->item, "%s", vl_db_string(&c[0]));
    d->revision = c[1].integer;
    d->verdict = verdict_of(vl_db_string(&c[2]));
    d->text = c[3].type == VL_DB_TEXT ? c[3].bytes : NULL;
    d->has_box = sscanf(vl_db_string(&c[4]), "%d %d %d %d", &d->box.x, &d->box.y, &d->box.width,
                        &d->box.height) == 4;
    d->reason = vl_db_string(&c[5]);
    d->note = vl_db_string(&c[6]);
    d->seconds = c[7].real;
    d->decided_ms = c[8].integer;
    row->reviewer = vl_db_string(&c[9]);
    row->has_facts = c[10].type == VL_DB_TEXT;
    row->facts = (review_facts){.language = vl_db_string(&c[10]),
                                .source = vl_db_string(&c[11]),
                                .kind = vl_db_string(&c[12]),
                                .score = c[14].real,
                                .random = c[15].integer != 0,
                                .distance = c[16].type == VL_DB_REAL ? c[16].real : -1};
    quality_read(vl_db_string(&c[13]), row->facts.quality);
}

static bool same_text(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

static vl_status take_same(const vl_db_value *columns, size_t count, void *to,
                           vl_error *error) {
    same_check *check = to;
    review_row row;
    (void)count;
    (void)error;
    read_row(columns, &row);
    const review_decision *a = check->decision, *b = &row.decision;
    check->found = true;
    check->same = a->verdict == b->verdict && same_text(a->text, b->text) &&
                  a->has_box == b->has_box &&
                  (!a->has_box || !memcmp(&a->box, &b->box, sizeof a->box)) &&
                  same_text(a->reason, b->reason) && same_text(a->note, b->note) &&
                  a->decided_ms == b->decided_ms;
    return VL_OK;
}

static vl_status find_same(vl_db_conn *conn, const storing *s, same_check *check,
                           vl_error *error) {
    *check = (same_check){.decision = s->decision};
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT " REVIEW_COLUMNS " FROM review"
                             " WHERE item = $1 AND reviewer = $2 AND revision = $3",
                      VL_DB_PARAMS(vl_db_text(s->decision->item), vl_db_text(s->reviewer),
                                   vl_db_int(s->decision->revision)),
                      .row = take_same,
                      .user = check},
        error);
}

static vl_status insert_review(vl_db_conn *conn, const storing *s, vl_error *error) {
    const review_decision *d = s->decision;
    const review_facts *f = s->facts;
    char box[BOX_SIZE], quality[QUALITY_SIZE] = "";
    if (f)
        quality_write(f->quality, quality);
    const vl_db_value params[] = {
        vl_db_text(d->item),
        vl_db_text(s->reviewer),
        vl_db_int(d->revision),
        vl_db_text(review_verdict_name(d->verdict)),
        vl_db_text(d->text),
        box_value(d, box),
        vl_db_text(d->reason),
        vl_db_text(d->note),
        vl_db_real(d->seconds),
        vl_db_int(d->decided_ms),
        vl_db_int(vl_db_now_ms()),
        f ? vl_db_text(f->language) : vl_db_null(),
        f ? vl_db_text(f->source) : vl_db_null(),
        f ? vl_db_text(f->kind) : vl_db_null(),
        f ? vl_db_text(quality) : vl_db_null(),
        f ? vl_db_real(f->score) : vl_db_null(),
        f ? vl_db_int(f->random) : vl_db_null(),
        f && f->distance >= 0 ? vl_db_real(f->distance) : vl_db_null(),
    };
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "INSERT INTO review VALUES ($1, $2, $3, $4, $5, $6,"
                                          " $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
                                          " $17, $18)",
                                   .params = params,
                                   .count = sizeof params / sizeof *params},
                     error);
}

/* The state of what was given follows the last revision. */
static vl_status update_claim(vl_db_conn *conn, const storing *s, vl_error *error) {
    review_verdict verdict = s->decision->verdict;
    int64_t state = verdict == REVIEW_UNDONE ? 0 : verdict == REVIEW_SKIPPED ? 2 : 1;
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "INSERT INTO claim VALUES ($1, $2, $3, $4) ON CONFLICT"
                             " (item, reviewer) DO UPDATE SET state = $3, at_ms = $4",
                      VL_DB_PARAMS(vl_db_text(s->decision->item), vl_db_text(s->reviewer),
                                   vl_db_int(state), vl_db_int(vl_db_now_ms()))},
        error);
}

static vl_status is_claimed(vl_db_conn *conn, const storing *s, int64_t *claimed,
                            vl_error *error) {
    *claimed = 0;
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT count(*) FROM claim WHERE item = $1 AND reviewer = $2",
                      VL_DB_PARAMS(vl_db_text(s->decision->item), vl_db_text(s->reviewer)),
                      .row = vl_db_take_int,
                      .user = claimed},
        error);
}

static vl_status latest_of(vl_db_conn *conn, storing *s, vl_error *error) {
    s->latest = 0;
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT coalesce(max(revision), 0) FROM review WHERE item = $1 AND"
                             " reviewer = $2",
                      VL_DB_PARAMS(vl_db_text(s->decision->item), vl_db_text(s->reviewer)),
                      .row = vl_db_take_int,
                      .user = &s->latest},
        error);
}

static vl_status store_work(vl_db_conn *conn, void *user, vl_error *error) {
    storing *s = user;
    same_check check = {0};
    int64_t claimed = 0;
    vl_status status = latest_of(conn, s, error);
    if (!status)
        status = find_same(conn, s, &check, error);
    if (!status && !s->facts)
        status = is_claimed(conn, s, &claimed, error);
    if (status)
        return status;
    s->outcome = check.same              ? REVIEW_KNOWN
                 : check.found           ? REVIEW_CONFLICT
                 : !s->facts && !claimed ? REVIEW_UNKNOWN
                                         : REVIEW_STORED;
    if (s->outcome != REVIEW_STORED)
        return VL_OK;
    bool is_last = s->decision->revision > s->latest;
    status = insert_review(conn, s, error);
    if (!status && is_last)
        status = update_claim(conn, s, error);
    if (is_last)
        s->latest = s->decision->revision;
    return status;
}

vl_status review_store(vl_db *db, const char *reviewer, const review_decision *decision,
                       const review_facts *facts, review_outcome *outcome, int64_t *latest,
                       vl_error *error) {
    storing s = {.reviewer = reviewer, .decision = decision, .facts = facts};
    vl_status status = vl_db_transact(db, VL_DB_SERIALIZABLE, store_work, &s, error);
    *outcome = s.outcome;
    *latest = s.latest;
    return status;
}

/* ---- what was decided -----------------------------------------------------------------------
 */

typedef struct giving {
    review_row_fn give;
    void *to;
} giving;

static vl_status give_row(const vl_db_value *columns, size_t count, void *to, vl_error *error) {
    const giving *g = to;
    review_row row;
    (void)count;
    read_row(columns, &row);
    return g->give(&row, g->to, error);
}

vl_status review_verdicts(vl_db *db, const char *item, const char *reviewer, review_row_fn give,
                          void *to, vl_error *error) {
    giving g = {give, to};
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT " REVIEW_COLUMNS " FROM review r WHERE"
                             " ($1 IS NULL OR item = $1) AND ($2 IS NULL OR reviewer = $2)"
                             " AND verdict IN ('accepted', 'corrected', 'rejected')"
                             " AND revision = (SELECT max(revision) FROM review l"
                             " WHERE l.item = r.item AND l.reviewer = r.reviewer)"
                             " ORDER BY item, decided_ms, reviewer",
                      VL_DB_PARAMS(vl_db_text(item), vl_db_text(reviewer)),
                      .row = give_row,
                      .user = &g},
        error);
}

vl_status review_history(vl_db *db, const char *item, review_row_fn give, void *to,
                         vl_error *error) {
    giving g = {give, to};
    return vl_db_once(db,
                      &(vl_db_call){.sql = "SELECT " REVIEW_COLUMNS " FROM review"
                                           " WHERE item = $1 ORDER BY received_ms, reviewer,"
                                           " revision",
                                    VL_DB_PARAMS(vl_db_text(item)),
                                    .row = give_row,
                                    .user = &g},
                      error);
}

vl_status review_latest(vl_db *db, const char *item, const char *reviewer, int64_t *revision,
                        vl_error *error) {
    *revision = 0;
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT coalesce(max(revision), 0) FROM review WHERE item = $1"
                             " AND reviewer = $2",
                      VL_DB_PARAMS(vl_db_text(item), vl_db_text(reviewer)),
                      .row = vl_db_take_int,
                      .user = revision},
        error);
}

static vl_status take_count(const vl_db_value *columns, size_t count, void *to,
                            vl_error *error) {
    review_counts *counts = to;
    review_verdict verdict = verdict_of(vl_db_string(&columns[0]));
    (void)count;
    (void)error;
    counts->by_verdict[verdict] = columns[1].integer;
    if (verdict <= REVIEW_REJECTED)
        counts->seconds += columns[2].real;
    return VL_OK;
}

vl_status review_count(vl_db *db, const char *reviewer, review_counts *counts,
                       vl_error *error) {
    *counts = (review_counts){0};
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT verdict, count(*), total(seconds) FROM review r"
                             " WHERE ($1 IS NULL OR reviewer = $1) AND revision ="
                             " (SELECT max(revision) FROM review l WHERE l.item = r.item"
                             " AND l.reviewer = r.reviewer) GROUP BY verdict",
                      VL_DB_PARAMS(vl_db_text(reviewer)),
                      .row = take_count,
                      .user = counts},
        error);
}

/* ---- what was learned
 * ------------------------------------------------------------------------ */

vl_status review_was_taught(vl_db *db, const char *item, const char *reviewer, int64_t revision,
                            bool *was, vl_error *error) {
    int64_t count = 0;
    vl_status status = vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT count(*) FROM taught WHERE item = $1 AND reviewer = $2"
                             " AND revision = $3",
                      VL_DB_PARAMS(vl_db_text(item), vl_db_text(reviewer), vl_db_int(revision)),
                      .row = vl_db_take_int,
                      .user = &count},
        error);
    *was = count > 0;
    return status;
}

vl_status review_note_taught(vl_db *db, const char *item, const char *reviewer,
                             int64_t revision, vl_error *error) {
    return vl_db_once(
        db,
        &(vl_db_call){
            .sql = "INSERT INTO taught VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            VL_DB_PARAMS(vl_db_text(item), vl_db_text(reviewer), vl_db_int(revision))},
        error);
}
