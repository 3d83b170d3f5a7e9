/* recursion.c — distances of spans, and the recursion over halved documents.
 *
 * A span's vector is the sum of its sentences': exactly that of their joined text for bags of
 * words. The product of two spans is then a sum of products of sentences, so a bead of m and n
 * costs m·n products at most and no span's vector is ever stored. */
#include "align/recursion.h"
#include "align/rows.h"

#include <vislang/kernel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 200, RADIUS = 12, SAMPLES = 2000 };
static const double ALONE_PERCENTILE = 0.2;
static const double LENGTH_WEIGHT = 0.01;

struct align_distances {
    align_rows_pair rows;
    float *a_norm, *b_norm;   /* [count][ALIGN_BEAD_SIDE]: of the sum of rows that end there */
    float *a_apart, *b_apart; /* the same: mean distance to the other document's sentences */
    align_lengths lengths;
};

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "not enough memory for two documents of this size");
}

static double dot(const align_distances *d, size_t i, size_t j) {
    size_t dim = d->rows.dim;
    return (double)vl_kernels_get()->dot(d->rows.a + i * dim, d->rows.b + j * dim, dim);
}

static bool measure(vl_arena *arena, const float *rows, size_t count, size_t dim,
                    const float *other, size_t other_count, float **norm, float **apart) {
    size_t spans = count * ALIGN_BEAD_SIDE;
    *norm = vl_arena_array(arena, spans + 1, sizeof **norm);
    *apart = vl_arena_array(arena, spans + 1, sizeof **apart);
    float *mean = vl_arena_array(arena, dim + 1, sizeof *mean);
    float *sum = vl_arena_array(arena, dim + 1, sizeof *sum);
    if (!*norm || !*apart || !mean || !sum)
        return false;
    align_rows_mean(other, other_count, dim, mean);
    const vl_kernels *kernel = vl_kernels_get();
    for (size_t i = 0; i < count; i++) {
        memset(sum, 0, dim * sizeof *sum);
        for (size_t m = 1; m <= ALIGN_BEAD_SIDE && m <= i + 1; m++) {
            kernel->add(sum, rows + (i + 1 - m) * dim, dim);
            float length = sqrtf(kernel->dot(sum, sum, dim));
            size_t at = i * ALIGN_BEAD_SIDE + m - 1;
            (*norm)[at] = length;
            (*apart)[at] = length > 1e-6F ? 1 - kernel->dot(sum, mean, dim) / length : 1;
        }
    }
    return true;
}

vl_status align_distances_new(vl_arena *arena, const align_rows_pair *rows,
                              align_distances **distances, vl_error *error) {
    align_distances *d = vl_arena_alloc(arena, sizeof *d);
    if (!d)
        return no_memory(error);
    d->rows = *rows;
    if (!measure(arena, rows->a, rows->a_count, rows->dim, rows->b, rows->b_count, &d->a_norm,
                 &d->a_apart) ||
        !measure(arena, rows->b, rows->b_count, rows->dim, rows->a, rows->a_count, &d->b_norm,
                 &d->b_apart))
        return no_memory(error);
    if (rows->a_length && rows->b_length)
        d->lengths =
            align_lengths_of(rows->a_length, rows->a_count, rows->b_length, rows->b_count);
    *distances = d;
    return VL_OK;
}

double align_distances_cosine(const align_distances *d, size_t i, size_t j, size_t m,
                              size_t n) {
    double sum = 0, length = (double)d->a_norm[(i - 1) * ALIGN_BEAD_SIDE + m - 1] *
                             (double)d->b_norm[(j - 1) * ALIGN_BEAD_SIDE + n - 1];
    if (length < 1e-9)
        return 0;
    for (size_t k = i - m; k < i; k++)
        for (size_t l = j - n; l < j; l++)
            sum += dot(d, k, l);
    return fmin(fmax(sum / length, -1), 1);
}

double align_distances_cost(const void *distances, size_t i, size_t j, size_t m, size_t n) {
    const align_distances *d = distances;
    double apart = ((double)d->a_apart[(i - 1) * ALIGN_BEAD_SIDE + m - 1] +
                    (double)d->b_apart[(j - 1) * ALIGN_BEAD_SIDE + n - 1]) /
                   2;
    double cost =
        (1 - align_distances_cosine(d, i, j, m, n)) * (double)(m * n) / fmax(apart, 1e-3);
    if (!d->rows.a_length || !d->rows.b_length)
        return cost;
    double a = 0, b = 0;
    for (size_t k = i - m; k < i; k++)
        a += (double)d->rows.a_length[k];
    for (size_t k = j - n; k < j; k++)
        b += (double)d->rows.b_length[k];
    return cost + LENGTH_WEIGHT * align_length_cost(&d->lengths, a, b);
}

