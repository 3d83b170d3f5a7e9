/* trainer.c — a training run: steps, a log, evaluations, checkpoints.
 *
 * Everything about a run lies in one folder (train.h says what). The order in a step matters
 * for resuming: take, learn, log, evaluate, save; whatever is killed between two saves is done
 * again from the same numbers. */
#include "train/learner.h"

#include <vislang/train.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

typedef struct run {
    const vl_seer_training *training;
    recipe recipe;
    vl_buf recipe_text;
    vl_bpe *bpe;
    learner *learner;
    feed *feed, *held;
    FILE *log;
    uint64_t first, step; /* steps taken before this process, and altogether */
    double pictures;      /* seen by this process */
    int64_t started_ns, saved_ns;
    double best;
    uint64_t best_step;
    tally since; /* the last log line */
    double rate, norm;
} run;

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int number) {
    (void)number;
    asked_to_stop = 1;
}

static void path_of(const run *r, const char *name, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s", r->training->out_dir, name);
}

/* ---- the log ------------------------------------------------------------------------ */

static double mean(double sum, double count) {
    return count > 0 ? sum / count : NAN;
}

static void log_tally(FILE *file, const tally *sums) {
    for (size_t t = 0; t < TASK_COUNT; t++) {
        if (sums->count[t] > 0)
            fprintf(file, ",\"%s\":%.5f", vl_train_task_names[t],
                    mean(sums->loss[t], sums->count[t]));
        if (sums->right[t] > 0)
            fprintf(file, ",\"%s_right\":%.5f", vl_train_task_names[t],
                    mean(sums->right[t], sums->count[t]));
    }
}

static void report(const run *r, const tally *sums, const char *event) {
    if (!r->training->progress)
        return;
    double seconds = vl_clock_ms_since(r->started_ns) / 1000;
    double taken = (double)(r->step - r->first);
    vl_train_progress progress = {
        .step = r->step,
        .steps = (uint64_t)r->recipe.steps,
        .rate = r->rate,
        .gradient_norm = r->norm,
        .pictures_per_second = r->pictures / seconds,
        .seconds_left =
            taken > 0 ? seconds / taken * ((double)r->recipe.steps - (double)r->step) : 0,
        .event = event};
    for (size_t t = 0; t < TASK_COUNT; t++)
        progress.loss[t] = mean(sums->loss[t], sums->count[t]);
    r->training->progress(&progress, r->training->user);
}

static void log_steps(run *r) {
    fprintf(r->log, "{\"step\":%llu,\"rate\":%.6g,\"norm\":%.5g,\"pictures_per_second\":%.2f",
            (unsigned long long)r->step, r->rate, r->norm,
            r->pictures / (vl_clock_ms_since(r->started_ns) / 1000));
    log_tally(r->log, &r->since);
    fprintf(r->log, "}\n");
    fflush(r->log);
    report(r, &r->since, NULL);
    r->since = (tally){0};
}

/* ---- evaluation --------------------------------------------------------------------- */

/* The recipe's weights over the held-out means: one number to compare by. */
static double weigh(const run *r, const tally *sums) {
    double total = 0;
    for (size_t t = 0; t < TASK_COUNT; t++) {
        double weight = 0;
        for (size_t s = 0; s < r->recipe.held_count; s++)
            weight = fmax(weight, r->recipe.held[s].weights[t]);
        if (sums->count[t] > 0)
            total += weight * sums->loss[t] / sums->count[t];
    }
    return total;
}

static vl_status save(run *r, const char *name, vl_error *error) {
    char path[PATH_SIZE];
    path_of(r, name, path);
    return learner_save(r->learner, path, r->step, r->recipe_text.data, error);
}

static vl_status evaluate(run *r, vl_error *error) {
    tally sums = {0};
    vl_status status = VL_OK;
    for (uint64_t i = 0; i < feed_held_steps(r->held) && !status; i++) {
        feed_step *step;
        status = feed_take(r->held, i, &step, error);
        if (!status) {
            status = learner_evaluate(r->learner, step, &sums, error);
            feed_release(r->held, step);
        }
    }
    if (status)
        return status;
    double recall[2];
    learner_recall(r->learner, recall);
    double total = weigh(r, &sums);
    fprintf(r->log, "{\"evaluation\":%llu,\"total\":%.5f", (unsigned long long)r->step, total);
    log_tally(r->log, &sums);
    if (!isnan(recall[0]))
        fprintf(r->log, ",\"recall1\":%.5f,\"recall10\":%.5f", recall[0], recall[1]);
    fprintf(r->log, "}\n");
    fflush(r->log);
    char event[128];
    snprintf(event, sizeof event, "held out: total %.4f, R@1 %.3f, R@10 %.3f", total, recall[0],
             recall[1]);
    report(r, &sums, event);
    if (!(total < r->best))
        return VL_OK;
    r->best = total;
    r->best_step = r->step;
    return save(r, "best.safetensors", error);
}

/* ---- the run ------------------------------------------------------------------------ */

static vl_status same_recipe(const run *r, const char *path, vl_error *error) {
    vl_buf before;
    vl_status status = recipe_text(path, &before, error);
    if (!status && (before.len != r->recipe_text.len ||
                    memcmp(before.data, r->recipe_text.data, before.len) != 0))
        status = vl_fail(error, VL_ERR_USAGE,
                         "%s: this run was begun with another recipe; give another folder, or "
                         "name its checkpoint as 'init' in the new recipe",
                         r->training->out_dir);
    vl_buf_deinit(&before);
    return status;
}

