/* store.h — what a service remembers: one database, SQLite or PostgreSQL.
 *
 * A database is named by a URL: "sqlite:///absolute/path", "sqlite:relative/path", "sqlite:"
 * for vislang.db in the state directory (vl_state_dir), or "postgresql://user@host/name".
 * Writes that were acknowledged survive a killed process, and a machine that loses power.
 *
 * Errors: VL_ERR_MISSING: the database cannot be reached; VL_ERR_BUSY: others were in the way
 * for too long; VL_ERR_IO: it cannot write. */
#ifndef VISLANG_STORE_H
#define VISLANG_STORE_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vl_db vl_db; /* thread-safe: a pool of connections */
typedef struct vl_db_options {
    size_t max_connections; /* 8 */
    double wait_seconds;    /* for a free connection, then VL_ERR_BUSY: 10 */
} vl_db_options;
vl_db_options vl_db_options_default(void);
/* Connects once, so that a wrong URL is told at once. `options` NULL: the default ones. */
vl_status vl_db_open(const char *url, const vl_db_options *options, vl_db **db,
                     vl_error *error);
void vl_db_close(vl_db *db); /* when no thread uses it any more; NULL allowed */
/* "sqlite" or "postgresql". */
const char *vl_db_kind(const vl_db *db);
/* Whether it answers, and what it is ("SQLite 3.40.1"). */
vl_status vl_db_ping(vl_db *db, char version[64], vl_error *error);

/* ---- the schema -------------------------------------------------------------------------- */

/* Numbered migrations, each in a transaction of its own with its row in schema_migrations. Two
 * that migrate at once do so one after the other. */
typedef struct vl_migration_state {
    int number;
    const char *name;   /* static */
    int64_t applied_ms; /* 0: not applied */
} vl_migration_state;
int vl_db_schema_newest(void); /* that this program knows */
/* Up to migration `to` (0: the newest). `*applied` counts those that were done now.
 * VL_ERR_INPUT: the database is of a newer program, or was migrated by other text than this
 * program's. */
vl_status vl_db_migrate(vl_db *db, int to, int *applied, vl_error *error);
/* Down to migration `to` (the last one to stay; 0: none stays). */
vl_status vl_db_rollback(vl_db *db, int to, int *undone, vl_error *error);
/* Fills `states`, at least vl_db_schema_newest() long. */
vl_status vl_db_schema_status(vl_db *db, vl_migration_state *states, size_t *count,
                              vl_error *error);

/* ---- copies ------------------------------------------------------------------------------ */

/* All rows of one moment, while others read and write, as a compressed file that either kind of
 * database can be restored from (docs/database.md gives the format), in the schema that it has.
 * The file is there whole or not at all. */
typedef struct vl_db_copy_report {
    uint64_t rows, bytes; /* in all tables; of the file */
    int schema;
    char sha256[VL_SHA256_HEX_SIZE]; /* of the rows */
} vl_db_copy_report;
vl_status vl_db_backup(vl_db *db, const char *path, vl_db_copy_report *report, vl_error *error);
/* A copy named by the time (UTC), verified, in a folder that is made; when it is good, copies
 * there that are older than `keep_days` go (0: none does). */
typedef struct vl_db_folder_report {
    vl_db_copy_report copy;
    char path[4096];
    size_t removed;
} vl_db_folder_report;
vl_status vl_db_backup_folder(vl_db *db, const char *folder, int keep_days,
                              vl_db_folder_report *report, vl_error *error);
/* Reads the whole file and holds its counts and its digest against its rows, without a
 * database. VL_ERR_INPUT: it is damaged, cut short, or no copy. */
vl_status vl_db_backup_verify(const char *path, vl_db_copy_report *report, vl_error *error);
/* Verifies, migrates to the copy's schema, replaces all rows in one transaction, and migrates
 * to the newest. A database that holds rows is refused (VL_ERR_USAGE) without `replace`. */
vl_status vl_db_restore(vl_db *db, const char *path, bool replace, vl_db_copy_report *report,
                        vl_error *error);
