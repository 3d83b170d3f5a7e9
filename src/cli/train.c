/* train.c — `vislang train [MODEL]`: makes a bundled model again from its recipe, or scores it;
 * `vislang train plot` draws the curves of runs. */
#include "cli/train.h"

#include <vislang/train.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
    const char *held_out = cli_value(args, "held-out");
    if (held_out)
        return vl_langid_write_held_out(&training, held_out, error);
    return cli_has(args, "evaluate") ? evaluate(args, &training, out, error)
                                     : vl_langid_train(&training, out, error);
}

/* ---- the progress of a long run ----------------------------------------------------- */

static void print_time(double seconds, char out[32]) {
    if (!(seconds < 1e7)) {
        snprintf(out, 32, "–");
        return;
    }
    unsigned all = (unsigned)seconds;
    snprintf(out, 32, "%u:%02u:%02u", all / 3600, all / 60 % 60, all % 60);
}

static void print_steps(const vl_train_progress *p, vl_buf *line) {
    char left[32];
    print_time(p->seconds_left, left);
    vl_buf_printf(line, "step %llu/%llu", (unsigned long long)p->step,
                  (unsigned long long)p->steps);
    for (size_t t = 0; t < p->task_count; t++)
        if (!isnan(p->loss[t]))
            vl_buf_printf(line, "  %s %.3f", p->tasks[t], p->loss[t]);
    if (p->event)
        vl_buf_printf(line, "  %s", p->event);
    else
        vl_buf_printf(line, "  %.1f pictures/s  ETA %s", p->pictures_per_second, left);
}

/* On a terminal one line that is written over, cut to its width; else a line now and then. */
static void show_steps(const vl_train_progress *p, void *user) {
    bool terminal = *(const bool *)user;
    if (!terminal && !p->line && !p->event)
        return;
    vl_buf line;
    vl_buf_init(&line, 4096);
    print_steps(p, &line);
    struct winsize size = {0};
    int width = terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1
                    ? size.ws_col - 1
                    : 4095;
    if (terminal)
        fprintf(stderr, "\r%.*s\033[K%s", p->event ? 4095 : width, line.data,
                p->event || p->step == p->steps ? "\n" : "");
    else
        fprintf(stderr, "%s\n", line.data);
    vl_buf_deinit(&line);
}

static vl_status train_network(const cli_args *args, const char *model, const char *recipe,
                               const char *out, vl_error *error) {
    char said[VL_TRAIN_MODEL_SIZE];
    if (cli_has(args, "evaluate"))
        return vl_fail(
            error, VL_ERR_USAGE,
            "--evaluate is for langid, tokenizer and chars; %s is scored as it trains, "
            "on its recipe's held_out",
            model);
    vl_status status = vl_train_model_of(recipe, said, error);
    if (!status && strcmp(said, model) != 0)
        status = vl_fail(error, VL_ERR_USAGE, "%s: a recipe for %s, not for %s", recipe, said,
                         model);
    if (status)
        return status;
    bool terminal = isatty(STDERR_FILENO) == 1;
    vl_training training = {.recipe = recipe,
                            .data_dir = cli_value(args, "data"),
                            .out_dir = out,
                            .progress = show_steps,
                            .user = &terminal};
    status = vl_train(&training, error);
    if (terminal && status) /* the message begins a line of its own */
        fprintf(stderr, "\n");
    return status;
}

static vl_status train_seer(const cli_args *args, const char *recipe, const char *out,
                            vl_error *error) {
    return train_network(args, "seer", recipe, out, error);
}

static vl_status train_reader(const cli_args *args, const char *recipe, const char *out,
                              vl_error *error) {
    return train_network(args, "reader", recipe, out, error);
}

