/* ocr_read.c — reading pages: the bundled samples as they are, and one of them turned, skewed,
 * inverted, shrunk; blank, noise, one line, a table; limits and packs that are missing. Nothing
 * is told about language or turn unless the case says so. */
#include <vislang/ocr.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <leptonica/allheaders.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    vl_ocr *ocr;
    vl_arena *arena;
} fixture;

static int set_up(void **state) {
    static fixture f;
    vl_error error;
    if (vl_ocr_new(NULL, &f.ocr, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return -1;
    }
    f.arena = vl_arena_new((size_t)256 << 20);
    *state = &f;
    return f.arena ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    vl_ocr_free(f->ocr);
    vl_arena_free(f->arena);
    return 0;
}

static bool load_sample(const char *stem, vl_buf *picture, vl_buf *truth) {
    static const char *const extensions[] = {"png", "jpg", "webp"};
    char path[1024];
    snprintf(path, sizeof path, "%s/samples/%s.gt.txt", TEST_SOURCE_DIR, stem);
    if (vl_file_read(path, 1 << 20, truth, NULL))
        return false;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        snprintf(path, sizeof path, "%s/samples/%s.%s", TEST_SOURCE_DIR, stem, extensions[i]);
        if (!vl_file_read(path, 64 << 20, picture, NULL))
            return true;
    }
    return false;
}

/* The sample's picture and transcript; NULL when it is no single picture. */
static vl_image *sample(fixture *f, const char *stem, char **truth) {
    vl_buf bytes, text;
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    vl_buf_init(&bytes, 64 << 20);
    vl_buf_init(&text, 1 << 20);
    if (load_sample(stem, &bytes, &text)) {
        assert_int_equal(vl_document_open(bytes.data, bytes.len, &limits, &document, NULL),
                         VL_OK);
        assert_int_equal(vl_document_page(document, 0, &image, NULL), VL_OK);
        *truth = vl_arena_strndup(f->arena, text.data, text.len);
    }
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    vl_buf_deinit(&text);
    return image;
}

/* Turned clockwise by a few degrees, on white. */
static vl_image *skewed(const vl_image *image, double degrees) {
    PIX *pix = pixCreate((l_int32)image->width, (l_int32)image->height, 8);
    vl_image *grey = vl_image_to_grey(image);
    for (l_int32 y = 0; y < (l_int32)grey->height; y++)
        for (l_int32 x = 0; x < (l_int32)grey->width; x++)
            pixSetPixel(pix, x, y, grey->pixels[(size_t)y * grey->stride + (size_t)x]);
    PIX *turned = pixRotate(pix, (l_float32)(degrees * 3.14159265358979 / 180),
                            L_ROTATE_AREA_MAP, L_BRING_IN_WHITE, 0, 0);
    for (l_int32 y = 0; y < (l_int32)grey->height; y++)
        for (l_int32 x = 0; x < (l_int32)grey->width; x++) {
            l_uint32 value = 0;
            pixGetPixel(turned, x, y, &value);
            grey->pixels[(size_t)y * grey->stride + (size_t)x] = (uint8_t)value;
        }
    pixDestroy(&pix);
    pixDestroy(&turned);
    return grey;
}

static vl_image *cropped(const vl_image *image, vl_box box) {
    vl_image *cut = NULL;
    assert_int_equal(
        vl_image_new((uint32_t)box.width, (uint32_t)box.height, image->channels, &cut, NULL),
        VL_OK);
    for (size_t y = 0; y < cut->height; y++)
        memcpy(cut->pixels + y * cut->stride,
               image->pixels + ((size_t)box.y + y) * image->stride +
                   (size_t)box.x * image->channels,
               (size_t)cut->width * cut->channels);
    return cut;
}

static double cer_of(fixture *f, const vl_page *page, const char *reference) {
    vl_edit_count edits;
    assert_int_equal(vl_text_cer(vl_page_text(f->arena, page), reference, &edits, NULL), VL_OK);
    assert_true(edits.length > 0);
    return (double)edits.edits / (double)edits.length;
}

