/* quant_avx2.c — products with quantised weights on AVX2, FMA and F16C.
 *
 * vpmaddubsw multiplies unsigned by signed bytes and adds pairs into 16 bits that saturate: it
 * gets |w| (at most 128) and x with the sign of w (at most 127), so that a pair is at most
 * 32512 and fits. */
#include "quant_rows.h"

#include <immintrin.h>

typedef __m256i codes;
typedef __m256 sums;

static inline codes codes_q8_0(const vl_block_q8_0 *block) {
    return _mm256_loadu_si256((const __m256i *)(const void *)block->q);
}

static inline codes codes_q4_0(const vl_block_q4_0 *block) {
    __m128i pairs = _mm_loadu_si128((const __m128i *)(const void *)block->q);
    __m256i both = _mm256_set_m128i(_mm_srli_epi16(pairs, 4), pairs);
    return _mm256_sub_epi8(_mm256_and_si256(both, _mm256_set1_epi8(15)), _mm256_set1_epi8(8));
}

static inline codes codes_q2_0(const vl_block_q2_0 *block, size_t half) {
    __m128i fours = _mm_loadu_si128((const __m128i *)(const void *)block->q);
    if (half)
        fours = _mm_srli_epi16(fours, 4);
    __m256i both = _mm256_set_m128i(_mm_srli_epi16(fours, 2), fours);
    const __m128i levels = _mm_set_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, -1, -3);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(levels),
                               _mm256_and_si256(both, _mm256_set1_epi8(3)));
}

static inline sums spread(uint16_t half) {
    return _mm256_cvtph_ps(_mm_set1_epi16((int16_t)half));
}

static inline sums sums_zero(void) {
    return _mm256_setzero_ps();
}

static inline sums sums_add_dot(sums acc, codes w, sums d, const int8_t *x,
                                const float *scale) {
    __m256i signed_x = _mm256_sign_epi8(_mm256_load_si256((const __m256i *)(const void *)x), w);
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), signed_x);
    __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    __m256 weight = _mm256_mul_ps(d, _mm256_broadcast_ss(scale));
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(fours), weight, acc);
}

static inline float sums_total(sums acc) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(acc), _mm256_extractf128_ps(acc, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

#include "quant_dot.h"

extern const vl_quant_kernels vl_quant_avx2;
const vl_quant_kernels vl_quant_avx2 = {
    .name = "avx2",
    .round_row = round_row,
    .product = product,
    .to_f32 = to_f32,
    .to_bf16 = to_bf16,
};
