/* trainable_reader.c — `reader` as the trainer drives it: its alphabet, lines, and a step of
 * connectionist temporal classification.
 *
 * The pieces of a step are spread over lanes (weights.h). A line weighs as much as any other of
 * its step. Beside the loss, the best path of every line is scored against its labels: in
 * visual order, so that what is counted is reading alone. */
#include "train/feed.h"
#include "train/trainable.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CTC, CER, MAX_SCRIPTS = 48, MAX_ALPHABET_TEXT = 1 << 20, PATH_SIZE = 4096 };
#define GRAPH_BYTES ((size_t)12 << 30) /* addresses, not memory */

typedef struct script_score {
    char name[16];
    double edits, length;
} script_score;

typedef struct lane_state {
    vl_graph *graph;
    tally sums;
    script_score scripts[MAX_SCRIPTS];
    size_t script_count;
} lane_state;

typedef struct reader_run {
    trainable_options options;
    vl_reader_alphabet *alphabet;
    vl_reader_net *net;
    weights *weights;
    feed *feed, *held;
    feed_step *step;
    lane_state lanes[WEIGHTS_MAX_LANES];
} reader_run;

static void reader_free(void *self) {
    reader_run *r = self;
    if (!r)
        return;
    for (size_t i = 0; i < WEIGHTS_MAX_LANES; i++)
        vl_graph_free(r->lanes[i].graph);
    feed_free(r->feed);
    feed_free(r->held);
    vl_reader_net_free(r->net);
    weights_free(r->weights);
    vl_reader_alphabet_free(r->alphabet);
    free(r);
}

/* ---- the alphabet ------------------------------------------------------------------- */

static vl_status alphabet_from_file(const char *path, vl_reader_alphabet **out,
                                    vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, MAX_ALPHABET_TEXT);
    vl_status status = vl_file_read(path, MAX_ALPHABET_TEXT, &text, error);
    if (!status)
        status = vl_reader_alphabet_new(text.len ? text.data : "", text.len, out, error);
    vl_buf_deinit(&text);
    if (status && error)
        vl_error_prefix(error, "%s", path);
    return status;
}

/* Appends the characters of a source's texts that are not there yet. */
static vl_status add_texts(const char *path, vl_buf *all, vl_error *error) {
    samples *set;
    vl_status status = samples_open(path, &set, error);
    if (status)
        return status;
    vl_arena *arena = vl_arena_new(16 << 20);
    for (size_t i = 0; arena && i < samples_count(set); i++) {
        const char *text = samples_at(set, i)->text;
        char *line = text ? vl_text_squeeze(arena, text) : NULL; /* labels are NFC */
        if (line)
            vl_buf_puts(all, line);
        vl_arena_reset(arena);
    }
    samples_free(set);
    if (!arena)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an alphabet");
    vl_arena_free(arena);
    return VL_OK;
}

static void data_path(const reader_run *r, const char *name, char path[PATH_SIZE]) {
    bool whole = name[0] == '/';
    snprintf(path, PATH_SIZE, "%s%s%s", whole ? "" : r->options.data_dir, whole ? "" : "/",
             name);
}

static vl_status alphabet_from_texts(const reader_run *r, vl_reader_alphabet **out,
                                     vl_error *error) {
    const recipe *from = r->options.recipe;
    char path[PATH_SIZE];
    vl_buf all;
    vl_buf_init(&all, (size_t)2 << 30);
    vl_status status = VL_OK;
    for (size_t s = 0; s < from->source_count && !status; s++) {
        data_path(r, from->sources[s].path, path);
        status = add_texts(path, &all, error);
    }
    if (!status)
        status = vl_buf_status(&all, "the texts of all lines", error);
    if (!status)
        status = vl_reader_alphabet_new(all.len ? all.data : "", all.len, out, error);
    vl_buf_deinit(&all);
    return status;
}

/* That of the run, where it began before; else the recipe's; else what the lines hold. */
static vl_status find_alphabet(reader_run *r, vl_error *error) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/alphabet.txt", r->options.out_dir);
    if (access(path, F_OK) == 0)
        return alphabet_from_file(path, &r->alphabet, error);
    if (!r->options.recipe->alphabet[0])
        return alphabet_from_texts(r, &r->alphabet, error);
    data_path(r, r->options.recipe->alphabet, path);
    return alphabet_from_file(path, &r->alphabet, error);
}

