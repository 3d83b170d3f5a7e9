/* Tests of the vault: AES-256-GCM against published vectors, objects that come back or are
 * refused, master keys that change under use, and what a killed process leaves. */
#include "both.h"

#include "store/seal.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>
#include <utime.h>

#define VAULT FOLDER "/vault"
#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"

static void begin(vl_db *db) {
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
    assert_int_equal(system("rm -rf " VAULT), 0);
}

static vl_vault *open_vault(vl_db *db, const char *keys) {
    vl_vault *vault;
    need(vl_vault_open(db, VAULT, keys, &vault, &error));
    return vault;
}

/* ---- sealing ----------------------------------------------------------------------------- */

static void unhex(const char *text, uint8_t *out) {
    for (size_t i = 0; text[2 * i]; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
}

/* Test case 14 of McGrew and Viega, The Galois/Counter Mode of Operation, appendix B. */
static void test_published_vector(void **state) {
    uint8_t key[32] = {0}, sealed[12 + 16 + 16] = {0}, plain[16], zero[16] = {0};
    (void)state;
    unhex("cea7403d4d606b6e074ec5d3baf39d18", sealed + 12);
    unhex("d0d1c8a799996bf0265b98b5d48ab919", sealed + 28);
    need(unseal(key, "", sealed, sizeof sealed, plain, &error));
    assert_memory_equal(plain, zero, 16);
}

static void test_bound(void **state) {
    uint8_t key[32] = {7}, other[32] = {8}, sealed[5 + SEAL_EXTRA], again[5 + SEAL_EXTRA],
            plain[8];
    (void)state;
    need(seal(key, "about", "bytes", 5, sealed, &error));
    need(seal(key, "about", "bytes", 5, again, &error));
    assert_memory_not_equal(sealed, again, sizeof sealed); /* another nonce */
    need(unseal(key, "about", sealed, sizeof sealed, plain, &error));
    assert_memory_equal(plain, "bytes", 5);
    assert_int_equal(unseal(key, "other", sealed, sizeof sealed, plain, &error), VL_ERR_INPUT);
    assert_int_equal(unseal(other, "about", sealed, sizeof sealed, plain, &error),
                     VL_ERR_INPUT);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(unseal(key, "about", sealed, sizeof sealed, plain, &error),
                         VL_ERR_INPUT);
        sealed[i] ^= 1;
        assert_int_equal(unseal(key, "about", sealed, i, plain, &error), VL_ERR_INPUT);
    }
}

static void test_master_keys(void **state) {
    static const struct {
        const char *list;
        size_t count;
        vl_status status;
    } rows[] = {
        {"", 0, VL_ERR_MISSING},
        {KEY_A, 1, VL_OK},
        {KEY_B, 1, VL_OK},
        {KEY_A "," KEY_B, 2, VL_OK},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", 1, VL_OK}, /* base64url */
        {"password", 0, VL_ERR_USAGE},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", 0, VL_ERR_USAGE}, /* 31 bytes */
        {"0000000000000000000000000000000000000000000000000000000000000000", 0, VL_ERR_USAGE},
        {KEY_A ",,", 1, VL_ERR_USAGE},
        {KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A,
         8, VL_ERR_USAGE},
    };
    master_key keys[VL_MASTER_KEYS_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count;
        vl_status status = master_keys_read(rows[i].list, keys, &count, &error);
        if (status != rows[i].status || count != rows[i].count)
            fail_msg("%s: %s, %zu", rows[i].list, vl_status_name(status), count);
        assert_null(status ? strstr(error.message, "AAECAwQ") : NULL);
    }
}

/* ---- objects ----------------------------------------------------------------------------- */

static vl_object put(vl_vault *vault, const char *subject, const char *text, int64_t expires) {
    vl_object object = {.expires_ms = expires};
    strcpy(object.kind, "upload");
    strcpy(object.media_type, "text/plain");
    snprintf(object.subject, sizeof object.subject, "%s", subject);
    need(vl_vault_put(vault, text, strlen(text), &object, &error));
    return object;
}

