/* users.c — who may use the service.
 *
 *   vl_user_create, _find, _list, _set_…, _delete
 *   vl_user_login     a password held against what is stored, and what wrong ones lead to */
#include "store/people.h"
#include "store/secrets.h"

#include <stdio.h>
#include <string.h>

enum { FREE_FAILURES = 4, FIRST_LOCK_MS = 30000, LONGEST_LOCK_MS = 3600000 };

static const char *const role_names[] = {"viewer", "annotator", "operator", "admin"};

const char *vl_role_name(vl_role role) {
    return role_names[role];
}

vl_status vl_role_parse(const char *name, vl_role *role, vl_error *error) {
    for (int i = 0; i < VL_ROLE_COUNT; i++)
        if (!strcmp(name, role_names[i])) {
            *role = (vl_role)i;
            return VL_OK;
        }
    return vl_fail(error, VL_ERR_INPUT,
                   "'%.40s' is no role: viewer, annotator, operator or admin", name);
}

vl_status name_check(const char *name, const char *of_what, vl_error *error) {
    size_t length = strlen(name);
    if (length && length < VL_USER_NAME_SIZE &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-@") == length)
        return VL_OK;
    return vl_fail(error, VL_ERR_INPUT,
                   "the name of a %s has 1 to %d of the letters a to z, 0 to 9, . _ - and @",
                   of_what, VL_USER_NAME_SIZE - 1);
}

/* A role that this version does not know may nothing but look. */
static vl_role role_of(const char *name) {
    vl_role role = VL_ROLE_VIEWER;
    vl_role_parse(name, &role, NULL);
    return role;
}

void user_from(const vl_db_value *columns, vl_user *user) {
    *user = (vl_user){.id = columns[0].integer,
                      .role = role_of(vl_db_string(&columns[2])),
                      .disabled = columns[3].integer != 0,
                      .failures = (int)columns[4].integer,
                      .locked_until_ms = columns[5].integer,
                      .created_ms = columns[6].integer,
                      .seen_ms = columns[7].integer};
    snprintf(user->name, sizeof user->name, "%s", vl_db_string(&columns[1]));
}

/* ---- finding ----------------------------------------------------------------------------- */

typedef struct found {
    vl_user user;
    char hash[PASSWORD_HASH_SIZE];
    bool any;
} found;

static vl_status take_found(const vl_db_value *columns, size_t count, void *user,
                            vl_error *error) {
    found *f = user;
    (void)count;
    (void)error;
    f->any = true;
    user_from(columns, &f->user);
    snprintf(f->hash, sizeof f->hash, "%s", vl_db_string(&columns[USER_COLUMN_COUNT]));
    return VL_OK;
}

static vl_db_call find_by_id(int64_t id, vl_db_value *param, found *f) {
    *f = (found){0};
    *param = vl_db_int(id);
    return (vl_db_call){.sql = "SELECT " USER_COLUMNS ", u.password_hash FROM users u "
                               "WHERE u.id = $1",
                        .params = param,
                        .count = 1,
                        .row = take_found,
                        .user = f};
}

static vl_status find_name(vl_db *db, const char *name, found *f, vl_error *error) {
    *f = (found){0};
    return vl_db_once(db,
                      &(vl_db_call){.sql =
                                        "SELECT " USER_COLUMNS ", u.password_hash FROM users u "
                                        "WHERE u.name = $1",
                                    VL_DB_PARAMS(vl_db_text(name)),
                                    .row = take_found,
                                    .user = f},
                      error);
}

vl_status vl_user_find(vl_db *db, int64_t id, vl_user *user, vl_error *error) {
    found f;
    vl_db_value param;
    vl_db_call call = find_by_id(id, &param, &f);
    vl_status status = vl_db_once(db, &call, error);
    if (!status && !f.any)
        status = vl_fail(error, VL_ERR_INPUT, "there is no user %lld", (long long)id);
    *user = f.user;
    return status;
}

vl_status vl_user_find_name(vl_db *db, const char *name, vl_user *user, vl_error *error) {
    found f;
    vl_status status = find_name(db, name, &f, error);
    if (!status && !f.any)
        status = vl_fail(error, VL_ERR_INPUT, "there is no user '%.64s'", name);
    *user = f.user;
    return status;
}

typedef struct listing {
    vl_user_fn give;
    void *to;
} listing;

static vl_status give_user(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    listing *l = user;
    vl_user one;
    (void)count;
    user_from(columns, &one);
    return l->give(&one, l->to, error);
}

vl_status vl_user_list(vl_db *db, vl_user_fn give, void *to, vl_error *error) {
    listing l = {give, to};
    return vl_db_once(
        db,
        &(vl_db_call){.sql = "SELECT " USER_COLUMNS " FROM users u ORDER BY u.name",
                      .row = give_user,
                      .user = &l},
        error);
}

/* ---- making and changing ----------------------------------------------------------------- */

vl_status vl_user_create(vl_db *db, const char *name, const char *password, vl_role role,
                         vl_user *user, vl_error *error) {
    char hash[PASSWORD_HASH_SIZE];
    int64_t made = 0;
    vl_status status = name_check(name, "user", error);
    if (!status)
        status = password_check(name, password, error);
    if (!status)
        status = password_hash(password, hash, error);
    if (!status)
        status =
            vl_db_once(db,
                       &(vl_db_call){.sql = "INSERT INTO users (name, password_hash, role, "
                                            "created_ms) VALUES ($1, $2, $3, $4) "
                                            "ON CONFLICT (name) DO NOTHING",
                                     VL_DB_PARAMS(vl_db_text(name), vl_db_text(hash),
                                                  vl_db_text(vl_role_name(role)),
                                                  vl_db_int(vl_db_now_ms())),
                                     .changed = &made},
                       error);
    if (!status && !made)
        status = vl_fail(error, VL_ERR_USAGE, "there is a user '%s' already", name);
    return status ? status : vl_user_find_name(db, name, user, error);
}

typedef struct change {
    int64_t id;
    const char *sql;
    vl_db_value value; /* $2; of no type: the statement takes the id alone */
    bool takes_value, takes_admin_away;
} change;

static vl_status keep_an_admin(vl_db_conn *conn, const found *f, vl_error *error) {
    int64_t others = 0;
    if (f->user.role != VL_ROLE_ADMIN || f->user.disabled)
        return VL_OK;
    vl_status status =
        vl_db_run(conn,
                  &(vl_db_call){.sql = "SELECT count(*) FROM users WHERE role = 'admin' "
                                       "AND disabled = 0 AND id <> $1",
                                VL_DB_PARAMS(vl_db_int(f->user.id)),
                                .row = vl_db_take_int,
                                .user = &others},
                  error);
    if (!status && !others)
        status = vl_fail(error, VL_ERR_USAGE, "'%s' is the last admin", f->user.name);
    return status;
}

static vl_status apply(vl_db_conn *conn, void *user, vl_error *error) {
    const change *c = user;
    found f;
    vl_db_value param, params[2] = {vl_db_int(c->id), c->value};
    vl_db_call find = find_by_id(c->id, &param, &f);
    vl_status status = vl_db_run(conn, &find, error);
    if (!status && !f.any)
        status = vl_fail(error, VL_ERR_INPUT, "there is no user %lld", (long long)c->id);
    if (!status && c->takes_admin_away)
        status = keep_an_admin(conn, &f, error);
    if (!status)
        status = sessions_end_all(conn, c->id, error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = c->sql, .params = params, .count = c->takes_value ? 2 : 1},
            error);
    return status;
}

