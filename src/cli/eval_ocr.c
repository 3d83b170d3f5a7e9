/* eval_ocr.c — `vislang eval ocr DIR`: how well engines read a folder of real scans, set by
 * set and script by script; as JSON, or as a table. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REPORT = 64 << 20, MAX_LIMIT = 1000000, MAX_JOBS = 256, ENGINES_MAX = 16 };

const char *const cli_eval_ocr_only[] = {"engine", "half", "sets", "detect", "jobs", NULL};
static const char *const seer_only[] = {"task",  "model",     "baselines",
                                        "train", "calibrate", NULL};

const char *cli_eval_misplaced(const cli_args *args, const char *const *flags) {
    for (; *flags; flags++)
        if (cli_has(args, *flags))
            return *flags;
    return NULL;
}

/* ---- the table --------------------------------------------------------------------------- */

static double number(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static const char *string(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

/* Columns are as wide as the longest name in them. */
typedef struct widths {
    int group, engine;
} widths;

static void widen(int *width, const char *name) {
    int length = (int)strlen(name);
    *width = length > *width ? length : *width;
}

static widths widths_of(const cJSON *root) {
    static const char *const kinds[] = {"sets", "scripts"};
    widths w = {(int)strlen("script"), (int)strlen("engine")};
    const cJSON *group, *score;
    for (size_t k = 0; k < 2; k++)
        cJSON_ArrayForEach(group, cJSON_GetObjectItem(root, kinds[k])) {
            widen(&w.group, group->string);
        }
    cJSON_ArrayForEach(score, cJSON_GetObjectItem(root, "all")) {
        widen(&w.engine, score->string);
    }
    return w;
}

static void print_row(widths w, const char *group, const cJSON *score) {
    printf("%-*s  %-*s %6.0f %7.1f%% %5.1f –%6.1f %7.1f%% %5.1f –%6.1f %7.0f %8.3f\n", w.group,
           group, w.engine, score->string, number(score, "n"), 100 * number(score, "cer"),
           100 * number(score, "cer_low"), 100 * number(score, "cer_high"),
           100 * number(score, "wer"), 100 * number(score, "wer_low"),
           100 * number(score, "wer_high"), number(score, "failed"), number(score, "seconds"));
}

static void print_group(widths w, const char *group, const cJSON *scores) {
    const cJSON *score;
    cJSON_ArrayForEach(score, scores) {
        print_row(w, group, score);
        group = "";
    }
}

static void print_table(const cJSON *root) {
    static const char *const kinds[] = {"sets", "scripts"};
    const cJSON *group;
    widths w = widths_of(root);
    for (size_t k = 0; k < 2; k++) {
        printf("%s%-*s  %-*s %6s %8s %13s %8s %13s %7s %8s\n", k ? "\n" : "", w.group,
               k ? "script" : "set", w.engine, "engine", "n", "CER", "95 %", "WER", "95 %",
               "failed", "s/item");
        cJSON_ArrayForEach(group, cJSON_GetObjectItem(root, kinds[k]))
            print_group(w, group->string, group);
    }
    printf("\n");
    print_group(w, "all", cJSON_GetObjectItem(root, "all"));
}

static void print_complaints(const cJSON *root) {
    const cJSON *one;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(root, "broken"))
        fprintf(stderr, "left out: %s %s: %s\n", string(one, "set"), string(one, "id"),
                string(one, "why"));
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(root, "failed"))
        fprintf(stderr, "%s failed on %s %s: %s\n", string(one, "engine"), string(one, "set"),
                string(one, "id"), string(one, "why"));
}

/* ---- the command ---------------------------------------------------------------------------
 */

static void show_progress(size_t done, size_t items, void *user) {
    (void)user;
    fprintf(stderr, "\r%zu of %zu scans%s", done, items, done == items ? "\n" : "");
}

/* Every --engine in order, else those of the settings (`configured`, cut in place). */
static size_t choose_engines(const cli_args *args, char *configured,
                             const char *engines[ENGINES_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < args->given_count && count < ENGINES_MAX; i++)
        if (!strcmp(args->given[i].flag->name, "engine"))
            engines[count++] = args->given[i].value;
    if (count)
        return count;
    char *next = NULL;
    for (char *name = strtok_r(configured, ", ", &next); name && count < ENGINES_MAX;
         name = strtok_r(NULL, ", ", &next))
        engines[count++] = name;
    return count;
}

static vl_status read_half(const char *name, vl_scan_half *half, vl_error *error) {
    static const char *const names[] = {"all", "adapt", "score"};
    *half = VL_SCANS_ALL;
    for (size_t i = 0; name && i < 3; i++)
        if (!strcmp(name, names[i])) {
            *half = (vl_scan_half)i;
            return VL_OK;
        }
    return name ? vl_fail(error, VL_ERR_USAGE, "--half is adapt, score or all, not '%s'", name)
                : VL_OK;
}

static vl_status read_options(const cli_args *args, vl_ocr_evaluation *how, vl_error *error) {
    long limit = 0, jobs = 1;
    const char *misplaced = cli_eval_misplaced(args, seer_only);
    if (misplaced)
        return vl_fail(error, VL_ERR_USAGE, "--%s belongs to 'vislang eval seer'", misplaced);
    misplaced = cli_eval_misplaced(args, cli_eval_align_only);
    if (misplaced)
        return vl_fail(error, VL_ERR_USAGE, "--%s belongs to 'vislang eval align'", misplaced);
    if (args->operand_count != 2)
        return vl_fail(error, VL_ERR_USAGE,
                       "on which scans? vislang eval ocr DIR, one folder with a MANIFEST.tsv");
    vl_status status = cli_value_int(args, "limit", 1, MAX_LIMIT, &limit, error);
    if (!status)
        status = cli_value_int(args, "jobs", 1, MAX_JOBS, &jobs, error);
    how->folder = args->operands[1];
    how->sets = cli_value(args, "sets");
    how->limit = (size_t)limit;
    how->detect = cli_has(args, "detect");
    how->jobs = (size_t)jobs;
    how->details = cli_value(args, "details");
    how->progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    return status ? status : read_half(cli_value(args, "half"), &how->half, error);
}

static vl_status print_scores(const cli_args *args, const vl_buf *json, vl_error *error) {
    cJSON *root = cJSON_Parse(json->data);
    if (!root)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the table");
    print_complaints(root);
    if (cli_has(args, "json"))
        fputs(json->data, stdout);
    else
        print_table(root);
    cJSON_Delete(root);
    return VL_OK;
}

int cli_eval_ocr(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    vl_answer_options options;
    vl_ocr_evaluation how = {0};
    const char *engines[ENGINES_MAX];
    char configured[512];
    vl_buf json;
    vl_buf_init(&json, MAX_REPORT);
    vl_status status = read_options(args, &how, &error);
    if (!status)
        status = cli_config(args, &config, &error);
    if (!status)
        status = vl_answer_options_from_config(config, &options, &error);
    if (!status) {
        snprintf(configured, sizeof configured, "%s", vl_config_string(config, "ocr_engines"));
        how.engines = engines;
        how.engine_count = choose_engines(args, configured, engines);
        how.ocr = options.ocr;
        how.limits = options.limits;
        status = vl_ocr_evaluate(&how, &json, &error);
    }
    if (!status)
        status = print_scores(args, &json, &error);
    vl_buf_deinit(&json);
    vl_config_free(config);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}