static vl_status get(vl_vault *vault, const char *id, vl_buf *out) {
    vl_object object;
    vl_buf_clear(out);
    return vl_vault_get(vault, id, &object, out, &error);
}

static void path_of(const vl_object *object, char path[512]) {
    snprintf(path, 512, VAULT "/%.2s/%s", object->id, object->id);
}

static void there_and_back(vl_db *db) {
    vl_buf out, file;
    vl_object object, found;
    char path[512];
    struct stat facts;
    begin(db);
    vl_vault *vault = open_vault(db, KEY_A);
    vl_buf_init(&out, 1 << 20);
    vl_buf_init(&file, 1 << 20);
    const char *text = "Amina Hassan, shelter 12, +254 700 000000";
    object = put(vault, "user:amina", text, 0);
    put(vault, "user:amina", "", 0);
    need(get(vault, object.id, &out));
    assert_int_equal(out.len, strlen(text));
    assert_memory_equal(out.data, text, out.len);
    need(vl_vault_get(vault, object.id, &found, NULL, &error));
    assert_string_equal(found.subject, "user:amina");
    assert_string_equal(found.media_type, "text/plain");
    assert_int_equal(found.bytes, strlen(text));
    path_of(&object, path);
    need(vl_file_read(path, 1 << 20, &file, &error));
    assert_null(memmem(file.data, file.len, "Amina", 5));
    assert_null(memmem(file.data, file.len, "254", 3));
    assert_int_equal(stat(VAULT, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0700);
    /* A changed file, another's file, a file cut short: refused. */
    file.data[20] ^= 4;
    need(vl_file_write(path, file.data, file.len, &error));
    assert_int_equal(get(vault, object.id, &out), VL_ERR_INPUT);
    file.data[20] ^= 4;
    need(vl_file_write(path, file.data, file.len - 1, &error));
    assert_int_equal(get(vault, object.id, &out), VL_ERR_INPUT);
    vl_object other = put(vault, "user:b", text, 0);
    char others[512];
    path_of(&other, others);
    assert_int_equal(rename(others, path), 0);
    assert_int_equal(get(vault, object.id, &out), VL_ERR_INPUT);
    need(vl_file_write(path, file.data, file.len, &error));
    need(get(vault, object.id, &out));
    assert_int_equal(get(vault, "../../../etc/passwd", &out), VL_ERR_DENIED);
    assert_int_equal(get(vault, "00000000000000000000000000000000", &out), VL_ERR_DENIED);
    need(vl_vault_delete(vault, object.id, &error));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(vl_vault_delete(vault, object.id, &error), VL_ERR_DENIED);
    vl_buf_deinit(&out);
    vl_buf_deinit(&file);
    vl_vault_close(vault);
}

static void test_there_and_back(void **state) {
    (void)state;
    on_both(there_and_back);
}

/* ---- master keys that change ------------------------------------------------------------- */

enum { OBJECTS = 130 };

typedef struct reading {
    vl_vault *vault;
    char (*ids)[VL_OBJECT_ID_SIZE];
    int rounds;
    bool failed;
} reading;

static void *read_all(void *arg) {
    reading *r = arg;
    vl_buf out;
    vl_object object;
    vl_buf_init(&out, 1 << 16);
    for (int round = 0; round < r->rounds; round++)
        for (int i = 0; i < OBJECTS; i += 7) {
            vl_buf_clear(&out);
            if (vl_vault_get(r->vault, r->ids[i], &object, &out, NULL))
                r->failed = true;
        }
    vl_buf_deinit(&out);
    return NULL;
}

static void rotation(vl_db *db) {
    char ids[OBJECTS][VL_OBJECT_ID_SIZE];
    vl_buf out;
    int64_t rewrapped;
    begin(db);
    vl_buf_init(&out, 1 << 16);
    vl_vault *vault = open_vault(db, KEY_A);
    for (int i = 0; i < OBJECTS; i++) {
        vl_object object = put(vault, "s", i % 2 ? "odd" : "even", 0);
        memcpy(ids[i], object.id, VL_OBJECT_ID_SIZE);
    }
    vl_buf sealed;
    vl_buf_init(&sealed, 4096);
    need(vl_vault_seal(vault, "job 7", "ግዕዝ secret", &sealed, &error));
    vl_vault_close(vault);
    vault = open_vault(db, KEY_B); /* the old one is not here */
    assert_int_equal(get(vault, ids[0], &out), VL_ERR_MISSING);
    assert_int_equal(vl_vault_rotate(vault, &rewrapped, &error), VL_ERR_MISSING);
    vl_vault_close(vault);
    vault = open_vault(db, KEY_B "," KEY_A);
    reading r = {vault, ids, 6, false};
    pthread_t thread;
    pthread_create(&thread, NULL, read_all, &r);
    need(vl_vault_rotate(vault, &rewrapped, &error));
    pthread_join(thread, NULL);
    assert_false(r.failed); /* readable throughout */
    assert_int_equal(rewrapped, OBJECTS);
    need(vl_vault_rotate(vault, &rewrapped, &error));
    assert_int_equal(rewrapped, 0);
    vl_buf_clear(&out);
    need(vl_vault_unseal(vault, "job 7", sealed.data, &out, &error));
    assert_string_equal(out.data, "ግዕዝ secret");
    assert_int_equal(vl_vault_unseal(vault, "job 8", sealed.data, &out, &error), VL_ERR_INPUT);
    assert_int_equal(vl_vault_unseal(vault, "job 7", "plain text", &out, &error), VL_ERR_INPUT);
    vl_vault_close(vault);
    vault = open_vault(db, KEY_B); /* and now it need not be */
    for (int i = 0; i < OBJECTS; i++) {
        need(get(vault, ids[i], &out));
        assert_string_equal(out.data, i % 2 ? "odd" : "even");
    }
    assert_int_equal(vl_vault_unseal(vault, "job 7", sealed.data, &out, &error),
                     VL_ERR_MISSING);
    vl_vault_close(vault);
    vl_buf_deinit(&sealed);
    vl_buf_deinit(&out);
}

static void test_rotation(void **state) {
    (void)state;
    on_both(rotation);
}

/* ---- what is swept ----------------------------------------------------------------------- */

static vl_status count_object(const vl_object *object, void *to, vl_error *why) {
    (void)object;
    (void)why;
    ++*(int *)to;
    return VL_OK;
}

static void sweep(vl_db *db) {
    vl_buf out;
    int64_t removed;
    int count = 0;
    begin(db);
    vl_buf_init(&out, 1 << 16);
    vl_vault *vault = open_vault(db, KEY_A);
    vl_object kept = put(vault, "s", "kept", 0),
              later = put(vault, "s", "later", vl_db_now_ms() + 3600000),
              past = put(vault, "s", "past", vl_db_now_ms() - 1);
    assert_int_equal(get(vault, past.id, &out), VL_ERR_DENIED); /* also before it is swept */
    /* A file that a killed process left, an hour ago and now. */
    const char *orphan = VAULT "/ab/abababababababababababababababab",
               *fresh = VAULT "/ab/abababababababababababababababac";
    need(vl_dir_make(VAULT "/ab", &error));
    need(vl_file_write(orphan, "x", 1, &error));
    need(vl_file_write(fresh, "x", 1, &error));
    assert_int_equal(utime(orphan, &(struct utimbuf){.actime = 1000, .modtime = 1000}), 0);
    need(vl_vault_sweep(vault, &removed, &error));
    assert_int_equal(removed, 2);
    assert_int_equal(access(orphan, F_OK), -1);
    assert_int_equal(access(fresh, F_OK), 0);
    need(get(vault, kept.id, &out));
    need(get(vault, later.id, &out));
    need(vl_vault_list(vault, "s", count_object, &count, &error));
    assert_int_equal(count, 2);
    vl_vault_close(vault);
    vl_buf_deinit(&out);
}

static void test_sweep(void **state) {
    (void)state;
    on_both(sweep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vector), cmocka_unit_test(test_bound),
        cmocka_unit_test(test_master_keys),      cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_rotation),         cmocka_unit_test(test_sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
