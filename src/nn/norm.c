/* norm.c — layer norm, RMS norm, and rows of length 1. */
#include "nn/graph.h"

#include <math.h>

typedef struct norm_note {
    note base;
    vl_var *x;
    size_t gain, bias;
    vl_real *mean, *rstd;
} norm_note;

static void layernorm_backward(vl_graph *graph, note *base) {
    norm_note *self = (norm_note *)base;
    size_t rows = var_rows(self->x), n = var_width(self->x);
    vl_real *dx = vl_var_grad(graph, self->x);
    vl_real *sink =
        dx && graph_learns(graph) ? NULL : graph_alloc(graph, (rows + 2) * n * sizeof *sink);
    if (!sink && (!dx || !graph_learns(graph)))
        return;
    vl_kernels_get()->layernorm_backward(
        dx ? dx : sink,
        graph_learns(graph) ? graph_param_grad(graph, self->gain) : sink + rows * n,
        graph_learns(graph) ? graph_param_grad(graph, self->bias) : sink + (rows + 1) * n,
        base->out->grad, self->x->value, self->mean, self->rstd, graph_param(graph, self->gain),
        rows, n);
}

vl_var *vl_nn_layernorm(vl_graph *graph, vl_var *x, size_t gain, size_t bias) {
    if (!x)
        return NULL;
    size_t rows = var_rows(x), n = var_width(x);
    vl_var *y = graph_var(graph, x->rank, x->dims, x->learns || graph_learns(graph));
    vl_real *mean = graph_alloc(graph, rows * sizeof *mean);
    vl_real *rstd = graph_alloc(graph, rows * sizeof *rstd);
    if (!y || !mean || !rstd)
        return NULL;
    vl_kernels_get()->layernorm(y->value, mean, rstd, x->value, graph_param(graph, gain),
                                graph_param(graph, bias), rows, n);
    norm_note *self =
        y->learns ? graph_note(graph, sizeof *self, "layernorm", y, layernorm_backward) : NULL;
    if (self) {
        self->x = x;
        self->gain = gain;
        self->bias = bias;
        self->mean = mean;
        self->rstd = rstd;
    }
    return y;
}

static void rmsnorm_backward(vl_graph *graph, note *base) {
    norm_note *self = (norm_note *)base;
    size_t rows = var_rows(self->x), n = var_width(self->x);
    vl_real *dx = vl_var_grad(graph, self->x);
    vl_real *sink =
        dx && graph_learns(graph) ? NULL : graph_alloc(graph, (rows + 1) * n * sizeof *sink);
    if (!sink && (!dx || !graph_learns(graph)))
        return;
    vl_kernels_get()->rmsnorm_backward(
        dx ? dx : sink,
        graph_learns(graph) ? graph_param_grad(graph, self->gain) : sink + rows * n,
        base->out->grad, self->x->value, self->rstd, graph_param(graph, self->gain), rows, n);
}

vl_var *vl_nn_rmsnorm(vl_graph *graph, vl_var *x, size_t gain) {
    if (!x)
        return NULL;
    size_t rows = var_rows(x), n = var_width(x);
    vl_var *y = graph_var(graph, x->rank, x->dims, x->learns || graph_learns(graph));
    vl_real *rstd = graph_alloc(graph, rows * sizeof *rstd);
    if (!y || !rstd)
        return NULL;
    vl_kernels_get()->rmsnorm(y->value, rstd, x->value, graph_param(graph, gain), rows, n);
    norm_note *self =
        y->learns ? graph_note(graph, sizeof *self, "rmsnorm", y, rmsnorm_backward) : NULL;
    if (self) {
        self->x = x;
        self->gain = gain;
        self->rstd = rstd;
    }
    return y;
}

/* ---- length 1 ----------------------------------------------------------------------- */

static void normalize_backward(vl_graph *graph, note *base) {
    norm_note *self = (norm_note *)base;
    size_t rows = var_rows(self->x), n = var_width(self->x);
    vl_real *dx = vl_var_grad(graph, self->x);
    const vl_real *y = base->out->value, *dy = base->out->grad;
    for (size_t r = 0; dx && r < rows; r++, dx += n, y += n, dy += n) {
        vl_real along = vl_kernels_get()->dot(y, dy, n);
        for (size_t i = 0; i < n; i++)
            dx[i] += self->rstd[r] * (dy[i] - along * y[i]);
    }
}

vl_var *vl_nn_normalize(vl_graph *graph, vl_var *x) {
    if (!x)
        return NULL;
    size_t rows = var_rows(x), n = var_width(x);
    vl_var *y = graph_var(graph, x->rank, x->dims, x->learns);
    vl_real *inverse = graph_alloc(graph, rows * sizeof *inverse);
    if (!y || !inverse)
        return NULL;
    for (size_t r = 0; r < rows; r++) {
        const vl_real *row = x->value + r * n;
        vl_real square = vl_kernels_get()->dot(row, row, n);
        inverse[r] = 1 / (vl_real)sqrt((double)square + 1e-12);
        for (size_t i = 0; i < n; i++)
            y->value[r * n + i] = row[i] * inverse[r];
    }
    norm_note *self =
        y->learns ? graph_note(graph, sizeof *self, "normalize", y, normalize_backward) : NULL;
    if (self) {
        self->x = x;
        self->rstd = inverse;
    }
    return y;
}
