/* quant_neon.c — products with quantised weights on 64-bit Arm. Compiled twice: for any such
 * processor, and with the dot-product instructions (sdot, ARMv8.2), which dispatch.c takes
 * where the kernel reports them. */
#include "quant_rows.h"

#include <arm_neon.h>

typedef int8x16x2_t codes;
typedef float32x4_t sums;

static inline codes codes_q8_0(const vl_block_q8_0 *block) {
    return (codes){{vld1q_s8(block->q), vld1q_s8(block->q + 16)}};
}

static inline codes codes_q4_0(const vl_block_q4_0 *block) {
    uint8x16_t pairs = vld1q_u8(block->q);
    int8x16_t low = vreinterpretq_s8_u8(vandq_u8(pairs, vdupq_n_u8(15)));
    int8x16_t high = vreinterpretq_s8_u8(vshrq_n_u8(pairs, 4));
    return (codes){{vsubq_s8(low, vdupq_n_s8(8)), vsubq_s8(high, vdupq_n_s8(8))}};
}

static inline codes codes_q2_0(const vl_block_q2_0 *block, size_t half) {
    static const int8_t levels[16] = {-3, -1, 1, 3};
    int8x16_t table = vld1q_s8(levels);
    uint8x16_t fours = vld1q_u8(block->q);
    if (half)
        fours = vshrq_n_u8(fours, 4);
    uint8x16_t low = vandq_u8(fours, vdupq_n_u8(3));
    uint8x16_t high = vandq_u8(vshrq_n_u8(fours, 2), vdupq_n_u8(3));
    return (codes){{vqtbl1q_s8(table, low), vqtbl1q_s8(table, high)}};
}

static inline sums spread(uint16_t half) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half)));
}

static inline sums sums_zero(void) {
    return vdupq_n_f32(0);
}

/* Four lanes whose sum is the dot product. Without sdot: two products of bytes fit 16 bits
 * (2 · 128 · 127 = 32512), so each pair is added to its neighbour before it widens. */
static inline int32x4_t dot(codes w, int8x16_t x0, int8x16_t x1) {
#ifdef __ARM_FEATURE_DOTPROD
    return vdotq_s32(vdotq_s32(vdupq_n_s32(0), w.val[0], x0), w.val[1], x1);
#else
    int16x8_t low = vmull_s8(vget_low_s8(w.val[0]), vget_low_s8(x0));
    int16x8_t high = vmull_s8(vget_low_s8(w.val[1]), vget_low_s8(x1));
    low = vmlal_high_s8(low, w.val[0], x0);
    high = vmlal_high_s8(high, w.val[1], x1);
    return vpadalq_s16(vpaddlq_s16(low), high);
#endif
}

static inline sums sums_add_dot(sums acc, codes w, sums d, const int8_t *x,
                                const float *scale) {
    float32x4_t total = vcvtq_f32_s32(dot(w, vld1q_s8(x), vld1q_s8(x + 16)));
    return vfmaq_f32(acc, total, vmulq_n_f32(d, *scale));
}

static inline float sums_total(sums acc) {
    return vaddvq_f32(acc);
}

#include "quant_dot.h"

#ifdef __ARM_FEATURE_DOTPROD
#define VARIANT vl_quant_neon_dot
#define VARIANT_NAME "neon-dot"
#else
#define VARIANT vl_quant_neon
#define VARIANT_NAME "neon"
#endif
extern const vl_quant_kernels VARIANT;
const vl_quant_kernels VARIANT = {
    .name = VARIANT_NAME,
    .round_row = round_row,
    .product = product,
    .to_f32 = to_f32,
    .to_bf16 = to_bf16,
};
