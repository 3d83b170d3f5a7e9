/* dataset_check.c — `vislang dataset check PATH`: what is wrong with which row of a dataset.
 * Exit code 3 where anything is an error. */
#include "cli/cli.h"

#include <vislang/dataset.h>

#include <stdio.h>

enum { OUTPUT_MAX = 256 << 20, MAX_LISTED = 100000, MAX_JOBS = 256 };

static vl_status read_options(const cli_args *args, vl_check_options *options,
                              vl_error *error) {
    long limit = (long)options->limit, jobs = 0;
    const char *layout = cli_value(args, "layout");
    vl_status status = layout ? vl_layout_parse(layout, &options->layout, error) : VL_OK;
    if (!status)
        status = cli_value_int(args, "limit", 0, MAX_LISTED, &limit, error);
    if (!status)
        status = cli_value_int(args, "jobs", 1, MAX_JOBS, &jobs, error);
    options->limit = (size_t)limit;
    options->jobs = (size_t)jobs;
    return status;
}

static vl_status print_report(const vl_check_report *report, bool json, vl_error *error) {
    vl_buf out;
    vl_status status = VL_OK;
    vl_buf_init(&out, OUTPUT_MAX);
    if (json)
        status = vl_check_report_json(report, &out, error);
    else
        vl_check_report_text(report, &out);
    if (!status)
        status = vl_buf_status(&out, "the report", error);
    if (!status)
        fwrite(out.data, 1, out.len, stdout);
    vl_buf_deinit(&out);
    return status;
}

static vl_status run(const cli_args *args, vl_check_report *report, vl_error *error) {
    vl_check_options options = vl_check_options_default();
    vl_langid *langid = NULL;
    if (args->operand_count != 2)
        return vl_fail(error, VL_ERR_USAGE, "which dataset? vislang dataset check PATH");
    vl_status status = read_options(args, &options, error);
    if (!status)
        status = vl_langid_open(NULL, &langid, error);
    options.langid = langid;
    if (!status)
        status = vl_dataset_check(args->operands[1], &options, report, error);
    vl_langid_free(langid);
    return status ? status : print_report(report, cli_has(args, "json"), error);
}

int cli_dataset_check(const cli_args *args) {
    vl_error error = {0};
    vl_check_report report = {0};
    vl_status status = run(args, &report, &error);
    int code = status          ? cli_fail(args, &error)
               : report.errors ? vl_status_exit_code(VL_ERR_INPUT)
                               : 0;
    vl_check_report_deinit(&report);
    return cli_finish_stdout(args, code);
}
