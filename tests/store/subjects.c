/* Tests of keeping with consent, giving out and erasing, and of copies that were made before
 * somebody was erased. */
#include "both.h"

#include "store/jobs.h"
#include "store/subjects.h"
#include "store/zip.h"

#include <cJSON.h>
#include <zlib.h>

#define VAULT FOLDER "/vault"
#define COPY FOLDER "/copy.vldb"
#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static vl_store open_store(vl_db *db) {
    vl_store store = {.db = db, .secret = strdup("thirty-two bytes and more of secret")};
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
    assert_int_equal(system("rm -rf " VAULT), 0);
    snprintf(store.erasures, sizeof store.erasures, VAULT "/erasures.jsonl");
    need(vl_audit_open(db, store.secret, strlen(store.secret), NULL, &store.audit, &error));
    need(vl_vault_open(db, VAULT, KEY, &store.vault, &error));
    return store;
}

static void close_store(vl_store *store) {
    store->db = NULL; /* the test's */
    vl_store_close(store);
}

static void keep(vl_store *store, const char *subject, const char *bytes, vl_object *object) {
    vl_keep how = {.subject = subject,
                   .consent = "she agreed",
                   .kind = "upload",
                   .media_type = "image/png",
                   .seconds = 3600,
                   .actor = "user:amina",
                   .request_id = "r1",
                   .address = "10.0.0.1"};
    need(vl_subject_keep(store, bytes, strlen(bytes), &how, object, &error));
}

static const vl_erasing by = {.actor = "shell:root"};

static void erase(vl_store *store, const char *subject, vl_buf *receipt) {
    vl_buf_init(receipt, 1 << 16);
    need(vl_subject_erase(store, subject, &by, receipt, &error));
}

