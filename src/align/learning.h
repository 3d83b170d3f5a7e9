/* learning.h — one orthogonal map between two prepared spaces, from seeds or from nothing. */
#ifndef VL_ALIGN_LEARNING_H
#define VL_ALIGN_LEARNING_H

#include "align/seeds.h"

#include <vislang/align.h>

/* Rows as they are mapped: of length 1, less their mean, of length 1 again (Artetxe et al.
 * 2018b, 3.1). */
typedef struct align_prepared {
    vl_rows rows; /* all words, owned */
    float *mean;  /* [dim] */
} align_prepared;
vl_status align_prepare(const vl_embeddings *embeddings, align_prepared *prepared,
                        vl_error *error);
void align_prepared_deinit(align_prepared *prepared);
/* The same to `count` rows in place, with a mean that is there. */
void align_prepare_rows(float *rows, size_t count, size_t dim, const float *mean);

typedef struct align_task {
    vl_rows x, z;            /* prepared; x is turned into the space of z */
    size_t x_words, z_words; /* so many of the first are learned on */
    size_t k, threads;
    uint64_t dice;
    const float *held;  /* [dim][dim] cross-covariance of pairs that are right whatever is
                         * found, NULL: none */
    double held_weight; /* of each round's pairs, relative to those found */
} align_task;

/* Pairs of rows that belong together: left [count][dim] of x, right of z. */
typedef struct align_rows_pair {
    float *left, *right;
    size_t count, room, dim;
} align_rows_pair;
void align_rows_pair_deinit(align_rows_pair *pairs);
/* `count` more pairs with unset rows, the first of which is *at. */
vl_status align_rows_pair_grow(align_rows_pair *pairs, size_t count, size_t *at,
                               vl_error *error);
/* Each counts `weight` times: its rows are made √weight long. */
vl_status align_rows_pair_add(align_rows_pair *pairs, const vl_rows *x, const vl_rows *z,
                              const align_seeds *seeds, double weight, vl_error *error);
/* `more`, of other rows, likewise. */
vl_status align_rows_pair_join(align_rows_pair *pairs, const align_rows_pair *more,
                               double weight, vl_error *error);

/* The matrices of a map, each [dim][dim]: rotation is orthogonal and turns x into the frame of
 * z; x_map and z_map do that and weigh directions. */
typedef struct align_fit {
    float *rotation, *x_map, *z_map;
    size_t dim;
} align_fit;
vl_status align_fit_init(align_fit *fit, size_t dim, vl_error *error); /* identities */
void align_fit_deinit(align_fit *fit);
/* From pairs. Covariances are shrunk towards a multiple of the identity by dim / pairs, so that
 * few pairs do not blow up directions they say nothing of. */
vl_status align_fit_pairs(align_fit *fit, const align_rows_pair *pairs, vl_error *error);

/* A first dictionary without any seed (Artetxe et al. 2018b, 3.2): rows of similarities of
 * either language with itself, each sorted, are compared. `w` [dim][dim] is made from it. */
vl_status align_start_unseeded(const align_task *task, float *w, vl_error *error);

/* Stochastic self-learning (Artetxe et al. 2018b, 3.3) from `w` on: dictionaries by CSLS both
 * ways, of pairs that are kept with a probability that grows whenever the objective stands
 * still, and a new map from each. */
vl_status align_self_learn(const align_task *task, float *w, size_t *rounds, vl_error *error);

/* Pairs that are each other's nearest by CSLS, of the words learned on, and their mean CSLS.
 * `x_map`, `z_map` NULL: as they are. */
typedef struct align_mutual {
    align_seeds pairs;
    float *score; /* [pairs.count] */
    double mean;
} align_mutual;
vl_status align_mutual_find(const align_task *task, const float *x_map, const float *z_map,
                            align_mutual *mutual, vl_error *error);
void align_mutual_deinit(align_mutual *mutual);

#endif
