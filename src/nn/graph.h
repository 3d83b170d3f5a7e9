/* graph.h — what a layer's file needs of the graph. */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include <vislang/nn.h>

/* A layer's note for the way back. Each layer has a struct of its own that begins with one. */
typedef struct note note;
struct note {
    void (*backward)(vl_graph *graph, note *self);
    const char *layer; /* static: for error messages */
    note *previous;
    vl_var *out;
};

struct vl_graph {
    const vl_params *params;
    vl_graph_options options;
    vl_real *gradients;
    uint64_t random;
    char *memory;
    size_t used;
    bool failed;
    note *last;
};

/* Uninitialised memory of the graph, 64-byte aligned; NULL (and the graph failed) without. */
void *graph_alloc(vl_graph *graph, size_t bytes);
/* A variable with memory for its numbers. */
vl_var *graph_var(vl_graph *graph, size_t rank, const size_t *dims, bool learns);
/* Remembers a note of `bytes` when `out` learns; NULL when it need not be (or no memory). */
void *graph_note(vl_graph *graph, size_t bytes, const char *layer, vl_var *out,
                 void (*backward)(vl_graph *, note *));
/* Whether parameters receive gradients in this pass. */
bool graph_learns(const vl_graph *graph);
const vl_real *graph_param(const vl_graph *graph, size_t param);
vl_real *graph_param_grad(vl_graph *graph, size_t param);
/* Uniform in [0,1). */
double graph_random(vl_graph *graph);

static inline size_t var_width(const vl_var *x) {
    return x->dims[x->rank - 1];
}
static inline size_t var_rows(const vl_var *x) {
    return x->count / x->dims[x->rank - 1];
}

#endif