static vl_page *read_image(fixture *f, const vl_image *image, const char *languages) {
    vl_page *page = NULL;
    vl_error error;
    vl_status status = vl_ocr_read(f->ocr, image, languages, f->arena, &page, NULL, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    assert_int_equal(status, VL_OK);
    return page;
}

static void boxes_are_inside(const vl_page *page) {
    for (size_t i = 0; i < page->block_count; i++)
        for (size_t j = 0; j < page->blocks[i].line_count; j++)
            for (size_t k = 0; k < page->blocks[i].lines[j].word_count; k++) {
                const vl_word *word = &page->blocks[i].lines[j].words[k];
                assert_true(word->text[0] != 0);
                assert_true(word->box.x >= 0 && word->box.y >= 0);
                assert_true(word->box.width > 0 && word->box.height > 0);
                assert_true(word->box.x + word->box.width <= (int32_t)page->width);
                assert_true(word->box.y + word->box.height <= (int32_t)page->height);
                assert_true(word->confidence >= 0 && word->confidence <= 1);
            }
}

static void reads_pages_however_they_lie(void **state) {
    static const struct {
        const char *name;
        int turned; /* clockwise, before reading */
        double skew, scale;
        bool inverted;
        const char *languages;
        double cer;
    } cases[] = {
        {"upright", 0, 0, 1, false, NULL, 0.02},
        {"turned 90", 90, 0, 1, false, NULL, 0.03},
        {"turned 180", 180, 0, 1, false, NULL, 0.03},
        {"turned 270", 270, 0, 1, false, NULL, 0.03},
        {"skewed 3", 0, 3, 1, false, NULL, 0.03},
        {"skewed -2", 0, -2, 1, false, NULL, 0.03},
        {"white on black", 0, 0, 1, true, NULL, 0.03},
        {"half the size", 0, 0, 0.5, false, NULL, 0.10},
        {"three times the size", 0, 0, 3, false, NULL, 0.03},
        {"language given", 0, 0, 1, false, "spa", 0.02},
        {"two letters given", 0, 0, 1, false, "es+spa", 0.02},
        {"given, upside down", 180, 0, 1, false, "spa", 0.03},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *truth = NULL;
        vl_image *page_image = sample(f, "notice-spa", &truth);
        assert_non_null(page_image);
        vl_image *sized =
            vl_image_resize(page_image, (uint32_t)(page_image->width * cases[i].scale),
                            (uint32_t)(page_image->height * cases[i].scale));
        vl_image *leaning = skewed(sized, cases[i].skew);
        vl_image *image = vl_image_rotate(leaning, cases[i].turned);
        for (size_t k = 0; cases[i].inverted && k < image->height * image->stride; k++)
            image->pixels[k] = (uint8_t)(255 - image->pixels[k]);
        vl_page *page = read_image(f, image, cases[i].languages);
        double cer = cer_of(f, page, truth);
        printf("  %-20s CER %.3f, rotation %d, skew %.2f, %s, %.0f ms\n", cases[i].name, cer,
               page->rotation, page->skew, page->engine, page->milliseconds);
        assert_true(cer <= cases[i].cer);
        assert_int_equal(page->rotation, (360 - cases[i].turned) % 360);
        assert_true(fabs(page->skew + cases[i].skew) < 1.0);
        assert_string_equal(page->script, "Latn");
        assert_true(page->language_count > 0);
        assert_string_equal(page->languages[0].code, "spa");
        assert_true(page->confidence > 0.7);
        boxes_are_inside(page);
        vl_image_free(page_image);
        vl_image_free(sized);
        vl_image_free(leaning);
        vl_image_free(image);
        vl_arena_reset(f->arena);
    }
}

static void one_line_is_read(void **state) {
    fixture *f = *state;
    char *truth = NULL;
    vl_image *image = sample(f, "notice-spa", &truth);
    vl_page *page = read_image(f, image, "spa");
    const vl_line *longest = NULL;
    for (size_t i = 0; i < page->block_count; i++)
        for (size_t j = 0; j < page->blocks[i].line_count; j++)
            if (!longest || page->blocks[i].lines[j].box.width > longest->box.width)
                longest = &page->blocks[i].lines[j];
    assert_non_null(longest);
    vl_box box = {longest->box.x - 8, longest->box.y - 4, longest->box.width + 16,
                  longest->box.height + 8};
    vl_image *line = cropped(image, box);
    vl_page *alone = read_image(f, line, NULL);
    assert_true(cer_of(f, alone, vl_line_text(f->arena, longest)) < 0.05);
    assert_int_equal(vl_page_word_count(alone), longest->word_count);
    vl_image_free(image);
    vl_image_free(line);
}

static void blank_and_noise_have_no_words(void **state) {
    fixture *f = *state;
    vl_image *image = NULL;
    for (int noise = 0; noise < 2; noise++) {
        uint32_t random = 12345;
        assert_int_equal(vl_image_new(640, 480, 1, &image, NULL), VL_OK);
        memset(image->pixels, 255, image->height * image->stride);
        for (size_t k = 0; noise && k < image->height * image->stride; k++) {
            random = random * 1664525u + 1013904223u;
            image->pixels[k] = (uint8_t)(random >> 24);
        }
        vl_page *page = read_image(f, image, NULL);
        assert_int_equal(vl_page_word_count(page), 0);
        assert_int_equal(page->width, 640);
        vl_image_free(image);
    }
}

static void upright_picture_fits_the_page(void **state) {
    fixture *f = *state;
    char *truth = NULL;
    vl_image *image = sample(f, "report-eng", &truth), *upright = NULL;
    vl_image *turned = vl_image_rotate(image, 90);
    vl_page *page = NULL;
    assert_int_equal(vl_ocr_read(f->ocr, turned, NULL, f->arena, &page, &upright, NULL), VL_OK);
    assert_int_equal(page->rotation, 270);
    assert_int_equal(upright->width, page->width);
    assert_int_equal(upright->height, page->height);
    assert_int_equal(upright->width, image->width);
    /* Two columns, the left one first. */
    assert_true(cer_of(f, page, truth) < 0.03);
    vl_image_free(image);
    vl_image_free(turned);
    vl_image_free(upright);
}

static void the_form_holds_a_table(void **state) {
    fixture *f = *state;
    char *truth = NULL;
    vl_image *image = sample(f, "form-eng", &truth);
    vl_page *page = read_image(f, image, NULL);
    const vl_block *table = NULL;
    for (size_t i = 0; i < page->block_count; i++)
        if (page->blocks[i].kind == VL_BLOCK_TABLE)
            table = &page->blocks[i];
    assert_non_null(table);
    printf("  table of %zu rows, %zu columns, %zu cells\n", table->row_count,
           table->column_count, table->cell_count);
    assert_int_equal(table->row_count, table->line_count);
    assert_true(table->row_count >= 3 && table->column_count >= 3);
    assert_true(table->cell_count * 10 >= table->row_count * table->column_count * 8);
    for (size_t i = 0; i < table->cell_count; i++) {
        assert_true(table->cells[i].row < table->row_count);
        assert_true(table->cells[i].column < table->column_count);
        assert_true(table->cells[i].text[0] != 0);
    }
    assert_int_equal(page->blocks[0].kind, VL_BLOCK_TITLE);
    vl_image_free(image);
}

static void packs_that_are_not_there(void **state) {
    static const struct {
        const char *languages;
        vl_status status;
        const char *says;
    } cases[] = {
        {"yid", VL_ERR_MISSING, "apt-get install tesseract-ocr-yid"},
        {"eng+chi_tra", VL_ERR_MISSING, "apt-get install tesseract-ocr-chi-tra"},
        {"yi", VL_ERR_MISSING, "apt-get install tesseract-ocr-yid"},
        {"ydd", VL_ERR_MISSING, "apt-get install tesseract-ocr-yid"},
        {"Tibetan", VL_ERR_MISSING, "apt-get install tesseract-ocr-script-tibt"},
        {"enh", VL_ERR_USAGE, "did you mean \"en"},
        {"Latim", VL_ERR_USAGE, "did you mean \"Latin\""},
        {"../../etc/passwd", VL_ERR_USAGE, "unknown language"},
        {"eng+", VL_ERR_USAGE, "unknown language"},
        {"som", VL_ERR_USAGE, "unknown language \"som\""},
    };
    fixture *f = *state;
    char *truth = NULL;
    vl_image *image = sample(f, "notice-spa", &truth);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_page *page = NULL;
        vl_error error = {0};
        assert_int_equal(
            vl_ocr_read(f->ocr, image, cases[i].languages, f->arena, &page, NULL, &error),
            cases[i].status);
        assert_non_null(strstr(error.message, cases[i].says));
    }
    vl_image_free(image);
    vl_ocr *none = NULL;
    vl_error error = {0};
    vl_ocr_options options = vl_ocr_options_default();
    options.tessdata = "/nonexistent";
    assert_int_equal(vl_ocr_new(&options, &none, &error), VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "apt-get install tesseract-ocr-eng"));
}

