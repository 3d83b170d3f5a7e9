/* Tests of the audit trail: entries come out as they went in, several writers make one chain,
 * and whatever is done to the table afterwards is found. */
#include "both.h"

#include <cJSON.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char key[] = "a key that the database does not hold";

static vl_audit *begin(vl_db *db, const char *log) {
    vl_audit *audit;
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
    need(vl_audit_open(db, key, sizeof key - 1, log, &audit, &error));
    return audit;
}

static void append(vl_audit *audit, int i) {
    char subject[64];
    snprintf(subject, sizeof subject, "user:%d \"\n\\ ሰላም", i);
    need(vl_audit_append(audit,
                         &(vl_audit_entry){.actor = "user:amina",
                                           .action = "login",
                                           .subject = subject,
                                           .outcome = i % 2 ? "done" : "refused",
                                           .detail = "{\"tries\":1}",
                                           .request_id = "r-1",
                                           .address = "203.0.113.9"},
                         &error));
}

/* ---- what is done to the table ----------------------------------------------------------- */

static void tampering(vl_db *db) {
    static const struct {
        const char *what, *sql;
        int64_t first_bad;
    } rows[] = {
        {"actor", "UPDATE audit SET actor = 'user:other' WHERE number = 3", 3},
        {"action", "UPDATE audit SET action = 'logout' WHERE number = 3", 3},
        {"subject", "UPDATE audit SET subject = '' WHERE number = 1", 1},
        {"outcome", "UPDATE audit SET outcome = 'done' WHERE number = 4", 4},
        {"detail", "UPDATE audit SET detail = '{}' WHERE number = 5", 5},
        {"request", "UPDATE audit SET request_id = 'r-2' WHERE number = 5", 5},
        {"address", "UPDATE audit SET address = '198.51.100.1' WHERE number = 6", 6},
        {"time", "UPDATE audit SET at_ms = at_ms - 1 WHERE number = 2", 2},
        {"hash", "UPDATE audit SET hash = previous WHERE number = 2", 2},
        {"link", "UPDATE audit SET previous = hash WHERE number = 2", 2},
        {"one removed", "DELETE FROM audit WHERE number = 4", 4},
        {"the first removed", "DELETE FROM audit WHERE number = 1", 1},
        {"the last removed", "DELETE FROM audit WHERE number = 6", 6},
        {"all removed", "DELETE FROM audit", 1},
        {"moved", "UPDATE audit SET number = 17 - number WHERE number IN (3, 4)", 3},
        {"one added",
         "INSERT INTO audit SELECT 7, at_ms, actor, action, subject, outcome, detail, "
         "request_id, address, hash, hash FROM audit WHERE number = 6",
         7},
    };
    vl_audit *audit = begin(db, NULL);
    vl_audit_report report;
    need(vl_audit_verify(audit, &report, &error));
    assert_int_equal(report.first_bad, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        need(run(db, "DELETE FROM audit"));
        need(run(db, "DELETE FROM audit_head"));
        for (int k = 1; k <= 6; k++)
            append(audit, k);
        need(vl_audit_verify(audit, &report, &error));
        assert_int_equal(report.entries, 6);
        assert_int_equal(report.first_bad, 0);
        need(run(db, rows[i].sql));
        if (!strcmp(rows[i].what, "moved"))
            need(run(db, "UPDATE audit SET number = number - 10 WHERE number > 10"));
        need(vl_audit_verify(audit, &report, &error));
        if (report.first_bad != rows[i].first_bad || !*report.why)
            fail_msg("%s: entry %lld (%s)", rows[i].what, (long long)report.first_bad,
                     report.why);
    }
    vl_audit_close(audit);
}

static void test_tampering(void **state) {
    (void)state;
    on_both(tampering);
}

