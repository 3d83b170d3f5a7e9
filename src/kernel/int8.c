/* int8.c — large products of 8-bit whole numbers, through oneDNN.
 *
 * oneDNN's product is exact only with VNNI or tiles: before them it adds pairs in 16 bits,
 * which saturate. Without either, plain loops. Not part of the VL_REAL_DOUBLE build.
 *
 * Weights that are used again are packed: into panels for VNNI (isa/int8_vnni.c); where there
 * are tiles, or neither, they stay as they are and oneDNN or plain loops multiply them. */
#include "kernel/isa/int8_panel.h"
#include "kernel/onednn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 2048 };

#ifdef __x86_64__
static bool fast;

static void find_out(void) {
    const char *wanted = getenv("VISLANG_CPU");
    bool forced_below = wanted && (!strcmp(wanted, "ref") || !strcmp(wanted, "avx2"));
    fast = !forced_below && __builtin_cpu_supports("avx512vnni");
}
#endif

bool vl_cpu_has_int8(void) {
#ifdef __x86_64__
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_out);
    return fast;
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

static bool in_panels(void) {
#ifdef __x86_64__
    return vl_cpu_has_int8() && !strcmp(vl_kernels_get()->name, "avx512");
#else
    return false;
#endif
}

size_t vl_int8_packed_bytes(size_t n, size_t k) {
    size_t panel = vl_int8_panel_bytes(k) + VL_INT8_PANEL * sizeof(int32_t);
    return vl_int8_panels(n) * panel;
}

/* Sums of rows, and the rows four numbers at a time. */
static void pack_panel(char *to, const int8_t *w, size_t rows, size_t k) {
    int8_t *out = (int8_t *)to + VL_INT8_PANEL * sizeof(int32_t);
    memset(to, 0, vl_int8_panel_bytes(k) + VL_INT8_PANEL * sizeof(int32_t));
    for (size_t r = 0; r < rows; r++, w += k) {
        int32_t sum = 0;
        size_t i = 0;
        for (; i + 4 <= k; i += 4)
            memcpy(out + i * VL_INT8_PANEL + r * 4, w + i, 4);
        for (; i < k; i++)
            out[i / 4 * 4 * VL_INT8_PANEL + r * 4 + i % 4] = w[i];
        for (i = 0; i < k; i++)
            sum += w[i];
        sum *= 128;
        memcpy(to + r * sizeof sum, &sum, sizeof sum);
    }
}

void vl_int8_pack(void *packed, const int8_t *w, size_t n, size_t k) {
    size_t panel = vl_int8_panel_bytes(k) + VL_INT8_PANEL * sizeof(int32_t);
    char *to = packed;
    if (!in_panels()) {
        memcpy(packed, w, n * k);
        return;
    }
    for (size_t r = 0; r < n; r += VL_INT8_PANEL, to += panel)
        pack_panel(to, w + r * k, n - r < VL_INT8_PANEL ? n - r : VL_INT8_PANEL, k);
}

void vl_int8_packed_product(int32_t *y, const int8_t *x, size_t m, const void *packed, size_t n,
                            size_t k) {
#ifdef __x86_64__
    if (in_panels()) {
        vl_int8_product_vnni(y, x, m, packed, n, k);
        return;
    }
#endif
    vl_int8_product(y, x, packed, m, n, k);
}

void vl_int8_round(int8_t *q, float *scale, const float *x, size_t rows, size_t k) {
    vl_kernels_get()->int8_round(q, scale, x, rows, k);
}

void vl_int8_linear(float *y, const int8_t *x, const float *x_scale, size_t m, const int8_t *w,
                    const float *w_scale, size_t n, size_t k, const float *bias) {
    vl_int8_product((int32_t *)(void *)y, x, w, m, n, k); /* the sums first lie where y will */
    vl_kernels_get()->int8_scale(y, x_scale, w_scale, bias, m, n);
}
