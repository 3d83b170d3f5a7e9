/* Photographs are told from what is drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataset/picture_kind.h"

#include <vislang/media.h>

#include <stdio.h>
#include <string.h>

static vl_image *decode(const vl_buf *bytes) {
    const vl_media_limits limits = vl_media_limits_default();
    vl_image *image = NULL;
    vl_error error = {0};
    if (vl_document_first(bytes->data, bytes->len, &limits, &image, &error))
        fail_msg("%s", error.message);
    return image;
}

static void fill(vl_image *image, uint32_t x0, uint32_t y0, uint32_t width, uint32_t height,
                 uint32_t rgb) {
    for (uint32_t y = y0; y < y0 + height && y < image->height; y++)
        for (uint32_t x = x0; x < x0 + width && x < image->width; x++)
            for (uint32_t c = 0; c < 3; c++)
                image->pixels[y * image->stride + 3 * x + c] = (uint8_t)(rgb >> (16 - 8 * c));
}

/* Bars of many colours up to the edges, axes and lines; `ground` 1: on a colour that changes
 * from row to row, as maps and slides have it. */
static vl_image *draw(int ground) {
    vl_image *image = NULL;
    vl_error error = {0};
    assert_int_equal(vl_image_new(640, 420, 3, &image, &error), VL_OK);
    for (uint32_t y = 0; y < image->height; y++)
        fill(image, 0, y, image->width, 1, ground ? 0x8080C0 + (y / 4) * 0x100 : 0xFFFFFF);
    for (uint32_t i = 0; i < 14; i++)
        fill(image, 20 + 44 * i, 40 + (i * 97) % 300, 38, 380,
             (0x3050A0 + i * 0x2B1D47) & 0xFFFFFF);
    for (uint32_t i = 0; i < 6; i++)
        fill(image, 10, 30 + 65 * i, 620, 1, 0x808080);
    fill(image, 10, 20, 2, 390, 0);
    fill(image, 10, 408, 620, 2, 0);
    return image;
}

static void photographs(void **state) {
    static const char *const names[] = {"astronaut", "cat", "coffee", "rocket"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024];
        vl_buf bytes;
        vl_error error = {0};
        vl_buf_init(&bytes, 8 << 20);
        snprintf(path, sizeof path, "%s/samples/photos/%s.jpg", TEST_SOURCE_DIR, names[i]);
        if (vl_file_read(path, 8 << 20, &bytes, &error))
            fail_msg("%s", error.message);
        vl_image *image = decode(&bytes);
        assert_int_equal(picture_kind_of(image, VL_PART_FIGURE), VL_PART_PHOTOGRAPH);
        assert_int_equal(picture_kind_of(image, VL_PART_MAP), VL_PART_MAP);
        /* As a page shows it that is drawn finer than the picture is. */
        vl_image *larger = vl_image_resize(image, 2 * image->width, 2 * image->height);
        assert_non_null(larger);
        assert_int_equal(picture_kind_of(larger, VL_PART_FIGURE), VL_PART_PHOTOGRAPH);
        vl_image_free(larger);
        vl_image_free(image);
        vl_buf_deinit(&bytes);
    }
}

static void drawings(void **state) {
    (void)state;
    for (int ground = 0; ground < 2; ground++) {
        vl_image *image = draw(ground);
        vl_buf bytes;
        vl_error error = {0};
        assert_int_equal(picture_kind_of(image, VL_PART_FIGURE), VL_PART_FIGURE);
        vl_buf_init(&bytes, 8 << 20);
        assert_int_equal(vl_image_encode_jpeg(image, 85, &bytes, &error), VL_OK);
        vl_image *again = decode(&bytes);
        assert_int_equal(picture_kind_of(again, VL_PART_FIGURE), VL_PART_FIGURE);
        vl_image_free(again);
        vl_image_free(image);
        vl_buf_deinit(&bytes);
    }
    vl_image *tiny = NULL;
    vl_error error = {0};
    assert_int_equal(vl_image_new(1, 1, 1, &tiny, &error), VL_OK);
    assert_int_equal(picture_kind_of(tiny, VL_PART_FIGURE), VL_PART_FIGURE);
    vl_image_free(tiny);
    assert_int_equal(picture_kind_of(NULL, VL_PART_FIGURE), VL_PART_FIGURE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(photographs),
                                       cmocka_unit_test(drawings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
