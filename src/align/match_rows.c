/* match_rows.c — see match.h: ranks by vectors, or by scores that others made. Cosines are
 * computed anew for each method and direction, a block at a time, rather than kept: a product
 * is cheap beside n² floats. */
#include "align/match.h"

#include <vislang/kernel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR = 10, CSLS_K = 10, MARGIN_K = 4, BLOCK_ROWS = 256 };
static const float NOBODY = -2; /* below any cosine */

const char *align_method_name(align_method method) {
    static const char *const names[] = {"cosine", "csls", "margin"};
    return names[method];
}

/* out [rows][count] = x [rows][dim] · y [count][dim]ᵀ */
static void cosines(const float *x, size_t rows, const float *y, size_t count, size_t dim,
                    float *out) {
    vl_gemm_run(&(vl_gemm){.transpose_b = true,
                           .precision = VL_PRECISION_F32,
                           .m = rows,
                           .n = count,
                           .k = dim,
                           .lda = dim,
                           .ldb = dim,
                           .ldc = count},
                x, y, out);
}

/* Into the falling list `near` [NEAR]. */
static void insert_near(float *near, float cosine) {
    if (cosine <= near[NEAR - 1])
        return;
    size_t at = NEAR - 1;
    for (; at > 0 && near[at - 1] < cosine; at--)
        near[at] = near[at - 1];
    near[at] = cosine;
}

/* Scores of the texts first … first + rows − 1 of one side (b when `reverse`) with all of the
 * other: out [rows][others]. */
static void fill_scores(const align_near *n, bool reverse, size_t first, size_t rows,
                        float *out) {
    if (!n->scores && reverse) {
        cosines(n->b + first * n->dim, rows, n->a, n->a_count, n->dim, out);
    } else if (!n->scores) {
        cosines(n->a + first * n->dim, rows, n->b, n->b_count, n->dim, out);
    } else if (!reverse) {
        memcpy(out, n->scores + first * n->b_count, rows * n->b_count * sizeof *out);
    } else {
        for (size_t k = 0; k < n->a_count; k++)
            for (size_t i = 0; i < rows; i++)
                out[i * n->a_count + k] = n->scores[k * n->b_count + first + i];
    }
}

static vl_status find_near(align_near *n, vl_error *error) {
    n->a_near = malloc(n->a_count * NEAR * sizeof *n->a_near);
    n->b_near = malloc(n->b_count * NEAR * sizeof *n->b_near);
    float *block = malloc(BLOCK_ROWS * n->b_count * sizeof *block);
    if (!n->a_near || !n->b_near || !block) {
        free(block);
        align_near_deinit(n);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for neighbours of %zu texts",
                       n->a_count + n->b_count);
    }
    for (size_t i = 0; i < n->a_count * NEAR; i++)
        n->a_near[i] = NOBODY;
    for (size_t i = 0; i < n->b_count * NEAR; i++)
        n->b_near[i] = NOBODY;
    for (size_t first = 0; first < n->a_count; first += BLOCK_ROWS) {
        size_t count = n->a_count - first < BLOCK_ROWS ? n->a_count - first : BLOCK_ROWS;
        fill_scores(n, false, first, count, block);
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < n->b_count; k++) {
                insert_near(n->a_near + (first + i) * NEAR, block[i * n->b_count + k]);
                insert_near(n->b_near + k * NEAR, block[i * n->b_count + k]);
            }
    }
    free(block);
    return VL_OK;
}

vl_status align_near_init(align_near *near, const float *a, size_t a_count, const float *b,
                          size_t b_count, size_t dim, vl_error *error) {
    *near = (align_near){.a = a, .b = b, .a_count = a_count, .b_count = b_count, .dim = dim};
    return find_near(near, error);
}

vl_status align_near_of_scores(align_near *near, const float *scores, size_t a_count,
                               size_t b_count, vl_error *error) {
    *near = (align_near){.scores = scores, .a_count = a_count, .b_count = b_count};
    return find_near(near, error);
}

void align_near_deinit(align_near *near) {
    free(near->a_near);
    free(near->b_near);
    near->a_near = near->b_near = NULL;
}

/* Mean of the `k` nearest, or of all when there are fewer. */
static float mean_near(const float *near, size_t k) {
    float sum = 0;
    size_t count = 0;
    for (; count < k && near[count] > NOBODY; count++)
        sum += near[count];
    return count ? sum / (float)count : 0;
}

typedef struct ranking {
    const align_near *near;
    align_method method;
    bool reverse;
    size_t candidates;
    float *own, *other; /* means of the nearest ones */
} ranking;

/* The ratio has no meaning where what stands below is not positive: then the texts have no
 * neighbours to speak of. */
static float margin(float score, float own, float other) {
    return score / fmaxf((own + other) / 2, 1e-6F);
}

static void score_rows(void *user, size_t first, size_t rows, float *scores) {
    const ranking *r = user;
    fill_scores(r->near, r->reverse, first, rows, scores);
    for (size_t i = 0; i < rows && r->method != ALIGN_COSINE; i++) {
        float *row = scores + i * r->candidates, own = r->own[first + i];
        for (size_t k = 0; k < r->candidates; k++)
            row[k] = r->method == ALIGN_CSLS ? 2 * row[k] - own - r->other[k]
                                             : margin(row[k], own, r->other[k]);
    }
}

static float *means_of(const float *near, size_t count, size_t k) {
    float *means = malloc((count ? count : 1) * sizeof *means);
    for (size_t i = 0; means && i < count; i++)
        means[i] = mean_near(near + i * NEAR, k);
    return means;
}

vl_status align_rank_vectors(const align_near *near, align_method method,
                             const align_match *match, bool reverse, align_ranks *ranks,
                             align_found *found, vl_error *error) {
    size_t k = method == ALIGN_CSLS ? CSLS_K : MARGIN_K;
    float *of_a = means_of(near->a_near, near->a_count, k);
    float *of_b = means_of(near->b_near, near->b_count, k);
    ranking r = {.near = near,
                 .method = method,
                 .reverse = reverse,
                 .candidates = reverse ? near->a_count : near->b_count,
                 .own = reverse ? of_b : of_a,
                 .other = reverse ? of_a : of_b};
    vl_status status = of_a && of_b
                           ? align_rank_all(reverse ? &match->tgt : &match->src, r.candidates,
                                            score_rows, &r, ranks, found, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for neighbours");
    free(of_a);
    free(of_b);
    return status;
}
