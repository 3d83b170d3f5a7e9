/* quant_panel.h — a panel of quantised weights for AVX-512 and for AMX tiles.
 *
 * A panel is 16 rows of weights by one block of 32: eight vectors, lane r of vector c holding
 * the codes 4c … 4c+3 of row r. That is the order in which vpdpbusd meets four inputs spread
 * over all lanes, and the order of a tile of weights; the sums of 16 rows stay in 16 lanes, so
 * nothing is ever added across a vector and a scale is one vector for 16 rows. Building a panel
 * costs about 60 instructions and each row of inputs about 15 after that.
 *
 * Codes are unsigned: what they stand for is code − offset, times the f16 scale (half of it
 * for q2_0). Σ (code − offset) · x = Σ code · x − offset · Σ x, and Σ x comes with the input.
 */
#ifndef VISLANG_KERNEL_QUANT_PANEL_H
#define VISLANG_KERNEL_QUANT_PANEL_H

#include "quant_rows.h"

#include <immintrin.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
enum { PANEL_ROWS = 16, PANEL_VECTORS = 8 };

typedef struct panel {
    __m512i codes[PANEL_VECTORS];
    __m512 scale;
} panel;

ALWAYS_INLINE int panel_offset(vl_dtype dtype) {
    return dtype == VL_Q8_0 ? 128 : dtype == VL_Q4_0 ? 8 : 3;
}

/* 16 rows of 16 bytes, of which `from[r] + at` is the r-th: out[c] lane r = bytes 4c … 4c+3 of
 * row r. */
ALWAYS_INLINE void turn_16(__m512i out[4], const char *const from[PANEL_ROWS], size_t at) {
    __m512i in[4];
    for (size_t i = 0; i < 4; i++) {
        in[i] = _mm512_castsi128_si512(_mm_loadu_si128((const void *)(from[i] + at)));
        in[i] = _mm512_inserti32x4(in[i], _mm_loadu_si128((const void *)(from[i + 4] + at)), 1);
        in[i] = _mm512_inserti32x4(in[i], _mm_loadu_si128((const void *)(from[i + 8] + at)), 2);
        in[i] =
            _mm512_inserti32x4(in[i], _mm_loadu_si128((const void *)(from[i + 12] + at)), 3);
    }
    __m512i low01 = _mm512_unpacklo_epi32(in[0], in[1]);
    __m512i high01 = _mm512_unpackhi_epi32(in[0], in[1]);
    __m512i low23 = _mm512_unpacklo_epi32(in[2], in[3]);
    __m512i high23 = _mm512_unpackhi_epi32(in[2], in[3]);
    out[0] = _mm512_unpacklo_epi64(low01, low23);
    out[1] = _mm512_unpackhi_epi64(low01, low23);
    out[2] = _mm512_unpacklo_epi64(high01, high23);
    out[3] = _mm512_unpackhi_epi64(high01, high23);
}

ALWAYS_INLINE __m512 panel_scales(const char *const from[PANEL_ROWS], size_t at) {
#define HALF(r) (*(const int16_t *)(const void *)(from[r] + at))
    __m256i halves = _mm256_setr_epi16(HALF(0), HALF(1), HALF(2), HALF(3), HALF(4), HALF(5),
                                       HALF(6), HALF(7), HALF(8), HALF(9), HALF(10), HALF(11),
                                       HALF(12), HALF(13), HALF(14), HALF(15));
#undef HALF
    return _mm512_cvtph_ps(halves);
}

/* Block `b` of 32 of the rows `from`. */
ALWAYS_INLINE void panel_build(panel *out, vl_dtype dtype, const char *const from[PANEL_ROWS],
                               size_t b) {
    if (dtype == VL_Q8_0) {
        size_t at = b * sizeof(vl_block_q8_0);
        turn_16(out->codes, from, at + offsetof(vl_block_q8_0, q));
        turn_16(out->codes + 4, from, at + offsetof(vl_block_q8_0, q) + 16);
        for (size_t c = 0; c < PANEL_VECTORS; c++) /* −128 … 127 becomes 0 … 255 */
            out->codes[c] = _mm512_xor_si512(out->codes[c], _mm512_set1_epi8(-128));
        out->scale = panel_scales(from, at);
    } else if (dtype == VL_Q4_0) {
        size_t at = b * sizeof(vl_block_q4_0);
        const __m512i mask = _mm512_set1_epi8(15);
        __m512i pairs[4];
        turn_16(pairs, from, at + offsetof(vl_block_q4_0, q));
        for (size_t c = 0; c < 4; c++) {
            out->codes[c] = _mm512_and_si512(pairs[c], mask);
            out->codes[c + 4] = _mm512_and_si512(_mm512_srli_epi32(pairs[c], 4), mask);
        }
        out->scale = panel_scales(from, at);
    } else { /* twice the code, so that the offset is the whole number 3 */
        size_t at = b / 2 * sizeof(vl_block_q2_0);
        const __m512i mask = _mm512_set1_epi8(6);
        __m512i fours[4];
        turn_16(fours, from, at + offsetof(vl_block_q2_0, q));
        for (size_t c = 0; c < 4; c++) {
            __m512i twice =
                b % 2 ? _mm512_srli_epi32(fours[c], 3) : _mm512_slli_epi32(fours[c], 1);
            out->codes[c] = _mm512_and_si512(twice, mask);
            out->codes[c + 4] =
                _mm512_and_si512(_mm512_srli_epi32(fours[c], b % 2 ? 5 : 1), mask);
        }
        out->scale = _mm512_mul_ps(panel_scales(from, at), _mm512_set1_ps(0.5f));
    }
}

/* The 16 rows from `j` on; past the last one the last again, whose results nobody stores. */
ALWAYS_INLINE void panel_rows(const char *from[PANEL_ROWS], const char *weights, size_t bytes,
                              size_t j, size_t n) {
    for (size_t r = 0; r < PANEL_ROWS; r++)
        from[r] = weights + (j + r < n ? j + r : n - 1) * bytes;
}

ALWAYS_INLINE __mmask16 panel_mask(size_t j, size_t n) {
    return (__mmask16)(n - j >= PANEL_ROWS ? 0xFFFF : (1u << (n - j)) - 1);
}

#endif
