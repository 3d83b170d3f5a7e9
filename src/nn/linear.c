/* linear.c — y = x·wᵀ + b, and back. */
#include "nn/graph.h"

typedef struct linear_note {
    note base;
    vl_var *x;
    size_t weight, bias;
} linear_note;

static void linear_backward(vl_graph *graph, note *base) {
    linear_note *self = (linear_note *)base;
    const vl_real *dy = base->out->grad;
    size_t rows = var_rows(base->out), n = var_width(base->out), k = var_width(self->x);
    vl_real *dx = vl_var_grad(graph, self->x);
    vl_gemm gemm = {.precision = graph->options.precision, .accumulate = true};
    if (dx) { /* dx[rows,k] += dy[rows,n] · w[n,k] */
        gemm.m = rows, gemm.n = k, gemm.k = n, gemm.lda = n, gemm.ldb = k, gemm.ldc = k;
        vl_gemm_run(&gemm, dy, graph_param(graph, self->weight), dx);
    }
    if (!graph_learns(graph))
        return;
    /* dw[n,k] += dyᵀ[n,rows] · x[rows,k] */
    gemm.transpose_a = true;
    gemm.m = n, gemm.n = k, gemm.k = rows, gemm.lda = n, gemm.ldb = k, gemm.ldc = k;
    vl_gemm_run(&gemm, dy, self->x->value, graph_param_grad(graph, self->weight));
    if (self->bias != VL_NONE)
        vl_kernels_get()->sum_rows(graph_param_grad(graph, self->bias), dy, rows, n);
}

vl_var *vl_nn_linear(vl_graph *graph, vl_var *x, size_t weight, size_t bias) {
    if (!x)
        return NULL;
    size_t k = var_width(x), rows = var_rows(x);
    size_t n = vl_params_at(graph->params, weight)->count / k, dims[VL_MAX_RANK];
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = x->dims[i];
    dims[x->rank - 1] = n;
    vl_var *y = graph_var(graph, x->rank, dims, x->learns || graph_learns(graph));
    if (!y)
        return NULL;
    vl_gemm gemm = {.transpose_b = true,
                    .precision = graph->options.precision,
                    .m = rows,
                    .n = n,
                    .k = k,
                    .lda = k,
                    .ldb = k,
                    .ldc = n};
    vl_gemm_run(&gemm, x->value, graph_param(graph, weight), y->value);
    if (bias != VL_NONE)
        vl_kernels_get()->add_bias(y->value, graph_param(graph, bias), rows, n);
    linear_note *self =
        y->learns ? graph_note(graph, sizeof *self, "linear", y, linear_backward) : NULL;
    if (self) {
        self->x = x;
        self->weight = weight;
        self->bias = bias;
    }
    return y;
}
