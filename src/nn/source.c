/* source.c — where a graph's numbers come from: inputs, parameters, embeddings, views. */
#include "nn/graph.h"

#include <string.h>

static void nothing(vl_graph *graph, note *self) {
    (void)graph;
    (void)self;
}

static vl_var *wrap(vl_graph *graph, vl_real *value, size_t rank, const size_t *dims,
                    bool learns) {
    vl_var *var = graph_alloc(graph, sizeof *var);
    if (!var)
        return NULL;
    *var = (vl_var){
        .rank = rank, .count = 1, .learns = learns && graph->options.training, .value = value};
    for (size_t i = 0; i < rank; i++) {
        var->dims[i] = dims[i];
        var->count *= dims[i];
    }
    return var;
}

vl_var *vl_nn_input(vl_graph *graph, vl_real *value, size_t rank, const size_t *dims) {
    return wrap(graph, value, rank, dims, false);
}

vl_var *vl_nn_leaf(vl_graph *graph, vl_real *value, size_t rank, const size_t *dims) {
    vl_var *var = wrap(graph, value, rank, dims, true);
    graph_note(graph, sizeof(note), "leaf", var, nothing);
    return var;
}

vl_var *vl_nn_param(vl_graph *graph, size_t param) {
    const vl_param *item = vl_params_at(graph->params, param);
    vl_var *var = wrap(graph, vl_params_values(graph->params) + item->offset, item->rank,
                       item->dims, graph_learns(graph));
    if (var && var->learns)
        var->grad = graph_param_grad(graph, param);
    return var;
}

/* ---- reshape ------------------------------------------------------------------------ */

typedef struct reshape_note {
    note base;
    vl_var *x;
} reshape_note;

static void reshape_backward(vl_graph *graph, note *base) {
    reshape_note *self = (reshape_note *)base;
    vl_real *dx = vl_var_grad(graph, self->x);
    if (dx && dx != base->out->grad)
        vl_kernels_get()->add(dx, base->out->grad, base->out->count);
}

vl_var *vl_nn_reshape(vl_graph *graph, vl_var *x, size_t rank, const size_t *dims) {
    vl_var *y = x ? wrap(graph, x->value, rank, dims, x->learns) : NULL;
    reshape_note *self =
        y && y->learns ? graph_note(graph, sizeof *self, "reshape", y, reshape_backward) : NULL;
    if (self)
        self->x = x;
    return y;
}

/* ---- embedding ---------------------------------------------------------------------- */

typedef struct embedding_note {
    note base;
    size_t table;
    const int32_t *ids;
} embedding_note;

static void embedding_backward(vl_graph *graph, note *base) {
    embedding_note *self = (embedding_note *)base;
    size_t width = var_width(base->out);
    vl_real *dtable = graph_param_grad(graph, self->table);
    for (size_t i = 0; i < base->out->dims[0]; i++)
        vl_kernels_get()->add(dtable + (size_t)self->ids[i] * width,
                              base->out->grad + i * width, width);
}

vl_var *vl_nn_embedding(vl_graph *graph, size_t table, const int32_t *ids, size_t count) {
    size_t width = vl_params_at(graph->params, table)->dims[1];
    const vl_real *rows = graph_param(graph, table);
    vl_var *y = graph_var(graph, 2, (size_t[]){count, width}, graph_learns(graph));
    if (!y)
        return NULL;
    for (size_t i = 0; i < count; i++)
        memcpy(y->value + i * width, rows + (size_t)ids[i] * width, width * sizeof *rows);
    embedding_note *self =
        y->learns ? graph_note(graph, sizeof *self, "embedding", y, embedding_backward) : NULL;
    if (self) {
        self->table = table;
        self->ids = ids;
    }
    return y;
}

/* ---- gather ------------------------------------------------------------------------- */

typedef struct gather_note {
    note base;
    vl_var *x;
    const int32_t *rows;
} gather_note;

