/* ladder.h — from nothing, or from seeds of every kind, to the best map that the words at hand
 * support; what is shared by a map of two languages and a language that joins a hub. */
#ifndef VL_ALIGN_LADDER_H
#define VL_ALIGN_LADDER_H

#include "align/learning.h"

struct vl_map {
    size_t dim;
    float *mean[2]; /* by vl_side */
    float *turn[2]; /* [dim][dim]; NULL: none */
};

/* A pair of words that a map may begin from. */
typedef struct align_pair {
    align_seed words;
    vl_rung rung; /* the lowest that knows it */
    bool held;    /* out, for the test */
} align_pair;

/* Pairs whose right side lies in no vocabulary of the target's: of a hub's other languages. */
typedef struct align_pivots {
    align_rows_pair rows[VL_RUNG_COUNT]; /* by the rung that knows them */
} align_pivots;
void align_pivots_deinit(align_pivots *pivots);

typedef struct align_ladder {
    const vl_embeddings *source, *target;
    const vl_map_options *options;
    const align_pivots *pivots; /* NULL: none */
    align_prepared x, z;
    align_task task;
    align_pair *pairs;
    size_t count, held;
} align_ladder;
/* Rows and pairs; the embeddings and options outlive it. */
vl_status align_ladder_init(align_ladder *ladder, const vl_embeddings *source,
                            const vl_embeddings *target, const vl_map_options *options,
                            const align_pivots *pivots, vl_error *error);
void align_ladder_deinit(align_ladder *ladder);
/* Tries what the options ask for, keeps the best, and learns it once more from all pairs. */
vl_status align_ladder_climb(align_ladder *ladder, align_fit *fit, vl_map_report *report,
                             vl_error *error);

vl_status align_map_new(size_t dim, const float *source_mean, const float *source_turn,
                        const float *target_mean, const float *target_turn, vl_map **map,
                        vl_error *error);
vl_status align_map_check(const vl_embeddings *source, const vl_embeddings *target,
                          const vl_map_options *options, vl_error *error);

#endif