/* The same. People who were erased (vl_subject_erase) since the copy was made stay so: by the
 * tombstones of the database that is replaced, always, and of the file `erasures` (NULL: none).
 */
vl_status vl_db_restore_obeying(vl_db *db, const char *path, bool replace, const char *erasures,
                                vl_db_copy_report *report, vl_error *error);

/* The same in a bucket of an S3-compatible server, by "s3://bucket/key". A key that does not
 * end in .vldb is a folder: of dated copies to make (older ones go after keep_days), of which
 * the newest one is verified and restored. What was sent is fetched again and verified. */
typedef struct vl_s3_options {
    const char *endpoint; /* "https://s3.example.org"; "": AWS in the region */
    const char *region, *access_key, *secret_key;
    const char *token; /* of a session; "" none */
    size_t part_bytes; /* larger copies go in parts of so many bytes; 0: 16 MB */
} vl_s3_options;
bool vl_s3_is_url(const char *text);
/* Strings point into `config`. */
vl_s3_options vl_s3_options_from_config(const vl_config *config);
/* VL_ERR_USAGE: no key, or no such URL; VL_ERR_DENIED: the server refuses; VL_ERR_INPUT: there
 * is no such bucket or copy; VL_ERR_MISSING: it cannot be reached; VL_ERR_IO. */
vl_status vl_db_backup_s3(vl_db *db, const vl_s3_options *options, const char *url,
                          int keep_days, vl_db_folder_report *report, vl_error *error);
vl_status vl_db_verify_s3(const vl_s3_options *options, const char *url,
                          vl_db_folder_report *report, vl_error *error);
vl_status vl_db_restore_s3(vl_db *db, const vl_s3_options *options, const char *url,
                           bool replace, const char *erasures, vl_db_folder_report *report,
                           vl_error *error);

/* ---- people ------------------------------------------------------------------------------ */

/* Each may what those before it may. */
typedef enum vl_role {
    VL_ROLE_VIEWER,    /* asks: predict, ocr, caption, … and looks at what is there */
    VL_ROLE_ANNOTATOR, /* corrects and reviews */
    VL_ROLE_OPERATOR,  /* caches, models, jobs of others */
    VL_ROLE_ADMIN,     /* users, keys, audit trail, subjects */
    VL_ROLE_COUNT,
} vl_role;
const char *vl_role_name(vl_role role); /* "viewer" */
/* VL_ERR_INPUT names the roles. */
vl_status vl_role_parse(const char *name, vl_role *role, vl_error *error);

enum { VL_USER_NAME_SIZE = 65 };
typedef struct vl_user {
    int64_t id;
    char name[VL_USER_NAME_SIZE]; /* a–z, 0–9, '.', '_', '-', '@' */
    vl_role role;
    bool disabled;
    int failures; /* wrong passwords since the last right one */
    int64_t locked_until_ms, created_ms, seen_ms;
} vl_user;
/* VL_ERR_INPUT: the name or the password is none; VL_ERR_USAGE: the name is taken. */
vl_status vl_user_create(vl_db *db, const char *name, const char *password, vl_role role,
                         vl_user *user, vl_error *error);
/* VL_ERR_INPUT: there is no such user. */
vl_status vl_user_find(vl_db *db, int64_t id, vl_user *user, vl_error *error);
vl_status vl_user_find_name(vl_db *db, const char *name, vl_user *user, vl_error *error);
typedef vl_status (*vl_user_fn)(const vl_user *user, void *to, vl_error *error);
vl_status vl_user_list(vl_db *db, vl_user_fn give, void *to, vl_error *error); /* by name */
/* A new password, a role or being disabled ends the user's sessions. The last admin that can
 * log in stays one: VL_ERR_USAGE. */
