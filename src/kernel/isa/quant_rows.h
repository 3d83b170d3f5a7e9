/* quant_rows.h — what every variant of the quantised kernels has in plain C: rounding of inputs
 * and unpacking of weights into floats. Included by each quant_<isa>.c, so that the compiler
 * makes vectors of these loops for that instruction set; multiplications only, no sums of
 * floats, so every variant gives the same bits. */
#ifndef VISLANG_KERNEL_QUANT_ROWS_H
#define VISLANG_KERNEL_QUANT_ROWS_H

#include <vislang/kernel.h>

#include <math.h>
#include <string.h>

static inline uint32_t quant_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float quant_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* As vl_f16_to_f32, in line. */
static inline float quant_scale(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7FFF;
    if (magnitude >= 0x7C00)
        return quant_float(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
    if (magnitude >= 0x0400)
        return quant_float(sign | ((magnitude << 13) + 0x38000000));
    float value = (float)magnitude * 0x1p-24f;
    return sign ? -value : value;
}

static inline size_t quant_row_bytes(vl_dtype dtype, size_t k) {
    return dtype == VL_Q8_0   ? k / VL_Q8_0_WEIGHTS * sizeof(vl_block_q8_0)
           : dtype == VL_Q4_0 ? k / VL_Q4_0_WEIGHTS * sizeof(vl_block_q4_0)
                              : k / VL_Q2_0_WEIGHTS * sizeof(vl_block_q2_0);
}

static void round_row(int8_t *restrict q, float *restrict scale, int32_t *restrict sum,
                      const float *restrict x, size_t k) {
    for (size_t b = 0; b < k / VL_QUANT_BLOCK; b++, x += VL_QUANT_BLOCK, q += VL_QUANT_BLOCK) {
        /* The largest magnitude by its bits: there a NaN is larger than any number. */
        uint32_t most = 0;
        for (size_t i = 0; i < VL_QUANT_BLOCK; i++) {
            uint32_t magnitude = quant_bits(x[i]) & 0x7FFFFFFF;
            most = magnitude > most ? magnitude : most;
        }
        float largest = quant_float(most);
        if (most >= 0x7F800000 || largest < 1e-30f) {
            memset(q, 0, VL_QUANT_BLOCK);
            scale[b] = most >= 0x7F800000 ? NAN : 0.0f;
            sum[b] = 0;
            continue;
        }
        float inverse = 127.0f / largest;
        int32_t total = 0;
        for (size_t i = 0; i < VL_QUANT_BLOCK; i++) {
            int32_t code = (int32_t)__builtin_rintf(x[i] * inverse); /* ties to even */
            q[i] = (int8_t)code;
            total += code;
        }
        scale[b] = largest / 127.0f;
        sum[b] = total;
    }
}

/* ---- weights as floats ---------------------------------------------------------- */

static inline void unpack_q8_0(float *restrict y, const vl_block_q8_0 *block) {
    float d = quant_scale(block->d);
    for (size_t i = 0; i < 32; i++)
        y[i] = d * (float)block->q[i];
}

static inline void unpack_q4_0(float *restrict y, const vl_block_q4_0 *block) {
    float d = quant_scale(block->d);
    for (size_t i = 0; i < 16; i++)
        y[i] = d * (float)((block->q[i] & 15) - 8);
    for (size_t i = 0; i < 16; i++)
        y[i + 16] = d * (float)((block->q[i] >> 4) - 8);
}

static inline void unpack_q2_0(float *restrict y, const vl_block_q2_0 *block) {
    float d = quant_scale(block->d);
    for (size_t part = 0; part < 4; part++)
        for (size_t i = 0; i < 16; i++)
            y[16 * part + i] = d * ((float)(block->q[i] >> 2 * part & 3) - 1.5f);
}

static void to_f32(float *restrict y, vl_dtype dtype, const void *blocks, size_t k) {
    if (dtype == VL_Q8_0)
        for (size_t b = 0; b < k / VL_Q8_0_WEIGHTS; b++)
            unpack_q8_0(y + b * VL_Q8_0_WEIGHTS, (const vl_block_q8_0 *)blocks + b);
    else if (dtype == VL_Q4_0)
        for (size_t b = 0; b < k / VL_Q4_0_WEIGHTS; b++)
            unpack_q4_0(y + b * VL_Q4_0_WEIGHTS, (const vl_block_q4_0 *)blocks + b);
    else
        for (size_t b = 0; b < k / VL_Q2_0_WEIGHTS; b++)
            unpack_q2_0(y + b * VL_Q2_0_WEIGHTS, (const vl_block_q2_0 *)blocks + b);
}

static void to_bf16(vl_bf16 *restrict y, vl_dtype dtype, const void *blocks, size_t k) {
    enum { PART = 64 }; /* a multiple of every block */
    float part[PART];
    const char *from = blocks;
    for (size_t i = 0; i < k; i += PART, from += quant_row_bytes(dtype, PART)) {
        size_t count = k - i < PART ? k - i : PART;
        to_f32(part, dtype, from, count);
        for (size_t j = 0; j < count; j++) {
            uint32_t bits = quant_bits(part[j]);
            bool nan = (bits & 0x7FFFFFFF) > 0x7F800000;
            uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
            y[i + j] = (vl_bf16)(nan ? bits >> 16 | 0x40 : rounded);
        }
    }
}

#endif
