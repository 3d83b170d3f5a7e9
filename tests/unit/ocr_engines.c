/* Engines: what Ocrad and GOCR print becomes a reading; each reads a sample; Tesseract says
 * its characters; names, order, time limits and counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ocr/panel.h"
#include "ocr/picture.h"
#include "ocr/program.h"

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new((size_t)256 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- what programs print --------------------------------------------------------------- */

/* Words apart by spaces, lines by '/', paragraphs by "//", blocks by '#'. */
static const char *shown(const vl_engine_reading *reading) {
    vl_buf out;
    vl_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < reading->line_count; i++) {
        const vl_engine_line *line = &reading->lines[i], *before = line - 1;
        if (i)
            vl_buf_puts(&out, line->block != before->block           ? "#"
                              : line->paragraph != before->paragraph ? "//"
                                                                     : "/");
        for (size_t j = 0; j < line->word_count; j++)
            vl_buf_printf(&out, "%s%s", j ? " " : "", line->words[j].text);
    }
    const char *text = vl_arena_strdup(arena, out.data ? out.data : "");
    vl_buf_deinit(&out);
    return text;
}

typedef vl_status (*parser)(const char *, size_t, vl_arena *, bool, vl_engine_reading *,
                            vl_error *);

static vl_engine_reading parsed(parser parse, const char *text) {
    vl_engine_reading reading;
    vl_error error;
    if (parse(text, strlen(text), arena, true, &reading, &error))
        fail_msg("%s", error.message);
    return reading;
}

#define ORF "# Ocr Results File. Created by GNU Ocrad version 0.28\n"