static void time_limit_holds(void **state) {
    fixture *f = *state;
    vl_ocr *hurried = NULL;
    vl_page *page = NULL;
    vl_error error = {0};
    vl_ocr_options options = vl_ocr_options_default();
    options.max_seconds = 0.05;
    assert_int_equal(vl_ocr_new(&options, &hurried, &error), VL_OK);
    char *truth = NULL;
    vl_image *image = sample(f, "notice-spa", &truth);
    int64_t start = vl_clock_ns();
    assert_int_equal(vl_ocr_read(hurried, image, "eng", f->arena, &page, NULL, &error),
                     VL_ERR_TIMEOUT);
    assert_true(vl_clock_ms_since(start) < 5000);
    vl_image_free(image);
    vl_ocr_free(hurried);
}

static void lists_packs(void **state) {
    fixture *f = *state;
    const char **packs = NULL;
    size_t count = 0;
    bool english_there = false;
    assert_int_equal(vl_ocr_packs(NULL, f->arena, &packs, &count, NULL), VL_OK);
    for (size_t i = 0; i < count; i++) {
        english_there = english_there || strcmp(packs[i], "eng") == 0;
        assert_true(i == 0 || strcmp(packs[i - 1], packs[i]) < 0);
    }
    assert_true(english_there);
    assert_true(vl_ocr_engine_version()[0] >= '4');
}