vl_status vl_user_set_password(vl_db *db, int64_t id, const char *password, vl_error *error);
vl_status vl_user_set_role(vl_db *db, int64_t id, vl_role role, vl_error *error);
vl_status vl_user_set_disabled(vl_db *db, int64_t id, bool disabled, vl_error *error);
vl_status vl_user_delete(vl_db *db, int64_t id, vl_error *error);
/* VL_ERR_DENIED, always in the same words and after the same work: no such user, another
 * password, disabled, or locked. From the fifth wrong password on a user is locked, 30 s at
 * first and twice as long every time, at most an hour; `*wait_seconds` (may be NULL) says how
 * long. Costs a hash: not for a thread that others wait for. */
vl_status vl_user_login(vl_db *db, const char *name, const char *password, vl_user *user,
                        double *wait_seconds, vl_error *error);

/* ---- sessions ---------------------------------------------------------------------------- */

/* A login begins a family of refresh tokens; each is good once and gives the next. One that
 * comes twice was stolen, from the user or by him: its whole family ends. */
enum { VL_TOKEN_SIZE = 44 }; /* 43 letters of base64url */
typedef struct vl_session {
    char refresh[VL_TOKEN_SIZE]; /* shown this once */
    char family[VL_TOKEN_SIZE];
    int64_t expires_ms;
    vl_user user;
} vl_session;
vl_status vl_session_begin(vl_db *db, const vl_user *user, double seconds, vl_session *session,
                           vl_error *error);
/* VL_ERR_DENIED: not known, spent, past its time, ended, or of a disabled user. */
vl_status vl_session_refresh(vl_db *db, const char *refresh, double seconds,
                             vl_session *session, bool *was_reused, vl_error *error);
/* Whether the family goes on and its user may; `user` is as he is now. */
vl_status vl_session_check(vl_db *db, const char *family, vl_user *user, vl_error *error);
/* By family, or by one of its refresh tokens; no error when there is none. `ended` (may be
 * NULL) has the family and the user of what went on until now; family "": nothing did. */
vl_status vl_session_end(vl_db *db, const char *family, const char *refresh, vl_session *ended,
                         vl_error *error);
/* Removes what is past its time. */
vl_status vl_session_sweep(vl_db *db, int64_t *removed, vl_error *error);

/* ---- API keys ---------------------------------------------------------------------------- */

enum { VL_KEY_SIZE = 64, VL_KEY_PREFIX_SIZE = 12 };
typedef struct vl_key {
    int64_t id;
    char name[VL_USER_NAME_SIZE], prefix[VL_KEY_PREFIX_SIZE]; /* "vl_1a2b3c4d" */
    vl_role scope; /* it may what that role may, and its user does */
    int64_t created_ms, expires_ms, revoked_ms, used_ms; /* 0: never */
    vl_user user;
} vl_key;
/* `key` is shown this once. `seconds` 0: it does not expire. VL_ERR_INPUT: no such user, or no
 * name; VL_ERR_USAGE: a scope above the user's role. */
vl_status vl_key_create(vl_db *db, int64_t user, const char *name, vl_role scope,
                        double seconds, char key[VL_KEY_SIZE], vl_key *made, vl_error *error);
/* VL_ERR_DENIED: not known, expired, revoked, or of a disabled user. `role` is what it may. The
 * time of its last use is noted at most once a minute. */
vl_status vl_key_check(vl_db *db, const char *key, vl_key *found, vl_role *role,
                       vl_error *error);
typedef vl_status (*vl_key_fn)(const vl_key *key, void *to, vl_error *error);
vl_status vl_key_list(vl_db *db, int64_t user, vl_key_fn give, void *to, vl_error *error);
/* `user` 0: anyone's. VL_ERR_INPUT: there is no such key. `revoked` (may be NULL) is it. */
vl_status vl_key_revoke(vl_db *db, int64_t user, int64_t id, vl_key *revoked, vl_error *error);

/* Both as JSON, without secrets; the caller deletes it. NULL: no memory. */
struct cJSON;
struct cJSON *vl_user_to_json(const vl_user *user);
struct cJSON *vl_key_to_json(const vl_key *key);
/* A moment (RFC 3339, UTC); `ms` 0: null. */
void vl_json_add_time(struct cJSON *json, const char *name, int64_t ms);

