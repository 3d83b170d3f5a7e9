/* dataset_export.c — `vislang dataset export DATASET --format F --out PATH`: a dataset as other
 * programs load it. */
#include "cli/cli.h"

#include <vislang/dataset.h>

#include <cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_bool stop_asked;

static void ask_stop(int signal_number) {
    (void)signal_number;
    atomic_store(&stop_asked, true);
}

static bool is_stop_asked(void *user) {
    (void)user;
    return atomic_load(&stop_asked);
}

/* In order: what was begun is cleared away. */
static void stop_on_signals(void) {
    struct sigaction action = {.sa_handler = ask_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    vl_stop_watch(is_stop_asked, NULL);
}

static void show_progress(uint64_t items, void *user) {
    (void)user;
    fprintf(stderr, "\r%llu items", (unsigned long long)items);
}

static vl_status read_format(const char *name, vl_export_format *format, vl_error *error) {
    const char *names[VL_EXPORT_FORMAT_COUNT];
    if (!name)
        return vl_fail(error, VL_ERR_USAGE,
                       "--format is needed: imagefolder, jsonl, webdataset, coco or llava");
    for (vl_export_format i = 0; i < VL_EXPORT_FORMAT_COUNT; i++) {
        names[i] = vl_export_format_name(i);
        if (!strcmp(name, names[i])) {
            *format = i;
            return VL_OK;
        }
    }
    const char *nearest = vl_nearest_name(name, names, VL_EXPORT_FORMAT_COUNT);
    return vl_fail(error, VL_ERR_USAGE,
                   "--format is imagefolder, jsonl, webdataset, coco or llava, not '%s'%s%s%s",
                   name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                   nearest ? "'?" : "");
}

static vl_status read_score(const char *text, double *score, vl_error *error) {
    char *end = NULL;
    if (!text)
        return VL_OK;
    *score = strtod(text, &end);
    return end != text && !*end && *score >= 0 && *score <= 1
               ? VL_OK
               : vl_fail(error, VL_ERR_USAGE,
                         "--min-quality-score is a number from 0 to 1, not '%s'", text);
}

static vl_status read_options(const cli_args *args, vl_export_options *options,
                              vl_error *error) {
    const char *bytes = cli_value(args, "shard-bytes");
    *options = vl_export_options_default();
    if (args->operand_count != 2)
        return vl_fail(error, VL_ERR_USAGE,
                       "which dataset? vislang dataset export DATASET --format F --out PATH");
    options->dataset = args->operands[1];
    options->out = cli_value(args, "out");
    options->splits = cli_value(args, "splits");
    options->kinds = cli_value(args, "kinds");
    options->languages = cli_value(args, "languages");
    options->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    if (!options->out)
        return vl_fail(error, VL_ERR_USAGE, "--out is needed: a new folder");
    vl_status status = read_format(cli_value(args, "format"), &options->format, error);
    if (!status)
        status = read_score(cli_value(args, "min-quality-score"), &options->min_score, error);
    if (!status && bytes)
        status = vl_parse_bytes(bytes, &options->shard_bytes, error);
    if (!status && bytes && options->format != VL_EXPORT_WEBDATASET)
        status = vl_fail(error, VL_ERR_USAGE, "--shard-bytes belongs to --format webdataset");
    return status;
}

static void print_report(const vl_export_report *r, const char *out) {
    printf("%s: %llu items\n", out, (unsigned long long)r->items);
    for (vl_split i = 0; i < VL_SPLIT_COUNT; i++)
        printf("  %-11s %8llu with a picture\n", vl_split_name(i),
               (unsigned long long)r->rows[i]);
    printf("  %-11s %8llu without\n", "", (unsigned long long)r->text_rows);
    printf("%llu pictures, %llu other files of %.1f MB\n", (unsigned long long)r->pictures,
           (unsigned long long)r->files, (double)r->bytes / 1e6);
    printf("left out: %llu not asked for, %llu rejected, %llu without a place in the layout\n",
           (unsigned long long)r->not_asked, (unsigned long long)r->rejected,
           (unsigned long long)r->no_place);
}

static void add(cJSON *to, const char *key, uint64_t value) {
    cJSON_AddNumberToObject(to, key, (double)value);
}

static void print_report_json(const vl_export_report *r) {
    cJSON *root = cJSON_CreateObject();
    add(root, "items", r->items);
    cJSON *rows = cJSON_AddObjectToObject(root, "rows");
    for (vl_split i = 0; i < VL_SPLIT_COUNT; i++)
        add(rows, vl_split_name(i), r->rows[i]);
    add(root, "text_rows", r->text_rows);
    add(root, "pictures", r->pictures);
    add(root, "files", r->files);
    add(root, "bytes", r->bytes);
    add(root, "not_asked", r->not_asked);
    add(root, "rejected", r->rejected);
    add(root, "no_place", r->no_place);
    char *text = cJSON_Print(root);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(root);
}

int cli_dataset_export(const cli_args *args) {
    vl_error error = {0};
    vl_export_options options;
    vl_export_report report;
    vl_status status = read_options(args, &options, &error);
    stop_on_signals();
    if (!status)
        status = vl_dataset_export(&options, &report, &error);
    if (isatty(STDERR_FILENO)) /* over what was shown */
        fprintf(stderr, "\r%24s\r", "");
    if (!status && cli_has(args, "json"))
        print_report_json(&report);
    else if (!status)
        print_report(&report, options.out);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
