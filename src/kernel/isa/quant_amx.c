/* quant_amx.c — products with quantised weights on AMX tiles (Intel SDM volume 1, chapter 18,
 * and volume 2, TDPBSUD), for 8 rows of inputs and more; fewer go to AVX-512 VNNI.
 *
 * One tile product is a panel of weights (quant_panel.h, stored as a tile) times the inputs of
 * its block: [rows, 32] int8 · [32, 16] → [rows, 16] int32. Scales are per block, so the tile
 * of sums is read out after every block; what tiles save is the 8 vpdpbusd and 8 spreads a row.
 *
 * No machine at hand has AMX: the suite runs this file on tiles emulated from the manual
 * (tests/kernel/tiles.h), and it has not run on the hardware. */
#include "quant_panel.h"

extern const vl_quant_kernels vl_quant_avx512_vnni, vl_quant_amx;

enum { FEWEST = 8, MOST = 16 };
/* Macros, because the compiler pastes these numbers into the names of registers. */
#define TILE_SUMS 0
#define TILE_INPUTS 1
#define TILE_WEIGHTS 2

typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;
_Static_assert(sizeof(tile_config) == 64, "what LDTILECFG reads");

/* Constant, because gcc 12 believes that _tile_loadconfig reads 8 bytes and would drop stores
 * to the others. */
#define CONFIG(inputs)                                                                         \
    [(inputs)-FEWEST] = {.palette = 1, .row_bytes = {64, 32, 64}, .rows = {inputs, inputs, 8}}
static const tile_config configs[MOST - FEWEST + 1]
    __attribute__((aligned(64))) = {CONFIG(8),  CONFIG(9),  CONFIG(10), CONFIG(11), CONFIG(12),
                                    CONFIG(13), CONFIG(14), CONFIG(15), CONFIG(16)};

/* Weight rows j … j+15 by input rows i … i+inputs-1; the tiles are configured. */
ALWAYS_INLINE void rows_by_inputs(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                                  const char *weights, size_t n, const float *bias, size_t j,
                                  size_t i, size_t inputs) {
    size_t blocks = x->k / VL_QUANT_BLOCK;
    const char *from[PANEL_ROWS];
    panel_rows(from, weights, quant_row_bytes(dtype, x->k), j, n);
    const float *scale = x->scale + i * blocks;
    const int32_t *sum = x->sum + i * blocks;
    __mmask16 mask = panel_mask(j, n);
    __m512 start = bias ? _mm512_maskz_loadu_ps(mask, bias + j) : _mm512_setzero_ps();
    __m512 acc[MOST];
    __m512i dots[MOST];
    for (size_t s = 0; s < inputs; s++)
        acc[s] = start;
    for (size_t b = 0; b < blocks; b++) {
        panel w;
        panel_build(&w, dtype, from, b);
        _tile_zero(TILE_SUMS);
        _tile_loadd(TILE_INPUTS, x->q + i * x->k + b * VL_QUANT_BLOCK, x->k);
        _tile_loadd(TILE_WEIGHTS, w.codes, sizeof *w.codes);
        _tile_dpbsud(TILE_SUMS, TILE_INPUTS, TILE_WEIGHTS);
        _tile_stored(TILE_SUMS, dots, sizeof *dots);
        for (size_t s = 0; s < inputs; s++) {
            __m512i offset = _mm512_set1_epi32(panel_offset(dtype) * sum[s * blocks + b]);
            __m512 dot = _mm512_cvtepi32_ps(_mm512_sub_epi32(dots[s], offset));
            __m512 weight = _mm512_mul_ps(w.scale, _mm512_set1_ps(scale[s * blocks + b]));
            acc[s] = _mm512_fmadd_ps(dot, weight, acc[s]);
        }
    }
    for (size_t s = 0; s < inputs; s++)
        _mm512_mask_storeu_ps(y + (i + s) * n + j, mask, acc[s]);
}

ALWAYS_INLINE void product_of(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                              const char *weights, size_t n, const float *bias, size_t i,
                              size_t inputs) {
    for (size_t j = 0; j < n; j += PANEL_ROWS)
        rows_by_inputs(y, x, dtype, weights, n, bias, j, i, inputs);
}

static void product(float *restrict y, const vl_quant_input *x, vl_dtype dtype,
                    const void *weights, size_t n, const float *restrict bias) {
    size_t i = 0;
    while (x->m - i >= FEWEST) {
        size_t inputs = x->m - i < MOST ? x->m - i : MOST;
        _tile_loadconfig(&configs[inputs - FEWEST]);
        if (dtype == VL_Q8_0)
            product_of(y, x, VL_Q8_0, weights, n, bias, i, inputs);
        else if (dtype == VL_Q4_0)
            product_of(y, x, VL_Q4_0, weights, n, bias, i, inputs);
        else
            product_of(y, x, VL_Q2_0, weights, n, bias, i, inputs);
        _tile_release();
        i += inputs;
    }
    if (i == x->m)
        return;
    size_t blocks = x->k / VL_QUANT_BLOCK;
    vl_quant_input rest = {.m = x->m - i,
                           .k = x->k,
                           .q = x->q + i * x->k,
                           .scale = x->scale + i * blocks,
                           .sum = x->sum + i * blocks};
    vl_quant_avx512_vnni.product(y + i * n, &rest, dtype, weights, n, bias);
}

const vl_quant_kernels vl_quant_amx = {
    .name = "amx",
    .round_row = round_row,
    .product = product,
    .to_f32 = to_f32,
    .to_bf16 = to_bf16,
};