static void test_ids(void **state) {
    static const struct {
        const char *id;
        bool good;
    } rows[] = {{"a", true},          {"case-7", true}, {"123-45C67890", true},
                {"a@b.co:1_2", true}, {"", false},      {"a b", false},
                {"../x", false},      {"é", false},     {"a\n", false}};
    char mark[VL_SUBJECT_MARK_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(!vl_subject_check(rows[i].id, &error), rows[i].good);
    vl_subject_mark("abc", mark);
    assert_string_equal(mark,
                        "subject:"
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* ---- keeping and giving out ---------------------------------------------------------------
 */

static bool holds(const vl_buf *zip, const char *name) {
    return memmem(zip->data, zip->len, name, strlen(name)) != NULL;
}

static void keep_and_export(vl_db *db) {
    vl_store store = open_store(db);
    vl_object object;
    vl_buf zip;
    keep(&store, "case-7", "a picture", &object);
    keep(&store, "case-8", "another", &object);
    assert_int_equal(object.expires_ms - object.created_ms >= 3600 * 1000 - 1000, 1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM consents"), 2);
    vl_buf_init(&zip, 1 << 20);
    need(vl_subject_export(&store, "case-8", &zip, &error));
    assert_memory_equal(zip.data, "PK\3\4", 4);
    char name[64];
    snprintf(name, sizeof name, "objects/%s.png", object.id);
    assert_true(holds(&zip, name) && holds(&zip, "data.json") && holds(&zip, "consents.json") &&
                holds(&zip, "audit.json"));
    vl_buf_deinit(&zip);
    vl_buf_init(&zip, 1 << 20);
    assert_int_equal(vl_subject_export(&store, "nobody", &zip, &error), VL_ERR_DENIED);
    vl_buf_deinit(&zip);
    vl_buf_init(&zip, 100); /* what is too much is said, not cut */
    assert_int_equal(vl_subject_export(&store, "case-8", &zip, &error), VL_ERR_LIMIT);
    vl_buf_deinit(&zip);
    /* Without a row of consent nothing stays. */
    need(run(db, "DROP TABLE consents"));
    vl_keep how = {"case-9", "yes", "upload", "image/png", 0, "a", "r", ""};
    assert_int_not_equal(vl_subject_keep(&store, "x", 1, &how, &object, &error), VL_OK);
    assert_int_equal(number_of(db, "SELECT count(*) FROM blobs WHERE subject = 'case-9'"), 0);
    vl_vault *vault = store.vault;
    store.vault = NULL;
    assert_int_equal(vl_subject_keep(&store, "x", 1, &how, &object, &error), VL_ERR_MISSING);
    store.vault = vault;
    close_store(&store);
}

static int files_in_vault(void) {
    char text[16] = "";
    FILE *count = popen("find " VAULT " -type f | wc -l", "r");
    assert_non_null(count);
    assert_non_null(fgets(text, sizeof text, count));
    pclose(count);
    return atoi(text);
}

/* An upload whose entry of the trail cannot be written is not kept, nor its consent. */
static void kept_whole_or_not(vl_db *db) {
    vl_store store = open_store(db);
    vl_object object;
    vl_keep how = {.subject = "case-7",
                   .consent = "she agreed",
                   .kind = "upload",
                   .media_type = "image/png",
                   .actor = "user:amina",
                   .request_id = "r1",
                   .address = "10.0.0.1"};
    need(vl_db_once(db, &(vl_db_call){.sql = "ALTER TABLE audit RENAME TO away"}, &error));
    assert_true(vl_subject_keep(&store, "a picture", 9, &how, &object, &error));
    need(vl_db_once(db, &(vl_db_call){.sql = "ALTER TABLE away RENAME TO audit"}, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM consents"), 0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM blobs"), 0);
    assert_int_equal(files_in_vault(), 0);
    need(vl_subject_keep(&store, "a picture", 9, &how, &object, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM consents"), 1);
    assert_int_equal(files_in_vault(), 1);
    close_store(&store);
}

static void test_kept_whole_or_not(void **state) {
    (void)state;
    on_both(kept_whole_or_not);
}

static void test_keep_and_export(void **state) {
    (void)state;
    on_both(keep_and_export);
}

/* ---- erasing ------------------------------------------------------------------------------
 */

static void erase_and_verify(vl_db *db) {
    vl_store store = open_store(db);
    vl_object object;
    vl_buf receipt;
    keep(&store, "case-7", "a picture", &object);
    erase(&store, "case-7", &receipt);
    assert_int_equal(vl_vault_get(store.vault, object.id, &object, NULL, &error),
                     VL_ERR_DENIED);
    assert_int_equal(number_of(db, "SELECT count(*) FROM consents"), 0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM erasures"), 1);
    need(vl_receipt_verify(&store, receipt.data, receipt.len, &error));
    static const char *const pieces[] = {"subject:", "\\\"objects\\\":", "\\\"erased\\\":\\\"",
                                         "\"signature\":\""};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces;
         i++) { /* what follows each, changed */
        char *at = strstr(receipt.data, pieces[i]) + strlen(pieces[i]), was = *at;
        *at = was == '1' ? '2' : '1';
        assert_int_equal(vl_receipt_verify(&store, receipt.data, receipt.len, &error),
                         VL_ERR_INPUT);
        *at = was;
    }
    assert_int_equal(vl_receipt_verify(&store, "{}", 2, &error), VL_ERR_INPUT);
    need(vl_receipt_verify(&store, receipt.data, receipt.len, &error));
    vl_buf_deinit(&receipt);
    erase(&store, "case-7", &receipt); /* again: nothing is there, and that is said */
    assert_true(holds(&receipt, "\\\"objects\\\":0"));
    vl_buf_deinit(&receipt);
    vl_audit_report report;
    need(vl_audit_verify(store.audit, &report, &error));
    assert_int_equal(report.first_bad, 0);
    free(store.secret);
    store.secret = NULL;
    keep(&store, "case-8", "stays", &object);
    vl_buf_init(&receipt, 1 << 16);
    assert_int_equal(vl_subject_erase(&store, "case-8", &by, &receipt, &error), VL_ERR_MISSING);
    need(vl_vault_get(store.vault, object.id, &object, NULL, &error));
    vl_buf_deinit(&receipt);
    close_store(&store);
}

static void test_erase_and_verify(void **state) {
    (void)state;
    on_both(erase_and_verify);
}

/* ---- copies -------------------------------------------------------------------------------
 */

static void restored(vl_db *db) {
    vl_store store = open_store(db);
    vl_object object;
    vl_buf receipt;
    vl_db_copy_report report;
    keep(&store, "case-7", "a picture", &object);
    keep(&store, "case-8", "another", &object);
    need(vl_db_backup(db, COPY, &report, &error));
    erase(&store, "case-7", &receipt);
    vl_buf_deinit(&receipt);
    /* By the tombstone in the database, and by that in the file. */
    need(vl_db_restore(db, COPY, true, &report, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM blobs WHERE subject = 'case-7'"), 0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM consents"), 1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM erasures"), 1);
    need(run(db, "DELETE FROM erasures"));
    need(vl_db_restore_obeying(db, COPY, true, store.erasures, &report, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM blobs"), 1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM erasures"), 1);
    /* What came after the erasure is not of it. */
    keep(&store, "case-7", "new consent", &object);
    need(vl_db_backup(db, COPY, &report, &error));
    need(vl_db_restore_obeying(db, COPY, true, store.erasures, &report, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM blobs WHERE subject = 'case-7'"), 1);
    /* A list that was damaged is not passed over. */
    static const char *const damaged[] = {
        "{\"subject\":\"x\"}\n",
        "{\"subject\":\"subject:"
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        "\",\"erased_ms\":1e300,\"receipt\":\"\"}\n",
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        need(vl_file_write(store.erasures, damaged[i], strlen(damaged[i]), &error));
        assert_int_equal(vl_db_restore_obeying(db, COPY, true, store.erasures, &report, &error),
                         VL_ERR_INPUT);
    }
    assert_int_equal(number_of(db, "SELECT count(*) FROM blobs"), 2);
    close_store(&store);
}

static void test_restored(void **state) {
    (void)state;
    on_both(restored);
}

/* ---- jobs ---------------------------------------------------------------------------------
 */

enum { ITEMS = 4 };
static const char *const WHOSE[ITEMS] = {"case-7", "case-8", "case-7", NULL};

static void order_items(vl_store *store, const char *const *whose, size_t count,
                        vl_job_info *job) {
    char id[VL_JOB_ID_SIZE], *inputs[ITEMS];
    bool was_there;
    vl_job_id_new(id);
    vl_job_order order = {.id = id,
                          .owner = "user:1",
                          .kind = "ocr",
                          .options = "{}",
                          .inputs = (const char *const *)inputs,
                          .subjects = whose,
                          .count = count,
                          .max_attempts = 3};
    for (size_t i = 0; i < count; i++) {
        cJSON *input = cJSON_CreateObject();
        cJSON_AddStringToObject(input, "name", "a.png");
        need(
            vl_job_file_keep(store, &order, i, "image/png", 60, "a picture", 9, input, &error));
        inputs[i] = cJSON_PrintUnformatted(input);
        cJSON_Delete(input);
    }
    need(vl_job_enqueue(store->db, &order, job, &was_there, &error));
    for (size_t i = 0; i < count; i++)
        cJSON_free(inputs[i]);
}

static void claim_number(vl_db *db, int64_t number, vl_job_task *task) {
    bool found;
    need(vl_job_claim(db, NULL, 60, task, &found, &error));
    assert_true(found);
    assert_int_equal(task->number, number);
}

static void finish_one(vl_store *store, vl_job_task *task) {
    vl_buf kept;
    vl_buf_init(&kept, 1 << 16);
    need(vl_job_result_seal(store, task->job, task->number, "{\"text\":\"Amina\"}", &kept,
                            &error));
    need(vl_job_finish(store->db, task, kept.data, &error));
    vl_buf_deinit(&kept);
}

static int64_t files_of(const vl_store *store, const char *job) {
    int64_t there = 0;
    for (int i = 0; i < ITEMS; i++) {
        char path[4200];
        snprintf(path, sizeof path, "%s/%s/%d", store->job_files, job, i);
        there += !access(path, F_OK);
    }
    return there;
}

static void check_export(vl_store *store, const char *job, bool has_vault) {
    vl_buf zip;
    char name[128];
    vl_buf_init(&zip, 1 << 20);
    need(vl_subject_export(store, "case-7", &zip, &error));
    assert_true(holds(&zip, "jobs.json"));
    snprintf(name, sizeof name, "jobs/%s/0/result.json", job);
    assert_true(holds(&zip, name));
    snprintf(name, sizeof name, "jobs/%s/2/file", job);
    assert_int_equal(holds(&zip, name), !has_vault);
    assert_int_equal(holds(&zip, "objects/"), has_vault);
    snprintf(name, sizeof name, "jobs/%s/1/", job); /* somebody else's */
    assert_false(holds(&zip, name));
    vl_buf_deinit(&zip);
}

static void check_erased(vl_store *store, const char *job, const char *other, vl_buf *receipt) {
    vl_job_info now;
    erase(store, "case-7", receipt);
    assert_true(holds(receipt, "\\\"job_items\\\":3"));
    vl_buf_deinit(receipt);
    assert_int_equal(number_of(store->db, "SELECT count(*) FROM job_items"), 2);
    assert_int_equal(
        number_of(store->db, "SELECT count(*) FROM job_items WHERE subject = 'case-7'"), 0);
    assert_int_equal(
        number_of(store->db, "SELECT count(*) FROM blobs WHERE subject = 'case-7'"), 0);
    need(vl_job_get(store->db, job, NULL, &now, NULL, &error));
    assert_int_equal(now.total, 2);
    assert_int_equal(now.done, 0);
    assert_string_equal(vl_job_state_name(now.state), "running");
    assert_int_equal(vl_job_get(store->db, other, NULL, &now, NULL, &error), VL_ERR_DENIED);
    assert_int_equal(files_of(store, job), store->vault ? 0 : 2);
    assert_int_equal(files_of(store, other), 0);
    vl_buf zip;
    vl_buf_init(&zip, 1 << 20);
    assert_int_equal(vl_subject_export(store, "case-7", &zip, &error), VL_ERR_DENIED);
    vl_buf_deinit(&zip);
}

/* A job of several people and one of a single one, with an item done, one in work, one that
 * waits. */
static void erase_jobs(vl_db *db, bool has_vault) {
    vl_store store = open_store(db);
    vl_vault *vault = store.vault;
    vl_job_info job, other;
    vl_job_task task, in_work;
    vl_db_copy_report report;
    vl_buf receipt;
    assert_int_equal(system("rm -rf " FOLDER "/jobs"), 0);
    snprintf(store.job_files, sizeof store.job_files, FOLDER "/jobs");
    store.vault = has_vault ? vault : NULL;
    order_items(&store, WHOSE, ITEMS, &job);
    claim_number(db, 0, &task);
    finish_one(&store, &task);
    vl_job_task_deinit(&task);
    order_items(&store, WHOSE, 1, &other);
    claim_number(db, 0, &in_work);
    assert_string_equal(in_work.job, other.id);
    check_export(&store, job.id, has_vault);
    need(vl_db_backup(db, COPY, &report, &error));
    check_erased(&store, job.id, other.id, &receipt);
    assert_int_equal(vl_job_holds(db, &in_work, &error), VL_ERR_CANCELLED);
    assert_int_equal(vl_job_finish(db, &in_work, "{}", &error), VL_ERR_CANCELLED);
    vl_job_task_deinit(&in_work);
    /* What is left goes on, and ends its job. */
    for (int64_t number = 1; number < ITEMS; number += 2) {
        need(run(db, "UPDATE job_items SET turn_ms = number"));
        claim_number(db, number, &task);
        need(vl_job_finish(db, &task, "{}", &error));
        vl_job_task_deinit(&task);
    }
    need(vl_job_get(db, job.id, NULL, &job, NULL, &error));
    assert_string_equal(vl_job_state_name(job.state), "done");
    assert_int_equal(job.done, 2);
    /* A copy of before does not bring it back. */
    need(vl_db_restore_obeying(db, COPY, true, store.erasures, &report, &error));
    assert_int_equal(number_of(db, "SELECT count(*) FROM job_items"), 2);
    assert_int_equal(number_of(db, "SELECT count(*) FROM job_items WHERE subject = 'case-7'"),
                     0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM jobs"), 1);
    store.vault = vault;
    close_store(&store);
}

static void erase_jobs_encrypted(vl_db *db) {
    erase_jobs(db, true);
}

static void erase_jobs_plain(vl_db *db) {
    erase_jobs(db, false);
}

static void test_erase_jobs(void **state) {
    (void)state;
    on_both(erase_jobs_encrypted);
    on_both(erase_jobs_plain);
}

/* Its last items gone, a job ends as the others have. */
static void the_rest_has_ended(vl_db *db) {
    static const char *const two[] = {"case-7", "case-8"};
    vl_store store = open_store(db);
    vl_job_info job;
    vl_job_task task;
    vl_buf receipt;
    bool ended;
    order_items(&store, two, 2, &job);
    claim_number(db, 0, &task);
    need(vl_job_fail(db, &task, "{}", false, &ended, &error));
    vl_job_task_deinit(&task);
    erase(&store, "case-8", &receipt);
    vl_buf_deinit(&receipt);
    need(vl_job_get(db, job.id, NULL, &job, NULL, &error));
    assert_string_equal(vl_job_state_name(job.state), "failed");
    assert_true(job.finished_ms > 0);
    close_store(&store);
}

static void test_the_rest_has_ended(void **state) {
    (void)state;
    on_both(the_rest_has_ended);
}

/* Old jobs go with the files of items that failed, and a file without an item goes. */
static void swept(vl_db *db, bool has_vault) {
    vl_store store = open_store(db);
    vl_vault *vault = store.vault;
    vl_job_info job, other;
    vl_job_task task;
    vl_job_swept report;
    bool ended;
    assert_int_equal(system("rm -rf " FOLDER "/jobs"), 0);
    snprintf(store.job_files, sizeof store.job_files, FOLDER "/jobs");
    store.vault = has_vault ? vault : NULL;
    order_items(&store, WHOSE, 1, &job);
    claim_number(db, 0, &task);
    need(vl_job_fail(db, &task, "{}", false, &ended, &error));
    vl_job_task_deinit(&task);
    vl_job_files_sweep(&store); /* it may be tried again */
    assert_int_equal(files_of(&store, job.id), !has_vault);
    need(run(db, "UPDATE jobs SET finished_ms = finished_ms - 100000"));
    order_items(&store, WHOSE, 2, &other);
    need(vl_jobs_sweep(&store, 60, &report, &error));
    assert_int_equal(report.removed, 1);
    assert_int_equal(files_of(&store, job.id), 0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM blobs"), has_vault ? 2 : 0);
    need(run(db, "DELETE FROM job_items WHERE number = 1"));
    vl_job_files_sweep(&store);
    assert_int_equal(files_of(&store, other.id), !has_vault);
    store.vault = vault;
    close_store(&store);
}

static void swept_encrypted(vl_db *db) {
    swept(db, true);
}

static void swept_plain(vl_db *db) {
    swept(db, false);
}

static void test_swept(void **state) {
    (void)state;
    on_both(swept_encrypted);
    on_both(swept_plain);
}

/* After a rotation the older master key is needed for nothing. */
static void results_rotate(vl_db *db) {
    static const char new_key[] = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    static const char both[] = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=," KEY;
    vl_store store = open_store(db);
    vl_job_info job;
    vl_job_task task;
    int64_t changed;
    vl_buf zip;
    order_items(&store, WHOSE, 1, &job);
    claim_number(db, 0, &task);
    finish_one(&store, &task);
    vl_job_task_deinit(&task);
    vl_vault_close(store.vault);
    need(vl_vault_open(db, VAULT, both, &store.vault, &error));
    need(vl_vault_rotate(store.vault, &changed, &error));
    need(vl_job_results_rotate(&store, &changed, &error));
    assert_int_equal(changed, 1);
    need(vl_job_results_rotate(&store, &changed, &error));
    assert_int_equal(changed, 0);
    vl_vault_close(store.vault);
    need(vl_vault_open(db, VAULT, new_key, &store.vault, &error));
    vl_buf_init(&zip, 1 << 20);
    need(vl_subject_export(&store, "case-7", &zip, &error)); /* with the result */
    vl_buf_deinit(&zip);
    close_store(&store);
}

static void test_results_rotate(void **state) {
    (void)state;
    on_both(results_rotate);
}

/* ---- archives -----------------------------------------------------------------------------
 */

static void test_zip(void **state) {
    vl_buf out;
    zip_writer zip;
    (void)state;
    vl_buf_init(&out, 1 << 20);
    zip_begin(&zip, &out);
    need(zip_add(&zip, "a.txt", "hello hello hello", 17, &error));
    need(zip_add(&zip, "empty", "", 0, &error));
    need(zip_end(&zip, &error));
    zip_free(&zip);
    /* APPNOTE 4.3.7 and 4.3.16: the first header, and the end of the directory. */
    const uint8_t *at = (const uint8_t *)out.data;
    assert_memory_equal(at, "PK\3\4\x14\0\0\x08\x08\0", 10);
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)"hello hello hello", 17);
    uint32_t said =
        at[14] | (uint32_t)at[15] << 8 | (uint32_t)at[16] << 16 | (uint32_t)at[17] << 24;
    assert_int_equal(said, crc);
    const uint8_t *end = at + out.len - 22;
    assert_memory_equal(end, "PK\5\6", 4);
    assert_int_equal(end[8] | end[9] << 8, 2);
    uint32_t directory = end[16] | (uint32_t)end[17] << 8;
    assert_memory_equal(at + directory, "PK\1\2", 4);
    vl_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_keep_and_export),
        cmocka_unit_test(test_kept_whole_or_not),
        cmocka_unit_test(test_erase_and_verify),
        cmocka_unit_test(test_restored),
        cmocka_unit_test(test_erase_jobs),
        cmocka_unit_test(test_the_rest_has_ended),
        cmocka_unit_test(test_swept),
        cmocka_unit_test(test_results_rotate),
        cmocka_unit_test(test_zip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
