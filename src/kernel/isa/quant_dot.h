/* quant_dot.h — products with quantised weights, row by row: for vectors of 16 or 32 bytes.
 *
 * The file that includes this (quant_avx2.c, quant_neon.c) defines, for its instruction set,
 *   codes                       32 weights as signed bytes
 *   sums                        a vector of floats
 *   codes_q8_0(block), codes_q4_0(block), codes_q2_0(block, half)
 *   spread(half)                an f16 scale in every lane of a `sums`
 *   sums_zero()
 *   sums_add_dot(acc, w, d, x, scale)   acc += d · scale · (w · x), 32 weights, x int8
 *   sums_total(acc)             of its lanes
 * q2_0 codes are 2·code − 3, in units of d/2.
 *
 * A tile of weight rows meets a tile of input rows: each unpacked block of weights serves
 * several inputs, and several sums run beside each other, which hides the latency of one. */
#ifndef VISLANG_KERNEL_QUANT_DOT_H
#define VISLANG_KERNEL_QUANT_DOT_H

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE codes codes_of(vl_dtype dtype, const char *row, size_t b) {
    if (dtype == VL_Q8_0)
        return codes_q8_0((const vl_block_q8_0 *)(const void *)row + b);
    if (dtype == VL_Q4_0)
        return codes_q4_0((const vl_block_q4_0 *)(const void *)row + b);
    return codes_q2_0((const vl_block_q2_0 *)(const void *)row + b / 2, b % 2);
}

ALWAYS_INLINE sums scale_of(vl_dtype dtype, const char *row, size_t b) {
    if (dtype == VL_Q8_0)
        return spread(((const vl_block_q8_0 *)(const void *)row + b)->d);
    if (dtype == VL_Q4_0)
        return spread(((const vl_block_q4_0 *)(const void *)row + b)->d);
    return spread(((const vl_block_q2_0 *)(const void *)row + b / 2)->d);
}

/* Weight rows j … j+rows-1 by input rows i … i+inputs-1. */
ALWAYS_INLINE void tile(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                        const char *weights, size_t n, const float *bias, size_t j, size_t i,
                        const size_t rows, const size_t inputs) {
    size_t blocks = x->k / VL_QUANT_BLOCK, bytes = quant_row_bytes(dtype, x->k);
    const char *row = weights + j * bytes;
    const int8_t *q = x->q + i * x->k;
    const float *scale = x->scale + i * blocks;
    sums acc[4][4];
    for (size_t r = 0; r < rows; r++)
        for (size_t s = 0; s < inputs; s++)
            acc[r][s] = sums_zero();
    for (size_t b = 0; b < blocks; b++)
        for (size_t r = 0; r < rows; r++) {
            codes w = codes_of(dtype, row + r * bytes, b);
            sums d = scale_of(dtype, row + r * bytes, b);
            for (size_t s = 0; s < inputs; s++)
                acc[r][s] = sums_add_dot(acc[r][s], w, d, q + s * x->k + b * VL_QUANT_BLOCK,
                                         scale + s * blocks + b);
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t s = 0; s < inputs; s++)
            y[(i + s) * n + j + r] = sums_total(acc[r][s]) * (dtype == VL_Q2_0 ? 0.5f : 1.0f) +
                                     (bias ? bias[j + r] : 0.0f);
}

/* All inputs with a tile of weight rows, which stay in the first cache meanwhile. */
ALWAYS_INLINE void rows_by_inputs(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                                  const char *weights, size_t n, const float *bias, size_t j,
                                  const size_t rows) {
    size_t i = 0;
    for (; i + 4 <= x->m; i += 4)
        tile(y, x, dtype, weights, n, bias, j, i, rows, 4);
    for (; i + 2 <= x->m; i += 2)
        tile(y, x, dtype, weights, n, bias, j, i, rows, 2);
    if (i < x->m)
        tile(y, x, dtype, weights, n, bias, j, i, rows, 1);
}

ALWAYS_INLINE void product_of(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                              const char *weights, size_t n, const float *bias) {
    size_t j = 0;
    if (x->m == 1)
        for (; j + 4 <= n; j += 4)
            tile(y, x, dtype, weights, n, bias, j, 0, 4, 1);
    for (; j + 2 <= n; j += 2)
        rows_by_inputs(y, x, dtype, weights, n, bias, j, 2);
    if (j < n)
        rows_by_inputs(y, x, dtype, weights, n, bias, j, 1);
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

#endif
