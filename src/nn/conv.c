/* conv.c — convolutions over [B,H,W,C].
 *
 * Which way each goes was measured (docs/benchmarks.md): where windows overlap, unrolled
 * patches are several times the picture, and oneDNN's convolution primitives are faster;
 * patches that do not overlap are the picture in another order, and one product of matrices is
 * faster. One filter a channel has a kernel of ours, level with the primitive forward and
 * faster back. */
#include "nn/graph.h"

#include <string.h>

/* ---- full --------------------------------------------------------------------------- */

typedef struct conv_note {
    note base;
    vl_var *x;
    size_t weight, bias;
    vl_conv conv;
    vl_real *patches; /* NULL: by oneDNN's primitives */
} conv_note;

static bool as_product(const vl_conv *c) {
    return c->groups == 1 && c->window.size_y <= c->window.stride_y &&
           c->window.size_x <= c->window.stride_x;
}

/* Gradients of weights and inputs through the patches. */
static void product_backward(vl_graph *graph, const conv_note *self, vl_real *dweight,
                             vl_real *dx) {
    const vl_var *y = self->base.out;
    size_t rows = var_rows(y), n = var_width(y),
           k = rows ? vl_conv_patches(&self->conv) / rows : 0;
    vl_gemm gemm = {.precision = graph->options.precision};
    if (dweight) {
        gemm.transpose_a = gemm.accumulate = true;
        gemm.m = n, gemm.n = k, gemm.k = rows, gemm.lda = n, gemm.ldb = k, gemm.ldc = k;
        vl_gemm_run(&gemm, y->grad, self->patches, dweight);
    }
    if (!dx)
        return;
    /* The patches are needed no more: their gradients take their place. */
    gemm.transpose_a = gemm.accumulate = false;
    gemm.m = rows, gemm.n = k, gemm.k = n, gemm.lda = n, gemm.ldb = k, gemm.ldc = k;
    vl_gemm_run(&gemm, y->grad, graph_param(graph, self->weight), self->patches);
    vl_conv_roll(&self->conv, self->patches, dx);
}

static void conv_backward(vl_graph *graph, note *base) {
    conv_note *self = (conv_note *)base;
    vl_var *y = base->out;
    bool learns = graph_learns(graph);
    vl_real *dx = vl_var_grad(graph, self->x);
    vl_real *dweight = learns ? graph_param_grad(graph, self->weight) : NULL;
    if (learns && self->bias != VL_NONE)
        vl_kernels_get()->sum_rows(graph_param_grad(graph, self->bias), y->grad, var_rows(y),
                                   var_width(y));
    if (self->patches) {
        product_backward(graph, self, dweight, dx);
        return;
    }
    if (dweight)
        vl_conv_backward_weights(&self->conv, y->grad, self->x->value, dweight);
    if (dx)
        vl_conv_backward_data(&self->conv, y->grad, graph_param(graph, self->weight), dx);
}

static vl_real *product_forward(vl_graph *graph, const vl_conv *c, const vl_real *x,
                                const vl_real *weight, const vl_real *bias, vl_var *y) {
    size_t count = vl_conv_patches(c), rows = var_rows(y), n = var_width(y);
    size_t k = rows ? count / rows : 0;
    vl_real *patches = graph_alloc(graph, count * sizeof *patches);
    if (!patches)
        return NULL;
    vl_conv_unroll(c, x, patches);
    vl_gemm gemm = {.transpose_b = true,
                    .precision = c->precision,
                    .m = rows,
                    .n = n,
                    .k = k,
                    .lda = k,
                    .ldb = k,
                    .ldc = n};
    vl_gemm_run(&gemm, patches, weight, y->value);
    if (bias)
        vl_kernels_get()->add_bias(y->value, bias, rows, n);
    return patches;
}

/* The convolution of x with a weight [N,size_y,size_x,C/groups]. */
static vl_conv conv_of(const vl_graph *graph, const vl_var *x, size_t weight,
                       const vl_window *window) {
    const vl_param *w = vl_params_at(graph->params, weight);
    return (vl_conv){.precision = graph->options.precision,
                     .batch = x->dims[0],
                     .height = x->dims[1],
                     .width = x->dims[2],
                     .channels = x->dims[3],
                     .outputs = w->dims[0],
                     .groups = x->dims[3] / w->dims[3],
                     .window = *window};
}

