/* activation.c — GELU, SiLU, and the layers that act number by number: sums, gains, dropout. */
#include "nn/graph.h"

#include <string.h>

typedef struct pair_note {
    note base;
    vl_var *x, *y;
    size_t param;
    vl_real *mask;
} pair_note;

static pair_note *remember(vl_graph *graph, const char *layer, vl_var *out, vl_var *x,
                           vl_var *y, void (*backward)(vl_graph *, note *)) {
    pair_note *self =
        out && out->learns ? graph_note(graph, sizeof *self, layer, out, backward) : NULL;
    if (self) {
        self->x = x;
        self->y = y;
    }
    return self;
}

static void gelu_backward(vl_graph *graph, note *base) {
    vl_var *x = ((pair_note *)base)->x;
    vl_real *dx = vl_var_grad(graph, x);
    if (dx)
        vl_kernels_get()->gelu_backward(dx, base->out->grad, x->value, x->count);
}

vl_var *vl_nn_gelu(vl_graph *graph, vl_var *x) {
    vl_var *y = x ? graph_var(graph, x->rank, x->dims, x->learns) : NULL;
    if (!y)
        return NULL;
    vl_kernels_get()->gelu(y->value, x->value, x->count);
    remember(graph, "gelu", y, x, NULL, gelu_backward);
    return y;
}

static void silu_backward(vl_graph *graph, note *base) {
    vl_var *x = ((pair_note *)base)->x;
    vl_real *dx = vl_var_grad(graph, x);
    if (dx)
        vl_kernels_get()->silu_backward(dx, base->out->grad, x->value, x->count);
}

vl_var *vl_nn_silu(vl_graph *graph, vl_var *x) {
    vl_var *y = x ? graph_var(graph, x->rank, x->dims, x->learns) : NULL;
    if (!y)
        return NULL;
    vl_kernels_get()->silu(y->value, x->value, x->count);
    remember(graph, "silu", y, x, NULL, silu_backward);
    return y;
}

/* ---- sums --------------------------------------------------------------------------- */

static void add_backward(vl_graph *graph, note *base) {
    pair_note *self = (pair_note *)base;
    vl_real *dx = vl_var_grad(graph, self->x), *dy = vl_var_grad(graph, self->y);
    const vl_kernels *kernels = vl_kernels_get();
    if (dx)
        kernels->add(dx, base->out->grad, base->out->count);
    for (size_t at = 0; dy && at < base->out->count; at += self->y->count)
        kernels->add(dy, base->out->grad + at, self->y->count);
}

vl_var *vl_nn_add_broadcast(vl_graph *graph, vl_var *x, vl_var *y) {
    vl_var *z = x && y ? graph_var(graph, x->rank, x->dims, x->learns || y->learns) : NULL;
    if (!z)
        return NULL;
    memcpy(z->value, x->value, x->count * sizeof *x->value);
    for (size_t at = 0; at < x->count; at += y->count)
        vl_kernels_get()->add(z->value + at, y->value, y->count);
    remember(graph, "add", z, x, y, add_backward);
    return z;
}

vl_var *vl_nn_add(vl_graph *graph, vl_var *x, vl_var *y) {
    return vl_nn_add_broadcast(graph, x, y);
}

/* ---- gain of each channel ----------------------------------------------------------- */

static void scale_backward(vl_graph *graph, note *base) {
    pair_note *self = (pair_note *)base;
    vl_var *x = self->x;
    size_t n = var_width(x), rows = var_rows(x);
    const vl_real *gain = graph_param(graph, self->param), *dy = base->out->grad;
    vl_real *dx = vl_var_grad(graph, x);
    vl_real *dgain = graph_learns(graph) ? graph_param_grad(graph, self->param) : NULL;
    for (size_t r = 0; r < rows; r++, dy += n) {
        for (size_t i = 0; dx && i < n; i++)
            dx[r * n + i] += dy[i] * gain[i];
        for (size_t i = 0; dgain && i < n; i++)
            dgain[i] += dy[i] * x->value[r * n + i];
    }
}

