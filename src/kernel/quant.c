/* quant.c — products with quantised weights: where inputs lie in memory, and the promises of
 * the caller, checked before a variant runs. */
#include <vislang/kernel.h>

#include <stdlib.h>

enum { ALIGNMENT = 64 };

static size_t padded(size_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t vl_quant_input_bytes(size_t m, size_t k) {
    size_t most = SIZE_MAX / 2 / (sizeof(int8_t) + sizeof(float) + sizeof(int32_t));
    if (m && k > most / m)
        return 0;
    return padded(m * k) + 2 * padded(m * (k / VL_QUANT_BLOCK) * sizeof(float));
}

vl_quant_input vl_quant_round(void *memory, const float *x, size_t m, size_t k) {
    const vl_quant_kernels *kernels = vl_kernels_get()->quant;
    size_t blocks = k / VL_QUANT_BLOCK;
    if (k % VL_QUANT_BLOCK || (uintptr_t)memory % ALIGNMENT)
        abort();
    int8_t *q = memory;
    float *scale = (float *)((char *)memory + padded(m * k));
    int32_t *sum = (int32_t *)((char *)scale + padded(m * blocks * sizeof *scale));
    for (size_t row = 0; row < m; row++)
        kernels->round_row(q + row * k, scale + row * blocks, sum + row * blocks, x + row * k,
                           k);
    return (vl_quant_input){.m = m, .k = k, .q = q, .scale = scale, .sum = sum};
}

static void require_blocks(vl_dtype dtype, size_t k) {
    size_t block = dtype == VL_Q8_0   ? VL_Q8_0_WEIGHTS
                   : dtype == VL_Q4_0 ? VL_Q4_0_WEIGHTS
                   : dtype == VL_Q2_0 ? VL_Q2_0_WEIGHTS
                                      : 0;
    if (!block || !k || k % block)
        abort();
}

void vl_quant_gemv(float *y, const vl_quant_input *x, vl_dtype dtype, const void *weights,
                   size_t n, const float *bias) {
    require_blocks(dtype, x->k);
    if (x->m && n)
        vl_kernels_get()->quant->product(y, x, dtype, weights, n, bias);
}

void vl_quant_to_f32(float *y, vl_dtype dtype, const void *blocks, size_t k) {
    require_blocks(dtype, k);
    vl_kernels_get()->quant->to_f32(y, dtype, blocks, k);
}

void vl_quant_to_bf16(vl_bf16 *y, vl_dtype dtype, const void *blocks, size_t k) {
    require_blocks(dtype, k);
    vl_kernels_get()->quant->to_bf16(y, dtype, blocks, k);
}