static void gather_backward(vl_graph *graph, note *base) {
    gather_note *self = (gather_note *)base;
    size_t width = var_width(base->out);
    vl_real *dx = vl_var_grad(graph, self->x);
    for (size_t i = 0; dx && i < base->out->dims[0]; i++)
        vl_kernels_get()->add(dx + (size_t)self->rows[i] * width, base->out->grad + i * width,
                              width);
}

vl_var *vl_nn_gather(vl_graph *graph, vl_var *x, const int32_t *rows, size_t count) {
    if (!x)
        return NULL;
    size_t width = var_width(x);
    vl_var *y = graph_var(graph, 2, (size_t[]){count, width}, x->learns);
    if (!y)
        return NULL;
    for (size_t i = 0; i < count; i++)
        memcpy(y->value + i * width, x->value + (size_t)rows[i] * width,
               width * sizeof(vl_real));
    gather_note *self =
        y->learns ? graph_note(graph, sizeof *self, "gather", y, gather_backward) : NULL;
    if (self) {
        self->x = x;
        self->rows = rows;
    }
    return y;
}

/* ---- position grids ----------------------------------------------------------------- */

typedef struct grid_note {
    note base;
    size_t param, grid, height, width;
} grid_note;

/* The two neighbours of position `at` of `count` in a row of `grid`, and the second's share. */
static void neighbours(size_t at, size_t count, size_t grid, size_t *low, size_t *high,
                       vl_real *share) {
    double place = ((double)at + 0.5) * (double)grid / (double)count - 0.5;
    place = place < 0 ? 0 : place > (double)(grid - 1) ? (double)(grid - 1) : place;
    *low = (size_t)place;
    *high = *low + 1 < grid ? *low + 1 : *low;
    *share = (vl_real)(place - (double)*low);
}

typedef void grid_visit(vl_real *position, vl_real *cell, vl_real weight, size_t width);

static void take(vl_real *position, vl_real *cell, vl_real weight, size_t width) {
    vl_kernels_get()->axpy(position, weight, cell, width);
}

static void give(vl_real *position, vl_real *cell, vl_real weight, size_t width) {
    vl_kernels_get()->axpy(cell, weight, position, width);
}

static void grid_walk(vl_real *positions, vl_real *cells, size_t grid, size_t height,
                      size_t width, size_t depth, grid_visit *visit) {
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++, positions += depth) {
            size_t y0, y1, x0, x1;
            vl_real fy, fx;
            neighbours(y, height, grid, &y0, &y1, &fy);
            neighbours(x, width, grid, &x0, &x1, &fx);
            visit(positions, cells + (y0 * grid + x0) * depth, (1 - fy) * (1 - fx), depth);
            visit(positions, cells + (y0 * grid + x1) * depth, (1 - fy) * fx, depth);
            visit(positions, cells + (y1 * grid + x0) * depth, fy * (1 - fx), depth);
            visit(positions, cells + (y1 * grid + x1) * depth, fy * fx, depth);
        }
}

static void grid_backward(vl_graph *graph, note *base) {
    grid_note *self = (grid_note *)base;
    grid_walk(base->out->grad, graph_param_grad(graph, self->param), self->grid, self->height,
              self->width, var_width(base->out), give);
}

vl_var *vl_nn_resize_grid(vl_graph *graph, size_t param, size_t grid, size_t height,
                          size_t width) {
    const vl_param *item = vl_params_at(graph->params, param);
    size_t depth = item->dims[1];
    vl_var *y = graph_var(graph, 2, (size_t[]){height * width, depth}, graph_learns(graph));
    if (!y)
        return NULL;
    memset(y->value, 0, y->count * sizeof(vl_real));
    grid_walk(y->value, vl_params_values(graph->params) + item->offset, grid, height, width,
              depth, take);
    grid_note *self =
        y->learns ? graph_note(graph, sizeof *self, "resize_grid", y, grid_backward) : NULL;
    if (self) {
        self->param = param;
        self->grid = grid;
        self->height = height;
        self->width = width;
    }
    return y;
}
