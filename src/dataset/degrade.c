/* degrade.c — see degrade.h; what is not geometry. */
#include "dataset/degrade.h"

#include "dataset/dice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Deviates are drawn from a table of the seed's own, six by one random number. */
void degrade_noise(vl_image *image, double sigma, uint64_t seed) {
    enum { DEVIATES = 1024 };
    int16_t table[DEVIATES];
    dice d = {seed};
    uint64_t bits = 0;
    for (size_t i = 0; i < DEVIATES; i++)
        table[i] = (int16_t)lrint(sigma * dice_normal(&d));
    for (uint32_t y = 0; y < image->height; y++) {
        uint8_t *row = at(image, 0, y);
        for (size_t i = 0; i < (size_t)image->width * image->channels; i++) {
            bits = i % 6 ? bits >> 10 : dice_bits(&d);
            int tone = row[i] + table[bits % DEVIATES];
            row[i] = (uint8_t)(tone < 0 ? 0 : tone > 255 ? 255 : tone);
        }
    }
}

/* Goes from pixel to pixel by the geometric distances between the chosen ones. */
void degrade_salt(vl_image *image, double share, uint64_t seed) {
    dice d = {seed};
    double count = (double)image->width * image->height;
    if (share <= 0)
        return;
    for (double i = 0; share < 1; i++) {
        i += floor(log(1 - dice_unit(&d)) / log(1 - share));
        if (i >= count)
            break;
        size_t pixel = (size_t)i;
        memset(at(image, (uint32_t)(pixel % image->width), (uint32_t)(pixel / image->width)),
               dice_chance(&d, 0.5) ? 0 : 255, image->channels);
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
    dice d = {seed};
    size_t count = (size_t)image->width * image->height / 1000 * per_million / 1000;
    for (size_t i = 0; i < count; i++) {
        uint32_t x = (uint32_t)(dice_unit(&d) * image->width);
        uint32_t y = (uint32_t)(dice_unit(&d) * image->height);
        uint32_t size = 1 + (dice_unit(&d) < 0.3);
        uint8_t tone = dice_unit(&d) < 0.7 ? 50 : 250;
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

/* One period of slow noise for each of `count` places `from` on, a step of `scale`. */
static void fill_wave(float *wave, size_t count, double from, double scale, double phase) {
    for (size_t i = 0; i < count; i++)
        wave[i] = (float)sin((from + (double)i) / scale + phase);
}

void degrade_fade(vl_image *image, double least, uint64_t seed) {
    dice d = {seed};
    double phase[4];
    size_t width = image->width, height = image->height;
    float *waves = malloc((3 * width + 3 * height) * sizeof *waves);
    for (int i = 0; i < 4; i++)
        phase[i] = 6.283 * dice_unit(&d);
    if (!waves)
        return;
    float *across = waves, *down = across + width, *sum = down + height,
          *difference = sum + width + height;
    fill_wave(across, width, 0, 97, phase[0]);
    fill_wave(down, height, 0, 61, phase[1]);
    fill_wave(sum, width + height, 0, 131, phase[2]);
    fill_wave(difference, width + height, -(double)height, 83, phase[3]);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            float wave = across[x] + down[y] + sum[x + y] + difference[x + height - y];
            double ink = least + (1 - least) * ((double)wave + 4) / 8;
            for (uint32_t c = 0; c < image->channels; c++) {
                uint8_t *p = at(image, (uint32_t)x, (uint32_t)y) + c;
                *p = clamp(255 - (255 - *p) * ink);
            }
        }
    free(waves);
}

/* ---- three by three ----------------------------------------------------------------- */

typedef enum near_kind { NEAR_DARKEST, NEAR_LIGHTEST, NEAR_MEAN } near_kind;

static unsigned combine(near_kind kind, unsigned a, unsigned b, unsigned c) {
    switch (kind) {
    case NEAR_DARKEST:
        return a < b ? (a < c ? a : c) : (b < c ? b : c);
    case NEAR_LIGHTEST:
        return a > b ? (a > c ? a : c) : (b > c ? b : c);
    default:
        return a + b + c;
    }
}

/* Columns of three first, then rows of three of those; edges repeat. */
static void near_row(const vl_image *from, uint32_t y, near_kind kind, uint16_t *columns,
                     uint16_t *out) {
    size_t step = from->channels, count = (size_t)from->width * step;
    const uint8_t *here = at(from, 0, y), *above = at(from, 0, y ? y - 1 : 0);
    const uint8_t *below = at(from, 0, y + 1 < from->height ? y + 1 : y);
    for (size_t i = 0; i < count; i++)
        columns[i] = (uint16_t)combine(kind, above[i], here[i], below[i]);
    for (size_t i = 0; i < count; i++)
        out[i] = (uint16_t)combine(kind, columns[i < step ? i : i - step], columns[i],
                                   columns[i + step < count ? i + step : i]);
}

static void mix_near(vl_image *image, near_kind kind, double share) {
    size_t count = (size_t)image->width * image->channels;
    vl_image *from = vl_image_copy(image);
    uint16_t *rows = malloc(2 * count * sizeof *rows);
    int part = (int)lrint(256 * share);
    for (uint32_t y = 0; from && rows && y < image->height; y++) {
        uint8_t *row = at(image, 0, y);
        near_row(from, y, kind, rows, rows + count);
        for (size_t i = 0; i < count; i++) {
            int near = rows[count + i];
            near = kind == NEAR_MEAN ? (near + 4) / 9 : near;
            row[i] = (uint8_t)((row[i] * (256 - part) + near * part + 128) >> 8);
        }
    }
    free(rows);
    vl_image_free(from);
}

void degrade_thicken(vl_image *image, double share) {
    mix_near(image, NEAR_DARKEST, share);
}

void degrade_thin(vl_image *image, double share) {
    mix_near(image, NEAR_LIGHTEST, share);
}

void degrade_soften(vl_image *image, double share) {
    mix_near(image, NEAR_MEAN, share);
}

/* ---- tones -------------------------------------------------------------------------- */

static void map_tones(vl_image *image, const uint8_t table[256]) {
    for (uint32_t y = 0; y < image->height; y++) {
        uint8_t *row = at(image, 0, y);
        for (size_t i = 0; i < (size_t)image->width * image->channels; i++)
            row[i] = table[row[i]];
    }
}

void degrade_contrast(vl_image *image, uint8_t black, uint8_t white) {
    uint8_t table[256];
    for (int i = 0; i < 256; i++)
        table[i] = clamp(black + (white - black) * i / 255.0);
    map_tones(image, table);
}

void degrade_invert(vl_image *image) {
    uint8_t table[256];
    for (int i = 0; i < 256; i++)
        table[i] = (uint8_t)(255 - i);
    map_tones(image, table);
}

void degrade_fax(vl_image *image, uint8_t threshold) {
    uint8_t table[256];
    for (int i = 0; i < 256; i++)
        table[i] = i < threshold ? 0 : 255;
    map_tones(image, table);
}

/* Noise between the points of a grid of `GRID` pixels, linearly, and fine grain over it. */
void degrade_paper(vl_image *image, double strength, uint64_t seed) {
    enum { GRID = 24 };
    dice d = {seed};
    size_t columns = image->width / GRID + 2, rows = image->height / GRID + 2;
    float *grid = malloc(columns * rows * sizeof *grid);
    if (!grid)
        return;
    for (size_t i = 0; i < columns * rows; i++)
        grid[i] = (float)(strength * 0.7 * (dice_unit(&d) - 1));
    uint64_t bits = 0;
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            const float *g = grid + y / GRID * columns + x / GRID;
            float u = (float)(x % GRID) / GRID, v = (float)(y % GRID) / GRID;
            float top = g[0] + u * (g[1] - g[0]);
            float low = g[columns] + u * (g[columns + 1] - g[columns]);
            bits = x % 8 ? bits >> 8 : dice_bits(&d);
            double grain = strength * 0.3 * ((double)(bits & 255) / 255 - 1);
            for (uint32_t c = 0; c < image->channels; c++)
                at(image, x, y)[c] =
                    clamp(at(image, x, y)[c] + (double)(top + v * (low - top)) + grain);
        }
    free(grid);
}

/* ---- what else is on the paper ------------------------------------------------------- */

void degrade_overlay(vl_image *image, const vl_image *other, int left, int top) {
    for (int y = top < 0 ? -top : 0; y < (int)other->height && y + top < (int)image->height;
         y++)
        for (int x = left < 0 ? -left : 0;
             x < (int)other->width && x + left < (int)image->width; x++) {
            const uint8_t *from = at(other, (uint32_t)x, (uint32_t)y);
            uint8_t *to = at(image, (uint32_t)(x + left), (uint32_t)(y + top));
            for (uint32_t c = 0; c < image->channels; c++)
                if (from[c % other->channels] < to[c])
                    to[c] = from[c % other->channels];
        }
}

/* Toward `tone` by `share`; a lighter tone than what is there changes nothing. */
static void darken(const vl_image *image, uint32_t x, uint32_t y, double tone, double share) {
    for (uint32_t c = 0; c < image->channels; c++) {
        uint8_t *p = at(image, x, y) + c;
        if (tone < *p && share > 0)
            *p = clamp(*p + (tone - *p) * (share < 1 ? share : 1));
    }
}

void degrade_rule(vl_image *image, const degrade_ruler *ruler) {
    double half = ruler->thickness / 2;
    for (uint32_t x = 0; x < image->width; x++) {
        double along = (x - ruler->left) / (ruler->right - ruler->left);
        if (x < ruler->left || x > ruler->right ||
            (ruler->dash > 0 && fmod(x - ruler->left, 2 * ruler->dash) >= ruler->dash))
            continue;
        double middle = ruler->y - ruler->rise * along;
        for (double y = floor(middle - half); y <= ceil(middle + half); y++) {
            double covered = fmin(y + 1, middle + half) - fmax(y, middle - half);
            if (y >= 0 && y < image->height && covered > 0)
                darken(image, x, (uint32_t)y, ruler->tone, covered);
        }
    }
}

void degrade_stamp(vl_image *image, uint8_t tone, uint64_t seed) {
    dice d = {seed};
    double height = image->height, radius = height * dice_between(&d, 0.7, 2.2);
    double cx = dice_unit(&d) * image->width, cy = height * dice_between(&d, -0.6, 1.6);
    double thick = dice_between(&d, 1.5, 4), bar = radius * dice_between(&d, 0.2, 0.5);
    double ink = dice_between(&d, 0.3, 0.8), phase = 6.283 * dice_unit(&d);
    uint32_t left = (uint32_t)fmax(0, cx - radius - thick);
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = left; x < image->width && x < cx + radius + thick; x++) {
            double dx = x - cx, dy = y - cy, r = sqrt(dx * dx + dy * dy);
            bool on = fabs(r - radius) < thick || fabs(r - radius * 0.8) < thick / 2 ||
                      (r < radius * 0.75 && fabs(fabs(dy) - bar) < thick / 2);
            if (on)
                darken(image, x, y, tone, ink * (0.6 + 0.4 * sin(x / 5.0 + y / 3.0 + phase)));
        }
}

