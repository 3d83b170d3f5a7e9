/* quant_ref.c — products with quantised weights in plain C: what the other variants must
 * equal. */
#include "quant_rows.h"

static int32_t dot_q8_0(const vl_block_q8_0 *w, const int8_t *x) {
    int32_t sum = 0;
    for (size_t i = 0; i < 32; i++)
        sum += w->q[i] * x[i];
    return sum;
}

static int32_t dot_q4_0(const vl_block_q4_0 *w, const int8_t *x) {
    int32_t sum = 0;
    for (size_t i = 0; i < 16; i++)
        sum += ((w->q[i] & 15) - 8) * x[i] + ((w->q[i] >> 4) - 8) * x[i + 16];
    return sum;
}

/* Of half a block (0: weights 0 … 31), in units of d/2: the levels there are -3 -1 1 3. */
static int32_t dot_q2_0(const vl_block_q2_0 *w, size_t half, const int8_t *x) {
    int32_t sum = 0;
    for (size_t i = 0; i < 32; i++) {
        int32_t code = w->q[i % 16] >> 2 * (2 * half + i / 16) & 3;
        sum += (2 * code - 3) * x[i];
    }
    return sum;
}

/* Block `b` of 32 weights of a row, times `x`. */
static float block_product(vl_dtype dtype, const void *row, size_t b, const int8_t *x) {
    if (dtype == VL_Q8_0) {
        const vl_block_q8_0 *w = (const vl_block_q8_0 *)row + b;
        return quant_scale(w->d) * (float)dot_q8_0(w, x);
    }
    if (dtype == VL_Q4_0) {
        const vl_block_q4_0 *w = (const vl_block_q4_0 *)row + b;
        return quant_scale(w->d) * (float)dot_q4_0(w, x);
    }
    const vl_block_q2_0 *w = (const vl_block_q2_0 *)row + b / 2;
    return quant_scale(w->d) * 0.5f * (float)dot_q2_0(w, b % 2, x);
}

static void product(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                    const void *weights, size_t n, const float *restrict bias) {
    size_t blocks = x->k / VL_QUANT_BLOCK, bytes = quant_row_bytes(dtype, x->k);
    for (size_t j = 0; j < n; j++) {
        const char *row = (const char *)weights + j * bytes;
        for (size_t i = 0; i < x->m; i++) {
            float sum = bias ? bias[j] : 0;
            for (size_t b = 0; b < blocks; b++)
                sum += x->scale[i * blocks + b] *
                       block_product(dtype, row, b, x->q + i * x->k + b * VL_QUANT_BLOCK);
            y[i * n + j] = sum;
        }
    }
}

extern const vl_quant_kernels vl_quant_ref;
const vl_quant_kernels vl_quant_ref = {
    .name = "ref",
    .round_row = round_row,
    .product = product,
    .to_f32 = to_f32,
    .to_bf16 = to_bf16,
};