static void test_orf(void **state) {
    static const char *const rows[][2] = {
        {ORF, ""},
        {ORF "line 1 chars 2 height 9\n 1 2 3 4; 1, 'A'0\n 5 2 3 4; 2, 'b'1, 'h'0\n", "Ab"},
        {ORF "line 1 chars 3 height 9\n 1 2 3 4; 1, 'A'0\n 5 2 3 4; 1, ' '0\n 9 2 3 4; 1, "
             "'b'0\n",
         "A b"},
        {ORF "line 1 chars 1 height 9\n 1 2 3 4; 1, '''0\n", "'"},
        {ORF "line 1 chars 1 height 9\n 1 2 3 4; 1, 'é'0\n", "é"},
        {ORF "line 1 chars 2 height 9\n 1 2 3 4; 0\n 4 2 3 4; 1, 'x'0\n", "_x"},
        {ORF "text block 1 0 0 9 9\nline 1 chars 1 height 9\n 1 2 3 4; 1, 'a'0\nline 2 chars 0 "
             "height 0\nline 3 chars 1 height 9\n 1 2 3 4; 1, 'b'0\nline 4 chars 1 height 9\n "
             "1 2 3 4; 1, 'c'0\ntext block 2 0 0 9 9\nline 1 chars 1 height 1\n1 1 1 1; 1, "
             "'d'0",
         "a//b/c#d"},
        {ORF "line 1 chars 1 height 9\n 1 2 3 4; 2, ' '1, '\t'0\n", ""},
        {ORF " 1 2 3 4; 1, 'x'0\nline\nline x\n1 2 3\n; ;\n", ""}, /* no line was begun */
        {ORF "line 1 chars 1 height 9\n 1 2 3 4; 1, 'a\n 1 2 3 4; 9, 'b'0\n", "_b"},
        {ORF "line 1 chars 1 height 9\n 1 2 3 4; 1, '\xFF'0\n", "\xEF\xBF\xBD"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_engine_reading reading = parsed(vl_ocrad_parse, rows[i][0]);
        assert_string_equal(shown(&reading), rows[i][1]);
    }
    vl_engine_reading none;
    assert_int_equal(vl_ocrad_parse("", 0, arena, true, &none, NULL), VL_ERR_INPUT);
    assert_int_equal(vl_ocrad_parse("line", 4, arena, true, &none, NULL), VL_ERR_INPUT);
}

static void test_orf_characters(void **state) {
    (void)state;
    vl_engine_reading reading =
        parsed(vl_ocrad_parse, ORF "line 1 chars 3 height 9\n 10 20 5 9; 2, 'l'1, '|'0\n"
                                   " 16 18 7 11; 1, 'o'0\n 30 20 4 9; 0\n");
    const vl_engine_line *line = &reading.lines[0];
    assert_int_equal(line->symbol_count, 3);
    assert_string_equal(line->symbols[0].text, "l");
    assert_int_equal(line->symbols[0].choice_count, 2);
    assert_string_equal(line->symbols[0].choices[1].text, "|");
    assert_true(line->symbols[0].confidence == 0.5);
    assert_true(line->symbols[1].confidence == 1);
    assert_true(line->symbols[2].confidence == 0);
    assert_true(line->words[0].confidence == 0.5);
    assert_int_equal(line->box.x, 10);
    assert_int_equal(line->box.y, 18);
    assert_int_equal(line->box.width, 24);
    assert_int_equal(line->box.height, 11);
    assert_int_equal(reading.characters, 3);
}

#define BOX(value, rest) "<box x=\"1\" y=\"2\" dx=\"3\" dy=\"4\" value=\"" value "\" " rest "/>"

static void test_gocr_xml(void **state) {
    static const char *const rows[][2] = {
        {"<page x=\"0\">\n<block>\n</block></page>", ""},
        {"<page><line value=\"1\"><space x=\"0\"/>" BOX("A", "")
             BOX("b", "") "<space />" BOX("c", "") "</line></page>",
         "Ab c"},
        {"<page><line x=\"0\">" BOX("&lt;", "") BOX("&#x20ac;", "") BOX("&#65;", "")
             BOX("&amp;", "") BOX("&quot;", "") "</line></page>",
         "<€A&\""},
        {"<page><line x=\"0\">" BOX("&nope;", "") BOX("&#xD800;", "") BOX("&#x110000;", ""),
         "&nope;&#xD800;&#x110000;"},
        {"<page><line x=\"0\">" BOX("_", "numac=\"1\" weights=\"92\" achars=\"I\"")
             BOX("_", "") "</line>",
         "I_"},
        {"<page><line x=\"0\">" BOX("(PICTURE)", "") "</line>", ""},
        {"<page><block ><line x=\"0\">" BOX(
             "a", "") "</line></block><block ><line "
                      "x=\"1\">" BOX("b", "") "</line><line "
                                              "x=\"1\">" BOX("c", "") "</line>",
         "a#b/c"},
        {"<page>" BOX("a", "") "<line <line <<>>", ""},
        {"<page><line x=\"0\">" BOX("fi", "") "<box x=\"1\" value=\"open", "fi"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_engine_reading reading = parsed(vl_gocr_parse, rows[i][0]);
        assert_string_equal(shown(&reading), rows[i][1]);
    }
    vl_engine_reading none;
    assert_int_equal(vl_gocr_parse("", 0, arena, true, &none, NULL), VL_ERR_INPUT);
}

static void test_gocr_characters(void **state) {
    (void)state;
    vl_engine_reading reading =
        parsed(vl_gocr_parse,
               "<page><line x=\"0\">" BOX(",", "numac=\"2\" weights=\"99,86\" achars=\",,l\"")
                   BOX("x", "numac=\"1\" weights=\"700\" achars=\"x\"") "</line>");
    const vl_engine_line *line = &reading.lines[0];
    assert_int_equal(line->symbol_count, 2);
    assert_int_equal(line->symbols[0].choice_count, 2);
    assert_string_equal(line->symbols[0].choices[0].text, ",");
    assert_string_equal(line->symbols[0].choices[1].text, "l");
    assert_true(line->symbols[0].choices[1].confidence == 0.86);
    assert_true(line->symbols[0].confidence == 0.99);
    assert_true(line->symbols[1].confidence == 1);
    vl_engine_reading plain;
    const char *text = "<page><line x=\"0\">" BOX("x", "") "</line>";
    assert_int_equal(vl_gocr_parse(text, strlen(text), arena, false, &plain, NULL), VL_OK);
    assert_int_equal(plain.lines[0].symbol_count, 0);
}

/* ---- samples ------------------------------------------------------------------------------
 */

static vl_image *sample(const char *name) {
    char path[512];
    vl_buf bytes;
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    vl_buf_init(&bytes, 64 << 20);
    snprintf(path, sizeof path, "%s/samples/%s", TEST_SOURCE_DIR, name);
    assert_int_equal(vl_file_read(path, 64 << 20, &bytes, NULL), VL_OK);
    assert_int_equal(vl_document_open(bytes.data, bytes.len, &limits, &document, NULL), VL_OK);
    assert_int_equal(vl_document_page(document, 0, &image, NULL), VL_OK);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    return image;
}

static double cer_of(const vl_page *page, const char *stem) {
    char path[512];
    vl_buf truth;
    vl_edit_count edits;
    vl_buf_init(&truth, 1 << 20);
    snprintf(path, sizeof path, "%s/samples/%s.gt.txt", TEST_SOURCE_DIR, stem);
    assert_int_equal(vl_file_read(path, 1 << 20, &truth, NULL), VL_OK);
    assert_int_equal(vl_text_cer(vl_page_text(arena, page), truth.data, &edits, NULL), VL_OK);
    vl_buf_deinit(&truth);
    return (double)edits.edits / (double)edits.length;
}

static vl_ocr *reader(const char *engines, double engine_seconds) {
    vl_ocr_options options = vl_ocr_options_default();
    vl_ocr *ocr = NULL;
    vl_error error;
    options.engines = engines;
    options.max_engine_seconds = engine_seconds;
    if (vl_ocr_new(&options, &ocr, &error))
        fail_msg("%s", error.message);
    return ocr;
}

static void test_programs_read(void **state) {
    static const struct {
        const char *engine;
        double cer;
    } rows[] = {{"ocrad", 0.12}, {"gocr", 0.3}};
    (void)state;
    vl_image *image = sample("notice-eng.jpg");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_ocr *ocr = reader(rows[i].engine, 60);
        vl_page *page = NULL;
        vl_error error;
        if (vl_ocr_read(ocr, image, "eng", arena, &page, NULL, &error))
            fail_msg("%s", error.message);
        assert_memory_equal(page->engine, rows[i].engine, strlen(rows[i].engine));
        double cer = cer_of(page, "notice-eng");
        printf("%s: %.3f\n", page->engine, cer);
        assert_true(cer > 0 && cer < rows[i].cer);
        assert_int_equal(vl_ocr_read(ocr, image, "ara", arena, &page, NULL, &error),
                         VL_ERR_UNSUPPORTED);
        assert_int_equal(vl_ocr_read(ocr, image, "eng+ara", arena, &page, NULL, &error),
                         VL_ERR_UNSUPPORTED);
        vl_ocr_free(ocr);
    }
    vl_image_free(image);
}

/* ---- Tesseract's characters ----------------------------------------------------------------
 */

/* Symbols of each word, put together, are the word. Returns how many symbols have choices. */
static size_t check_symbols(const vl_engine_line *line) {
    size_t with_choices = 0;
    for (size_t w = 0; w < line->word_count; w++) {
        vl_buf joined;
        vl_buf_init(&joined, 4096);
        for (size_t i = 0; i < line->symbol_count; i++)
            if (line->symbols[i].word == w)
                vl_buf_puts(&joined, line->symbols[i].text);
        assert_string_equal(vl_text_nfc(arena, joined.data ? joined.data : ""),
                            line->words[w].text);
        vl_buf_deinit(&joined);
    }
    for (size_t i = 0; i < line->symbol_count; i++) {
        const vl_engine_symbol *s = &line->symbols[i];
        assert_true(s->confidence >= 0 && s->confidence <= 1);
        assert_true(s->box.width > 0 && s->box.height > 0);
        for (size_t c = 1; c < s->choice_count; c++)
            assert_true(s->choices[c].confidence <= s->choices[c - 1].confidence);
        with_choices += s->choice_count > 1;
    }
    return with_choices;
}

static void test_tesseract_symbols(void **state) {
    static const struct {
        const char *file, *pack;
    } rows[] = {
        {"notice-fra.jpg", "fra"}, {"notice-ara.jpg", "ara"}, {"notice-mya.jpg", "mya"}};
    (void)state;
    void *tesseract = NULL;
    assert_int_equal(
        vl_engine_tesseract.open("/usr/share/tesseract-ocr/5/tessdata", &tesseract, NULL),
        VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_image *image = sample(rows[i].file);
        vl_ocr_picture picture;
        vl_error error;
        assert_int_equal(vl_ocr_picture_init(&picture, image, 0, true, 0, arena, NULL), VL_OK);
        vl_engine_request request = {.picture = picture.work,
                                     .dpi = picture.work_dpi,
                                     .packs = rows[i].pack,
                                     .mode = VL_ENGINE_PAGE,
                                     .dark_on_light = true,
                                     .arena = arena};
        vl_engine_reading plain, full;
        if (vl_engine_tesseract.read(tesseract, &request, &plain, &error))
            fail_msg("%s", error.message);
        request.symbols = true;
        if (vl_engine_tesseract.read(tesseract, &request, &full, &error))
            fail_msg("%s", error.message);
        assert_true(plain.line_count > 3);
        assert_int_equal(plain.line_count, full.line_count);
        size_t with_choices = 0;
        for (size_t l = 0; l < full.line_count; l++) {
            assert_int_equal(plain.lines[l].symbol_count, 0);
            with_choices += check_symbols(&full.lines[l]);
        }
        assert_true(with_choices > 10);
        vl_ocr_picture_deinit(&picture);
        vl_image_free(image);
    }
    vl_engine_tesseract.close(tesseract);
}

/* ---- the panel ------------------------------------------------------------------------------
 */

static void test_names(void **state) {
    static const struct {
        const char *list, *says;
    } bad[] = {
        {"tesseratc", "did you mean 'tesseract'?"},
        {"tesseract,ocrd", "did you mean 'ocrad'?"},
        {"abbyy",
         "tesseract-binarised, tesseract-enlarged, tesseract-script, reader, ocrad, gocr"},
        {"gocr,tesseract,gocr", "named twice"},
        {",", "no engine is named"},
    };
    (void)state;
    vl_ocr_engines *engines = NULL;
    vl_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(vl_ocr_engines_new(bad[i].list, &engines, &error), VL_ERR_USAGE);
        assert_non_null(strstr(error.message, bad[i].says));
    }
    vl_ocr_engine_health health[VL_OCR_ENGINES_MAX];
    assert_int_equal(vl_ocr_engines_new("gocr, tesseract", &engines, NULL), VL_OK);
    assert_int_equal(vl_ocr_engines_health(engines, health, VL_OCR_ENGINES_MAX), 2);
    assert_string_equal(health[0].name, "gocr");
    assert_string_equal(health[1].name, "tesseract");
    assert_true(health[0].available && !health[0].calls);
    assert_true(strlen(health[0].version) > 2);
    vl_ocr_engines_free(engines);
}