static int by_size(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

double align_distances_percentile(const align_distances *d, double percentile) {
    double costs[SAMPLES];
    uint64_t dice = 1;
    if (!d->rows.a_count || !d->rows.b_count)
        return 1;
    for (size_t k = 0; k < SAMPLES; k++) {
        size_t i = vl_random_below(&dice, d->rows.a_count);
        size_t j = vl_random_below(&dice, d->rows.b_count);
        costs[k] = align_distances_cost(d, i + 1, j + 1, 1, 1);
    }
    qsort(costs, SAMPLES, sizeof *costs, by_size);
    return costs[(size_t)(percentile * (SAMPLES - 1))];
}

/* ---- the recursion ----------------------------------------------------------------------- */

typedef struct level {
    align_rows_pair rows;
    float *a, *b, *a_length, *b_length;
} level;

static bool halve(vl_arena *arena, const float *rows, const float *lengths, size_t count,
                  size_t dim, float **half, float **half_lengths) {
    size_t halved = (count + 1) / 2;
    *half = vl_arena_array(arena, halved * dim + 1, sizeof **half);
    *half_lengths = vl_arena_array(arena, halved + 1, sizeof **half_lengths);
    if (!*half || !*half_lengths)
        return false;
    for (size_t i = 0; i < count; i++) {
        vl_kernels_get()->add(*half + i / 2 * dim, rows + i * dim, dim);
        (*half_lengths)[i / 2] += lengths ? lengths[i] : 1;
    }
    align_rows_unit(*half, halved, dim);
    return true;
}

static bool coarser(vl_arena *arena, const align_rows_pair *from, level *to) {
    to->rows = *from;
    to->rows.a_count = (from->a_count + 1) / 2;
    to->rows.b_count = (from->b_count + 1) / 2;
    if (!halve(arena, from->a, from->a_length, from->a_count, from->dim, &to->a,
               &to->a_length) ||
        !halve(arena, from->b, from->b_length, from->b_count, from->dim, &to->b, &to->b_length))
        return false;
    to->rows.a = to->a;
    to->rows.b = to->b;
    to->rows.a_length = to->a_length;
    to->rows.b_length = to->b_length;
    return true;
}

static vl_status align_level(vl_arena *arena, const align_rows_pair *rows,
                             const align_band *band, align_step **path, size_t *steps,
                             vl_error *error) {
    align_distances *distances;
    vl_status status = align_distances_new(arena, rows, &distances, error);
    if (status)
        return status;
    align_costs costs = {
        .bead = align_distances_cost,
        .user = distances,
        .alone = align_distances_percentile(distances, ALONE_PERCENTILE),
        .one_to_one = true,
    };
    return align_band_path(arena, band, &costs, path, steps, error);
}

/* Each bead of the coarser path as one of twice as many sentences, less what there is not. */
static void double_path(align_step *path, size_t steps, size_t a_count, size_t b_count) {
    for (size_t k = 0; k < steps; k++) {
        align_step *s = &path[k];
        size_t a_to = 2 * (size_t)(s->a_from + s->a_count);
        size_t b_to = 2 * (size_t)(s->b_from + s->b_count);
        a_to = a_to < a_count ? a_to : a_count;
        b_to = b_to < b_count ? b_to : b_count;
        s->a_from = (uint32_t)(2 * (size_t)s->a_from < a_to ? 2 * (size_t)s->a_from : a_to);
        s->b_from = (uint32_t)(2 * (size_t)s->b_from < b_to ? 2 * (size_t)s->b_from : b_to);
        s->a_count = (uint16_t)(a_to - s->a_from);
        s->b_count = (uint16_t)(b_to - s->b_from);
    }
}

vl_status align_recursion(vl_arena *arena, const align_rows_pair *rows, align_step **path,
                          size_t *steps, vl_error *error) {
    align_band band;
    vl_status status;
    if (rows->a_count <= SMALL || rows->b_count <= SMALL)
        status = align_band_full(arena, rows->a_count, rows->b_count, &band, error);
    else {
        level half;
        if (!coarser(arena, rows, &half))
            return no_memory(error);
        status = align_recursion(arena, &half.rows, path, steps, error);
        if (!status) {
            double_path(*path, *steps, rows->a_count, rows->b_count);
            status = align_band_around(arena, *path, *steps, rows->a_count, rows->b_count,
                                       RADIUS, &band, error);
        }
    }
    if (!status)
        status = align_level(arena, rows, &band, path, steps, error);
    return status;
}
