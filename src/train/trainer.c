/* trainer.c — a training run: steps, a log, evaluations, checkpoints.
 *
 * Everything about a run lies in one folder (train.h says what). The order in a step matters
 * for resuming: take, learn, log, evaluate, save; whatever is killed between two saves is done
 * again from the same numbers, and the log forgets what it held of it.
 *
 * Of several processes (ranks.h) all run the same loop; the first alone reads and writes the
 * folder, evaluates and reports. Whatever one of them may decide (a failure, a signal, that it
 * is enough) is made known to all before the next step. */
#include "base/doc.h"
#include "train/trainable.h"

#include <vislang/train.h>

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, MAX_LOG = 256 << 20 };

typedef struct run {
    const vl_training *training;
    recipe recipe;
    ranks *ranks;
    vl_buf recipe_text;
    trainable net;
    FILE *log;
    int lock;
    uint64_t first, step; /* steps taken before this process, and altogether */
    double pictures;      /* seen by this process */
    int64_t started_ns, saved_ns;
    double best;
    uint64_t best_step;
    uint64_t saved_step; /* of the checkpoint */
    tally since;         /* the last log line */
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

static bool is_first(const run *r) {
    return ranks_index(r->ranks) == 0;
}

/* ---- the log ------------------------------------------------------------------------ */

static double mean(double sum, double count) {
    return count > 0 ? sum / count : NAN;
}

static void log_tally(const run *r, const tally *sums) {
    for (size_t t = 0; t < r->net.task_count; t++) {
        if (sums->count[t] > 0)
            fprintf(r->log, ",\"%s\":%.5f", r->net.tasks[t],
                    mean(sums->loss[t], sums->count[t]));
        if (sums->right[t] > 0)
            fprintf(r->log, ",\"%s_right\":%.5f", r->net.tasks[t],
                    mean(sums->right[t], sums->count[t]));
    }
}

static void report(const run *r, const tally *sums, const char *event, bool line) {
    if (!r->training->progress || !is_first(r))
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
        .tasks = r->net.tasks,
        .task_count = r->net.task_count,
        .event = event,
        .line = line};
    for (size_t t = 0; t < VL_TRAIN_TASKS; t++)
        progress.loss[t] = mean(sums->loss[t], sums->count[t]);
    r->training->progress(&progress, r->training->user);
}

/* Everybody's sums since the last line; they begin anew. */
static vl_status log_steps(run *r, vl_error *error) {
    tally all = r->since;
    r->since = (tally){0};
    vl_status status =
        ranks_sum(r->ranks, (double *)(void *)&all, sizeof all / sizeof(double), error);
    if (status || !is_first(r))
        return status;
    fprintf(r->log, "{\"step\":%llu,\"rate\":%.6g,\"norm\":%.5g,\"pictures_per_second\":%.2f",
            (unsigned long long)r->step, r->rate, r->norm,
            r->pictures / (vl_clock_ms_since(r->started_ns) / 1000));
    log_tally(r, &all);
    fprintf(r->log, "}\n");
    fflush(r->log);
    report(r, &all, NULL, true);
    return VL_OK;
}

