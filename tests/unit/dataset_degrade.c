/* Tests of every degradation: what it does to brightness, that it keeps the size, that a seed
 * gives the same picture again and that it does something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/degrade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 211, HEIGHT = 47 };

/* Black bars on white, as letters stand in a line; the third of them grey. */
static vl_image *make_bars(uint32_t channels) {
    vl_image *image;
    vl_error error = {0};
    if (vl_image_new(WIDTH, HEIGHT, channels, &image, &error))
        fail_msg("%s", error.message);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            bool ink = y > 12 && y < 34 && x > 20 && x < 190 && x / 6 % 2;
            memset(image->pixels + y * image->stride + x * channels,
                   ink ? (x / 6 % 3 ? 0 : 90) : 255, channels);
        }
    return image;
}

static double brightness(const vl_image *image) {
    double sum = 0;
    for (uint32_t y = 0; y < image->height; y++)
        for (size_t i = 0; i < (size_t)image->width * image->channels; i++)
            sum += image->pixels[y * image->stride + i];
    return sum / ((double)image->width * image->height * image->channels);
}

static bool equal(const vl_image *a, const vl_image *b) {
    if (a->width != b->width || a->height != b->height || a->channels != b->channels)
        return false;
    for (uint32_t y = 0; y < a->height; y++)
        if (memcmp(a->pixels + y * a->stride, b->pixels + y * b->stride,
                   (size_t)a->width * a->channels) != 0)
            return false;
    return true;
}

/* ---- in place ------------------------------------------------------------------------- */

static void blur(vl_image *i, uint64_t s) {
    degrade_blur(i, 1 + (unsigned)(s % 3));
}
static void soften(vl_image *i, uint64_t s) {
    (void)s;
    degrade_soften(i, 1);
}
static void motion(vl_image *i, uint64_t s) {
    degrade_motion(i, 5, (double)(s % 180));
}
static void noise(vl_image *i, uint64_t s) {
    degrade_noise(i, 12, s);
}
static void salt(vl_image *i, uint64_t s) {
    degrade_salt(i, 0.02, s);
}
static void specks(vl_image *i, uint64_t s) {
    degrade_specks(i, 5000, s);
}
static void jpeg(vl_image *i, uint64_t s) {
    (void)s;
    assert_int_equal(degrade_jpeg(i, 15, NULL), VL_OK);
}
static void resolution(vl_image *i, uint64_t s) {
    (void)s;
    assert_int_equal(degrade_resolution(i, 2, NULL), VL_OK);
}
static void light(vl_image *i, uint64_t s) {
    degrade_light(i, (unsigned)(s % 4), 0.4);
}
static void tint(vl_image *i, uint64_t s) {
    (void)s;
    degrade_tint(i, 0.9, 0.85, 0.7);
}
static void paper(vl_image *i, uint64_t s) {
    degrade_paper(i, 30, s);
}
static void contrast(vl_image *i, uint64_t s) {
    (void)s;
    degrade_contrast(i, 60, 180);
}
static void invert(vl_image *i, uint64_t s) {
    (void)s;
    degrade_invert(i);
}
static void fade(vl_image *i, uint64_t s) {
    degrade_fade(i, 0.5, s);
}
static void thicken(vl_image *i, uint64_t s) {
    (void)s;
    degrade_thicken(i, 0.8);
}
static void thin(vl_image *i, uint64_t s) {
    (void)s;
    degrade_thin(i, 0.8);
}
static void fold(vl_image *i, uint64_t s) {
    (void)s;
    degrade_fold(i, 0.3);
}
static void rule(vl_image *i, uint64_t s) {
    (void)s;
    degrade_rule(i, &(degrade_ruler){.left = 0, .right = WIDTH, .y = 38, .thickness = 2});
}
static void stamp(vl_image *i, uint64_t s) {
    degrade_stamp(i, 60, s);
}
static void smudge(vl_image *i, uint64_t s) {
    degrade_smudge(i, 60, s);
}
static void fax(vl_image *i, uint64_t s) {
    (void)s;
    degrade_fax(i, 80); /* the grey bar is lost */
}
static void bleed(vl_image *i, uint64_t s) {
    vl_image *other = make_bars(1);
    (void)s;
    memset(other->pixels, 0, other->stride * 8); /* what no letter of the front covers */
    degrade_bleed(i, other, 0.3);
    vl_image_free(other);
}
static void overlay(vl_image *i, uint64_t s) {
    vl_image *other = make_bars(1);
    (void)s;
    degrade_overlay(i, other, -9, 25);
    vl_image_free(other);
}

