/* vault.c — objects in encrypted files, their wrapped keys in the database.
 *
 * An object's file is there before its row and goes after it, so that a row always has its
 * file; a file without a row is what a killed process left, and the sweep removes it. */
#include "store/db.h"
#include "store/seal.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FOLDER_MAX = 3900,
    WRAPPED = 32 + SEAL_EXTRA,
    ROWS_AT_ONCE = 100,
    ORPHAN_SECONDS = 3600
};
static const uint64_t OBJECT_MAX = (uint64_t)4 << 30;

struct vl_vault {
    vl_db *db;
    char folder[FOLDER_MAX];
    master_key keys[VL_MASTER_KEYS_MAX];
    size_t key_count;
};

vl_status vl_vault_open(vl_db *db, const char *folder, const char *keys, vl_vault **opened,
                        vl_error *error) {
    *opened = NULL;
    vl_vault *vault = calloc(1, sizeof *vault);
    if (!vault)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the vault");
    vault->db = db;
    vl_status status = master_keys_read(keys, vault->keys, &vault->key_count, error);
    if (!status && snprintf(vault->folder, FOLDER_MAX, "%s", folder) >= FOLDER_MAX)
        status = vl_fail(error, VL_ERR_USAGE, "the vault's folder: too long a path");
    if (!status)
        status = vl_dir_make(folder, error);
    if (!status && chmod(folder, 0700))
        status = vl_fail(error, VL_ERR_IO, "%s: %s", folder, strerror(errno));
    if (status) {
        vl_vault_close(vault);
        return status;
    }
    *opened = vault;
    return VL_OK;
}

void vl_vault_close(vl_vault *vault) {
    if (!vault)
        return;
    OPENSSL_cleanse(vault->keys, sizeof vault->keys);
    free(vault);
}

static const master_key *key_called(const vl_vault *vault, const char *id) {
    for (size_t i = 0; i < vault->key_count; i++)
        if (!strcmp(vault->keys[i].id, id))
            return &vault->keys[i];
    return NULL;
}

const char *vl_vault_key_id(const vl_vault *vault) {
    return vault->keys[0].id;
}

/* ---- putting ----------------------------------------------------------------------------- */

/* "<folder>/ab/ab12…": 256 folders. */
static void path_of(const vl_vault *vault, const char *id, char path[4096]) {
    snprintf(path, 4096, "%s/%.2s/%s", vault->folder, id, id);
}

