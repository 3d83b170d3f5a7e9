/* learner.c — one training step of `seer`.
 *
 * The pieces of a step are spread over lanes (weights.h), piece i to lane i mod lanes. Matching
 * pictures with texts needs the vectors of the whole step:
 * pieces that take part are run forward and kept, then matched, then carried back.
 *
 * Of several processes (ranks.h) each has every n-th piece: what targets weigh is counted over
 * all, vectors are gathered in the order of the pieces and matched by everyone (each carries
 * back the part that is its own), and the gradients of all are added by rank. Everyone then
 * takes the same step. */
#include "train/learner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRAPH_BYTES ((size_t)6 << 30) /* addresses, not memory */

/* A piece on its way through the network. */
typedef struct passage {
    vl_graph *graph;
    vl_var *loss, *pictures, *texts; /* unit vectors, or NULL */
    vl_var *places, *text;           /* what the picture's and the text's layers made */
} passage;

struct learner {
    const recipe *recipe;
    weights *weights;
    vl_seer_net *net;
    tally sums[WEIGHTS_MAX_LANES];
    passage *passages;
    size_t passage_count;
    /* vectors of an evaluation */
    vl_real *held_pictures, *held_texts;
    int32_t *held_owner;
    size_t held_n, held_m;
};

vl_status learner_new(const recipe *r, learner **out, vl_error *error) {
    *out = NULL;
    learner *l = calloc(1, sizeof *l);
    vl_params *params = l ? vl_params_new() : NULL;
    if (!params) {
        free(l);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    }
    l->recipe = r;
    vl_status status = vl_seer_net_new(&r->architecture, params, &l->net, error);
    weights_options options = {.recipe = r, .params = params, .dtype_of = vl_seer_dtype_of};
    if (status)
        vl_params_free(params);
    else
        status = weights_new(&options, &l->weights, error);
    if (!status) /* a temperature of 1/100 is the least, as in CLIP */
        weights_limit(l->weights, vl_seer_log_scale(l->net), 4.6052);
    if (status)
        learner_free(l);
    else
        *out = l;
    return status;
}

void learner_free(learner *l) {
    if (!l)
        return;
    for (size_t i = 0; i < l->passage_count; i++)
        vl_graph_free(l->passages[i].graph);
    free(l->passages);
    free(l->held_pictures);
    free(l->held_texts);
    free(l->held_owner);
    vl_seer_net_free(l->net);
    weights_free(l->weights);
    free(l);
}

const vl_seer_net *learner_net(const learner *l) {
    return l->net;
}

weights *learner_weights(learner *l) {
    return l->weights;
}

/* ---- one piece ---------------------------------------------------------------------- */

/* What one target of a task in a source weighs: its weight over how many there are in the step.
 */
typedef struct shares {
    double text[RECIPE_MAX_SOURCES][TASK_COUNT];
    double label[RECIPE_MAX_SOURCES][VL_SEER_MAX_HEADS];
} shares;

typedef struct context {
    learner *learner;
    const feed_step *step;
    const recipe_source *sources; /* first of the recipe's, to number a piece's source */
    shares shares;
    bool training;
} context;

static void count_targets(const context *c, shares *out) {
    size_t heads = c->learner->recipe->architecture.head_count;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < c->step->count; i++) {
        const piece *p = &c->step->pieces[i];
        size_t s = (size_t)(p->source - c->sources);
        for (size_t t = 0; t < p->targets; t++)
            out->text[s][p->task[t]]++;
        for (size_t h = 0; h < heads; h++)
            for (size_t b = 0; b < p->pictures; b++)
                out->label[s][h] += p->labels[h * p->pictures + b] >= 0;
    }
}

