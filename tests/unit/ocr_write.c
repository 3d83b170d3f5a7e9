/* ocr_write.c — the writers' contract: names, streaming, a sink that fails at any byte, bad
 * arguments, escaping. What each format looks like is held by tests/golden. */
#include "ocr/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_word words[] = {
    {.text = "Habari", .box = {10, 10, 60, 20}, .confidence = 0.98765},
    {.text = "<leo>", .box = {80, 10, 50, 20}, .confidence = 0.5},
};
static vl_word arabic[] = {
    {.text = "ثمن:", .box = {150, 40, 40, 20}, .confidence = 0.9},
    {.text = "250", .box = {100, 40, 40, 20}, .confidence = 0.9},
};
static vl_line lines[] = {
    {.box = {10, 10, 120, 20},
     .baseline_y0 = 26,
     .baseline_y1 = 26,
     .words = words,
     .word_count = 2},
    {.box = {100, 40, 90, 20},
     .baseline_y0 = 56,
     .baseline_y1 = 56,
     .rtl = true,
     .words = arabic,
     .word_count = 2},
};
static vl_cell cells[] = {{0, 0, {10, 10, 60, 20}, "Habari", 1, 1},
                          {0, 1, {80, 10, 50, 20}, "<leo>", 1, 2}};
static vl_block blocks[] = {
    {.kind = VL_BLOCK_TITLE, .box = {10, 10, 120, 20}, .lines = lines, .line_count = 1},
    {.kind = VL_BLOCK_PARAGRAPH, .box = {10, 10, 180, 50}, .lines = lines, .line_count = 2},
    {.kind = VL_BLOCK_TABLE,
     .box = {10, 10, 120, 20},
     .lines = lines,
     .line_count = 1,
     .cells = cells,
     .cell_count = 2,
     .row_count = 1,
     .column_count = 2},
    {.kind = VL_BLOCK_FIGURE, .box = {10, 70, 50, 20}},
};
static const vl_page page = {.width = 200,
                             .height = 100,
                             .dpi = 72,
                             .script = "Latn",
                             .languages = {{"swh", 0.5}},
                             .language_count = 1,
                             .engine = "test",
                             .confidence = 0.9,
                             .blocks = blocks,
                             .block_count = 4};

static vl_image *picture(void) {
    vl_image *image = NULL;
    assert_int_equal(vl_image_new(page.width, page.height, 1, &image, NULL), VL_OK);
    for (size_t i = 0; i < image->stride * image->height; i++)
        image->pixels[i] = (uint8_t)i;
    return image;
}

/* ---- a sink that takes so many bytes, and then the disk is full ---- */

typedef struct disk {
    size_t room, taken, calls;
} disk;

static vl_status to_disk(void *user, const void *bytes, size_t count, vl_error *error) {
    disk *d = user;
    (void)bytes;
    d->calls++;
    if (count > d->room - d->taken)
        return vl_fail(error, VL_ERR_IO, "no space left on device");
    d->taken += count;
    return VL_OK;
}

static vl_status write_all(vl_ocr_format format, disk *d, const vl_image *image,
                           vl_error *error) {
    vl_error reason = {.status = VL_ERR_INPUT, .message = "broken"};
    vl_ocr_writer *writer;
    vl_status status = vl_ocr_writer_new(format, "a.png", to_disk, d, &writer, error);
    if (!status)
        status = vl_ocr_writer_page(writer, &page, image, error);
    if (!status)
        status = vl_ocr_writer_bad_page(writer, &reason, error);
    if (!status)
        status = vl_ocr_writer_page(writer, &page, image, error);
    if (!status)
        status = vl_ocr_writer_finish(writer, error);
    vl_ocr_writer_free(writer);
    return status;
}

static void test_full_disk(void **state) {
    (void)state;
    vl_image *image = picture();
    for (int f = 0; f <= VL_OCR_PDF; f++) {
        disk whole = {.room = SIZE_MAX};
        assert_int_equal(write_all((vl_ocr_format)f, &whole, image, NULL), VL_OK);
        assert_true(whole.taken > 50);
        for (size_t room = 0; room < whole.taken; room += 1 + whole.taken / 97) {
            disk d = {.room = room};
            vl_error error;
            assert_int_equal(write_all((vl_ocr_format)f, &d, image, &error), VL_ERR_IO);
            assert_int_equal(error.status, VL_ERR_IO);
            assert_non_null(strstr(error.message, "no space left"));
        }
    }
    vl_image_free(image);
}