/* GOCR gets no time, so Tesseract reads alone; both are counted. */
static void test_what_fails_is_left_out_and_counted(void **state) {
    (void)state;
    vl_ocr_engines *engines = NULL;
    vl_ocr_engine_health health[2];
    assert_int_equal(vl_ocr_engines_new("gocr,tesseract", &engines, NULL), VL_OK);
    vl_ocr_options options = vl_ocr_options_default();
    options.shared = engines;
    options.max_engine_seconds = 1e-6;
    options.threshold = 1; /* never sure enough */
    vl_ocr *ocr = NULL;
    assert_int_equal(vl_ocr_new(&options, &ocr, NULL), VL_OK);
    vl_image *image = sample("notice-eng.jpg");
    vl_page *page = NULL;
    assert_int_equal(vl_ocr_read(ocr, image, "eng", arena, &page, NULL, NULL), VL_OK);
    assert_memory_equal(page->engine, "tesseract", 9);
    assert_null(strstr(page->engine, "gocr"));
    assert_true(cer_of(page, "notice-eng") < 0.05);
    assert_int_equal(vl_ocr_engines_health(engines, health, 2), 2);
    assert_int_equal(health[0].calls, 1);
    assert_int_equal(health[0].failures, 1);
    assert_int_equal(health[0].timeouts, 1);
    assert_non_null(strstr(health[0].last_error, "gocr"));
    assert_true(health[0].mean_ms == 0);
    assert_int_equal(health[1].calls, 1);
    assert_int_equal(health[1].failures, 0);
    assert_true(health[1].mean_ms > 0);
    vl_ocr_free(ocr);
    vl_ocr_engines_free(engines);
    vl_image_free(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orf),
        cmocka_unit_test(test_orf_characters),
        cmocka_unit_test(test_gocr_xml),
        cmocka_unit_test(test_gocr_characters),
        cmocka_unit_test(test_programs_read),
        cmocka_unit_test(test_tesseract_symbols),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_fails_is_left_out_and_counted),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
