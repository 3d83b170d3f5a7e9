/* rows.c — lengths, means and products of the rows of a space. */
#include "align/rows.h"

#include <vislang/kernel.h>

#include <math.h>

void align_rows_unit(float *rows, size_t count, size_t dim) {
    for (size_t i = 0; i < count; i++, rows += dim) {
        double square = 0;
        for (size_t d = 0; d < dim; d++)
            square += (double)rows[d] * (double)rows[d];
        float scale = square > 1e-24 ? (float)(1 / sqrt(square)) : 0;
        for (size_t d = 0; d < dim; d++)
            rows[d] *= scale;
    }
}

void align_rows_mean(const float *rows, size_t count, size_t dim, float *mean) {
    for (size_t d = 0; d < dim; d++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += (double)rows[i * dim + d];
        mean[d] = count ? (float)(sum / (double)count) : 0;
    }
}

void align_rows_subtract(float *rows, size_t count, size_t dim, const float *mean) {
    for (size_t i = 0; i < count; i++, rows += dim)
        for (size_t d = 0; d < dim; d++)
            rows[d] -= mean[d];
}

bool align_rows_finite(const float *rows, size_t count, size_t dim, size_t *bad) {
    for (size_t i = 0; i < count; i++, rows += dim)
        for (size_t d = 0; d < dim; d++)
            if (!isfinite(rows[d])) {
                if (bad)
                    *bad = i;
                return false;
            }
    return true;
}

void align_rows_turn(const float *rows, size_t count, size_t dim, const float *matrix,
                     float *out) {
    vl_gemm gemm = {.m = count, .n = dim, .k = dim, .lda = dim, .ldb = dim, .ldc = dim};
    if (count)
        vl_gemm_run(&gemm, rows, matrix, out);
}

void align_rows_cross(const float *x, const float *y, size_t count, size_t dim, float *cross) {
    vl_gemm gemm = {.transpose_a = true,
                    .accumulate = true,
                    .m = dim,
                    .n = dim,
                    .k = count,
                    .lda = dim,
                    .ldb = dim,
                    .ldc = dim};
    if (count)
        vl_gemm_run(&gemm, x, y, cross);
}
