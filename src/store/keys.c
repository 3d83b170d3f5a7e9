/* keys.c — API keys: "vl_" and eight letters that may be shown, "_" and a token that may not.
 */
#include "store/people.h"
#include "store/secrets.h"

#include <stdio.h>
#include <string.h>

enum { USE_NOTED_MS = 60000, TAG_BYTES = 4 };

/* Of "api_keys k", after the columns of its user. */
#define KEY_COLUMNS                                                                            \
    "k.id, k.name, k.prefix, k.scopes, k.created_ms, coalesce(k.expires_ms, 0), "              \
    "coalesce(k.revoked_ms, 0), coalesce(k.used_ms, 0)"

static void key_from(const vl_db_value *columns, vl_key *key) {
    const vl_db_value *own = columns + USER_COLUMN_COUNT;
    *key = (vl_key){.id = own[0].integer,
                    .created_ms = own[4].integer,
                    .expires_ms = own[5].integer,
                    .revoked_ms = own[6].integer,
                    .used_ms = own[7].integer};
    snprintf(key->name, sizeof key->name, "%s", vl_db_string(&own[1]));
    snprintf(key->prefix, sizeof key->prefix, "%s", vl_db_string(&own[2]));
    if (vl_role_parse(vl_db_string(&own[3]), &key->scope, NULL))
        key->scope = VL_ROLE_VIEWER;
    user_from(columns, &key->user);
}

typedef struct found {
    vl_key key;
    bool any;
} found;

static vl_status take_key(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    found *f = user;
    (void)count;
    (void)error;
    key_from(columns, &f->key);
    f->any = true;
    return VL_OK;
}

static vl_status find_hash(vl_db *db, const char *hash, found *f, vl_error *error) {
    *f = (found){0};
    return vl_db_once(db,
                      &(vl_db_call){.sql = "SELECT " USER_COLUMNS ", " KEY_COLUMNS
                                           " FROM api_keys k JOIN users u ON u.id = k.user_id "
                                           "WHERE k.hash = $1",
                                    VL_DB_PARAMS(vl_db_text(hash)),
                                    .row = take_key,
                                    .user = f},
                      error);
}

vl_status vl_key_create(vl_db *db, int64_t user, const char *name, vl_role scope,
                        double seconds, char key[VL_KEY_SIZE], vl_key *made, vl_error *error) {
    uint8_t tag[TAG_BYTES];
    char token[VL_TOKEN_SIZE], prefix[VL_KEY_PREFIX_SIZE], hash[VL_SHA256_HEX_SIZE];
    vl_user owner;
    found f;
    int64_t now = vl_db_now_ms();
    vl_status status = name_check(name, "key", error);
    if (!status)
        status = vl_user_find(db, user, &owner, error);
    if (!status && scope > owner.role)
        status = vl_fail(error, VL_ERR_USAGE, "%s is %s and cannot give a key that is %s",
                         owner.name, vl_role_name(owner.role), vl_role_name(scope));
    if (status)
        return status;
    vl_random_bytes(tag, sizeof tag);
    token_new(token);
    snprintf(prefix, sizeof prefix, "vl_%02x%02x%02x%02x", tag[0], tag[1], tag[2], tag[3]);
    snprintf(key, VL_KEY_SIZE, "%s_%s", prefix, token);
    token_hash(key, hash);
    status = vl_db_once(
        db,
        &(vl_db_call){.sql = "INSERT INTO api_keys (user_id, name, prefix, hash, scopes, "
                             "created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                      VL_DB_PARAMS(vl_db_int(user), vl_db_text(name), vl_db_text(prefix),
                                   vl_db_text(hash), vl_db_text(vl_role_name(scope)),
                                   vl_db_int(now),
                                   seconds > 0 ? vl_db_int(now + (int64_t)(seconds * 1000))
                                               : vl_db_null())},
        error);
    if (!status)
        status = find_hash(db, hash, &f, error);
    if (!status)
        *made = f.key;
    return status;
}

/* Not once a request: a row that every request writes is a queue. */
static vl_status note_use(vl_db *db, const vl_key *key, int64_t now, vl_error *error) {
    if (key->used_ms > now - USE_NOTED_MS)
        return VL_OK;
    return vl_db_once(db,
                      &(vl_db_call){.sql = "UPDATE api_keys SET used_ms = $1 WHERE id = $2",
                                    VL_DB_PARAMS(vl_db_int(now), vl_db_int(key->id))},
                      error);
}

vl_status vl_key_check(vl_db *db, const char *key, vl_key *key_found, vl_role *role,
                       vl_error *error) {
    char hash[VL_SHA256_HEX_SIZE];
    found f;
    int64_t now = vl_db_now_ms();
    token_hash(key, hash);
    vl_status status = find_hash(db, hash, &f, error);
    if (status)
        return status;
    *key_found = f.key;
    if (!f.any || f.key.revoked_ms || (f.key.expires_ms && f.key.expires_ms <= now) ||
        f.key.user.disabled)
        return vl_fail(error, VL_ERR_DENIED, "the API key is not good");
    *role = f.key.scope < f.key.user.role ? f.key.scope : f.key.user.role;
    return note_use(db, &f.key, now, error);
}

typedef struct listing {
    vl_key_fn give;
    void *to;
} listing;

static vl_status give_key(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    listing *l = user;
    vl_key key;
    (void)count;
    key_from(columns, &key);
    return l->give(&key, l->to, error);
}

vl_status vl_key_list(vl_db *db, int64_t user, vl_key_fn give, void *to, vl_error *error) {
    listing l = {give, to};
    return vl_db_once(db,
                      &(vl_db_call){.sql = "SELECT " USER_COLUMNS ", " KEY_COLUMNS
                                           " FROM api_keys k JOIN users u ON u.id = k.user_id "
                                           "WHERE k.user_id = $1 ORDER BY k.id",
                                    VL_DB_PARAMS(vl_db_int(user)),
                                    .row = give_key,
                                    .user = &l},
                      error);
}

static vl_status find_id(vl_db *db, int64_t id, found *f, vl_error *error) {
    *f = (found){0};
    return vl_db_once(db,
                      &(vl_db_call){.sql = "SELECT " USER_COLUMNS ", " KEY_COLUMNS
                                           " FROM api_keys k JOIN users u ON u.id = k.user_id "
                                           "WHERE k.id = $1",
                                    VL_DB_PARAMS(vl_db_int(id)),
                                    .row = take_key,
                                    .user = f},
                      error);
}

vl_status vl_key_revoke(vl_db *db, int64_t user, int64_t id, vl_key *revoked, vl_error *error) {
    int64_t changed = 0;
    found f;
    vl_status status = vl_db_once(
        db,
        &(vl_db_call){.sql = "UPDATE api_keys SET revoked_ms = coalesce(revoked_ms, $1) "
                             "WHERE id = $2 AND CAST($3 AS BIGINT) IN (0, user_id)",
                      VL_DB_PARAMS(vl_db_int(vl_db_now_ms()), vl_db_int(id), vl_db_int(user)),
                      .changed = &changed},
        error);
    if (!status && !changed)
        status = vl_fail(error, VL_ERR_INPUT, "there is no key %lld", (long long)id);
    if (!status && revoked) {
        status = find_id(db, id, &f, error);
        *revoked = f.key;
    }
    return status;
}
