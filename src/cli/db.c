/* db.c — `vislang db migrate|status|rollback|backup|restore|verify`. */
#include "cli/cli.h"

#include <vislang/store.h>

#include <cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEEP_DAYS = 30, MOST_DAYS = 36500 };

typedef struct asked {
    const cli_args *args;
    vl_db *db; /* NULL for verify */
    const vl_config *config;
    const char *operand;
    cJSON *said;
} asked;

/* ---- the schema -------------------------------------------------------------------------- */

static vl_status wanted(const asked *a, long fallback, long *to, vl_error *error) {
    *to = fallback;
    return cli_has(a->args, "to")
               ? cli_value_int(a->args, "to", 0, vl_db_schema_newest(), to, error)
               : VL_OK;
}

static vl_status migrate(asked *a, vl_error *error) {
    long to;
    int moved = 0;
    vl_status status = wanted(a, 0, &to, error);
    if (!status)
        status = vl_db_migrate(a->db, (int)to, &moved, error);
    cJSON_AddNumberToObject(a->said, "applied", moved);
    return status;
}

static vl_status rollback(asked *a, vl_error *error) {
    long to;
    int moved = 0;
    if (!cli_has(a->args, "to"))
        return vl_fail(error, VL_ERR_USAGE,
                       "rollback needs --to N: tables that later migrations made go, with "
                       "their rows");
    vl_status status = wanted(a, 0, &to, error);
    if (!status)
        status = vl_db_rollback(a->db, (int)to, &moved, error);
    cJSON_AddNumberToObject(a->said, "undone", moved);
    return status;
}

static void time_text(int64_t ms, char out[32]) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static vl_status show(asked *a, vl_error *error) {
    vl_migration_state states[256];
    char version[64], when[32];
    size_t count;
    vl_status status = vl_db_ping(a->db, version, error);
    if (!status)
        status = vl_db_schema_status(a->db, states, &count, error);
    if (status)
        return status;
    cJSON_AddStringToObject(a->said, "database", version);
    cJSON *list = cJSON_AddArrayToObject(a->said, "migrations");
    for (size_t i = 0; i < count; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "number", states[i].number);
        cJSON_AddStringToObject(row, "name", states[i].name);
        time_text(states[i].applied_ms, when);
        cJSON_AddItemToObject(row, "applied",
                              states[i].applied_ms ? cJSON_CreateString(when)
                                                   : cJSON_CreateNull());
        cJSON_AddItemToArray(list, row);
    }
    return VL_OK;
}

/* ---- copies ------------------------------------------------------------------------------ */

static void tell_copy(asked *a, const char *path, const vl_db_copy_report *copy) {
    cJSON_AddStringToObject(a->said, "file", path);
    cJSON_AddNumberToObject(a->said, "rows", (double)copy->rows);
    cJSON_AddNumberToObject(a->said, "bytes", (double)copy->bytes);
    cJSON_AddNumberToObject(a->said, "schema", copy->schema);
    cJSON_AddStringToObject(a->said, "sha256", copy->sha256);
}

static vl_status backup(asked *a, vl_error *error) {
    size_t length = strlen(a->operand);
    long days = KEEP_DAYS;
    vl_db_copy_report copy;
    vl_db_folder_report folder;
    vl_status status = VL_OK;
    if (cli_has(a->args, "keep-days"))
        status = cli_value_int(a->args, "keep-days", 0, MOST_DAYS, &days, error);
    if (status)
        return status;
    bool in_bucket = vl_s3_is_url(a->operand);
    if (!in_bucket && a->operand[length - 1] != '/') {
        status = vl_db_backup(a->db, a->operand, &copy, error);
        if (!status)
            tell_copy(a, a->operand, &copy);
        return status;
    }
    vl_s3_options s3 = vl_s3_options_from_config(a->config);
    status = in_bucket ? vl_db_backup_s3(a->db, &s3, a->operand, (int)days, &folder, error)
                       : vl_db_backup_folder(a->db, a->operand, (int)days, &folder, error);
    if (!status) {
        tell_copy(a, folder.path, &folder.copy);
        cJSON_AddNumberToObject(a->said, "removed", (double)folder.removed);
    }
    return status;
}

static vl_status restore(asked *a, vl_error *error) {
    vl_db_copy_report copy;
    char erasures[4096];
    bool replace = cli_has(a->args, "replace");
    vl_erasures_path(a->config, erasures);
    if (vl_s3_is_url(a->operand)) {
        vl_db_folder_report found;
        vl_s3_options s3 = vl_s3_options_from_config(a->config);
        vl_status fetched =
            vl_db_restore_s3(a->db, &s3, a->operand, replace, erasures, &found, error);
        if (!fetched)
            tell_copy(a, found.path, &found.copy);
        return fetched;
    }
    vl_status status =
        vl_db_restore_obeying(a->db, a->operand, replace, erasures, &copy, error);
    if (!status)
        tell_copy(a, a->operand, &copy);
    return status;
}