typedef enum direction { DARKER = -1, SAME, LIGHTER, ANY } direction;
static const struct {
    const char *name;
    void (*run)(vl_image *, uint64_t);
    direction direction; /* of the mean brightness; SAME: within two tones */
    bool seeded;         /* another seed, another picture */
} rows[] = {
    {"blur", blur, SAME, false},         {"soften", soften, SAME, false},
    {"motion", motion, SAME, false},     {"noise", noise, ANY, true},
    {"salt", salt, ANY, true},           {"specks", specks, DARKER, true},
    {"jpeg", jpeg, SAME, false},         {"resolution", resolution, SAME, false},
    {"light", light, DARKER, false},     {"tint", tint, DARKER, false},
    {"paper", paper, DARKER, true},      {"contrast", contrast, ANY, false},
    {"invert", invert, DARKER, false},   {"fade", fade, LIGHTER, true},
    {"thicken", thicken, DARKER, false}, {"thin", thin, LIGHTER, false},
    {"fold", fold, ANY, false},          {"rule", rule, DARKER, false},
    {"stamp", stamp, DARKER, true},      {"smudge", smudge, DARKER, true},
    {"fax", fax, LIGHTER, false},        {"bleed", bleed, DARKER, false},
    {"overlay", overlay, DARKER, false},
};

static vl_image *degraded(size_t row, uint32_t channels, uint64_t seed) {
    vl_image *image = make_bars(channels);
    rows[row].run(image, seed);
    return image;
}

static void check_row(size_t row, uint32_t channels) {
    vl_image *before = make_bars(channels), *once = degraded(row, channels, 5);
    vl_image *again = degraded(row, channels, 5), *other = degraded(row, channels, 1234567);
    double change = brightness(once) - brightness(before);
    if (once->width != WIDTH || once->height != HEIGHT || once->channels != channels)
        fail_msg("%s: another size", rows[row].name);
    if (!equal(once, again))
        fail_msg("%s: the same seed gave another picture", rows[row].name);
    if (equal(once, before))
        fail_msg("%s: nothing happened", rows[row].name);
    if (rows[row].seeded && equal(once, other))
        fail_msg("%s: another seed gave the same picture", rows[row].name);
    if ((rows[row].direction == DARKER && change >= 0) ||
        (rows[row].direction == LIGHTER && change <= 0) ||
        (rows[row].direction == SAME && fabs(change) > 2))
        fail_msg("%s: brightness changed by %g", rows[row].name, change);
    vl_image_free(before);
    vl_image_free(once);
    vl_image_free(again);
    vl_image_free(other);
}

static void test_in_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_row(i, 1);
        check_row(i, 3);
    }
}