static vl_status share_out(const context *c, shares *out, vl_error *error) {
    count_targets(c, out);
    const ranks *together = weights_ranks(c->learner->weights);
    if (c->training && together) {
        vl_status status =
            ranks_sum(together, (double *)(void *)out, sizeof *out / sizeof(double), error);
        if (status)
            return status;
    }
    for (size_t s = 0; s < RECIPE_MAX_SOURCES; s++) {
        for (size_t t = 0; t < TASK_COUNT; t++)
            if (out->text[s][t] > 0)
                out->text[s][t] = c->sources[s].weights[t] / out->text[s][t];
        for (size_t h = 0; h < VL_SEER_MAX_HEADS; h++)
            if (out->label[s][h] > 0)
                out->label[s][h] = c->sources[s].weights[TASK_LABELS] / out->label[s][h];
    }
    return VL_OK;
}

static bool is_best(const vl_real *row, size_t n, size_t target) {
    for (size_t i = 0; i < n; i++)
        if (row[i] > row[target])
            return false;
    return true;
}

/* Cross-entropy of `logits`, tallied by task. */
static vl_var *score(vl_graph *graph, vl_var *logits, const int32_t *targets,
                     const uint8_t *tasks, const vl_real *each, double smoothing, bool training,
                     tally *sums) {
    if (!logits)
        return NULL;
    size_t rows = logits->dims[0], n = logits->dims[1];
    vl_real *losses = malloc(rows * sizeof *losses);
    if (!losses)
        return NULL;
    vl_var *loss = vl_nn_cross_entropy(graph, logits, targets, each, smoothing, losses);
    for (size_t r = 0; loss && r < rows; r++) {
        size_t kind = tasks ? tasks[r] : TASK_LABELS;
        if (targets[r] < 0 || (each && each[r] == 0))
            continue;
        sums->loss[kind] += losses[r];
        sums->count[kind]++;
        if (!training || kind == TASK_LABELS || kind == TASK_STATEMENT)
            sums->right[kind] += is_best(logits->value + r * n, n, (size_t)targets[r]);
    }
    free(losses);
    return loss;
}

static vl_var *sum(vl_graph *graph, vl_var *a, vl_var *b) {
    return a && b ? vl_nn_add(graph, a, b) : a ? a : b;
}

static vl_var *score_labels(const context *c, const piece *p, vl_graph *graph, vl_var *pooled,
                            tally *sums) {
    const vl_seer_config *config = vl_seer_net_config(c->learner->net);
    size_t s = (size_t)(p->source - c->sources);
    vl_var *total = NULL;
    for (size_t h = 0; h < config->head_count; h++) {
        if (c->shares.label[s][h] == 0)
            continue;
        /* Rows without a label weigh nothing and point at label 0. */
        int32_t *targets = calloc(p->pictures, sizeof *targets);
        vl_real *each = calloc(p->pictures, sizeof *each);
        for (size_t b = 0; targets && each && b < p->pictures; b++) {
            int32_t label = p->labels[h * p->pictures + b];
            targets[b] = label < 0 ? 0 : label;
            each[b] = label < 0 ? 0 : (vl_real)c->shares.label[s][h];
        }
        /* The graph reads them on its way back: they move into its memory. */
        vl_real *kept_weights = vl_graph_keep(graph, each, p->pictures * sizeof *each);
        int32_t *kept = vl_graph_keep(graph, targets, p->pictures * sizeof *targets);
        free(targets);
        free(each);
        if (kept && kept_weights)
            total =
                sum(graph, total,
                    score(graph, vl_seer_label(c->learner->net, graph, pooled, h), kept, NULL,
                          kept_weights, c->learner->recipe->smoothing, c->training, sums));
    }
    return total;
}

static vl_var *score_words(const context *c, const piece *p, vl_graph *graph, vl_var *text,
                           vl_var *places, vl_seer_rates rates, tally *sums) {
    const vl_seer_net *net = c->learner->net;
    size_t s = (size_t)(p->source - c->sources);
    vl_real *each = malloc(p->targets * sizeof *each);
    for (size_t t = 0; each && t < p->targets; t++)
        each[t] = (vl_real)c->shares.text[s][p->task[t]];
    vl_real *kept = vl_graph_keep(graph, each, p->targets * sizeof *each);
    free(each);
    if (!kept)
        return NULL;
    vl_var *mixed = vl_seer_mix(net, graph, text, places, p->owner, p->starts, p->rows, rates);
    vl_var *logits = vl_seer_words(net, graph, mixed, p->at, p->targets);
    return score(graph, logits, p->target, p->task, kept, c->learner->recipe->smoothing,
                 c->training, sums);
}

