/* tiles.h — AMX tiles in plain C, as the manual has them (Intel SDM volume 2: LDTILECFG,
 * TILELOADD, TILESTORED, TILEZERO, TDPBSUD), so that src/kernel/isa/quant_amx.c runs where no
 * processor has them. Forced in front of that file: the compiler's intrinsics are replaced.
 * A use that faults on the hardware aborts here. What this cannot show: speed, and what the
 * compiler makes of the real intrinsics. */
#ifndef VISLANG_TESTS_KERNEL_TILES_H
#define VISLANG_TESTS_KERNEL_TILES_H

#include <immintrin.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8, TILE_ROWS = 16, TILE_BYTES = 64 };

static struct tiles {
    int configured;
    size_t rows[TILES], bytes[TILES];
    uint8_t data[TILES][TILE_ROWS][TILE_BYTES];
} tiles;

static inline void tiles_need(int good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "FAILED: tiles: %s\n", what);
    abort();
}

static inline void tiles_load_config(const void *from) {
    const uint8_t *config = from;
    tiles_need(config[0] == 1 && config[1] == 0, "palette 1 from row 0");
    for (int i = 2; i < 16; i++)
        tiles_need(config[i] == 0, "reserved bytes are 0");
    memset(&tiles, 0, sizeof tiles);
    for (size_t t = 0; t < 16; t++) {
        uint16_t bytes;
        memcpy(&bytes, config + 16 + 2 * t, sizeof bytes);
        size_t rows = config[48 + t];
        tiles_need(bytes <= TILE_BYTES && rows <= TILE_ROWS, "a tile of at most 16 by 64");
        tiles_need((bytes == 0) == (rows == 0), "a tile has rows and columns, or neither");
        tiles_need(t < TILES || rows == 0, "eight tiles");
        if (t < TILES) {
            tiles.rows[t] = rows;
            tiles.bytes[t] = bytes;
        }
    }
    tiles.configured = 1;
}

static inline void tiles_release(void) {
    tiles.configured = 0;
}

static inline void tiles_zero(size_t t) {
    tiles_need(tiles.configured && tiles.rows[t], "zeroed before it is configured");
    memset(tiles.data[t], 0, sizeof tiles.data[t]);
}

static inline void tiles_load(size_t t, const void *from, size_t stride) {
    tiles_zero(t);
    for (size_t r = 0; r < tiles.rows[t]; r++)
        memcpy(tiles.data[t][r], (const char *)from + r * stride, tiles.bytes[t]);
}

static inline void tiles_store(size_t t, void *to, size_t stride) {
    tiles_need(tiles.configured && tiles.rows[t], "stored before it is configured");
    for (size_t r = 0; r < tiles.rows[t]; r++)
        memcpy((char *)to + r * stride, tiles.data[t][r], tiles.bytes[t]);
}

/* c[m][n] += Σ over k and four bytes of a (signed) · b (unsigned), in 32 bits that wrap. */
static inline void tiles_dot(size_t c, size_t a, size_t b) {
    tiles_need(tiles.configured && tiles.rows[c] == tiles.rows[a] &&
                   tiles.bytes[c] == tiles.bytes[b] && tiles.bytes[a] == 4 * tiles.rows[b],
               "shapes of a product");
    for (size_t m = 0; m < tiles.rows[c]; m++)
        for (size_t k = 0; k < tiles.bytes[a] / 4; k++)
            for (size_t n = 0; n < tiles.bytes[c] / 4; n++) {
                uint32_t sum;
                memcpy(&sum, &tiles.data[c][m][4 * n], sizeof sum);
                for (size_t i = 0; i < 4; i++)
                    sum += (uint32_t)((int8_t)tiles.data[a][m][4 * k + i] *
                                      (int32_t)tiles.data[b][k][4 * n + i]);
                memcpy(&tiles.data[c][m][4 * n], &sum, sizeof sum);
            }
}

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbsud
#define _tile_loadconfig(config) tiles_load_config(config)
#define _tile_release() tiles_release()
#define _tile_zero(t) tiles_zero(t)
#define _tile_loadd(t, from, stride) tiles_load(t, from, stride)
#define _tile_stored(t, to, stride) tiles_store(t, to, stride)
#define _tile_dpbsud(c, a, b) tiles_dot(c, a, b)

#endif
