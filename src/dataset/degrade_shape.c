/* degrade_shape.c — see degrade.h; geometry. */
#include "dataset/degrade.h"

#include <math.h>
#include <string.h>

static uint8_t *at(const vl_image *image, uint32_t x, uint32_t y) {
    return image->pixels + y * image->stride + (size_t)x * image->channels;
}

static const double RADIAN = 3.14159265358979 / 180;

/* One of the four pixels around a place, or `around` outside the picture. */
static int tone_at(const vl_image *image, int x, int y, uint32_t channel, int around) {
    bool inside = x >= 0 && y >= 0 && x < (int)image->width && y < (int)image->height;
    return inside ? at(image, (uint32_t)x, (uint32_t)y)[channel] : around;
}

/* Bilinear, in 256ths of a pixel; outside the picture there is `around`. */
static void sample(const vl_image *image, double x, double y, uint8_t around, uint8_t *out) {
    int fixed_x = (int)floor(x * 256 + 0.5), fixed_y = (int)floor(y * 256 + 0.5);
    int left = fixed_x >> 8, top = fixed_y >> 8, u = fixed_x & 255, v = fixed_y & 255;
    if (left >= 0 && top >= 0 && left + 1 < (int)image->width && top + 1 < (int)image->height) {
        const uint8_t *p = at(image, (uint32_t)left, (uint32_t)top);
        size_t step = image->channels;
        for (uint32_t c = 0; c < image->channels; c++) {
            const uint8_t *q = p + c, *r = q + image->stride;
            int upper = q[0] * (256 - u) + q[step] * u, lower = r[0] * (256 - u) + r[step] * u;
            out[c] = (uint8_t)((upper * (256 - v) + lower * v + 32768) >> 16);
        }
        return;
    }
    for (uint32_t c = 0; c < image->channels; c++) {
        int upper = tone_at(image, left, top, c, around) * (256 - u) +
                    tone_at(image, left + 1, top, c, around) * u;
        int lower = tone_at(image, left, top + 1, c, around) * (256 - u) +
                    tone_at(image, left + 1, top + 1, c, around) * u;
        out[c] = (uint8_t)((upper * (256 - v) + lower * v + 32768) >> 16);
    }
}

static vl_image *same_size(const vl_image *image) {
    vl_image *made = NULL;
    if (vl_image_new(image->width, image->height, image->channels, &made, NULL))
        return NULL;
    made->dpi = image->dpi;
    return made;
}

vl_image *degrade_skew(const vl_image *image, double degrees, uint8_t paper) {
    vl_image *turned = same_size(image);
    double cosine = cos(degrees * RADIAN), sine = sin(degrees * RADIAN);
    double cx = image->width / 2.0, cy = image->height / 2.0;
    for (uint32_t y = 0; turned && y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double dx = x - cx, dy = y - cy;
            sample(image, cx + dx * cosine + dy * sine, cy - dx * sine + dy * cosine, paper,
                   at(turned, x, y));
        }
    return turned;
}

vl_image *degrade_perspective(const vl_image *image, double top, double left, uint8_t table) {
    vl_image *seen = same_size(image);
    for (uint32_t y = 0; seen && y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double v = (double)y / image->height, u = (double)x / image->width;
            double width = 1 - fabs(top) * (top < 0 ? v : 1 - v);
            double height = 1 - fabs(left) * (left < 0 ? u : 1 - u);
            double from_x = (u - (1 - width) / 2) / width * image->width;
            double from_y = (v - (1 - height) / 2) / height * image->height;
            sample(image, from_x, from_y, table, at(seen, x, y));
        }
    return seen;
}

vl_image *degrade_curve(const vl_image *image, double height, double waves, double phase,
                        uint8_t paper) {
    vl_image *bent = same_size(image);
    for (uint32_t x = 0; bent && x < image->width; x++) {
        double turn = phase + waves * x / image->width;
        double shift = height * sin(2 * 3.14159265358979 * turn);
        for (uint32_t y = 0; y < image->height; y++)
            sample(image, x, y + shift, paper, at(bent, x, y));
    }
    return bent;
}

vl_image *degrade_slant(const vl_image *image, double degrees, uint8_t paper) {
    vl_image *leaning = same_size(image);
    double slope = tan(degrees * RADIAN);
    for (uint32_t y = 0; leaning && y < image->height; y++) {
        double shift = (image->height / 2.0 - y) * slope;
        for (uint32_t x = 0; x < image->width; x++)
            sample(image, x - shift, y, paper, at(leaning, x, y));
    }
    return leaning;
}

vl_image *degrade_crop(const vl_image *image, int left, int top, uint32_t width,
                       uint32_t height, uint8_t paper) {
    vl_image *part = NULL;
    if (vl_image_new(width, height, image->channels, &part, NULL))
        return NULL;
    part->dpi = image->dpi;
    for (uint32_t y = 0; y < height; y++) {
        int from_y = (int)y + top, from = left < 0 ? -left : 0;
        int to = (int)image->width - left < (int)width ? (int)image->width - left : (int)width;
        memset(at(part, 0, y), paper, (size_t)width * image->channels);
        if (from_y >= 0 && from_y < (int)image->height && from < to)
            memcpy(at(part, (uint32_t)from, y),
                   at(image, (uint32_t)(from + left), (uint32_t)from_y),
                   (size_t)(to - from) * image->channels);
    }
    return part;
}
