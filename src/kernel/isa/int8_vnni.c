/* int8_vnni.c — products of 8-bit numbers with AVX-512 VNNI.
 *
 * VNNI multiplies unsigned by signed numbers, so 128 is added to the inputs and 128 · Σ w,
 * which was computed when weights were packed, taken off the sums. A tile of ROWS × PANELS
 * registers of sums reads PANELS registers of weights and ROWS numbers of inputs for ROWS ·
 * PANELS multiplications: what is read stays hidden behind them. */
#include "kernel/isa/int8_panel.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
enum { ROWS = 8, PANELS = 3, DEPTH = 1024 /* numbers of a row at once */ };

/* Where a product stands: `depth` numbers of each row from number `from` on. */
typedef struct block {
    int32_t *y;
    const char *packed;
    size_t n, panel_bytes, from, depth;
} block;

/* As text: gcc 12 keeps fewer sums in registers when it is told what this is. */
ALWAYS_INLINE void add_products(__m512i *sum, __m512i x, __m512i w) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(x), "v"(w));
}

/* `rows` × `panels` are constants where it is inlined. `inputs` [rows,DEPTH] */
ALWAYS_INLINE void tile(const block *b, size_t panel, const uint8_t *inputs, size_t row,
                        size_t rows, size_t panels) {
    __m512i sum[ROWS][PANELS];
    const char *weights[PANELS];
    __mmask16 there[PANELS];
    for (size_t p = 0; p < panels; p++) {
        size_t first = (panel + p) * VL_INT8_PANEL, left = b->n - first;
        const char *at = b->packed + (panel + p) * (b->panel_bytes + sizeof(__m512i));
        __m512i offset = _mm512_loadu_si512(at);
        there[p] = left < VL_INT8_PANEL ? (__mmask16)((1u << left) - 1) : 0xFFFF;
        weights[p] = at + sizeof(__m512i) + b->from * VL_INT8_PANEL;
        for (size_t r = 0; r < rows; r++)
            sum[r][p] =
                b->from ? _mm512_maskz_loadu_epi32(there[p], b->y + (row + r) * b->n + first)
                        : _mm512_sub_epi32(_mm512_setzero_si512(), offset);
    }
    for (size_t i = 0; i < b->depth; i += 4) {
        __m512i w[PANELS];
        for (size_t p = 0; p < panels; p++)
            w[p] = _mm512_loadu_si512(weights[p] + i * VL_INT8_PANEL);
        for (size_t r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, inputs + r * DEPTH + i, sizeof four);
            __m512i x = _mm512_set1_epi32(four);
            for (size_t p = 0; p < panels; p++)
                add_products(&sum[r][p], x, w[p]);
        }
    }
    bool whole = there[panels - 1] == 0xFFFF; /* a store under a mask is slow */
    for (size_t r = 0; r < rows; r++)
        for (size_t p = 0; p < panels; p++) {
            int32_t *to = b->y + (row + r) * b->n + (panel + p) * VL_INT8_PANEL;
            if (whole || p + 1 < panels)
                _mm512_storeu_si512(to, sum[r][p]);
            else
                _mm512_mask_storeu_epi32(to, there[p], sum[r][p]);
        }
}

/* Inputs of `rows` rows without sign, filled up to four with what meets weights of zero. */
ALWAYS_INLINE void take_inputs(uint8_t *to, const int8_t *x, size_t rows, size_t k,
                               size_t depth) {
    const __m512i half = _mm512_set1_epi8(-128);
    for (size_t r = 0; r < rows; r++, x += k, to += DEPTH)
        for (size_t i = 0; i < depth; i += 64) {
            size_t left = depth - i;
            __mmask64 there = left < 64 ? (UINT64_C(1) << left) - 1 : ~UINT64_C(0);
            __m512i some =
                left < 64 ? _mm512_maskz_loadu_epi8(there, x + i) : _mm512_loadu_si512(x + i);
            _mm512_store_si512(to + i, _mm512_xor_si512(some, half));
        }
}

ALWAYS_INLINE void some_rows(const block *b, const uint8_t *inputs, size_t row, size_t rows) {
    size_t panels = vl_int8_panels(b->n), panel = 0;
    for (; panel + 3 <= panels; panel += 3)
        tile(b, panel, inputs, row, rows, 3);
    if (panels - panel == 2)
        tile(b, panel, inputs, row, rows, 2);
    else if (panels - panel == 1)
        tile(b, panel, inputs, row, rows, 1);
}

void vl_int8_product_vnni(int32_t *y, const int8_t *x, size_t m, const void *packed, size_t n,
                          size_t k) {
    _Alignas(64) uint8_t inputs[ROWS * DEPTH];
    block b = {.y = y, .packed = packed, .n = n, .panel_bytes = vl_int8_panel_bytes(k)};
    for (; b.from < k; b.from += DEPTH) {
        b.depth = k - b.from < DEPTH ? k - b.from : DEPTH;
        for (size_t row = 0, rows; row < m; row += rows) {
            size_t left = m - row;
            rows = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
            take_inputs(inputs, x + row * k + b.from, rows, k, b.depth);
            if (rows == 8)
                some_rows(&b, inputs, row, 8);
            else if (rows == 4)
                some_rows(&b, inputs, row, 4);
            else if (rows == 2)
                some_rows(&b, inputs, row, 2);
            else
                some_rows(&b, inputs, row, 1);
        }
    }
}
