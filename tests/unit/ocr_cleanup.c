/* Clean-ups: what each mends, on pages drawn here; what none of them may break: pictures of a
 * point, a thread, all white, all black; names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ocr/cleanup.h"

enum { LETTER = 24, STROKE = 4, PITCH = 12, LINE = 48, MARGIN = 40 };

static void assert_near(double value, double expected, double within) {
    if (fabs(value - expected) > within)
        fail_msg("%g is not within %g of %g", value, within, expected);
}

static int quiet(void **state) {
    (void)state;
    setMsgSeverity(L_SEVERITY_NONE);
    return 0;
}

/* ---- pages ------------------------------------------------------------------------------ */

typedef double (*shade)(int x, int y); /* paper's level there */
typedef double (*bend)(int x);         /* how far down the lines are there */

static double even(int x, int y) {
    (void)x, (void)y;
    return 240;
}

/* Light from the left. */
static double lamp(int x, int y) {
    (void)y;
    return 250 - 160.0 * x / 800;
}

static double straight(int x) {
    (void)x;
    return 0;
}

static double curved(int x) {
    return 22 * sin(x * 3.14159265 / 900);
}

/* Whether ink stands there: words of four letters in lines, each letter a stroke with a foot
 * and a head so that a line has a body. */
static bool is_ink(int x, int y, int width, int height, bend down) {
    int top = y - (int)lround(down(x)) - MARGIN, left = x - MARGIN;
    if (top < 0 || left < 0 || x >= width - MARGIN || top > height - 3 * MARGIN)
        return false;
    int in_line = top % LINE, in_word = left % (5 * PITCH), in_letter = in_word % PITCH;
    if (in_line >= LETTER || in_word >= 4 * PITCH)
        return false;
    return in_letter < STROKE || (in_letter < 9 && (in_line < 4 || in_line >= LETTER - 4));
}

static PIX *page(int width, int height, shade paper, double ink, bend down) {
    PIX *pix = pixCreate(width, height, 8);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double level = paper(x, y) - (is_ink(x, y, width, height, down) ? ink : 0);
            pixSetPixel(pix, x, y, (l_uint32)(level < 0 ? 0 : level));
        }
    return pix;
}

static int level(PIX *pix, int x, int y) {
    l_uint32 value = 0;
    pixGetPixel(pix, x, y, &value);
    return (int)value;
}

/* The share of points that black and white calls what they were drawn as. */
static double agreement(PIX *binary) {
    int width = pixGetWidth(binary), height = pixGetHeight(binary), right = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            right += (level(binary, x, y) == 1) == is_ink(x, y, width, height, straight);
    return (double)right / width / height;
}

/* The standard deviation of the paper left of the text. */
static double grain(PIX *pix) {
    double sum = 0, squares = 0, count = 0;
    for (int y = MARGIN; y < pixGetHeight(pix) - MARGIN; y++)
        for (int x = 8; x < MARGIN - 8; x++) {
            double value = level(pix, x, y);
            sum += value, squares += value * value, count++;
        }
    return sqrt(squares / count - sum / count * (sum / count));
}

static void sow(PIX *pix, int spread, unsigned share) {
    uint64_t state = 7;
    for (int y = 0; y < pixGetHeight(pix); y++)
        for (int x = 0; x < pixGetWidth(pix); x++) {
            if (vl_random_below(&state, 1000) >= share)
                continue;
            int value =
                level(pix, x, y) + (int)vl_random_below(&state, 2 * (size_t)spread) - spread;
            pixSetPixel(pix, x, y, (l_uint32)(value < 0 ? 0 : value > 255 ? 255 : value));
        }
}

/* ---- light ------------------------------------------------------------------------------ */

