/* The engine `reader`: which packs an alphabet is enough for; lines cut out of pages; readings
 * of a small network of random weights: places, order, choices, time and memory; one model for
 * all states; and what is said when there is none. */
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
#include <unicode/utf8.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ocr/coverage.h"
#include "ocr/panel.h"
#include "ocr/picture.h"
#include "ocr/strip.h"
#include "model/reader_use.h"
#include "ocr_samples.h"

static vl_arena *arena;
static char data_dir[400], model_path[512]; /* of the small network */

/* ---- a small network ----------------------------------------------------------------------
 */

static vl_reader_alphabet *alphabet_of(const char *text) {
    vl_reader_alphabet *alphabet = NULL;
    assert_int_equal(vl_reader_alphabet_new(text, strlen(text), &alphabet, NULL), VL_OK);
    return alphabet;
}

/* Untrained, so that it says something nearly everywhere; sure of it. */
static void write_model(void) {
    vl_reader_alphabet *alphabet =
        alphabet_of(" abcdefghijklmnopqrstuvwxyz\xCC\x81\xCC\x88 123");
    vl_reader_config config = {.stem = {16, 16, 32, 32},
                               .width = 64,
                               .blocks = 1,
                               .layers = 1,
                               .heads = 2,
                               .kernel = 5,
                               .expand = 2,
                               .squeeze = 100,
                               .symbols = (uint32_t)vl_reader_alphabet_size(alphabet)};
    vl_params *params = vl_params_new();
    vl_reader_net *net = NULL;
    vl_reader_facts facts = {"0.7", "none"};
    assert_int_equal(vl_reader_net_new(&config, params, &net, NULL), VL_OK);
    assert_int_equal(vl_params_allocate(params, 5, NULL), VL_OK);
    const vl_param *last = vl_params_find(params, "symbols.weight");
    for (size_t i = 0; i < last->count; i++)
        vl_params_values(params)[last->offset + i] *= 12;
    assert_int_equal(vl_reader_write(model_path, net, params, alphabet, &facts, VL_F32, NULL),
                     VL_OK);
    vl_reader_net_free(net);
    vl_params_free(params);
    vl_reader_alphabet_free(alphabet);
}

/* The data folder is asked for once in a process, so that it is named before all else. */
static int setup(void **state) {
    (void)state;
    char models[512];
    snprintf(data_dir, sizeof data_dir, "%s/ocr_reader_%d", TEST_BINARY_DIR, (int)getpid());
    snprintf(models, sizeof models, "%s/models", data_dir);
    snprintf(model_path, sizeof model_path, "%s/models/reader.gguf", data_dir);
    setenv("VISLANG_DATA", data_dir, 1);
    if (vl_dir_make(models, NULL) || !(arena = vl_arena_new((size_t)512 << 20)))
        return -1;
    write_model();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    char models[512];
    snprintf(models, sizeof models, "%s/models", data_dir);
    unlink(model_path);
    rmdir(models);
    rmdir(data_dir);
    vl_arena_free(arena);
    return 0;
}

/* ---- packs --------------------------------------------------------------------------------
 */

