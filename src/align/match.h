/* match.h — which text belongs to which, and how well scores find it again.
 *
 * Equal texts are one: a query is a distinct text of one side, its candidates are the distinct
 * texts of the other, and all texts that any pair sets beside it are right. Candidates lie in
 * an order of their own (by a seed), so that a line's number says nothing. Thread-safe. */
#ifndef VISLANG_ALIGN_MATCH_H
#define VISLANG_ALIGN_MATCH_H

#include "align/pairs.h"
#include "align/score.h"

/* Distinct texts of one side. */
typedef struct align_side {
    const char **texts; /* [count], of the pairs */
    size_t *weight;     /* [count]: pairs that have it */
    size_t count;
    size_t *from; /* [count + 1]: its right ones are right[from[i]] … right[from[i + 1] - 1] */
    uint32_t *right;   /* of the other side */
    uint32_t *of_pair; /* [pairs]: which of the texts each pair has */
} align_side;

typedef struct align_match {
    align_side src, tgt;
} align_match;
vl_status align_match_make(const align_pairs *pairs, uint64_t seed, align_match *match,
                           vl_error *error);
void align_match_deinit(align_match *match);

/* Scores of queries first … first + rows - 1: `scores` [rows][candidates], zeros before. */
typedef void (*align_score_fn)(void *user, size_t first, size_t rows, float *scores);
/* What came first for a query, and where the best right one stands. */
typedef struct align_found {
    uint32_t best;
    align_place place;
} align_found;
/* Every text of `queries` is looked for among those of the other side, `candidates` of them.
 * `found` [queries] may be NULL. */
vl_status align_rank_all(const align_side *queries, size_t candidates, align_score_fn score,
                         void *user, align_ranks *ranks, align_found *found, vl_error *error);

/* ---- scores of vectors ------------------------------------------------------------------- */

typedef enum align_method {
    ALIGN_COSINE,
    ALIGN_CSLS,   /* Conneau et al. 2018, eq. 3, with 10 neighbours */
    ALIGN_MARGIN, /* Artetxe and Schwenk 2019, eq. 2, the ratio, with 4 neighbours */
    ALIGN_METHODS,
} align_method;
const char *align_method_name(align_method method); /* "cosine", … */

/* Two sets of texts, what each scores with each, and how near each one's nearest are. Scores
 * are products of unit rows (or zero rows), computed as they are asked for, or there already.
 */
typedef struct align_near {
    const float *a, *b;  /* [a_count][dim], [b_count][dim]; not owned */
    const float *scores; /* [a_count][b_count], not owned; then a and b are NULL */
    size_t a_count, b_count, dim;
    float *a_near, *b_near; /* [count][10]: scores of the nearest ones, falling */
} align_near;
vl_status align_near_init(align_near *near, const float *a, size_t a_count, const float *b,
                          size_t b_count, size_t dim, vl_error *error);
vl_status align_near_of_scores(align_near *near, const float *scores, size_t a_count,
                               size_t b_count, vl_error *error);
void align_near_deinit(align_near *near);
/* How well `method` finds texts of `src` (a) in `tgt` (b), or the other way. */
vl_status align_rank_vectors(const align_near *near, align_method method,
                             const align_match *match, bool reverse, align_ranks *ranks,
                             align_found *found, vl_error *error);

/* ---- what needs no vectors --------------------------------------------------------------- */

/* Cosine of the words (align_tokens) that both texts have, letter for letter, each weighing
 * log((1 + texts) / (1 + texts with it)) + 1, over the texts of both sides. */
vl_status align_rank_identical(const align_match *match, align_ranks ranks[2], vl_error *error);
/* How near the ratio of lengths, in characters, is to that of the two sides. */
vl_status align_rank_length(const align_match *match, align_ranks ranks[2], vl_error *error);

#endif