/* ---- the audit trail --------------------------------------------------------------------- */

/* Append-only; each entry's hash is HMAC-SHA256 (RFC 2104), under `key`, of the one before it
 * and of its own fields, and the last one's stands in a place of its own as well: an entry that
 * was changed, removed, added or moved afterwards is found, by whom does not know the key. */
typedef struct vl_audit_entry {
    int64_t number, at_ms;            /* given by vl_audit_append */
    const char *actor;                /* "user:amina", "key:vl_1a2b3c4d", "system" */
    const char *action;               /* "login", "key.create", "subject.erase", … */
    const char *subject;              /* what it was done to, "" nothing */
    const char *outcome;              /* "done", "refused" */
    const char *detail;               /* JSON object, no secrets; "{}" */
    const char *request_id, *address; /* "" none */
    const char *hash;                 /* hexadecimal; in entries that are listed */
} vl_audit_entry;
typedef struct vl_audit vl_audit; /* thread-safe */
/* `log` NULL: the table alone; else each entry is a line of JSON in that file too, synced; one
 * for which there was no room, or whose process was killed, is there with the next one.
 * `key` of `key_bytes` is copied; none of it is a chain that only finds mistakes. */
vl_status vl_audit_open(vl_db *db, const void *key, size_t key_bytes, const char *log,
                        vl_audit **audit, vl_error *error);
void vl_audit_close(vl_audit *audit);
/* Written when it returns VL_OK; entries of several processes form one chain. */
vl_status vl_audit_append(vl_audit *audit, const vl_audit_entry *entry, vl_error *error);
/* What `work` does with the same database, on this thread, and the entries that it appends are
 * one transaction: all of it is there, or nothing. It may be run several times. */
typedef vl_status (*vl_audit_work)(void *user, vl_error *error);
vl_status vl_audit_together(vl_audit *audit, vl_audit_work work, void *user, vl_error *error);
typedef vl_status (*vl_audit_fn)(const vl_audit_entry *entry, void *to, vl_error *error);
/* Entries after number `after`, oldest first, at most `most` (0: all). */
vl_status vl_audit_list(vl_audit *audit, int64_t after, int64_t most, vl_audit_fn give,
                        void *to, vl_error *error);
typedef struct vl_audit_report {
    int64_t entries;
    int64_t first_bad; /* its number; 0: all is as it was written */
    char why[160];
} vl_audit_report;
/* VL_OK also when something is bad; the report says so. */
vl_status vl_audit_verify(vl_audit *audit, vl_audit_report *report, vl_error *error);
/* One entry as a line of JSON without its end. */
void vl_audit_json(const vl_audit_entry *entry, vl_buf *out);

/* ---- what is kept encrypted -------------------------------------------------------------- */

/* Objects (uploads, page pictures) are files of AES-256-GCM (NIST SP 800-38D), each under a key
 * of its own, which stands in the database wrapped by the master key. Master keys are 32 bytes;
 * the first one wraps, all of them unwrap, and rotating wraps every object's key anew while it
 * stays readable. Nothing is kept without a master key. Thread-safe. */
enum { VL_MASTER_KEY_BYTES = 32, VL_MASTER_KEYS_MAX = 8, VL_OBJECT_ID_SIZE = 33 };
typedef struct vl_vault vl_vault;
/* `keys`: base64 or hexadecimal, with commas, the one in use first; "": VL_ERR_MISSING. The
 * folder is made, for its owner alone. */
vl_status vl_vault_open(vl_db *db, const char *folder, const char *keys, vl_vault **vault,
                        vl_error *error);
void vl_vault_close(vl_vault *vault);
typedef struct vl_object {
    char id[VL_OBJECT_ID_SIZE];
    char kind[32], subject[128], media_type[64];
    char sha256[VL_SHA256_HEX_SIZE]; /* of its bytes */
    uint64_t bytes;
    int64_t created_ms, expires_ms; /* 0: it does not expire */
} vl_object;
/* `object`: kind, subject, media_type and expires_ms are given, the rest is filled in. On disk
 * when it returns VL_OK. */