static vl_status reader_keep(void *self, const char *out_dir, vl_error *error) {
    const reader_run *r = self;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/alphabet.txt", out_dir);
    if (access(path, F_OK) == 0)
        return VL_OK;
    vl_buf text;
    vl_buf_init(&text, MAX_ALPHABET_TEXT);
    vl_reader_alphabet_write(r->alphabet, &text);
    vl_status status = vl_buf_status(&text, path, error);
    if (!status)
        status = vl_file_write(path, text.data, text.len, error);
    vl_buf_deinit(&text);
    return status;
}

/* ---- opening ------------------------------------------------------------------------ */

static vl_status open_network(reader_run *r, vl_error *error) {
    const recipe *from = r->options.recipe;
    vl_reader_config config = from->reader;
    config.symbols = (uint32_t)vl_reader_alphabet_size(r->alphabet);
    vl_params *params = vl_params_new();
    if (!params)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    vl_status status = vl_reader_net_new(&config, params, &r->net, error);
    if (status) {
        vl_params_free(params);
        return status;
    }
    weights_options options = {
        .recipe = from, .params = params, .dtype_of = vl_reader_dtype_of};
    status = weights_new(&options, &r->weights, error);
    vl_graph_options graph = {.max_bytes = GRAPH_BYTES,
                              .training = true,
                              .precision = from->bf16 ? VL_PRECISION_BF16 : VL_PRECISION_F32};
    for (size_t i = 0; !status && i < weights_lanes(r->weights); i++)
        if (!(r->lanes[i].graph = vl_graph_new(weights_params(r->weights), &graph)))
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu lanes",
                             weights_lanes(r->weights));
    return status;
}

static vl_status reader_open(const trainable_options *options, trainable *out,
                             vl_error *error) {
    reader_run *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    r->options = *options;
    vl_status status = find_alphabet(r, error);
    if (!status)
        status = open_network(r, error);
    if (status) {
        reader_free(r);
        return status;
    }
    *out = (trainable){.tasks = vl_train_reader_task_names,
                       .task_count = VL_TRAIN_READER_TASKS,
                       .self = r,
                       .weights = r->weights};
    return VL_OK;
}

static vl_status reader_open_data(void *self, size_t rank, size_t count, vl_error *error) {
    reader_run *r = self;
    size_t threads = r->options.feed_threads;
    feed_options options = {.recipe = r->options.recipe,
                            .data_dir = r->options.data_dir,
                            .alphabet = r->alphabet,
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

static vl_status reader_take(void *self, uint64_t number, vl_error *error) {
    reader_run *r = self;
    return feed_take(r->feed, number, &r->step, error);
}

static void reader_release(void *self) {
    reader_run *r = self;
    feed_release(r->feed, r->step);
    r->step = NULL;
}

/* ---- scores ------------------------------------------------------------------------- */

/* Labels of the likeliest symbol of each position, repeats and blanks left out. */
static size_t best_path(const vl_real *logits, size_t steps, size_t symbols, int32_t *out) {
    size_t count = 0;
    int32_t before = 0;
    for (size_t t = 0; t < steps; t++, logits += symbols) {
        size_t best = 0;
        for (size_t v = 1; v < symbols; v++)
            if (logits[v] > logits[best])
                best = v;
        if (best && (int32_t)best != before)
            out[count++] = (int32_t)best;
        before = (int32_t)best;
    }
    return count;
}

/* Levenshtein distance; `row` has room for m + 1. */
static size_t edits(const int32_t *a, size_t n, const int32_t *b, size_t m, size_t *row) {
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t least = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;
            row[j] = changed < least ? changed : least;
        }
    }
    return row[m];
}

