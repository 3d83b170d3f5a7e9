/* media_image.c — pictures: turning, resizing, encoding and back, EXIF orientation, what they
 * look like. */
#include "media/decode.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static vl_image *blank(uint32_t width, uint32_t height, uint32_t channels, uint8_t value) {
    vl_image *image;
    assert_int_equal(vl_image_new(width, height, channels, &image, NULL), VL_OK);
    memset(image->pixels, value, image->stride * height);
    return image;
}

/* Every pixel tells where it stands. */
static vl_image *numbered(uint32_t width, uint32_t height, uint32_t channels) {
    vl_image *image = blank(width, height, channels, 0);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            for (uint32_t c = 0; c < channels; c++)
                image->pixels[y * image->stride + x * channels + c] =
                    (uint8_t)(x * 7 + y * 13 + c * 50);
    return image;
}

static uint8_t at(const vl_image *image, uint32_t x, uint32_t y, uint32_t c) {
    return image->pixels[y * image->stride + (size_t)x * image->channels + c];
}

static bool same(const vl_image *a, const vl_image *b) {
    return a->width == b->width && a->height == b->height && a->channels == b->channels &&
           !memcmp(a->pixels, b->pixels, a->stride * a->height);
}

static void new_refuses_what_cannot_be(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height, channels;
        vl_status status;
    } cases[] = {
        {0, 1, 1, VL_ERR_USAGE}, {1, 0, 1, VL_ERR_USAGE}, {1, 1, 2, VL_ERR_USAGE},
        {1, 1, 4, VL_ERR_USAGE}, {1, 1, 1, VL_OK},        {1, 1, 3, VL_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_image *image;
        vl_error error = {0};
        assert_int_equal(
            vl_image_new(cases[i].width, cases[i].height, cases[i].channels, &image, &error),
            cases[i].status);
        assert_true(cases[i].status ? !image && *error.message : image != NULL);
        vl_image_free(image);
    }
}

/* Where the source's pixel (x, y) must lie after a clockwise turn. */
static void turns_move_every_pixel(void **state) {
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {5, 3}, {64, 64}, {65, 130}, {200, 1}, {1, 99}};
    static const int degrees[] = {0, 90, 180, 270, 360, -90, 450};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint32_t channels = 1; channels <= 3; channels += 2)
            for (size_t d = 0; d < sizeof degrees / sizeof *degrees; d++) {
                uint32_t w = sizes[s][0], h = sizes[s][1];
                vl_image *image = numbered(w, h, channels);
                vl_image *turned = vl_image_rotate(image, degrees[d]);
                int turn = ((degrees[d] + 360) % 360) / 90;
                for (uint32_t y = 0; y < h; y++)
                    for (uint32_t x = 0; x < w; x++) {
                        uint32_t to_x[] = {x, h - 1 - y, w - 1 - x, y};
                        uint32_t to_y[] = {y, x, h - 1 - y, w - 1 - x};
                        assert_int_equal(at(turned, to_x[turn], to_y[turn], channels - 1),
                                         at(image, x, y, channels - 1));
                    }
                vl_image_free(image);
                vl_image_free(turned);
            }
}

static void resizing_keeps_what_matters(void **state) {
    (void)state;
    /* A halving averages each 2×2 square. */
    vl_image *image = blank(4, 2, 1, 0);
    memcpy(image->pixels, (uint8_t[]){0, 100, 200, 200, 100, 200, 200, 200}, 8);
    vl_image *half = vl_image_resize(image, 2, 1);
    assert_int_equal(half->pixels[0], 100);
    assert_int_equal(half->pixels[1], 200);
    vl_image_free(half);
    vl_image_free(image);
    /* One tone stays that tone at any size. */
    static const uint32_t sizes[][2] = {{1, 1},   {3, 7},    {50, 40},
                                        {99, 61}, {200, 30}, {7, 300}};
    image = blank(50, 40, 3, 137);
    image->dpi = 100;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        vl_image *other = vl_image_resize(image, sizes[i][0], sizes[i][1]);
        assert_int_equal(other->width, sizes[i][0]);
        assert_int_equal(other->height, sizes[i][1]);
        for (size_t p = 0; p < other->stride * other->height; p++)
            assert_int_equal(other->pixels[p], 137);
        assert_true(fabs(other->dpi - 2.0 * sizes[i][0]) < 1e-9);
        vl_image_free(other);
    }
    assert_null(vl_image_resize(image, 0, 5));
    vl_image_free(image);
    /* The mean survives any reduction. */
    image = numbered(97, 83, 1);
    vl_image *small = vl_image_resize(image, 31, 17);
    double before = 0, after = 0;
    for (size_t p = 0; p < 97 * 83; p++)
        before += image->pixels[p];
    for (size_t p = 0; p < 31 * 17; p++)
        after += small->pixels[p];
    assert_true(fabs(before / (97 * 83) - after / (31 * 17)) < 0.6);
    vl_image_free(image);
    vl_image_free(small);
}