vl_status vl_vault_put(vl_vault *vault, const void *bytes, size_t count, vl_object *object,
                       vl_error *error);
/* Removes the file of an object whose row was put in a transaction that came to nothing. */
void vl_vault_discard(vl_vault *vault, const char *id);
/* Appends its bytes to `out` (may be NULL). VL_ERR_DENIED: there is none of that id;
 * VL_ERR_INPUT: its file was changed; VL_ERR_MISSING: its master key is not here. */
vl_status vl_vault_get(vl_vault *vault, const char *id, vl_object *object, vl_buf *out,
                       vl_error *error);
vl_status vl_vault_delete(vl_vault *vault, const char *id, vl_error *error);
typedef vl_status (*vl_object_fn)(const vl_object *object, void *to, vl_error *error);
vl_status vl_vault_list(vl_vault *vault, const char *subject, vl_object_fn give, void *to,
                        vl_error *error);
/* Wraps the keys of all objects that older master keys wrapped. */
vl_status vl_vault_rotate(vl_vault *vault, int64_t *rewrapped, vl_error *error);
/* The name of the master key that is in use. */
const char *vl_vault_key_id(const vl_vault *vault);
/* Removes what is past its time, and files that no row speaks of (of a process that was
 * killed). */
vl_status vl_vault_sweep(vl_vault *vault, int64_t *removed, vl_error *error);
/* A secret column: text sealed under the master key, bound to `what` it is; and read again.
 * Both append to `out`. */
vl_status vl_vault_seal(vl_vault *vault, const char *what, const char *text, vl_buf *out,
                        vl_error *error);
vl_status vl_vault_unseal(vl_vault *vault, const char *what, const char *sealed, vl_buf *out,
                          vl_error *error);

/* ---- jobs -------------------------------------------------------------------------------- */

/* Work for later, for whichever process comes to it: a job is a list of items of one kind. An
 * item is lent to one worker at a time, under a lease; what is written about it is taken only
 * from the holder of the lease that is good now, so that each item ends once and has one
 * result, however many workers died or were late over it. One whose worker does not beat in
 * time is lent again, until its attempts are spent.
 *
 * The items of a job stand in the queue a second apart: a job does not wait for the whole of a
 * larger one that came before it. Clocks of the machines should agree to a second. */
enum {
    VL_JOB_ID_SIZE = 33, /* 32 hexadecimal digits */
    VL_JOB_KIND_SIZE = 32,
    VL_JOB_OWNER_SIZE = 128,
    VL_JOB_ITEMS_MAX = 10000,
    VL_JOB_PRIVATE =
        -1, /* as priority: its items are lent only to those who ask for this job */
};
typedef enum vl_job_state {
    VL_JOB_QUEUED,    /* nothing of it has begun */
    VL_JOB_RUNNING,   /* of a job: some of it has */
    VL_JOB_DONE,      /* of a job: every item has ended, and one is done at least */
    VL_JOB_FAILED,    /* of a job: every item has */
    VL_JOB_CANCELLED, /* what had not ended will not */
    VL_JOB_STATE_COUNT,
} vl_job_state;
const char *vl_job_state_name(vl_job_state state); /* "queued" */
typedef struct vl_job_info {
    char id[VL_JOB_ID_SIZE], kind[VL_JOB_KIND_SIZE], owner[VL_JOB_OWNER_SIZE];
    vl_job_state state;
    int64_t total, done, failed;     /* items */
    int64_t ended;                   /* items that have ended since it was made: grows alone */
    int64_t created_ms, finished_ms; /* 0: not finished */
} vl_job_info;

