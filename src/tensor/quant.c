/* quant.c — rows of f32 into quantised blocks and back: the plain reference.
 *
 * For a given scale the best codes are the nearest levels, and for given codes the best scale
 * is the least-squares one, sum(x q) / sum(q q). What is searched is the pair with the least
 * squared error; the codes that are stored are those of the scale as it is stored, rounded to
 * f16. */
#include <vislang/tensor.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_F16 65504.0f

static float largest_magnitude(const float *x, size_t n) {
    float largest = 0;
    for (size_t i = 0; i < n; i++) {
        float magnitude = fabsf(x[i]);
        if (magnitude > largest)
            largest = magnitude;
    }
    return largest;
}

/* VL_ERR_INPUT: not finite; VL_ERR_LIMIT: even the outermost level cannot reach `x` (f16 scales
 * end at 65504). */
static vl_status check_range(const float *x, size_t n, float outermost_level) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return VL_ERR_INPUT;
    }
    return largest_magnitude(x, n) > outermost_level * LARGEST_F16 ? VL_ERR_LIMIT : VL_OK;
}

static long nearest_code(float value, long lowest, long highest) {
    if (value <= (float)lowest)
        return lowest;
    return value >= (float)highest ? highest : lrintf(value);
}

/* ---- q8_0 ----------------------------------------------------------------------- */

static void encode_q8_0(const float *x, vl_block_q8_0 *block) {
    block->d = vl_f32_to_f16(largest_magnitude(x, VL_Q8_0_WEIGHTS) / 127.0f);
    /* Codes for the scale that the decoder will see, not the one before rounding. */
    float d = vl_f16_to_f32(block->d);
    for (size_t i = 0; i < VL_Q8_0_WEIGHTS; i++)
        block->q[i] = (int8_t)(d > 0 ? nearest_code(x[i] / d, -127, 127) : 0);
}

static void decode_q8_0(const vl_block_q8_0 *block, float *out) {
    float d = vl_f16_to_f32(block->d);
    for (size_t i = 0; i < VL_Q8_0_WEIGHTS; i++)
        out[i] = d * (float)block->q[i];
}

/* ---- q4_0 ----------------------------------------------------------------------- */

/* Levels -8 … 7 times d, and d may be negative, so that the side with the larger weight gets
 * the eighth level. The grid puts the weight of largest magnitude on levels from 9.2 down
 * to 5.1, for either sign: further down the outliers are clipped too much for any distribution.
 */
enum { GRID_STEPS = 24 };
static const float grid_outermost = 9.2f, grid_step = 0.18f;

/* To the nearest whole number, ties to even, for |value| < 2^22: the sum has no fraction bits.
 */
static float round_small(float value) {
    const float shift = 0x1.8p23f;
    return (value + shift) - shift;
}

/* Codes of a block under the scale 1 / `inverse`, as whole numbers from -8 to 7. */
static void codes_q4_0(const float *x, float inverse, float q[VL_Q4_0_WEIGHTS]) {
    for (size_t i = 0; i < VL_Q4_0_WEIGHTS; i++) {
        float level = x[i] * inverse;
        level = level < -8.0f ? -8.0f : level;
        level = level > 7.0f ? 7.0f : level;
        q[i] = round_small(level);
    }
}

/* With the codes under 1 / `inverse` and their own best scale d, sum(x q) / sum(q q), the error
 * is sum(x x) - gain. Keeps d where the gain is larger than *best_gain. */
static void try_q4_0(const float *x, float inverse, float *best_gain, float *best_d) {
    float q[VL_Q4_0_WEIGHTS], xq = 0, qq = 0;
    codes_q4_0(x, inverse, q);
    for (size_t i = 0; i < VL_Q4_0_WEIGHTS; i++) {
        xq += x[i] * q[i];
        qq += q[i] * q[i];
    }
    if (qq > 0 && xq * (xq / qq) > *best_gain) {
        *best_gain = xq * (xq / qq);
        *best_d = xq / qq;
    }
}

