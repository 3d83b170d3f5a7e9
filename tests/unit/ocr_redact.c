/* Tests of taking personal data out of pages: words, cells, votes, every format, and the
 * picture, which is read again. */
#include "ocr/redact.h"
#include "ocr_samples.h"

#include <stdlib.h>
#include <string.h>
#include <vislang/ocr.h>

static vl_arena *arena;

static int set_up(void **state) {
    (void)state;
    arena = vl_arena_new((size_t)256 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* A page of lines of words by spaces, each word 10 pixels a byte wide and 20 high. */
static vl_page *make_page(const char *const *texts, size_t count) {
    vl_page *page = vl_arena_alloc(arena, sizeof *page);
    vl_block *block = vl_arena_alloc(arena, sizeof *block);
    page->width = 1000;
    page->height = 1000;
    page->blocks = block;
    page->block_count = 1;
    block->lines = vl_arena_array(arena, count, sizeof *block->lines);
    block->line_count = count;
    for (size_t l = 0; l < count; l++) {
        vl_line *line = &block->lines[l];
        line->words = vl_arena_array(arena, 64, sizeof *line->words);
        char *copy = vl_arena_strdup(arena, texts[l]), *at = NULL;
        for (char *word = strtok_r(copy, " ", &at); word; word = strtok_r(NULL, " ", &at))
            line->words[line->word_count++] =
                (vl_word){.text = word,
                          .box = {(int32_t)(word - copy) * 10, (int32_t)l * 40,
                                  (int32_t)strlen(word) * 10, 20},
                          .vote = vl_arena_alloc(arena, sizeof(vl_word_vote))};
    }
    return page;
}

static void test_words(void **state) {
    static const struct {
        const char *lines[3], *expected;
        size_t finds;
    } rows[] = {
        {{"nothing to see"}, "nothing to see", 0},
        {{"call +254 712 345 678, now"}, "call [phone], now", 1},
        {{"Tel:0712345678/0733123456."}, "Tel:[phone]/[phone].", 2},
        {{"(amina@example.org)"}, "([email])", 1},
        {{"ask Mr", "John Smith, today"}, "ask Mr\n[name], today", 1},
        {{"Name: Amina", "Yusuf is"}, "Name: [name]\nYusuf is", 1},
        {{"Mrs Amina Yusuf and", "Dr Omar"}, "Mrs [name] and\nDr [name]", 2},
        {{"a@b.co,c@d.co x@y.zz"}, "[email],[email] [email]", 3},
        {{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
          "L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
         "[passport]\n[passport]",
         2},
        {{"الاسم: فاطمة علي"}, "الاسم: [name]", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = 0;
        while (count < 3 && rows[i].lines[count])
            count++;
        vl_page *page = make_page(rows[i].lines, count);
        vl_error error;
        assert_int_equal(vl_page_redact(page, NULL, arena, &error), VL_OK);
        assert_string_equal(vl_page_text(arena, page), rows[i].expected);
        assert_int_equal(page->redactions, rows[i].finds);
        assert_true(page->redacted);
        for (size_t w = 0; w < page->blocks[0].lines[0].word_count && rows[i].finds == 1; w++)
            if (strchr(vl_line_text(arena, &page->blocks[0].lines[0]), '['))
                assert_null(page->blocks[0].lines[0].words[w].vote);
    }
}

/* The union of what a find covered, and the pixels under it. */
static void test_boxes(void **state) {
    static const char *const lines[] = {"call +254 712 345 678, now"};
    (void)state;
    vl_page *page = make_page(lines, 1);
    vl_image *image;
    vl_error error;
    assert_int_equal(vl_image_new(400, 60, 3, &image, &error), VL_OK);
    memset(image->pixels, 255, image->stride * 60);
    assert_int_equal(vl_page_redact(page, image, arena, &error), VL_OK);
    const vl_word *word = &page->blocks[0].lines[0].words[1];
    assert_int_equal(page->blocks[0].lines[0].word_count, 3);
    assert_string_equal(word->text, "[phone],");
    assert_int_equal(word->box.x, 50);
    assert_int_equal(word->box.width, 170);
    for (uint32_t y = 0; y < 20; y++)
        for (uint32_t x = 0; x < 3 * 400; x++) {
            bool inside = x / 3 >= 50 && x / 3 < 220, outside = x / 3 < 43 || x / 3 >= 227;
            uint8_t pixel = image->pixels[y * image->stride + x];
            assert_true((!inside || pixel == 0) && (!outside || pixel == 255));
        }
    assert_int_equal(image->pixels[40 * image->stride + 300], 255);
    vl_image_free(image);
}

/* A number over two lines of a cell, and a column whose head says what it is. */
static void test_tables(void **state) {
    static const char *const lines[] = {"Name Contact", "Awa +254712", "Juma 345678",
                                        "Omar none"};
    (void)state;
    vl_page *page = make_page(lines, 4);
    vl_block *block = &page->blocks[0];
    vl_cell cells[] = {{0, 0, {0, 0, 48, 30}, "Name", 1, 1},
                       {0, 1, {48, 0, 200, 30}, "Contact", 1, 1},
                       {1, 0, {0, 30, 48, 70}, "Awa Juma", 1, 1},
                       {1, 1, {38, 30, 200, 70}, "+254712 345678", 1, 1},
                       {2, 0, {0, 110, 48, 60}, "Omar", 1, 1},
                       {2, 1, {48, 110, 200, 60}, "none", 1, 1}};
    vl_error error;
    block->kind = VL_BLOCK_TABLE;
    block->cells = cells;
    block->cell_count = 6;
    assert_int_equal(vl_page_redact(page, NULL, arena, &error), VL_OK);
    assert_string_equal(vl_page_text(arena, page),
                        "Name Contact\n[name] [phone]\n[name] [phone]\n[name] none");
    assert_string_equal(cells[1].text, "Contact");
    assert_null(strstr(cells[3].text, "254"));
    assert_string_equal(cells[4].text, "[name]");
    assert_string_equal(cells[5].text, "none");
}

/* ---- a form that is read ------------------------------------------------------------------
 */

static const char *const secrets[] = {"Achol Deng", "722", "555 036", "Grace", "Wanjiru"};

static bool leaks(const char *text) {
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strstr(text, secrets[i])) {
            print_error("still there: %s\n", secrets[i]);
            return true;
        }
    return false;
}

static void test_form_in_every_format(void **state) {
    (void)state;
    vl_ocr *ocr;
    vl_ocr_options options = vl_ocr_options_default();
    vl_error error;
    vl_buf bytes, outs[VL_OCR_FORMAT_COUNT];
    vl_ocr_writer *writers[VL_OCR_FORMAT_COUNT];
    vl_document *document;
    vl_media_limits limits = vl_media_limits_default();
    vl_ocr_summary summary;
    options.languages = "eng";
    options.max_seconds = 240;
    options.explain = true;
    options.redact = true;
    if (vl_ocr_new(&options, &ocr, &error))
        fail_msg("%s", error.message);
    sample_bytes("form-eng.jpg", &bytes);
    assert_int_equal(vl_document_open(bytes.data, bytes.len, &limits, &document, &error),
                     VL_OK);
    for (int f = 0; f < VL_OCR_FORMAT_COUNT; f++) {
        vl_buf_init(&outs[f], 64 << 20);
        assert_int_equal(vl_ocr_writer_new((vl_ocr_format)f, "form", vl_sink_buf, &outs[f],
                                           &writers[f], &error),
                         VL_OK);
    }
    if (vl_ocr_document(ocr, document, NULL, writers, VL_OCR_FORMAT_COUNT, &summary, &error))
        fail_msg("%s", error.message);
    for (int f = 0; f < VL_OCR_FORMAT_COUNT; f++) {
        assert_int_equal(vl_ocr_writer_finish(writers[f], &error), VL_OK);
        vl_ocr_writer_free(writers[f]);
        if (f == VL_OCR_PDF || f == VL_OCR_PNG)
            continue;
        assert_false(leaks(outs[f].data));
        assert_non_null(strstr(outs[f].data, "[phone]") ?: strstr(outs[f].data, "\\[phone"));
    }
    assert_non_null(strstr(outs[VL_OCR_JSON].data, "\"redacted\":"));
    vl_document_free(document);
    vl_ocr_free(ocr);
    /* What the picture and the PDF show now, read by an engine that hides nothing. */
    options.redact = options.explain = false;
    assert_int_equal(vl_ocr_new(&options, &ocr, &error), VL_OK);
    for (int f = VL_OCR_PDF; f <= VL_OCR_PNG; f++) {
        vl_image *image;
        vl_page *page;
        assert_int_equal(vl_document_first(outs[f].data, outs[f].len, &limits, &image, &error),
                         VL_OK);
        if (vl_ocr_read(ocr, image, NULL, arena, &page, NULL, &error))
            fail_msg("%s", error.message);
        const char *text = vl_page_text(arena, page);
        assert_false(leaks(text));
        assert_non_null(strstr(text, "REGISTRATION")); /* the rest is still there */
        vl_image_free(image);
    }
    for (int f = 0; f < VL_OCR_FORMAT_COUNT; f++)
        vl_buf_deinit(&outs[f]);
    vl_buf_deinit(&bytes);
    vl_ocr_free(ocr);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_form_in_every_format),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
