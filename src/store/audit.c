/* audit.c — who did what, in a chain that shows when it was touched.
 *
 * The row of audit_head is written with every entry: it is what appenders wait for each other
 * at, and what tells that the last entries are gone. */
#include "store/audit_log.h"
#include "store/db.h"
#include "store/json.h"

#include <cJSON.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 256, LINE_MAX_BYTES = 64 << 10 };

struct vl_audit {
    vl_db *db;
    uint8_t key[KEY_MAX];
    size_t key_bytes;
    audit_log *log;            /* NULL: none */
    atomic_int_fast64_t first; /* the last entry before the first of this process; -1: none */
};

static const char beginning[] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* ---- an entry as text -------------------------------------------------------------------- */

static cJSON *json_of(const vl_audit_entry *entry) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "number", (double)entry->number);
    cJSON_AddNumberToObject(json, "at_ms", (double)entry->at_ms);
    cJSON_AddStringToObject(json, "actor", entry->actor);
    cJSON_AddStringToObject(json, "action", entry->action);
    cJSON_AddStringToObject(json, "subject", entry->subject);
    cJSON_AddStringToObject(json, "outcome", entry->outcome);
    cJSON_AddStringToObject(json, "detail", entry->detail);
    cJSON_AddStringToObject(json, "request_id", entry->request_id);
    cJSON_AddStringToObject(json, "address", entry->address);
    return json;
}

void vl_audit_json(const vl_audit_entry *entry, vl_buf *out) {
    cJSON *json = json_of(entry);
    cJSON_AddStringToObject(json, "hash", entry->hash);
    json_put(json, out);
}

/* Of the hash before it and all fields as JSON, which no two entries share. */
static vl_status hash_of(const vl_audit *audit, const char *previous,
                         const vl_audit_entry *entry, char hash[VL_SHA256_HEX_SIZE],
                         vl_error *error) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    vl_buf text;
    vl_buf_init(&text, LINE_MAX_BYTES);
    vl_buf_printf(&text, "%s\n", previous);
    json_put(json_of(entry), &text);
    vl_status status = vl_buf_status(&text, "an audit entry", error);
    if (!status && !HMAC(EVP_sha256(), audit->key, (int)audit->key_bytes,
                         (const uint8_t *)text.data, text.len, digest, &count))
        status = vl_fail(error, VL_ERR_INTERNAL, "HMAC-SHA256 is not to be had");
    for (unsigned i = 0; i < count; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    vl_buf_deinit(&text);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------- */

vl_status vl_audit_open(vl_db *db, const void *key, size_t key_bytes, const char *log,
                        vl_audit **opened, vl_error *error) {
    *opened = NULL;
    if (key_bytes > KEY_MAX)
        return vl_fail(error, VL_ERR_USAGE, "a key of the audit trail has at most %d bytes",
                       KEY_MAX);
    vl_audit *audit = calloc(1, sizeof *audit);
    if (!audit)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the audit trail");
    audit->db = db;
    audit->key_bytes = key_bytes;
    if (key_bytes)
        memcpy(audit->key, key, key_bytes);
    atomic_init(&audit->first, -1);
    vl_status status = log ? audit_log_open(log, &audit->log, error) : VL_OK;
    if (status) {
        vl_audit_close(audit);
        return status;
    }
    *opened = audit;
    return VL_OK;
}

void vl_audit_close(vl_audit *audit) {
    if (!audit)
        return;
    audit_log_close(audit->log);
    explicit_bzero(audit->key, sizeof audit->key);
    free(audit);
}

/* ---- appending --------------------------------------------------------------------------- */

typedef struct head {
    int64_t number;
    char hash[VL_SHA256_HEX_SIZE];
} head;

typedef struct addition {
    vl_audit *audit;
    vl_audit_entry entry;
    char hash[VL_SHA256_HEX_SIZE];
} addition;

static vl_status take_head(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    head *h = user;
    (void)count;
    (void)error;
    h->number = columns[0].integer;
    snprintf(h->hash, sizeof h->hash, "%s", vl_db_string(&columns[1]));
    return VL_OK;
}

/* The last entry; the caller's transaction is the only one that has it until it ends. */
static vl_status hold_head(vl_db_conn *conn, head *h, vl_error *error) {
    *h = (head){0};
    strcpy(h->hash, beginning);
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "INSERT INTO audit_head (id, number, hash) VALUES (1, 0, $1) "
                             "ON CONFLICT (id) DO UPDATE SET number = audit_head.number",
                      VL_DB_PARAMS(vl_db_text(beginning))},
        error);
    return status ? status
                  : vl_db_run(conn,
                              &(vl_db_call){.sql = "SELECT number, hash FROM audit_head "
                                                   "WHERE id = 1",
                                            .row = take_head,
                                            .user = h},
                              error);
}

static vl_status add(vl_db_conn *conn, void *user, vl_error *error) {
    addition *a = user;
    vl_audit_entry *e = &a->entry;
    head h;
    vl_status status = hold_head(conn, &h, error);
    if (status)
        return status;
    int64_t none = -1;
    atomic_compare_exchange_strong(&a->audit->first, &none, h.number);
    e->number = h.number + 1;
    e->at_ms = vl_db_now_ms();
    status = hash_of(a->audit, h.hash, e, a->hash, error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "INSERT INTO audit (number, at_ms, actor, action, subject, "
                                 "outcome, detail, request_id, address, previous, hash) VALUES "
                                 "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                          VL_DB_PARAMS(vl_db_int(e->number), vl_db_int(e->at_ms),
                                       vl_db_text(e->actor), vl_db_text(e->action),
                                       vl_db_text(e->subject), vl_db_text(e->outcome),
                                       vl_db_text(e->detail), vl_db_text(e->request_id),
                                       vl_db_text(e->address), vl_db_text(h.hash),
                                       vl_db_text(a->hash))},
            error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "UPDATE audit_head SET number = $1, hash = $2 WHERE id = 1",
                          VL_DB_PARAMS(vl_db_int(e->number), vl_db_text(a->hash))},
            error);
    return status;
}

