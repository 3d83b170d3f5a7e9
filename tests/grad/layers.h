/* layers.h — every layer of nn/ as a table row: shapes, arguments and how to call it. The
 * gradient test (grad.c, in double precision) and the comparison with PyTorch (reference.c)
 * walk the same table; make_references.py mirrors the rows that have a reference. */
#ifndef GRAD_LAYERS_H
#define GRAD_LAYERS_H

#include <vislang/nn.h>

enum { MAX_LEAVES = 2, MAX_PARAMS = 3 };

typedef struct layer_case layer_case;
struct layer_case {
    const char *name;
    vl_var *(*forward)(vl_graph *graph, const layer_case *c, vl_var **leaf);
    size_t leaves[MAX_LEAVES][VL_MAX_RANK]; /* shapes; a first 0 ends a list or a shape */
    size_t params[MAX_PARAMS][VL_MAX_RANK]; /* parameter i has index i in the store */
    size_t a, b;                            /* size and stride, heads, height and width, … */
    bool causal;
    double number;        /* probability, smoothing */
    const int32_t *ints;  /* ids, lengths, sources, targets, labels */
    const size_t *starts; /* of labels */
    const int32_t *lengths;
    const vl_real *weights;
    vl_window window;
    bool alone; /* PyTorch has no counterpart (random, or nothing but a rearrangement) */
};

extern const layer_case layer_cases[];
extern const size_t layer_case_count;

static inline size_t shape_rank(const size_t *shape) {
    size_t rank = 0;
    while (rank < VL_MAX_RANK && shape[rank])
        rank++;
    return rank;
}
static inline size_t shape_count(const size_t *shape) {
    size_t count = 1;
    for (size_t i = 0; i < shape_rank(shape); i++)
        count *= shape[i];
    return count;
}
static inline size_t shapes_listed(const size_t (*shapes)[VL_MAX_RANK], size_t most) {
    size_t count = 0;
    while (count < most && shapes[count][0])
        count++;
    return count;
}

/* A store that holds the parameters of `c`, uninitialised but for the padding (zero). */
vl_params *layer_params(const layer_case *c);

#endif
