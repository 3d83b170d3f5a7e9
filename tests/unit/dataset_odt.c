/* Tests of OpenDocument texts, packed here: text, styles, lists, tables, pictures, notes,
 * changes, languages; and what is broken or too large. The shapes are those that LibreOffice
 * and odfpy write (OASIS OpenDocument 1.3, part 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <vislang/dataset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_packages.h"

static vl_arena *arena;
static vl_langid *langid;

static int set_up(void **state) {
    (void)state;
    arena = vl_arena_new((size_t)256 << 20);
    return arena && !vl_langid_open(NULL, &langid, NULL) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    vl_langid_free(langid);
    vl_arena_free(arena);
    return 0;
}

static vl_status read_bytes(const void *bytes, size_t count, vl_parts **parts,
                            vl_error *error) {
    vl_parts_options options = vl_parts_options_default();
    options.langid = langid;
    vl_status status = vl_parts_read(bytes, count, &options, arena, parts, error);
    assert_true(!status || error->message[0]);
    return status;
}

/* ---- documents ------------------------------------------------------------------------------
 */

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OASIS "urn:oasis:names:tc:opendocument:xmlns:"
#define NAMESPACES                                                                             \
    " xmlns:office=\"" OASIS "office:1.0\" xmlns:text=\"" OASIS                                \
    "text:1.0\" xmlns:table=\"" OASIS "table:1.0\" xmlns:draw=\"" OASIS                        \
    "drawing:1.0\" xmlns:style=\"" OASIS "style:1.0\" "                                        \
    "xmlns:fo=\"" OASIS "xsl-fo-compatible:1.0\" xmlns:svg=\"" OASIS "svg-compatible:1.0\" "   \
    "xmlns:xlink=\"http://www.w3.org/1999/xlink\" "                                            \
    "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:meta=\"" OASIS "meta:1.0\" "          \
    "office:version=\"1.3\""
#define MIMETYPE "application/vnd.oasis.opendocument.text"

static const char styles_part[] =
    XML "<office:document-styles" NAMESPACES "><office:styles>"
        "<style:default-style style:family=\"paragraph\"><style:text-properties "
        "fo:language=\"en\" fo:country=\"US\" style:language-asian=\"zh\" "
        "style:language-complex=\"ar\"/></style:default-style>"
        "<style:style style:name=\"Standard\" style:family=\"paragraph\"/>"
        "<style:style style:name=\"Caption\" style:family=\"paragraph\" "
        "style:parent-style-name=\"Standard\"/>"
        "<style:style style:name=\"Illustration\" style:family=\"paragraph\" "
        "style:parent-style-name=\"Caption\"/>"
        "<style:style style:name=\"Title\" style:family=\"paragraph\"/>"
        "<style:style style:name=\"Contents_20_1\" style:display-name=\"Contents 1\" "
        "style:family=\"paragraph\"/></office:styles></office:document-styles>";
static const char meta[] =
    XML "<office:document-meta" NAMESPACES "><office:meta><dc:title>Floods</dc:title>"
        "<dc:language>sw-KE</dc:language></office:meta></office:document-meta>";
static const char automatic[] =
    "<style:style style:name=\"P1\" style:family=\"paragraph\" "
    "style:parent-style-name=\"Illustration\"/>"
    "<style:style style:name=\"P2\" style:family=\"paragraph\" "
    "style:parent-style-name=\"Standard\"><style:text-properties fo:language=\"sw\" "
    "fo:country=\"KE\"/></style:style>"
    "<style:style style:name=\"T1\" style:family=\"text\"><style:text-properties "
    "text:display=\"none\"/></style:style>"
    "<style:style style:name=\"T2\" style:family=\"text\"><style:text-properties "
    "fo:language=\"fr\" fo:country=\"FR\"/></style:style>"
    "<style:style style:name=\"L1\" style:family=\"paragraph\" style:parent-style-name=\"L2\"/>"
    "<style:style style:name=\"L2\" style:family=\"paragraph\" "
    "style:parent-style-name=\"L1\"/>";

static void make(vl_buf *zip, const char *body, const vl_buf *png) {
    vl_buf content;
    vl_buf_init(&content, 2 << 20);
    vl_buf_printf(&content,
                  XML "<office:document-content" NAMESPACES "><office:automatic-styles>%s"
                      "</office:automatic-styles><office:body><office:text>%s</office:text>"
                      "</office:body></office:document-content>",
                  automatic, body);
    pack(zip, (packed[]){{"mimetype", MIMETYPE, 0},
                         {"content.xml", content.data, content.len},
                         {"styles.xml", styles_part, 0},
                         {"meta.xml", meta, 0},
                         {"Pictures/1.png", png ? png->data : "none", png ? png->len : 0},
                         {"META-INF/manifest.xml", "<manifest/>", 0},
                         {0}});
    vl_buf_deinit(&content);
}

