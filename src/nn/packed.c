/* packed.c — convolutions over sequences that lie behind each other without padding.
 *
 * A line of text is as wide as it is; beside others of its batch it would be padded, and what a
 * convolution leaves in the padding would leak back into it. Lying behind each other, column
 * after column, lines need no padding: every one is a picture of its own to the kernels, and
 * what works on rows (linear layers, norms) sees one long list of columns. */
#include "nn/graph.h"

#include <string.h>

typedef struct packed_note {
    note base;
    vl_var *x;
    size_t weight, bias, size, stride, count;
    const int32_t *starts;
} packed_note;

/* The gradients of the parameters, or memory for what nobody wants. */
static bool param_grads(vl_graph *graph, const packed_note *self, vl_real **weight,
                        vl_real **bias) {
    if (graph_learns(graph)) {
        *weight = graph_param_grad(graph, self->weight);
        *bias = graph_param_grad(graph, self->bias);
        return true;
    }
    size_t count = vl_params_at(graph->params, self->weight)->count;
    *weight = graph_alloc(graph, count * sizeof **weight);
    *bias = graph_alloc(graph, var_width(self->x) * sizeof **bias);
    if (!*weight || !*bias)
        return false;
    memset(*weight, 0, count * sizeof **weight);
    memset(*bias, 0, var_width(self->x) * sizeof **bias);
    return true;
}

/* The gradient of x, or memory for it. */
static vl_real *input_grad(vl_graph *graph, vl_var *x) {
    vl_real *dx = vl_var_grad(graph, x);
    if (!dx && (dx = graph_alloc(graph, x->count * sizeof *dx)))
        memset(dx, 0, x->count * sizeof *dx);
    return dx;
}

static void keep(vl_graph *graph, const packed_note *self, const char *layer, vl_var *y,
                 void (*backward)(vl_graph *, note *)) {
    packed_note *kept = y->learns ? graph_note(graph, sizeof *kept, layer, y, backward) : NULL;
    if (kept) {
        note base = kept->base;
        *kept = *self;
        kept->base = base;
    }
}

/* ---- pictures ----------------------------------------------------------------------- */

static void depthwise_backward(vl_graph *graph, note *base) {
    packed_note *self = (packed_note *)base;
    vl_var *x = self->x, *y = base->out;
    size_t in = x->dims[1] * x->dims[2], out = y->dims[1] * y->dims[2];
    vl_window window = vl_window_square(self->size, self->stride, self->size / 2);
    vl_real *dx = input_grad(graph, x), *dweight, *dbias;
    if (!dx || !param_grads(graph, self, &dweight, &dbias))
        return;
    for (size_t b = 0; b < self->count; b++) {
        size_t first = (size_t)self->starts[b], columns = (size_t)self->starts[b + 1] - first;
        vl_kernels_get()->depthwise_backward(
            dx + first * in, dweight, dbias, y->grad + first / self->stride * out,
            x->value + first * in, graph_param(graph, self->weight), columns, x->dims[1],
            x->dims[2], &window);
    }
}

vl_var *vl_nn_depthwise_packed(vl_graph *graph, vl_var *x, size_t weight, size_t bias,
                               size_t size, size_t stride, const int32_t *starts,
                               size_t count) {
    if (!x)
        return NULL;
    size_t dims[] = {x->dims[0] / stride, (x->dims[1] + stride - 1) / stride, x->dims[2]};
    vl_var *y = graph_var(graph, 3, dims, x->learns || graph_learns(graph));
    if (!y)
        return NULL;
    packed_note self = {.x = x,
                        .weight = weight,
                        .bias = bias,
                        .size = size,
                        .stride = stride,
                        .count = count,
                        .starts = starts};
    vl_window window = vl_window_square(size, stride, size / 2);
    size_t in = x->dims[1] * x->dims[2], out = dims[1] * dims[2];
    for (size_t b = 0; b < count; b++) {
        size_t first = (size_t)starts[b], columns = (size_t)starts[b + 1] - first;
        vl_kernels_get()->depthwise(y->value + first / stride * out, x->value + first * in,
                                    graph_param(graph, weight), graph_param(graph, bias),
                                    columns, x->dims[1], x->dims[2], &window);
    }
    keep(graph, &self, "depthwise", y, depthwise_backward);
    return y;
}

/* ---- sequences ---------------------------------------------------------------------- */

static void filter_backward(vl_graph *graph, note *base) {
    packed_note *self = (packed_note *)base;
    size_t channels = var_width(self->x);
    vl_real *dx = input_grad(graph, self->x), *dweight, *dbias;
    if (!dx || !param_grads(graph, self, &dweight, &dbias))
        return;
    for (size_t b = 0; b < self->count; b++) {
        size_t first = (size_t)self->starts[b], length = (size_t)self->starts[b + 1] - first;
        vl_kernels_get()->filter_backward(
            dx + first * channels, dweight, dbias, base->out->grad + first * channels,
            self->x->value + first * channels, graph_param(graph, self->weight), length,
            channels, self->size);
    }
}

vl_var *vl_nn_filter_packed(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                            const int32_t *starts, size_t count) {
    vl_var *y = x ? graph_var(graph, 2, x->dims, x->learns || graph_learns(graph)) : NULL;
    if (!y)
        return NULL;
    packed_note self = {
        .x = x, .weight = weight, .bias = bias, .size = size, .count = count, .starts = starts};
    size_t channels = var_width(x);
    for (size_t b = 0; b < count; b++) {
        size_t first = (size_t)starts[b], length = (size_t)starts[b + 1] - first;
        vl_kernels_get()->filter(y->value + first * channels, x->value + first * channels,
                                 graph_param(graph, weight), graph_param(graph, bias), length,
                                 channels, size);
    }
    keep(graph, &self, "filter", y, filter_backward);
    return y;
}