static void test_packs_by_alphabet(void **state) {
    static const char *const reads[] = {
        "Latin", "Arabic", "Ethiopic", "Cyrillic", "Devanagari", "Bengali", "Myanmar", "Khmer",
        "Tamil", "eng",    "fra",      "vie",      "swa",        "yor",     "ara",     "fas",
        "urd",   "pus",    "amh",      "tir",      "ukr",        "rus",     "hin",     "mar",
        "nep",   "ben",    "mya",      "khm",      "tam",        "por",     "spa"};
    static const char *const not [] = {"Greek", "ell", "heb", "chi_sim", "kan",     "Fraktur",
                                       "frk",   "osd", "yid", "nothing", "eng+fra", ""};
    (void)state;
    vl_buf text;
    vl_buf_init(&text, 1 << 20);
    assert_int_equal(
        vl_file_read(TEST_SOURCE_DIR "/models/reader-alphabet.txt", 1 << 20, &text, NULL),
        VL_OK);
    vl_reader_alphabet *all = alphabet_of(text.data), *none = alphabet_of(" 123"),
                       *plain = alphabet_of(" abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
        if (!vl_alphabet_covers(all, vl_ocr_pack_find(reads[i])))
            fail_msg("%s is not read", reads[i]);
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++) {
        const vl_ocr_pack *pack = vl_ocr_pack_find(not [i]);
        if (pack && vl_alphabet_covers(all, pack))
            fail_msg("%s is read", not [i]);
    }
    assert_false(vl_alphabet_covers(none, vl_ocr_pack_find("eng")));
    assert_true(vl_alphabet_covers(plain, vl_ocr_pack_find("eng")));
    assert_false(vl_alphabet_covers(plain, vl_ocr_pack_find("vie")));
    vl_reader_alphabet_free(all);
    vl_reader_alphabet_free(none);
    vl_reader_alphabet_free(plain);
    vl_buf_deinit(&text);
}

/* ---- cutting ------------------------------------------------------------------------------
 */

static PIX *paper(int width, int height) {
    PIX *pix = pixCreate(width, height, 8);
    pixSetAllArbitrary(pix, 230);
    return pix;
}

/* What else is known of a text weighs: letters of its scripts and languages, and none of
 * others. */
static void test_prior(void **state) {
    static const struct {
        const char *packs;
        uint32_t character;
        float least, most;
    } rows[] = {
        {"fra", 'e', 1, 1},          {"fra", 0xE9, 1, 1},            /* é */
        {"fra", '7', 1, 1},                                          /* of no script */
        {"fra", 0x15F, 0.01F, 0.5F},                                 /* ş: Latin, not French */
        {"fra", 0x440, 0, 0},                                        /* р, Cyrillic */
        {"Latin", 0x15F, 1, 1},                                      /* of all languages */
        {"Cyrillic", 0x440, 1, 1},   {"Cyrillic", 'p', 0.01F, 0.5F}, /* an insert */
        {"Cyrillic", 0x628, 0, 0},                                   /* ب */
        {"ara", 0x628, 1, 1},        {"hin+eng", 'p', 1, 1},
        {"hin+eng", 0x915, 1, 1}, /* क */
        {"vie", 0x1EC7, 1, 1},    /* ệ, of a letter and marks that the language has */
    };
    (void)state;
    char text[128] = "";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char one[8];
        size_t bytes = 0;
        U8_APPEND_UNSAFE((uint8_t *)one, bytes, rows[i].character);
        one[bytes] = '\0';
        if (!strstr(text, one))
            strcat(text, one);
    }
    vl_reader_alphabet *alphabet;
    float prior[64];
    assert_int_equal(vl_reader_alphabet_new(text, strlen(text), &alphabet, NULL), VL_OK);
    assert_true(vl_reader_alphabet_size(alphabet) < 64);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t label = vl_reader_alphabet_label(alphabet, rows[i].character);
        assert_true(label > 0);
        vl_alphabet_prior(alphabet, rows[i].packs, prior);
        assert_true(prior[0] == 1);
        if (!(prior[label] >= rows[i].least && prior[label] <= rows[i].most))
            fail_msg("U+%04X in %s: %g", rows[i].character, rows[i].packs,
                     (double)prior[label]);
    }
    vl_reader_alphabet_free(alphabet);
}

static void ink(PIX *pix, int x, int y, int width, int height) {
    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++)
            pixSetPixel(pix, column, row, 20);
}

/* First and last row with ink in a column. */
static void rows_of(const vl_image *image, uint32_t x, int *first, int *last) {
    *first = *last = -1;
    for (uint32_t y = 0; y < image->height; y++)
        if (image->pixels[y * image->stride + x] < 128) {
            *first = *first < 0 ? (int)y : *first;
            *last = (int)y;
        }
}