static vl_status verify(asked *a, vl_error *error) {
    vl_db_copy_report copy;
    if (vl_s3_is_url(a->operand)) {
        vl_db_folder_report found;
        vl_s3_options s3 = vl_s3_options_from_config(a->config);
        vl_status fetched = vl_db_verify_s3(&s3, a->operand, &found, error);
        if (!fetched)
            tell_copy(a, found.path, &found.copy);
        return fetched;
    }
    vl_status status = vl_db_backup_verify(a->operand, &copy, error);
    if (!status)
        tell_copy(a, a->operand, &copy);
    return status;
}

/* ---- the command ------------------------------------------------------------------------- */

static const struct {
    const char *name;
    vl_status (*run)(asked *a, vl_error *error);
    const char *operand; /* NULL: takes none */
    bool without_database;
    const char *flags[3]; /* it takes, beside the common ones and --json */
} actions[] = {
    {"migrate", migrate, NULL, false, {"to"}},
    {"status", show, NULL, false, {0}},
    {"rollback", rollback, NULL, false, {"to"}},
    {"backup",
     backup,
     "a file, a folder that ends in /, or s3://bucket/folder",
     false,
     {"keep-days"}},
    {"restore", restore, "a copy (file or s3://…)", false, {"replace"}},
    {"verify", verify, "a copy (file or s3://…)", true, {0}},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

static vl_status check_flags(const cli_args *args, size_t action, vl_error *error) {
    static const char *const of_some[] = {"to", "keep-days", "replace"};
    for (size_t i = 0; i < sizeof of_some / sizeof *of_some; i++) {
        bool takes = false;
        for (size_t k = 0; k < 3 && actions[action].flags[k]; k++)
            takes = takes || !strcmp(actions[action].flags[k], of_some[i]);
        if (cli_has(args, of_some[i]) && !takes)
            return vl_fail(error, VL_ERR_USAGE, "db %s takes no --%s", actions[action].name,
                           of_some[i]);
    }
    return VL_OK;
}

static vl_status find_action(const cli_args *args, size_t *found, vl_error *error) {
    const char *names[ACTIONS], *name = args->operand_count ? args->operands[0] : "";
    for (size_t i = 0; i < ACTIONS; i++)
        names[i] = actions[i].name;
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        size_t takes = actions[i].operand ? 2 : 1;
        *found = i;
        if (args->operand_count != takes || (takes == 2 && !*args->operands[1]))
            return vl_fail(error, VL_ERR_USAGE, "db %s takes %s", name,
                           actions[i].operand ? actions[i].operand : "no operand");
        return check_flags(args, i, error);
    }
    const char *nearest = vl_nearest_name(name, names, ACTIONS);
    return vl_fail(
        error, VL_ERR_USAGE, "migrate, status, rollback, backup, restore or verify%s%s%s",
        nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static void print_migrations(const cJSON *list) {
    const cJSON *row;
    cJSON_ArrayForEach(row, list) {
        const char *applied = cJSON_GetStringValue(cJSON_GetObjectItem(row, "applied"));
        printf("%4d  %-22s %s\n", cJSON_GetObjectItem(row, "number")->valueint,
               applied ? applied : "not applied",
               cJSON_GetStringValue(cJSON_GetObjectItem(row, "name")));
    }
}

static void print_said(const asked *a) {
    const cJSON *item;
    if (cli_has(a->args, "json")) {
        char *json = cJSON_Print(a->said);
        puts(json ? json : "");
        cJSON_free(json);
        return;
    }
    cJSON_ArrayForEach(item, a->said) {
        if (cJSON_IsArray(item))
            print_migrations(item);
        else if (cJSON_IsString(item))
            printf("%s: %s\n", item->string, item->valuestring);
        else
            printf("%s: %.0f\n", item->string, item->valuedouble);
    }
}

int cli_db(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    size_t action = 0;
    asked a = {.args = args};
    vl_status status = find_action(args, &action, &error);
    if (!status)
        status = cli_config(args, &config, &error);
    if (!status && !actions[action].without_database)
        status = vl_db_open(vl_config_string(config, "database_url"), NULL, &a.db, &error);
    if (!status) {
        a.operand = args->operand_count > 1 ? args->operands[1] : NULL;
        a.said = cJSON_CreateObject();
        a.config = config;
        status = actions[action].run(&a, &error);
    }
    if (!status)
        print_said(&a);
    cJSON_Delete(a.said);
    vl_db_close(a.db);
    vl_config_free(config);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}
