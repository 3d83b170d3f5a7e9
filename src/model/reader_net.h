/* reader_net.h — where the parameters of `reader` are, for the files of this room. */
#ifndef MODEL_READER_NET_H
#define MODEL_READER_NET_H

#include <vislang/model.h>

enum { READER_MAX_LAYERS = 24 };

typedef struct reader_affine {
    size_t weight, bias;
} reader_affine;

/* Depthwise filter and the linear layer after it. */
typedef struct reader_separable {
    reader_affine filter, norm, mix;
} reader_separable;

/* Filter along the line, norm, and a two-layer perceptron of each column. */
typedef struct reader_block {
    reader_affine filter, norm, up, down;
} reader_block;

/* Self-attention over the columns of a line, perceptron; each normed before. */
typedef struct reader_layer {
    reader_affine norm1, qkv, out, norm2, up, down;
} reader_layer;

struct vl_reader_net {
    vl_reader_config config;
    reader_affine first, project, project_norm;
    reader_separable stem[VL_READER_STAGES - 1];
    reader_block block[READER_MAX_LAYERS];
    reader_layer layer[READER_MAX_LAYERS];
    reader_affine last_norm, symbols;
};

#endif