static void add_to_script(lane_state *lane, const char *script, double wrong, double length) {
    size_t i = 0;
    while (i < lane->script_count && strcmp(lane->scripts[i].name, script) != 0)
        i++;
    if (i == MAX_SCRIPTS || strlen(script) >= sizeof lane->scripts->name)
        return;
    if (i == lane->script_count)
        strcpy(lane->scripts[lane->script_count++].name, script);
    lane->scripts[i].edits += wrong;
    lane->scripts[i].length += length;
}

/* What the best paths of a piece get wrong. False: no memory. */
static bool score_lines(const line_set *l, const vl_var *logits, const vl_real *losses,
                        lane_state *lane) {
    size_t symbols = logits->dims[1], positions = logits->dims[0];
    int32_t *read = malloc((positions + 1) * sizeof *read);
    size_t *row = malloc((l->label_starts[l->count] + 1) * sizeof *row);
    for (size_t b = 0; read && row && b < l->count; b++) {
        size_t first = (size_t)l->starts[b], steps = (size_t)l->starts[b + 1] - first;
        size_t begin = l->label_starts[b], length = l->label_starts[b + 1] - begin;
        size_t count = best_path(logits->value + first * symbols, steps, symbols, read);
        double wrong = (double)edits(read, count, l->labels + begin, length, row);
        lane->sums.loss[CTC] += losses[b];
        lane->sums.count[CTC] += losses[b] > 0; /* 0: its labels do not fit its width */
        lane->sums.loss[CER] += wrong;
        lane->sums.count[CER] += (double)length;
        add_to_script(lane, l->script[b], wrong, (double)length);
    }
    bool ok = read && row;
    free(read);
    free(row);
    return ok;
}

/* ---- a step ------------------------------------------------------------------------- */

typedef struct context {
    reader_run *run;
    const feed_step *step;
    bool training;
    vl_real weight; /* of a line */
} context;

static vl_status fail_loss(const context *c, const lane_state *lane, vl_error *error) {
    vl_status status = vl_graph_status(lane->graph, error);
    if (status)
        return status;
    const char *layer = vl_graph_find_nonfinite(lane->graph);
    char blamed[VL_PARAM_NAME_SIZE + 64];
    weights_blame(c->run->weights, blamed, sizeof blamed);
    return vl_fail(error, VL_ERR_INPUT,
                   "the loss of %s %llu is not a number any more: first in a layer of kind %s; "
                   "%s",
                   c->training ? "step" : "held-out batch", (unsigned long long)c->step->number,
                   layer ? layer : "loss", blamed);
}

static vl_status run_piece(const context *c, const piece *p, size_t number, vl_error *error) {
    reader_run *r = c->run;
    lane_state *lane = &r->lanes[number];
    const line_set *l = p->lines;
    uint64_t seed =
        c->step->number * 1000003 + p->number * 97 + (uint64_t)r->options.recipe->seed;
    vl_graph_reset(lane->graph, vl_random_next(&seed));
    vl_graph_set_gradients(lane->graph,
                           c->training ? weights_gradient(r->weights, number) : NULL);
    vl_real *losses = vl_graph_keep(lane->graph, NULL, l->count * sizeof *losses);
    double dropout = c->training ? r->options.recipe->dropout : 0;
    vl_var *logits =
        vl_reader_look(r->net, lane->graph, l->columns, l->starts, l->sequences, dropout);
    vl_var *loss = losses ? vl_nn_ctc_packed(lane->graph, logits, l->starts, l->count,
                                             l->labels, l->label_starts, losses)
                          : NULL;
    if (!loss || vl_graph_status(lane->graph, NULL) || !isfinite(loss->value[0]))
        return fail_loss(c, lane, error);
    if (!score_lines(l, logits, losses, lane))
        return vl_fail(error, VL_ERR_MEMORY, "no memory to score lines");
    if (!c->training)
        return VL_OK;
    vl_graph_backward(lane->graph, loss, c->weight);
    return vl_graph_status(lane->graph, error);
}

static vl_status run_lane(void *user, size_t number, vl_error *error) {
    const context *c = user;
    vl_status status = VL_OK;
    for (size_t i = number; i < c->step->count && !status; i += weights_lanes(c->run->weights))
        status = run_piece(c, &c->step->pieces[i], number, error);
    return status;
}