static void test_bands(void **state) {
    static const struct {
        int32_t y0, y1; /* of the baseline; the box is 100 … 500, 50 … 100 */
        double top, bottom, slope;
    } rows[] = {
        {90, 90, 50, 100, 0},     {80, 90, 50, 90, 0.025},
        {95, 75, 70, 100, -0.05}, {60, 95, 50, 100, 0}, /* no line rises like that */
        {100, 100, 50, 100, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_engine_line line = {
            .box = {100, 50, 400, 50}, .baseline_y0 = rows[i].y0, .baseline_y1 = rows[i].y1};
        vl_band band;
        assert_true(vl_band_of_line(&line, &band));
        assert_int_equal(band.left, 100);
        assert_int_equal(band.right, 500);
        assert_true(fabs(band.top - rows[i].top) < 1e-9);
        assert_true(fabs(band.bottom - rows[i].bottom) < 1e-9);
        assert_true(fabs(band.slope - rows[i].slope) < 1e-9);
    }
    vl_engine_line thin = {.box = {0, 0, 100, 2}};
    vl_band band;
    assert_false(vl_band_of_line(&thin, &band));
    PIX *one = paper(300, 120);
    assert_false(vl_band_of_picture(one, &band));
    ink(one, 40, 50, 200, 30);
    assert_true(vl_band_of_picture(one, &band));
    assert_int_equal(band.left, 40);
    assert_int_equal(band.right, 240);
    assert_true(band.top == 50 && band.bottom == 80 && band.slope == 0);
    pixInvert(one, one);
    assert_true(vl_band_of_picture(one, &band));
    assert_true(band.left == 40 && band.right == 240 && band.top == 50);
    pixDestroy(&one);
}

/* A tilted bar is level once it was cut out, and words' boxes go down with it. */
static void test_tilt_is_undone(void **state) {
    (void)state;
    PIX *pix = paper(900, 200);
    for (int x = 50; x < 850; x++)
        ink(pix, x, 60 + (x - 50) / 20, 1, 30);
    vl_engine_line line = {.box = {50, 60, 800, 70}, .baseline_y0 = 90, .baseline_y1 = 130};
    vl_band band;
    vl_strip strips[VL_STRIPS_MAX];
    size_t count;
    assert_true(vl_band_of_line(&line, &band));
    assert_int_equal(vl_strips_cut(pix, &band, 100, strips, &count, NULL), VL_OK);
    assert_int_equal(count, 1);
    const vl_image *image = strips[0].image;
    assert_true(image->height >= 34 && image->height <= 44);
    int first, last, before = -1;
    for (uint32_t x = (uint32_t)(50 - strips[0].x); x < (uint32_t)(850 - strips[0].x); x++) {
        rows_of(image, x, &first, &last);
        assert_true(first > 1 && last < (int)image->height - 2 && last - first <= 31);
        assert_true(before < 0 || abs(first - before) <= 1);
        before = first;
    }
    assert_int_equal(vl_band_box(&band, 50, 60).y, 60);
    assert_int_equal(vl_band_box(&band, 840, 850).y, 99);
    assert_int_equal(vl_band_box(&band, 840, 850).height, 31);
    vl_strips_free(strips, count);
    pixDestroy(&pix);
}

/* Letters that touch every edge of the page stay as long as they are: around the page is paper.
 */
static void test_no_rules_out_of_edges(void **state) {
    (void)state;
    PIX *pix = paper(400, 40);
    ink(pix, 0, 15, 60, 8);
    ink(pix, 340, 15, 60, 8);
    ink(pix, 100, 0, 10, 40);
    vl_band band;
    vl_strip strips[VL_STRIPS_MAX];
    size_t count;
    assert_true(vl_band_of_picture(pix, &band));
    assert_int_equal(vl_strips_cut(pix, &band, 100, strips, &count, NULL), VL_OK);
    const vl_image *image = strips[0].image;
    int first, last;
    assert_true(strips[0].x < -4 && image->width > 408 && image->height > 46);
    for (uint32_t x = 0; x < image->width; x++) {
        int32_t at = strips[0].x + (int32_t)x;
        rows_of(image, x, &first, &last);
        if (at < 0 || at >= 400)
            assert_int_equal(first, -1);
        else if (at >= 100 && at < 110)
            assert_int_equal(last - first, 39);
    }
    vl_strips_free(strips, count);
    pixDestroy(&pix);
}

/* Letters of 20 columns apart by 4, words apart by 16: no letter is cut through. */
static void test_long_lines_are_cut_at_gaps(void **state) {
    (void)state;
    PIX *pix = paper(6000, 60);
    for (int word = 0; word < 40; word++)
        for (int letter = 0; letter < 5; letter++)
            ink(pix, 20 + word * 136 + letter * 24, 10, 20, 40);
    vl_band band;
    vl_strip strips[VL_STRIPS_MAX];
    size_t count;
    assert_true(vl_band_of_picture(pix, &band));
    assert_int_equal(vl_strips_cut(pix, &band, 20, strips, &count, NULL), VL_OK);
    assert_true(count >= 5 && count <= 10);
    int32_t end = strips[0].x;
    for (size_t i = 0; i < count; i++) {
        const vl_image *image = strips[i].image;
        int first, last;
        assert_int_equal(strips[i].x, end);
        assert_true(strips[i].after_gap);
        assert_true(image->width <= 20 * image->height);
        rows_of(image, 0, &first, &last);
        assert_int_equal(first, -1);
        rows_of(image, image->width - 1, &first, &last);
        assert_int_equal(first, -1);
        end += (int32_t)image->width;
    }
    assert_true(end >= band.right);
    vl_strips_free(strips, count);
    /* A rule across the page has no gaps at all, and no end. */
    ink(pix, 0, 20, 6000, 20);
    assert_int_equal(vl_strips_cut(pix, &band, 20, strips, &count, NULL), VL_OK);
    assert_false(strips[1].after_gap);
    vl_strips_free(strips, count);
    assert_int_equal(vl_strips_cut(pix, &band, 1.2, strips, &count, NULL), VL_ERR_LIMIT);
    pixDestroy(&pix);
}

/* ---- readings -----------------------------------------------------------------------------
 */

/* Strokes at random, as high as letters. */
static void scribble(PIX *pix, vl_box box, uint32_t seed) {
    for (int x = box.x; x < box.x + box.width - 4; x += 9) {
        seed = seed * 1664525 + 1013904223;
        int top = (int)(seed >> 16) % (box.height / 2);
        ink(pix, x, box.y + top, 3 + (int)(seed >> 8 & 3), box.height - top);
    }
}

static void *open_reader(void) {
    void *reader = NULL;
    vl_error error;
    if (vl_engine_reader.open(NULL, &reader, &error))
        fail_msg("%s", error.message);
    return reader;
}

static vl_engine_request request_of(PIX *picture) {
    return (vl_engine_request){.picture = picture,
                               .packs = "eng",
                               .mode = VL_ENGINE_LINE,
                               .symbols = true,
                               .arena = arena};
}

static size_t check_line(const vl_engine_line *line, vl_box within) {
    size_t letters = 0;
    assert_true(line->word_count > 0 && line->symbol_count >= line->word_count);
    assert_true(line->confidence > 0 && line->confidence <= 1);
    for (size_t w = 0; w < line->word_count; w++)
        assert_string_equal(line->words[w].text, vl_text_nfc(arena, line->words[w].text));
    for (size_t i = 0; i < line->symbol_count; i++) {
        const vl_engine_symbol *s = &line->symbols[i];
        assert_true(*s->text && !strchr(s->text, ' '));
        assert_true(s->word < line->word_count);
        assert_true(s->box.x >= within.x - 12 && s->box.width > 0);
        assert_true(s->box.x + s->box.width <= within.x + within.width + 12);
        assert_true(s->choice_count > 1 && !strcmp(s->choices[0].text, s->text));
        for (size_t k = 2; k < s->choice_count; k++)
            assert_true(s->choices[k - 1].confidence >= s->choices[k].confidence);
        /* A mark stands with its letter, unless it begins a word. */
        bool mark = (unsigned char)s->text[0] == 0xCC;
        assert_true(!mark || i == 0 || line->symbols[i - 1].word != s->word);
        letters++;
    }
    return letters;
}

static void test_lines_of_a_page(void **state) {
    (void)state;
    PIX *page = paper(1200, 400);
    vl_engine_line lines[] = {
        {.box = {50, 40, 700, 30}, .baseline_y0 = 66, .baseline_y1 = 66, .block = 1},
        {.box = {50, 90, 900, 30}, .baseline_y0 = 118, .baseline_y1 = 112, .block = 1},
        {.box = {50, 150, 300, 30}, .block = 2, .paragraph = 1}, /* blank */
        {.box = {50, 200, 1100, 40}, .baseline_y0 = 235, .baseline_y1 = 235, .block = 3},
        {.box = {20, 300, 9, 1}, .block = 3},
    };
    vl_box figure = {900, 300, 50, 50};
    for (size_t i = 0; i < 4; i++)
        if (i != 2)
            scribble(page, lines[i].box, (uint32_t)i);
    vl_engine_reading layout = {
        .lines = lines, .line_count = 5, .figures = &figure, .figure_count = 1};
    vl_engine_reading reading, plain, again;
    vl_engine_request request = request_of(page);
    request.mode = VL_ENGINE_PAGE;
    request.layout = &layout;
    void *reader = open_reader(), *other = open_reader();
    assert_int_equal(vl_engine_reader.read(reader, &request, &reading, NULL), VL_OK);
    assert_true(reading.line_count >= 3 && reading.line_count <= 4);
    assert_int_equal(reading.figure_count, 1);
    size_t characters = 0;
    for (size_t i = 0; i < reading.line_count; i++) {
        size_t from = i + (reading.line_count == 3 && i == 2);
        characters += check_line(&reading.lines[i], lines[from].box);
        if (i < 2) {
            assert_int_equal(reading.lines[i].block, reading.lines[0].block);
            assert_true(abs(reading.lines[i].baseline_y0 - lines[i].baseline_y0) <= 1);
            assert_true(abs(reading.lines[i].baseline_y1 - lines[i].baseline_y1) <= 1);
        } else {
            assert_true(reading.lines[i].block > reading.lines[0].block);
        }
    }
    assert_true(characters > 100);
    request.symbols = false;
    assert_int_equal(vl_engine_reader.read(reader, &request, &plain, NULL), VL_OK);
    assert_int_equal(vl_engine_reader.read(other, &request, &again, NULL), VL_OK);
    assert_int_equal(plain.line_count, reading.line_count);
    for (size_t i = 0; i < plain.line_count; i++) {
        assert_int_equal(plain.lines[i].symbol_count, 0);
        assert_int_equal(plain.lines[i].word_count, reading.lines[i].word_count);
        assert_string_equal(plain.lines[i].words[0].text, again.lines[i].words[0].text);
    }
    vl_engine_reader.close(reader);
    vl_engine_reader.close(other);
    pixDestroy(&page);
}

/* A line of 4,800 pixels at a height of 48 is read in pieces, in 1, 8 and 32 bits alike. */
static void test_a_long_line(void **state) {
    (void)state;
    PIX *grey = paper(3200, 60), *black = NULL, *colour = NULL;
    vl_box box = {10, 14, 3180, 32};
    vl_engine_reading reading;
    scribble(grey, box, 3);
    black = pixThresholdToBinary(grey, 128);
    colour = pixConvertTo32(grey);
    PIX *pictures[] = {grey, black, colour};
    void *reader = open_reader();
    for (size_t i = 0; i < 3; i++) {
        vl_engine_request request = request_of(pictures[i]);
        assert_int_equal(vl_engine_reader.read(reader, &request, &reading, NULL), VL_OK);
        assert_int_equal(reading.line_count, 1);
        const vl_engine_line *line = &reading.lines[0];
        assert_true(check_line(line, box) > 150);
        assert_true(line->box.x < 60 && line->box.width > 3000);
        assert_true(line->box.y >= 8 && line->box.y + line->box.height <= 52);
        for (size_t s = 1; s < line->symbol_count; s++) /* left to right, across the pieces */
            assert_true(line->symbols[s].box.x + line->symbols[s].box.width >=
                        line->symbols[s - 1].box.x);
        pixDestroy(&pictures[i]);
    }
    vl_engine_reader.close(reader);
}

static void test_nothing_to_read(void **state) {
    (void)state;
    PIX *blank = paper(500, 60);
    void *reader = open_reader();
    vl_engine_reading reading, none = {0};
    vl_error error;
    vl_engine_request request = request_of(blank);
    assert_int_equal(vl_engine_reader.read(reader, &request, &reading, NULL), VL_OK);
    assert_int_equal(reading.line_count, 0);
    request.layout = &none;
    assert_int_equal(vl_engine_reader.read(reader, &request, &reading, NULL), VL_OK);
    assert_int_equal(reading.line_count, 0);
    request.layout = NULL;
    request.deadline_ns = 1;
    assert_int_equal(vl_engine_reader.read(reader, &request, &reading, &error), VL_ERR_TIMEOUT);
    request.deadline_ns = 0;
    scribble(blank, (vl_box){5, 10, 490, 40}, 1);
    for (size_t bytes = 1 << 10; bytes < 1 << 20; bytes *= 4) {
        request.arena = vl_arena_new(bytes);
        vl_status status = vl_engine_reader.read(reader, &request, &reading, &error);
        assert_true(!status || status == VL_ERR_MEMORY || status == VL_ERR_LIMIT);
        assert_true(bytes > 1 << 10 || status);
        vl_arena_free(request.arena);
    }
    vl_engine_reader.close(reader);
    pixDestroy(&blank);
}

static void test_states_and_versions(void **state) {
    (void)state;
    void *first = open_reader(), *second = NULL;
    vl_error error;
    assert_int_equal(vl_engine_reader.open(model_path, &second, &error), VL_OK);
    assert_string_equal(vl_engine_reader.version(), "0.7");
    assert_true(vl_engine_reader.can_read(first, "eng"));
    assert_true(vl_engine_reader.can_read(second, "eng"));
    assert_false(vl_engine_reader.can_read(first, "ara"));
    assert_false(vl_engine_reader.can_read(first, "nonsense"));
    vl_engine_reader.close(first);
    assert_true(vl_engine_reader.can_read(second, "Latin"));
    vl_engine_reader.close(second);
    vl_engine_reader.close(NULL);
    assert_int_equal(vl_engine_reader.open("/nowhere/reader.gguf", &first, &error),
                     VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "/nowhere/reader.gguf"));
    assert_non_null(strstr(error.message, "vislang export"));
}

