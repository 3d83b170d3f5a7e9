/* conv.c — convolutions over [B,H,W,C]: full ones as a product over unrolled patches, depthwise
 * ones by their own kernel. */
#include "nn/graph.h"

#include <string.h>

/* ---- full --------------------------------------------------------------------------- */

typedef struct geometry {
    size_t height, width, channels, size, stride, pad, out_height, out_width;
} geometry;

static geometry geometry_of(const vl_var *x, size_t size, size_t stride) {
    return (geometry){.height = x->dims[1],
                      .width = x->dims[2],
                      .channels = x->dims[3],
                      .size = size,
                      .stride = stride,
                      .pad = size == stride ? 0 : size / 2,
                      .out_height = x->dims[1] / stride,
                      .out_width = x->dims[2] / stride};
}

/* Calls for each run of `channels` numbers: where it lies in the picture (NULL: padding) and in
 * the unrolled patches. */
static void unroll(const geometry *g, vl_real *picture, vl_real *patches, bool back) {
    const vl_kernels *kernels = vl_kernels_get();
    for (size_t oy = 0; oy < g->out_height; oy++)
        for (size_t ox = 0; ox < g->out_width; ox++)
            for (size_t ky = 0; ky < g->size; ky++)
                for (size_t kx = 0; kx < g->size; kx++, patches += g->channels) {
                    size_t y = oy * g->stride + ky - g->pad, x = ox * g->stride + kx - g->pad;
                    bool inside = y < g->height && x < g->width; /* below zero wraps */
                    vl_real *at = inside ? picture + (y * g->width + x) * g->channels : NULL;
                    if (back && inside)
                        kernels->add(at, patches, g->channels);
                    else if (!back && inside)
                        memcpy(patches, at, g->channels * sizeof *at);
                    else if (!back)
                        memset(patches, 0, g->channels * sizeof *patches);
                }
}

typedef struct conv_note {
    note base;
    vl_var *x;
    size_t weight, bias;
    geometry shape;
    vl_real *patches;
} conv_note;

static void conv_backward(vl_graph *graph, note *base) {
    conv_note *self = (conv_note *)base;
    const geometry *g = &self->shape;
    vl_var *y = base->out;
    size_t rows = var_rows(y), n = var_width(y), k = g->size * g->size * g->channels;
    vl_gemm gemm = {.precision = graph->options.precision};
    if (graph_learns(graph)) {
        gemm.transpose_a = gemm.accumulate = true;
        gemm.m = n, gemm.n = k, gemm.k = rows, gemm.lda = n, gemm.ldb = k, gemm.ldc = k;
        vl_gemm_run(&gemm, y->grad, self->patches, graph_param_grad(graph, self->weight));
        if (self->bias != VL_NONE)
            vl_kernels_get()->sum_rows(graph_param_grad(graph, self->bias), y->grad, rows, n);
    }
    vl_real *dx = vl_var_grad(graph, self->x);
    if (!dx)
        return;
    /* The patches are needed no more: their gradients take their place. */
    gemm.transpose_a = gemm.accumulate = false;
    gemm.m = rows, gemm.n = k, gemm.k = n, gemm.lda = n, gemm.ldb = k, gemm.ldc = k;
    vl_gemm_run(&gemm, y->grad, graph_param(graph, self->weight), self->patches);
    size_t per_picture = g->out_height * g->out_width * k;
    for (size_t b = 0; b < y->dims[0]; b++)
        unroll(g, dx + b * g->height * g->width * g->channels, self->patches + b * per_picture,
               true);
}

vl_var *vl_nn_conv2d(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                     size_t stride) {
    if (!x)
        return NULL;
    geometry g = geometry_of(x, size, stride);
    size_t n = vl_params_at(graph->params, weight)->dims[0], k = size * size * g.channels;
    vl_var *y = graph_var(graph, 4, (size_t[]){x->dims[0], g.out_height, g.out_width, n},
                          x->learns || graph_learns(graph));
    size_t per_picture = g.out_height * g.out_width * k;
    vl_real *patches =
        y ? graph_alloc(graph, x->dims[0] * per_picture * sizeof *patches) : NULL;
    if (!patches)
        return NULL;
    for (size_t b = 0; b < x->dims[0]; b++)
        unroll(&g, x->value + b * g.height * g.width * g.channels, patches + b * per_picture,
               false);
    vl_gemm gemm = {.transpose_b = true,
                    .precision = graph->options.precision,
                    .m = var_rows(y),
                    .n = n,
                    .k = k,
                    .lda = k,
                    .ldb = k,
                    .ldc = n};
    vl_gemm_run(&gemm, patches, graph_param(graph, weight), y->value);
    if (bias != VL_NONE)
        vl_kernels_get()->add_bias(y->value, graph_param(graph, bias), var_rows(y), n);
    conv_note *self =
        y->learns ? graph_note(graph, sizeof *self, "conv2d", y, conv_backward) : NULL;
    if (self) {
        self->x = x;
        self->weight = weight;
        self->bias = bias;
        self->shape = g;
        self->patches = patches;
    }
    return y;
}

/* ---- depthwise ---------------------------------------------------------------------- */

typedef struct depthwise_note {
    note base;
    vl_var *x;
    size_t weight, bias, size, stride;
} depthwise_note;

static void depthwise_backward(vl_graph *graph, note *base) {
    depthwise_note *self = (depthwise_note *)base;
    vl_var *x = self->x, *y = base->out;
    size_t in = x->count / x->dims[0], out = y->count / y->dims[0], channels = x->dims[3];
    vl_real *dx = vl_var_grad(graph, x), *dweight, *dbias, *sink = NULL;
    if (!dx || !graph_learns(graph)) {
        size_t most =
            in > self->size * self->size * channels ? in : self->size * self->size * channels;
        sink = graph_alloc(graph, most * sizeof *sink);
        if (!sink)
            return;
        memset(sink, 0, most * sizeof *sink);
    }
    dweight = graph_learns(graph) ? graph_param_grad(graph, self->weight) : sink;
    dbias = graph_learns(graph) ? graph_param_grad(graph, self->bias) : sink;
    for (size_t b = 0; b < x->dims[0]; b++)
        vl_kernels_get()->depthwise_backward(dx ? dx + b * in : sink, dweight, dbias,
                                             y->grad + b * out, x->value + b * in,
                                             graph_param(graph, self->weight), x->dims[1],
                                             x->dims[2], channels, self->size, self->stride);
}

vl_var *vl_nn_depthwise(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                        size_t stride) {
    if (!x)
        return NULL;
    size_t dims[] = {x->dims[0], (x->dims[1] + stride - 1) / stride,
                     (x->dims[2] + stride - 1) / stride, x->dims[3]};
    vl_var *y = graph_var(graph, 4, dims, x->learns || graph_learns(graph));
    if (!y)
        return NULL;
    size_t in = x->count / x->dims[0], out = y->count / y->dims[0];
    for (size_t b = 0; b < x->dims[0]; b++)
        vl_kernels_get()->depthwise(y->value + b * out, x->value + b * in,
                                    graph_param(graph, weight), graph_param(graph, bias),
                                    x->dims[1], x->dims[2], x->dims[3], size, stride);
    depthwise_note *self =
        y->learns ? graph_note(graph, sizeof *self, "depthwise", y, depthwise_backward) : NULL;
    if (self) {
        self->x = x;
        self->weight = weight;
        self->bias = bias;
        self->size = size;
        self->stride = stride;
    }
    return y;
}
