/* admin.c — `vislang admin user|apikey|audit|key|subject|job …`: who may use a service, what
 * was done, and under which key things are kept. Every change is an entry of the audit trail.
 */
#include "cli/cli.h"

#include <vislang/store.h>

#include <cJSON.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_SIZE = 1024, DAY_SECONDS = 86400, MOST_DAYS = 36500, MOST_JOBS = 1000 };

typedef struct session {
    const cli_args *args;
    const char *const *words; /* the operands after the action */
    vl_config *config;
    vl_store store;
    bool json;
    char password[PASSWORD_SIZE]; /* asked for once */
    vl_user made;                 /* what is told when all is done */
    char key[VL_KEY_SIZE];
} session;

/* ---- common ------------------------------------------------------------------------------ */

static const char *operator_name(void) {
    static char name[96];
    const struct passwd *entry = getpwuid(geteuid());
    snprintf(name, sizeof name, "shell:%.64s", entry ? entry->pw_name : "?");
    return name;
}

static vl_status note(session *s, const char *action, const char *subject, vl_error *error) {
    return vl_audit_append(
        s->store.audit,
        &(vl_audit_entry){
            .actor = operator_name(), .action = action, .subject = subject, .outcome = "done"},
        error);
}

static vl_status note_user(session *s, const char *action, const char *name, vl_error *error) {
    char subject[96];
    snprintf(subject, sizeof subject, "user:%.64s", name);
    return note(s, action, subject, error);
}

static void print_json(cJSON *json) {
    char *text = cJSON_PrintUnformatted(json);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
}

/* ---- users ------------------------------------------------------------------------------- */

static vl_status read_line(FILE *from, char out[PASSWORD_SIZE], vl_error *error) {
    if (!fgets(out, PASSWORD_SIZE, from))
        return vl_fail(error, VL_ERR_INPUT, "no password was given");
    out[strcspn(out, "\n")] = '\0';
    return VL_OK;
}