/* ---- in the panel -------------------------------------------------------------------------
 */

static const char *const places[] = {"/usr/share/tesseract-ocr/5/tessdata",
                                     "/usr/share/tessdata"};

static void *open_tesseract(void) {
    void *tesseract = NULL;
    const char *dir = access(places[0], R_OK) ? places[1] : places[0];
    assert_int_equal(vl_engine_tesseract.open(dir, &tesseract, NULL), VL_OK);
    return tesseract;
}

/* Alone on a page it reads the lines that Tesseract finds. */
static void test_alone_on_a_page(void **state) {
    (void)state;
    vl_panel panel;
    vl_ocr_picture picture;
    vl_error error;
    vl_image *image = sample("notice-eng.jpg");
    vl_ocr_options options = vl_ocr_options_default();
    options.engines = "reader";
    void *tesseract = open_tesseract();
    if (vl_panel_init(&panel, &options, "", tesseract, &error))
        fail_msg("%s", error.message);
    assert_int_equal(vl_ocr_picture_init(&picture, image, 0, true, 0, arena, &error), VL_OK);
    static const vl_engine_mode modes[] = {VL_ENGINE_PAGE, VL_ENGINE_BLOCK, VL_ENGINE_SPARSE};
    for (size_t i = 0; i < 3; i++) {
        vl_engine_reading found, reading;
        vl_engine_request request = request_of(picture.work);
        request.mode = modes[i];
        assert_int_equal(vl_engine_tesseract.find_lines(tesseract, &request, &found, NULL),
                         VL_OK);
        assert_true(found.line_count > 8);
        for (size_t l = 0; l < found.line_count; l++)
            assert_true(!found.lines[l].word_count && found.lines[l].box.height > 5);
        if (vl_panel_read(&panel, &request, &reading, &error))
            fail_msg("%s", error.message);
        assert_true(reading.line_count > found.line_count / 2);
        assert_true(reading.line_count <= found.line_count);
        assert_true(reading.characters > 100);
    }
    vl_engine_request arabic = request_of(picture.work);
    vl_engine_reading reading;
    arabic.packs = "ara";
    assert_int_equal(vl_panel_read(&panel, &arabic, &reading, &error), VL_ERR_UNSUPPORTED);
    vl_panel_deinit(&panel);
    vl_engine_tesseract.close(tesseract);
    vl_ocr_picture_deinit(&picture);
    vl_image_free(image);
}