/* One pixel wide or high: nothing reads beside the picture (AddressSanitizer watches). */
static void test_smallest(void **state) {
    static const uint32_t sizes[][2] = {{1, 1}, {1, 40}, {40, 1}, {2, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            vl_image *image;
            assert_int_equal(vl_image_new(sizes[k][0], sizes[k][1], 1, &image, NULL), VL_OK);
            memset(image->pixels, 200, image->stride * image->height);
            rows[i].run(image, 3);
            assert_int_equal(image->width, sizes[k][0]);
            assert_int_equal(image->height, sizes[k][1]);
            vl_image_free(image);
        }
}

/* ---- what single ones promise ----------------------------------------------------------- */

static void test_noise_has_its_sigma(void **state) {
    vl_image *image;
    double sum = 0, squares = 0, count = 300 * 300;
    (void)state;
    assert_int_equal(vl_image_new(300, 300, 1, &image, NULL), VL_OK);
    memset(image->pixels, 128, image->stride * image->height);
    degrade_noise(image, 10, 42);
    for (uint32_t y = 0; y < 300; y++)
        for (uint32_t x = 0; x < 300; x++) {
            double d = image->pixels[y * image->stride + x] - 128.0;
            sum += d;
            squares += d * d;
        }
    assert_float_equal((sum / count), 0, 0.6);
    assert_float_equal(sqrt(squares / count), 10, 0.7);
    vl_image_free(image);
}

static void test_salt_has_its_share(void **state) {
    vl_image *image;
    size_t changed = 0;
    (void)state;
    assert_int_equal(vl_image_new(300, 300, 1, &image, NULL), VL_OK);
    memset(image->pixels, 128, image->stride * image->height);
    degrade_salt(image, 0.05, 9);
    for (uint32_t y = 0; y < 300; y++)
        for (uint32_t x = 0; x < 300; x++) {
            uint8_t tone = image->pixels[y * image->stride + x];
            assert_true(tone == 128 || tone == 0 || tone == 255);
            changed += tone != 128;
        }
    assert_float_equal(((double)changed / 90000), 0.05, 0.01);
    vl_image_free(image);
}

static void test_tones(void **state) {
    vl_image *image = make_bars(1);
    (void)state;
    degrade_contrast(image, 60, 180);
    for (size_t i = 0; i < WIDTH; i++)
        assert_in_range(image->pixels[20 * image->stride + i], 60, 180);
    degrade_fax(image, 120);
    for (size_t i = 0; i < WIDTH; i++)
        assert_true(image->pixels[20 * image->stride + i] == 0 ||
                    image->pixels[20 * image->stride + i] == 255);
    vl_image *twice = vl_image_copy(image);
    degrade_invert(twice);
    degrade_invert(twice);
    assert_true(equal(image, twice));
    vl_image_free(twice);
    vl_image_free(image);
}

/* ---- geometry ---------------------------------------------------------------------------- */

/* Middle of the ink's mass, from the left top corner. */
static void middle(const vl_image *image, double *x, double *y) {
    double mass = 0;
    *x = *y = 0;
    for (uint32_t row = 0; row < image->height; row++)
        for (uint32_t column = 0; column < image->width; column++) {
            double ink = 255 - image->pixels[row * image->stride + column];
            mass += ink;
            *x += ink * column;
            *y += ink * row;
        }
    *x /= mass;
    *y /= mass;
}

static void test_geometry_that_does_nothing(void **state) {
    (void)state;
    vl_image *image = make_bars(1);
    vl_image *same[] = {degrade_skew(image, 0, 9), degrade_perspective(image, 0, 0, 9),
                        degrade_curve(image, 0, 1, 0, 9), degrade_slant(image, 0, 9),
                        degrade_crop(image, 0, 0, WIDTH, HEIGHT, 9)};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_non_null(same[i]);
        assert_true(equal(same[i], image));
        vl_image_free(same[i]);
    }
    vl_image_free(image);
}

static void test_geometry(void **state) {
    double x, y, tx, ty;
    (void)state;
    vl_image *image = make_bars(1);
    middle(image, &x, &y);
    vl_image *turned = degrade_skew(image, 3, 255),
             *bent = degrade_curve(image, 4, 0.5, 0, 255);
    vl_image *leaning = degrade_slant(image, 10, 255);
    vl_image *seen = degrade_perspective(image, 0.3, 0, 255);
    vl_image *part = degrade_crop(image, -5, -7, WIDTH, HEIGHT, 255);
    middle(turned, &tx, &ty);
    assert_float_equal(tx, x, 1.5); /* about the middle of the picture */
    assert_float_equal(ty, y, 1.5);
    middle(bent, &tx, &ty);
    assert_true(ty < y - 1); /* the belly of half a wave goes up */
    middle(leaning, &tx, &ty);
    assert_float_equal(ty, y, 0.5);
    assert_true(brightness(seen) > brightness(image)); /* narrower: less ink */
    middle(part, &tx, &ty);
    assert_float_equal(tx, (x + 5), 0.01);
    assert_float_equal(ty, (y + 7), 0.01);
    vl_image *all[] = {turned, bent, leaning, seen, part};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(all[i]->width, WIDTH);
        assert_int_equal(all[i]->height, HEIGHT);
        vl_image_free(all[i]);
    }
    vl_image_free(image);
}

static void test_crop_outside(void **state) {
    (void)state;
    vl_image *image = make_bars(3), *part = degrade_crop(image, 500, 500, 4, 3, 77);
    assert_int_equal(part->width, 4);
    assert_int_equal(part->height, 3);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(part->pixels[i], 77);
    vl_image_free(part);
    vl_image_free(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_noise_has_its_sigma),
        cmocka_unit_test(test_salt_has_its_share),
        cmocka_unit_test(test_tones),
        cmocka_unit_test(test_geometry_that_does_nothing),
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_crop_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