static vl_parts *read_body(const char *body) {
    vl_parts *parts;
    vl_error error = {0};
    vl_buf zip;
    make(&zip, body, NULL);
    vl_status status = read_bytes(zip.data, zip.len, &parts, &error);
    vl_buf_deinit(&zip);
    if (status)
        fail_msg("%s\n%s", error.message, body);
    return parts;
}

static void check_rows(const char *const (*rows)[2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        char out[2048];
        describe(read_body(rows[i][0]), out, sizeof out);
        if (strcmp(out, rows[i][1]) != 0)
            fail_msg("row %zu: %s\n     not: %s", i, out, rows[i][1]);
    }
}

#define P(text) "<text:p>" text "</text:p>"
#define STYLED(style, text) "<text:p text:style-name=\"" style "\">" text "</text:p>"
#define H(level, text) "<text:h text:outline-level=\"" level "\">" text "</text:h>"
#define ITEM(text) "<text:list-item>" text "</text:list-item>"
#define FRAME(href, rest)                                                                      \
    "<draw:frame svg:width=\"5cm\" svg:height=\"3cm\"><draw:image xlink:href=\"" href          \
    "\"/>" rest "</draw:frame>"
#define CELL(text) "<table:table-cell>" P(text) "</table:table-cell>"
#define COLUMNS "<table:table-column table:number-columns-repeated=\"2\"/>"