static void binarising_survives_uneven_light(void **state) {
    (void)state;
    PIX *lit = page(800, 400, lamp, 70, straight);
    PIX *global = pixConvertTo1(lit, 160), *sauvola = vl_cleanup_sauvola(lit, LETTER),
        *contrast = vl_cleanup_local_contrast(lit, LETTER);
    assert_non_null(sauvola);
    assert_non_null(contrast);
    assert_int_equal(pixGetDepth(sauvola), 1);
    assert_int_equal(pixGetDepth(contrast), 1);
    assert_true(agreement(global) < 0.75);
    assert_true(agreement(sauvola) > 0.97);
    assert_true(agreement(contrast) > 0.97);
    pixDestroy(&lit);
    pixDestroy(&global);
    pixDestroy(&sauvola);
    pixDestroy(&contrast);
}

static void background_evens_the_paper(void **state) {
    (void)state;
    PIX *lit = page(800, 400, lamp, 70, straight), *flat = vl_cleanup_background(lit, LETTER);
    assert_non_null(flat);
    assert_true(level(lit, 20, 20) - level(lit, 780, 20) > 120);
    assert_true(abs(level(flat, 20, 20) - level(flat, 780, 20)) < 30);
    /* ink stays darker than paper */
    assert_true(level(flat, 12, MARGIN + 2) - level(flat, MARGIN + 1, MARGIN + 2) > 50);
    pixDestroy(&lit);
    pixDestroy(&flat);
}

/* ---- noise ------------------------------------------------------------------------------ */

static int marks(PIX *grey) {
    l_int32 count = 0;
    PIX *binary = pixConvertTo1(grey, 128);
    pixCountConnComp(binary, 8, &count);
    pixDestroy(&binary);
    return count;
}

static void median_removes_specks(void **state) {
    (void)state;
    PIX *clean = page(400, 300, even, 220, straight), *dirty = pixCopy(NULL, clean);
    for (int i = 0; i < 300; i++)
        pixSetPixel(dirty, (i * 37) % 400, (i * 101) % 300, 0);
    PIX *mended = vl_cleanup_median(dirty, LETTER);
    assert_non_null(mended);
    assert_true(marks(dirty) > marks(clean) + 100);
    assert_true(abs(marks(mended) - marks(clean)) < 10);
    pixDestroy(&clean);
    pixDestroy(&dirty);
    pixDestroy(&mended);
}

static void bilateral_smooths_grain_and_keeps_edges(void **state) {
    (void)state;
    PIX *grainy = page(400, 300, even, 200, straight);
    sow(grainy, 20, 1000);
    PIX *mended = vl_cleanup_bilateral(grainy, LETTER);
    assert_non_null(mended);
    assert_true(grain(mended) < grain(grainy) / 2);
    assert_true(level(mended, MARGIN + STROKE + 1, MARGIN + 12) -
                    level(mended, MARGIN + 1, MARGIN + 12) >
                120);
    pixDestroy(&grainy);
    pixDestroy(&mended);
}

/* ---- strokes ---------------------------------------------------------------------------- */

static void sharpening_deepens_blurred_strokes(void **state) {
    (void)state;
    PIX *sharp = page(400, 300, even, 120, straight), *soft = pixBlockconv(sharp, 2, 2);
    PIX *mended = vl_cleanup_sharpened(soft, LETTER);
    int x = MARGIN + 1, y = MARGIN + 12;
    assert_non_null(mended);
    assert_true(level(soft, x, y) - level(mended, x, y) > 8);
    pixDestroy(&sharp);
    pixDestroy(&soft);
    pixDestroy(&mended);
}

static void bold_joins_a_broken_stroke(void **state) {
    (void)state;
    PIX *broken = pixCreate(60, 60, 8);
    pixSetAllArbitrary(broken, 255);
    for (int y = 10; y < 50; y++)
        if (y != 30)
            pixSetPixel(broken, 30, y, 0);
    PIX *mended = vl_cleanup_bold(broken, LETTER);
    assert_non_null(mended);
    assert_int_equal(marks(broken), 2);
    assert_int_equal(marks(mended), 1);
    assert_null(vl_cleanup_bold(broken, 10)); /* letters too small for it */
    pixDestroy(&broken);
    pixDestroy(&mended);
}

/* ---- rulings ---------------------------------------------------------------------------- */