static vl_status begin_or_resume(run *r, vl_error *error) {
    char path[PATH_SIZE], checkpoint[PATH_SIZE];
    path_of(r, "recipe.yaml", path);
    path_of(r, "checkpoint.safetensors", checkpoint);
    vl_status status = vl_dir_make(r->training->out_dir, error);
    if (!status && access(path, F_OK) == 0)
        status = same_recipe(r, path, error);
    else if (!status)
        status = vl_file_write(path, r->recipe_text.data, r->recipe_text.len, error);
    if (!status && access(checkpoint, F_OK) == 0)
        return learner_load(r->learner, checkpoint, &r->first, error);
    if (!status && r->recipe.init[0]) {
        size_t taken;
        status = learner_init(r->learner, r->recipe.init, &taken, error);
        if (!status)
            vl_log(VL_LOG_INFO, "weights taken over", VL_F_STR("from", r->recipe.init),
                   VL_F_INT("tensors", (int64_t)taken));
    }
    return status;
}

static vl_status open_feeds(run *r, vl_error *error) {
    feed_options options = {.recipe = &r->recipe,
                            .data_dir = r->training->data_dir,
                            .bpe = r->bpe,
                            .threads = vl_cpu_count(),
                            .ranks = 1};
    vl_status status = feed_new(&options, &r->feed, error);
    options.held = true;
    if (!status && r->recipe.held_count)
        status = feed_new(&options, &r->held, error);
    return status;
}

static vl_status take_step(run *r, vl_error *error) {
    vl_schedule schedule = {.rate = r->recipe.rate,
                            .final_rate = r->recipe.final_rate,
                            .warmup = (uint64_t)r->recipe.warmup,
                            .steps = (uint64_t)r->recipe.steps};
    feed_step *step;
    vl_status status = feed_take(r->feed, r->step, &step, error);
    if (status)
        return status;
    r->rate = vl_schedule_rate(&schedule, r->step);
    status = learner_step(r->learner, step, r->rate, &r->since, &r->norm, error);
    for (size_t i = 0; i < step->count; i++)
        r->pictures += (double)step->pieces[i].pictures;
    feed_release(r->feed, step);
    r->step += !status;
    return status;
}

static bool is_due(const run *r, int64_t every) {
    return every > 0 &&
           (r->step % (uint64_t)every == 0 || r->step == (uint64_t)r->recipe.steps);
}

static vl_status save_when_due(run *r, bool now, vl_error *error) {
    if (!now && vl_clock_ms_since(r->saved_ns) < r->recipe.checkpoint_minutes * 60000)
        return VL_OK;
    r->saved_ns = vl_clock_ns();
    return save(r, "checkpoint.safetensors", error);
}

static vl_status go(run *r, vl_error *error) {
    vl_status status = VL_OK;
    r->started_ns = r->saved_ns = vl_clock_ns();
    uint64_t end = (uint64_t)r->recipe.steps;
    if (r->training->max_steps && r->first + r->training->max_steps < end)
        end = r->first + r->training->max_steps;
    while (!status && r->step < end && !asked_to_stop) {
        status = take_step(r, error);
        if (!status && is_due(r, r->recipe.log_every))
            log_steps(r);
        if (!status && r->held && is_due(r, r->recipe.evaluate_every))
            status = evaluate(r, error);
        if (!status)
            status = save_when_due(r, r->step == end || asked_to_stop, error);
        if (!status && r->recipe.patience && r->best_step &&
            r->step - r->best_step > (uint64_t)r->recipe.patience) {
            report(r, &r->since, "no better for the recipe's patience: stopped");
            return save(r, "checkpoint.safetensors", error);
        }
    }
    if (!status && asked_to_stop)
        status = vl_fail(error, VL_ERR_CANCELLED,
                         "stopped at step %llu, with a checkpoint; the same command goes on",
                         (unsigned long long)r->step);
    return status;
}

static vl_status run_open(run *r, vl_error *error) {
    const vl_seer_training *t = r->training;
    char path[PATH_SIZE];
    vl_status status = recipe_read(t->recipe, &r->recipe, error);
    if (!status)
        status = recipe_text(t->recipe, &r->recipe_text, error);
    if (!status) {
        const char *name = r->recipe.tokenizer;
        snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : vl_data_dir(),
                 name[0] == '/' ? "" : "/", name);
        status = vl_bpe_open(path, &r->bpe, error);
    }
    if (!status)
        status = learner_new(&r->recipe, &r->learner, error);
    if (!status)
        status = begin_or_resume(r, error);
    if (!status)
        status = open_feeds(r, error);
    if (status)
        return status;
    r->step = r->first;
    path_of(r, "log.jsonl", path);
    r->log = fopen(path, "a");
    return r->log ? VL_OK : vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
}

vl_status vl_seer_train(const vl_seer_training *training, vl_error *error) {
    run *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    r->training = training;
    r->best = INFINITY;
    vl_buf_init(&r->recipe_text, 1 << 20);
    struct sigaction stop = {.sa_handler = on_signal}, before_int, before_term;
    sigaction(SIGINT, &stop, &before_int);
    sigaction(SIGTERM, &stop, &before_term);
    asked_to_stop = 0;
    vl_status status = run_open(r, error);
    if (!status)
        status = go(r, error);
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    if (r->log)
        fclose(r->log);
    feed_free(r->feed);
    feed_free(r->held);
    learner_free(r->learner);
    vl_bpe_free(r->bpe);
    vl_buf_deinit(&r->recipe_text);
    free(r);
    return status;
}
