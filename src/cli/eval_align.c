/* eval_align.c — `vislang eval align PAIRS`: how well sentences, words and documents are found
 * in another language; as JSON, or as a table. */
#include "cli/align_document.h"
#include "cli/cli.h"

#include <vislang/align.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { MAX_REPORT = 16 << 20, MAX_LIMIT = 100000000 };

const char *const cli_eval_align_only[] = {"src",         "tgt",        "space",  "src-vectors",
                                           "tgt-vectors", "vocabulary", "strict", NULL};
static const char *const seer_only[] = {"model", "baselines", "train", "calibrate", NULL};

/* ---- the table --------------------------------------------------------------------------- */

static const cJSON *item(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static double number(const cJSON *object, const char *name) {
    const cJSON *value = item(object, name);
    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static const char *string(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(item(object, name));
    return text ? text : "";
}

/* One way of one ranking; what it does not have stays empty. */
static void print_way(const cJSON *one, bool back) {
    static const char *const names[][2] = {
        {"accuracy", "accuracy_reverse"},
        {"accuracy_low", "accuracy_low_reverse"},
        {"accuracy_high", "accuracy_high_reverse"},
        {"accuracy_at_5", "accuracy_at_5_reverse"},
        {"mean_reciprocal_rank", "mean_reciprocal_rank_reverse"},
    };
    printf(" %7.4f", number(one, names[0][back]));
    if (item(one, names[1][back]))
        printf("  %.3f – %.3f", number(one, names[1][back]), number(one, names[2][back]));
    else
        printf("  %13s", "");
    for (size_t i = 3; i < 5; i++)
        if (item(one, names[i][back]))
            printf(" %7.3f", number(one, names[i][back]));
        else
            printf(" %7s", "");
    printf("  ");
}

static void print_ranks(const cJSON *one) {
    printf("  %-18s", one->string);
    print_way(one, false);
    print_way(one, true);
    printf("\n");
}

static void print_rankings(const cJSON *root) {
    const cJSON *one;
    char forth[64], back[64];
    snprintf(forth, sizeof forth, "%.20s to %.20s", string(root, "src"), string(root, "tgt"));
    snprintf(back, sizeof back, "%.20s to %.20s", string(root, "tgt"), string(root, "src"));
    printf("\n  %-18s %-39s   %s\n  %-18s", "", forth, back, "");
    for (size_t i = 0; i < 2; i++)
        printf(" %7s  %13s %7s %7s  ", "right", "95 %", "in 5", "MRR");
    printf("\n");
    cJSON_ArrayForEach(one, item(root, "methods")) {
        print_ranks(one);
    }
    cJSON_ArrayForEach(one, item(root, "baselines")) {
        print_ranks(one);
    }
}

static void print_agreement(const char *name, const cJSON *one) {
    static const char *const kinds[] = {"strict", "lax"};
    printf("  %-18s", name);
    for (size_t i = 0; i < 2; i++) {
        const cJSON *kind = item(one, kinds[i]);
        printf(" %9.3f %7.3f %6.3f  ", number(kind, "precision"), number(kind, "recall"),
               number(kind, "f1"));
    }
    printf("\n");
}

static void print_agreements(const cJSON *root) {
    static const char *const kinds[] = {"methods", "baselines", "others"};
    const cJSON *one;
    printf("\n  %-18s %-26s %s\n  %-18s", "", "strict", "lax", "");
    for (size_t i = 0; i < 2; i++)
        printf(" %9s %7s %6s  ", "precision", "recall", "F1");
    printf("\n");
    print_agreement(string(root, "method"), root);
    for (size_t i = 0; i < 3; i++)
        cJSON_ArrayForEach(one, item(root, kinds[i])) {
            print_agreement(one->string, one);
        }
}

static void print_table(const cJSON *root) {
    const cJSON *left_out = item(root, "left_out");
    printf("%s, %s and %s: ", string(root, "task"), string(root, "src"), string(root, "tgt"));
    if (item(root, "pairs"))
        printf("%.0f pairs", number(root, "pairs"));
    if (item(root, "candidates"))
        printf(", %.0f candidates", number(root, "candidates"));
    if (item(root, "coverage"))
        printf(", %.1f %% of %.0f headwords are there", 100 * number(root, "coverage"),
               number(root, "headwords"));
    if (item(root, "beads"))
        printf("%.0f beads of gold, %.0f found", number(root, "beads"), number(root, "found"));
    printf("\n");
    if (number(left_out, "lines") > 0)
        fprintf(stderr, "left out: %.0f lines; the first: %s\n", number(left_out, "lines"),
                string(left_out, "first"));
    if (number(root, "adjacent") > 0.05)
        fprintf(stderr,
                "for %.0f %% of the pairs the translation of the line before or after came "
                "first: are the two sides shifted?\n",
                100 * number(root, "adjacent"));
    if (item(root, "strict"))
        print_agreements(root);
    else
        print_rankings(root);
}

/* ---- the command ------------------------------------------------------------------------- */

static vl_status read_options(const cli_args *args, vl_align_evaluation *how, vl_error *error) {
    long limit = 0, vocabulary = 0;
    const char *misplaced = cli_eval_misplaced(args, seer_only);
    if (misplaced)
        return vl_fail(error, VL_ERR_USAGE, "--%s has no meaning for 'vislang eval align'",
                       misplaced);
    misplaced = cli_eval_misplaced(args, cli_eval_ocr_only);
    if (misplaced)
        return vl_fail(error, VL_ERR_USAGE, "--%s belongs to 'vislang eval ocr'", misplaced);
    vl_status status = cli_value_int(args, "limit", 1, MAX_LIMIT, &limit, error);
    if (!status)
        status = cli_value_int(args, "vocabulary", 1, MAX_LIMIT, &vocabulary, error);
    *how = (vl_align_evaluation){
        .src = cli_value(args, "src"),
        .tgt = cli_value(args, "tgt"),
        .paths = args->operands + 1,
        .path_count = args->operand_count - 1,
        .space = cli_value(args, "space"),
        .src_vectors = cli_value(args, "src-vectors"),
        .tgt_vectors = cli_value(args, "tgt-vectors"),
        .vocabulary = (size_t)vocabulary,
        .limit = (size_t)limit,
        .strict = cli_has(args, "strict"),
        .details = cli_value(args, "details"),
    };
    const char *task = cli_value(args, "task");
    return status || !task ? status : vl_align_task_of(task, &how->task, error);
}

static vl_status print_scores(const cli_args *args, const vl_buf *json, vl_error *error) {
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

int cli_eval_align(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    vl_align_evaluation how;
    vl_buf json;
    vl_buf_init(&json, MAX_REPORT);
    vl_status status = read_options(args, &how, &error);
    if (!status)
        status = align_check_output("details", how.details, how.paths, how.path_count, &error);
    if (!status)
        status = cli_config(args, &config, &error);
    if (!status) {
        status = vl_align_evaluate(&how, &json, &error);
        /* A program that reads the report learns from it what went wrong, too. */
        if (!status || (json.len && cli_has(args, "json"))) {
            vl_status printed = print_scores(args, &json, status ? NULL : &error);
            status = status ? status : printed;
        }
    }
    vl_buf_deinit(&json);
    vl_config_free(config);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