static void rule(PIX *pix, int x, int y, int width, int height) {
    for (int j = y; j < y + height; j++)
        for (int i = x; i < x + width; i++)
            pixSetPixel(pix, i, j, 20);
}

static void rulings_go_and_letters_stay(void **state) {
    (void)state;
    PIX *clean = page(800, 400, even, 220, straight), *ruled = pixCopy(NULL, clean);
    int through = MARGIN + LETTER / 2; /* a ruling through the first line of text */
    rule(ruled, 10, through, 780, 2);
    rule(ruled, 10, 20, 780, 3); /* a frame */
    rule(ruled, 10, 20, 3, 360);
    PIX *mended = vl_cleanup_unruled(ruled, LETTER);
    assert_non_null(mended);
    assert_true(level(mended, 400, 21) > 200);
    assert_true(level(mended, 11, 300) > 200);
    int wrong = 0;
    for (int y = 30; y < 390; y++)
        for (int x = 20; x < 780; x++)
            wrong += (level(mended, x, y) < 128) != (level(clean, x, y) < 128);
    assert_true(wrong < 760 * 2 / 10); /* of the ruling through the text a tenth may stay */
    pixDestroy(&clean);
    pixDestroy(&ruled);
    pixDestroy(&mended);
}

static void a_page_without_rulings_is_left_alone(void **state) {
    (void)state;
    PIX *clean = page(800, 400, even, 220, straight);
    assert_null(vl_cleanup_unruled(clean, LETTER));
    pixDestroy(&clean);
}

/* ---- size ------------------------------------------------------------------------------- */

static void enlarging_says_its_scale(void **state) {
    (void)state;
    vl_cleanup_page large;
    PIX *small = page(400, 200, even, 220, straight);
    pixSetResolution(small, 200, 200);
    assert_true(vl_cleanup_apply(VL_CLEANUP_ENLARGED, small, LETTER, &large));
    assert_int_equal(pixGetWidth(large.picture), 600);
    assert_int_equal(pixGetHeight(large.picture), 300);
    assert_int_equal(pixGetXRes(large.picture), 300);
    assert_near(large.scale, 1.5, 0.001);
    assert_null(large.warp);
    vl_cleanup_page_deinit(&large);
    pixDestroy(&small);
}

/* ---- curved lines ----------------------------------------------------------------------- */

/* How far the first line's upper edge wanders over the page. */
static int wander(PIX *pix) {
    int highest = pixGetHeight(pix), lowest = 0;
    for (int x = MARGIN + 1; x < pixGetWidth(pix) - 2 * MARGIN; x += 5 * PITCH)
        for (int y = 5; y < MARGIN + LINE; y++)
            if (level(pix, x, y) < 128) {
                highest = y < highest ? y : highest;
                lowest = y > lowest ? y : lowest;
                break;
            }
    return lowest - highest;
}

static void curved_lines_are_straightened(void **state) {
    (void)state;
    vl_cleanup_page flat;
    PIX *bent = page(980, 900, even, 220, curved);
    assert_true(vl_cleanup_apply(VL_CLEANUP_DEWARPED, bent, LETTER, &flat));
    assert_non_null(flat.warp);
    assert_true(wander(bent) > 15);
    assert_true(wander(flat.picture) < 7);
    /* The way back leads to the same ink. */
    int x = 13 * PITCH * 5 / 5 + MARGIN + 1, found = 0;
    for (int y = 200; y < 700; y++)
        if (level(flat.picture, x, y) < 128) {
            double was = y - vl_warp_rise(flat.warp, x, y);
            assert_true(level(bent, x, (int)lround(was)) < 128 ||
                        level(bent, x, (int)lround(was) + 1) < 128 ||
                        level(bent, x, (int)lround(was) - 1) < 128);
            found++;
        }
    assert_true(found > 100);
    vl_box box = {x, 300, 200, 30}, back = vl_warp_back(flat.warp, box);
    assert_int_equal(back.x, box.x);
    assert_int_equal(back.width, box.width);
    assert_true(back.height >= box.height);
    assert_true(fabs(back.y - (300 - vl_warp_rise(flat.warp, x, 300))) < 25);
    vl_cleanup_page_deinit(&flat);
    pixDestroy(&bent);
}

