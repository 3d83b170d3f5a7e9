/* eval.c — `vislang eval seer DIR…`: how good a model file is, on any folder of pictures with
 * metadata; as JSON, or as a table. `vislang eval ocr` is eval_ocr.c, `align` eval_align.c. */
#include "cli/cli.h"

#include <vislang/train.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REPORT = 16 << 20, MAX_LIMIT = 100000000 };

/* ---- the table --------------------------------------------------------------------------- */

static double number(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItem(object, name);
    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static const char *string(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    return text ? text : "";
}

static const cJSON *item(const cJSON *object, const char *a, const char *b) {
    const cJSON *one = cJSON_GetObjectItem(object, a);
    return b ? cJSON_GetObjectItem(one, b) : one;
}

static void print_captions(const cJSON *root, const cJSON *baselines) {
    const cJSON *languages = item(root, "caption", "by_language"), *one;
    const cJSON *common = item(baselines, "caption", "by_language");
    if (!languages)
        return;
    printf("\n%-12s %7s %7s %6s%s\n", "captions", "BLEU-4", "CIDEr-D", "n",
           common ? "   commonest caption: BLEU-4 CIDEr-D" : "");
    cJSON_ArrayForEach(one, languages) {
        printf("  %-10s %7.3f %7.3f %6.0f", one->string, number(one, "bleu4"),
               number(one, "cider_d"), number(one, "n"));
        const cJSON *base = cJSON_GetObjectItem(common, one->string);
        if (base)
            printf("   %.3f %.3f \"%s\"", number(base, "bleu4"), number(base, "cider_d"),
                   string(base, "text"));
        printf("\n");
    }
}

static void print_recalls(const char *way, const cJSON *one, const cJSON *by_chance) {
    printf("  %-18s %6.3f %6.3f %6.3f %7.0f", way, number(one, "r1"), number(one, "r5"),
           number(one, "r10"), number(one, "n"));
    if (by_chance)
        printf("   %.4f %.4f %.4f", number(by_chance, "r1"), number(by_chance, "r5"),
               number(by_chance, "r10"));
    printf("\n");
}

static void print_retrieval(const cJSON *root, const cJSON *baselines) {
    const cJSON *languages = item(root, "retrieval", "by_language"), *one;
    const cJSON *chance = item(baselines, "retrieval", "by_language");
    if (!languages)
        return;
    printf("\n%-20s %6s %6s %6s %7s%s\n", "retrieval", "R@1", "R@5", "R@10", "n",
           chance ? "   by chance" : "");
    cJSON_ArrayForEach(one, languages) {
        char way[64];
        const cJSON *base = cJSON_GetObjectItem(chance, one->string);
        snprintf(way, sizeof way, "%.8s to picture", one->string);
        print_recalls(way, one, base);
        snprintf(way, sizeof way, "picture to %.8s", one->string);
        print_recalls(way, cJSON_GetObjectItem(one, "picture_to_text"),
                      cJSON_GetObjectItem(base, "picture_to_text"));
    }
}

static void print_answers(const cJSON *root, const cJSON *baselines) {
    const cJSON *vqa = item(root, "vqa", NULL), *statements = item(root, "statements", NULL);
    if (vqa) {
        printf("\nanswers      exact %.3f  byte for byte %.3f  n %.0f", number(vqa, "exact"),
               number(vqa, "plain"), number(vqa, "n"));
        const cJSON *common = item(baselines, "vqa", "commonest");
        if (common)
            printf("   commonest answer %.3f \"%s\", by question type %.3f",
                   number(common, "exact"), string(common, "answer"),
                   number(item(baselines, "vqa", "by_question_type"), "exact"));
        printf("\n");
    }
    if (statements) {
        printf("\nstatements   right %.3f  n %.0f", number(statements, "accuracy"),
               number(statements, "n"));
        const cJSON *majority = item(baselines, "statements", NULL);
        if (majority)
            printf("   always %s %.3f",
                   cJSON_IsTrue(cJSON_GetObjectItem(majority, "says")) ? "true" : "false",
                   number(majority, "accuracy"));
        printf("\n");
    }
}

static void print_set(const cJSON *set, const cJSON *baselines) {
    const cJSON *one, *base = cJSON_GetObjectItem(baselines, set->string);
    printf("\n%-12s macro-F1 %.3f  accuracy %.3f  ECE %.3f  n %.0f\n", set->string,
           number(set, "macro_f1"), number(set, "accuracy"), number(set, "ece"),
           number(set, "n"));
    if (cJSON_GetObjectItem(set, "aerial_false_alarms"))
        printf("  false alarms on ordinary pictures from the air: %.3f of %.0f\n",
               number(set, "aerial_false_alarms"), number(set, "aerial_n"));
    cJSON_ArrayForEach(one, base)
        printf("  baseline %s%s%s: macro-F1 %.3f  accuracy %.3f\n", one->string,
               *string(one, "label") ? " " : "", string(one, "label"), number(one, "macro_f1"),
               number(one, "accuracy"));
    const cJSON *classes = cJSON_GetObjectItem(set, "per_class");
    if (cJSON_GetArraySize(classes) > 40)
        return;
    printf("  %-24s %9s %7s %6s %6s\n", "", "precision", "recall", "F1", "n");
    cJSON_ArrayForEach(one, classes)
        printf("  %-24s %9.3f %7.3f %6.3f %6.0f\n", one->string, number(one, "precision"),
               number(one, "recall"), number(one, "f1"), number(one, "n"));
}

static void print_table(const cJSON *root) {
    const cJSON *baselines = cJSON_GetObjectItem(root, "baselines"), *one;
    printf("%s %s (%s), %.0f pictures", string(root, "model"), string(root, "version"),
           string(root, "format"), number(root, "pictures"));
    if (number(root, "missing") + number(root, "broken") > 0)
        printf("; left out: %.0f missing, %.0f broken", number(root, "missing"),
               number(root, "broken"));
    printf("\n");
    print_captions(root, baselines);
    print_retrieval(root, baselines);
    print_answers(root, baselines);
    cJSON_ArrayForEach(one, root) {
        if (cJSON_GetObjectItem(one, "macro_f1"))
            print_set(one, baselines);
    }
}

/* ---- the command ------------------------------------------------------------------------- */

static void show_progress(size_t done, size_t pictures, void *user) {
    (void)user;
    if (done % 10 == 0 || done == pictures)
        fprintf(stderr, "\r%zu of %zu pictures%s", done, pictures,
                done == pictures ? "\n" : "");
}

/* "caption,vqa" */
static vl_status read_tasks(const char *list, unsigned *tasks, vl_error *error) {
    char copy[256];
    if (snprintf(copy, sizeof copy, "%s", list) >= (int)sizeof copy)
        return vl_fail(error, VL_ERR_USAGE, "--task: the list is too long");
    char *next = NULL, *name = strtok_r(copy, ",", &next);
    if (!name)
        return vl_fail(error, VL_ERR_USAGE, "--task names no task");
    for (; name; name = strtok_r(NULL, ",", &next)) {
        unsigned task = vl_eval_task(name, error);
        if (!task)
            return VL_ERR_USAGE;
        *tasks |= task;
    }
    return VL_OK;
}

/* Every --train, in order. */
static size_t train_paths(const cli_args *args, const char **paths) {
    size_t count = 0;
    for (size_t i = 0; i < args->given_count; i++)
        if (!strcmp(args->given[i].flag->name, "train"))
            paths[count++] = args->given[i].value;
    return count;
}

static vl_status read_options(const cli_args *args, vl_seer_evaluation *how,
                              const char **trains, vl_error *error) {
    long limit = 0;
    if (cli_eval_misplaced(args, cli_eval_ocr_only))
        return vl_fail(error, VL_ERR_USAGE, "--%s belongs to 'vislang eval ocr'",
                       cli_eval_misplaced(args, cli_eval_ocr_only));
    if (cli_eval_misplaced(args, cli_eval_align_only))
        return vl_fail(error, VL_ERR_USAGE, "--%s belongs to 'vislang eval align'",
                       cli_eval_misplaced(args, cli_eval_align_only));
    if (!args->operand_count || strcmp(args->operands[0], "seer") != 0)
        return vl_fail(error, VL_ERR_USAGE,
                       "evaluate what? This version evaluates: seer, ocr, align (vislang eval "
                       "seer DIR, vislang eval ocr DIR, vislang eval align PAIRS)");
    if (args->operand_count < 2)
        return vl_fail(error, VL_ERR_USAGE,
                       "on which pictures? vislang eval seer DIR, with a metadata.jsonl in it");
    vl_status status = cli_value_int(args, "limit", 1, MAX_LIMIT, &limit, error);
    *how = (vl_seer_evaluation){
        .paths = args->operands + 1,
        .path_count = args->operand_count - 1,
        .model = cli_value(args, "model"),
        .limit = (size_t)limit,
        .details = cli_value(args, "details"),
        .baselines = cli_has(args, "baselines"),
        .train_paths = trains,
        .train_count = train_paths(args, trains),
        .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
    };
    if (!status && cli_value(args, "task"))
        status = read_tasks(cli_value(args, "task"), &how->tasks, error);
    if (!status && how->train_count && !how->baselines)
        status = vl_fail(error, VL_ERR_USAGE,
                         "--train says what --baselines are learned from; they were not asked "
                         "for");
    if (!status && cli_has(args, "calibrate") && (how->baselines || how->details))
        status = vl_fail(error, VL_ERR_USAGE,
                         "--calibrate writes its own file, with no baselines and no details");
    return status;
}

static vl_status calibrate(const cli_args *args, const vl_seer_evaluation *how, vl_buf *json,
                           vl_error *error) {
    const char *path = cli_value(args, "calibrate");
    vl_seer_facts *facts = calloc(1, sizeof *facts);
    if (!facts)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to calibrate");
    vl_status status = vl_seer_calibrate(how, facts, json, error);
    if (!status)
        status = vl_file_write(path, json->data, json->len, error);
    if (!status && cli_has(args, "json"))
        fputs(json->data, stdout);
    else if (!status)
        printf("%s: for vislang export or quantize --facts\n", path);
    free(facts);
    return status;
}

static vl_status evaluate(const cli_args *args, const vl_seer_evaluation *how, vl_buf *json,
                          vl_error *error) {
    vl_status status = vl_seer_evaluate(how, json, error);
    if (status)
        return status;
    if (cli_has(args, "json")) {
        fputs(json->data, stdout);
        return VL_OK;
    }
    cJSON *root = cJSON_Parse(json->data);
    if (!root)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the table");
    print_table(root);
    cJSON_Delete(root);
    return VL_OK;
}

int cli_eval(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    vl_seer_evaluation how;
    const char *trains[CLI_MAX_FLAGS];
    vl_buf json;
    if (args->operand_count && !strcmp(args->operands[0], "ocr"))
        return cli_eval_ocr(args);
    if (args->operand_count && !strcmp(args->operands[0], "align"))
        return cli_eval_align(args);
    vl_buf_init(&json, MAX_REPORT);
    vl_status status = read_options(args, &how, trains, &error);
    if (!status)
        status = cli_config(args, &config, &error);
    if (!status)
        status = cli_has(args, "calibrate") ? calibrate(args, &how, &json, &error)
                                            : evaluate(args, &how, &json, &error);
    vl_buf_deinit(&json);
    vl_config_free(config);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}
