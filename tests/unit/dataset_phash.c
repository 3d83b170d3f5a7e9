/* Tests of the perceptual hash under what happens to pictures, and of finding near hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/hamming.h"
#include "dataset/phash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pictures --------------------------------------------------------------------- */

enum { WIDTH = 400, HEIGHT = 300, SCENES = 12 };

static vl_image *blank(uint32_t width, uint32_t height) {
    vl_image *image;
    assert_int_equal(vl_image_new(width, height, 3, &image, NULL), VL_OK);
    return image;
}

/* A scene of its own a seed: soft blobs of light and colour over a slope. */
static vl_image *scene(uint64_t seed) {
    vl_image *image = blank(WIDTH, HEIGHT);
    double x[14], y[14], size[14], light[14][3];
    for (int b = 0; b < 14; b++) {
        x[b] = WIDTH * vl_random_uniform(&seed);
        y[b] = HEIGHT * vl_random_uniform(&seed);
        size[b] = 15 + 70 * vl_random_uniform(&seed);
        for (int c = 0; c < 3; c++)
            light[b][c] = 220 * vl_random_uniform(&seed) - 110;
    }
    for (uint32_t j = 0; j < HEIGHT; j++)
        for (uint32_t i = 0; i < WIDTH; i++)
            for (uint32_t c = 0; c < 3; c++) {
                double v = 128;
                for (int b = 0; b < 14; b++)
                    v +=
                        light[b][c] * exp(-((i - x[b]) * (i - x[b]) + (j - y[b]) * (j - y[b])) /
                                          (2 * size[b] * size[b]));
                image->pixels[j * image->stride + 3 * i + c] = (uint8_t)(v < 0     ? 0
                                                                         : v > 255 ? 255
                                                                                   : v);
            }
    return image;
}

static vl_image *cropped(const vl_image *of, uint32_t left, uint32_t top, uint32_t right,
                         uint32_t bottom) {
    vl_image *image = blank(of->width - left - right, of->height - top - bottom);
    for (uint32_t y = 0; y < image->height; y++)
        memcpy(image->pixels + y * image->stride,
               of->pixels + (y + top) * of->stride + 3 * (size_t)left,
               3 * (size_t)image->width);
    return image;
}

static vl_image *recompressed(const vl_image *of, int quality) {
    vl_buf bytes;
    vl_image *image;
    const vl_media_limits limits = vl_media_limits_default();
    vl_buf_init(&bytes, 4 << 20);
    assert_int_equal(vl_image_encode_jpeg(of, quality, &bytes, NULL), VL_OK);
    assert_int_equal(vl_document_first(bytes.data, bytes.len, &limits, &image, NULL), VL_OK);
    vl_buf_deinit(&bytes);
    return image;
}