vl_status vl_user_set_password(vl_db *db, int64_t id, const char *password, vl_error *error) {
    char hash[PASSWORD_HASH_SIZE];
    vl_user user;
    vl_status status = vl_user_find(db, id, &user, error);
    if (!status)
        status = password_check(user.name, password, error);
    if (!status)
        status = password_hash(password, hash, error);
    change c = {.id = id,
                .sql = "UPDATE users SET failures = 0, locked_until_ms = 0, password_hash = $2 "
                       "WHERE id = $1",
                .value = vl_db_text(hash),
                .takes_value = true};
    return status ? status : vl_db_transact(db, VL_DB_SERIALIZABLE, apply, &c, error);
}

vl_status vl_user_set_role(vl_db *db, int64_t id, vl_role role, vl_error *error) {
    change c = {.id = id,
                .sql = "UPDATE users SET role = $2 WHERE id = $1",
                .value = vl_db_text(vl_role_name(role)),
                .takes_value = true,
                .takes_admin_away = role != VL_ROLE_ADMIN};
    return vl_db_transact(db, VL_DB_SERIALIZABLE, apply, &c, error);
}

vl_status vl_user_set_disabled(vl_db *db, int64_t id, bool disabled, vl_error *error) {
    change c = {.id = id,
                .sql = "UPDATE users SET disabled = $2 WHERE id = $1",
                .value = vl_db_int(disabled),
                .takes_value = true,
                .takes_admin_away = disabled};
    return vl_db_transact(db, VL_DB_SERIALIZABLE, apply, &c, error);
}