typedef struct vl_job_order {
    const char *id; /* of vl_job_id_new */
    const char *owner, *kind;
    const char *options;       /* for whoever works on it: JSON */
    const char *key;           /* one order has one job, however often it comes; NULL: none */
    const char *digest;        /* of what was ordered under that key */
    const char *const *inputs; /* [count] an item each: JSON */
    /* [count] whom each is about (vl_subject_check), NULL: nobody; or NULL altogether. */
    const char *const *subjects;
    size_t count;
    int priority, max_attempts;
    uint64_t bytes; /* that it occupies until it has ended */
    /* Of what has not ended: items of this owner, bytes of all. 0: no limit. */
    int64_t owner_items_max;
    uint64_t all_bytes_max;
} vl_job_order;
void vl_job_id_new(char id[VL_JOB_ID_SIZE]);
bool vl_job_id_is(const char *id);
/* `*was_there`: the key's job was there before and is in `job`. VL_ERR_USAGE: the key was used
 * for another order; VL_ERR_LIMIT: one of the limits. */
vl_status vl_job_enqueue(vl_db *db, const vl_job_order *order, vl_job_info *job,
                         bool *was_there, vl_error *error);

/* For workers. */
typedef struct vl_job_task {
    char job[VL_JOB_ID_SIZE], lease[VL_JOB_ID_SIZE];
    char kind[VL_JOB_KIND_SIZE], owner[VL_JOB_OWNER_SIZE];
    int64_t number;                /* from 0 */
    int64_t attempt, max_attempts; /* this one is counted */
    vl_buf options, input;
    vl_job_state
        left; /* what its job was when the item had ended: done or failed for one alone */
} vl_job_task;
/* The next item, lent for so long; `task` is filled when one was `*found`. `job` NULL: of any
 * job but private ones; else of that one. */
vl_status vl_job_claim(vl_db *db, const char *job, double seconds, vl_job_task *task,
                       bool *found, vl_error *error);
void vl_job_task_deinit(vl_job_task *task);
/* Each is VL_ERR_CANCELLED, and changes nothing, when the lease is no longer good: the job was
 * cancelled, or the item was lent to another. */
vl_status vl_job_beat(vl_db *db, const vl_job_task *task, double seconds, vl_error *error);
/* Whether it is still lent to this worker; only reads. */
vl_status vl_job_holds(vl_db *db, const vl_job_task *task, vl_error *error);
vl_status vl_job_finish(vl_db *db, vl_job_task *task, const char *result, vl_error *error);
/* `retry`: again after 5 s, then twice as long each time, at most ten minutes, until its
 * attempts are spent. `*ended`: it has failed for good. */
vl_status vl_job_fail(vl_db *db, vl_job_task *task, const char *problem, bool retry,
                      bool *ended, vl_error *error);
/* Given back as if it had never been taken. */
vl_status vl_job_release(vl_db *db, const vl_job_task *task, vl_error *error);

/* For those who ask: `owner` NULL is anyone's. VL_ERR_DENIED: there is no such job of his. */
vl_status vl_job_get(vl_db *db, const char *id, const char *owner, vl_job_info *job,
                     vl_buf *options,
                     vl_error *error); /* appends the options; NULL: not wanted */
/* What has not ended will not, and is in the state `cancelled`; one that had ended stays. */
vl_status vl_job_cancel(vl_db *db, const char *id, const char *owner, vl_job_info *job,
                        vl_error *error);
/* Items that failed go to the queue again with all their attempts. VL_ERR_USAGE: it was
 * cancelled, or nothing of it failed. */
vl_status vl_job_retry(vl_db *db, const char *id, const char *owner, vl_job_info *job,
                       vl_error *error);
typedef vl_status (*vl_job_fn)(const vl_job_info *job, void *to, vl_error *error);
/* The newest first, at most `most`; `before` the id of a job: those that are older. */
vl_status vl_job_list(vl_db *db, const char *owner, const char *before, int64_t most,
                      vl_job_fn give, void *to, vl_error *error);
