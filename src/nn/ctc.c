/* ctc.c — connectionist temporal classification (Graves, Fernández, Gomez and Schmidhuber
 * 2006), and back.
 *
 * A row's labels l_1 … l_L stand between blanks: L' = 2L + 1 states, of which the odd ones are
 * labels. alpha_t(s) is the probability of all that was read up to and with position t, ending
 * in state s (section 4.1, equations 5–8); beta_t(s) that of what is read after t, starting
 * from s. (The paper counts position t in both and divides once; here beta leaves it out.) The
 * share of the paths that are in state s at t is alpha·beta/p, and the gradient by the logits
 * is the softmax less these shares (equation 16).
 *
 * Everything is kept as logarithms in double: a row has a few hundred states and positions,
 * which is little beside its logits, and p of a long row lies below what a float can hold. */
#include "nn/graph.h"

#include <math.h>

typedef struct ctc_note {
    note base;
    vl_var *logits;
    const int32_t *lengths, *labels;
    const int32_t
        *at; /* where rows begin, of those that lie behind each other; NULL: [B,T,V] */
    size_t rows;
    const size_t *starts;
    vl_real *log_sums; /* [B,T]: what the softmax of each position is divided by */
    double **alpha;    /* [B] of [length, states] */
    double *log_p;     /* [B] */
} ctc_note;

typedef struct ctc_row {
    size_t steps, states, width, count;
    const int32_t *labels;
    const vl_real *logits, *log_sums;
} ctc_row;

/* Position at which row b begins. */
static size_t first_of(const ctc_note *self, size_t b) {
    return self->at ? (size_t)self->at[b] : b * self->logits->dims[1];
}

static ctc_row row_of(const ctc_note *self, size_t b) {
    const vl_var *x = self->logits;
    size_t count = self->starts[b + 1] - self->starts[b], width = var_width(x);
    size_t first = first_of(self, b), steps = first_of(self, b + 1) - first;
    return (ctc_row){.steps = self->lengths ? (size_t)self->lengths[b] : steps,
                     .states = 2 * count + 1,
                     .width = width,
                     .count = count,
                     .labels = self->labels + self->starts[b],
                     .logits = x->value + first * width,
                     .log_sums = self->log_sums + first};
}

/* Two equal labels in a row need a blank between them. A label that is none cannot be read. */
static bool fits(const ctc_row *row) {
    size_t needed = row->count;
    for (size_t i = 0; i < row->count; i++) {
        if (row->labels[i] <= 0 || (size_t)row->labels[i] >= row->width)
            return false;
        needed += i && row->labels[i] == row->labels[i - 1];
    }
    return needed <= row->steps;
}

static size_t symbol(const ctc_row *row, size_t state) {
    return state % 2 ? (size_t)row->labels[state / 2] : 0;
}

/* Whether a path may come to `state` from two before it, leaving out the blank between. */
static bool skips(const ctc_row *row, size_t state) {
    return state % 2 && state > 1 && row->labels[state / 2] != row->labels[state / 2 - 1];
}

static double log_y(const ctc_row *row, size_t t, size_t state) {
    return (double)row->logits[t * row->width + symbol(row, state)] - (double)row->log_sums[t];
}

/* log(exp(x) + exp(y)); −∞ is the log of nothing. */
static double log_add(double x, double y) {
    double most = x > y ? x : y, least = x > y ? y : x;
    return least == -INFINITY ? most : most + log1p(exp(least - most));
}

/* Fills alpha [steps, states]; returns log p(labels). */
static double read_forward(const ctc_row *row, double *alpha) {
    size_t states = row->states;
    if (!row->steps)
        return 0; /* it fits, hence nothing is to be read */
    for (size_t s = 0; s < states; s++)
        alpha[s] = s < 2 ? log_y(row, 0, s) : -INFINITY;
    for (size_t t = 1; t < row->steps; t++) {
        const double *before = alpha;
        alpha += states;
        for (size_t s = 0; s < states; s++) {
            double sum = before[s];
            if (s)
                sum = log_add(sum, before[s - 1]);
            if (skips(row, s))
                sum = log_add(sum, before[s - 2]);
            alpha[s] = sum + log_y(row, t, s);
        }
    }
    return states > 1 ? log_add(alpha[states - 1], alpha[states - 2]) : alpha[0];
}

/* beta of position t → beta of position t − 1, in place: state s needs those from s on. */
static void step_back(const ctc_row *row, size_t t, double *beta) {
    size_t states = row->states;
    for (size_t s = 0; s < states; s++) {
        double sum = beta[s] + log_y(row, t, s);
        if (s + 1 < states)
            sum = log_add(sum, beta[s + 1] + log_y(row, t, s + 1));
        if (s + 2 < states && skips(row, s + 2))
            sum = log_add(sum, beta[s + 2] + log_y(row, t, s + 2));
        beta[s] = sum;
    }
}

