/* recursion.h — a rough way through two documents in linear time, by sentence vectors: pairs of
 * neighbours are averaged until the documents are small, those are aligned whole, and the way
 * is refined in a band as the documents grow again (Thompson and Koehn 2019, "Vecalign:
 * Improved Sentence Alignment in Linear Time and Space", section 3.2). */
#ifndef VL_ALIGN_RECURSION_H
#define VL_ALIGN_RECURSION_H

#include "align/gale_church.h"

typedef struct align_rows_pair {
    const float *a, *b;               /* [a_count][dim], [b_count][dim]: unit rows, or zeros */
    const float *a_length, *b_length; /* characters of each, or NULL */
    size_t a_count, b_count, dim;
} align_rows_pair;
/* The cost of a pair is the paper's (eq. 2 with one sentence on both sides; the mean over all
 * sentences in place of the sampled ones), with a little of what lengths say, which decides
 * where vectors do not. Beads are 1–1, 1–0 and 0–1. In the arena. VL_ERR_MEMORY. */
vl_status align_recursion(vl_arena *arena, const align_rows_pair *rows, align_step **path,
                          size_t *steps, vl_error *error);

/* What is needed to say what a bead of any shape costs by the paper's eq. 2:
 * (1 − cos(x,y)) · m · n / (the mean distance of x and of y to what the other document holds).
 */
typedef struct align_distances align_distances;
vl_status align_distances_new(vl_arena *arena, const align_rows_pair *rows,
                              align_distances **distances, vl_error *error);
/* align_cost_fn, the user being an align_distances. */
double align_distances_cost(const void *distances, size_t i, size_t j, size_t m, size_t n);
/* What the share `percentile` (0 … 1) of random 1–1 beads costs at most (section 3.3). */
double align_distances_percentile(const align_distances *distances, double percentile);
/* The vectors of m sentences of one and n of the other together; 0 where nothing is known. */
double align_distances_cosine(const align_distances *distances, size_t i, size_t j, size_t m,
                              size_t n);

#endif