typedef struct vl_job_item {
    int64_t number, attempts, ended; /* the how-manieth of the job to end; 0: it has not */
    vl_job_state state;
    const char *input, *result, *problem; /* "" none; until the function returns */
} vl_job_item;
typedef vl_status (*vl_job_item_fn)(const vl_job_item *item, void *to, vl_error *error);
/* Items after number `after` (-1: from the first), or, with `by_end`, those that ended after
 * the `after`th, in that order. */
vl_status vl_job_items(vl_db *db, const char *id, bool by_end, int64_t after, int64_t most,
                       vl_job_item_fn give, void *to, vl_error *error);
/* Items that wait, and that are lent. */
vl_status vl_job_depth(vl_db *db, int64_t *queued, int64_t *running, vl_error *error);
typedef struct vl_job_swept {
    int64_t returned; /* items whose worker went away: to the queue again */
    int64_t failed;   /* … and whose attempts are spent */
    int64_t expired;  /* jobs cancelled because they had not ended in time */
    int64_t removed;  /* jobs, with their results */
} vl_job_swept;
vl_status vl_job_sweep_leases(vl_db *db, vl_job_swept *swept, vl_error *error);
/* Jobs that were made or ended more than `keep_seconds` ago. `leave` (NULL: nobody) hears of
 * each that is to go, may keep it for now by not returning VL_OK, and hears when it is gone. */
typedef struct vl_job_leave {
    vl_status (*before)(const char *job, void *to);
    void (*after)(const char *job, void *to);
    void *to;
} vl_job_leave;
vl_status vl_job_sweep(vl_db *db, double keep_seconds, const vl_job_leave *leave,
                       vl_job_swept *swept, vl_error *error);

/* ---- how often each engine was right ----------------------------------------------------- */

/* The track record of the engines that read text (docs/consensus.md): counts of right and wrong
 * characters by voice and by more and more specific keys, and calibrations of voices. Whoever
 * changes something leaves another mark, a number by chance, so that a look at one row tells
 * whether there is anything to read again, also after a copy was restored. */
enum { VL_WEIGHT_FIELDS = 5, VL_WEIGHTS_MAX = 65536 };
typedef struct vl_weight {
    /* voice, script, language, degradation, source; "": not known. */
    const char *key[VL_WEIGHT_FIELDS];
    double right, wrong, human; /* of both, by correction */
    double fade;                /* of what is merged: what is there is multiplied by it first */
} vl_weight;
typedef struct vl_weight_calibration {
    const char *voice;
    double slope, offset, base;
} vl_weight_calibration;
typedef struct vl_weights {
    const vl_weight *rows;
    size_t row_count;
    const vl_weight_calibration *calibrations;
    size_t calibration_count;
} vl_weights;
typedef struct vl_weights_reader {
    void (*begin)(void *to); /* it may begin again */
    /* Strings are there until the function returns. */
    vl_status (*row)(const vl_weight *row, void *to, vl_error *error);
    vl_status (*calibration)(const vl_weight_calibration *calibration, void *to,
                             vl_error *error);
    void *to;
} vl_weights_reader;
/* 0: nothing was ever changed. */
vl_status vl_weights_mark(vl_db *db, int64_t *mark, vl_error *error);
/* All of one moment, and its mark. VL_ERR_INPUT: a value is no number. */
vl_status vl_weights_read(vl_db *db, const vl_weights_reader *reader, int64_t *mark,
                          vl_error *error);
/* What a change found and what it left: whoever had read at `before` knows what is there now.
 */
typedef struct vl_weights_change {
    int64_t before, after;
    int64_t removed; /* rows and calibrations, by vl_weights_reset */
} vl_weights_change;
/* Adds counts to rows, after fading them, and replaces calibrations, all of it or nothing;
 * however many do so at once, every count is added. Of more than VL_WEIGHTS_MAX rows those with
 * the least evidence go. When the connection breaks during the commit it may have been done. */
vl_status vl_weights_merge(vl_db *db, const vl_weights *learned, vl_weights_change *change,
                           vl_error *error);
