/* quant_avx512.c — products with quantised weights on AVX-512, in panels (quant_panel.h).
 * Compiled twice: with VNNI, and for processors that have BW and no VNNI. */
#include "quant_panel.h"

enum { INPUTS = 16 }; /* rows of inputs that a panel meets before it is forgotten */

/* 16 rows of weights by 4 inputs, added to `acc`. Without VNNI, codes of q8_0 would overflow
 * the 16 bits of vpmaddubsw (255 · 127 · 2), so their magnitudes go in, and the signs go to the
 * inputs; the offset is then 0. */
ALWAYS_INLINE __m512i dot_4(__m512i acc, vl_dtype dtype, __m512i code, __m512i x) {
#ifdef __AVX512VNNI__
    (void)dtype;
    return _mm512_dpbusd_epi32(acc, code, x);
#else
    if (dtype == VL_Q8_0) {
        __m512i w = _mm512_xor_si512(code, _mm512_set1_epi8(-128));
        x = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x);
        code = _mm512_abs_epi8(w);
    }
    __m512i pairs = _mm512_maddubs_epi16(code, x);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
#endif
}

ALWAYS_INLINE int offset_of(vl_dtype dtype) {
#ifndef __AVX512VNNI__
    if (dtype == VL_Q8_0)
        return 0;
#endif
    return panel_offset(dtype);
}

/* Two chains of sums, since each waits four cycles for its last one. */
ALWAYS_INLINE __m512 panel_dot(const panel *w, vl_dtype dtype, const int8_t *q, int32_t sum) {
    const int32_t *x = (const void *)q; /* read in place: a spread from memory is free */
    __m512i low = _mm512_set1_epi32(-offset_of(dtype) * sum), high = _mm512_setzero_si512();
    for (size_t c = 0; c < 4; c++) {
        low = dot_4(low, dtype, w->codes[c], _mm512_set1_epi32(x[c]));
        high = dot_4(high, dtype, w->codes[c + 4], _mm512_set1_epi32(x[c + 4]));
    }
    return _mm512_cvtepi32_ps(_mm512_add_epi32(low, high));
}

/* Weight rows j … j+15 by input rows i … i+inputs-1. */
ALWAYS_INLINE void rows_by_inputs(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                                  const char *weights, size_t n, const float *bias, size_t j,
                                  size_t i, size_t inputs) {
    size_t blocks = x->k / VL_QUANT_BLOCK;
    const char *from[PANEL_ROWS];
    panel_rows(from, weights, quant_row_bytes(dtype, x->k), j, n);
    const int8_t *q = x->q + i * x->k;
    const float *scale = x->scale + i * blocks;
    const int32_t *sum = x->sum + i * blocks;
    __mmask16 mask = panel_mask(j, n);
    __m512 start = bias ? _mm512_maskz_loadu_ps(mask, bias + j) : _mm512_setzero_ps();
    __m512 acc[INPUTS];
    for (size_t s = 0; s < inputs; s++)
        acc[s] = start;
    for (size_t b = 0; b < blocks; b++) {
        panel w;
        panel_build(&w, dtype, from, b);
        for (size_t s = 0; s < inputs; s++) {
            __m512 dot =
                panel_dot(&w, dtype, q + s * x->k + b * VL_QUANT_BLOCK, sum[s * blocks + b]);
            __m512 weight = _mm512_mul_ps(w.scale, _mm512_set1_ps(scale[s * blocks + b]));
            acc[s] = _mm512_fmadd_ps(dot, weight, acc[s]);
        }
    }
    for (size_t s = 0; s < inputs; s++)
        _mm512_mask_storeu_ps(y + (i + s) * n + j, mask, acc[s]);
}

ALWAYS_INLINE void product_of(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                              const char *weights, size_t n, const float *bias) {
    for (size_t j = 0; j < n; j += PANEL_ROWS)
        for (size_t i = 0; i < x->m; i += INPUTS) {
            size_t inputs = x->m - i < INPUTS ? x->m - i : INPUTS;
            if (inputs == 1) /* one sum, kept in a register */
                rows_by_inputs(y, x, dtype, weights, n, bias, j, i, 1);
            else
                rows_by_inputs(y, x, dtype, weights, n, bias, j, i, inputs);
        }
}

static void product(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                    const void *weights, size_t n, const float *restrict bias) {
    if (dtype == VL_Q8_0)
        product_of(y, x, VL_Q8_0, weights, n, bias);
    else if (dtype == VL_Q4_0)
        product_of(y, x, VL_Q4_0, weights, n, bias);
    else
        product_of(y, x, VL_Q2_0, weights, n, bias);
}

#ifdef __AVX512VNNI__
#define VARIANT vl_quant_avx512_vnni
#define VARIANT_NAME "avx512-vnni"
#else
#define VARIANT vl_quant_avx512
#define VARIANT_NAME "avx512"
#endif
extern const vl_quant_kernels VARIANT;
const vl_quant_kernels VARIANT = {
    .name = VARIANT_NAME,
    .round_row = round_row,
    .product = product,
    .to_f32 = to_f32,
    .to_bf16 = to_bf16,
};
