/* dataset_scans.c — `vislang dataset scan-lines DIR`: lines cut out of real scans, with their
 * true text, to train a reader on. */
#include "cli/cli.h"

#include <vislang/dataset.h>

#include <cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void show_progress(size_t done, size_t items, void *user) {
    (void)user;
    fprintf(stderr, "\r%zu of %zu scans%s", done, items, done == items ? "\n" : "");
}

static vl_status read_half(const char *name, vl_scan_half *half, vl_error *error) {
    static const char *const names[] = {"all", "adapt", "score"};
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) {
            *half = (vl_scan_half)i;
            return VL_OK;
        }
    return name ? vl_fail(error, VL_ERR_USAGE, "--half is adapt, score or all, not '%s'", name)
                : VL_OK;
}

static vl_status read_options(const cli_args *args, vl_scan_lines_options *options,
                              vl_error *error) {
    *options = vl_scan_lines_options_default();
    options->out = cli_value(args, "out");
    options->sets = cli_value(args, "sets");
    options->alphabet = cli_value(args, "alphabet");
    options->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    if (args->operand_count != 2)
        return vl_fail(error, VL_ERR_USAGE,
                       "of which scans? vislang dataset scan-lines DIR, one folder with a "
                       "MANIFEST.tsv");
    if (!options->out)
        return vl_fail(error, VL_ERR_USAGE, "--out is needed: a file.tar");
    options->folder = args->operands[1];
    return read_half(cli_value(args, "half"), &options->half, error);
}

/* ---- what was made ------------------------------------------------------------------------
 */

static void print_report(const vl_scan_lines_report *report) {
    printf("%-24s %6s %7s %6s %7s %8s %6s %6s %6s\n", "set", "items", "broken", "found",
           "unsure", "letters", "others", "unfit", "lines");
    for (size_t i = 0; i < report->set_count; i++) {
        const vl_scan_lines_set *s = &report->sets[i];
        printf("%-24s %6zu %7zu %6zu %7zu %8zu %6zu %6zu %6zu\n", s->name, s->items, s->broken,
               s->found, s->unsure, s->other_letters, s->of_other_half, s->unfit, s->lines);
    }
    printf("%llu lines:", (unsigned long long)report->lines);
    for (int i = 0; i < VL_SCRIPT_COUNT; i++)
        if (report->by_script[i])
            printf(" %s %llu", vl_script_name((vl_script)i),
                   (unsigned long long)report->by_script[i]);
    printf("\n");
}

static void print_report_json(const vl_scan_lines_report *report) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "lines", (double)report->lines);
    cJSON *scripts = cJSON_AddObjectToObject(root, "scripts");
    for (int i = 0; i < VL_SCRIPT_COUNT; i++)
        cJSON_AddNumberToObject(scripts, vl_script_name((vl_script)i),
                                (double)report->by_script[i]);
    cJSON *sets = cJSON_AddObjectToObject(root, "sets");
    for (size_t i = 0; i < report->set_count; i++) {
        const vl_scan_lines_set *s = &report->sets[i];
        cJSON *set = cJSON_AddObjectToObject(sets, s->name);
        cJSON_AddNumberToObject(set, "items", (double)s->items);
        cJSON_AddNumberToObject(set, "broken", (double)s->broken);
        cJSON_AddNumberToObject(set, "found", (double)s->found);
        cJSON_AddNumberToObject(set, "unsure", (double)s->unsure);
        cJSON_AddNumberToObject(set, "other_letters", (double)s->other_letters);
        cJSON_AddNumberToObject(set, "of_other_half", (double)s->of_other_half);
        cJSON_AddNumberToObject(set, "unfit", (double)s->unfit);
        cJSON_AddNumberToObject(set, "lines", (double)s->lines);
    }
    char *text = cJSON_Print(root);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(root);
}

int cli_dataset_scan_lines(const cli_args *args) {
    vl_error error = {0};
    vl_scan_lines_options options;
    vl_scan_lines_report report = {0};
    vl_status status = read_options(args, &options, &error);
    if (!status)
        status = vl_scan_lines_write(&options, &report, &error);
    if (!status && cli_has(args, "json"))
        print_report_json(&report);
    else if (!status)
        print_report(&report);
    vl_scan_lines_report_deinit(&report);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