static void straight_lines_are_left_alone(void **state) {
    (void)state;
    vl_cleanup_page flat;
    PIX *clean = page(980, 900, even, 220, straight);
    assert_false(vl_cleanup_apply(VL_CLEANUP_DEWARPED, clean, LETTER, &flat));
    assert_null(flat.picture);
    assert_null(flat.warp);
    pixDestroy(&clean);
}

/* ---- what none of them may break -------------------------------------------------------- */

static void check_all(PIX *pix, double letter_height) {
    for (int i = 0; i < VL_CLEANUP_COUNT; i++) {
        vl_cleanup_page out;
        if (!vl_cleanup_apply((vl_cleanup)i, pix, letter_height, &out)) {
            assert_null(out.picture);
            continue;
        }
        double scale = i == VL_CLEANUP_ENLARGED ? 1.5 : 1;
        assert_true(pixGetDepth(out.picture) == 1 || pixGetDepth(out.picture) == 8);
        assert_true(fabs(pixGetWidth(out.picture) - scale * pixGetWidth(pix)) <= 1);
        assert_true(fabs(pixGetHeight(out.picture) - scale * pixGetHeight(pix)) <= 1);
        assert_int_equal(out.warp != NULL, i == VL_CLEANUP_DEWARPED);
        vl_cleanup_page_deinit(&out);
    }
}

static void odd_sizes_break_nothing(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1},  {20000, 3}, {3, 20000}, {2, 2},   {7, 7},
                                   {9, 31}, {17, 16},   {24, 24},   {33, 32}, {301, 300}};
    static const double letters[] = {0, 1, 24, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
            for (l_uint32 fill = 0; fill <= 255; fill += 255) {
                PIX *pix = pixCreate(sizes[i][0], sizes[i][1], 8);
                pixSetAllArbitrary(pix, fill);
                check_all(pix, letters[k]);
                pixDestroy(&pix);
            }
}

static void any_depth_is_taken(void **state) {
    (void)state;
    PIX *grey = page(400, 300, even, 220, straight);
    PIX *depths[] = {pixConvertTo1(grey, 128), pixConvertTo32(grey)};
    for (size_t i = 0; i < 2; i++) {
        check_all(depths[i], LETTER);
        pixDestroy(&depths[i]);
    }
    pixDestroy(&grey);
}

/* ---- names ------------------------------------------------------------------------------ */

static void names_are_read_back(void **state) {
    (void)state;
    vl_error error;
    vl_cleanup found;
    for (int i = 0; i < VL_CLEANUP_COUNT; i++) {
        assert_int_equal(vl_cleanup_parse(vl_cleanup_name((vl_cleanup)i), &found, &error),
                         VL_OK);
        assert_int_equal(found, i);
    }
    assert_int_equal(vl_cleanup_parse("sauvolla", &found, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "did you mean 'sauvola'"));
    assert_int_equal(vl_cleanup_parse("", &found, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "dewarped"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binarising_survives_uneven_light),
        cmocka_unit_test(background_evens_the_paper),
        cmocka_unit_test(median_removes_specks),
        cmocka_unit_test(bilateral_smooths_grain_and_keeps_edges),
        cmocka_unit_test(sharpening_deepens_blurred_strokes),
        cmocka_unit_test(bold_joins_a_broken_stroke),
        cmocka_unit_test(rulings_go_and_letters_stay),
        cmocka_unit_test(a_page_without_rulings_is_left_alone),
        cmocka_unit_test(enlarging_says_its_scale),
        cmocka_unit_test(curved_lines_are_straightened),
        cmocka_unit_test(straight_lines_are_left_alone),
        cmocka_unit_test(odd_sizes_break_nothing),
        cmocka_unit_test(any_depth_is_taken),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