static vl_image *relit(const vl_image *of, double gain, double offset, double noise) {
    vl_image *image = vl_image_copy(of);
    uint64_t seed = 9;
    assert_non_null(image);
    for (size_t i = 0; i < image->stride * image->height; i++) {
        double v = gain * image->pixels[i] + offset + noise * (vl_random_uniform(&seed) - 0.5);
        image->pixels[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    return image;
}

static uint64_t hashed(const vl_image *image) {
    uint64_t hash;
    bool found;
    assert_int_equal(phash_of(image, &hash, &found, NULL), VL_OK);
    assert_true(found);
    return hash;
}

static unsigned apart(uint64_t original, vl_image *changed) {
    unsigned distance = phash_distance(original, hashed(changed));
    vl_image_free(changed);
    return distance;
}

static void test_what_happens_to_pictures(void **state) {
    (void)state;
    for (uint64_t s = 0; s < SCENES; s++) {
        vl_image *image = scene(s);
        uint64_t hash = hashed(image);
        assert_true(apart(hash, vl_image_resize(image, 200, 150)) <= 4);
        assert_true(apart(hash, vl_image_resize(image, 96, 72)) <= 6);
        assert_true(apart(hash, vl_image_resize(image, 611, 300)) <= 4); /* not its shape */
        assert_true(apart(hash, vl_image_to_grey(image)) <= 2);
        assert_true(apart(hash, recompressed(image, 75)) <= 4);
        assert_true(apart(hash, recompressed(image, 20)) <= 6);
        assert_true(apart(hash, relit(image, 0.8, 30, 0)) <= 6);
        assert_true(apart(hash, relit(image, 1, 0, 40)) <= 6);
        assert_true(apart(hash, cropped(image, 4, 3, 4, 3)) <= 6); /* 2 % of each side */
        vl_image_free(image);
    }
}

static void test_other_pictures(void **state) {
    uint64_t hashes[SCENES];
    unsigned sum = 0;
    (void)state;
    for (uint64_t s = 0; s < SCENES; s++) {
        vl_image *image = scene(s);
        hashes[s] = hashed(image);
        assert_true(apart(hashes[s], vl_image_rotate(image, 180)) > 16);
        vl_image_free(image);
        for (uint64_t t = 0; t < s; t++) {
            sum += phash_distance(hashes[s], hashes[t]);
            assert_true(phash_distance(hashes[s], hashes[t]) > 12);
        }
    }
    assert_in_range(sum / (SCENES * (SCENES - 1) / 2), 28, 36);
}

static void test_without_detail(void **state) {
    (void)state;
    bool found = true;
    uint64_t hash;
    vl_image *image = blank(1, 1);
    assert_int_equal(phash_of(image, &hash, &found, NULL), VL_OK);
    assert_false(found);
    vl_image_free(image);
    image = blank(300, 400);
    memset(image->pixels, 250, image->stride * image->height);
    vl_image *noisy = relit(image, 1, 0, 6);
    assert_int_equal(phash_of(noisy, &hash, &found, NULL), VL_OK);
    assert_false(found);
    vl_image_free(noisy);
    vl_image_free(image);
}

/* ---- near hashes ------------------------------------------------------------------ */

enum { HASHES = 900 };

typedef struct found_pairs {
    uint8_t seen[HASHES][HASHES];
} found_pairs;

static void remember(void *user, uint32_t a, uint32_t b) {
    found_pairs *pairs = user;
    assert_true(a != b && a < HASHES && b < HASHES);
    pairs->seen[a][b] = pairs->seen[b][a] = 1;
}

/* Random ones, and around each sixth of them some that differ in 1 … 20 bits. */
static void make_hashes(uint64_t hashes[HASHES]) {
    uint64_t seed = 77;
    for (size_t i = 0; i < HASHES; i++) {
        hashes[i] = i % 6 ? hashes[i - i % 6] : vl_random_next(&seed);
        for (size_t flips = i % 6 ? 1 + i % 20 : 0; flips; flips--)
            hashes[i] ^= UINT64_C(1) << vl_random_below(&seed, 64);
    }
}

static void check_join(const uint64_t hashes[HASHES], spill *file, size_t count,
                       unsigned distance, size_t memory, found_pairs *pairs) {
    vl_error error = {0};
    memset(pairs, 0, sizeof *pairs);
    if (hamming_join(file, count, distance, memory, remember, NULL, pairs, &error))
        fail_msg("%s", error.message);
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < a; b++) {
            unsigned bits = phash_distance(hashes[a], hashes[b]);
            if (pairs->seen[a][b] != (bits && bits <= distance))
                fail_msg("%u bits apart, of %u: %d", bits, distance, pairs->seen[a][b]);
        }
}

static void test_near_hashes_are_all_found(void **state) {
    static uint64_t hashes[HASHES];
    found_pairs *pairs = malloc(sizeof *pairs);
    spill *file;
    (void)state;
    assert_non_null(pairs);
    assert_int_equal(spill_open("", &file, NULL), VL_OK);
    make_hashes(hashes);
    for (uint32_t i = 0; i < HASHES; i++) {
        hamming_record record = {(uint32_t)(hashes[i] >> 32), (uint32_t)hashes[i], i};
        assert_int_equal(spill_append(file, &record, sizeof record, NULL), VL_OK);
    }
    for (unsigned distance = 0; distance <= HAMMING_MOST; distance++)
        check_join(hashes, file, HASHES, distance, 4 << 20, pairs);
    for (size_t count = 1; count < 40; count += 13)
        check_join(hashes, file, count, 6, HAMMING_LEAST_MEMORY, pairs);
    assert_int_equal(hamming_join(file, HASHES, 17, 4 << 20, remember, NULL, pairs, NULL),
                     VL_ERR_USAGE);
    assert_int_equal(hamming_join(file, HASHES, 6, 1000, remember, NULL, pairs, NULL),
                     VL_ERR_USAGE);
    spill_free(file);
    free(pairs);
}

typedef struct pair_sum {
    uint64_t pairs, sum;
} pair_sum;

static void add_up(void *user, uint32_t a, uint32_t b) {
    pair_sum *s = user;
    s->pairs++;
    s->sum += (uint64_t)a * 1000003 + b;
}

/* 400,000 hashes, of which every second is 2 bits from the one before: whole and in parts. */
static void test_near_hashes_in_parts(void **state) {
    enum { MANY = 400000 };
    spill *file;
    uint64_t seed = 3, hash = 0;
    (void)state;
    assert_int_equal(spill_open("", &file, NULL), VL_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        hash = i % 2 ? hash ^ UINT64_C(0x8000000001) : vl_random_next(&seed);
        hamming_record record = {(uint32_t)(hash >> 32), (uint32_t)hash, i};
        assert_int_equal(spill_append(file, &record, sizeof record, NULL), VL_OK);
    }
    pair_sum whole = {0}, parts = {0};
    assert_int_equal(hamming_join(file, MANY, 3, 64 << 20, add_up, NULL, &whole, NULL), VL_OK);
    assert_int_equal(hamming_join(file, MANY, 3, 3 << 20, add_up, NULL, &parts, NULL), VL_OK);
    assert_true(whole.pairs >= MANY / 2 && parts.pairs >= MANY / 2);
    spill_free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_happens_to_pictures),
        cmocka_unit_test(test_other_pictures),
        cmocka_unit_test(test_without_detail),
        cmocka_unit_test(test_near_hashes_are_all_found),
        cmocka_unit_test(test_near_hashes_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
