/* reader_pixels.c — the picture of a line as the network wants it: 48 pixels high, column after
 * column, paper 0 and ink 1. */
#include "model/reader_net.h"

#include <math.h>

enum { LEAST_SPAN = 24 }; /* grey levels between paper and ink: less is no writing */

/* Grey level below which `share` of the pixels lie. */
static unsigned quantile(const uint32_t histogram[256], uint64_t count, double share) {
    uint64_t below = 0;
    for (unsigned level = 0; level < 256; level++) {
        below += histogram[level];
        if ((double)below >= share * (double)count)
            return level;
    }
    return 255;
}

/* value · gain + offset is 0 for paper and 1 for ink. */
typedef struct stretch {
    float gain, offset;
} stretch;

static stretch find_stretch(const vl_image *grey) {
    uint32_t histogram[256] = {0}, odd[256] = {0}; /* neighbours are mostly of one level */
    for (uint32_t row = 0; row < grey->height; row++) {
        const uint8_t *pixels = grey->pixels + row * grey->stride;
        for (uint32_t x = 0; x + 1 < grey->width; x += 2) {
            histogram[pixels[x]]++;
            odd[pixels[x + 1]]++;
        }
        if (grey->width % 2)
            odd[pixels[grey->width - 1]]++;
    }
    for (unsigned level = 0; level < 256; level++)
        histogram[level] += odd[level];
    uint64_t count = (uint64_t)grey->width * grey->height;
    double low = quantile(histogram, count, 0.01), high = quantile(histogram, count, 0.99);
    double middle = quantile(histogram, count, 0.5);
    bool light = high - middle <= middle - low; /* most of a line is paper */
    double paper = quantile(histogram, count, light ? 0.8 : 0.2), ink = light ? low : high;
    double span = fmax(fabs(paper - ink), LEAST_SPAN);
    double gain = light ? -1 / span : 1 / span;
    return (stretch){(float)gain, (float)(-paper * gain)};
}

static void write_columns(const vl_image *grey, float *out) {
    stretch s = find_stretch(grey);
    for (uint32_t x = 0; x < grey->width; x++)
        for (uint32_t row = 0; row < VL_READER_HEIGHT; row++) {
            float ink = (float)grey->pixels[row * grey->stride + x] * s.gain + s.offset;
            *out++ = ink < -0.25f ? -0.25f : ink > 1.25f ? 1.25f : ink;
        }
}

vl_status vl_reader_prepare(const vl_image *line, uint32_t squeeze, vl_arena *arena,
                            vl_reader_pixels *out, vl_error *error) {
    double scale = (double)line->height / VL_READER_HEIGHT;
    double wanted = round((double)line->width / scale * squeeze / 100);
    if (wanted > VL_READER_MAX_WIDTH)
        return vl_fail(error, VL_ERR_LIMIT,
                       "a line of %u by %u pixels; at most %d times as wide as high is read",
                       line->width, line->height, VL_READER_MAX_WIDTH / VL_READER_HEIGHT);
    uint32_t width = wanted < 1 ? 1 : (uint32_t)wanted;
    vl_image *grey = vl_image_to_grey(line);
    vl_image *sized = grey ? vl_image_resize(grey, width, VL_READER_HEIGHT) : NULL;
    *out = (vl_reader_pixels){.scale = (double)line->width / width};
    out->positions = (width + VL_READER_STRIDE - 1) / VL_READER_STRIDE;
    out->width = out->positions * VL_READER_STRIDE;
    out->columns = vl_arena_array(arena, out->width * VL_READER_HEIGHT, sizeof(float));
    if (sized && out->columns)
        write_columns(sized, out->columns);
    bool ok = sized && out->columns;
    vl_image_free(grey);
    vl_image_free(sized);
    return ok ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a line's picture");
}
