/* review_sample.h — in which order items are put to reviewers.
 *
 * Two orders are dealt into one. A share `random` of all items, drawn by chance, comes in the
 * order of chance, at that share of the places: what is said of those is an unbiased estimate
 * of the whole dataset, however far the review has come. The other places go to what the
 * quality model is least sure of (its score nearest to 0.5: uncertainty sampling, Lewis and
 * Gale 1994), in turns over languages, and within a language over sources, so that a large
 * source doesn't take all. Of a base item and the examples made of it, the first to come counts
 * whole, the next half, a quarter and so on: they say much the same.
 *
 * The order is a function of the items and the seed. */
#ifndef VL_DATASET_REVIEW_SAMPLE_H
#define VL_DATASET_REVIEW_SAMPLE_H

#include <vislang/base.h>

typedef struct review_candidate {
    uint64_t id, base;         /* base: of the item it was made of, or its own */
    uint32_t language, source; /* any numbering */
    float score;
    /* Where its line is: not looked at here. */
    uint32_t shard, bytes;
    uint64_t at;
} review_candidate;

typedef struct review_place {
    uint32_t candidate; /* index */
    bool random;        /* it is in the random part of the sample */
} review_place;

/* A number of the item that is as good as drawn, for one `purpose`. */
uint64_t review_hash(uint64_t seed, uint64_t id, uint64_t purpose);
/* [0,1) of the same. */
double review_share_of(uint64_t seed, uint64_t id, uint64_t purpose);

enum { REVIEW_FOR_ORDER, REVIEW_FOR_ROUND, REVIEW_FOR_OVERLAP, REVIEW_FOR_PART };

/* All `count` candidates (below 2^32), each once, in `places` [count]. VL_ERR_MEMORY. */
vl_status review_order(const review_candidate *candidates, size_t count, double random,
                       uint64_t seed, review_place *places, vl_error *error);

#endif