static void test_page_by_page(void **state) {
    (void)state;
    vl_image *image = picture();
    for (int f = 0; f <= VL_OCR_PDF; f++) { /* a PNG is one page */
        disk d = {.room = SIZE_MAX};
        vl_ocr_writer *writer;
        assert_int_equal(
            vl_ocr_writer_new((vl_ocr_format)f, "a.png", to_disk, &d, &writer, NULL), VL_OK);
        for (int i = 0; i < 3; i++) {
            size_t before = d.taken;
            assert_int_equal(vl_ocr_writer_page(writer, &page, image, NULL), VL_OK);
            assert_true(d.taken > before);        /* the page is out … */
            assert_int_equal(writer->buf.len, 0); /* … and not kept */
        }
        vl_ocr_writer_free(writer); /* not finished: nothing leaks */
    }
    vl_image_free(image);
}

/* ---- arguments ---- */

static void test_formats_by_name(void **state) {
    (void)state;
    static const struct {
        const char *name, *extension;
        vl_ocr_format format;
    } table[] = {
        {"text", ".txt", VL_OCR_TEXT},        {"json", ".json", VL_OCR_JSON},
        {"hocr", ".hocr", VL_OCR_HOCR},       {"alto", ".alto.xml", VL_OCR_ALTO},
        {"markdown", ".md", VL_OCR_MARKDOWN}, {"pdf", ".pdf", VL_OCR_PDF},
        {"png", ".page.png", VL_OCR_PNG},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vl_ocr_format format;
        assert_int_equal(vl_ocr_format_parse(table[i].name, &format, NULL), VL_OK);
        assert_int_equal(format, table[i].format);
        assert_string_equal(vl_ocr_format_name(format), table[i].name);
        assert_string_equal(vl_ocr_format_extension(format), table[i].extension);
    }
    vl_ocr_format format;
    vl_error error;
    assert_int_equal(vl_ocr_format_parse("markdwon", &format, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "perhaps markdown"));
    assert_int_equal(vl_ocr_format_parse("", &format, NULL), VL_ERR_USAGE);
}

static void test_pdf_needs_a_picture(void **state) {
    (void)state;
    disk d = {.room = SIZE_MAX};
    vl_ocr_writer *writer;
    vl_error error;
    assert_int_equal(vl_ocr_writer_new(VL_OCR_PDF, "a", to_disk, &d, &writer, NULL), VL_OK);
    assert_int_equal(vl_ocr_writer_page(writer, &page, NULL, &error), VL_ERR_INTERNAL);
    vl_ocr_writer_free(writer);
}

static void test_source_of_another_encoding(void **state) {
    (void)state;
    for (int f = 0; f < VL_OCR_PDF; f++) {
        vl_buf out;
        vl_buf_init(&out, 1 << 20);
        vl_ocr_writer *writer;
        assert_int_equal(vl_ocr_writer_new((vl_ocr_format)f, "caf\xE9\xFF.png", vl_sink_buf,
                                           &out, &writer, NULL),
                         VL_OK);
        assert_int_equal(vl_ocr_writer_page(writer, &page, NULL, NULL), VL_OK);
        assert_int_equal(vl_ocr_writer_finish(writer, NULL), VL_OK);
        assert_int_equal(vl_utf8_valid_prefix(out.data, out.len), out.len);
        if (f == VL_OCR_JSON || f == VL_OCR_HOCR || f == VL_OCR_ALTO)
            assert_non_null(strstr(out.data, "caf??.png"));
        vl_ocr_writer_free(writer);
        vl_buf_deinit(&out);
    }
}

static void test_sink_of_a_buffer_has_its_maximum(void **state) {
    (void)state;
    vl_buf out;
    vl_buf_init(&out, 64);
    vl_ocr_writer *writer;
    vl_status status = vl_ocr_writer_new(VL_OCR_JSON, "a", vl_sink_buf, &out, &writer, NULL);
    assert_int_equal(status, VL_OK);
    assert_int_equal(vl_ocr_writer_page(writer, &page, NULL, NULL), VL_ERR_MEMORY);
    vl_ocr_writer_free(writer);
    vl_buf_deinit(&out);
}

/* ---- text into markup ---- */

static void test_xml_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } table[] = {
        {"", ""},
        {"a<b>&\"c\"'", "a&lt;b&gt;&amp;&quot;c&quot;'"},
        {"\x01\x02 a\tb\nc\x1F\x0C", " a\tb\nc"},
        {"ሰላም ə\xCC\x81 \xF0\x9F\x98\x80", "ሰላም ə\xCC\x81 \xF0\x9F\x98\x80"},
        {"x\xEF\xBF\xBEy\xEF\xBF\xBFz\xEF\xBF\xBD", "xyz\xEF\xBF\xBD"}, /* U+FFFE, U+FFFF */
        {"a\xC3", "a"},                                                 /* cut */
        {"a\xFF\x80z", "az"},                                           /* no UTF-8 */
        {"a\xED\xA0\x80z", "az"},                                       /* a surrogate */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vl_buf out;
        vl_buf_init(&out, 1 << 16);
        vl_buf_puts(&out, "");
        vl_xml_text(&out, table[i].text);
        assert_string_equal(out.data ? out.data : "", table[i].expected);
        vl_buf_deinit(&out);
    }
}

