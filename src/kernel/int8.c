/* int8.c — large products of 8-bit whole numbers, through oneDNN.
 *
 * oneDNN's product is exact only with VNNI or tiles: before them it adds pairs in 16 bits,
 * which saturate. Without either, plain loops. Not part of the VL_REAL_DOUBLE build. */
#include "kernel/onednn.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 2048 };

bool vl_cpu_has_int8(void) {
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
    if (m * n * k > SMALL && vl_cpu_has_int8() && onednn_thread_get() &&
        dnnl_gemm_s8s8s32('N', 'T', 'F', (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1.0f, x,
                          (dnnl_dim_t)k, 0, w, (dnnl_dim_t)k, 0, 0.0f, y, (dnnl_dim_t)n,
                          &offset) == dnnl_success)
        return;
    product_plain(y, x, w, m, n, k);
}

void vl_int8_round(int8_t *q, float *scale, const float *x, size_t rows, size_t k) {
    vl_kernels_get()->int8_round(q, scale, x, rows, k);
}

void vl_int8_linear(float *y, const int8_t *x, const float *x_scale, size_t m, const int8_t *w,
                    const float *w_scale, size_t n, size_t k, const float *bias) {
    vl_int8_product((int32_t *)(void *)y, x, w, m, n, k); /* the sums first lie where y will */
    vl_kernels_get()->int8_scale(y, x_scale, w_scale, bias, m, n);
}
