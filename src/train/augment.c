/* augment.c — random resized crops (Szegedy et al. 2015), mirror images, colour changes and
 * erasing (Zhong et al. 2020). */
#include "train/augment.h"

#include <math.h>
#include <vislang/model.h>

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

/* ---- lines -------------------------------------------------------------------------- */

/* Where a pixel of the drawn line comes from: x + shear · (y − middle), scaled and moved. */
typedef struct warp {
    double scale_x, scale_y, move_y, shear;
} warp;

static double around(uint64_t *random, double reach) { /* −reach … reach */
    return reach * (2 * vl_random_uniform(random) - 1);
}

static warp random_warp(double strength, double height, uint64_t *random) {
    warp w;
    w.scale_x = exp(around(random, 0.15 * strength));
    w.scale_y = exp(around(random, 0.12 * strength));
    w.move_y = around(random, 0.06 * strength) * height;
    w.shear = around(random, 0.2 * strength);
    return w;
}

static double pixel_at(const vl_image *grey, double x, double y) {
    double right = grey->width - 1, bottom = grey->height - 1;
    x = x < 0 ? 0 : x > right ? right : x;
    y = y < 0 ? 0 : y > bottom ? bottom : y;
    size_t x0 = (size_t)x, y0 = (size_t)y;
    size_t x1 = x0 + 1 < grey->width ? x0 + 1 : x0, y1 = y0 + 1 < grey->height ? y0 + 1 : y0;
    double fx = x - (double)x0, fy = y - (double)y0;
    const uint8_t *top = grey->pixels + y0 * grey->stride,
                  *low = grey->pixels + y1 * grey->stride;
    return (1 - fy) * ((1 - fx) * top[x0] + fx * top[x1]) +
           fy * ((1 - fx) * low[x0] + fx * low[x1]);
}

vl_status augment_line(const vl_image *line, double strength, uint64_t *random, vl_image **out,
                       vl_error *error) {
    vl_image *grey = vl_image_to_grey(line);
    if (!grey)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a line's picture");
    warp w = random_warp(strength, grey->height, random);
    uint32_t width = (uint32_t)fmax(1, round(grey->width * w.scale_x));
    vl_status status = vl_image_new(width, grey->height, 1, out, error);
    double middle = ((double)grey->height - 1) / 2;
    for (uint32_t y = 0; !status && y < grey->height; y++) {
        double from_y = middle + ((double)y - middle) / w.scale_y + w.move_y;
        double slant = w.shear * ((double)y - middle);
        uint8_t *row = (*out)->pixels + y * (*out)->stride;
        for (uint32_t x = 0; x < width; x++)
            row[x] =
                (uint8_t)(pixel_at(grey, (x + 0.5) / w.scale_x - 0.5 + slant, from_y) + 0.5);
    }
    vl_image_free(grey);
    return status;
}

/* Each pixel with its neighbours along `step`, in place. */
static void blur_along(float *x, size_t count, size_t step) {
    float before = x[0];
    for (size_t i = 0; i < count; i++) {
        float here = x[i * step], after = i + 1 < count ? x[(i + 1) * step] : here;
        x[i * step] = 0.25f * before + 0.5f * here + 0.25f * after;
        before = here;
    }
}

void augment_ink(float *columns, size_t width, double strength, uint64_t *random) {
    size_t count = width * VL_READER_HEIGHT;
    bool blurred = vl_random_uniform(random) < 0.4 * strength;
    for (size_t x = 0; blurred && x < width; x++)
        blur_along(columns + x * VL_READER_HEIGHT, VL_READER_HEIGHT, 1);
    for (size_t y = 0; blurred && y < VL_READER_HEIGHT; y++)
        blur_along(columns + y, width, VL_READER_HEIGHT);
    float gain = (float)(1 + around(random, 0.3 * strength));
    float offset = (float)around(random, 0.1 * strength);
    bool noisy = vl_random_uniform(random) < 0.5;
    float noise = (float)(0.15 * strength * vl_random_uniform(random)) / 128;
    for (size_t i = 0; i < count; i++) {
        columns[i] = columns[i] * gain + offset;
        if (noisy) { /* the sum of four bytes is nearly normal, of deviation 148 */
            uint64_t bits = vl_random_next(random);
            int sum = (int)(bits & 255) + (int)(bits >> 8 & 255) + (int)(bits >> 16 & 255) +
                      (int)(bits >> 24 & 255) - 510;
            columns[i] += noise * (float)sum;
        }
    }
}