/* ---- a page as JSON ---- */

static const cJSON *at(const cJSON *o, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);
    assert_non_null(item);
    return item;
}

static void test_page_to_json(void **state) {
    (void)state;
    cJSON *o = vl_page_to_json(&page);
    assert_non_null(o);
    assert_int_equal(at(o, "width")->valueint, 200);
    assert_string_equal(at(o, "script")->valuestring, "Latn");
    const cJSON *language = cJSON_GetArrayItem(at(o, "languages"), 0);
    assert_string_equal(at(language, "code")->valuestring, "swh");
    assert_string_equal(at(language, "name")->valuestring, vl_lang_name("swh"));
    static const char *const kinds[] = {"title", "paragraph", "table", "figure"};
    const cJSON *all = at(o, "blocks");
    assert_int_equal(cJSON_GetArraySize(all), 4);
    for (int i = 0; i < 4; i++) {
        const cJSON *block = cJSON_GetArrayItem(all, i);
        assert_string_equal(at(block, "kind")->valuestring, kinds[i]);
        assert_int_equal(cJSON_GetObjectItem(block, "table") != NULL, i == 2);
        assert_int_equal(cJSON_GetArraySize(at(block, "box")), 4);
    }
    const cJSON *paragraph = cJSON_GetArrayItem(all, 1);
    assert_string_equal(at(paragraph, "text")->valuestring, "Habari <leo>\nثمن: 250");
    const cJSON *line = cJSON_GetArrayItem(at(paragraph, "lines"), 0);
    const cJSON *word = cJSON_GetArrayItem(at(line, "words"), 0);
    char *printed = cJSON_PrintUnformatted(at(word, "confidence"));
    assert_string_equal(printed, "0.9877"); /* four places, no tail of a double */
    cJSON_free(printed);
    assert_int_equal(cJSON_GetArrayItem(at(word, "box"), 2)->valueint, 60);
    cJSON_Delete(o);
}

/* Only what a document's pages can come to: the whole is one valid object after `finish`. */
static void test_json_document(void **state) {
    (void)state;
    for (int pages = 0; pages <= 2; pages++) {
        vl_buf out;
        vl_buf_init(&out, 1 << 20);
        vl_ocr_writer *writer;
        vl_ocr_writer_new(VL_OCR_JSON, "a \"b\"\\", vl_sink_buf, &out, &writer, NULL);
        for (int i = 0; i < pages; i++)
            assert_int_equal(vl_ocr_writer_page(writer, &page, NULL, NULL), VL_OK);
        assert_int_equal(vl_ocr_writer_finish(writer, NULL), VL_OK);
        cJSON *o = cJSON_Parse(out.data);
        assert_non_null(o);
        assert_string_equal(at(o, "source")->valuestring, "a \"b\"\\");
        assert_int_equal(cJSON_GetArraySize(at(o, "pages")), pages);
        for (int i = 0; i < pages; i++)
            assert_int_equal(at(cJSON_GetArrayItem(at(o, "pages"), i), "page")->valueint,
                             i + 1);
        cJSON_Delete(o);
        vl_ocr_writer_free(writer);
        vl_buf_deinit(&out);
    }
}

static void test_page_text(void **state) {
    (void)state;
    vl_arena *arena = vl_arena_new(1 << 16);
    assert_string_equal(vl_line_text(arena, &lines[0]), "Habari <leo>");
    assert_string_equal(vl_page_text(arena, &page),
                        "Habari <leo>\n\nHabari <leo>\nثمن: 250\n\nHabari <leo>");
    assert_int_equal(vl_page_word_count(&page), 8);
    vl_page empty = {.width = 1, .height = 1};
    assert_string_equal(vl_page_text(arena, &empty), "");
    vl_arena_free(arena);
    arena = vl_arena_new(8);
    assert_null(vl_page_text(arena, &page)); /* past the arena's maximum */
    vl_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_by_name),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_page_by_page),
        cmocka_unit_test(test_pdf_needs_a_picture),
        cmocka_unit_test(test_source_of_another_encoding),
        cmocka_unit_test(test_sink_of_a_buffer_has_its_maximum),
        cmocka_unit_test(test_xml_text),
        cmocka_unit_test(test_page_to_json),
        cmocka_unit_test(test_json_document),
        cmocka_unit_test(test_page_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
