/* gale_church.h — how well the lengths of two spans of sentences go together, and how usual a
 * bead's shape is (Gale and Church 1993, "A Program for Aligning Sentences in Bilingual
 * Corpora", sections 3.1–3.3).
 *
 * A text's length in the other language is held to be normal, its mean `ratio` times the
 * length, its variance `variance` times it: δ = (l2 − c·l1) / √(s²·(c·l1 + l2) / 2). */
#ifndef VL_ALIGN_GALE_CHURCH_H
#define VL_ALIGN_GALE_CHURCH_H

#include "align/band.h"

typedef struct align_lengths {
    double ratio, variance;
} align_lengths;
/* Of documents of which nothing is known but their lengths: s² = 6.8 as in the paper. */
align_lengths align_lengths_of(const float *a, size_t a_count, const float *b, size_t b_count);
/* From the beads of a path that have both sides; outliers are kept from ruling it. With fewer
 * than 10 of them `lengths` stays. */
void align_lengths_fit(align_lengths *lengths, const float *a, const float *b,
                       const align_step *path, size_t steps);
/* −log of the density at δ less its value at 0, at most ALIGN_LENGTH_COST_MAX. */
#define ALIGN_LENGTH_COST_MAX 50.0
double align_length_cost(const align_lengths *lengths, double a, double b);
/* −log of how often beads have m and n sentences, both at least 1. */
double align_shape_cost(size_t m, size_t n);

#endif