/* Beside Tesseract it votes; without its model it is left out, and health says why. */
static void test_beside_tesseract(void **state) {
    (void)state;
    char away[600];
    snprintf(away, sizeof away, "%s.away", model_path);
    vl_image *image = sample("notice-eng.jpg");
    for (int there = 1; there >= 0; there--) {
        vl_ocr_options options = vl_ocr_options_default();
        vl_ocr_engine_health health[2];
        vl_ocr *ocr = NULL;
        vl_page *page = NULL;
        vl_error error;
        if (!there)
            assert_int_equal(rename(model_path, away), 0);
        options.threshold = 1;
        assert_int_equal(vl_ocr_engines_new("tesseract,reader", &options.shared, NULL), VL_OK);
        if (vl_ocr_new(&options, &ocr, &error) ||
            vl_ocr_read(ocr, image, "eng", arena, &page, NULL, &error))
            fail_msg("%s", error.message);
        assert_int_equal(vl_ocr_engines_health(options.shared, health, 2), 2);
        assert_string_equal(health[1].name, "reader");
        assert_true(health[1].available == there);
        assert_int_equal(health[1].calls, there); /* all lines at once */
        assert_true(!health[1].failures);
        assert_true(there == !strstr(health[1].last_error, "models/reader.gguf"));
        assert_true(there == (strstr(page->engine, "reader 0.7") != NULL));
        vl_ocr_free(ocr);
        vl_ocr_engines_free(options.shared);
        options = vl_ocr_options_default();
        options.engines = "reader";
        vl_status alone = vl_ocr_new(&options, &ocr, &error);
        assert_int_equal(alone, there ? VL_OK : VL_ERR_MISSING);
        if (there)
            vl_ocr_free(ocr);
    }
    assert_int_equal(rename(away, model_path), 0);
    vl_image_free(image);
}

