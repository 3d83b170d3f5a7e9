/* train.c — `vislang train MODEL`: makes a bundled model again from its recipe, or scores it.
 */
#include "cli/cli.h"

#include <vislang/train.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCORES = 256, LENGTHS = 4 };
static const char *const length_names[LENGTHS] = {"20", "50", "100", "400"};

static void show_epoch(unsigned epoch, unsigned epochs, double loss, void *user) {
    (void)user;
    fprintf(stderr, "epoch %u of %u: loss %.4f\n", epoch, epochs, loss);
}

static double share(const vl_langid_score *s, size_t length) {
    return s->count[length] ? (double)s->right[length] / s->count[length] : 0;
}

static void print_scores(const vl_langid_score *scores, size_t count) {
    double sums[LENGTHS] = {0};
    printf("%-6s %-22s %6s %7s %7s %7s %7s  %s\n", "code", "language", "lines", "20", "50",
           "100", "400", "else mostly");
    for (size_t i = 0; i < count; i++) {
        const vl_langid_score *s = &scores[i];
        printf("%-6s %-22s %6u", s->code, vl_lang_name(s->code), s->count[0]);
        for (size_t c = 0; c < LENGTHS; c++) {
            printf(" %6.1f%%", 100 * share(s, c));
            sums[c] += share(s, c);
        }
        printf("  %s\n", s->mostly);
    }
    printf("mean over %zu languages:            ", count);
    for (size_t c = 0; c < LENGTHS; c++)
        printf(" %6.1f%%", 100 * sums[c] / (double)count);
    printf("\n");
}

static void print_scores_json(const vl_langid_score *scores, size_t count) {
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < count; i++) {
        cJSON *one = cJSON_AddObjectToObject(object, scores[i].code);
        cJSON_AddNumberToObject(one, "lines", scores[i].count[0]);
        cJSON *accuracy = cJSON_AddObjectToObject(one, "accuracy");
        for (size_t c = 0; c < LENGTHS; c++)
            cJSON_AddNumberToObject(accuracy, length_names[c], share(&scores[i], c));
    }
    char *text = cJSON_Print(object);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
}

static vl_status evaluate(const cli_args *args, const vl_langid_training *training,
                          const char *weights, vl_error *error) {
    static vl_langid_score scores[MAX_SCORES];
    vl_langid *langid;
    size_t count;
    vl_status status = vl_langid_open(weights, &langid, error);
    if (status)
        return status;
    status = vl_langid_evaluate(training, langid, scores, MAX_SCORES, &count, error);
    vl_langid_free(langid);
    if (status)
        return status;
    if (cli_has(args, "json"))
        print_scores_json(scores, count);
    else
        print_scores(scores, count);
    return VL_OK;
}

int cli_train(const cli_args *args) {
    vl_error error;
    char recipe[4096], weights[4096];
    vl_langid_training training = {.recipe = cli_value(args, "recipe"),
                                   .data_dir = cli_value(args, "data"),
                                   .progress = show_epoch};
    const char *out = cli_value(args, "out");
    vl_status status = VL_OK;
    if (args->operand_count != 1 || strcmp(args->operands[0], "langid"))
        status = vl_fail(&error, VL_ERR_USAGE, "train what? This version trains: langid");
    else if (!training.data_dir)
        status =
            vl_fail(&error, VL_ERR_USAGE, "--data DIR: the folder the recipe's files lie in");
    if (!training.recipe) {
        snprintf(recipe, sizeof recipe, "%s/models/recipes/langid.yaml", vl_data_dir());
        training.recipe = recipe;
    }
    if (!out) {
        snprintf(weights, sizeof weights, "%s/models/langid.bin", vl_data_dir());
        out = weights;
    }
    if (!status)
        status = cli_has(args, "evaluate") ? evaluate(args, &training, out, &error)
                                           : vl_langid_train(&training, out, &error);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}
