/* match_rows.c — see match.h: ranks by vectors. Cosines are computed anew for each method and
 * direction, a block at a time, rather than kept: a product is cheap beside n² floats. */
#include "align/match.h"

#include <vislang/kernel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR = 10, CSLS_K = 10, MARGIN_K = 4, BLOCK_ROWS = 256 };

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

vl_status align_near_init(align_near *rows, const float *a, size_t a_count, const float *b,
                          size_t b_count, size_t dim, vl_error *error) {
    *rows = (align_near){a, b, a_count, b_count, dim, NULL, NULL};
    rows->a_near = malloc(a_count * NEAR * sizeof *rows->a_near);
    rows->b_near = malloc(b_count * NEAR * sizeof *rows->b_near);
    float *block = malloc(BLOCK_ROWS * b_count * sizeof *block);
    if (!rows->a_near || !rows->b_near || !block) {
        free(block);
        align_near_deinit(rows);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for neighbours of %zu texts",
                       a_count + b_count);
    }
    for (size_t i = 0; i < a_count * NEAR; i++)
        rows->a_near[i] = -2;
    for (size_t i = 0; i < b_count * NEAR; i++)
        rows->b_near[i] = -2;
    for (size_t first = 0; first < a_count; first += BLOCK_ROWS) {
        size_t count = a_count - first < BLOCK_ROWS ? a_count - first : BLOCK_ROWS;
        cosines(a + first * dim, count, b, b_count, dim, block);
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < b_count; k++) {
                insert_near(rows->a_near + (first + i) * NEAR, block[i * b_count + k]);
                insert_near(rows->b_near + k * NEAR, block[i * b_count + k]);
            }
    }
    free(block);
    return VL_OK;
}

void align_near_deinit(align_near *rows) {
    free(rows->a_near);
    free(rows->b_near);
    rows->a_near = rows->b_near = NULL;
}

/* Mean cosine of the `k` nearest, or of all when there are fewer. */
static float mean_near(const float *near, size_t k) {
    float sum = 0;
    size_t count = 0;
    for (; count < k && near[count] > -2; count++)
        sum += near[count];
    return count ? sum / (float)count : 0;
}

typedef struct ranking {
    const float *x, *y;
    size_t y_count, dim;
    align_method method;
    float *x_mean, *y_mean; /* of the nearest ones */
} ranking;

/* The ratio has no meaning where what stands below is not positive: then the texts have no
 * neighbours to speak of. */
static float margin(float cosine, float x, float y) {
    return cosine / fmaxf((x + y) / 2, 1e-3F);
}

static void score_rows(void *user, size_t first, size_t rows, float *scores) {
    const ranking *r = user;
    cosines(r->x + first * r->dim, rows, r->y, r->y_count, r->dim, scores);
    for (size_t i = 0; i < rows && r->method != ALIGN_COSINE; i++) {
        float *row = scores + i * r->y_count, x = r->x_mean[first + i];
        for (size_t k = 0; k < r->y_count; k++)
            row[k] = r->method == ALIGN_CSLS ? 2 * row[k] - x - r->y_mean[k]
                                             : margin(row[k], x, r->y_mean[k]);
    }
}

static float *means_of(const float *near, size_t count, size_t k) {
    float *means = malloc((count ? count : 1) * sizeof *means);
    for (size_t i = 0; means && i < count; i++)
        means[i] = mean_near(near + i * NEAR, k);
    return means;
}

vl_status align_rank_vectors(const align_near *rows, align_method method,
                             const align_match *match, bool reverse, align_ranks *ranks,
                             vl_error *error) {
    size_t k = method == ALIGN_CSLS ? CSLS_K : MARGIN_K;
    ranking r = {.x = rows->a,
                 .y = rows->b,
                 .y_count = rows->b_count,
                 .dim = rows->dim,
                 .method = method,
                 .x_mean = means_of(rows->a_near, rows->a_count, k),
                 .y_mean = means_of(rows->b_near, rows->b_count, k)};
    vl_status status = VL_OK;
    if (!r.x_mean || !r.y_mean) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for neighbours");
        goto out;
    }
    if (reverse) {
        float *kept = r.x_mean;
        r.x_mean = r.y_mean;
        r.y_mean = kept;
        r.x = rows->b;
        r.y = rows->a;
        r.y_count = rows->a_count;
    }
    status = align_rank_all(reverse ? &match->tgt : &match->src, r.y_count, score_rows, &r,
                            ranks, error);
out:
    free(r.x_mean);
    free(r.y_mean);
    return status;
}