/* From a terminal twice and unseen; else one line of standard input. */
static vl_status ask_password(char out[PASSWORD_SIZE], vl_error *error) {
    struct termios shown, hidden;
    char again[PASSWORD_SIZE] = "";
    if (tcgetattr(STDIN_FILENO, &shown))
        return read_line(stdin, out, error);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    fputs("Password: ", stderr);
    vl_status status = read_line(stdin, out, error);
    fputs("\nAgain: ", stderr);
    if (!status)
        status = read_line(stdin, again, error);
    fputs("\n", stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    if (!status && strcmp(out, again) != 0)
        status = vl_fail(error, VL_ERR_INPUT, "the passwords differ");
    explicit_bzero(again, sizeof again);
    return status;
}

static vl_status get_password(session *s, vl_error *error) {
    const char *path = cli_value(s->args, "password-file");
    if (*s->password)
        return VL_OK;
    if (!path)
        return ask_password(s->password, error);
    FILE *file = fopen(path, "re");
    if (!file)
        return vl_fail(error, VL_ERR_INPUT, "%s: %s", path, strerror(errno));
    vl_status status = read_line(file, s->password, error);
    fclose(file);
    return status;
}

static vl_status role_of(const session *s, const char *fallback, vl_role *role,
                         vl_error *error) {
    const char *name = cli_value(s->args, "role");
    return vl_role_parse(name ? name : fallback, role, error);
}

static vl_status print_user(const vl_user *user, void *of, vl_error *error) {
    const session *s = of;
    (void)error;
    if (s->json) {
        print_json(vl_user_to_json(user));
        return VL_OK;
    }
    printf("%-24s %-10s %s\n", user->name, vl_role_name(user->role),
           user->disabled ? "disabled" : "");
    return VL_OK;
}

static vl_status user_create(session *s, vl_error *error) {
    vl_role role;
    vl_status status = role_of(s, "viewer", &role, error);
    if (!status)
        status = get_password(s, error);
    if (!status)
        status = vl_user_create(s->store.db, s->words[0], s->password, role, &s->made, error);
    return status ? status : note_user(s, "user.create", s->words[0], error);
}

static void tell_user(session *s) {
    print_user(&s->made, s, NULL);
}

static vl_status user_list(session *s, vl_error *error) {
    return vl_user_list(s->store.db, print_user, s, error);
}

static vl_status user_password(session *s, vl_error *error) {
    vl_user user;
    vl_status status = vl_user_find_name(s->store.db, s->words[0], &user, error);
    if (!status)
        status = get_password(s, error);
    if (!status)
        status = vl_user_set_password(s->store.db, user.id, s->password, error);
    return status ? status : note_user(s, "user.password", user.name, error);
}

static vl_status user_role(session *s, vl_error *error) {
    vl_user user;
    vl_role role;
    vl_status status = vl_role_parse(s->words[1], &role, error);
    if (!status)
        status = vl_user_find_name(s->store.db, s->words[0], &user, error);
    if (!status)
        status = vl_user_set_role(s->store.db, user.id, role, error);
    return status ? status : note_user(s, "user.role", user.name, error);
}

static vl_status set_disabled(session *s, bool disabled, vl_error *error) {
    vl_user user;
    vl_status status = vl_user_find_name(s->store.db, s->words[0], &user, error);
    if (!status)
        status = vl_user_set_disabled(s->store.db, user.id, disabled, error);
    return status ? status
                  : note_user(s, disabled ? "user.disable" : "user.enable", user.name, error);
}

static vl_status user_disable(session *s, vl_error *error) {
    return set_disabled(s, true, error);
}

static vl_status user_enable(session *s, vl_error *error) {
    return set_disabled(s, false, error);
}

static vl_status user_delete(session *s, vl_error *error) {
    vl_user user;
    vl_status status = vl_user_find_name(s->store.db, s->words[0], &user, error);
    if (!status)
        status = vl_user_delete(s->store.db, user.id, error);
    return status ? status : note_user(s, "user.delete", user.name, error);
}

/* ---- API keys ---------------------------------------------------------------------------- */

static vl_status print_key(const vl_key *key, void *of, vl_error *error) {
    const session *s = of;
    (void)error;
    cJSON *json = vl_key_to_json(key);
    if (s->json) {
        print_json(json);
        return VL_OK;
    }
    const char *expires = cJSON_GetStringValue(cJSON_GetObjectItem(json, "expires"));
    printf("%4lld  %-20s %s  %-10s %s\n", (long long)key->id, key->name, key->prefix,
           vl_role_name(key->scope),
           key->revoked_ms ? "revoked"
           : expires       ? expires
                           : "does not expire");
    cJSON_Delete(json);
    return VL_OK;
}

static vl_status apikey_create(session *s, vl_error *error) {
    char subject[96];
    vl_key made;
    vl_user user;
    vl_role role = VL_ROLE_VIEWER;
    long days = 0;
    vl_status status = vl_user_find_name(s->store.db, s->words[0], &user, error);
    if (!status)
        status = role_of(s, "viewer", &role, error);
    if (!status && cli_has(s->args, "days"))
        status = cli_value_int(s->args, "days", 1, MOST_DAYS, &days, error);
    if (!status)
        status = vl_key_create(s->store.db, user.id, s->words[1], role,
                               (double)days * DAY_SECONDS, s->key, &made, error);
    snprintf(subject, sizeof subject, "key:%s", status ? "" : made.prefix);
    return status ? status : note(s, "apikey.create", subject, error);
}

static void tell_key(session *s) {
    puts(s->key);
}

static vl_status apikey_list(session *s, vl_error *error) {
    vl_user user;
    vl_status status = vl_user_find_name(s->store.db, s->words[0], &user, error);
    return status ? status : vl_key_list(s->store.db, user.id, print_key, s, error);
}

static vl_status apikey_revoke(session *s, vl_error *error) {
    char *end, subject[96];
    long long id = strtoll(s->words[0], &end, 10);
    if (*end || id < 1)
        return vl_fail(error, VL_ERR_USAGE, "apikey revoke takes the key's number, not '%.40s'",
                       s->words[0]);
    vl_key revoked = {0};
    vl_status status = vl_key_revoke(s->store.db, 0, id, &revoked, error);
    snprintf(subject, sizeof subject, "key:%s", revoked.prefix);
    return status ? status : note(s, "apikey.revoke", subject, error);
}

/* ---- audit trail and master key ---------------------------------------------------------- */

static vl_status print_entry(const vl_audit_entry *entry, void *of, vl_error *error) {
    vl_buf line;
    (void)of;
    vl_buf_init(&line, 1 << 20);
    vl_audit_json(entry, &line);
    vl_status status = vl_buf_status(&line, "an entry", error);
    if (!status)
        puts(line.data);
    vl_buf_deinit(&line);
    return status;
}

static vl_status audit_list(session *s, vl_error *error) {
    long after = 0;
    vl_status status = VL_OK;
    if (cli_has(s->args, "after"))
        status = cli_value_int(s->args, "after", 0, INT32_MAX, &after, error);
    return status ? status : vl_audit_list(s->store.audit, after, 0, print_entry, s, error);
}

static vl_status audit_verify(session *s, vl_error *error) {
    vl_audit_report report;
    vl_status status = vl_audit_verify(s->store.audit, &report, error);
    if (status)
        return status;
    if (report.first_bad)
        return vl_fail(error, VL_ERR_INPUT, "entry %lld of the audit trail: %s",
                       (long long)report.first_bad, report.why);
    printf("%lld entries, all as they were written\n", (long long)report.entries);
    return VL_OK;
}

static vl_status key_rotate(session *s, vl_error *error) {
    int64_t rewrapped = 0, results = 0;
    if (!s->store.vault)
        return vl_fail(
            error, VL_ERR_MISSING,
            "nothing is kept encrypted: encryption_key names no master key (ENCRYPTION_KEY)");
    vl_status status = vl_vault_rotate(s->store.vault, &rewrapped, error);
    if (!status)
        status = vl_job_results_rotate(&s->store, &results, error);
    if (!status)
        status = note(s, "key.rotate", "", error);
    if (!status)
        printf("%lld objects and %lld results of jobs under the new key\n",
               (long long)rewrapped, (long long)results);
    return status;
}

/* ---- people whose data is kept ------------------------------------------------------------
 */

static vl_status subject_export(session *s, vl_error *error) {
    enum { ARCHIVE_MAX = 1 << 30 };
    char mark[VL_SUBJECT_MARK_SIZE];
    const char *path = cli_value(s->args, "output");
    vl_buf zip;
    if (!path)
        return vl_fail(error, VL_ERR_USAGE, "subject export needs --output FILE.zip");
    vl_buf_init(&zip, ARCHIVE_MAX);
    vl_status status = vl_subject_export(&s->store, s->words[0], &zip, error);
    vl_subject_mark(s->words[0], mark);
    if (!status)
        status = note(s, "subject.export", mark, error);
    if (!status)
        status = vl_file_write(path, zip.data, zip.len, error);
    vl_buf_deinit(&zip);
    return status;
}

static vl_status subject_erase(session *s, vl_error *error) {
    enum { RECEIPT_MAX = 64 << 10 };
    vl_buf receipt;
    vl_erasing by = {.actor = operator_name()};
    vl_buf_init(&receipt, RECEIPT_MAX);
    vl_status status = vl_subject_erase(&s->store, s->words[0], &by, &receipt, error);
    if (!status)
        puts(receipt.data);
    vl_buf_deinit(&receipt);
    return status;
}

static vl_status subject_verify(session *s, vl_error *error) {
    enum { RECEIPT_MAX = 64 << 10 };
    vl_buf receipt;
    vl_buf_init(&receipt, RECEIPT_MAX);
    vl_status status = vl_file_read(s->words[0], RECEIPT_MAX, &receipt, error);
    if (!status)
        status =
            vl_receipt_verify(&s->store, receipt.data ? receipt.data : "", receipt.len, error);
    if (!status)
        puts("the receipt was signed here, and is as it was written");
    vl_buf_deinit(&receipt);
    return status;
}

/* ---- jobs -------------------------------------------------------------------------------- */

static vl_status print_job(const vl_job_info *job, void *of, vl_error *error) {
    const session *s = of;
    (void)error;
    if (!s->json) {
        printf("%s  %-9s %-8s %lld of %lld done, %lld failed  %s\n", job->id,
               vl_job_state_name(job->state), job->kind, (long long)job->done,
               (long long)job->total, (long long)job->failed, job->owner);
        return VL_OK;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", job->id);
    cJSON_AddStringToObject(json, "owner", job->owner);
    cJSON_AddStringToObject(json, "task", job->kind);
    cJSON_AddStringToObject(json, "state", vl_job_state_name(job->state));
    cJSON_AddNumberToObject(json, "total", (double)job->total);
    cJSON_AddNumberToObject(json, "done", (double)job->done);
    cJSON_AddNumberToObject(json, "failed", (double)job->failed);
    vl_json_add_time(json, "created", job->created_ms);
    vl_json_add_time(json, "finished", job->finished_ms);
    print_json(json);
    return VL_OK;
}

static vl_status print_failed(const vl_job_item *item, void *of, vl_error *error) {
    (void)of;
    (void)error;
    if (*item->problem)
        printf("  item %lld %s after %lld attempts: %s\n", (long long)item->number,
               vl_job_state_name(item->state), (long long)item->attempts, item->problem);
    return VL_OK;
}

static vl_status job_list(session *s, vl_error *error) {
    return vl_job_list(s->store.db, NULL, NULL, MOST_JOBS, print_job, s, error);
}

static vl_status job_show(session *s, vl_error *error) {
    vl_job_info job;
    vl_status status = vl_job_get(s->store.db, s->words[0], NULL, &job, NULL, error);
    if (!status)
        status = print_job(&job, s, error);
    if (!status && !s->json)
        status = vl_job_items(s->store.db, job.id, false, -1, VL_JOB_ITEMS_MAX, print_failed, s,
                              error);
    return status;
}

typedef vl_status (*job_change)(vl_db *db, const char *id, const char *owner, vl_job_info *job,
                                vl_error *error);

static vl_status change_job(session *s, job_change change, const char *action,
                            vl_error *error) {
    char subject[96];
    vl_job_info job;
    vl_status status = change(s->store.db, s->words[0], NULL, &job, error);
    snprintf(subject, sizeof subject, "job:%.64s", s->words[0]);
    if (!status)
        status = note(s, action, subject, error);
    return status ? status : print_job(&job, s, error);
}

static vl_status job_cancel(session *s, vl_error *error) {
    return change_job(s, vl_job_cancel, "job.cancel", error);
}

static vl_status job_retry(session *s, vl_error *error) {
    return change_job(s, vl_job_retry, "job.retry", error);
}

/* ---- the command ------------------------------------------------------------------------- */

static const struct {
    const char *noun, *verb;
    size_t words;
    const char *usage;
    vl_status (*run)(session *s, vl_error *error);
    const char *flags[2];
    /* What it changes and its entry of the audit trail are one transaction, which may be begun
     * again: it prints nothing; `tell` (may be NULL) does when all is done. */
    bool changes;
    void (*tell)(session *s);
} actions[] = {
    {"user", "create", 1, "NAME", user_create, {"role", "password-file"}, true, tell_user},
    {"user", "list", 0, "", user_list, {0}, false, NULL},
    {"user", "password", 1, "NAME", user_password, {"password-file"}, true, NULL},
    {"user", "role", 2, "NAME ROLE", user_role, {0}, true, NULL},
    {"user", "disable", 1, "NAME", user_disable, {0}, true, NULL},
    {"user", "enable", 1, "NAME", user_enable, {0}, true, NULL},
    {"user", "delete", 1, "NAME", user_delete, {0}, true, NULL},
    {"apikey", "create", 2, "USER NAME", apikey_create, {"role", "days"}, true, tell_key},
    {"apikey", "list", 1, "USER", apikey_list, {0}, false, NULL},
    {"apikey", "revoke", 1, "NUMBER", apikey_revoke, {0}, true, NULL},
    {"audit", "list", 0, "", audit_list, {"after"}, false, NULL},
    {"audit", "verify", 0, "", audit_verify, {0}, false, NULL},
    {"key", "rotate", 0, "", key_rotate, {0}, false, NULL},
    {"subject", "export", 1, "ID", subject_export, {"output"}, false, NULL},
    {"subject", "erase", 1, "ID", subject_erase, {0}, false, NULL},
    {"subject", "verify", 1, "RECEIPT-FILE", subject_verify, {0}, false, NULL},
    {"job", "list", 0, "", job_list, {0}, false, NULL},
    {"job", "show", 1, "ID", job_show, {0}, false, NULL},
    {"job", "cancel", 1, "ID", job_cancel, {0}, false, NULL},
    {"job", "retry", 1, "ID", job_retry, {0}, false, NULL},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

static vl_status check_flags(const cli_args *args, size_t action, vl_error *error) {
    static const char *const of_some[] = {"role", "password-file", "days", "after", "output"};
    for (size_t i = 0; i < sizeof of_some / sizeof *of_some; i++) {
        bool takes = false;
        for (size_t k = 0; k < 2 && actions[action].flags[k]; k++)
            takes = takes || !strcmp(actions[action].flags[k], of_some[i]);
        if (cli_has(args, of_some[i]) && !takes)
            return vl_fail(error, VL_ERR_USAGE, "admin %s %s takes no --%s",
                           actions[action].noun, actions[action].verb, of_some[i]);
    }
    return VL_OK;
}

static vl_status find_action(const cli_args *args, size_t *found, vl_error *error) {
    const char *noun = args->operand_count > 0 ? args->operands[0] : "";
    const char *verb = args->operand_count > 1 ? args->operands[1] : "";
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(noun, actions[i].noun) != 0 || strcmp(verb, actions[i].verb) != 0)
            continue;
        *found = i;
        if (args->operand_count - 2 != actions[i].words)
            return vl_fail(error, VL_ERR_USAGE, "admin %s %s takes %s", noun, verb,
                           *actions[i].usage ? actions[i].usage : "nothing more");
        return check_flags(args, i, error);
    }
    return vl_fail(error, VL_ERR_USAGE,
                   "user create|list|password|role|disable|enable|delete, apikey "
                   "create|list|revoke, audit list|verify, key rotate, or "
                   "subject export|erase|verify");
}

typedef struct running {
    session *s;
    size_t action;
} running;

static vl_status run_change(void *user, vl_error *error) {
    const running *r = user;
    return actions[r->action].run(r->s, error);
}

static vl_status run(session *s, size_t action, vl_error *error) {
    running r = {s, action};
    if (!actions[action].changes)
        return actions[action].run(s, error);
    vl_status status = vl_audit_together(s->store.audit, run_change, &r, error);
    if (!status && actions[action].tell)
        actions[action].tell(s);
    return status;
}

static vl_status open_all(session *s, vl_error *error) {
    vl_status status = cli_config(s->args, &s->config, error);
    return status ? status : vl_store_open(s->config, &s->store, error);
}

int cli_admin(const cli_args *args) {
    vl_error error;
    size_t action = 0;
    session s = {.args = args, .json = cli_has(args, "json")};
    vl_status status = find_action(args, &action, &error);
    if (!status)
        status = open_all(&s, &error);
    if (!status) {
        s.words = args->operands + 2;
        status = run(&s, action, &error);
    }
    explicit_bzero(s.password, sizeof s.password);
    explicit_bzero(s.key, sizeof s.key);
    vl_store_close(&s.store);
    vl_config_free(s.config);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}