/* The exponent is taken out first, so that no product here leaves the range of f32. */
static float best_scale_q4_0(const float *x, float largest) {
    float scaled[VL_Q4_0_WEIGHTS], gain = 0, d = 0;
    int exponent;
    if (largest == 0)
        return 0;
    frexpf(largest, &exponent);
    for (size_t i = 0; i < VL_Q4_0_WEIGHTS; i++)
        scaled[i] = ldexpf(x[i], -exponent);
    float top = ldexpf(largest, -exponent); /* 0.5 … 1 */
    for (int step = 0; step < GRID_STEPS; step++) {
        float inverse = (grid_outermost - grid_step * (float)step) / top;
        try_q4_0(scaled, inverse, &gain, &d);
        try_q4_0(scaled, -inverse, &gain, &d);
    }
    try_q4_0(scaled, 8.0f / top, &gain, &d); /* what ggml's own encoder takes */
    try_q4_0(scaled, -8.0f / top, &gain, &d);
    return fmaxf(-LARGEST_F16, fminf(LARGEST_F16, ldexpf(d, exponent)));
}

static void encode_q4_0(const float *x, vl_block_q4_0 *block) {
    float q[VL_Q4_0_WEIGHTS] = {0}, largest = largest_magnitude(x, VL_Q4_0_WEIGHTS);
    block->d = vl_f32_to_f16(best_scale_q4_0(x, largest));
    float d = vl_f16_to_f32(block->d);
    if (d != 0)
        codes_q4_0(x, 1.0f / d, q);
    for (size_t i = 0; i < 16; i++)
        block->q[i] = (uint8_t)((int)(q[i] + 8) | (int)(q[i + 16] + 8) << 4);
}

static void decode_q4_0(const vl_block_q4_0 *block, float *out) {
    float d = vl_f16_to_f32(block->d);
    for (size_t i = 0; i < 16; i++) {
        out[i] = d * (float)((block->q[i] & 15) - 8);
        out[i + 16] = d * (float)((block->q[i] >> 4) - 8);
    }
}

/* ---- q2_0 ----------------------------------------------------------------------- */

static int descending(const void *a, const void *b) {
    float left = *(const float *)a, right = *(const float *)b;
    return (left < right) - (left > right);
}

/* The optimum, without a grid: the k largest magnitudes take level 1.5 and the others 0.5 for
 * some k, and with c for those levels the error of the best d is sum(x x) - sum(|x| c)^2 /
 * sum(c c), so the k with the largest last term wins. */
static float best_scale_q2_0(const float *x) {
    float magnitude[VL_Q2_0_WEIGHTS];
    double xc = 0, cc = 0.25 * VL_Q2_0_WEIGHTS, best = -1, d = 0;
    for (size_t i = 0; i < VL_Q2_0_WEIGHTS; i++) {
        magnitude[i] = fabsf(x[i]);
        xc += 0.5 * (double)magnitude[i];
    }
    qsort(magnitude, VL_Q2_0_WEIGHTS, sizeof *magnitude, descending);
    for (size_t k = 0; k <= VL_Q2_0_WEIGHTS; k++) {
        if (xc * xc / cc > best && xc / cc <= LARGEST_F16) {
            best = xc * xc / cc;
            d = xc / cc;
        }
        if (k < VL_Q2_0_WEIGHTS) {
            xc += (double)magnitude[k];
            cc += 2.0; /* 1.5^2 - 0.5^2 */
        }
    }
    return (float)d;
}

static void encode_q2_0(const float *x, vl_block_q2_0 *block) {
    block->d = vl_f32_to_f16(best_scale_q2_0(x));
    float d = vl_f16_to_f32(block->d);
    memset(block->q, 0, sizeof block->q);
    for (size_t i = 0; i < VL_Q2_0_WEIGHTS; i++) {
        unsigned outer = fabsf(x[i]) > d;
        unsigned code = x[i] < 0 ? 1 - outer : 2 + outer;
        block->q[i % 16] |= (uint8_t)(code << 2 * (i / 16));
    }
}

static void decode_q2_0(const vl_block_q2_0 *block, float *out) {
    float d = vl_f16_to_f32(block->d);
    for (size_t i = 0; i < VL_Q2_0_WEIGHTS; i++)
        out[i] = d * ((float)(block->q[i % 16] >> 2 * (i / 16) & 3) - 1.5f);
}