void degrade_smudge(vl_image *image, double strength, uint64_t seed) {
    dice d = {seed};
    for (int spots = 1 + dice_below(&d, 3); spots > 0; spots--) {
        double cx = dice_unit(&d) * image->width, cy = dice_unit(&d) * image->height;
        double wide = image->height * dice_between(&d, 0.2, 1.2), high = wide * 0.7;
        double depth = strength * dice_between(&d, 0.4, 1);
        for (uint32_t y = 0; y < image->height; y++)
            for (uint32_t x = (uint32_t)fmax(0, cx - 3 * wide);
                 x < image->width && x < cx + 3 * wide; x++) {
                double u = (x - cx) / wide, v = (y - cy) / high;
                double change = depth * exp(-(u * u + v * v));
                for (uint32_t c = 0; c < image->channels; c++)
                    at(image, x, y)[c] = clamp(at(image, x, y)[c] - change);
            }
    }
}

/* ---- lens and files ----------------------------------------------------------------- */

void degrade_motion(vl_image *image, double length, double degrees) {
    vl_image *from = vl_image_copy(image);
    double radians = degrees * 3.14159265358979 / 180;
    int taps = length < 2 ? 1 : (int)lrint(length);
    int dx[32], dy[32];
    taps = taps > 32 ? 32 : taps;
    for (int i = 0; i < taps; i++) {
        dx[i] = (int)lrint((i - (taps - 1) / 2.0) * cos(radians));
        dy[i] = (int)lrint((i - (taps - 1) / 2.0) * sin(radians));
    }
    int width = (int)image->width, height = (int)image->height;
    for (int y = 0; from && y < height; y++)
        for (int x = 0; x < width; x++)
            for (uint32_t c = 0; c < image->channels; c++) {
                int sum = taps / 2;
                for (int i = 0; i < taps; i++) {
                    int fx = x + dx[i], fy = y + dy[i];
                    fx = fx < 0 ? 0 : fx >= width ? width - 1 : fx;
                    fy = fy < 0 ? 0 : fy >= height ? height - 1 : fy;
                    sum += at(from, (uint32_t)fx, (uint32_t)fy)[c];
                }
                at(image, (uint32_t)x, (uint32_t)y)[c] = (uint8_t)(sum / taps);
            }
    vl_image_free(from);
}

