/* train.c — `vislang train MODEL`: makes a bundled model again from its recipe, or scores it.
 */
#include "cli/train.h"

#include <vislang/train.h>

#include <cjson/cJSON.h>
#include <math.h>
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

static vl_status train_langid(const cli_args *args, const char *recipe, const char *out,
                              vl_error *error) {
    vl_langid_training training = {
        .recipe = recipe, .data_dir = cli_value(args, "data"), .progress = show_epoch};
    return cli_has(args, "evaluate") ? evaluate(args, &training, out, error)
                                     : vl_langid_train(&training, out, error);
}

static void show_steps(const vl_train_progress *p, void *user) {
    (void)user;
    fprintf(stderr, "step %llu of %llu", (unsigned long long)p->step,
            (unsigned long long)p->steps);
    for (size_t t = 0; t < VL_TRAIN_TASKS; t++)
        if (!isnan(p->loss[t]))
            fprintf(stderr, "  %s %.3f", vl_train_task_names[t], p->loss[t]);
    if (p->event)
        fprintf(stderr, "  %s\n", p->event);
    else
        fprintf(stderr, "  |  %.1f pictures/s, %.0f min left\n", p->pictures_per_second,
                p->seconds_left / 60);
}

static vl_status train_seer(const cli_args *args, const char *recipe, const char *out,
                            vl_error *error) {
    vl_seer_training training = {.recipe = recipe,
                                 .data_dir = cli_value(args, "data"),
                                 .out_dir = out,
                                 .progress = show_steps};
    return vl_seer_train(&training, error);
}

static const struct model {
    const char *name, *recipe, *weights; /* under vl_data_dir() */
    vl_status (*train)(const cli_args *args, const char *recipe, const char *out,
                       vl_error *error);
} models[] = {
    {"seer", "models/recipes/seer.yaml", "seer-run", train_seer},
    {"langid", "models/recipes/langid.yaml", "models/langid.bin", train_langid},
    {"tokenizer", "models/recipes/seer-tokenizer.yaml", "models/seer-tokenizer.bpe",
     cli_train_tokenizer},
};

static const struct model *model_find(const char *name) {
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (!strcmp(models[i].name, name))
            return &models[i];
    return NULL;
}

int cli_train(const cli_args *args) {
    vl_error error;
    char bundled_recipe[4096], bundled_weights[4096];
    const char *recipe = cli_value(args, "recipe"), *out = cli_value(args, "out");
    const struct model *model = args->operand_count == 1 ? model_find(args->operands[0]) : NULL;
    vl_status status = VL_OK;
    if (!model)
        status = vl_fail(&error, VL_ERR_USAGE,
                         "train what? This version trains: seer, langid, tokenizer");
    else if (!cli_value(args, "data"))
        status =
            vl_fail(&error, VL_ERR_USAGE, "--data DIR: the folder the recipe's files lie in");
    if (!status && !recipe) {
        snprintf(bundled_recipe, sizeof bundled_recipe, "%s/%s", vl_data_dir(), model->recipe);
        recipe = bundled_recipe;
    }
    if (!status && !out) {
        snprintf(bundled_weights, sizeof bundled_weights, "%s/%s", vl_data_dir(),
                 model->weights);
        out = bundled_weights;
    }
    if (!status)
        status = model->train(args, recipe, out, &error);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}
