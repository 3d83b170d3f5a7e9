/* phash.c — see phash.h. */
#include "dataset/phash.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Least mean absolute value of the 64 coefficients, where a picture whose columns go evenly
 * from black to white has some thousands: noise of a scanner on blank paper is below. */
enum { SIDE = 32, KEPT = 8, SCALE = 1 << 12, LEAST_DETAIL = 24 };

static int32_t cosines[KEPT][SIDE]; /* of frequencies 1 … KEPT, times SCALE */
static pthread_once_t cosines_once = PTHREAD_ONCE_INIT;

static void cosines_fill(void) {
    const double pi = 3.14159265358979323846;
    for (int u = 0; u < KEPT; u++)
        for (int x = 0; x < SIDE; x++)
            cosines[u][x] =
                (int32_t)lround(SCALE * cos((2 * x + 1) * (u + 1) * pi / (2 * SIDE)));
}

/* coefficients[v * KEPT + u], of frequency v + 1 down and u + 1 across, in grey levels times
 * the number of pixels. */
static void transform(const vl_image *grey, int64_t coefficients[KEPT * KEPT]) {
    int64_t across[SIDE][KEPT] = {0};
    for (size_t y = 0; y < SIDE; y++)
        for (size_t u = 0; u < KEPT; u++)
            for (size_t x = 0; x < SIDE; x++)
                across[y][u] += cosines[u][x] * grey->pixels[y * grey->stride + x];
    for (size_t v = 0; v < KEPT; v++)
        for (size_t u = 0; u < KEPT; u++) {
            int64_t sum = 0;
            for (size_t y = 0; y < SIDE; y++)
                sum += cosines[v][y] * across[y][u];
            coefficients[v * KEPT + u] = sum / ((int64_t)SCALE * SCALE);
        }
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t above_median(const int64_t coefficients[KEPT * KEPT]) {
    int64_t sorted[KEPT * KEPT];
    uint64_t hash = 0;
    memcpy(sorted, coefficients, sizeof sorted);
    qsort(sorted, KEPT * KEPT, sizeof *sorted, by_value);
    for (size_t i = 0; i < KEPT * KEPT; i++)
        hash |= (uint64_t)(coefficients[i] > sorted[KEPT * KEPT / 2 - 1]) << i;
    return hash;
}

vl_status phash_of(const vl_image *image, uint64_t *hash, bool *found, vl_error *error) {
    int64_t coefficients[KEPT * KEPT], detail = 0;
    vl_image *small = vl_image_resize(image, SIDE, SIDE);
    vl_image *grey = small ? vl_image_to_grey(small) : NULL;
    vl_image_free(small);
    if (!grey)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to hash a picture of %u x %u",
                       image->width, image->height);
    pthread_once(&cosines_once, cosines_fill);
    transform(grey, coefficients);
    vl_image_free(grey);
    for (size_t i = 0; i < KEPT * KEPT; i++)
        detail += llabs(coefficients[i]);
    *found = detail >= LEAST_DETAIL * KEPT * KEPT;
    *hash = *found ? above_median(coefficients) : 0;
    return VL_OK;
}

unsigned phash_distance(uint64_t a, uint64_t b) {
    return (unsigned)__builtin_popcountll(a ^ b);
}