/* Takes the pixels of `other`, which has the same size and channels. */
static void take_pixels(vl_image *image, const vl_image *other) {
    for (uint32_t y = 0; y < image->height; y++)
        memcpy(at(image, 0, y), at(other, 0, y), (size_t)image->width * image->channels);
}

vl_status degrade_resolution(vl_image *image, double factor, vl_error *error) {
    uint32_t width = (uint32_t)fmax(1, image->width / fmax(1, factor));
    uint32_t height = (uint32_t)fmax(1, image->height / fmax(1, factor));
    vl_image *small = vl_image_resize(image, width, height);
    vl_image *large = small ? vl_image_resize(small, image->width, image->height) : NULL;
    if (large)
        take_pixels(image, large);
    vl_status status = large ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a picture");
    vl_image_free(small);
    vl_image_free(large);
    return status;
}

vl_status degrade_jpeg(vl_image *image, int quality, vl_error *error) {
    const vl_media_limits limits = vl_media_limits_default();
    vl_document *document = NULL;
    vl_image *back = NULL, *grey = NULL;
    vl_buf bytes;
    vl_buf_init(&bytes, (size_t)64 << 20);
    vl_status status = vl_image_encode_jpeg(image, quality, &bytes, error);
    if (!status)
        status = vl_document_open(bytes.data, bytes.len, &limits, &document, error);
    if (!status)
        status = vl_document_page(document, 0, &back, error);
    if (!status && back->channels != image->channels &&
        !(grey = image->channels == 1 ? vl_image_to_grey(back) : NULL))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a picture");
    if (!status)
        take_pixels(image, grey ? grey : back);
    vl_image_free(grey);
    vl_image_free(back);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    return status;
}