static void new_id(char id[VL_OBJECT_ID_SIZE]) {
    uint8_t bytes[(VL_OBJECT_ID_SIZE - 1) / 2];
    vl_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static bool is_id(const char *id) {
    return strlen(id) == VL_OBJECT_ID_SIZE - 1 &&
           strspn(id, "0123456789abcdef") == VL_OBJECT_ID_SIZE - 1;
}

static vl_status write_sealed(const vl_vault *vault, const uint8_t key[32], const char *id,
                              const void *bytes, size_t count, vl_error *error) {
    char path[4096], folder[4096];
    uint8_t *sealed = malloc(count + SEAL_EXTRA);
    if (!sealed)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to encrypt %zu bytes", count);
    path_of(vault, id, path);
    snprintf(folder, sizeof folder, "%s/%.2s", vault->folder, id);
    vl_status status = seal(key, id, bytes, count, sealed, error);
    if (!status)
        status = vl_dir_make(folder, error);
    if (!status)
        status = vl_file_write(path, sealed, count + SEAL_EXTRA, error);
    free(sealed);
    return status;
}

static vl_status insert_row(const vl_vault *vault, const vl_object *o, const uint8_t key[32],
                            vl_error *error) {
    uint8_t wrapped[WRAPPED];
    vl_status status = seal(vault->keys[0].bytes, o->id, key, 32, wrapped, error);
    if (status)
        return status;
    return vl_db_once(
        vault->db,
        &(vl_db_call){
            .sql = "INSERT INTO blobs (id, class, subject, media_type, bytes, sha256, "
                   "key_id, wrapped_key, created_ms, expires_ms) VALUES ($1, $2, $3, "
                   "$4, $5, $6, $7, $8, $9, $10)",
            VL_DB_PARAMS(vl_db_text(o->id), vl_db_text(o->kind), vl_db_text(o->subject),
                         vl_db_text(o->media_type), vl_db_int((int64_t)o->bytes),
                         vl_db_text(o->sha256), vl_db_text(vault->keys[0].id),
                         vl_db_blob(wrapped, sizeof wrapped), vl_db_int(o->created_ms),
                         o->expires_ms ? vl_db_int(o->expires_ms) : vl_db_null())},
        error);
}

vl_status vl_vault_put(vl_vault *vault, const void *bytes, size_t count, vl_object *object,
                       vl_error *error) {
    uint8_t key[32];
    char path[4096];
    if (count > OBJECT_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "an object has at most 4 GB");
    new_id(object->id);
    object->bytes = count;
    object->created_ms = vl_db_now_ms();
    vl_sha256_hex(bytes, count, object->sha256);
    vl_random_bytes(key, sizeof key);
    vl_status status = write_sealed(vault, key, object->id, bytes, count, error);
    if (!status) {
        status = insert_row(vault, object, key, error);
        path_of(vault, object->id, path);
        /* When nobody can say whether the row was written, the sweep will see. */
        if (status && status != VL_ERR_MISSING)
            unlink(path);
    }
    OPENSSL_cleanse(key, sizeof key);
    return status;
}

void vl_vault_discard(vl_vault *vault, const char *id) {
    char path[4096];
    path_of(vault, id, path);
    if (is_id(id))
        unlink(path);
}

/* ---- getting ----------------------------------------------------------------------------- */

typedef struct row {
    vl_object object;
    char key_id[KEY_ID_SIZE];
    uint8_t wrapped[WRAPPED];
    bool any, is_whole;
} row;

#define COLUMNS                                                                                \
    "id, class, subject, coalesce(media_type, ''), bytes, sha256, created_ms, "                \
    "coalesce(expires_ms, 0), key_id, wrapped_key"

static void row_from(const vl_db_value *columns, row *r) {
    *r = (row){.any = true,
               .object = {.bytes = (uint64_t)columns[4].integer,
                          .created_ms = columns[6].integer,
                          .expires_ms = columns[7].integer}};
    snprintf(r->object.id, sizeof r->object.id, "%s", vl_db_string(&columns[0]));
    snprintf(r->object.kind, sizeof r->object.kind, "%s", vl_db_string(&columns[1]));
    snprintf(r->object.subject, sizeof r->object.subject, "%s", vl_db_string(&columns[2]));
    snprintf(r->object.media_type, sizeof r->object.media_type, "%s",
             vl_db_string(&columns[3]));
    snprintf(r->object.sha256, sizeof r->object.sha256, "%s", vl_db_string(&columns[5]));
    snprintf(r->key_id, sizeof r->key_id, "%s", vl_db_string(&columns[8]));
    r->is_whole = columns[9].count == WRAPPED;
    if (r->is_whole)
        memcpy(r->wrapped, columns[9].bytes, WRAPPED);
}

static vl_status take_row(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    (void)count;
    (void)error;
    row_from(columns, user);
    return VL_OK;
}

static vl_status find_row(vl_db *db, const char *id, row *r, vl_error *error) {
    *r = (row){0};
    vl_status status =
        is_id(id)
            ? vl_db_once(db,
                         &(vl_db_call){.sql = "SELECT " COLUMNS " FROM blobs WHERE id = $1",
                                       VL_DB_PARAMS(vl_db_text(id)),
                                       .row = take_row,
                                       .user = r},
                         error)
            : VL_OK;
    if (!status &&
        (!r->any || (r->object.expires_ms && r->object.expires_ms <= vl_db_now_ms())))
        status = vl_fail(error, VL_ERR_DENIED, "there is no such object");
    return status;
}

static vl_status unwrap(const vl_vault *vault, const row *r, uint8_t key[32], vl_error *error) {
    const master_key *master = key_called(vault, r->key_id);
    if (!master)
        return vl_fail(error, VL_ERR_MISSING,
                       "the object's master key (%s) is not among those that were given",
                       r->key_id);
    if (!r->is_whole)
        return vl_fail(error, VL_ERR_INPUT, "the object's key has been changed");
    return unseal(master->bytes, r->object.id, r->wrapped, WRAPPED, key, error);
}

static vl_status read_sealed(const vl_vault *vault, const row *r, const uint8_t key[32],
                             vl_buf *out, vl_error *error) {
    char path[4096];
    vl_buf sealed;
    uint8_t *plain = NULL;
    path_of(vault, r->object.id, path);
    vl_buf_init(&sealed, r->object.bytes + SEAL_EXTRA);
    vl_status status = vl_file_read(path, r->object.bytes + SEAL_EXTRA, &sealed, error);
    if (!status && sealed.len != r->object.bytes + SEAL_EXTRA)
        status = vl_fail(error, VL_ERR_INPUT, "the object's file has been changed");
    if (!status && !(plain = malloc(r->object.bytes + 1)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the object");
    if (!status)
        status = unseal(key, r->object.id, sealed.data, sealed.len, plain, error);
    if (!status) {
        vl_buf_append(out, plain, r->object.bytes);
        status = vl_buf_status(out, "an object", error);
    }
    if (plain)
        OPENSSL_cleanse(plain, r->object.bytes);
    free(plain);
    vl_buf_deinit(&sealed);
    return status;
}

vl_status vl_vault_get(vl_vault *vault, const char *id, vl_object *object, vl_buf *out,
                       vl_error *error) {
    uint8_t key[32];
    row r;
    vl_status status = find_row(vault->db, id, &r, error);
    *object = r.object;
    if (status || !out)
        return status;
    status = unwrap(vault, &r, key, error);
    if (!status)
        status = read_sealed(vault, &r, key, out, error);
    OPENSSL_cleanse(key, sizeof key);
    return status;
}

typedef struct listing {
    vl_object_fn give;
    void *to;
} listing;

static vl_status give_object(const vl_db_value *columns, size_t count, void *user,
                             vl_error *error) {
    listing *l = user;
    row r;
    (void)count;
    row_from(columns, &r);
    return l->give(&r.object, l->to, error);
}

vl_status vl_vault_list(vl_vault *vault, const char *subject, vl_object_fn give, void *to,
                        vl_error *error) {
    listing l = {give, to};
    return vl_db_once(vault->db,
                      &(vl_db_call){.sql = "SELECT " COLUMNS " FROM blobs WHERE subject = $1 "
                                           "ORDER BY created_ms, id",
                                    VL_DB_PARAMS(vl_db_text(subject)),
                                    .row = give_object,
                                    .user = &l},
                      error);
}

/* ---- removing ---------------------------------------------------------------------------- */

vl_status vl_vault_delete(vl_vault *vault, const char *id, vl_error *error) {
    char path[4096];
    int64_t removed = 0;
    vl_status status = is_id(id)
                           ? vl_db_once(vault->db,
                                        &(vl_db_call){.sql = "DELETE FROM blobs WHERE id = $1",
                                                      VL_DB_PARAMS(vl_db_text(id)),
                                                      .changed = &removed},
                                        error)
                           : VL_OK;
    if (status)
        return status;
    if (!removed)
        return vl_fail(error, VL_ERR_DENIED, "there is no such object");
    path_of(vault, id, path);
    return unlink(path) && errno != ENOENT
               ? vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno))
               : VL_OK;
}

typedef struct expired {
    char ids[ROWS_AT_ONCE][VL_OBJECT_ID_SIZE];
    size_t count;
} expired;

static vl_status take_id(const vl_db_value *columns, size_t count, void *user,
                         vl_error *error) {
    expired *e = user;
    (void)count;
    (void)error;
    snprintf(e->ids[e->count++], VL_OBJECT_ID_SIZE, "%s", vl_db_string(columns));
    return VL_OK;
}

static vl_status sweep_expired(vl_vault *vault, int64_t *removed, vl_error *error) {
    expired e;
    vl_status status;
    do {
        e.count = 0;
        status = vl_db_once(
            vault->db,
            &(vl_db_call){.sql = "SELECT id FROM blobs WHERE expires_ms <= $1 "
                                 "ORDER BY expires_ms LIMIT $2",
                          VL_DB_PARAMS(vl_db_int(vl_db_now_ms()), vl_db_int(ROWS_AT_ONCE)),
                          .row = take_id,
                          .user = &e},
            error);
        for (size_t i = 0; i < e.count && !status; i++) {
            status = vl_vault_delete(vault, e.ids[i], error);
            if (status == VL_ERR_DENIED) /* another process was faster */
                status = VL_OK;
            else if (!status)
                ++*removed;
        }
    } while (!status && e.count == ROWS_AT_ONCE);
    return status;
}

/* Removes the file when it is old and no row speaks of it. */
static vl_status sweep_file(vl_vault *vault, const char *folder, const char *name,
                            int64_t *removed, vl_error *error) {
    char path[4096];
    struct stat facts;
    int64_t rows = 0;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        stat(path, &facts) || !S_ISREG(facts.st_mode) ||
        facts.st_mtime > time(NULL) - ORPHAN_SECONDS)
        return VL_OK;
    vl_status status =
        vl_db_once(vault->db,
                   &(vl_db_call){.sql = "SELECT count(*) FROM blobs WHERE id = $1",
                                 VL_DB_PARAMS(vl_db_text(name)),
                                 .row = vl_db_take_int,
                                 .user = &rows},
                   error);
    if (!status && !rows && !unlink(path))
        ++*removed;
    return status;
}

