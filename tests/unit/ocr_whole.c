/* A page read whole: the setting, what a picture's traits call for, how good a reading is, and
 * that a speckled page is read again on a cleaned picture, where a clean one is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ocr/traits.h"
#include "ocr/whole.h"

static vl_arena *arena;

static void assert_near(double value, double expected, double within) {
    if (fabs(value - expected) > within)
        fail_msg("%g is not within %g of %g", value, within, expected);
}

static int make_arena(void **state) {
    (void)state;
    setMsgSeverity(L_SEVERITY_NONE);
    arena = vl_arena_new((size_t)256 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- the setting ------------------------------------------------------------------------ */

static void settings_are_parsed(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int kind;
        vl_cleanup cleanup;
    } cases[] = {
        {NULL, VL_PREPROCESSING_AUTO, 0},
        {"", VL_PREPROCESSING_AUTO, 0},
        {"auto", VL_PREPROCESSING_AUTO, 0},
        {"none", VL_PREPROCESSING_NONE, 0},
        {"sauvola", VL_PREPROCESSING_ALWAYS, VL_CLEANUP_SAUVOLA},
        {"dewarped", VL_PREPROCESSING_ALWAYS, VL_CLEANUP_DEWARPED},
    };
    vl_error error;
    vl_preprocessing found;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(vl_preprocessing_parse(cases[i].text, &found, &error), VL_OK);
        assert_int_equal(found.kind, cases[i].kind);
        if (found.kind == VL_PREPROCESSING_ALWAYS)
            assert_int_equal(found.cleanup, cases[i].cleanup);
    }
    assert_int_equal(vl_ocr_preprocessing_check("meridian", &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "did you mean 'median'"));
    vl_ocr_options options = vl_ocr_options_default();
    vl_ocr *ocr = NULL;
    options.preprocessing = "all";
    assert_int_equal(vl_ocr_new(&options, &ocr, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "auto, none, sauvola"));
}

/* ---- traits ----------------------------------------------------------------------------- */

static void noise_is_measured(void **state) {
    (void)state;
    static const int spreads[] = {0, 10,
                                  40}; /* of an even distribution: deviation spread/√12 */
    for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
        vl_ocr_picture picture = {.work = pixCreate(300, 300, 8), .scale = 1};
        uint64_t random = 3;
        for (int y = 0; y < 300; y++)
            for (int x = 0; x < 300; x++)
                pixSetPixel(picture.work, x, y,
                            (l_uint32)(180 + vl_random_below(&random, (size_t)spreads[i] + 1)));
        vl_ocr_traits traits = vl_ocr_traits_of(&picture, NULL);
        assert_near(traits.noise, spreads[i] / 3.4641, 0.3 + 0.1 * spreads[i] / 3.46);
        pixDestroy(&picture.work);
    }
}

static void light_and_letters_are_measured(void **state) {
    (void)state;
    vl_box marks[] = {{10, 10, 12, 20}, {30, 10, 12, 20}, {50, 10, 2, 2}, {10, 60, 280, 2}};
    vl_ocr_picture picture = {.work = pixCreate(300, 300, 8), .scale = 2};
    picture.survey =
        (vl_ocr_survey){.letter_height = 20, .letters = 2, .marks = marks, .mark_count = 4};
    for (int y = 0; y < 300; y++) /* lighter from left to right, a dark bar every 20 */
        for (int x = 0; x < 300; x++)
            pixSetPixel(picture.work, x, y, (l_uint32)(x % 20 < 4 ? 30 : 130 + x * 100 / 300));
    vl_ocr_traits traits = vl_ocr_traits_of(&picture, NULL);
    assert_false(traits.bitonal);
    assert_true(traits.unevenness > 0.3);
    assert_near(traits.letter_height, 40, 0.01);
    assert_near(traits.specks, 0.5, 0.01);
    assert_true(traits.ruled);
    picture.survey.mark_count = 3; /* without the ruling */
    assert_false(vl_ocr_traits_of(&picture, NULL).ruled);
    pixSetAllArbitrary(picture.work, 255);
    for (int y = 0; y < 300; y += 2)
        pixSetPixel(picture.work, y, y, 0);
    assert_true(vl_ocr_traits_of(&picture, NULL).bitonal);
    pixDestroy(&picture.work);
}

