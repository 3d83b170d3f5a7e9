/* degrade.c — see degrade.h. */
#include "degrade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sum of twelve uniforms: mean 0, variance 1, close to normal. */
static double normal(uint64_t *state) {
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += vl_random_uniform(state);
    return sum;
}

static uint8_t clamp(double tone) {
    return tone <= 0 ? 0 : tone >= 255 ? 255 : (uint8_t)(tone + 0.5);
}

static uint8_t *at(const vl_image *image, uint32_t x, uint32_t y) {
    return image->pixels + y * image->stride + (size_t)x * image->channels;
}

/* Runs a box of 2 × radius + 1 over `count` samples that lie `step` apart. */
static void box(uint8_t *line, size_t count, size_t step, unsigned radius, uint8_t *copy) {
    for (size_t i = 0; i < count; i++)
        copy[i] = line[i * step];
    unsigned sum = 0, width = 2 * radius + 1;
    for (size_t i = 0; i < width; i++)
        sum += copy[i <= radius ? 0 : i - radius < count ? i - radius : count - 1];
    for (size_t i = 0; i < count; i++) {
        line[i * step] = (uint8_t)((sum + width / 2) / width);
        size_t out = i >= radius ? i - radius : 0;
        size_t in = i + radius + 1 < count ? i + radius + 1 : count - 1;
        sum += copy[in];
        sum -= copy[out];
    }
}

void degrade_blur(vl_image *image, unsigned radius) {
    size_t longest = image->width > image->height ? image->width : image->height;
    uint8_t *copy = malloc(longest);
    for (int pass = 0; copy && pass < 3; pass++)
        for (uint32_t c = 0; c < image->channels; c++) {
            for (uint32_t y = 0; y < image->height; y++)
                box(at(image, 0, y) + c, image->width, image->channels, radius, copy);
            for (uint32_t x = 0; x < image->width; x++)
                box(at(image, x, 0) + c, image->height, image->stride, radius, copy);
        }
    free(copy);
}

void degrade_noise(vl_image *image, double sigma, uint64_t seed) {
    for (uint32_t y = 0; y < image->height; y++)
        for (size_t i = 0; i < (size_t)image->width * image->channels; i++) {
            uint8_t *p = image->pixels + y * image->stride + i;
            *p = clamp(*p + sigma * normal(&seed));
        }
}

void degrade_tint(vl_image *image, double red, double green, double blue) {
    const double shares[3] = {red, green, blue};
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++)
            for (uint32_t c = 0; c < image->channels; c++)
                at(image, x, y)[c] = clamp(at(image, x, y)[c] * shares[c]);
}

void degrade_light(vl_image *image, unsigned corner, double darkest) {
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double u = (double)x / image->width, v = (double)y / image->height;
            double away = ((corner & 1 ? 1 - u : u) + (corner & 2 ? 1 - v : v)) / 2;
            double light = 1 - (1 - darkest) * away * away;
            for (uint32_t c = 0; c < image->channels; c++)
                at(image, x, y)[c] = clamp(at(image, x, y)[c] * light);
        }
}

void degrade_specks(vl_image *image, unsigned per_million, uint64_t seed) {
    size_t count = (size_t)image->width * image->height / 1000 * per_million / 1000;
    for (size_t i = 0; i < count; i++) {
        uint32_t x = (uint32_t)(vl_random_uniform(&seed) * image->width);
        uint32_t y = (uint32_t)(vl_random_uniform(&seed) * image->height);
        uint32_t size = 1 + (vl_random_uniform(&seed) < 0.3);
        uint8_t tone = vl_random_uniform(&seed) < 0.7 ? 50 : 250;
        for (uint32_t dy = 0; dy < size && y + dy < image->height; dy++)
            for (uint32_t dx = 0; dx < size && x + dx < image->width; dx++)
                memset(at(image, x + dx, y + dy), tone, image->channels);
    }
}

void degrade_bleed(vl_image *image, const vl_image *other_side, double strength) {
    for (uint32_t y = 0; y < image->height && y < other_side->height; y++)
        for (uint32_t x = 0; x < image->width && x < other_side->width; x++) {
            const uint8_t *through = at(other_side, other_side->width - 1 - x, y);
            for (uint32_t c = 0; c < image->channels; c++) {
                uint8_t *p = at(image, x, y) + c;
                *p = clamp(*p - strength * (255 - through[c % other_side->channels]));
            }
        }
}

void degrade_fold(vl_image *image, double share) {
    double middle = share * image->width;
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double d = x - middle;
            double change = -45 * exp(-d * d / 3) + 14 * exp(-d * d / 400);
            for (uint32_t c = 0; c < image->channels; c++)
                at(image, x, y)[c] = clamp(at(image, x, y)[c] + change);
        }
}

void degrade_fade(vl_image *image, double least, uint64_t seed) {
    double phase[4];
    for (int i = 0; i < 4; i++)
        phase[i] = 6.283 * vl_random_uniform(&seed);
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double wave = sin(x / 97.0 + phase[0]) + sin(y / 61.0 + phase[1]) +
                          sin((x + y) / 131.0 + phase[2]) +
                          sin((x - (double)y) / 83.0 + phase[3]);
            double ink = least + (1 - least) * (wave + 4) / 8;
            for (uint32_t c = 0; c < image->channels; c++)
                at(image, x, y)[c] = clamp(255 - (255 - at(image, x, y)[c]) * ink);
        }
}

/* Bilinear; outside the picture there is `around`. */
static void sample(const vl_image *image, double x, double y, uint8_t around, uint8_t *out) {
    double fx = floor(x), fy = floor(y), u = x - fx, v = y - fy;
    for (uint32_t c = 0; c < image->channels; c++) {
        double sum = 0;
        for (int k = 0; k < 4; k++) {
            double px = fx + (k & 1), py = fy + (k >> 1);
            bool inside = px >= 0 && py >= 0 && px < image->width && py < image->height;
            double tone = inside ? at(image, (uint32_t)px, (uint32_t)py)[c] : around;
            sum += tone * (k & 1 ? u : 1 - u) * (k >> 1 ? v : 1 - v);
        }
        out[c] = clamp(sum);
    }
}

vl_image *degrade_skew(const vl_image *image, double degrees, uint8_t paper) {
    vl_image *turned = vl_image_copy(image);
    double radians = degrees * 3.14159265358979 / 180, cosine = cos(radians),
           sine = sin(radians);
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
    vl_image *seen = vl_image_copy(image);
    for (uint32_t y = 0; seen && y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double v = (double)y / image->height, u = (double)x / image->width;
            double width = 1 - top * (1 - v), height = 1 - left * (1 - u);
            double from_x = (u - (1 - width) / 2) / width * image->width;
            double from_y = (v - (1 - height) / 2) / height * image->height;
            sample(image, from_x, from_y, table, at(seen, x, y));
        }
    return seen;
}