vl_status vl_user_delete(vl_db *db, int64_t id, vl_error *error) {
    change c = {.id = id, .sql = "DELETE FROM users WHERE id = $1", .takes_admin_away = true};
    return vl_db_transact(db, VL_DB_SERIALIZABLE, apply, &c, error);
}

/* ---- logging in -------------------------------------------------------------------------- */

static int64_t lock_after(int failures) {
    int doublings = failures - FREE_FAILURES - 1;
    if (doublings < 0)
        return 0;
    int64_t ms = doublings > 10 ? LONGEST_LOCK_MS : (int64_t)FIRST_LOCK_MS << doublings;
    return ms > LONGEST_LOCK_MS ? LONGEST_LOCK_MS : ms;
}

typedef struct attempt {
    int64_t id, now;
    bool right;
} attempt;

/* Read again in the transaction, so that two wrong ones at once are two. */
static vl_status note_attempt(vl_db_conn *conn, void *user, vl_error *error) {
    const attempt *a = user;
    found f;
    vl_db_value param;
    vl_db_call find = find_by_id(a->id, &param, &f);
    vl_status status = vl_db_run(conn, &find, error);
    if (status || !f.any)
        return status;
    int failures = a->right ? 0 : f.user.failures + 1;
    int64_t lock = lock_after(failures);
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE users SET failures = $1, locked_until_ms = $2, "
                             "seen_ms = $3 WHERE id = $4",
                      VL_DB_PARAMS(vl_db_int(failures), vl_db_int(lock ? a->now + lock : 0),
                                   a->right         ? vl_db_int(a->now)
                                   : f.user.seen_ms ? vl_db_int(f.user.seen_ms)
                                                    : vl_db_null(),
                                   vl_db_int(a->id))},
        error);
}

vl_status vl_user_login(vl_db *db, const char *name, const char *password, vl_user *user,
                        double *wait_seconds, vl_error *error) {
    found f;
    vl_status status = find_name(db, name, &f, error);
    if (wait_seconds)
        *wait_seconds = 0;
    if (status)
        return status;
    attempt a = {.id = f.user.id, .now = vl_db_now_ms()};
    a.right = password_is(f.any ? f.hash : NULL, password);
    bool is_locked = f.user.locked_until_ms > a.now;
    if (is_locked && wait_seconds)
        *wait_seconds = (double)(f.user.locked_until_ms - a.now) / 1000;
    if (f.any && !is_locked && !f.user.disabled)
        status = vl_db_transact(db, VL_DB_SERIALIZABLE, note_attempt, &a, error);
    if (status)
        return status;
    if (!a.right || is_locked || f.user.disabled)
        return vl_fail(error, VL_ERR_DENIED,
                       "name or password is wrong, or the user is locked");
    *user = f.user;
    user->failures = 0;
    user->seen_ms = a.now;
    return VL_OK;
}