/* ---- with the weights that ship -----------------------------------------------------------
 */

static size_t largest(const float *row, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

/* Columns of a line that say the same by floats and by 8-bit numbers. */
static void compare_columns(const vl_reader *reader, vl_graph *graph, const vl_image *line,
                            size_t *same, size_t *all) {
    static const reader_choice everything;
    vl_reader_pixels pixels;
    reader_memory memory = {0};
    assert_int_equal(
        vl_reader_prepare(line, vl_reader_config_of(reader)->squeeze, arena, &pixels, NULL),
        VL_OK);
    int32_t starts[] = {0, (int32_t)pixels.positions};
    vl_graph_reset(graph, 0);
    vl_var *exact = vl_reader_look(reader->net, graph, pixels.columns, starts, 1, 0);
    assert_non_null(exact);
    float *rounded = reader_forward(reader, &everything, &memory, pixels.columns, starts, 1);
    size_t symbols = exact->dims[1];
    for (size_t t = 0; t < pixels.positions; t++)
        *same += largest(exact->value + t * symbols, symbols) ==
                 largest(rounded + t * symbols, symbols);
    *all += pixels.positions;
    free(memory.bytes);
}

/* 8-bit numbers change what one column in a hundred of the samples says, at most. */
static void test_8_bits_on_samples(void **state) {
    (void)state;
    static const char *const names[] = {"notice-eng.jpg", "notice-fra.jpg", "notice-ara.jpg",
                                        "notice-amh.jpg", "notice-swh.jpg", "notice-mya.jpg"};
    vl_reader *reader = NULL;
    vl_error error;
    if (vl_reader_open(TEST_SOURCE_DIR "/models/reader.gguf", &reader, &error)) {
        print_message("models/reader.gguf is not there: its readings are not compared\n");
        skip();
    }
    if (!reader->matrix)
        assert_int_equal(reader_round_weights(reader, NULL), VL_OK);
    vl_graph_options options = {.max_bytes = (size_t)4 << 30};
    vl_graph *graph = vl_graph_new(reader->params, &options);
    void *tesseract = open_tesseract();
    size_t same = 0, all = 0;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        vl_ocr_picture picture;
        vl_image *image = sample(names[n]);
        assert_int_equal(vl_ocr_picture_init(&picture, image, 0, true, 0, arena, NULL), VL_OK);
        vl_engine_request request = request_of(picture.work);
        vl_engine_reading found;
        request.mode = VL_ENGINE_PAGE;
        PIX *grey = pixConvertTo8(picture.work, 0);
        assert_int_equal(vl_engine_tesseract.find_lines(tesseract, &request, &found, NULL),
                         VL_OK);
        for (size_t i = 0; i < found.line_count; i++) {
            vl_strip strips[VL_STRIPS_MAX];
            vl_band band;
            size_t count = 0;
            if (vl_band_of_line(&found.lines[i], &band))
                assert_int_equal(vl_strips_cut(grey, &band, 33, strips, &count, NULL), VL_OK);
            for (size_t k = 0; k < count; k++)
                compare_columns(reader, graph, strips[k].image, &same, &all);
            vl_strips_free(strips, count);
        }
        pixDestroy(&grey);
        vl_ocr_picture_deinit(&picture);
        vl_image_free(image);
    }
    print_message("%zu of %zu columns say the same\n", same, all);
    assert_true(all > 2000 && (double)same >= 0.99 * (double)all);
    vl_engine_tesseract.close(tesseract);
    vl_graph_free(graph);
    vl_reader_free(reader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prior),
        cmocka_unit_test(test_packs_by_alphabet),
        cmocka_unit_test(test_bands),
        cmocka_unit_test(test_tilt_is_undone),
        cmocka_unit_test(test_no_rules_out_of_edges),
        cmocka_unit_test(test_long_lines_are_cut_at_gaps),
        cmocka_unit_test(test_lines_of_a_page),
        cmocka_unit_test(test_a_long_line),
        cmocka_unit_test(test_nothing_to_read),
        cmocka_unit_test(test_states_and_versions),
        cmocka_unit_test(test_alone_on_a_page),
        cmocka_unit_test(test_beside_tesseract),
        cmocka_unit_test(test_8_bits_on_samples),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