/* ---- the bundled samples ------------------------------------------------------------ */

static void read_sample(fixture *f, const char *stem) {
    char *truth = NULL;
    vl_image *image = sample(f, stem, &truth);
    if (!image)
        return;
    vl_page *page = read_image(f, image, NULL);
    double cer = cer_of(f, page, truth);
    printf("  %-28s CER %.3f %s %s (%s) %.0f ms\n", stem, cer, page->script,
           page->language_count ? page->languages[0].code : "-", page->engine,
           page->milliseconds);
    assert_string_equal(page->script, vl_text_script(truth, NULL));
    /* Cells that wrap onto several lines are read line by line, the transcript goes by rows. */
    assert_true(cer < (strncmp(stem, "receipt", 7) == 0 ? 0.35 : 0.06));
    /* Samples are named <kind>-<language>[-…]. */
    const char *dash = strchr(stem, '-');
    if (dash && strlen(dash) >= 4 && page->language_count)
        assert_memory_equal(page->languages[0].code, dash + 1, 3);
    vl_image_free(image);
    vl_arena_reset(f->arena);
}

static void samples_are_read_without_being_told(void **state) {
    size_t seen = 0;
    DIR *dir = opendir(TEST_SOURCE_DIR "/samples");
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char *end = strstr(e->d_name, ".gt.txt");
        if (!end)
            continue;
        *end = 0;
        read_sample(*state, e->d_name);
        seen++;
    }
    if (dir)
        closedir(dir);
    if (!seen)
        printf("SKIPPED: samples/ holds no transcripts\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pages_however_they_lie),
        cmocka_unit_test(one_line_is_read),
        cmocka_unit_test(blank_and_noise_have_no_words),
        cmocka_unit_test(upright_picture_fits_the_page),
        cmocka_unit_test(the_form_holds_a_table),
        cmocka_unit_test(packs_that_are_not_there),
        cmocka_unit_test(time_limit_holds),
        cmocka_unit_test(lists_packs),
        cmocka_unit_test(samples_are_read_without_being_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
