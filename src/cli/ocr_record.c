/* ocr_record.c — how often each engine was right, as commands have it: opened in the database
 * of the settings for those that read, `vislang ocr --record show|export|reset|import`, and
 * `vislang ocr --correct FILE…`, what people say that lines are. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PRINTED = 64 << 20, MAX_DOCUMENT = 256 << 20, MAX_RECORD = 32 << 20 };

/* ---- opening ------------------------------------------------------------------------------
 */

vl_status cli_record_open(const vl_config *config, cli_record *record, vl_error *error) {
    bool kept;
    int applied;
    *record = (cli_record){0};
    vl_status status = vl_ocr_record_setting(config, &kept, error);
    if (status || !kept)
        return status;
    status = vl_db_open(vl_config_string(config, "database_url"), NULL, &record->db, error);
    if (!status)
        status = vl_db_migrate(record->db, 0, &applied, error);
    if (!status)
        status = vl_ocr_record_open(record->db, &record->record, error);
    if (status)
        cli_record_close(record);
    return status;
}

void cli_record_try(const vl_config *config, cli_record *record) {
    vl_error trouble;
    if (cli_record_open(config, record, &trouble))
        vl_log(VL_LOG_WARN, "the engines' track record is kept in memory only",
               VL_F_STR("reason", trouble.message));
}

void cli_record_close(cli_record *record) {
    vl_ocr_record_close(record->record);
    vl_db_close(record->db);
    *record = (cli_record){0};
}

/* For commands that are about nothing else. */
static vl_status need_record(const vl_config *config, cli_record *record, vl_error *error) {
    vl_status status = cli_record_open(config, record, error);
    return status || record->record
               ? status
               : vl_fail(error, VL_ERR_USAGE,
                         "no record is kept: the setting ocr_record is none (--set "
                         "ocr_record=store)");
}

/* ---- --record -----------------------------------------------------------------------------
 */

typedef vl_status (*record_print)(vl_ocr_record *record, vl_buf *out, vl_error *error);

static vl_status print(const cli_args *args, vl_ocr_record *record, record_print make,
                       vl_error *error) {
    const char *file = cli_value(args, "output");
    vl_buf out;
    vl_buf_init(&out, MAX_PRINTED);
    vl_status status = make(record, &out, error);
    if (!status && file && strcmp(file, "-") != 0)
        status = vl_file_write(file, out.data, out.len, error);
    else if (!status)
        fwrite(out.data, 1, out.len, stdout);
    vl_buf_deinit(&out);
    return status;
}

static vl_status import_file(vl_ocr_record *record, const char *file, vl_error *error) {
    vl_buf json;
    vl_buf_init(&json, MAX_RECORD);
    vl_status status = vl_file_read(file, MAX_RECORD, &json, error);
    if (!status &&
        (status = vl_ocr_record_import(record, json.data ? json.data : "", json.len, error)))
        vl_error_prefix(error, "%s", file);
    vl_buf_deinit(&json);
    return status;
}

static const struct {
    const char *name;
    size_t least, most; /* operands */
} actions[] = {{"show", 0, 0}, {"export", 0, 0}, {"reset", 0, 1}, {"import", 1, 1}};
enum { SHOW, EXPORT, RESET, IMPORT, ACTIONS };

static vl_status find_action(const cli_args *args, size_t *found, vl_error *error) {
    const char *what = cli_value(args, "record");
    size_t i = 0;
    while (i < ACTIONS && strcmp(what, actions[i].name) != 0)
        i++;
    *found = i;
    if (i == ACTIONS)
        return vl_fail(error, VL_ERR_USAGE,
                       "--record is show, export, reset or import, not '%s'", what);
    if (args->operand_count < actions[i].least || args->operand_count > actions[i].most)
        return vl_fail(
            error, VL_ERR_USAGE,
            "--record reads no pictures; reset takes the name of one engine, or none "
            "for all, and import one file of --record export");
    return VL_OK;
}

static vl_status run(const cli_args *args, size_t action, vl_ocr_record *record,
                     vl_error *error) {
    const char *operand = args->operand_count ? args->operands[0] : NULL;
    switch (action) {
    case RESET:
        return vl_ocr_record_reset(record, operand, NULL, error);
    case IMPORT:
        return import_file(record, operand, error);
    default:
        return print(args, record, action == SHOW ? vl_ocr_record_show : vl_ocr_record_export,
                     error);
    }
}

int cli_ocr_record(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    cli_record record = {0};
    size_t action;
    vl_status status = find_action(args, &action, &error);
    if (!status)
        status = cli_config(args, &config, &error);
    if (!status)
        status = need_record(config, &record, &error);
    if (!status)
        status = run(args, action, record.record, &error);
    cli_record_close(&record);
    vl_config_free(config);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}

/* ---- --correct ----------------------------------------------------------------------------
 */

static double number(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

/* "3 lines of page.json", and a row an engine. */
static void print_report(const char *file, const char *json) {
    cJSON *root = cJSON_Parse(json);
    const cJSON *one;
    printf("%.0f lines of %s\n", number(root, "lines"), file);
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(root, "engines")) {
        const char *engine = cJSON_GetStringValue(cJSON_GetObjectItem(one, "engine"));
        printf("  %-24s right %.1f%% → %.1f%%\n", engine ? engine : "",
               100 * number(one, "accuracy_before"), 100 * number(one, "accuracy"));
    }
    cJSON_Delete(root);
}

static vl_status correct_file(const cli_args *args, vl_ocr_record *record, const char *file,
                              vl_error *error) {
    vl_buf json, report;
    vl_buf_init(&json, MAX_DOCUMENT);
    vl_buf_init(&report, MAX_PRINTED);
    vl_status status = vl_file_read(file, MAX_DOCUMENT, &json, error);
    if (!status && (status = vl_ocr_record_correct(record, json.data ? json.data : "", json.len,
                                                   &report, error)))
        vl_error_prefix(error, "%s", file);
    if (!status && cli_has(args, "json"))
        printf("%s\n", report.data);
    else if (!status)
        print_report(file, report.data);
    vl_buf_deinit(&json);
    vl_buf_deinit(&report);
    return status;
}

int cli_ocr_correct(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    cli_record record = {0};
    vl_status status = cli_config(args, &config, &error);
    if (!status && !args->operand_count)
        status = vl_fail(&error, VL_ERR_USAGE,
                         "which files? JSON of --explain, with \"corrected\" in its lines");
    if (!status)
        status = need_record(config, &record, &error);
    for (size_t i = 0; i < args->operand_count && !status; i++)
        status = correct_file(args, record.record, args->operands[i], &error);
    cli_record_close(&record);
    vl_config_free(config);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
