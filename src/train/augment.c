/* augment.c — random resized crops (Szegedy et al. 2015), mirror images, colour changes and
 * erasing (Zhong et al. 2020). */
#include "train/augment.h"

#include <math.h>

/* A view of part of the picture: no pixels of its own. */
static vl_image crop_view(const vl_image *image, double least, uint64_t *random) {
    vl_image view = *image;
    if (least >= 1)
        return view;
    double area = least + (1 - least) * vl_random_uniform(random);
    double aspect = exp((2 * vl_random_uniform(random) - 1) * log(4.0 / 3));
    double share_x = sqrt(area * aspect), share_y = sqrt(area / aspect);
    uint32_t width = (uint32_t)(fmin(share_x, 1) * image->width);
    uint32_t height = (uint32_t)(fmin(share_y, 1) * image->height);
    view.width = width ? width : 1;
    view.height = height ? height : 1;
    size_t x = vl_random_below(random, image->width - view.width + 1);
    size_t y = vl_random_below(random, image->height - view.height + 1);
    view.pixels += y * image->stride + x * image->channels;
    return view;
}

/* out = value · gain + offset for each channel, of the colour mixed with its grey. */
typedef struct tint {
    float gain, offset, saturation;
} tint;

static tint random_tint(double strength, uint64_t *random) {
    double contrast = 1 + strength * (2 * vl_random_uniform(random) - 1);
    double bright = strength * (2 * vl_random_uniform(random) - 1);
    double saturation = 1 + strength * (2 * vl_random_uniform(random) - 1);
    return (tint){(float)contrast, (float)bright, (float)saturation};
}

static void write_pixels(const vl_image *image, bool flip, tint t, size_t side, float *out) {
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++, out += 3) {
            const uint8_t *p =
                image->pixels + y * image->stride + (flip ? side - 1 - x : x) * image->channels;
            float rgb[3];
            for (size_t c = 0; c < 3; c++)
                rgb[c] = ((float)p[image->channels == 3 ? c : 0] / 255.0f - 0.5f) / 0.25f;
            float grey = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
            for (size_t c = 0; c < 3; c++)
                out[c] = (grey + (rgb[c] - grey) * t.saturation) * t.gain + t.offset;
        }
}

static void erase_rectangle(size_t side, uint64_t *random, float *out) {
    size_t height = side / 8 + vl_random_below(random, side / 3);
    size_t width = side / 8 + vl_random_below(random, side / 3);
    size_t top = vl_random_below(random, side - height),
           left = vl_random_below(random, side - width);
    for (size_t y = top; y < top + height; y++)
        for (size_t i = left * 3; i < (left + width) * 3; i++)
            out[y * side * 3 + i] = 0;
}

vl_status augment_picture(const vl_image *image, const augmentation *how, size_t side,
                          uint64_t *random, float *out, vl_error *error) {
    vl_image view = crop_view(image, how->crop, random);
    vl_image *sized = vl_image_resize(&view, (uint32_t)side, (uint32_t)side);
    if (!sized)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a picture of %zu pixels", side);
    tint t = how->colour > 0 ? random_tint(how->colour, random) : (tint){1, 0, 1};
    write_pixels(sized, how->flip, t, side, out);
    if (how->erase)
        erase_rectangle(side, random, out);
    vl_image_free(sized);
    return VL_OK;
}