static vl_status sweep_folder(vl_vault *vault, const char *folder, int64_t *removed,
                              vl_error *error) {
    DIR *open = opendir(folder);
    struct dirent *entry;
    vl_status status = VL_OK;
    while (open && !status && (entry = readdir(open)))
        status = sweep_file(vault, folder, entry->d_name, removed, error);
    if (open)
        closedir(open);
    return status;
}

vl_status vl_vault_sweep(vl_vault *vault, int64_t *removed, vl_error *error) {
    *removed = 0;
    vl_status status = sweep_expired(vault, removed, error);
    for (int i = 0; i < 256 && !status; i++) {
        char folder[4096];
        snprintf(folder, sizeof folder, "%s/%02x", vault->folder, i);
        status = sweep_folder(vault, folder, removed, error);
    }
    return status;
}

/* ---- rotating ---------------------------------------------------------------------------- */

typedef struct rotation {
    const vl_vault *vault;
    row *rows;
    size_t count;
} rotation;

static vl_status take_old(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    rotation *r = user;
    (void)count;
    (void)error;
    row_from(columns, &r->rows[r->count++]);
    return VL_OK;
}

static vl_status rewrap(vl_db_conn *conn, const vl_vault *vault, const row *r,
                        vl_error *error) {
    uint8_t key[32], wrapped[WRAPPED];
    vl_status status = unwrap(vault, r, key, error);
    if (!status)
        status = seal(vault->keys[0].bytes, r->object.id, key, 32, wrapped, error);
    OPENSSL_cleanse(key, sizeof key);
    return status ? status
                  : vl_db_run(conn,
                              &(vl_db_call){.sql = "UPDATE blobs SET key_id = $1, "
                                                   "wrapped_key = $2 WHERE id = $3",
                                            VL_DB_PARAMS(vl_db_text(vault->keys[0].id),
                                                         vl_db_blob(wrapped, sizeof wrapped),
                                                         vl_db_text(r->object.id))},
                              error);
}