static void grey_is_luma(void **state) {
    (void)state;
    static const uint8_t colours[][4] = {
        {255, 255, 255, 255}, {0, 0, 0, 0}, {255, 0, 0, 76}, {0, 255, 0, 150}, {0, 0, 255, 29}};
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++) {
        vl_image *image = blank(1, 1, 3, 0);
        memcpy(image->pixels, colours[i], 3);
        vl_image *grey = vl_image_to_grey(image);
        assert_int_equal(grey->channels, 1);
        assert_int_equal(grey->pixels[0], colours[i][3]);
        vl_image_free(grey);
        vl_image_free(image);
    }
}

static vl_image *decoded(const vl_buf *bytes) {
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_error error = {0};
    vl_media_limits limits = vl_media_limits_default();
    if (vl_document_open(bytes->data, bytes->len, &limits, &document, &error) ||
        vl_document_page(document, 0, &image, &error))
        fail_msg("%s", error.message);
    vl_document_free(document);
    return image;
}

static void png_comes_back_the_same(void **state) {
    (void)state;
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        vl_image *image = numbered(61, 47, channels);
        vl_buf bytes;
        vl_buf_init(&bytes, 1 << 20);
        image->dpi = 200;
        assert_int_equal(vl_image_encode_png(image, &bytes, NULL), VL_OK);
        vl_image *back = decoded(&bytes);
        assert_true(same(image, back));
        assert_true(fabs(back->dpi - 200) < 0.1);
        vl_image_free(image);
        vl_image_free(back);
        vl_buf_deinit(&bytes);
    }
}

static void jpeg_comes_back_nearly_the_same(void **state) {
    (void)state;
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        vl_image *image = blank(64, 48, channels, 0);
        for (uint32_t y = 0; y < 48; y++)
            for (size_t s = 0; s < image->stride; s++)
                image->pixels[y * image->stride + s] = (uint8_t)(3 * y + s / channels);
        vl_buf bytes;
        vl_buf_init(&bytes, 1 << 20);
        image->dpi = 300;
        assert_int_equal(vl_image_encode_jpeg(image, 95, &bytes, NULL), VL_OK);
        vl_image *back = decoded(&bytes);
        assert_int_equal(back->channels, channels);
        assert_true(back->dpi == 300);
        for (size_t s = 0; s < image->stride * 48; s++)
            assert_true(abs(image->pixels[s] - back->pixels[s]) <= 6);
        vl_image_free(image);
        vl_image_free(back);
        vl_buf_deinit(&bytes);
    }
}

static void encoders_say_why_not(void **state) {
    (void)state;
    vl_error error = {0};
    vl_buf bytes;
    vl_image *image = numbered(100, 100, 3);
    vl_buf_init(&bytes, 100);
    assert_int_equal(vl_image_encode_jpeg(image, 0, &bytes, &error), VL_ERR_USAGE);
    assert_int_equal(vl_image_encode_jpeg(image, 101, &bytes, &error), VL_ERR_USAGE);
    assert_int_equal(vl_image_encode_jpeg(image, 90, &bytes, &error), VL_ERR_MEMORY);
    vl_buf_deinit(&bytes);
    vl_buf_init(&bytes, 100);
    assert_int_equal(vl_image_encode_png(image, &bytes, &error), VL_ERR_MEMORY);
    vl_buf_deinit(&bytes);
    vl_image_free(image);
}