/* Who does not know the key cannot make a chain that holds, nor read ours as good. */
static void other_key(vl_db *db) {
    vl_audit *audit = begin(db, NULL), *forger;
    vl_audit_report report;
    append(audit, 1);
    need(vl_audit_open(db, "guess", 5, NULL, &forger, &error));
    append(forger, 2);
    append(audit, 3);
    need(vl_audit_verify(audit, &report, &error));
    assert_int_equal(report.first_bad, 2);
    need(vl_audit_verify(forger, &report, &error));
    assert_int_equal(report.first_bad, 1);
    vl_audit_close(forger);
    vl_audit_close(audit);
}

static void test_other_key(void **state) {
    (void)state;
    on_both(other_key);
}

/* ---- writers ----------------------------------------------------------------------------- */

enum { WRITERS = 5, ENTRIES = 12 };

static void *write_many(void *audit) {
    vl_error why;
    for (int i = 0; i < ENTRIES; i++)
        if (vl_audit_append(audit, &(vl_audit_entry){.actor = "system", .action = "tick"},
                            &why))
            return "an entry was not written";
    return NULL;
}

static void one_chain(vl_db *db) {
    vl_audit *audits[WRITERS];
    vl_audit_report report;
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        audits[i] = begin(db, NULL);
        pthread_create(&threads[i], NULL, write_many, audits[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *trouble;
        pthread_join(threads[i], &trouble);
        assert_null(trouble);
    }
    need(vl_audit_verify(audits[0], &report, &error));
    assert_int_equal(report.entries, WRITERS * ENTRIES);
    assert_int_equal(report.first_bad, 0);
    for (int i = 0; i < WRITERS; i++)
        vl_audit_close(audits[i]);
}

static void test_one_chain(void **state) {
    (void)state;
    on_both(one_chain);
}

/* ---- reading ----------------------------------------------------------------------------- */

typedef struct seen {
    int64_t numbers[8];
    int count;
    char subject[64];
} seen;

static vl_status see(const vl_audit_entry *entry, void *to, vl_error *why) {
    seen *s = to;
    (void)why;
    s->numbers[s->count++] = entry->number;
    snprintf(s->subject, sizeof s->subject, "%s", entry->subject);
    assert_string_equal(entry->address, "203.0.113.9");
    assert_int_equal(strlen(entry->hash), 64);
    return VL_OK;
}

static void list_and_log(vl_db *db) {
    const char *log = FOLDER "/audit.log";
    seen s = {0};
    struct stat facts;
    vl_buf text;
    unlink(log);
    vl_audit *audit = begin(db, log);
    for (int i = 1; i <= 6; i++)
        append(audit, i);
    need(vl_audit_list(audit, 2, 3, see, &s, &error));
    assert_int_equal(s.count, 3);
    assert_int_equal(s.numbers[0], 3);
    assert_int_equal(s.numbers[2], 5);
    assert_string_equal(s.subject, "user:5 \"\n\\ ሰላም");
    vl_audit_close(audit);
    assert_int_equal(stat(log, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    vl_buf_init(&text, 1 << 20);
    need(vl_file_read(log, 1 << 20, &text, &error));
    int lines = 0;
    for (char *at = strtok(text.data, "\n"); at; at = strtok(NULL, "\n")) {
        cJSON *entry = cJSON_Parse(at);
        assert_int_equal(cJSON_GetObjectItem(entry, "number")->valueint, ++lines);
        cJSON_Delete(entry);
    }
    assert_int_equal(lines, 6);
    vl_buf_deinit(&text);
    assert_int_equal(vl_audit_open(db, NULL, 0, FOLDER "/no/such/folder", &audit, &error),
                     VL_ERR_IO);
}

/* The numbers of the file's lines, with blanks. */
static void check_log(const char *log, const char *expected) {
    char numbers[256] = "";
    vl_buf text;
    vl_buf_init(&text, 1 << 20);
    need(vl_file_read(log, 1 << 20, &text, &error));
    for (char *at = strtok(text.data, "\n"); at; at = strtok(NULL, "\n")) {
        cJSON *entry = cJSON_Parse(at);
        assert_non_null(entry);
        snprintf(numbers + strlen(numbers), sizeof numbers - strlen(numbers), "%d ",
                 cJSON_GetObjectItem(entry, "number")->valueint);
        cJSON_Delete(entry);
    }
    assert_string_equal(numbers, expected);
    vl_buf_deinit(&text);
}

/* What other processes wrote, and what a full disk cut short, is there with the next entry,
 * once and in order. */
static void log_follows(vl_db *db) {
    const char *log = FOLDER "/audit.log";
    struct rlimit old, full;
    struct stat facts;
    unlink(log);
    vl_audit *audit = begin(db, log), *silent = begin(db, NULL), *other = begin(db, log);
    append(audit, 1);
    append(other, 2);
    append(silent, 3);
    append(audit, 4);
    check_log(log, "1 2 3 4 ");
    assert_int_equal(stat(log, &facts), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    full = (struct rlimit){(rlim_t)facts.st_size + 20, old.rlim_max};
    if (vl_db_is_postgres(db)) { /* SQLite could not write itself */
        setrlimit(RLIMIT_FSIZE, &full);
        append(audit, 5);
        setrlimit(RLIMIT_FSIZE, &old);
        check_log(log, "1 2 3 4 ");
    }
    assert_int_equal(truncate(log, facts.st_size - 30), 0); /* as a killed process may */
    append(other, 6);
    check_log(log, vl_db_is_postgres(db) ? "1 2 3 4 5 6 " : "1 2 3 4 5 ");
    vl_audit_close(audit);
    vl_audit_close(silent);
    unlink(log);
    append(other, 7); /* its file is gone, and goes on */
    vl_audit_close(other);
    audit = begin(db, log); /* a new one begins with what is new */
    append(audit, 8);
    check_log(log, vl_db_is_postgres(db) ? "8 " : "7 ");
    vl_audit_close(audit);
}

static void test_log_follows(void **state) {
    (void)state;
    on_both(log_follows);
}

/* ---- with what was done ------------------------------------------------------------------ */

typedef struct deed {
    vl_db *db;
    vl_audit *audit;
    vl_status end; /* what comes of it after the entry */
    int tries;
} deed;

static vl_status do_it(void *user, vl_error *why) {
    deed *d = user;
    vl_user made;
    d->tries++;
    vl_status status =
        vl_user_create(d->db, "amina", "correct horse battery", VL_ROLE_VIEWER, &made, why);
    if (!status)
        status = vl_audit_append(
            d->audit, &(vl_audit_entry){.actor = "system", .action = "user.create"}, why);
    if (!status && d->end == VL_ERR_BUSY && d->tries > 2)
        return VL_OK;
    return status ? status : d->end ? vl_fail(why, d->end, "as it was to be") : VL_OK;
}

static void together(vl_db *db) {
    const char *log = FOLDER "/audit.log";
    vl_user user;
    vl_audit_report report;
    unlink(log);
    vl_audit *audit = begin(db, log);
    deed fails = {db, audit, VL_ERR_USAGE, 0}, again = {db, audit, VL_ERR_BUSY, 0};
    assert_int_equal(vl_audit_together(audit, do_it, &fails, &error), VL_ERR_USAGE);
    assert_int_equal(vl_user_find_name(db, "amina", &user, &error), VL_ERR_INPUT);
    need(vl_audit_verify(audit, &report, &error));
    assert_int_equal(report.entries, 0);
    need(vl_audit_together(audit, do_it, &again, &error));
    assert_int_equal(again.tries, 3); /* what others were in the way of is begun anew */
    need(vl_user_find_name(db, "amina", &user, &error));
    need(vl_audit_verify(audit, &report, &error));
    assert_int_equal(report.entries, 1);
    assert_int_equal(report.first_bad, 0);
    check_log(log, "1 ");
    vl_audit_close(audit);
}

static void test_together(void **state) {
    (void)state;
    on_both(together);
}

static void test_list_and_log(void **state) {
    (void)state;
    on_both(list_and_log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tampering),   cmocka_unit_test(test_other_key),
        cmocka_unit_test(test_one_chain),   cmocka_unit_test(test_list_and_log),
        cmocka_unit_test(test_log_follows), cmocka_unit_test(test_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