static void forward(const context *c, const piece *p, passage *way, tally *sums) {
    const vl_seer_net *net = c->learner->net;
    const recipe *r = c->learner->recipe;
    vl_graph *graph = way->graph;
    vl_seer_rates rates = {0};
    if (c->training)
        rates = (vl_seer_rates){r->dropout, r->drop_path};
    vl_var *x = vl_nn_input(graph, p->pixels, 4, (size_t[]){p->pictures, p->side, p->side, 3});
    vl_var *places = vl_seer_look(net, graph, x, rates);
    vl_var *pooled = vl_seer_pool(net, graph, places);
    way->loss = score_labels(c, p, graph, pooled, sums);
    way->places = places;
    way->pictures = way->texts = way->text = NULL;
    if (!p->rows)
        return;
    vl_var *text = vl_seer_read(net, graph, p->ids, p->starts, p->rows, rates);
    way->text = text;
    if (p->targets)
        way->loss = sum(graph, way->loss, score_words(c, p, graph, text, places, rates, sums));
    if (p->vectors) {
        way->pictures = vl_seer_picture_vector(net, graph, pooled);
        way->texts = vl_seer_text_vector(net, graph, text, p->vector_at, p->vectors);
    }
}

/* ---- lanes -------------------------------------------------------------------------- */

static const char *part_of_net(const passage *way) {
    if (way->places && !weights_finite(way->places->value, way->places->count))
        return "the picture's layers";
    if (way->text && !weights_finite(way->text->value, way->text->count))
        return "the text's layers";
    return way->text ? "the layers that see both picture and text, or those of labels"
                     : "the layers of labels";
}

static vl_status fail_lane(const context *c, const passage *way, vl_error *error) {
    vl_status status = vl_graph_status(way->graph, error);
    if (status)
        return status;
    const char *layer = vl_graph_find_nonfinite(way->graph);
    char blamed[VL_PARAM_NAME_SIZE + 64];
    weights_blame(c->learner->weights, blamed, sizeof blamed);
    return vl_fail(error, VL_ERR_INPUT,
                   "the loss of %s %llu is not a number any more: first in a layer of "
                   "kind %s, in %s; %s",
                   c->training ? "step" : "held-out batch", (unsigned long long)c->step->number,
                   layer ? layer : "loss", part_of_net(way), blamed);
}

static vl_status lane_forward(void *user, size_t lane, vl_error *error) {
    const context *c = user;
    learner *l = c->learner;
    for (size_t i = lane; i < c->step->count; i += weights_lanes(l->weights)) {
        passage *way = &l->passages[i];
        uint64_t seed = c->step->number * 1000003 + c->step->pieces[i].number * 97 +
                        (uint64_t)l->recipe->seed;
        vl_graph_reset(way->graph, vl_random_next(&seed));
        vl_graph_set_gradients(way->graph,
                               c->training ? weights_gradient(l->weights, lane) : NULL);
        forward(c, &c->step->pieces[i], way, &l->sums[lane]);
        if (vl_graph_status(way->graph, NULL) || (way->loss && !isfinite(way->loss->value[0])))
            return fail_lane(c, way, error);
        if (!c->training || way->pictures) /* those wait to be matched */
            continue;
        vl_graph_backward(way->graph, way->loss, 1);
        if (vl_graph_status(way->graph, NULL))
            return fail_lane(c, way, error);
    }
    return VL_OK;
}

static vl_status lane_backward(void *user, size_t lane, vl_error *error) {
    const context *c = user;
    learner *l = c->learner;
    for (size_t i = lane; i < c->step->count; i += weights_lanes(l->weights)) {
        passage *way = &l->passages[i];
        if (!way->pictures)
            continue;
        vl_graph_backward(way->graph, way->loss, 1);
        if (vl_graph_status(way->graph, NULL))
            return fail_lane(c, way, error);
    }
    return VL_OK;
}

