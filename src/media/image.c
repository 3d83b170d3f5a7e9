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

/* ---- turn ---------------------------------------------------------------------------- */

/* Where source pixel (x, y) goes: start + x·right + y·down, in bytes. */
typedef struct turn {
    ptrdiff_t start, right, down;
} turn;

static turn turn_for(const vl_image *from, const vl_image *to, int quarters) {
    ptrdiff_t n = from->channels, stride = (ptrdiff_t)to->stride;
    ptrdiff_t last_column = ((ptrdiff_t)to->width - 1) * n;
    ptrdiff_t last_row = ((ptrdiff_t)to->height - 1) * stride;
    if (quarters == 1)
        return (turn){last_column, stride, -n};
    if (quarters == 2)
        return (turn){last_row + last_column, -n, -stride};
    return (turn){last_row, -stride, n};
}

/* Block by block, because a quarter turn walks down the columns of the target: whole rows of
 * a large source would miss the cache at every pixel. */
static void turn_block(const vl_image *from, vl_image *to, turn t, uint32_t x0, uint32_t y0,
                       uint32_t x1, uint32_t y1) {
    size_t n = from->channels;
    for (uint32_t y = y0; y < y1; y++) {
        const uint8_t *in = from->pixels + y * from->stride + x0 * n;
        uint8_t *out = to->pixels + t.start + (ptrdiff_t)y * t.down + (ptrdiff_t)x0 * t.right;
        if (n == 1)
            for (uint32_t x = x0; x < x1; x++, in++, out += t.right)
                *out = *in;
        else
            for (uint32_t x = x0; x < x1; x++, in += 3, out += t.right) {
                out[0] = in[0];
                out[1] = in[1];
                out[2] = in[2];
            }
    }
}

vl_image *vl_image_rotate(const vl_image *image, int degrees_clockwise) {
    enum { BLOCK = 64 };
    int quarters = ((degrees_clockwise % 360) + 360) % 360 / 90;
    if (quarters == 0)
        return vl_image_copy(image);
    uint32_t w = image->width, h = image->height, n = image->channels;
    vl_image *turned = quarters == 2 ? like(image, w, h, n) : like(image, h, w, n);
    if (!turned)
        return NULL;
    turn t = turn_for(image, turned, quarters);
    for (uint32_t y = 0; y < h; y += BLOCK)
        for (uint32_t x = 0; x < w; x += BLOCK)
            turn_block(image, turned, t, x, y, w - x < BLOCK ? w : x + BLOCK,
                       h - y < BLOCK ? h : y + BLOCK);
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

/* The source rows that one target row is made of, weighed and summed, at the source's width. */
static void sum_rows(const vl_image *image, taps t, float *sum) {
    size_t samples = (size_t)image->width * image->channels;
    memset(sum, 0, samples * sizeof *sum);
    for (uint32_t i = 0; i < t.count; i++) {
        const uint8_t *row = image->pixels + (t.first + i) * image->stride;
        float weight = tap_weight(&t, i) * t.scale;
        for (size_t s = 0; s < samples; s++)
            sum[s] += weight * (float)row[s];
    }
}

static float sum_taps(const float *at, const taps *t, size_t step) {
    float sum = t->weights[0] * at[0];
    for (uint32_t i = 1; i + 1 < t->count; i++)
        sum += at[i * step];
    if (t->count > 1)
        sum += t->weights[1] * at[(t->count - 1) * step];
    return sum * t->scale;
}

static uint8_t to_sample(float value) {
    return (uint8_t)((value < 254.5f ? value : 254.5f) + 0.5f);
}

enum { TAPS_MOST = 4 }; /* past it, each sample's own count */

/* Weights of all columns with as many taps as the widest has, [width,TAPS_MOST]: a loop without
 * anything to guess. NULL: no memory, or more taps. */
static float *even_weights(const taps *columns, uint32_t width) {
    uint32_t most = 0;
    for (uint32_t x = 0; x < width; x++)
        most = columns[x].count > most ? columns[x].count : most;
    float *weights =
        most <= TAPS_MOST ? calloc(width ? width : 1, TAPS_MOST * sizeof *weights) : NULL;
    for (uint32_t x = 0; weights && x < width; x++)
        for (uint32_t i = 0; i < columns[x].count; i++)
            weights[x * TAPS_MOST + i] = tap_weight(&columns[x], i);
    return weights;
}

/* One target row. */
static void write_row(const float *sum, const taps *columns, uint32_t width, uint32_t n,
                      uint8_t *to) {
    for (uint32_t x = 0; x < width; x++)
        for (uint32_t c = 0; c < n; c++)
            *to++ = to_sample(sum_taps(sum + (size_t)columns[x].first * n + c, &columns[x], n));
}

/* The same by even weights; `sum` goes on with TAPS_MOST samples of zero. */
static void write_row_evenly(const float *sum, const taps *columns, const float *w,
                             uint32_t width, uint32_t n, uint8_t *to) {
    for (uint32_t x = 0; x < width; x++, w += TAPS_MOST)
        for (uint32_t c = 0; c < n; c++) {
            const float *at = sum + (size_t)columns[x].first * n + c;
            float value = w[0] * at[0] + w[1] * at[n] + w[2] * at[2 * n] + w[3] * at[3 * n];
            *to++ = to_sample(value * columns[x].scale);
        }
}

vl_image *vl_image_resize(const vl_image *image, uint32_t width, uint32_t height) {
    uint32_t n = image->channels;
    vl_image *resized = like(image, width, height, n);
    taps *columns = calloc(width ? width : 1, sizeof *columns);
    float *sum = calloc(((size_t)image->width + TAPS_MOST) * n, sizeof *sum), *weights = NULL;
    if (!resized || !columns || !sum) {
        vl_image_free(resized);
        resized = NULL;
        goto out;
    }
    resized->dpi = image->dpi * width / image->width;
    for (uint32_t x = 0; x < width; x++)
        columns[x] = taps_for(x, image->width, width);
    weights = even_weights(columns, width);
    for (uint32_t y = 0; y < height; y++) {
        sum_rows(image, taps_for(y, image->height, height), sum);
        uint8_t *to = resized->pixels + y * resized->stride;
        if (weights)
            write_row_evenly(sum, columns, weights, width, n, to);
        else
            write_row(sum, columns, width, n, to);
    }
out:
    free(columns);
    free(weights);
    free(sum);
    return resized;
}

vl_status vl_image_square(vl_image **image, double dpi_x, double dpi_y,
                          const vl_media_limits *limits, vl_error *error) {
    static const double LEAST = 1.05, MOST = 4;
    if (!(dpi_x > 0) || !(dpi_y > 0))
        return VL_OK;
    double finer = dpi_x > dpi_y ? dpi_x : dpi_y, ratio = finer / (dpi_x + dpi_y - finer);
    if (ratio < LEAST || ratio > MOST)
        return VL_OK;
    bool rows = dpi_y < dpi_x; /* are the coarser ones */
    double width = (*image)->width, height = (*image)->height, pixels = width * height;
    double longer = rows ? height : width;
    double grow =
        longer * ratio <= limits->max_side && pixels * ratio <= (double)limits->max_pixels
            ? ratio
            : 1;
    width *= rows ? grow / ratio : grow;
    height *= rows ? grow : grow / ratio;
    vl_image *square = vl_image_resize(*image, width > 1 ? (uint32_t)(width + 0.5) : 1,
                                       height > 1 ? (uint32_t)(height + 0.5) : 1);
    if (!square)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to make the picture's pixels square");
    square->dpi = finer * grow / ratio;
    vl_image_free(*image);
    *image = square;
    return VL_OK;
}