/* grad [steps, width] += seed · (softmax − shares); p [width] and beta [states] are scratch. */
static void read_backward(const ctc_row *row, const double *alpha, double log_p, vl_real seed,
                          vl_real *grad, vl_real *p, double *beta) {
    size_t states = row->states;
    for (size_t s = 0; s < states; s++)
        beta[s] = s + 2 < states ? -INFINITY : 0;
    for (size_t t = row->steps; t-- > 0;) {
        vl_real *out = grad + t * row->width;
        vl_kernels_get()->exp_shifted(p, row->logits + t * row->width, row->log_sums[t],
                                      row->width);
        vl_kernels_get()->axpy(out, seed, p, row->width);
        double blank = 0;
        for (size_t s = 0; s < states; s++) {
            double share = exp(alpha[t * states + s] + beta[s] - log_p);
            if (s % 2)
                out[symbol(row, s)] -= seed * (vl_real)share;
            else
                blank += share;
        }
        out[0] -= seed * (vl_real)blank;
        if (t)
            step_back(row, t, beta);
    }
}

static void ctc_backward(vl_graph *graph, note *base) {
    ctc_note *self = (ctc_note *)base;
    vl_var *logits = self->logits;
    size_t width = var_width(logits), most = 1;
    for (size_t b = 0; b < self->rows; b++) {
        size_t states = row_of(self, b).states;
        most = states > most ? states : most;
    }
    vl_real *grad = vl_var_grad(graph, logits);
    vl_real *p = graph_alloc(graph, width * sizeof *p);
    double *beta = graph_alloc(graph, most * sizeof *beta);
    for (size_t b = 0; grad && p && beta && b < self->rows; b++) {
        ctc_row row = row_of(self, b);
        if (fits(&row))
            read_backward(&row, self->alpha[b], self->log_p[b], base->out->grad[0],
                          grad + first_of(self, b) * width, p, beta);
    }
}

/* Reads every row; false: no memory. */
static bool read_rows(vl_graph *graph, ctc_note *self, vl_real *losses, double *total) {
    size_t batch = self->rows;
    self->log_sums = graph_alloc(graph, var_rows(self->logits) * sizeof *self->log_sums);
    self->alpha = graph_alloc(graph, batch * sizeof *self->alpha);
    self->log_p = graph_alloc(graph, batch * sizeof *self->log_p);
    if (!self->log_sums || !self->alpha || !self->log_p)
        return false;
    for (size_t b = 0; b < batch; b++) {
        ctc_row row = row_of(self, b);
        bool read = fits(&row);
        if (losses)
            losses[b] = 0;
        if (!read)
            continue;
        self->alpha[b] = graph_alloc(graph, row.steps * row.states * sizeof *self->alpha[b]);
        if (!self->alpha[b])
            return false;
        for (size_t t = 0; t < row.steps; t++)
            self->log_sums[first_of(self, b) + t] =
                vl_kernels_get()->log_sum_exp(row.logits + t * row.width, row.width);
        self->log_p[b] = read_forward(&row, self->alpha[b]);
        if (losses)
            losses[b] = (vl_real)-self->log_p[b];
        *total -= self->log_p[b];
    }
    return true;
}

static vl_var *read(vl_graph *graph, ctc_note self, vl_real *losses) {
    double total = 0;
    vl_var *loss = graph_var(graph, 1, (size_t[]){1}, self.logits->learns);
    if (!loss || !read_rows(graph, &self, losses, &total))
        return NULL;
    loss->value[0] = (vl_real)total;
    ctc_note *kept =
        loss->learns ? graph_note(graph, sizeof *kept, "ctc", loss, ctc_backward) : NULL;
    if (kept) {
        self.base = kept->base;
        *kept = self;
    }
    return loss;
}

vl_var *vl_nn_ctc(vl_graph *graph, vl_var *logits, const int32_t *lengths,
                  const int32_t *labels, const size_t *starts, vl_real *losses) {
    if (!logits)
        return NULL;
    return read(graph,
                (ctc_note){.logits = logits,
                           .lengths = lengths,
                           .labels = labels,
                           .rows = logits->dims[0],
                           .starts = starts},
                losses);
}

vl_var *vl_nn_ctc_packed(vl_graph *graph, vl_var *logits, const int32_t *at, size_t count,
                         const int32_t *labels, const size_t *starts, vl_real *losses) {
    if (!logits)
        return NULL;
    return read(
        graph,
        (ctc_note){
            .logits = logits, .labels = labels, .at = at, .rows = count, .starts = starts},
        losses);
}