static vl_status rotate_some(vl_db_conn *conn, void *user, vl_error *error) {
    rotation *r = user;
    r->count = 0;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT " COLUMNS " FROM blobs WHERE key_id <> $1 "
                             "ORDER BY id LIMIT $2",
                      VL_DB_PARAMS(vl_db_text(r->vault->keys[0].id), vl_db_int(ROWS_AT_ONCE)),
                      .row = take_old,
                      .user = r},
        error);
    for (size_t i = 0; i < r->count && !status; i++)
        status = rewrap(conn, r->vault, &r->rows[i], error);
    return status;
}

vl_status vl_vault_rotate(vl_vault *vault, int64_t *rewrapped, vl_error *error) {
    rotation r = {.vault = vault, .rows = calloc(ROWS_AT_ONCE, sizeof *r.rows)};
    vl_status status = VL_OK;
    *rewrapped = 0;
    if (!r.rows)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the rotation");
    do {
        status = vl_db_transact(vault->db, VL_DB_SERIALIZABLE, rotate_some, &r, error);
        *rewrapped += status ? 0 : (int64_t)r.count;
    } while (!status && r.count == ROWS_AT_ONCE);
    free(r.rows);
    return status;
}

/* ---- secret columns ---------------------------------------------------------------------- */

vl_status vl_vault_seal(vl_vault *vault, const char *what, const char *text, vl_buf *out,
                        vl_error *error) {
    size_t count = strlen(text);
    uint8_t *sealed = malloc(count + SEAL_EXTRA);
    char *letters = malloc(VL_BASE64_SIZE(count + SEAL_EXTRA));
    vl_status status = sealed && letters
                           ? seal(vault->keys[0].bytes, what, text, count, sealed, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory to encrypt a text");
    if (!status) {
        vl_base64_encode(sealed, count + SEAL_EXTRA, false, letters);
        vl_buf_printf(out, "%s:", vault->keys[0].id);
        vl_buf_puts(out, letters);
        status = vl_buf_status(out, "an encrypted text", error);
    }
    free(letters);
    free(sealed);
    return status;
}

vl_status vl_vault_unseal(vl_vault *vault, const char *what, const char *sealed, vl_buf *out,
                          vl_error *error) {
    char id[KEY_ID_SIZE];
    const char *colon = strchr(sealed, ':');
    if (!colon || colon - sealed != KEY_ID_SIZE - 1)
        return vl_fail(error, VL_ERR_INPUT, "what was sealed has been changed");
    snprintf(id, sizeof id, "%s", sealed);
    const master_key *master = key_called(vault, id);
    if (!master)
        return vl_fail(error, VL_ERR_MISSING,
                       "the text's master key (%s) is not among those that were given", id);
    size_t letters = strlen(colon + 1), count = 0;
    uint8_t *bytes = malloc(letters + 1), *plain = malloc(letters + 1);
    vl_status status =
        bytes && plain ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a text");
    if (!status && !vl_base64_decode(colon + 1, letters, false, bytes, &count))
        status = vl_fail(error, VL_ERR_INPUT, "what was sealed has been changed");
    if (!status)
        status = unseal(master->bytes, what, bytes, count, plain, error);
    if (!status) {
        vl_buf_append(out, plain, count - SEAL_EXTRA);
        status = vl_buf_status(out, "a text", error);
    }
    free(plain);
    free(bytes);
    return status;
}