/* ---- rows ----------------------------------------------------------------------- */

/* The outermost level of a type: what an f16 scale is multiplied with at most. */
static float outermost_level(vl_dtype dtype) {
    return dtype == VL_Q8_0 ? 127.0f : dtype == VL_Q4_0 ? 7.0f : 1.5f;
}

static vl_status quantize_blocks(vl_dtype dtype, const float *x, size_t n, void *out) {
    size_t block = vl_dtype_block(dtype);
    vl_status status = check_range(x, n, outermost_level(dtype));
    for (size_t i = 0; status == VL_OK && i < n / block; i++) {
        const float *from = x + i * block;
        if (dtype == VL_Q8_0)
            encode_q8_0(from, (vl_block_q8_0 *)out + i);
        else if (dtype == VL_Q4_0)
            encode_q4_0(from, (vl_block_q4_0 *)out + i);
        else
            encode_q2_0(from, (vl_block_q2_0 *)out + i);
    }
    return status;
}

vl_status vl_quantize_row(vl_dtype dtype, const float *x, size_t n, void *out) {
    if ((unsigned)dtype >= VL_DTYPE_COUNT || n % vl_dtype_block(dtype))
        return VL_ERR_USAGE;
    uint16_t *halves = out;
    switch (dtype) {
    case VL_F32:
        if (n)
            memcpy(out, x, n * sizeof *x);
        return VL_OK;
    case VL_F16:
        for (size_t i = 0; i < n; i++)
            halves[i] = vl_f32_to_f16(x[i]);
        return VL_OK;
    case VL_BF16:
        for (size_t i = 0; i < n; i++)
            halves[i] = vl_f32_to_bf16(x[i]);
        return VL_OK;
    case VL_Q8_0:
    case VL_Q4_0:
    case VL_Q2_0:
        return quantize_blocks(dtype, x, n, out);
    default:
        return VL_ERR_UNSUPPORTED;
    }
}

/* for every element of a plain type */
#define EACH(type, expression)                                                                 \
    do {                                                                                       \
        const type *values = row;                                                              \
        for (size_t i = 0; i < n; i++)                                                         \
            out[i] = (expression);                                                             \
    } while (0)
/* for every block of a quantised one */
#define EACH_BLOCK(type, weights, decode)                                                      \
    do {                                                                                       \
        const type *blocks = row;                                                              \
        for (size_t i = 0; i < n / (weights); i++)                                             \
            decode(blocks + i, out + i * (weights));                                           \
    } while (0)

vl_status vl_dequantize_row(vl_dtype dtype, const void *row, size_t n, float *out) {
    if ((unsigned)dtype >= VL_DTYPE_COUNT || n % vl_dtype_block(dtype))
        return VL_ERR_USAGE;
    switch (dtype) {
    case VL_F32:
        EACH(float, values[i]);
        break;
    case VL_F16:
        EACH(uint16_t, vl_f16_to_f32(values[i]));
        break;
    case VL_BF16:
        EACH(uint16_t, vl_bf16_to_f32(values[i]));
        break;
    case VL_I8:
        EACH(int8_t, (float)values[i]);
        break;
    case VL_U8:
        EACH(uint8_t, (float)values[i]);
        break;
    case VL_I16:
        EACH(int16_t, (float)values[i]);
        break;
    case VL_I32:
        EACH(int32_t, (float)values[i]);
        break;
    case VL_I64:
        EACH(int64_t, (float)values[i]);
        break;
    case VL_F64:
        EACH(double, (float)values[i]);
        break;
    case VL_Q8_0:
        EACH_BLOCK(vl_block_q8_0, VL_Q8_0_WEIGHTS, decode_q8_0);
        break;
    case VL_Q4_0:
        EACH_BLOCK(vl_block_q4_0, VL_Q4_0_WEIGHTS, decode_q4_0);
        break;
    case VL_Q2_0:
        EACH_BLOCK(vl_block_q2_0, VL_Q2_0_WEIGHTS, decode_q2_0);
        break;
    case VL_DTYPE_COUNT:
        break;
    }
    return VL_OK;
}