vl_status vl_weights_replace(vl_db *db, const vl_weights *all, vl_weights_change *change,
                             vl_error *error);
/* Forgets a voice (and "voice/…"), or everything for NULL. */
vl_status vl_weights_reset(vl_db *db, const char *voice, vl_weights_change *change,
                           vl_error *error);

/* ---- people who are spoken of ------------------------------------------------------------ */

/* A subject is a person whose data is kept, under an id that whoever uploads gives. In the
 * audit trail and on tombstones stands its mark, "subject:" and the SHA-256 of the id. */
struct vl_store;
enum { VL_SUBJECT_SIZE = 128, VL_SUBJECT_MARK_SIZE = 8 + VL_SHA256_HEX_SIZE };
/* VL_ERR_INPUT says what an id may be. */
vl_status vl_subject_check(const char *subject, vl_error *error);
void vl_subject_mark(const char *subject, char mark[VL_SUBJECT_MARK_SIZE]);
typedef struct vl_keep {
    const char *subject, *consent; /* who it is, and what was consented to */
    const char *kind;              /* "upload": the class that retention goes by */
    const char *media_type;
    double seconds; /* until it is removed; 0: it stays */
    const char *actor, *request_id, *address;
} vl_keep;
/* Into the vault, with a row of the consent and an entry of the audit trail; all or nothing.
 * VL_ERR_MISSING: there is no vault. */
vl_status vl_subject_keep(struct vl_store *store, const void *bytes, size_t count,
                          const vl_keep *keep, vl_object *object, vl_error *error);
/* All that is kept of a subject, jobs about it included, as a ZIP (docs/privacy.md).
 * VL_ERR_DENIED: there is nothing; VL_ERR_LIMIT: more than `zip` may hold. */
vl_status vl_subject_export(struct vl_store *store, const char *subject, vl_buf *zip,
                            vl_error *error);
/* Removes all of it, also when there is nothing: objects, consents, items of jobs with their
 * files and results (who has one in work loses its lease). Leaves a tombstone, which restoring
 * a copy obeys. `receipt` receives {"receipt", "algorithm", "signature"}, which is also in the
 * audit trail. VL_ERR_MISSING, and nothing is removed: there is no secret_key to sign with.
 * After another error it can be asked for again. */
typedef struct vl_erasing {
    const char *actor, *request_id, *address; /* who asks; the last two may be NULL */
} vl_erasing;
vl_status vl_subject_erase(struct vl_store *store, const char *subject, const vl_erasing *by,
                           vl_buf *receipt, vl_error *error);
/* VL_ERR_INPUT: it is no receipt, was changed, or was signed with another key. */
vl_status vl_receipt_verify(const struct vl_store *store, const char *text, size_t bytes,
                            vl_error *error);

/* ---- all of it --------------------------------------------------------------------------- */

struct vl_redis;
typedef struct vl_store {
    vl_db *db;
    vl_audit *audit;
    vl_vault *vault;        /* NULL: no encryption_key, nothing is kept */
    struct vl_redis *redis; /* of store/redis.h; NULL: no redis_url */
    char *secret;           /* secret_key; NULL: none */
    char erasures[4096];    /* file of tombstones */
    char job_files[4096];   /* folder of files of jobs, where there is no vault */
} vl_store;
/* After vl_vault_rotate, so that the older master keys can go: results of jobs that they sealed
 * are sealed under the first one. There is a vault. */
vl_status vl_job_results_rotate(vl_store *store, int64_t *resealed, vl_error *error);
/* As database_url, secret_key, audit_log, encryption_key, object_path, job_path and redis_url
 * say; the database is migrated. Redis is not waited for: it may come and go. */
vl_status vl_store_open(const vl_config *config, vl_store *store, vl_error *error);
void vl_store_close(vl_store *store); /* what is open of it */
/* The file of tombstones: erasures.jsonl in the folder of object_path. */
void vl_erasures_path(const vl_config *config, char path[4096]);

#ifdef __cplusplus
}
#endif
#endif