static void sagging_lines_bend(void **state) {
    (void)state;
    vl_word words[9] = {0};
    vl_engine_line lines[6];
    vl_engine_reading reading = {.lines = lines, .line_count = 6};
    vl_ocr_picture picture = {.work = pixCreate(400, 100, 8), .scale = 1};
    picture.survey.letter_height = 20;
    for (int i = 0; i < 9; i++) /* 16 lower in the middle */
        words[i].box = (vl_box){i * 40, 20 + 16 - (i - 4) * (i - 4), 36, 20};
    for (int i = 0; i < 6; i++)
        lines[i] = (vl_engine_line){.box = {0, 20, 360, 36}, .words = words, .word_count = 9};
    double bend = vl_ocr_traits_of(&picture, &reading).bend;
    assert_true(bend > 0.3 && bend < 0.8);
    for (int i = 0; i < 9; i++)
        words[i].box.y = 20;
    assert_near(vl_ocr_traits_of(&picture, &reading).bend, 0, 0.01);
    reading.line_count = 2; /* too few lines to say */
    assert_near(vl_ocr_traits_of(&picture, &reading).bend, 0, 0);
    pixDestroy(&picture.work);
}

static void traits_call_for_cleanups(void **state) {
    (void)state;
    vl_cleanup found[VL_CLEANUP_COUNT];
    vl_ocr_traits good = {.bitonal = true, .contrast = 255, .softness = 1, .letter_height = 40};
    assert_int_equal(vl_ocr_traits_cleanups(&good, found, VL_CLEANUP_COUNT), 0);
    vl_ocr_traits grey = {.contrast = 200, .softness = 1, .letter_height = 40};
    assert_int_equal(vl_ocr_traits_cleanups(&grey, found, VL_CLEANUP_COUNT), 1);
    assert_int_equal(found[0], VL_CLEANUP_MEDIAN);
    vl_ocr_traits bad = {.contrast = 60,
                         .noise = 5,
                         .unevenness = 0.5,
                         .softness = 3,
                         .letter_height = 16,
                         .specks = 0.6,
                         .ruled = true,
                         .bend = -0.5};
    assert_int_equal(vl_ocr_traits_cleanups(&bad, found, VL_CLEANUP_COUNT), VL_CLEANUP_COUNT);
    assert_int_equal(found[0], VL_CLEANUP_DEWARPED);
    assert_int_equal(vl_ocr_traits_cleanups(&bad, found, 2), 2);
}

/* ---- quality ---------------------------------------------------------------------------- */

static void what_was_not_read_counts(void **state) {
    (void)state;
    vl_box marks[] = {{10, 10, 10, 20},  {30, 10, 10, 20}, {110, 10, 10, 20},
                      {130, 10, 10, 20}, {50, 50, 1, 1}, /* a speck */
                      {0, 60, 200, 20}};                 /* a ruling */
    vl_ocr_picture picture = {.work = pixCreate(400, 200, 8), .scale = 2};
    picture.survey =
        (vl_ocr_survey){.letter_height = 20, .letters = 4, .marks = marks, .mark_count = 6};
    vl_word word = {.box = {20, 20, 80, 40}};
    vl_engine_line line = {.words = &word, .word_count = 1};
    vl_engine_reading reading = {
        .lines = &line, .line_count = 1, .confidence = 0.8, .characters = 2};
    assert_near(vl_ocr_reading_quality(&picture, &reading), 0.4, 0.001);
    word.box = (vl_box){-20, -20, 1000, 1000}; /* past the edges */
    assert_near(vl_ocr_reading_quality(&picture, &reading), 0.8, 0.001);
    reading.characters = 0;
    assert_near(vl_ocr_reading_quality(&picture, &reading), 0, 0);
    pixDestroy(&picture.work);
}

/* ---- pages ------------------------------------------------------------------------------ */

/* The upper part of a bundled sample, so many times below itself, grey, with a share of its
 * points (in thousandths) turned black or white. */
