/* seer_net.h — where the parameters of `seer` are, for the files of this room. */
#ifndef MODEL_SEER_NET_H
#define MODEL_SEER_NET_H

#include <vislang/model.h>

enum { SEER_MAX_LAYERS = 24, SEER_MAX_VECTOR = 2048 };

typedef struct seer_affine {
    size_t weight, bias;
} seer_affine;

/* Depthwise filter, norm, and a two-layer perceptron of each place. */
typedef struct seer_block {
    seer_affine filter, norm, up, down;
} seer_block;

/* Self-attention, attention to places (mixed layers), perceptron; each normed before. */
typedef struct seer_layer {
    seer_affine norm1, qkv, out;
    seer_affine norm2, query, kv, cross_out;
    seer_affine norm3, up, down;
} seer_layer;

struct vl_seer_net {
    vl_seer_config config;
    seer_affine stem1, stem2, stem_norm, shrink_norm[2], shrink[2];
    seer_block block[2][SEER_MAX_LAYERS];
    size_t position;
    seer_layer vision[SEER_MAX_LAYERS], text[SEER_MAX_LAYERS], mixed[SEER_MAX_LAYERS];
    seer_affine vision_norm, text_norm, mixed_norm;
    size_t words, text_position;
    size_t picture_vector, text_vector, log_scale;
    seer_affine heads[VL_SEER_MAX_HEADS];
};

#endif
