/* kind.c — a page's kind from a grid of patches of its picture. Each patch says what is behind
 * its text, how dark the text is and how grainy it is; the page is what the patches say
 * together. Thresholds were set on real scans and phone pictures of 17 collections. */
#include "ocr/kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID = 12, SIDE = 48, PATCHES = GRID * GRID, BLACK = 12, WHITE = 243, EDGE = 60 };

typedef struct patch {
    double ground, ink, noise;
} patch;

static unsigned grey_at(const vl_image *image, uint32_t x, uint32_t y) {
    const uint8_t *p = image->pixels + y * image->stride + (size_t)x * image->channels;
    return image->channels == 1 ? p[0] : (p[0] * 77u + p[1] * 150u + p[2] * 29u) >> 8;
}

/* The grey level that `share` of the patch is not above. */
static double level_at(const uint32_t histogram[256], uint32_t count, double share) {
    uint32_t below = 0;
    for (unsigned level = 0; level < 255; level++)
        if ((below += histogram[level]) >= share * count)
            return level;
    return 255;
}

/* Whether nothing is drawn in the 3 × 3 pixels around `at`: an edge of a letter is no grain. */
static bool is_empty(const uint8_t *at, uint32_t width) {
    int low = *at, high = *at;
    for (int row = -1; row <= 1; row++)
        for (int column = -1; column <= 1; column++) {
            int level = at[row * (int)width + column];
            low = level < low ? level : low;
            high = level > high ? level : high;
        }
    return high - low <= EDGE;
}

/* Immerkaer 1996, "Fast noise variance estimation": the mean response to a mask that answers
 * neither to flat grounds nor to slopes. */
static double noise_of(const uint8_t *grey, uint32_t width, uint32_t height) {
    uint64_t sum = 0, count = 0;
    for (uint32_t y = 1; y + 1 < height; y++)
        for (uint32_t x = 1; x + 1 < width; x++) {
            const uint8_t *at = grey + y * width + x, *up = at - width, *down = at + width;
            if (!is_empty(at, width))
                continue;
            count++;
            sum += (uint64_t)abs(up[-1] - 2 * up[0] + up[1] - 2 * at[-1] + 4 * at[0] -
                                 2 * at[1] + down[-1] - 2 * down[0] + down[1]);
        }
    return count ? sqrt(3.14159265358979 / 2) * (double)sum / (6.0 * (double)count) : 0;
}

static patch look(const vl_image *image, uint32_t x0, uint32_t y0, uint32_t width,
                  uint32_t height, uint64_t *extremes) {
    uint8_t grey[SIDE * SIDE];
    uint32_t histogram[256] = {0};
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            unsigned level = grey_at(image, x0 + x, y0 + y);
            grey[y * width + x] = (uint8_t)level;
            histogram[level]++;
            *extremes += level <= BLACK || level >= WHITE;
        }
    return (patch){.ground = level_at(histogram, width * height, 0.8),
                   .ink = level_at(histogram, width * height, 0.02),
                   .noise = noise_of(grey, width, height)};
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, size_t count, double share) {
    qsort(values, count, sizeof *values, by_size);
    return values[(size_t)(share * (double)(count - 1))];
}

vl_status vl_kind_measure(const vl_image *image, const vl_ocr_survey *survey,
                          vl_kind_measures *measures, vl_error *error) {
    uint32_t width = image->width < SIDE ? image->width : SIDE;
    uint32_t height = image->height < SIDE ? image->height : SIDE;
    if (width < 3 || height < 3)
        return vl_fail(error, VL_ERR_INPUT, "a picture of %u × %u pixels has no kind",
                       image->width, image->height);
    double *values = malloc(3 * PATCHES * sizeof *values);
    if (!values)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to look at a picture");
    double *ground = values, *depth = values + PATCHES, *noise = values + 2 * (size_t)PATCHES;
    uint64_t extremes = 0;
    for (uint32_t i = 0; i < PATCHES; i++) {
        uint32_t x = (uint32_t)((uint64_t)(image->width - width) * (i % GRID) / (GRID - 1));
        uint32_t y = (uint32_t)((uint64_t)(image->height - height) * (i / GRID) / (GRID - 1));
        patch p = look(image, x, y, width, height, &extremes);
        ground[i] = p.ground;
        depth[i] = p.ground - p.ink;
        noise[i] = p.noise;
    }
    *measures = (vl_kind_measures){
        .extremes = (double)extremes / ((double)PATCHES * width * height),
        .uneven = quantile(ground, PATCHES, 0.9) - quantile(ground, PATCHES, 0.1),
        .ground = quantile(ground, PATCHES, 0.5),
        .depth = quantile(depth, PATCHES, 0.9),
        .noise = quantile(noise, PATCHES, 0.5),
        .letters = survey->letter_height,
    };
    free(values);
    return VL_OK;
}

const char *vl_kind_name(const vl_kind_measures *m) {
    if (m->extremes > 0.98)
        return "bitonal";
    if (m->letters > 0 && m->letters < 13)
        return "low-resolution";
    if (m->uneven > 40)
        return "photo";
    if (m->noise > 4)
        return "noisy";
    if (m->depth < 90)
        return "low-contrast";
    return "scan";
}
