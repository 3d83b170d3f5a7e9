/* graph.c — one forward pass and its way back.
 *
 * Memory is one reserved stretch of addresses, handed out from the front and never given back
 * before a reset: a training step allocates hundreds of arrays and frees them all at once, and
 * the next step finds the same pages warm. */
#include "nn/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

vl_graph *vl_graph_new(const vl_params *params, const vl_graph_options *options) {
    vl_graph *graph = calloc(1, sizeof *graph);
    if (!graph)
        return NULL;
    graph->params = params;
    graph->options = *options;
    graph->memory = mmap(NULL, options->max_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (graph->memory == MAP_FAILED) {
        free(graph);
        return NULL;
    }
    madvise(graph->memory, options->max_bytes, MADV_HUGEPAGE);
    vl_graph_reset(graph, options->seed);
    return graph;
}

void vl_graph_free(vl_graph *graph) {
    if (!graph)
        return;
    munmap(graph->memory, graph->options.max_bytes);
    free(graph);
}

void vl_graph_reset(vl_graph *graph, uint64_t seed) {
    graph->used = 0;
    graph->failed = false;
    graph->last = NULL;
    graph->random = seed;
}

vl_status vl_graph_status(const vl_graph *graph, vl_error *error) {
    if (graph->failed)
        return vl_fail(error, VL_ERR_MEMORY, "a network's pass needs more than %zu MB",
                       graph->options.max_bytes >> 20);
    return VL_OK;
}

void vl_graph_set_gradients(vl_graph *graph, vl_real *gradients) {
    graph->gradients = gradients;
}

size_t vl_graph_mark(const vl_graph *graph) {
    return graph->used;
}

void vl_graph_rewind(vl_graph *graph, size_t mark) {
    if (mark < graph->used && !graph->options.training)
        graph->used = mark;
}

vl_var *vl_graph_settle(vl_graph *graph, size_t mark, vl_var *x) {
    if (!x || graph->options.training || graph->failed)
        return x;
    const vl_real *value = x->value;
    vl_var var = *x;
    graph->used = mark;
    vl_var *moved = graph_alloc(graph, sizeof var);
    vl_real *numbers = graph_alloc(graph, var.count * sizeof *numbers);
    memmove(numbers, value, var.count * sizeof *numbers); /* what was there is above: it fits */
    *moved = var;
    moved->value = numbers;
    return moved;
}

void *graph_alloc(vl_graph *graph, size_t bytes) {
    bytes = (bytes + 63) / 64 * 64;
    if (graph->failed || bytes > graph->options.max_bytes - graph->used) {
        graph->failed = true;
        return NULL;
    }
    void *memory = graph->memory + graph->used;
    graph->used += bytes;
    return memory;
}

void *vl_graph_keep(vl_graph *graph, const void *bytes, size_t count) {
    void *kept = graph_alloc(graph, count);
    return kept && bytes ? memcpy(kept, bytes, count) : kept;
}

vl_var *graph_var(vl_graph *graph, size_t rank, const size_t *dims, bool learns) {
    vl_var *var = graph_alloc(graph, sizeof *var);
    if (!var)
        return NULL;
    *var = (vl_var){.rank = rank, .count = 1, .learns = learns && graph->options.training};
    for (size_t i = 0; i < rank; i++) {
        var->dims[i] = dims[i];
        var->count *= dims[i];
    }
    var->value = graph_alloc(graph, var->count * sizeof(vl_real));
    return var->value ? var : NULL;
}

void *graph_note(vl_graph *graph, size_t bytes, const char *layer, vl_var *out,
                 void (*backward)(vl_graph *, note *)) {
    if (!out || !graph->options.training)
        return NULL;
    note *self = graph_alloc(graph, bytes);
    if (!self)
        return NULL;
    memset(self, 0, bytes);
    *self = (note){.backward = backward, .layer = layer, .previous = graph->last, .out = out};
    graph->last = self;
    return self;
}

bool graph_learns(const vl_graph *graph) {
    return graph->options.training && graph->gradients;
}

const vl_real *graph_param(const vl_graph *graph, size_t param) {
    return vl_params_values(graph->params) + vl_params_at(graph->params, param)->offset;
}

vl_real *graph_param_grad(vl_graph *graph, size_t param) {
    return graph->gradients + vl_params_at(graph->params, param)->offset;
}

double graph_random(vl_graph *graph) {
    return vl_random_uniform(&graph->random);
}

vl_real *vl_var_grad(vl_graph *graph, vl_var *var) {
    if (!var || !var->learns)
        return NULL;
    if (!var->grad) {
        var->grad = graph_alloc(graph, var->count * sizeof(vl_real));
        if (var->grad)
            memset(var->grad, 0, var->count * sizeof(vl_real));
    }
    return var->grad;
}

void vl_graph_backward(vl_graph *graph, vl_var *loss, vl_real seed) {
    if (loss) {
        vl_real *grad = vl_var_grad(graph, loss);
        if (grad)
            grad[0] += seed;
    }
    for (note *at = graph->last; at && !graph->failed; at = at->previous)
        if (at->out->grad)
            at->backward(graph, at);
}

static bool all_finite(const vl_var *var) {
    for (size_t i = 0; i < var->count; i++)
        if (!isfinite(var->value[i]))
            return false;
    return true;
}

const char *vl_graph_find_nonfinite(const vl_graph *graph) {
    const char *first = NULL;
    for (const note *at = graph->last; at; at = at->previous)
        if (!all_finite(at->out))
            first = at->layer;
    return first;
}
