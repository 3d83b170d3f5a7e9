/* image.c — 8-bit pictures: make, copy, grey, turn, resize. */
#include <vislang/media.h>

#include <stdlib.h>
#include <string.h>

vl_status vl_image_new(uint32_t width, uint32_t height, uint32_t channels, vl_image **image,
                       vl_error *error) {
    size_t bytes;
    *image = NULL;
    if (!width || !height || (channels != 1 && channels != 3))
        return vl_fail(error, VL_ERR_USAGE,
                       "a picture of %u×%u with %u channels cannot be made", width, height,
                       channels);
    if (__builtin_mul_overflow((size_t)width * channels, (size_t)height, &bytes))
        return vl_fail(error, VL_ERR_LIMIT, "%u×%u pixels are too many", width, height);
    vl_image *made = malloc(sizeof *made);
    uint8_t *pixels = made ? malloc(bytes) : NULL;
    if (!pixels) {
        free(made);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %u×%u pixels", width, height);
    }
    *made = (vl_image){.width = width,
                       .height = height,
                       .channels = channels,
                       .stride = (size_t)width * channels,
                       .pixels = pixels};
    *image = made;
    return VL_OK;
}

void vl_image_free(vl_image *image) {
    if (!image)
        return;
    free(image->pixels);
    free(image);
}

static vl_image *like(const vl_image *image, uint32_t width, uint32_t height,
                      uint32_t channels) {
    vl_image *made;
    if (vl_image_new(width, height, channels, &made, NULL))
        return NULL;
    made->dpi = image->dpi;
    return made;
}

vl_image *vl_image_copy(const vl_image *image) {
    vl_image *copy = like(image, image->width, image->height, image->channels);
    for (uint32_t y = 0; copy && y < image->height; y++)
        memcpy(copy->pixels + y * copy->stride, image->pixels + y * image->stride,
               (size_t)image->width * image->channels);
    return copy;
}

vl_image *vl_image_to_grey(const vl_image *image) {
    if (image->channels == 1)
        return vl_image_copy(image);
    vl_image *grey = like(image, image->width, image->height, 1);
    for (uint32_t y = 0; grey && y < image->height; y++) {
        const uint8_t *in = image->pixels + y * image->stride;
        uint8_t *out = grey->pixels + y * grey->stride;
        for (uint32_t x = 0; x < image->width; x++, in += 3) /* 0.299 0.587 0.114 in 1/65536 */
            out[x] =
                (uint8_t)((in[0] * 19595u + in[1] * 38470u + in[2] * 7471u + 32768u) >> 16);
    }
    return grey;
}

static void put_pixel(uint8_t *to, const uint8_t *from, uint32_t channels) {
    to[0] = from[0];
    if (channels == 3) {
        to[1] = from[1];
        to[2] = from[2];
    }
}

vl_image *vl_image_rotate(const vl_image *image, int degrees_clockwise) {
    int turn = ((degrees_clockwise % 360) + 360) % 360 / 90;
    if (turn == 0)
        return vl_image_copy(image);
    uint32_t w = image->width, h = image->height, n = image->channels;
    vl_image *turned = turn == 2 ? like(image, w, h, n) : like(image, h, w, n);
    for (uint32_t y = 0; turned && y < h; y++) {
        const uint8_t *in = image->pixels + y * image->stride;
        for (uint32_t x = 0; x < w; x++) {
            uint32_t to_x = turn == 1 ? h - 1 - y : turn == 2 ? w - 1 - x : y;
            uint32_t to_y = turn == 1 ? x : turn == 2 ? h - 1 - y : w - 1 - x;
            put_pixel(turned->pixels + to_y * turned->stride + (size_t)to_x * n,
                      in + (size_t)x * n, n);
        }
    }
    return turned;
}

/* ---- resize ------------------------------------------------------------------------- */

/* Weights of the source samples one target sample is made of, for one axis: a box as wide as
 * the reduction when smaller, two neighbours when larger. */
typedef struct taps {
    uint32_t first, count;
    float weights[2]; /* of the first and last; those between weigh 1 */
    float scale;
} taps;

static taps shrink_taps(uint32_t to, uint32_t from_size, uint32_t to_size) {
    double ratio = (double)from_size / to_size, low = to * ratio, high = low + ratio;
    uint32_t first = (uint32_t)low;
    uint32_t last = (uint32_t)high;
    if (last >= from_size || (double)last == high)
        last = last ? last - 1 : 0;
    if (last < first)
        last = first;
    taps t = {.first = first, .count = last - first + 1, .scale = (float)(1 / ratio)};
    t.weights[0] = (float)((first + 1 < high ? first + 1 : high) - low);
    t.weights[1] = (float)(high - last);
    return t;
}

static taps stretch_taps(uint32_t to, uint32_t from_size, uint32_t to_size) {
    double at = (to + 0.5) * from_size / to_size - 0.5;
    if (at < 0)
        at = 0;
    uint32_t first = (uint32_t)at;
    if (first + 1 >= from_size)
        return (taps){.first = from_size - 1, .count = 1, .weights = {1, 1}, .scale = 1};
    float share = (float)(at - first);
    return (taps){.first = first, .count = 2, .weights = {1 - share, share}, .scale = 1};
}

static taps taps_for(uint32_t to, uint32_t from_size, uint32_t to_size) {
    return to_size < from_size ? shrink_taps(to, from_size, to_size)
                               : stretch_taps(to, from_size, to_size);
}

static float tap_weight(const taps *t, uint32_t i) {
    return i == 0 ? t->weights[0] : i + 1 == t->count ? t->weights[1] : 1;
}

/* One row of the source, narrowed or widened to the target's width. */
static void resize_row(const vl_image *image, uint32_t y, const taps *columns, uint32_t width,
                       float *out) {
    uint32_t n = image->channels;
    const uint8_t *row = image->pixels + y * image->stride;
    for (uint32_t x = 0; x < width; x++) {
        const taps *t = &columns[x];
        for (uint32_t c = 0; c < n; c++) {
            float sum = 0;
            for (uint32_t i = 0; i < t->count; i++)
                sum += tap_weight(t, i) * row[(size_t)(t->first + i) * n + c];
            out[(size_t)x * n + c] = sum * t->scale;
        }
    }
}

vl_image *vl_image_resize(const vl_image *image, uint32_t width, uint32_t height) {
    size_t samples = (size_t)width * image->channels;
    vl_image *resized = like(image, width, height, image->channels);
    taps *columns = calloc(width ? width : 1, sizeof *columns);
    float *row = calloc(samples ? samples : 1, sizeof *row);
    float *sum = calloc(samples ? samples : 1, sizeof *sum);
    if (!resized || !columns || !row || !sum) {
        vl_image_free(resized);
        resized = NULL;
        goto out;
    }
    resized->dpi = image->dpi * width / image->width;
    for (uint32_t x = 0; x < width; x++)
        columns[x] = taps_for(x, image->width, width);
    for (uint32_t y = 0; y < height; y++) {
        taps t = taps_for(y, image->height, height);
        memset(sum, 0, samples * sizeof *sum);
        for (uint32_t i = 0; i < t.count; i++) {
            resize_row(image, t.first + i, columns, width, row);
            float weight = tap_weight(&t, i) * t.scale;
            for (size_t s = 0; s < samples; s++)
                sum[s] += weight * row[s];
        }
        uint8_t *out = resized->pixels + y * resized->stride;
        for (size_t s = 0; s < samples; s++)
            out[s] = sum[s] >= 254.5f ? 255 : (uint8_t)(sum[s] + 0.5f);
    }
out:
    free(columns);
    free(row);
    free(sum);
    return resized;
}