/* ---- orientation ------------------------------------------------------------------------ */

/* Where orientation `o` stores the upright picture's pixel (x, y) (TIFF 6.0, tag 274: which
 * sides of the picture the 0th row and the 0th column are). */
static void stored_place(int o, uint32_t w, uint32_t h, uint32_t x, uint32_t y, uint32_t *sx,
                         uint32_t *sy) {
    uint32_t columns[9] = {0, x, w - 1 - x, w - 1 - x, x, y, y, h - 1 - y, h - 1 - y};
    uint32_t lines[9] = {0, y, y, h - 1 - y, h - 1 - y, x, w - 1 - x, w - 1 - x, x};
    *sx = columns[o];
    *sy = lines[o];
}

static vl_image *stored_as(const vl_image *upright, int o) {
    uint32_t w = upright->width, h = upright->height, n = upright->channels;
    vl_image *stored = o >= 5 ? blank(h, w, n, 0) : blank(w, h, n, 0);
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            uint32_t sx, sy;
            stored_place(o, w, h, x, y, &sx, &sy);
            memcpy(stored->pixels + sy * stored->stride + sx * n,
                   upright->pixels + y * upright->stride + x * n, n);
        }
    return stored;
}

static void exif_tiff(uint8_t out[26], int orientation, bool big) {
    static const uint8_t little_endian[26] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 18, 1, 3,
                                              0,   1,   0,  0, 0, 0, 0, 0, 0, 0, 0,  0, 0};
    static const uint8_t big_endian[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0,
                                           3,   0,   0, 0,  1, 0, 0, 0, 0, 0, 0, 0,  0};
    memcpy(out, big ? big_endian : little_endian, 26);
    out[big ? 19 : 18] = (uint8_t)orientation;
}

static void insert(vl_buf *bytes, size_t place, const void *piece, size_t count) {
    vl_buf made;
    vl_buf_init(&made, 1 << 22);
    vl_buf_append(&made, bytes->data, place);
    vl_buf_append(&made, piece, count);
    vl_buf_append(&made, bytes->data + place, bytes->len - place);
    vl_buf_deinit(bytes);
    *bytes = made;
}

static uint32_t crc32_of(const uint8_t *bytes, size_t count) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void exif_makes_every_orientation_upright(void **state) {
    (void)state;
    vl_image *upright = numbered(37, 23, 3);
    for (int o = 1; o <= 8; o++)
        for (int big = 0; big < 2; big++) {
            uint8_t chunk[12 + 26] = {0, 0, 0, 26, 'e', 'X', 'I', 'f'};
            vl_buf bytes;
            vl_image *stored = stored_as(upright, o);
            vl_buf_init(&bytes, 1 << 20);
            assert_int_equal(vl_image_encode_png(stored, &bytes, NULL), VL_OK);
            exif_tiff(chunk + 8, o, big);
            uint32_t crc = crc32_of(chunk + 4, 30);
            for (int i = 0; i < 4; i++)
                chunk[34 + i] = (uint8_t)(crc >> (24 - 8 * i));
            insert(&bytes, 8 + 25, chunk, sizeof chunk);
            vl_image *back = decoded(&bytes);
            assert_true(same(upright, back));
            vl_image_free(back);
            vl_image_free(stored);
            vl_buf_deinit(&bytes);
        }
    vl_image_free(upright);
}

static void exif_in_jpeg_is_found(void **state) {
    (void)state;
    for (int o = 0; o <= 9; o++) {
        uint8_t segment[10 + 26] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0};
        vl_buf bytes;
        vl_image *image = numbered(40, 20, 3);
        vl_buf_init(&bytes, 1 << 20);
        assert_int_equal(vl_image_encode_jpeg(image, 90, &bytes, NULL), VL_OK);
        exif_tiff(segment + 10, o, false);
        insert(&bytes, 2, segment, sizeof segment);
        assert_int_equal(vl_exif_orientation(VL_MEDIA_JPEG, bytes.data, bytes.len),
                         o >= 1 && o <= 8 ? o : 1);
        vl_image *back = decoded(&bytes);
        assert_int_equal(back->width, o >= 5 && o <= 8 ? 20 : 40);
        vl_image_free(back);
        vl_image_free(image);
        vl_buf_deinit(&bytes);
    }
}

