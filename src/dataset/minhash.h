/* minhash.h — how alike two sets are, from a few numbers of each (Broder 1997).
 *
 * Of each of k hash functions the smallest value over a set is kept; two sets have the same one
 * with probability J = |A ∩ B| / |A ∪ B|, so that the share of equal ones is an estimate of J
 * with standard deviation sqrt(J (1 - J) / k). k functions and not one permutation with
 * densification (Shrivastava 2017), which costs k + n instead of k n: captions and headlines
 * have fewer shingles than there are values, densified values of such sets are copies of each
 * other, and then neither that deviation nor the curve below holds; and folding the text costs
 * as much as the k functions. A function is a random linear permutation of 32 bits, a x + b
 * with an odd a, of values that are hashes already (Bohman, Cooper and Frieze 2000).
 *
 * Candidates come from locality-sensitive hashing (Leskovec, Rajaraman and Ullman, Mining of
 * Massive Datasets, section 3.4): values in b bands of r rows, and sets that agree on a whole
 * band meet: with probability 1 - (1 - J^r)^b.
 *
 * A candidate is verified from sketches, a value's 8 bits each (b-bit minwise hashing, Li and
 * König 2010): J = (share of equal ones - 1/256) / (1 - 1/256). Where a set has at most k/4
 * members the sketch holds them instead, which is as long, so between two of those J is exact.
 *
 * Thread-safety: read-only once initialised. */
#ifndef VL_DATASET_MINHASH_H
#define VL_DATASET_MINHASH_H

#include "dataset/shingles.h"

enum { MINHASH_LEAST = 64, MINHASH_MOST = 256, MINHASH_BANDS_MOST = 62 };
#define MINHASH_RECALL 0.99 /* of pairs that are just alike enough, by the curve */

typedef struct minhash {
    size_t hashes, bands, rows;
    uint64_t seed;
    uint32_t factors[MINHASH_MOST], addends[MINHASH_MOST];
} minhash;
/* `hashes`: k, a multiple of 16. The most rows are taken that find MINHASH_RECALL of the pairs
 * at `threshold`. VL_ERR_USAGE: numbers out of range (threshold 0.1 … 1). */
vl_status minhash_init(minhash *m, size_t hashes, double threshold, uint64_t seed,
                       vl_error *error);
/* 1 - (1 - J^r)^b */
double minhash_curve(double similarity, size_t rows, size_t bands);

/* values [hashes]: the smallest of each function over `set` [count], count > 0. */
void minhash_values(const minhash *m, const uint32_t *set, size_t count, uint32_t *values);
/* What sets that agree on band i (0 … bands - 1) share, 58 bits below the number of the band
 * and 1: keys of different bands never meet, and none begins with 0. */
uint64_t minhash_band_key(const minhash *m, const uint32_t *values, size_t band);

enum { MINHASH_MANY = UINT16_MAX }; /* more members than a sketch holds */
typedef struct minhash_sketch {
    uint64_t text;    /* shingles.text */
    uint32_t members; /* of `set`, or MINHASH_MANY */
    uint32_t unused;
    union {
        uint32_t set[MINHASH_MOST / 4]; /* ascending */
        uint8_t bits[MINHASH_MOST];
    } body; /* `hashes` bytes of it */
} minhash_sketch;
/* Bytes of a sketch that are used; the rest is zero. */
size_t minhash_sketch_bytes(const minhash *m);
/* Of shingles that are there (count > 0); `values` [hashes] are given too. VL_ERR_MEMORY. */
vl_status minhash_of(const minhash *m, vl_arena *arena, const shingles *of, uint32_t *values,
                     minhash_sketch *sketch, vl_error *error);
/* J, or its estimate; 0 … 1. */
double minhash_similarity(const minhash *m, const minhash_sketch *a, const minhash_sketch *b);

#endif
