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
    size_t weight, bias, count;
    const int32_t *starts;
    size_t height;    /* of a column */
    vl_window window; /* its y runs along the columns of a picture, its x down a column */
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

/* Numbers of a column of x, and of one of y. */
static size_t column_in(const packed_note *self) {
    return self->height * var_width(self->x);
}

static size_t column_out(const packed_note *self) {
    const vl_window *w = &self->window;
    return vl_window_places(self->height, w->size_x, w->stride_x, w->pad_x) *
           var_width(self->x);
}

static void packed_backward(vl_graph *graph, note *base) {
    packed_note *self = (packed_note *)base;
    size_t in = column_in(self), out = column_out(self), stride = self->window.stride_y;
    vl_real *dx = input_grad(graph, self->x), *dweight, *dbias;
    if (!dx || !param_grads(graph, self, &dweight, &dbias))
        return;
    for (size_t b = 0; b < self->count; b++) {
        size_t first = (size_t)self->starts[b], columns = (size_t)self->starts[b + 1] - first;
        if (columns)
            vl_kernels_get()->depthwise_backward(
                dx + first * in, dweight, dbias, base->out->grad + first / stride * out,
                self->x->value + first * in, graph_param(graph, self->weight), columns,
                self->height, var_width(self->x), &self->window);
    }
}

/* Each picture by itself into `y`. */
static vl_var *convolve(vl_graph *graph, const packed_note *self, const char *layer,
                        vl_var *y) {
    if (!y)
        return NULL;
    size_t in = column_in(self), out = column_out(self), stride = self->window.stride_y;
    for (size_t b = 0; b < self->count; b++) {
        size_t first = (size_t)self->starts[b], columns = (size_t)self->starts[b + 1] - first;
        if (columns)
            vl_kernels_get()->depthwise(
                y->value + first / stride * out, self->x->value + first * in,
                graph_param(graph, self->weight), graph_param(graph, self->bias), columns,
                self->height, var_width(self->x), &self->window);
    }
    packed_note *kept =
        y->learns ? graph_note(graph, sizeof *kept, layer, y, packed_backward) : NULL;
    if (kept) {
        note base = kept->base;
        *kept = *self;
        kept->base = base;
    }
    return y;
}

vl_var *vl_nn_depthwise_packed(vl_graph *graph, vl_var *x, size_t weight, size_t bias,
                               size_t size, size_t stride, const int32_t *starts,
                               size_t count) {
    if (!x)
        return NULL;
    packed_note self = {.x = x,
                        .weight = weight,
                        .bias = bias,
                        .count = count,
                        .starts = starts,
                        .height = x->dims[1],
                        .window = vl_window_square(size, stride, size / 2)};
    size_t dims[] = {x->dims[0] / stride, column_out(&self) / x->dims[2], x->dims[2]};
    return convolve(graph, &self, "depthwise",
                    graph_var(graph, 3, dims, x->learns || graph_learns(graph)));
}

vl_var *vl_nn_filter_packed(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                            const int32_t *starts, size_t count) {
    if (!x)
        return NULL;
    packed_note self = {.x = x,
                        .weight = weight,
                        .bias = bias,
                        .count = count,
                        .starts = starts,
                        .height = 1,
                        .window = {size, 1, 1, 1, size / 2, 0}};
    return convolve(graph, &self, "filter",
                    graph_var(graph, 2, x->dims, x->learns || graph_learns(graph)));
}