static double number_of(const cJSON *line, const char *key) {
    const cJSON *value = cJSON_GetObjectItem(line, key);
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

/* Whether a line of the log still holds: it is whole, and not of a step after the checkpoint.
 * An evaluation that was better than those before is remembered. */
static bool line_holds(run *r, const char *text, size_t bytes) {
    cJSON *line = cJSON_ParseWithLength(text, bytes);
    double evaluated = number_of(line, "evaluation"), total = number_of(line, "total");
    bool holds = number_of(line, "step") <= (double)r->first || evaluated <= (double)r->first;
    if (holds && total < r->best) {
        r->best = total;
        r->best_step = (uint64_t)evaluated;
    }
    cJSON_Delete(line);
    return holds;
}

/* Opens the log where the checkpoint stands. */
static vl_status log_open(run *r, vl_error *error) {
    char path[PATH_SIZE];
    path_of(r, "log.jsonl", path);
    vl_buf before, kept;
    vl_buf_init(&before, MAX_LOG);
    vl_buf_init(&kept, MAX_LOG);
    vl_status status = VL_OK;
    if (access(path, F_OK) == 0)
        status = vl_file_read(path, MAX_LOG, &before, error);
    for (size_t at = 0; !status && at < before.len;) {
        const char *end = memchr(before.data + at, '\n', before.len - at);
        size_t bytes = end ? (size_t)(end - before.data) - at : before.len - at;
        if (end && line_holds(r, before.data + at, bytes))
            vl_buf_append(&kept, before.data + at, bytes + 1);
        at += bytes + 1;
    }
    if (!status)
        status = vl_buf_status(&kept, path, error);
    if (!status && kept.len < before.len)
        status = vl_file_write(path, kept.len ? kept.data : "", kept.len, error);
    vl_buf_deinit(&before);
    vl_buf_deinit(&kept);
    if (status)
        return status;
    r->log = fopen(path, "a");
    return r->log ? VL_OK : vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
}

/* ---- evaluation --------------------------------------------------------------------- */

/* In the first process only. */
static vl_status save(run *r, const char *name, vl_error *error) {
    char path[PATH_SIZE];
    path_of(r, name, path);
    return weights_save(r->net.weights, path, r->step, r->recipe_text.data, error);
}

static vl_status evaluate(run *r, vl_error *error) {
    trainable_score score = {0};
    vl_buf_init(&score.keys, 1 << 20);
    vl_status status = r->net.kind->evaluate(r->net.self, &score, error);
    if (!status)
        status = vl_buf_status(&score.keys, "an evaluation", error);
    if (!status) {
        fprintf(r->log, "{\"evaluation\":%llu,\"total\":%.9g", (unsigned long long)r->step,
                score.total);
        log_tally(r, &score.sums);
        fprintf(r->log, "%s}\n", score.keys.data ? score.keys.data : "");
        fflush(r->log);
        char event[160];
        snprintf(event, sizeof event, "held out: %s", score.words);
        report(r, &score.sums, event, false);
    }
    vl_buf_deinit(&score.keys);
    if (status || !(score.total < r->best))
        return status;
    r->best = score.total;
    r->best_step = r->step;
    return save(r, "best.safetensors", error);
}

/* ---- the run ------------------------------------------------------------------------ */

static vl_status same_recipe(const run *r, const char *path, vl_error *error) {
    vl_buf before;
    vl_status status = doc_file_text(path, &before, error);
    if (!status && (before.len != r->recipe_text.len ||
                    memcmp(before.data, r->recipe_text.data, before.len) != 0))
        status = vl_fail(error, VL_ERR_USAGE,
                         "%s: this run was begun with another recipe; give another folder, or "
                         "name its checkpoint as 'init' in the new recipe",
                         r->training->out_dir);
    vl_buf_deinit(&before);
    return status;
}

/* One process (or one mpirun) trains in a folder at a time; the lock goes with the process. */
static vl_status lock_folder(run *r, const char *path, vl_error *error) {
    r->lock = open(path, O_RDONLY | O_CLOEXEC);
    if (r->lock < 0)
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(r->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return VL_OK; /* a file system without locks is no reason not to train */
    return vl_fail(error, VL_ERR_BUSY, "%s: another process is training in this folder",
                   r->training->out_dir);
}

/* What a killed process was writing. */
static void sweep_folder(const run *r) {
    DIR *dir = opendir(r->training->out_dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        size_t length = strlen(name);
        if (name[0] == '.' && length > 4 && !strcmp(name + length - 4, ".tmp") &&
            (strstr(name, ".safetensors.") || strstr(name, ".jsonl.")))
            unlinkat(dirfd(dir), name, 0);
    }
    if (dir)
        closedir(dir);
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
    if (!status)
        status = lock_folder(r, path, error);
    if (status)
        return status;
    sweep_folder(r);
    if (r->net.kind->keep)
        status = r->net.kind->keep(r->net.self, r->training->out_dir, error);
    if (status)
        return status;
    if (access(checkpoint, F_OK) == 0)
        return weights_load(r->net.weights, checkpoint, &r->first, error);
    if (r->recipe.init[0]) {
        size_t taken;
        status = weights_init(r->net.weights, r->recipe.init, &taken, error);
        if (!status)
            vl_log(VL_LOG_INFO, "weights taken over", VL_F_STR("from", r->recipe.init),
                   VL_F_INT("tensors", (int64_t)taken));
    }
    return status;
}

static vl_status take_step(run *r, vl_error *error) {
    vl_schedule schedule = {.rate = r->recipe.rate,
                            .final_rate = r->recipe.final_rate,
                            .warmup = (uint64_t)r->recipe.warmup,
                            .steps = (uint64_t)r->recipe.steps};
    const trainable_kind *kind = r->net.kind;
    vl_status status = kind->take(r->net.self, r->step, error);
    vl_status all = ranks_agree(r->ranks, status, error);
    if (all) {
        if (!status)
            kind->release(r->net.self);
        return all;
    }
    r->rate = vl_schedule_rate(&schedule, r->step);
    status = kind->step(r->net.self, r->rate, &r->since, &r->norm, error);
    for (size_t s = 0; s < r->recipe.source_count; s++)
        r->pictures += (double)r->recipe.sources[s].batch;
    kind->release(r->net.self);
    r->step += !status;
    return status;
}

static bool is_due(const run *r, int64_t every) {
    return every > 0 &&
           (r->step % (uint64_t)every == 0 || r->step == (uint64_t)r->recipe.steps);
}

static vl_status save_checkpoint(run *r, vl_error *error) {
    r->saved_ns = vl_clock_ns();
    r->saved_step = r->step;
    return save(r, "checkpoint.safetensors", error);
}

/* What the first process does after a step. */
static vl_status look_after(run *r, vl_error *error) {
    if (!is_first(r))
        return VL_OK;
    vl_status status = VL_OK;
    if (r->recipe.held_count && is_due(r, r->recipe.evaluate_every))
        status = evaluate(r, error);
    if (!status && vl_clock_ms_since(r->saved_ns) >= r->recipe.checkpoint_minutes * 60000)
        status = save_checkpoint(r, error);
    return status;
}

static bool is_out_of_patience(const run *r) {
    return r->recipe.patience && r->best_step &&
           r->step - r->best_step > (uint64_t)r->recipe.patience;
}

static vl_status one_step(run *r, bool *enough, bool *stop, vl_error *error) {
    vl_status status = take_step(r, error);
    if (status)
        return status;
    if (is_due(r, r->recipe.log_every))
        status = log_steps(r, error);
    else
        report(r, &r->since, NULL, false);
    if (!status)
        status = look_after(r, error);
    status = ranks_agree(r->ranks, status, error);
    if (!status)
        status = ranks_any(r->ranks, is_out_of_patience(r), enough, error);
    if (!status)
        status = ranks_any(r->ranks, asked_to_stop, stop, error);
    return status;
}

static vl_status go(run *r, vl_error *error) {
    vl_status status = VL_OK;
    bool enough = false, stop = false;
    r->started_ns = r->saved_ns = vl_clock_ns();
    status = ranks_any(r->ranks, is_out_of_patience(r), &enough, error);
    uint64_t end = (uint64_t)r->recipe.steps;
    if (r->training->max_steps && r->first + r->training->max_steps < end)
        end = r->first + r->training->max_steps;
    while (!status && r->step < end && !enough && !stop)
        status = one_step(r, &enough, &stop, error);
    if (status)
        return status;
    if (enough)
        report(r, &r->since, "no better for the recipe's patience: stopped", false);
    if (is_first(r) && r->saved_step != r->step)
        status = save_checkpoint(r, error);
    status = ranks_agree(r->ranks, status, error);
    if (!status && stop && r->step < end)
        status = vl_fail(error, VL_ERR_CANCELLED,
                         "stopped at step %llu, with a checkpoint; the same command goes on",
                         (unsigned long long)r->step);
    return status;
}

static vl_status open_alone(run *r, vl_error *error) {
    const vl_training *t = r->training;
    vl_status status = recipe_read(t->recipe, &r->recipe, error);
    if (!status)
        status = doc_file_text(t->recipe, &r->recipe_text, error);
    if (!status) {
        trainable_options options = {.recipe = &r->recipe,
                                     .data_dir = t->data_dir,
                                     .out_dir = t->out_dir,
                                     .feed_threads = t->feed_threads};
        const trainable_kind *kind =
            r->recipe.model == RECIPE_READER ? &trainable_reader : &trainable_seer;
        status = kind->open(&options, &r->net, error);
        r->net.kind = kind;
    }
    if (!status && is_first(r))
        status = begin_or_resume(r, error);
    return status;
}

/* All processes begin with the same recipe, arithmetic and numbers. */
static vl_status join(run *r, vl_error *error) {
    vl_status status = ranks_same(r->ranks, "the recipe", r->recipe_text.data, error);
    if (!status)
        status = ranks_same(r->ranks, "the processor's instructions (VISLANG_CPU)",
                            vl_kernels_get()->name, error);
    if (!status)
        status = ranks_share(r->ranks, &r->first, sizeof r->first, error);
    return status ? status : weights_join(r->net.weights, r->ranks, error);
}

static vl_status run_open(run *r, vl_error *error) {
    vl_status status = ranks_open(&r->ranks, error);
    if (status)
        return status;
    status = ranks_agree(r->ranks, open_alone(r, error), error);
    if (!status)
        status = join(r, error);
    if (status)
        return status;
    r->step = r->first;
    r->saved_step = r->first;
    status = r->net.kind->open_data(r->net.self, ranks_index(r->ranks), ranks_count(r->ranks),
                                    error);
    if (!status && is_first(r))
        status = log_open(r, error);
    return ranks_agree(r->ranks, status, error);
}

vl_status vl_train(const vl_training *training, vl_error *error) {
    run *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    r->training = training;
    r->best = INFINITY;
    r->lock = -1;
    vl_buf_init(&r->recipe_text, 1 << 20);
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1};
    enum { SIGNALS = sizeof signals / sizeof *signals };
    struct sigaction stop = {.sa_handler = on_signal}, before[SIGNALS];
    asked_to_stop = 0;
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &stop, &before[i]);
    vl_status status = run_open(r, error);
    if (!status)
        status = go(r, error);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    if (r->log)
        fclose(r->log);
    if (r->lock >= 0)
        close(r->lock);
    if (r->net.kind)
        r->net.kind->free(r->net.self);
    ranks_free(r->ranks);
    vl_buf_deinit(&r->recipe_text);
    free(r);
    return status;
}
