/* int8.c — large products of 8-bit whole numbers, through oneDNN.
 *
 * oneDNN's product is exact only with VNNI or tiles: before them it adds pairs in 16 bits,
 * which saturate. Without either, plain loops. Not part of the VL_REAL_DOUBLE build. */
#include "kernel/onednn.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 2048 };

static bool is_exact(void) {
#ifdef __x86_64__
    const char *wanted = getenv("VISLANG_CPU");
    bool forced_below = wanted && (!strcmp(wanted, "ref") || !strcmp(wanted, "avx2"));
    return !forced_below && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

static void product_plain(int32_t *y, const int8_t *x, const int8_t *w, size_t m, size_t n,
                          size_t k) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            int32_t sum = 0;
            for (size_t l = 0; l < k; l++)
                sum += x[i * k + l] * w[j * k + l];
            y[i * n + j] = sum;
        }
}

void vl_int8_product(int32_t *y, const int8_t *x, const int8_t *w, size_t m, size_t n,
                     size_t k) {
    const int32_t offset = 0;
    if (m * n * k > SMALL && is_exact() && onednn_thread_get() &&
        dnnl_gemm_s8s8s32('N', 'T', 'F', (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1.0f, x,
                          (dnnl_dim_t)k, 0, w, (dnnl_dim_t)k, 0, 0.0f, y, (dnnl_dim_t)n,
                          &offset) == dnnl_success)
        return;
    product_plain(y, x, w, m, n, k);
}

/* Loops over bits, which any compiler turns into vectors: the largest magnitude as a whole
 * number (floats without their sign sort as their bits do), and rounding to even by adding 1.5
 * · 2^23. */
static float largest(const float *x, size_t k) {
    uint32_t most = 0, bits;
    for (size_t i = 0; i < k; i++) {
        memcpy(&bits, &x[i], sizeof bits);
        bits &= 0x7FFFFFFF;
        most = bits > most ? bits : most;
    }
    float value;
    memcpy(&value, &most, sizeof value);
    return value;
}

static void round_row(int8_t *restrict q, const float *restrict x, float inverse, size_t k) {
    for (size_t i = 0; i < k; i++) {
        float shifted = x[i] * inverse + 12582912.0f;
        uint32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        q[i] = (int8_t)(bits & 0xFF);
    }
}

void vl_int8_round(int8_t *q, float *scale, const float *x, size_t rows, size_t k) {
    for (size_t r = 0; r < rows; r++) {
        float most = largest(x + r * k, k);
        if (most < 1e-30f)
            most = 0;
        scale[r] = most / 127;
        round_row(q + r * k, x + r * k, most > 0 ? 127 / most : 0, k);
    }
}

static void scale_row(float *y, float x_scale, const float *restrict w_scale,
                      const float *restrict bias, size_t n) {
    for (size_t j = 0; j < n; j++) {
        int32_t sum;
        memcpy(&sum, &y[j], sizeof sum);
        y[j] = (float)sum * x_scale * w_scale[j];
    }
    for (size_t j = 0; bias && j < n; j++)
        y[j] += bias[j];
}

void vl_int8_linear(float *y, const int8_t *x, const float *x_scale, size_t m, const int8_t *w,
                    const float *w_scale, size_t n, size_t k, const float *bias) {
    vl_int8_product((int32_t *)(void *)y, x, w, m, n, k); /* the sums first lie where y will */
    for (size_t i = 0; i < m; i++)
        scale_row(y + i * n, x_scale[i], w_scale, bias, n);
}