static vl_status prepare(learner *l, size_t pieces, bool training, vl_error *error) {
    memset(l->sums, 0, sizeof l->sums);
    if (training)
        weights_clear_gradients(l->weights);
    if (pieces <= l->passage_count)
        return VL_OK;
    passage *grown = realloc(l->passages, pieces * sizeof *grown);
    if (!grown)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pieces", pieces);
    l->passages = grown;
    vl_graph_options options = {.max_bytes = GRAPH_BYTES,
                                .training = true,
                                .precision =
                                    l->recipe->bf16 ? VL_PRECISION_BF16 : VL_PRECISION_F32};
    for (; l->passage_count < pieces; l->passage_count++) {
        l->passages[l->passage_count] =
            (passage){.graph = vl_graph_new(weights_params(l->weights), &options)};
        if (!l->passages[l->passage_count].graph)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pieces", pieces);
    }
    return VL_OK;
}

static void add_sums(const learner *l, tally *sums) {
    for (size_t i = 0; i < weights_lanes(l->weights); i++)
        for (size_t t = 0; t < TASK_COUNT; t++) {
            sums->loss[t] += l->sums[i].loss[t];
            sums->right[t] += l->sums[i].right[t];
            sums->count[t] += l->sums[i].count[t];
        }
}

/* ---- matching ----------------------------------------------------------------------- */

/* The vectors of one piece, in a step's list. */
typedef struct part {
    uint64_t number; /* of the piece */
    uint64_t n, m;   /* pictures and texts in it */
    bool mine;
    const char *bytes; /* x [n,d], y [m,d], owner [m], in what was gathered */
} part;

typedef struct vectors {
    vl_real *x, *y, *dx, *dy;
    int32_t *owner;
    size_t n, m, d;
    part *parts; /* in the order of their pieces */
    size_t part_count;
    char *gathered;
} vectors;

static void vectors_deinit(vectors *v) {
    free(v->x);
    free(v->y);
    free(v->dx);
    free(v->dy);
    free(v->owner);
    free(v->parts);
    free(v->gathered);
}

/* This process's vectors as bytes: for each piece its number, n and m, then what a part's
 * `bytes` are. */
static void pack(const learner *l, const feed_step *step, vl_buf *out) {
    for (size_t i = 0; i < step->count; i++) {
        const passage *way = &l->passages[i];
        const piece *p = &step->pieces[i];
        if (!way->pictures || !way->texts)
            continue;
        uint64_t head[3] = {p->number, way->pictures->dims[0], way->texts->dims[0]};
        vl_buf_append(out, head, sizeof head);
        vl_buf_append(out, way->pictures->value, way->pictures->count * sizeof(vl_real));
        vl_buf_append(out, way->texts->value, way->texts->count * sizeof(vl_real));
        vl_buf_append(out, p->vector_owner, way->texts->dims[0] * sizeof(int32_t));
    }
}

