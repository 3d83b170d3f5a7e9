/* ocr_pages.c — pages a reader is not made for, as tests/pages has them
 * (tools/make_odd_pages.c): scripts that no pack is there for, text on end, upside down, in
 * columns from top to bottom, a fax of oblong pixels, a dark page and a dark band, a
 * photographed screen, an empty sheet, a strip 20,000 pixels wide. Only a few packs are there,
 * whatever the machine has. */
#include <vislang/ocr.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKS TEST_BINARY_DIR "/pages-tessdata"

typedef struct fixture {
    vl_ocr *ocr;
    vl_arena *arena;
    char *english; /* what the readable pages say */
} fixture;

/* A folder with only the packs that the tests speak of. */
static void link_packs(void) {
    static const char *const packs[] = {"osd", "eng", "fra", "spa", "ara", "rus", "hin", "amh"};
    static const char *const folders[] = {"/usr/share/tesseract-ocr/5/tessdata",
                                          "/usr/share/tesseract-ocr/4.00/tessdata",
                                          "/usr/share/tessdata", "/usr/local/share/tessdata"};
    mkdir(PACKS, 0777);
    for (size_t i = 0; i < sizeof packs / sizeof *packs; i++)
        for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
            char from[256], to[1024];
            snprintf(from, sizeof from, "%s/%s.traineddata", folders[k], packs[i]);
            snprintf(to, sizeof to, PACKS "/%s.traineddata", packs[i]);
            if (access(from, R_OK) == 0 && access(to, R_OK) != 0)
                assert_int_equal(symlink(from, to), 0);
        }
}

static int set_up(void **state) {
    static fixture f;
    vl_error error;
    vl_buf text;
    vl_ocr_options options = vl_ocr_options_default();
    link_packs();
    options.tessdata = PACKS;
    options.max_seconds = 240; /* sanitizers are slow */
    vl_buf_init(&text, 1 << 16);
    if (vl_ocr_new(&options, &f.ocr, &error) ||
        vl_file_read(TEST_SOURCE_DIR "/tests/pages/source/english.txt", 1 << 16, &text,
                     &error)) {
        fprintf(stderr, "%s\n", error.message);
        return -1;
    }
    f.arena = vl_arena_new((size_t)512 << 20);
    f.english = strndup(text.data, text.len);
    vl_buf_deinit(&text);
    *state = &f;
    return f.arena && f.english ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    vl_ocr_free(f->ocr);
    vl_arena_free(f->arena);
    free(f->english);
    return 0;
}

static vl_image *load(const char *name) {
    char path[1024];
    vl_buf bytes;
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/pages/%s", name);
    vl_buf_init(&bytes, 16 << 20);
    assert_int_equal(vl_file_read(path, 16 << 20, &bytes, NULL), VL_OK);
    assert_int_equal(vl_document_first(bytes.data, bytes.len, &limits, &image, NULL), VL_OK);
    vl_buf_deinit(&bytes);
    return image;
}

