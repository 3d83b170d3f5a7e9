/* ocr_record.c — `vislang ocr --record show|export|reset`: how often each engine was right, in
 * the file that the setting ocr_record names. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PRINTED = 64 << 20 };

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
    if (!*path)
        return vl_fail(error, VL_ERR_USAGE,
                       "no record is kept: the setting ocr_record names no "
                       "file (--set ocr_record=FILE)");
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
    vl_buf out;
    vl_buf_init(&out, MAX_PRINTED);
    vl_status status = cli_config(args, &config, &error);
    if (!status)
        status = run(args, vl_config_string(config, "ocr_record"), &out, &error);
    vl_buf_deinit(&out);
    vl_config_free(config);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
