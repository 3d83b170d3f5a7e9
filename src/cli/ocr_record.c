/* ocr_record.c — `vislang ocr --record show|export|reset` and `vislang ocr --correct FILE…`:
 * how often each engine was right, in the file that the setting ocr_record names, and what
 * people say that lines are. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PRINTED = 64 << 20, MAX_DOCUMENT = 256 << 20 };

static vl_status find_record(const vl_config *config, const char **path, vl_error *error) {
    *path = vl_ocr_record_path(vl_config_string(config, "ocr_record"));
    return *path ? VL_OK
                 : vl_fail(error, VL_ERR_USAGE,
                           "no record is kept: the setting ocr_record names no file (--set "
                           "ocr_record=FILE)");
}

/* ---- --record ------------------------------------------------------------------------------
 */

static vl_status run(const cli_args *args, const char *path, vl_buf *out, vl_error *error) {
    const char *what = cli_value(args, "record"), *file = cli_value(args, "output");
    const char *engine = args->operand_count ? args->operands[0] : NULL;
    bool reset = !strcmp(what, "reset");
    if (!reset && strcmp(what, "show") != 0 && strcmp(what, "export") != 0)
        return vl_fail(error, VL_ERR_USAGE, "--record is show, export or reset, not '%s'",
                       what);
    if (args->operand_count > (reset ? 1U : 0U))
        return vl_fail(error, VL_ERR_USAGE,
                       "--record reads no pictures; reset takes the name of "
                       "one engine, or none for all");
    if (reset)
        return vl_ocr_record_reset(path, engine, error);
    vl_status status = !strcmp(what, "show") ? vl_ocr_record_show(path, out, error)
                                             : vl_ocr_record_export(path, out, error);
    if (!status && file && strcmp(file, "-") != 0)
        return vl_file_write(file, out->data, out->len, error);
    if (!status)
        fwrite(out->data, 1, out->len, stdout);
    return status;
}

int cli_ocr_record(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    const char *path;
    vl_buf out;
    vl_buf_init(&out, MAX_PRINTED);
    vl_status status = cli_config(args, &config, &error);
    if (!status)
        status = find_record(config, &path, &error);
    if (!status)
        status = run(args, path, &out, &error);
    vl_buf_deinit(&out);
    vl_config_free(config);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}

/* ---- --correct -----------------------------------------------------------------------------
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

static vl_status correct_file(const cli_args *args, const char *path, const char *file,
                              vl_error *error) {
    vl_buf json, report;
    vl_buf_init(&json, MAX_DOCUMENT);
    vl_buf_init(&report, MAX_PRINTED);
    vl_status status = vl_file_read(file, MAX_DOCUMENT, &json, error);
    if (!status && (status = vl_ocr_record_correct(path, json.data ? json.data : "", json.len,
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
    const char *path;
    vl_status status = cli_config(args, &config, &error);
    if (!status)
        status = find_record(config, &path, &error);
    if (!status && !args->operand_count)
        status = vl_fail(&error, VL_ERR_USAGE,
                         "which files? JSON of --explain, with \"corrected\" in its lines");
    for (size_t i = 0; i < args->operand_count && !status; i++)
        status = correct_file(args, path, args->operands[i], &error);
    vl_config_free(config);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
