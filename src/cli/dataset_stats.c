/* dataset_stats.c — `vislang dataset stats PATH`: what a dataset holds, as text, as JSON and as
 * a report with charts. */
#include "cli/cli.h"

#include <vislang/dataset.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 256 << 20 };

static vl_status print_stats(const vl_stats *stats, bool json, vl_error *error) {
    vl_buf out;
    vl_buf_init(&out, OUTPUT_MAX);
    vl_status status =
        json ? vl_stats_json(stats, &out, error) : vl_stats_text(stats, &out, error);
    if (!status)
        fwrite(out.data, 1, out.len, stdout);
    vl_buf_deinit(&out);
    return status;
}

/* The dataset's folder as seen from the report's: "" where that is the same, else absolute. */
static void pictures_from(const char *dataset, const char *html, char out[PATH_MAX]) {
    char beside[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(html, '/');
    snprintf(beside, sizeof beside, "%.*s", slash ? (int)(slash - html) : 1,
             slash ? html : ".");
    *out = '\0';
    if (!realpath(dataset, out) || !realpath(*beside ? beside : "/", real)) {
        *out = '\0';
        return;
    }
    size_t length = strlen(real);
    if (!strcmp(out, real))
        *out = '\0';
    else if (!strncmp(out, real, length) && out[length] == '/')
        memmove(out, out + length + 1, strlen(out + length + 1) + 1);
}

static vl_status write_html(const vl_stats *stats, const char *dataset, const char *path,
                            vl_error *error) {
    char pictures[PATH_MAX];
    vl_buf out;
    vl_buf_init(&out, OUTPUT_MAX);
    pictures_from(dataset, path, pictures);
    vl_status status = vl_stats_html(stats, pictures, &out, error);
    if (!status)
        status = vl_file_write(path, out.data, out.len, error);
    vl_buf_deinit(&out);
    return status;
}

static vl_status run(const cli_args *args, vl_error *error) {
    vl_stats_options options = vl_stats_options_default();
    const char *layout = cli_value(args, "layout"), *html = cli_value(args, "html");
    vl_stats *stats = NULL;
    if (args->operand_count != 2)
        return vl_fail(error, VL_ERR_USAGE, "which dataset? vislang dataset stats PATH");
    vl_status status = layout ? vl_layout_parse(layout, &options.layout, error) : VL_OK;
    if (!status)
        status = vl_dataset_stats(args->operands[1], &options, &stats, error);
    if (!status && html)
        status = write_html(stats, args->operands[1], html, error);
    if (!status)
        status = print_stats(stats, cli_has(args, "json"), error);
    vl_stats_free(stats);
    return status;
}

int cli_dataset_stats(const cli_args *args) {
    vl_error error = {0};
    vl_status status = run(args, &error);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