vl_var *vl_nn_scale_channels(vl_graph *graph, vl_var *x, size_t gain) {
    vl_var *y = x ? graph_var(graph, x->rank, x->dims, x->learns || graph_learns(graph)) : NULL;
    if (!y)
        return NULL;
    size_t n = var_width(x), rows = var_rows(x);
    const vl_real *gains = graph_param(graph, gain);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++)
            y->value[r * n + i] = x->value[r * n + i] * gains[i];
    pair_note *self = remember(graph, "scale_channels", y, x, NULL, scale_backward);
    if (self)
        self->param = gain;
    return y;
}

/* ---- dropout ------------------------------------------------------------------------ */

static void mask_backward(vl_graph *graph, note *base) {
    pair_note *self = (pair_note *)base;
    vl_real *dx = vl_var_grad(graph, self->x);
    size_t run = self->param; /* numbers that share one entry of the mask */
    for (size_t i = 0; dx && i < base->out->count; i += run)
        for (size_t j = 0; j < run; j++)
            dx[i + j] += base->out->grad[i + j] * self->mask[i / run];
}

/* Numbers in runs of `run` share one coin. */
static vl_var *masked(vl_graph *graph, vl_var *x, double probability, size_t run,
                      const char *layer) {
    if (!x || !graph->options.training || probability <= 0)
        return x;
    vl_var *y = graph_var(graph, x->rank, x->dims, x->learns);
    vl_real *mask = graph_alloc(graph, x->count / run * sizeof *mask);
    if (!y || !mask)
        return NULL;
    vl_real kept = (vl_real)(1 / (1 - probability));
    for (size_t i = 0; i < x->count / run; i++)
        mask[i] = graph_random(graph) < probability ? 0 : kept;
    for (size_t i = 0; i < x->count; i += run)
        for (size_t j = 0; j < run; j++)
            y->value[i + j] = x->value[i + j] * mask[i / run];
    pair_note *self = remember(graph, layer, y, x, NULL, mask_backward);
    if (self) {
        self->mask = mask;
        self->param = run;
    }
    return y;
}

vl_var *vl_nn_dropout(vl_graph *graph, vl_var *x, double probability) {
    return masked(graph, x, probability, 1, "dropout");
}

vl_var *vl_nn_drop_path(vl_graph *graph, vl_var *x, double probability) {
    return x ? masked(graph, x, probability, x->count / x->dims[0], "drop_path") : NULL;
}

/* ---- pooling ------------------------------------------------------------------------ */

static void pool_backward(vl_graph *graph, note *base) {
    vl_var *x = ((pair_note *)base)->x;
    size_t positions = x->dims[1], n = x->dims[2];
    vl_real *dx = vl_var_grad(graph, x);
    for (size_t b = 0; dx && b < x->dims[0]; b++)
        for (size_t t = 0; t < positions; t++)
            vl_kernels_get()->axpy(dx + (b * positions + t) * n, 1 / (vl_real)positions,
                                   base->out->grad + b * n, n);
}

vl_var *vl_nn_mean_pool(vl_graph *graph, vl_var *x) {
    vl_var *y = x ? graph_var(graph, 2, (size_t[]){x->dims[0], x->dims[2]}, x->learns) : NULL;
    if (!y)
        return NULL;
    size_t positions = x->dims[1], n = x->dims[2];
    memset(y->value, 0, y->count * sizeof *y->value);
    for (size_t b = 0; b < x->dims[0]; b++)
        for (size_t t = 0; t < positions; t++)
            vl_kernels_get()->axpy(y->value + b * n, 1 / (vl_real)positions,
                                   x->value + (b * positions + t) * n, n);
    remember(graph, "mean_pool", y, x, NULL, pool_backward);
    return y;
}
