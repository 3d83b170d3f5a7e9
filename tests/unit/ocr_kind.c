/* Kinds of pictures: a page drawn here and spoiled in one way each, and the pages of samples/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "ocr/kind.h"

enum { WIDTH = 600, HEIGHT = 400, PAPER = 235, INK = 30 };

/* Ranks of dark strokes on paper, the letters of a page. */
static vl_image *page(void) {
    vl_image *image;
    assert_int_equal(vl_image_new(WIDTH, HEIGHT, 1, &image, NULL), VL_OK);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            bool ink = y % 40 >= 10 && y % 40 < 30 && x % 12 < 3;
            image->pixels[y * image->stride + x] = ink ? INK : PAPER;
        }
    return image;
}

static void each_pixel(vl_image *image, int (*change)(int level, uint32_t x, uint32_t y)) {
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            uint8_t *at = image->pixels + y * image->stride + x;
            int level = change(*at, x, y);
            *at = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
}

static int two_tones(int level, uint32_t x, uint32_t y) {
    (void)x;
    (void)y;
    return level > 128 ? 255 : 0;
}

static int in_shadow(int level, uint32_t x, uint32_t y) {
    (void)y;
    return level - (int)(x * 90 / WIDTH);
}

/* About normal, with a standard deviation of 10. */
static int grainy(int level, uint32_t x, uint32_t y) {
    static uint64_t seed = 1;
    int sum = 0;
    (void)x;
    (void)y;
    for (int i = 0; i < 12; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        sum += (int)(seed >> 33) % 1000;
    }
    return level - 20 + (sum - 12 * 500) * 10 / 1000;
}

static int faint(int level, uint32_t x, uint32_t y) {
    (void)x;
    (void)y;
    return level < 128 ? PAPER - 60 : level;
}

static void test_each_kind(void **state) {
    static const struct {
        int (*change)(int level, uint32_t x, uint32_t y);
        double letters;
        const char *kind;
    } cases[] = {{NULL, 20, "scan"},        {NULL, 9, "low-resolution"},
                 {NULL, 0, "scan"},         {two_tones, 20, "bitonal"},
                 {two_tones, 9, "bitonal"}, {in_shadow, 20, "photo"},
                 {grainy, 20, "noisy"},     {faint, 20, "low-contrast"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_image *image = page();
        vl_kind_measures measures;
        vl_ocr_survey survey = {.letter_height = cases[i].letters};
        if (cases[i].change)
            each_pixel(image, cases[i].change);
        assert_int_equal(vl_kind_measure(image, &survey, &measures, NULL), VL_OK);
        assert_string_equal(vl_kind_name(&measures), cases[i].kind);
        if (cases[i].change == grainy)
            assert_true(measures.noise > 8 && measures.noise < 12);
        vl_image_free(image);
    }
}

static void test_samples(void **state) {
    static const struct {
        const char *name, *kind;
    } cases[] = {{"notice-spa.png", "bitonal"},
                 {"notice-swh.jpg", "photo"},
                 {"notice-hau.jpg", "scan"},
                 {"report-eng.png", "scan"}};
    vl_media_limits limits = vl_media_limits_default();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        vl_buf bytes;
        vl_image *image;
        vl_kind_measures measures;
        vl_buf_init(&bytes, 64 << 20);
        snprintf(path, sizeof path, "%s/samples/%s", TEST_SOURCE_DIR, cases[i].name);
        assert_int_equal(vl_file_read(path, 64 << 20, &bytes, NULL), VL_OK);
        assert_int_equal(vl_document_first(bytes.data, bytes.len, &limits, &image, NULL),
                         VL_OK);
        vl_ocr_survey survey = {.letter_height = 18};
        assert_int_equal(vl_kind_measure(image, &survey, &measures, NULL), VL_OK);
        assert_string_equal(vl_kind_name(&measures), cases[i].kind);
        vl_image_free(image);
        vl_buf_deinit(&bytes);
    }
}

static void test_small_pictures(void **state) {
    static const uint32_t sides[][2] = {{1, 1}, {2, 40}, {3, 3}, {47, 5}, {5000, 3}};
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        vl_image *image;
        vl_kind_measures measures;
        vl_ocr_survey survey = {0};
        assert_int_equal(vl_image_new(sides[i][0], sides[i][1], 3, &image, NULL), VL_OK);
        memset(image->pixels, 200, image->stride * image->height);
        bool enough = sides[i][0] > 2 && sides[i][1] > 2;
        assert_int_equal(vl_kind_measure(image, &survey, &measures, NULL),
                         enough ? VL_OK : VL_ERR_INPUT);
        if (enough)
            assert_true(measures.ground == 200 && measures.noise == 0 && measures.uneven == 0);
        vl_image_free(image);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_small_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