static vl_page *read_image(fixture *f, const vl_image *image) {
    vl_page *page = NULL;
    vl_error error = {0};
    vl_status status = vl_ocr_read(f->ocr, image, NULL, f->arena, &page, NULL, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    assert_int_equal(status, VL_OK);
    return page;
}

static double cer_of(fixture *f, const vl_page *page, const char *reference) {
    vl_edit_count edits;
    assert_int_equal(vl_text_cer(vl_page_text(f->arena, page), reference, &edits, NULL), VL_OK);
    return (double)edits.edits / (double)edits.length;
}

/* ---- scripts ------------------------------------------------------------------------------
 */

static void scripts_without_a_pack_are_named(void **state) {
    static const struct {
        const char *file;
        int turned;
        const char *script, *says, *adds;
    } cases[] = {
        {"georgian.png", 0, "Geor", "Georgian", "apt-get install tesseract-ocr-script-geor"},
        {"georgian.png", 180, "Geor", "Georgian", "apt-get install tesseract-ocr-script-geor"},
        {"armenian.png", 0, "Armn", "Armenian", "apt-get install tesseract-ocr-script-armn"},
        {"thai.png", 0, "Thai", "Thai", "apt-get install tesseract-ocr-script-thai"},
        {"hebrew.png", 0, "Hebr", "Hebrew", "apt-get install tesseract-ocr-script-hebr"},
        {"sinhala.png", 0, "Sinh", "Sinhala", "apt-get install tesseract-ocr-script-sinh"},
        {"tibetan.png", 0, "Tibt", "Tibetan", "apt-get install tesseract-ocr-script-tibt"},
        {"cherokee.png", 0, "Cher", "Cherokee", "apt-get install tesseract-ocr-script-cher"},
        {"japanese-vertical.png", 0, "Jpan", "Japanese",
         "apt-get install tesseract-ocr-script-jpan"},
        {"mongolian.png", 0, "Mong", "Mongolian", "Debian has no Tesseract pack"},
        {"tifinagh.png", 0, "Tfng", "Tifinagh", "Debian has no Tesseract pack"},
        {"nko.png", 0, "Nkoo", "N'Ko", "Debian has no Tesseract pack"},
        {"adlam.png", 0, "Adlm", "Adlam", "Debian has no Tesseract pack"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_image *stored = load(cases[i].file);
        vl_image *image = vl_image_rotate(stored, cases[i].turned);
        vl_page *page = read_image(f, image);
        printf("  %-22s %s\n", cases[i].file, page->unread ? page->unread->message : "-");
        assert_non_null(page->unread);
        assert_string_equal(page->unread->script, cases[i].script);
        assert_string_equal(page->script, cases[i].script);
        assert_non_null(strstr(page->unread->message, cases[i].says));
        assert_non_null(strstr(page->unread->message, cases[i].adds));
        assert_int_equal(page->unread->status, strstr(cases[i].adds, "apt-get")
                                                   ? VL_ERR_MISSING
                                                   : VL_ERR_UNSUPPORTED);
        assert_true(page->unread->probability >= 0.6);
        assert_int_equal(vl_page_word_count(page), 0);
        assert_int_equal(page->rotation, (360 - cases[i].turned) % 360);
        vl_image_free(stored);
        vl_image_free(image);
        vl_arena_reset(f->arena);
    }
}

static void formats_say_what_was_not_read(void **state) {
    static const struct {
        vl_ocr_format format;
        const char *says;
    } cases[] = {
        {VL_OCR_JSON, "\"unread\":{\"script\":\"Geor\""},
        {VL_OCR_MARKDOWN, "*Not read: the page is in Georgian script"},
        {VL_OCR_HOCR, "<p class=\"ocrx_unread\">the page is in Georgian script"},
        {VL_OCR_ALTO, "QUALITY_DETAIL=\"not read: the page is in Georgian script"},
    };
    fixture *f = *state;
    vl_image *image = load("georgian.png");
    vl_page *page = read_image(f, image);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_buf out;
        vl_ocr_writer *writer = NULL;
        vl_buf_init(&out, 1 << 20);
        assert_int_equal(
            vl_ocr_writer_new(cases[i].format, "x.png", vl_sink_buf, &out, &writer, NULL),
            VL_OK);
        assert_int_equal(vl_ocr_writer_page(writer, page, image, NULL), VL_OK);
        assert_int_equal(vl_ocr_writer_finish(writer, NULL), VL_OK);
        assert_non_null(strstr(out.data, cases[i].says));
        vl_ocr_writer_free(writer);
        vl_buf_deinit(&out);
    }
    vl_image_free(image);
}

/* ---- pages that are read all the same ------------------------------------------------------
 */

static void invert(vl_image *image) {
    for (size_t i = 0; i < image->height * image->stride; i++)
        image->pixels[i] = (uint8_t)(255 - image->pixels[i]);
}

static void odd_pages_are_read(void **state) {
    static const struct {
        const char *name, *file;
        int turned;
        bool inverted;
        double cer;
    } cases[] = {
        {"fax, 204 × 98 to the inch", "fax.tif", 0, false, 0.05},
        {"a dark band", "band.png", 0, false, 0.02},
        {"white on black", "band.png", 0, true, 0.03},
        {"on end", "band.png", 90, false, 0.03},
        {"on its head", "band.png", 270, false, 0.03},
        {"upside down", "band.png", 180, false, 0.03},
        {"photographed screen", "screen.jpg", 0, false, 0.05},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_image *stored = load(cases[i].file);
        vl_image *image = vl_image_rotate(stored, cases[i].turned);
        if (cases[i].inverted)
            invert(image);
        vl_page *page = read_image(f, image);
        double cer = cer_of(f, page, f->english);
        printf("  %-26s CER %.3f, rotation %d, %s\n", cases[i].name, cer, page->rotation,
               page->engine);
        assert_null(page->unread);
        assert_true(cer <= cases[i].cer);
        assert_int_equal(page->rotation, (360 - cases[i].turned) % 360);
        assert_string_equal(page->script, "Latn");
        vl_image_free(stored);
        vl_image_free(image);
        vl_arena_reset(f->arena);
    }
}

static void fax_pixels_are_square(void **state) {
    (void)state;
    vl_image *image = load("fax.tif");
    assert_int_equal(image->width, 1000);
    assert_in_range(image->height, 635, 645);
    assert_true(image->dpi > 203 && image->dpi < 205);
    vl_image_free(image);
}

/* Nothing, specks, a frame, a shade from side to side: no words, no script, no reading. */
static void empty_sheets_are_given_up(void **state) {
    fixture *f = *state;
    for (int kind = 0; kind < 4; kind++) {
        vl_image *image = NULL;
        uint32_t random = 7;
        assert_int_equal(vl_image_new(1240, 1754, 1, &image, NULL), VL_OK);
        memset(image->pixels, 252, image->height * image->stride);
        for (int speck = 0; kind == 1 && speck < 60; speck++) {
            random = random * 1664525u + 1013904223u;
            image->pixels[random % (image->height * image->stride)] = 60;
        }
        for (uint32_t y = 40; kind == 2 && y < 1714; y++)
            image->pixels[y * image->stride + 40] = image->pixels[y * image->stride + 1200] =
                20;
        for (uint32_t y = 0; kind == 3 && y < image->height; y++)
            for (uint32_t x = 0; x < image->width; x++)
                image->pixels[y * image->stride + x] = (uint8_t)(255 - x / 20);
        vl_page *page = read_image(f, image);
        assert_int_equal(vl_page_word_count(page), 0);
        assert_null(page->unread);
        assert_non_null(strstr(page->engine, "(none)"));
        vl_image_free(image);
        vl_arena_reset(f->arena);
    }
}

/* ---- 20,000 pixels wide --------------------------------------------------------------------
 */

static void paste(vl_image *to, const vl_image *from, uint32_t x, uint32_t y) {
    for (uint32_t row = 0; row < from->height; row++)
        memcpy(to->pixels + (y + row) * to->stride + x, from->pixels + row * from->stride,
               from->width);
}

static void a_strip_is_read_at_both_ends(void **state) {
    fixture *f = *state;
    vl_image *block = load("band.png"), *strip = NULL;
    assert_int_equal(vl_image_new(20000, 600, 1, &strip, NULL), VL_OK);
    memset(strip->pixels, 255, strip->height * strip->stride);
    paste(strip, block, 60, 20);
    paste(strip, block, 18900, 20);
    vl_page *page = read_image(f, strip);
    size_t left = 0, right = 0;
    for (size_t i = 0; i < page->block_count; i++)
        for (size_t j = 0; j < page->blocks[i].line_count; j++)
            for (size_t k = 0; k < page->blocks[i].lines[j].word_count; k++) {
                const vl_word *word = &page->blocks[i].lines[j].words[k];
                left += word->box.x < 1100 && word->confidence > 0.5;
                right += word->box.x >= 18900 && word->confidence > 0.5;
            }
    printf("  %zu words on the left, %zu on the right, %.0f ms\n", left, right,
           page->milliseconds);
    assert_int_equal(page->width, 20000);
    assert_in_range(left, 74, 78);
    assert_in_range(right, 74, 78);
    vl_image_free(block);
    vl_image_free(strip);
}

/* One line of letters 500 pixels high. */
static void a_banner_is_read(void **state) {
    fixture *f = *state;
    vl_image *page_image = load("band.png"), *line = NULL;
    assert_int_equal(vl_image_new(900, 40, 1, &line, NULL), VL_OK);
    for (uint32_t y = 0; y < 40; y++)
        memcpy(line->pixels + y * line->stride,
               page_image->pixels + (140 + y) * page_image->stride + 30, 900);
    vl_image *banner = vl_image_resize(line, 20000, 889);
    vl_page *page = read_image(f, banner);
    assert_true(
        cer_of(f, page, "Clean water is given out every morning from seven until eleven") <=
        0.04);
    assert_int_equal(page->width, 20000);
    vl_image_free(page_image);
    vl_image_free(line);
    vl_image_free(banner);
}

/* ---- tables drawn with rules ---------------------------------------------------------------
 */

static void cells_are_read_within_their_rules(void **state) {
    static const char *const expected[4][3] = {
        {"District", "Damage seen by the team", "Next visit"},
        {"North Bank", "Two bridges are closed and the clinic has no roof", "Monday 4 May"},
        {"Old Harbour", "Water stands in forty houses", "Tuesday 5 May, by boat"},
        {"Hill Side", "Road open again, power lines down near the school", "Friday 8 May"}};
    fixture *f = *state;
    for (int turned = 0; turned < 180; turned += 90) {
        vl_image *stored = load("ruled.png");
        vl_image *image = vl_image_rotate(stored, turned);
        vl_page *page = read_image(f, image);
        const vl_block *table = NULL;
        for (size_t i = 0; i < page->block_count; i++)
            if (page->blocks[i].kind == VL_BLOCK_TABLE) {
                assert_null(table);
                table = &page->blocks[i];
            }
        assert_non_null(table);
        assert_int_equal(table->row_count, 4);
        assert_int_equal(table->column_count, 3);
        assert_int_equal(table->line_count, 4);
        assert_int_equal(table->cell_count, 12);
        for (size_t c = 0; c < table->cell_count; c++) {
            const vl_cell *cell = &table->cells[c];
            assert_int_equal(cell->row, c / 3);
            assert_int_equal(cell->column, c % 3);
            assert_string_equal(cell->text, expected[c / 3][c % 3]);
        }
        const char *text = vl_page_text(f->arena, page);
        assert_ptr_equal(strstr(text, "Situation of the week"), text);
        assert_non_null(strstr(text, "Reported by the district committee."));
        vl_image_free(stored);
        vl_image_free(image);
        vl_arena_reset(f->arena);
    }
}

/* The page's only table. */
static const vl_block *only_table(const vl_page *page) {
    const vl_block *table = NULL;
    for (size_t i = 0; i < page->block_count; i++)
        if (page->blocks[i].kind == VL_BLOCK_TABLE) {
            assert_null(table);
            table = &page->blocks[i];
        }
    assert_non_null(table);
    return table;
}

static void cells_may_cover_several_rows_and_columns(void **state) {
    static const struct {
        size_t row, column, row_span, column_span;
        const char *text;
    } expected[] = {{0, 0, 2, 1, "District"},
                    {0, 1, 1, 2, "Houses damaged in May"},
                    {0, 3, 2, 1, "People"},
                    {1, 1, 1, 1, "In part"},
                    {1, 2, 1, 1, "Wholly"},
                    {2, 0, 2, 1, "North Bank"},
                    {2, 1, 1, 1, "214"},
                    {2, 2, 1, 1, "37"},
                    {2, 3, 1, 1, "1,120"},
                    {3, 1, 1, 1, "86"},
                    {3, 2, 1, 1, "12"},
                    {3, 3, 1, 1, "455"},
                    {4, 0, 1, 1, "Hill Side"},
                    {4, 1, 1, 1, "9"},
                    {4, 2, 1, 1, "2"},
                    {4, 3, 1, 1, "61"},
                    {5, 0, 1, 4, "Counted by two teams, from house to house"}};
    fixture *f = *state;
    vl_image *image = load("spanned.png");
    const vl_block *table = only_table(read_image(f, image));
    assert_int_equal(table->row_count, 6);
    assert_int_equal(table->column_count, 4);
    assert_int_equal(table->cell_count, sizeof expected / sizeof *expected);
    for (size_t c = 0; c < table->cell_count; c++) {
        const vl_cell *cell = &table->cells[c];
        assert_int_equal(cell->row, expected[c].row);
        assert_int_equal(cell->column, expected[c].column);
        assert_int_equal(cell->row_span, expected[c].row_span);
        assert_int_equal(cell->column_span, expected[c].column_span);
        assert_string_equal(cell->text, expected[c].text);
    }
    vl_image_free(image);
}

/* Names that run over two lines are one cell, though nothing is drawn between columns. */
static void cells_without_rules_may_wrap(void **state) {
    static const char *const expected[6][4] = {
        {"District", "In part", "Wholly", "People"},
        {"North Bank and the islands", "214", "37", "1,120"},
        {"Old Harbour", "58", "9", "301"},
        {"Hill Side", "9", "2", "61"},
        {"Camps along the new road", "340", "112", "2,044"},
        {"Total", "621", "160", "3,526"}};
    fixture *f = *state;
    vl_image *image = load("open.png");
    const vl_block *table = only_table(read_image(f, image));
    assert_int_equal(table->row_count, 6);
    assert_int_equal(table->column_count, 4);
    assert_int_equal(table->line_count, 6);
    assert_int_equal(table->cell_count, 24);
    for (size_t c = 0; c < table->cell_count; c++) {
        assert_int_equal(table->cells[c].row, c / 4);
        assert_int_equal(table->cells[c].column, c % 4);
        assert_string_equal(table->cells[c].text, expected[c / 4][c % 4]);
    }
    vl_image_free(image);
}

/* ---- figures ------------------------------------------------------------------------------
 */

static void figures_are_kept_with_their_captions(void **state) {
    static const struct {
        const char *caption, *file;
        vl_box drawn;
    } cases[] = {
        {"Figure 3: Water tanks behind the old market, May 2026",
         "odd-1-1.png",
         {160, 390, 680, 300}},
        {"The river seen from the bridge", "odd-1-2.png", {260, 1140, 480, 280}},
    };
    fixture *f = *state;
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image = load("figures.jpg");
    vl_page *page = read_image(f, image);
    vl_ocr_writer *writer = NULL;
    assert_int_equal(vl_ocr_figures_writer_new(TEST_BINARY_DIR "/odd", &writer, NULL), VL_OK);
    assert_int_equal(vl_ocr_writer_page(writer, page, image, NULL), VL_OK);
    assert_int_equal(vl_ocr_writer_finish(writer, NULL), VL_OK);
    vl_ocr_writer_free(writer);
    size_t n = 0;
    for (size_t i = 0; i < page->block_count; i++) {
        const vl_block *block = &page->blocks[i];
        char path[1024];
        vl_buf bytes;
        vl_image *cut = NULL;
        if (block->kind != VL_BLOCK_FIGURE) {
            assert_null(strstr(vl_block_text(f->arena, block), "river seen"));
            continue;
        }
        assert_true(n < 2);
        assert_string_equal(vl_block_text(f->arena, block), cases[n].caption);
        vl_box b = block->box, d = cases[n].drawn;
        assert_true(b.x > d.x - 12 && b.x + b.width < d.x + d.width + 12);
        assert_true(b.y > d.y - 12 && b.y + b.height < d.y + d.height + 12);
        assert_true(b.width * b.height > d.width * d.height * 7 / 10);
        snprintf(path, sizeof path, TEST_BINARY_DIR "/%s", cases[n].file);
        vl_buf_init(&bytes, 8 << 20);
        assert_int_equal(vl_file_read(path, 8 << 20, &bytes, NULL), VL_OK);
        assert_int_equal(vl_document_first(bytes.data, bytes.len, &limits, &cut, NULL), VL_OK);
        assert_int_equal(cut->width, b.width);
        assert_int_equal(cut->height, b.height);
        vl_image_free(cut);
        vl_buf_deinit(&bytes);
        n++;
    }
    assert_int_equal(n, 2);
    vl_image_free(image);
}

static bool covers(vl_box box, vl_box drawn) {
    double x = fmin(box.x + box.width, drawn.x + drawn.width) - fmax(box.x, drawn.x);
    double y = fmin(box.y + box.height, drawn.y + drawn.height) - fmax(box.y, drawn.y);
    double both = x > 0 && y > 0 ? x * y : 0;
    return both >=
           0.7 * ((double)box.width * box.height + (double)drawn.width * drawn.height - both);
}

/* Its title above and its source below are its caption; what stands at its axes is no text of
 * the page's, but found by who looks for it. */
static void a_chart_is_a_figure(void **state) {
    fixture *f = *state;
    vl_image *image = load("chart.png");
    vl_page *page = read_image(f, image);
    size_t figures = 0;
    for (size_t i = 0; i < page->block_count; i++) {
        const vl_block *block = &page->blocks[i];
        const char *text = vl_block_text(f->arena, block);
        assert_int_not_equal(block->kind, VL_BLOCK_TABLE);
        if (block->kind == VL_BLOCK_FIGURE) {
            figures++;
            assert_true(covers(block->box, (vl_box){120, 425, 740, 390}));
            assert_string_equal(text, "People who fetch water on foot, by district\n"
                                      "Source: district survey, May 2026");
        }
    }
    assert_int_equal(figures, 1);
    assert_non_null(strstr(vl_page_text(f->arena, page), "Old Harbour"));
    vl_image_free(image);
}

/* A letterhead, contents and a list stand in columns, too. */
static void columns_are_not_all_tables(void **state) {
    static const vl_box drawn[] = {{66, 116, 128, 128}, {760, 1080, 145, 145}};
    fixture *f = *state;
    vl_image *image = load("letterhead.png");
    vl_page *page = read_image(f, image);
    size_t figures = 0;
    for (size_t i = 0; i < page->block_count; i++) {
        assert_int_not_equal(page->blocks[i].kind, VL_BLOCK_TABLE);
        if (page->blocks[i].kind == VL_BLOCK_FIGURE) {
            assert_true(figures < 2);
            assert_true(covers(page->blocks[i].box, drawn[figures++]));
        }
    }
    assert_int_equal(figures, 2);
    const char *text = vl_page_text(f->arena, page);
    assert_non_null(strstr(text, "Relief Committee"));
    assert_non_null(strstr(text, "Boats for the old harbour;"));
    vl_image_free(image);
}

static void formats_show_captions(void **state) {
    static const struct {
        vl_ocr_format format;
        const char *says;
    } cases[] = {
        {VL_OCR_MARKDOWN, "![Figure 1: A well](<out/x-1-1.png>)"},
        {VL_OCR_JSON, "\"file\":\"out/x-1-1.png\""},
        {VL_OCR_HOCR, "<p class=\"ocr_caption\" id=\"par_1_1\" title=\"bbox 12 80 100 90\">"},
        {VL_OCR_ALTO, "<TextBlock ID=\"p1_b1_caption\""},
    };
    (void)state;
    vl_word words[] = {{.text = "Figure", .box = {12, 80, 20, 10}},
                       {.text = "1:", .box = {34, 80, 8, 10}},
                       {.text = "A", .box = {44, 80, 10, 10}},
                       {.text = "well", .box = {60, 80, 40, 10}}};
    vl_line line = {.box = {12, 80, 88, 10}, .words = words, .word_count = 4};
    vl_block block = {
        .kind = VL_BLOCK_FIGURE, .box = {10, 10, 100, 60}, .lines = &line, .line_count = 1};
    vl_page page = {
        .width = 120, .height = 100, .script = "Latn", .blocks = &block, .block_count = 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vl_buf out;
        vl_ocr_writer *writer = NULL;
        vl_buf_init(&out, 1 << 20);
        assert_int_equal(
            vl_ocr_writer_new(cases[i].format, "x.png", vl_sink_buf, &out, &writer, NULL),
            VL_OK);
        vl_ocr_writer_link_figures(writer, "out/x");
        assert_int_equal(vl_ocr_writer_page(writer, &page, NULL, NULL), VL_OK);
        assert_int_equal(vl_ocr_writer_finish(writer, NULL), VL_OK);
        assert_non_null(strstr(out.data, cases[i].says));
        vl_ocr_writer_free(writer);
        vl_buf_deinit(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_without_a_pack_are_named),
        cmocka_unit_test(formats_say_what_was_not_read),
        cmocka_unit_test(odd_pages_are_read),
        cmocka_unit_test(fax_pixels_are_square),
        cmocka_unit_test(empty_sheets_are_given_up),
        cmocka_unit_test(a_strip_is_read_at_both_ends),
        cmocka_unit_test(a_banner_is_read),
        cmocka_unit_test(cells_are_read_within_their_rules),
        cmocka_unit_test(cells_may_cover_several_rows_and_columns),
        cmocka_unit_test(cells_without_rules_may_wrap),
        cmocka_unit_test(figures_are_kept_with_their_captions),
        cmocka_unit_test(a_chart_is_a_figure),
        cmocka_unit_test(columns_are_not_all_tables),
        cmocka_unit_test(formats_show_captions),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