static void test_text(void **state) {
    static const char *const rows[][2] = {
        {P("one") P("two\n  goes on"), "paragraph:one|paragraph:two goes on"},
        {"<text:p/>" P(" "), ""},
        {P("a<text:s text:c=\"3\"/>b<text:tab/>c<text:line-break/>d"), "paragraph:a b c/d"},
        {P("<text:a xlink:href=\"x\">link</text:a> <text:span text:style-name=\"T2\">span"
           "</text:span> <text:page-number>7</text:page-number>"),
         "paragraph:link span 7"},
        {P("<text:span text:style-name=\"T1\">hidden</text:span>seen"), "paragraph:seen"},
        {P("<text:ruby><text:ruby-base>base</text:ruby-base><text:ruby-text>above"
           "</text:ruby-text></text:ruby>"),
         "paragraph:base"},
        {P("x<office:annotation><text:p>comment</text:p></office:annotation>y"),
         "paragraph:xy"},
        {"<text:section>" P("in") "</text:section><text:section text:display=\"none\">" P(
             "out") "</text:section>",
         "paragraph:in"},
        {"<text:table-of-content><text:index-body>" P(
             "Introduction 3") "</text:index-body></text:table-of-content>" STYLED("L1",
                                                                                   "in a "
                                                                                   "circle"),
         "paragraph:in a circle"},
        {P("هطلت 25 ملم (مطر)"), "paragraph:هطلت 25 ملم (مطر)"},
        {P("e\xCC\x81t\xC3\xA9&amp;&#x1F600;"), "paragraph:été&😀"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void test_structure(void **state) {
    static const char *const rows[][2] = {
        {STYLED("Title", "T") H("1", "A<text:line-break/>b") H("9", "C"),
         "heading:T|heading:A b|heading:C"},
        {"<text:list>" ITEM(P("a") P("goes on") "<text:list>" ITEM(P("b")) "</text:list>")
             ITEM(P("c")) "</text:list><text:list>" ITEM(P("d")) "</text:list>" P("end"),
         "list:a goes on/b/c|list:d|paragraph:end"},
        {"<text:list>" ITEM(H("1", "Numbered")) "</text:list>" P("x"),
         "heading:Numbered|paragraph:x"},
        {"<text:numbered-paragraph>" P("n") "</text:numbered-paragraph>" P("x"),
         "list:n|paragraph:x"},
        {STYLED("P1", "Rain by day"), "caption:Rain by day"},
        {P("Abb. <text:sequence text:name=\"Abb\">3</text:sequence>: Regen"),
         "caption:Abb. 3: Regen"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
    vl_parts *parts = read_body(STYLED("Title", "T") H("2", "A") H("9", "C"));
    static const uint32_t levels[] = {1, 2, 6};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(parts->parts[i].level, levels[i]);
    assert_string_equal(parts->title, "Floods");
    assert_string_equal(parts->declared, "swa");
    assert_string_equal(parts->format, "odt");
}

#define DELETED                                                                                \
    "<text:tracked-changes><text:changed-region><text:deletion>" P(                            \
        "gone") "</text:deletion></text:changed-region></text:tracked-changes>"
#define MARKS                                                                                  \
    "a<text:change text:change-id=\"1\"/><text:change-start text:change-id=\"2\"/>new"         \
    "<text:change-end text:change-id=\"2\"/>"

/* What was deleted is kept apart, with marks where it was. */
static void test_changes(void **state) {
    static const char *const rows[][2] = {{DELETED P(MARKS), "paragraph:anew"}};
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

#define NOTE(text)                                                                             \
    "<text:note text:note-class=\"footnote\"><text:note-citation>1</text:note-citation>"       \
    "<text:note-body>" P(text) P("second") "</text:note-body></text:note>"

static void test_notes(void **state) {
    static const char *const rows[][2] = {
        {P("See" NOTE("note") " this") P("after"),
         "paragraph:See this|paragraph:note/second|paragraph:after"},
        {"<text:list>" ITEM(P("a" NOTE("n"))) ITEM(P("b")) "</text:list>",
         "list:a/b|paragraph:n/second"},
        {"<table:table>" COLUMNS "<table:table-row>" CELL("a" NOTE("n"))
             CELL("b") "</table:table-row></table:table>",
         "table:a;b|paragraph:n/second"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void test_tables(void **state) {
    vl_parts
        *parts =
            read_body("<table:table>" COLUMNS
                      "<table:table-column/><table:table-header-rows><table:table-row>"
                      "<table:table-cell table:number-rows-spanned=\"2\">" P(
                          "a") "</table:table-cell>"
                               "<table:table-cell table:number-columns-spanned=\"2\">" P(
                                   "b") "</table:table-cell>"
                                        "<table:covered-table-cell/></table:table-row></"
                                        "table:table-header-rows><table:table-row>"
                                        "<table:covered-table-cell>" P(
                                            "covered") "</table:covered-table-cell>" CELL("c") "<table:table-cell><text:list>" ITEM(P("d"))
                                            ITEM(P(
                                                "e")) "</text:list><table:table>" COLUMNS
                                                      "<table:table-row>" CELL("f") CELL(
                                                          "g") "</table:table-row></"
                                                               "table:table>"
                                                               "</table:table-cell></"
                                                               "table:table-row><table:table-"
                                                               "row "
                                                               "table:number-rows-repeated="
                                                               "\"2\">"
                                                               "<table:table-cell "
                                                               "table:number-columns-repeated="
                                                               "\"2\">" P(
                                                                   "h") "</table:table-cell>"
                                                                        "<table:table-cell "
                                                                        "table:number-columns-"
                                                                        "repeated=\"16000\"/></"
                                                                        "table:table-row>"
                                                                        "<table:table-row "
                                                                        "table:number-rows-"
                                                                        "repeated=\"1000000\"><"
                                                                        "table:table-cell/>"
                                                                        "</table:table-row></"
                                                                        "table:table>");
    static const vl_part_cell cells[] = {
        {0, 0, 2, 1, true, "a"},           {0, 1, 1, 2, true, "b"},  {1, 1, 1, 1, false, "c"},
        {1, 2, 1, 1, false, "d\ne\nf\ng"}, {2, 0, 1, 1, false, "h"}, {2, 1, 1, 1, false, "h"},
        {3, 0, 1, 1, false, "h"},          {3, 1, 1, 1, false, "h"}, {4, 0, 1, 1, false, ""}};
    (void)state;
    const vl_part *table = &parts->parts[0];
    assert_int_equal(table->kind, VL_PART_TABLE);
    assert_int_equal(table->cell_count, sizeof cells / sizeof *cells);
    assert_int_equal(table->column_count, 3);
    for (size_t i = 0; i < table->cell_count; i++) {
        const vl_part_cell *a = &table->cells[i], *b = &cells[i];
        assert_int_equal(a->row, b->row);
        assert_int_equal(a->column, b->column);
        assert_int_equal(a->row_span, b->row_span);
        assert_int_equal(a->column_span, b->column_span);
        assert_int_equal(a->heading, b->heading);
        assert_string_equal(a->text, b->text);
    }
}

static void test_odd_tables(void **state) {
    static const char *const rows[][2] = {
        {"<table:table><table:table-column/><table:table-row><table:table-cell>" H("1", "Box")
             P("text") "</table:table-cell></table:table-row></table:table>",
         "heading:Box|paragraph:text"},
        {"<table:table/>" P("x"), "paragraph:x"},
        {"<table:table><table:table-row>" CELL("a") "</table:table-row><table:table-row "
                                                    "table:number-rows-repeated=\"-5\">" CELL(
                                                        "b") "</table:table-row></table:table>",
         "table:a/b"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void make_png(vl_buf *png) {
    vl_image *made;
    assert_int_equal(vl_image_new(64, 48, 3, &made, NULL), VL_OK);
    for (size_t i = 0; i < made->stride * made->height; i++)
        made->pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    vl_buf_init(png, 1 << 20);
    assert_int_equal(vl_image_encode_png(made, png, NULL), VL_OK);
    vl_image_free(made);
}

/* As LibreOffice has a picture with its caption: both in a text box. */
static void test_pictures(void **state) {
    static const char body[] = P("As Figure 1 shows.") P(
        "<draw:frame svg:width=\"17cm\"><draw:text-box>" STYLED(
            "P1", FRAME("Pictures/1.png",
                        "<svg:title>t</svg:title><svg:desc>A well"
                        "</svg:desc>") "Figure <text:sequence>1</text:sequence>: "
                                       "Water") "</draw:text-box></"
                                                "draw:frame>anchor") P(FRAME("https"
                                                                             "://"
                                                                             "examp"
                                                                             "le."
                                                                             "org/"
                                                                             "a."
                                                                             "png",
                                                                             "") FRAME("Pic"
                                                                                       "tur"
                                                                                       "es/"
                                                                                       "non"
                                                                                       "e."
                                                                                       "pn"
                                                                                       "g",
                                                                                       ""))
        P("<draw:frame svg:width=\"0.4cm\" svg:height=\"3mm\"><draw:image "
          "xlink:href=\"Pictures/1.png\"/></draw:frame>") "<draw:g>" FRAME("./Pictures/1.png",
                                                                           "") "</"
                                                                               "draw:g><draw:"
                                                                               "custom-"
                                                                               "shape>" P(
                                                                                   "in "
                                                                                   "a "
                                                                                   "shap"
                                                                                   "e") "</"
                                                                                        "draw:"
                                                                                        "custom"
                                                                                        "-shape"
                                                                                        ">";
    char out[1024];
    vl_parts *parts;
    vl_image *image;
    vl_error error = {0};
    vl_buf png, zip;
    (void)state;
    make_png(&png);
    make(&zip, body, &png);
    assert_int_equal(read_bytes(zip.data, zip.len, &parts, &error), VL_OK);
    describe(parts, out, sizeof out);
    assert_string_equal(out, "paragraph:As Figure 1 shows.|paragraph:anchor|figure:A well|"
                             "caption:Figure 1: Water|figure:|figure:|figure:|"
                             "paragraph:in a shape");
    assert_int_equal(parts->parts[2].caption, 3);
    assert_string_equal(parts->parts[2].label, "Figure 1");
    assert_int_equal(parts->parts[2].mention_count, 1);
    assert_int_equal(vl_parts_picture(parts, 2, NULL, &image, &error), VL_OK);
    assert_int_equal(image->width, 64);
    vl_image_free(image);
    assert_int_equal(vl_parts_picture(parts, 6, NULL, &image, &error), VL_OK);
    vl_image_free(image);
    assert_int_equal(vl_parts_picture(parts, 4, NULL, &image, &error), VL_ERR_MISSING);
    assert_int_equal(vl_parts_picture(parts, 5, NULL, &image, &error), VL_ERR_MISSING);
    vl_buf_deinit(&zip);
    vl_buf_deinit(&png);
}

static void test_languages(void **state) {
    vl_parts *parts = read_body(P("An ordinary line of text") STYLED(
        "P2", "Mvua kubwa imenyesha") P("<text:span text:style-name=\"T2\">Les familles sont "
                                        "parties</text:span> ok") P("هطلت أمطار") P("大雨"));
    static const char *const declared[] = {"eng", "swa", "fra", "ara", "cmn"};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(parts->parts[i].declared, declared[i]);
    assert_string_equal(parts->parts[2].language, "fra");
}

/* ---- what is not to be trusted -------------------------------------------------------------
 */

static vl_status status_of(const packed *entries, vl_error *error) {
    vl_parts *parts;
    vl_buf zip;
    pack(&zip, entries);
    vl_status status = read_bytes(zip.data, zip.len, &parts, error);
    vl_buf_deinit(&zip);
    vl_arena_reset(arena);
    return status;
}

static void test_refused(void **state) {
    static const struct {
        const char *type, *content, *manifest;
        vl_status status;
        const char *message;
    } rows[] = {
        {MIMETYPE, "<office:document-content><text", "", VL_ERR_INPUT, "well-formed"},
        {MIMETYPE, "\x12\x99 encrypted", "<manifest:encryption-data/>", VL_ERR_UNSUPPORTED,
         "encrypted"},
        {MIMETYPE, "<!DOCTYPE a><a/>", "", VL_ERR_INPUT, "document type"},
        {MIMETYPE, "", "", VL_ERR_INPUT, "content.xml"},
        {MIMETYPE "-template", "<a/>", "", VL_OK, ""},
        {"application/vnd.oasis.opendocument.spreadsheet", "<a/>", "", VL_ERR_UNSUPPORTED,
         "spreadsheet"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {0};
        vl_status status = status_of((packed[]){{"mimetype", rows[i].type, 0},
                                                {"content.xml", rows[i].content, 0},
                                                {"META-INF/manifest.xml", rows[i].manifest, 0},
                                                {0}},
                                     &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].message))
            fail_msg("row %zu: %s: %s", i, vl_status_name(status), error.message);
    }
    vl_error error = {0};
    assert_int_equal(status_of((packed[]){{"mimetype", MIMETYPE, 0}, {0}}, &error),
                     VL_ERR_INPUT);
}

static void test_spoiled(void **state) {
    vl_buf zip;
    size_t read = 0;
    (void)state;
    make(&zip, P("whole"), NULL);
    for (size_t at = 0; at < zip.len; at += 7) {
        vl_parts *parts;
        vl_error error = {0};
        char was = zip.data[at];
        zip.data[at] = (char)(was ^ 0x55);
        read += !read_bytes(zip.data, zip.len, &parts, &error);
        zip.data[at] = was;
        vl_arena_reset(arena);
    }
    assert_true(read > 0);
    vl_buf_deinit(&zip);
}

static vl_status status_of_body(const char *begin, const char *repeated, size_t times,
                                const char *end, vl_error *error) {
    vl_buf body;
    vl_buf_init(&body, (size_t)128 << 20);
    vl_buf_printf(&body, "<office:document-content" NAMESPACES "><office:body><office:text>%s",
                  begin);
    for (size_t i = 0; i < times; i++)
        vl_buf_puts(&body, repeated);
    vl_buf_printf(&body, "%s</office:text></office:body></office:document-content>", end);
    vl_status status = status_of(
        (packed[]){{"mimetype", MIMETYPE, 0}, {"content.xml", body.data, body.len}, {0}},
        error);
    vl_buf_deinit(&body);
    return status;
}

static void test_limits(void **state) {
    static const struct {
        const char *begin, *repeated, *end;
        size_t times;
        vl_status status;
        const char *message;
    } rows[] = {
        {"", "<text:section>", "", 300, VL_ERR_LIMIT, "deep"},
        {"", P("x"), "", 210000, VL_ERR_LIMIT, "parts"},
        {"<table:table><table:table-row table:number-rows-repeated=\"2000000000\">", CELL("x"),
         "</table:table-row></table:table>", 1, VL_ERR_LIMIT, "rows"},
        {"<table:table><table:table-row>", CELL("x"), "</table:table-row></table:table>", 1100,
         VL_ERR_LIMIT, "columns"},
        {"<text:p>",
         "                                                                                "
         "                                                                                ",
         "</text:p>", 660000, VL_ERR_LIMIT, "unpacked"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {0};
        vl_status status =
            status_of_body(rows[i].begin, rows[i].repeated, rows[i].times, rows[i].end, &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].message))
            fail_msg("row %zu: %s: %s", i, vl_status_name(status), error.message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),     cmocka_unit_test(test_structure),
        cmocka_unit_test(test_changes),  cmocka_unit_test(test_notes),
        cmocka_unit_test(test_tables),   cmocka_unit_test(test_odd_tables),
        cmocka_unit_test(test_pictures), cmocka_unit_test(test_languages),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_spoiled),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