static const struct model {
    const char *name, *recipe, *weights; /* under vl_data_dir() */
    bool in_place;                       /* weights: under the current folder instead */
    vl_status (*train)(const cli_args *args, const char *recipe, const char *out,
                       vl_error *error);
} models[] = {
    {"seer", "models/recipes/seer-1.yaml", "seer-run", true, train_seer},
    {"reader", "models/recipes/reader-1.yaml", "reader-run", true, train_reader},
    {"langid", "models/recipes/langid.yaml", "models/langid.bin", false, train_langid},
    {"tokenizer", "models/recipes/seer-tokenizer.yaml", "models/seer-tokenizer.bpe", false,
     cli_train_tokenizer},
    {"chars", "models/recipes/chars.yaml", "models/chars.bin", false, cli_train_chars},
    {"voices", "models/recipes/voices.yaml", "models/voices.json", false, cli_train_voices},
};

static const struct model *model_find(const char *name) {
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (!strcmp(models[i].name, name))
            return &models[i];
    return NULL;
}

static vl_status plot(const cli_args *args, vl_error *error) {
    const char *out = cli_value(args, "out");
    if (args->operand_count < 2)
        return vl_fail(error, VL_ERR_USAGE, "plot which run? vislang train plot DIR…");
    vl_status status = vl_train_plot(args->operands + 1, args->operand_count - 1,
                                     out ? out : "curves.png", error);
    if (!status)
        printf("%s\n", out ? out : "curves.png");
    return status;
}

/* The model that is named, or that the recipe is for. */
static vl_status choose(const cli_args *args, const struct model **model, vl_error *error) {
    static const char *const names[] = {"seer",  "reader", "langid", "tokenizer",
                                        "chars", "voices", "plot"};
    char said[VL_TRAIN_MODEL_SIZE];
    const char *name = args->operand_count ? args->operands[0] : NULL;
    const char *recipe = cli_value(args, "recipe");
    if (args->operand_count > 1)
        return vl_fail(error, VL_ERR_USAGE, "train one model at a time, not '%s' too",
                       args->operands[1]);
    if (!name && !recipe)
        return vl_fail(error, VL_ERR_USAGE,
                       "train what? This version trains: seer, reader, langid, tokenizer, "
                       "chars, voices; or give "
                       "--recipe FILE");
    if (!name) {
        vl_status status = vl_train_model_of(recipe, said, error);
        if (status)
            return status;
        name = said;
    }
    *model = model_find(name);
    const char *near =
        *model ? NULL : vl_nearest_name(name, names, sizeof names / sizeof *names);
    if (!*model)
        return vl_fail(error, VL_ERR_USAGE,
                       "no model '%s'%s%s%s: seer, reader, langid, tokenizer, chars, voices",
                       name, near ? "; did you mean '" : "", near ? near : "",
                       near ? "'?" : "");
    if (cli_has(args, "held-out") && (*model)->train != train_langid)
        return vl_fail(error, VL_ERR_USAGE, "--held-out is for langid, not for %s",
                       (*model)->name);
    if (!cli_value(args, "data"))
        return vl_fail(error, VL_ERR_USAGE, "--data DIR: the folder the recipe's files lie in");
    return VL_OK;
}

int cli_train(const cli_args *args) {
    vl_error error;
    char bundled_recipe[4096], bundled_weights[4096];
    const char *recipe = cli_value(args, "recipe"), *out = cli_value(args, "out");
    if (args->operand_count && !strcmp(args->operands[0], "plot"))
        return plot(args, &error) ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
    const struct model *model = NULL;
    vl_status status = choose(args, &model, &error);
    if (!status && !recipe) {
        snprintf(bundled_recipe, sizeof bundled_recipe, "%s/%s", vl_data_dir(), model->recipe);
        recipe = bundled_recipe;
    }
    if (!status && !out) {
        snprintf(bundled_weights, sizeof bundled_weights, "%s/%s",
                 model->in_place ? "." : vl_data_dir(), model->weights);
        out = bundled_weights;
    }
    if (!status)
        status = model->train(args, recipe, out, &error);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}