/* ---- look ------------------------------------------------------------------------------- */

static void looks_tell_plain_things(void **state) {
    (void)state;
    static const struct {
        uint8_t rgb[3];
        const char *name;
        double brightness;
    } cases[] = {
        {{255, 255, 255}, "white", 1},     {{10, 10, 10}, "black", 0.039},
        {{200, 30, 30}, "red", 0.322},     {{20, 30, 100}, "dark blue", 0.137},
        {{240, 220, 60}, "yellow", 0.817},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_picture_look look;
        vl_image *image = blank(300, 200, 3, 0);
        for (size_t p = 0; p < 300 * 200; p++)
            memcpy(image->pixels + 3 * p, cases[i].rgb, 3);
        assert_int_equal(vl_picture_look_at(image, &look, NULL), VL_OK);
        assert_int_equal(look.kind, VL_PICTURE_BLANK);
        assert_int_equal(look.colour_count, 1);
        assert_string_equal(look.colours[0].name, cases[i].name);
        assert_true(fabs(look.colours[0].share - 1) < 1e-9);
        assert_true(fabs(look.brightness - cases[i].brightness) < 0.01);
        assert_true(look.contrast < 0.01 && look.sharpness < 0.01);
        vl_image_free(image);
    }
}

static void looks_survive_any_size(void **state) {
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1},    {2, 1},   {1, 2000},
                                        {3000, 1}, {31, 33}, {700, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        vl_picture_look look;
        vl_image *image = numbered(sizes[i][0], sizes[i][1], 3);
        assert_int_equal(vl_picture_look_at(image, &look, NULL), VL_OK);
        assert_true(look.page_probability >= 0 && look.page_probability <= 1);
        assert_true(look.colour_count >= 1 && look.colour_count <= 5);
        vl_image_free(image);
    }
}

/* The bundled samples: all pages, scanned and photographed. */
static void samples_are_pages(void **state) {
    (void)state;
    static const char *const names[] = {
        "notice-swh.jpg", "notice-amh.jpg",  "notice-ara.jpg",  "notice-fra.jpg",
        "notice-spa.png", "notice-eng.jpg",  "notice-ukr.webp", "form-eng.jpg",
        "report-eng.png", "receipt-eng.jpg", "letter-fra.tif",  "letter-fra-scan.pdf",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096];
        vl_buf bytes;
        vl_picture_look look;
        vl_error error = {0};
        snprintf(path, sizeof path, "%s/samples/%s", TEST_SOURCE_DIR, names[i]);
        vl_buf_init(&bytes, 1 << 26);
        if (vl_file_read(path, 1 << 26, &bytes, &error))
            fail_msg("%s", error.message);
        vl_image *image = decoded(&bytes);
        assert_int_equal(vl_picture_look_at(image, &look, NULL), VL_OK);
        if (look.kind != VL_PICTURE_PAGE)
            fail_msg("%s is no page (%.3f)", names[i], look.page_probability);
        vl_image_free(image);
        vl_buf_deinit(&bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_refuses_what_cannot_be),
        cmocka_unit_test(turns_move_every_pixel),
        cmocka_unit_test(resizing_keeps_what_matters),
        cmocka_unit_test(grey_is_luma),
        cmocka_unit_test(png_comes_back_the_same),
        cmocka_unit_test(jpeg_comes_back_nearly_the_same),
        cmocka_unit_test(encoders_say_why_not),
        cmocka_unit_test(exif_makes_every_orientation_upright),
        cmocka_unit_test(exif_in_jpeg_is_found),
        cmocka_unit_test(looks_tell_plain_things),
        cmocka_unit_test(looks_survive_any_size),
        cmocka_unit_test(samples_are_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
