/* trainable_seer.c — `seer` as the trainer drives it: its tokenizer, feeds and learner. */
#include "train/learner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct seer_run {
    trainable_options options;
    vl_bpe *bpe;
    learner *learner;
    feed *feed, *held;
    feed_step *step;
} seer_run;

static void seer_free(void *self) {
    seer_run *r = self;
    if (!r)
        return;
    feed_free(r->feed);
    feed_free(r->held);
    learner_free(r->learner);
    vl_bpe_free(r->bpe);
    free(r);
}

static vl_status seer_open(const trainable_options *options, trainable *out, vl_error *error) {
    char path[4096];
    const char *name = options->recipe->tokenizer;
    seer_run *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    r->options = *options;
    snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : vl_data_dir(),
             name[0] == '/' ? "" : "/", name);
    vl_status status = vl_bpe_open(path, &r->bpe, error);
    if (!status)
        status = learner_new(options->recipe, &r->learner, error);
    if (status) {
        seer_free(r);
        return status;
    }
    *out = (trainable){.tasks = vl_train_task_names,
                       .task_count = TASK_COUNT,
                       .self = r,
                       .weights = learner_weights(r->learner)};
    return VL_OK;
}

static vl_status seer_open_data(void *self, size_t rank, size_t count, vl_error *error) {
    seer_run *r = self;
    size_t threads = r->options.feed_threads;
    feed_options options = {.recipe = r->options.recipe,
                            .data_dir = r->options.data_dir,
                            .bpe = r->bpe,
                            .threads = threads ? threads : vl_cpu_count(),
                            .rank = rank,
                            .ranks = count};
    vl_status status = feed_new(&options, &r->feed, error);
    options.held = true;
    options.rank = 0;
    options.ranks = 1;
    if (!status && r->options.recipe->held_count && rank == 0)
        status = feed_new(&options, &r->held, error);
    return status;
}

static vl_status seer_take(void *self, uint64_t number, vl_error *error) {
    seer_run *r = self;
    return feed_take(r->feed, number, &r->step, error);
}

static void seer_release(void *self) {
    seer_run *r = self;
    feed_release(r->feed, r->step);
    r->step = NULL;
}

static vl_status seer_step(void *self, double rate, tally *sums, double *norm,
                           vl_error *error) {
    seer_run *r = self;
    return learner_step(r->learner, r->step, rate, sums, norm, error);
}

/* The recipe's weights over the held-out means: one number to compare by. */
static double weigh(const recipe *r, const tally *sums) {
    double total = 0;
    for (size_t t = 0; t < TASK_COUNT; t++) {
        double weight = 0;
        for (size_t s = 0; s < r->held_count; s++)
            weight = fmax(weight, r->held[s].weights[t]);
        if (sums->count[t] > 0)
            total += weight * sums->loss[t] / sums->count[t];
    }
    return total;
}

static vl_status seer_evaluate(void *self, trainable_score *score, vl_error *error) {
    seer_run *r = self;
    vl_status status = VL_OK;
    for (uint64_t i = 0; i < feed_held_steps(r->held) && !status; i++) {
        feed_step *step;
        status = feed_take(r->held, i, &step, error);
        if (!status) {
            status = learner_evaluate(r->learner, step, &score->sums, error);
            feed_release(r->held, step);
        }
    }
    if (status)
        return status;
    double recall[2];
    learner_recall(r->learner, recall);
    score->total = weigh(r->options.recipe, &score->sums);
    if (!isnan(recall[0]))
        vl_buf_printf(&score->keys, ",\"recall1\":%.5f,\"recall10\":%.5f", recall[0],
                      recall[1]);
    snprintf(score->words, sizeof score->words, "total %.4f, R@1 %.3f, R@10 %.3f", score->total,
             recall[0], recall[1]);
    return VL_OK;
}

const trainable_kind trainable_seer = {
    .open = seer_open,
    .free = seer_free,
    .open_data = seer_open_data,
    .take = seer_take,
    .release = seer_release,
    .step = seer_step,
    .evaluate = seer_evaluate,
};