static vl_image *speckled(const char *name, uint32_t copies, size_t share) {
    char path[1024];
    vl_buf bytes;
    vl_error error;
    vl_image *whole = NULL, *part = NULL;
    vl_media_limits limits = vl_media_limits_default();
    uint64_t random = 11;
    vl_buf_init(&bytes, 64 << 20);
    snprintf(path, sizeof path, "%s/samples/%s", TEST_SOURCE_DIR, name);
    if (vl_file_read(path, 64 << 20, &bytes, &error) ||
        vl_document_first(bytes.data, bytes.len, &limits, &whole, &error) ||
        vl_image_new(whole->width, whole->height / 3 * copies, 1, &part, &error))
        fail_msg("%s", error.message);
    for (uint32_t y = 0; y < part->height; y++)
        for (uint32_t x = 0; x < part->width; x++) {
            uint32_t from = y % (whole->height / 3);
            uint8_t level = whole->pixels[from * whole->stride + x * whole->channels];
            if (vl_random_below(&random, 1000) < share)
                level = vl_random_below(&random, 2) ? 0 : 255;
            part->pixels[y * part->stride + x] = level;
        }
    vl_image_free(whole);
    vl_buf_deinit(&bytes);
    return part;
}

/* The page's text; `engine` receives who read it. */
static const char *read_with(const char *preprocessing, const vl_image *image,
                             const char **engine, double *confidence) {
    vl_error error;
    vl_ocr *ocr = NULL;
    vl_page *page = NULL;
    vl_ocr_options options = vl_ocr_options_default();
    options.preprocessing = preprocessing;
    options.max_seconds = 0; /* what is tried must not depend on the machine */
    if (vl_ocr_new(&options, &ocr, &error) ||
        vl_ocr_read(ocr, image, "eng", arena, &page, NULL, &error))
        fail_msg("%s", error.message);
    vl_ocr_free(ocr);
    *engine = page->engine;
    *confidence = page->confidence;
    for (size_t i = 0; i < page->block_count; i++) {
        vl_box b = page->blocks[i].box;
        assert_true(b.x >= 0 && b.y >= 0 && b.x + b.width <= (int32_t)page->width &&
                    b.y + b.height <= (int32_t)page->height);
    }
    return vl_page_text(arena, page);
}

static void a_speckled_page_is_cleaned(void **state) {
    (void)state;
    const char *engine;
    double plain, better;
    vl_image *image = speckled("form-eng.jpg", 1, 60);
    read_with("none", image, &engine, &plain);
    assert_null(strstr(engine, "after"));
    const char *text = read_with("auto", image, &engine, &better);
    assert_non_null(strstr(engine, "after"));
    assert_true(better > plain + 0.02);
    assert_true(strlen(text) > 40);
    vl_image_free(image);
}

/* Twenty lines, all of them found: a sample of them decides. */
static void a_long_page_is_cleaned_by_a_sample(void **state) {
    (void)state;
    const char *engine;
    double plain, better;
    vl_image *image = speckled("report-eng.png", 2, 30);
    read_with("none", image, &engine, &plain);
    read_with("auto", image, &engine, &better);
    assert_non_null(strstr(engine, "after"));
    assert_true(better > plain + 0.02);
    vl_image_free(image);
}

static void a_clean_page_is_left_alone(void **state) {
    (void)state;
    const char *engine;
    double confidence;
    vl_image *image = speckled("form-eng.jpg", 1, 0);
    read_with("auto", image, &engine, &confidence);
    assert_null(strstr(engine, "after"));
    vl_image_free(image);
}

static void a_named_cleanup_is_always_used(void **state) {
    (void)state;
    const char *engine;
    double confidence;
    vl_image *image = speckled("form-eng.jpg", 1, 0);
    const char *text = read_with("enlarged", image, &engine, &confidence);
    assert_non_null(strstr(engine, "after enlarged"));
    assert_true(strlen(text) > 40);
    vl_image_free(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_parsed),
        cmocka_unit_test(noise_is_measured),
        cmocka_unit_test(light_and_letters_are_measured),
        cmocka_unit_test(sagging_lines_bend),
        cmocka_unit_test(traits_call_for_cleanups),
        cmocka_unit_test(what_was_not_read_counts),
        cmocka_unit_test(a_speckled_page_is_cleaned),
        cmocka_unit_test(a_long_page_is_cleaned_by_a_sample),
        cmocka_unit_test(a_clean_page_is_left_alone),
        cmocka_unit_test(a_named_cleanup_is_always_used),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