static int by_number(const void *a, const void *b) {
    const part *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Finds the parts in the bytes of one process. False: no memory. */
static bool find_parts(vectors *v, const char *bytes, size_t count, bool mine) {
    uint64_t head[3];
    for (size_t at = 0; at < count;) {
        part *grown = realloc(v->parts, (v->part_count + 1) * sizeof *grown);
        if (!grown)
            return false;
        memcpy(head, bytes + at, sizeof head);
        at += sizeof head;
        v->parts = grown;
        v->parts[v->part_count++] = (part){head[0], head[1], head[2], mine, bytes + at};
        at += (head[1] + head[2]) * v->d * sizeof(vl_real) + head[2] * sizeof(int32_t);
        v->n += head[1];
        v->m += head[2];
    }
    return true;
}

/* The parts, sorted, into arrays; pictures are numbered through. False: no memory. */
static bool lay_out(vectors *v) {
    if (v->part_count)
        qsort(v->parts, v->part_count, sizeof *v->parts, by_number);
    v->x = weights_zeros(v->n * v->d + 1);
    v->dx = weights_zeros(v->n * v->d + 1);
    v->y = weights_zeros(v->m * v->d + 1);
    v->dy = weights_zeros(v->m * v->d + 1);
    v->owner = calloc(v->m + 1, sizeof *v->owner);
    if (!v->x || !v->y || !v->dx || !v->dy || !v->owner)
        return false;
    size_t n = 0, m = 0;
    for (size_t i = 0; i < v->part_count; i++) {
        const part *p = &v->parts[i];
        size_t x_bytes = p->n * v->d * sizeof(vl_real), y_bytes = p->m * v->d * sizeof(vl_real);
        memcpy(v->x + n * v->d, p->bytes, x_bytes);
        memcpy(v->y + m * v->d, p->bytes + x_bytes, y_bytes);
        memcpy(v->owner + m, p->bytes + x_bytes + y_bytes, p->m * sizeof *v->owner);
        for (size_t j = 0; j < p->m; j++)
            v->owner[m + j] += (int32_t)n;
        n += p->n;
        m += p->m;
    }
    return true;
}

/* All unit vectors of the step: of `together`, or (NULL) of this process. */
static vl_status gather_vectors(const learner *l, const ranks *together, const feed_step *step,
                                vectors *v, vl_error *error) {
    *v = (vectors){.d = vl_seer_net_config(l->net)->vector};
    vl_buf packed;
    vl_buf_init(&packed, (size_t)1 << 31);
    pack(l, step, &packed);
    vl_status status = vl_buf_status(&packed, "a step's vectors", error);
    size_t starts[RANKS_MAX + 1] = {0, packed.len}, count = 1, mine = 0;
    if (together) {
        count = ranks_count(together);
        mine = ranks_index(together);
        status = ranks_agree(together, status, error);
        if (!status)
            status =
                ranks_gather(together, packed.data, packed.len, &v->gathered, starts, error);
    } else if (!status) {
        v->gathered = packed.data;
        packed.data = NULL;
    }
    bool ok = true;
    for (size_t k = 0; k < count && !status; k++)
        ok = ok &&
             (starts[k] == starts[k + 1] ||
              find_parts(v, v->gathered + starts[k], starts[k + 1] - starts[k], k == mine));
    if (!status && (!ok || !lay_out(v)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to match a step's pictures");
    vl_buf_deinit(&packed);
    return status;
}

/* This process's part of the gradient, into the graphs it came from. */
static void hand_back(learner *l, const feed_step *step, const vectors *v) {
    size_t n = 0, m = 0, i = 0;
    for (size_t k = 0; k < v->part_count; k++) {
        const part *p = &v->parts[k];
        if (p->mine) {
            while (step->pieces[i].number != p->number)
                i++;
            passage *way = &l->passages[i];
            vl_real weight = (vl_real)step->pieces[i].source->weights[TASK_CONTRAST];
            vl_real *dx = vl_var_grad(way->graph, way->pictures);
            vl_real *dy = vl_var_grad(way->graph, way->texts);
            if (dx)
                vl_kernels_get()->axpy(dx, weight, v->dx + n * v->d, way->pictures->count);
            if (dy)
                vl_kernels_get()->axpy(dy, weight, v->dy + m * v->d, way->texts->count);
        }
        n += p->n;
        m += p->m;
    }
}

static vl_status match(learner *l, const feed_step *step, tally *sums, vl_error *error) {
    vectors v;
    const ranks *together = weights_ranks(l->weights);
    vl_status status = gather_vectors(l, together, step, &v, error);
    const vl_params *params = weights_params(l->weights);
    size_t at = vl_params_at(params, vl_seer_log_scale(l->net))->offset;
    double loss = 0;
    vl_real dscale = 0;
    if (!status)
        status = vl_nn_infonce(v.x, v.y, v.owner, v.n, v.m, v.d, vl_params_values(params)[at],
                               v.dx, v.dy, &dscale, &loss, error);
    if (!status && !isfinite(loss))
        status = vl_fail(error, VL_ERR_INPUT,
                         "the loss of matching in step %llu is not a number any more",
                         (unsigned long long)step->number);
    if (!status && v.m)
        hand_back(l, step, &v);
    if (!status && v.m && (!together || ranks_index(together) == 0)) {
        weights_gradient(l->weights, 0)[at] += dscale;
        sums->loss[TASK_CONTRAST] += loss * (double)v.m;
        sums->count[TASK_CONTRAST] += (double)v.m;
    }
    vectors_deinit(&v);
    return status;
}

/* ---- a step -------------------------------------------------------------------------- */

vl_status learner_step(learner *l, const feed_step *step, double rate, tally *sums,
                       double *norm, vl_error *error) {
    weights *w = l->weights;
    context c = {.learner = l, .step = step, .sources = l->recipe->sources, .training = true};
    vl_status status = share_out(&c, &c.shares, error);
    if (status)
        return status;
    status = prepare(l, step->count, true, error);
    if (!status)
        status = weights_round(w, error);
    if (!status)
        status = weights_run(w, lane_forward, &c, error);
    status = weights_agree(w, status, error);
    if (!status)
        status = match(l, step, sums, error);
    if (!status)
        status = weights_run(w, lane_backward, &c, error);
    weights_put_back(w);
    status = weights_agree(w, status, error);
    if (!status)
        status = weights_sum(w, step->number, norm, error);
    if (status)
        return status;
    add_sums(l, sums);
    weights_step(w, rate, *norm);
    return VL_OK;
}

/* ---- evaluation --------------------------------------------------------------------- */

static bool keep_vectors(learner *l, const vectors *v) {
    vl_real *x = realloc(l->held_pictures, ((l->held_n + v->n) * v->d + 1) * sizeof *x);
    if (x)
        l->held_pictures = x;
    vl_real *y = realloc(l->held_texts, ((l->held_m + v->m) * v->d + 1) * sizeof *y);
    if (y)
        l->held_texts = y;
    int32_t *owner = realloc(l->held_owner, (l->held_m + v->m + 1) * sizeof *owner);
    if (owner)
        l->held_owner = owner;
    if (!x || !y || !owner)
        return false;
    memcpy(x + l->held_n * v->d, v->x, v->n * v->d * sizeof *x);
    memcpy(y + l->held_m * v->d, v->y, v->m * v->d * sizeof *y);
    for (size_t j = 0; j < v->m; j++)
        owner[l->held_m + j] = (int32_t)l->held_n + v->owner[j];
    l->held_n += v->n;
    l->held_m += v->m;
    return true;
}

vl_status learner_evaluate(learner *l, const feed_step *step, tally *sums, vl_error *error) {
    context c = {.learner = l, .step = step, .sources = l->recipe->held};
    vl_status status = share_out(&c, &c.shares, error);
    if (!status)
        status = prepare(l, step->count, false, error);
    if (status)
        return status;
    weights_swap_average(l->weights);
    status = weights_round(l->weights, error);
    if (!status)
        status = weights_run(l->weights, lane_forward, &c, error);
    weights_put_back(l->weights);
    weights_swap_average(l->weights);
    vectors v = {0};
    if (!status)
        status = gather_vectors(l, NULL, step, &v, error);
    if (!status && !keep_vectors(l, &v))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for an evaluation");
    vectors_deinit(&v);
    add_sums(l, sums);
    return status;
}

void learner_recall(learner *l, double recall[2]) {
    size_t d = vl_seer_net_config(l->net)->vector, texts = l->held_m, first = 0, ten = 0;
    const vl_kernels *kernels = vl_kernels_get();
    for (size_t j = 0; j < texts; j++) {
        const vl_real *y = l->held_texts + j * d;
        size_t own = (size_t)l->held_owner[j], nearer = 0;
        vl_real mine = kernels->dot(l->held_pictures + own * d, y, d);
        for (size_t i = 0; i < l->held_n; i++)
            nearer += i != own && kernels->dot(l->held_pictures + i * d, y, d) >= mine;
        first += nearer < 1;
        ten += nearer < 10;
    }
    l->held_n = l->held_m = 0;
    recall[0] = texts ? (double)first / (double)texts : NAN;
    recall[1] = texts ? (double)ten / (double)texts : NAN;
}