/* The file after the table. What could not be written now comes with the next entry: the trail
 * is what the table says. */
static void follow_file(vl_audit *audit) {
    vl_error error;
    if (audit->log && audit_log_follow(audit->log, audit, atomic_load(&audit->first), &error))
        vl_log(VL_LOG_ERROR, "the audit trail's file is behind",
               VL_F_STR("reason", error.message));
}

static const char *or_empty(const char *text) {
    return text ? text : "";
}

vl_status vl_audit_append(vl_audit *audit, const vl_audit_entry *entry, vl_error *error) {
    addition a = {.audit = audit,
                  .entry = {.actor = or_empty(entry->actor),
                            .action = or_empty(entry->action),
                            .subject = or_empty(entry->subject),
                            .outcome = or_empty(entry->outcome),
                            .detail = entry->detail ? entry->detail : "{}",
                            .request_id = or_empty(entry->request_id),
                            .address = or_empty(entry->address)}};
    vl_status status = vl_db_transact(audit->db, VL_DB_READ_COMMITTED, add, &a, error);
    if (!status && !vl_db_is_together(audit->db))
        follow_file(audit);
    return status;
}

vl_status vl_audit_together(vl_audit *audit, vl_audit_work work, void *user, vl_error *error) {
    vl_status status = vl_db_together(audit->db, work, user, error);
    if (!status)
        follow_file(audit);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

#define COLUMNS                                                                                \
    "number, at_ms, actor, action, subject, outcome, detail, request_id, address, previous, "  \
    "hash"

static vl_audit_entry entry_from(const vl_db_value *columns) {
    return (vl_audit_entry){.number = columns[0].integer,
                            .at_ms = columns[1].integer,
                            .actor = vl_db_string(&columns[2]),
                            .action = vl_db_string(&columns[3]),
                            .subject = vl_db_string(&columns[4]),
                            .outcome = vl_db_string(&columns[5]),
                            .detail = vl_db_string(&columns[6]),
                            .request_id = vl_db_string(&columns[7]),
                            .address = vl_db_string(&columns[8]),
                            .hash = vl_db_string(&columns[10])};
}

typedef struct listing {
    vl_audit_fn give;
    void *to;
} listing;

static vl_status give_entry(const vl_db_value *columns, size_t count, void *user,
                            vl_error *error) {
    listing *l = user;
    vl_audit_entry entry = entry_from(columns);
    (void)count;
    return l->give(&entry, l->to, error);
}

vl_status vl_audit_list(vl_audit *audit, int64_t after, int64_t most, vl_audit_fn give,
                        void *to, vl_error *error) {
    listing l = {give, to};
    return vl_db_once(
        audit->db,
        &(vl_db_call){.sql = "SELECT " COLUMNS " FROM audit WHERE number > $1 "
                             "ORDER BY number LIMIT $2",
                      VL_DB_PARAMS(vl_db_int(after), vl_db_int(most > 0 ? most : INT64_MAX)),
                      .row = give_entry,
                      .user = &l},
        error);
}

typedef struct walk {
    const vl_audit *audit;
    vl_audit_report *report;
    char previous[VL_SHA256_HEX_SIZE];
    int64_t number;
} walk;

static void find_fault(walk *w, int64_t number, const char *why) {
    if (w->report->first_bad)
        return;
    w->report->first_bad = number;
    snprintf(w->report->why, sizeof w->report->why, "%s", why);
}

static vl_status follow(const vl_db_value *columns, size_t count, void *user, vl_error *error) {
    walk *w = user;
    char hash[VL_SHA256_HEX_SIZE];
    vl_audit_entry entry = entry_from(columns);
    (void)count;
    w->report->entries++;
    if (entry.number != w->number + 1)
        find_fault(w, w->number + 1, "the entry is not there");
    vl_status status = hash_of(w->audit, w->previous, &entry, hash, error);
    if (status)
        return status;
    if (strcmp(vl_db_string(&columns[9]), w->previous) != 0)
        find_fault(w, entry.number, "the entry does not follow the one before it");
    else if (strcmp(hash, entry.hash) != 0)
        find_fault(w, entry.number, "the entry is not what was written");
    w->number = entry.number;
    snprintf(w->previous, sizeof w->previous, "%s", entry.hash);
    return VL_OK;
}

static vl_status verify(vl_db_conn *conn, void *user, vl_error *error) {
    walk *w = user;
    head h = {0};
    strcpy(w->previous, beginning);
    strcpy(h.hash, beginning);
    w->number = 0;
    *w->report = (vl_audit_report){0};
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "SELECT " COLUMNS " FROM audit ORDER BY number", .row = follow, .user = w},
        error);
    if (!status)
        status = vl_db_run(conn,
                           &(vl_db_call){.sql = "SELECT number, hash FROM audit_head",
                                         .row = take_head,
                                         .user = &h},
                           error);
    if (!status && h.number != w->number)
        find_fault(w, (h.number < w->number ? h.number : w->number) + 1,
                   h.number > w->number ? "the last entries are not there"
                                        : "entries follow that nobody wrote");
    else if (!status && strcmp(h.hash, w->previous) != 0)
        find_fault(w, w->number, "the last entry is not the one that was written");
    return status;
}

vl_status vl_audit_verify(vl_audit *audit, vl_audit_report *report, vl_error *error) {
    walk w = {.audit = audit, .report = report};
    return vl_db_transact(audit->db, VL_DB_SNAPSHOT, verify, &w, error);
}