static vl_var *conv_output(vl_graph *graph, const vl_var *x, const vl_conv *c) {
    const vl_window *w = &c->window;
    size_t dims[] = {c->batch, vl_window_places(c->height, w->size_y, w->stride_y, w->pad_y),
                     vl_window_places(c->width, w->size_x, w->stride_x, w->pad_x), c->outputs};
    return graph_var(graph, 4, dims, x->learns || graph_learns(graph));
}

vl_var *vl_nn_conv2d_window(vl_graph *graph, vl_var *x, size_t weight, size_t bias,
                            const vl_window *window) {
    if (!x)
        return NULL;
    vl_conv c = conv_of(graph, x, weight, window);
    vl_var *y = conv_output(graph, x, &c);
    if (!y)
        return NULL;
    const vl_real *w = graph_param(graph, weight);
    const vl_real *b = bias == VL_NONE ? NULL : graph_param(graph, bias);
    vl_real *patches = NULL;
    if (!as_product(&c))
        vl_conv_run(&c, x->value, w, b, y->value);
    else if (!(patches = product_forward(graph, &c, x->value, w, b, y)))
        return NULL;
    conv_note *self =
        y->learns ? graph_note(graph, sizeof *self, "conv2d", y, conv_backward) : NULL;
    if (self) {
        self->x = x;
        self->weight = weight;
        self->bias = bias;
        self->conv = c;
        self->patches = patches;
    }
    return y;
}

vl_var *vl_nn_conv2d(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                     size_t stride) {
    vl_window window = vl_window_square(size, stride, size == stride ? 0 : size / 2);
    return vl_nn_conv2d_window(graph, x, weight, bias, &window);
}

/* ---- one filter a channel ----------------------------------------------------------- */

typedef struct depthwise_note {
    note base;
    vl_var *x;
    size_t weight, bias;
    vl_window window;
} depthwise_note;

static void depthwise_backward(vl_graph *graph, note *base) {
    depthwise_note *self = (depthwise_note *)base;
    vl_var *x = self->x, *y = base->out;
    size_t in = x->count / x->dims[0], out = y->count / y->dims[0], channels = x->dims[3];
    vl_real *dx = vl_var_grad(graph, x), *dweight, *dbias, *sink = NULL;
    if (!dx || !graph_learns(graph)) {
        size_t taps = self->window.size_y * self->window.size_x * channels;
        size_t most = in > taps ? in : taps;
        sink = graph_alloc(graph, most * sizeof *sink);
        if (!sink)
            return;
        memset(sink, 0, most * sizeof *sink);
    }
    dweight = graph_learns(graph) ? graph_param_grad(graph, self->weight) : sink;
    dbias = graph_learns(graph) ? graph_param_grad(graph, self->bias) : sink;
    for (size_t b = 0; b < x->dims[0]; b++)
        vl_kernels_get()->depthwise_backward(
            dx ? dx + b * in : sink, dweight, dbias, y->grad + b * out, x->value + b * in,
            graph_param(graph, self->weight), x->dims[1], x->dims[2], channels, &self->window);
}

vl_var *vl_nn_depthwise_window(vl_graph *graph, vl_var *x, size_t weight, size_t bias,
                               const vl_window *window) {
    if (!x)
        return NULL;
    vl_conv c = {.batch = x->dims[0],
                 .height = x->dims[1],
                 .width = x->dims[2],
                 .channels = x->dims[3],
                 .outputs = x->dims[3],
                 .groups = x->dims[3],
                 .window = *window};
    vl_var *y = conv_output(graph, x, &c);
    if (!y)
        return NULL;
    size_t in = x->count / x->dims[0], out = y->count / y->dims[0];
    for (size_t b = 0; b < x->dims[0]; b++)
        vl_kernels_get()->depthwise(y->value + b * out, x->value + b * in,
                                    graph_param(graph, weight), graph_param(graph, bias),
                                    x->dims[1], x->dims[2], x->dims[3], window);
    depthwise_note *self =
        y->learns ? graph_note(graph, sizeof *self, "depthwise", y, depthwise_backward) : NULL;
    if (self) {
        self->x = x;
        self->weight = weight;
        self->bias = bias;
        self->window = *window;
    }
    return y;
}

vl_var *vl_nn_depthwise(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                        size_t stride) {
    vl_window window = vl_window_square(size, stride, size / 2);
    return vl_nn_depthwise_window(graph, x, weight, bias, &window);
}