static void clear_lanes(reader_run *r) {
    for (size_t i = 0; i < weights_lanes(r->weights); i++) {
        r->lanes[i].sums = (tally){0};
        r->lanes[i].script_count = 0;
        memset(r->lanes[i].scripts, 0, sizeof r->lanes[i].scripts);
    }
}

static void add_sums(const reader_run *r, tally *sums) {
    for (size_t i = 0; i < weights_lanes(r->weights); i++)
        for (size_t t = 0; t < VL_TRAIN_READER_TASKS; t++) {
            sums->loss[t] += r->lanes[i].sums.loss[t];
            sums->count[t] += r->lanes[i].sums.count[t];
        }
}

static double lines_of_step(const recipe *r) {
    double all = 0;
    for (size_t s = 0; s < r->source_count; s++)
        all += (double)r->sources[s].batch;
    return all;
}

static vl_status reader_step(void *self, double rate, tally *sums, double *norm,
                             vl_error *error) {
    reader_run *r = self;
    weights *w = r->weights;
    context c = {.run = r,
                 .step = r->step,
                 .training = true,
                 .weight = (vl_real)(1 / lines_of_step(r->options.recipe))};
    clear_lanes(r);
    weights_clear_gradients(w);
    vl_status status = weights_round(w, error);
    if (!status)
        status = weights_run(w, run_lane, &c, error);
    weights_put_back(w);
    status = weights_agree(w, status, error);
    if (!status)
        status = weights_sum(w, r->step->number, norm, error);
    if (status)
        return status;
    add_sums(r, sums);
    weights_step(w, rate, *norm);
    return VL_OK;
}

/* ---- evaluation --------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    return strcmp(((const script_score *)a)->name, ((const script_score *)b)->name);
}

/* ,"cer_by_script":{"Arab":0.1,…} */
static void write_scripts(const lane_state *all, vl_buf *keys) {
    vl_buf_puts(keys, ",\"cer_by_script\":{");
    for (size_t i = 0; i < all->script_count; i++)
        vl_buf_printf(
            keys, "%s\"%s\":%.5f", i ? "," : "", all->scripts[i].name,
            all->scripts[i].length > 0 ? all->scripts[i].edits / all->scripts[i].length : 0);
    vl_buf_puts(keys, "}");
}

static vl_status evaluate_steps(reader_run *r, vl_error *error) {
    vl_status status = VL_OK;
    for (uint64_t i = 0; i < feed_held_steps(r->held) && !status; i++) {
        feed_step *step;
        status = feed_take(r->held, i, &step, error);
        if (status)
            break;
        context c = {.run = r, .step = step};
        status = weights_run(r->weights, run_lane, &c, error);
        feed_release(r->held, step);
    }
    return status;
}

static vl_status reader_evaluate(void *self, trainable_score *score, vl_error *error) {
    reader_run *r = self;
    clear_lanes(r);
    weights_swap_average(r->weights);
    vl_status status = weights_round(r->weights, error);
    if (!status)
        status = evaluate_steps(r, error);
    weights_put_back(r->weights);
    weights_swap_average(r->weights);
    if (status)
        return status;
    add_sums(r, &score->sums);
    lane_state all = {0};
    for (size_t i = 0; i < weights_lanes(r->weights); i++)
        for (size_t s = 0; s < r->lanes[i].script_count; s++)
            add_to_script(&all, r->lanes[i].scripts[s].name, r->lanes[i].scripts[s].edits,
                          r->lanes[i].scripts[s].length);
    qsort(all.scripts, all.script_count, sizeof *all.scripts, by_name);
    write_scripts(&all, &score->keys);
    double cer =
        score->sums.count[CER] > 0 ? score->sums.loss[CER] / score->sums.count[CER] : 1;
    score->total = cer;
    snprintf(score->words, sizeof score->words, "character error rate %.4f over %zu scripts",
             cer, all.script_count);
    return VL_OK;
}

const trainable_kind trainable_reader = {
    .open = reader_open,
    .free = reader_free,
    .keep = reader_keep,
    .open_data = reader_open_data,
    .take = reader_take,
    .release = reader_release,
    .step = reader_step,
    .evaluate = reader_evaluate,
};
