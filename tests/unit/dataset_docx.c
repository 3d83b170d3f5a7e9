/* Tests of DOCX documents, packed here: text, styles, lists, tables, pictures, notes, changes,
 * languages; and what is broken or too large. The shapes are those that Word, LibreOffice and
 * python-docx write (ISO/IEC 29500-1). */
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

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define W "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
#define R "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PKG "http://schemas.openxmlformats.org/package/2006/relationships"
#define NAMESPACES                                                                             \
    " xmlns:w=\"" W "\" xmlns:r=\"" R "\" "                                                    \
    "xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" "                \
    "xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" "     \
    "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" "                       \
    "xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\" "                  \
    "xmlns:wps=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\" "         \
    "xmlns:c=\"http://schemas.openxmlformats.org/drawingml/2006/chart\" "                      \
    "xmlns:m=\"http://schemas.openxmlformats.org/officeDocument/2006/math\" "                  \
    "xmlns:v=\"urn:schemas-microsoft-com:vml\""

static const char content_types[] =
    XML "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
        "<Default Extension=\"rels\" "
        "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
        "<Override PartName=\"/word/document.xml\" ContentType=\"application/"
        "vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
static const char root_relations[] =
    XML "<Relationships xmlns=\"" PKG "\"><Relationship Id=\"rId1\" Type=\"" R
        "/officeDocument\" Target=\"word/document.xml\"/><Relationship Id=\"rId2\" "
        "Type=\"http://schemas.openxmlformats.org/package/2006/relationships/metadata/"
        "core-properties\" Target=\"docProps/core.xml\"/></Relationships>";
static const char core[] = XML
    "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/"
    "core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>Floods &amp; "
    "rain</dc:title></cp:coreProperties>";
static const char relations[] =
    XML "<Relationships xmlns=\"" PKG "\"><Relationship Id=\"rId1\" Type=\"" R
        "/styles\" Target=\"styles.xml\"/><Relationship Id=\"rId2\" Type=\"" R
        "/footnotes\" Target=\"/word/footnotes.xml\"/><Relationship Id=\"rId3\" Type=\"" R
        "/endnotes\" Target=\"endnotes.xml\"/><Relationship Id=\"pic\" Type=\"" R
        "/image\" Target=\"media/image1.png\"/><Relationship Id=\"up\" Type=\"" R
        "/image\" Target=\"../shared/./image2.png\"/><Relationship Id=\"far\" Type=\"" R
        "/image\" Target=\"https://example.org/a.png\" TargetMode=\"External\"/>"
        "<Relationship Id=\"chart\" Type=\"" R "/chart\" Target=\"charts/chart1.xml\"/>"
        "</Relationships>";
/* Word's names of styles are English in every language of its user. */
static const char styles_part[] = XML
    "<w:styles xmlns:w=\"" W "\"><w:docDefaults><w:rPrDefault><w:rPr><w:lang "
    "w:val=\"en-GB\" w:eastAsia=\"zh-CN\" w:bidi=\"ar-SA\"/></w:rPr></w:rPrDefault>"
    "</w:docDefaults>"
    "<w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name "
    "w:val=\"Normal\"/></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Titre1\"><w:name w:val=\"heading 1\"/>"
    "<w:basedOn w:val=\"Normal\"/><w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Annex\"><w:name w:val=\"Annex\"/>"
    "<w:basedOn w:val=\"Titre1\"/></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"H3\"><w:name w:val=\"Heading 3\"/></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Titre\"><w:name w:val=\"Title\"/></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Lgende\"><w:name w:val=\"caption\"/></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Bullet\"><w:name w:val=\"List Bullet\"/>"
    "<w:pPr><w:numPr><w:numId w:val=\"5\"/></w:numPr></w:pPr></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"TM1\"><w:name w:val=\"toc 1\"/></w:style>"
    "<w:style w:type=\"character\" w:styleId=\"Hid\"><w:name w:val=\"Hid\"/><w:rPr>"
    "<w:vanish/></w:rPr></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Kisw\"><w:name w:val=\"Kisw\"/><w:rPr>"
    "<w:lang w:val=\"sw-KE\"/></w:rPr></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Loop1\"><w:name w:val=\"l\"/><w:basedOn "
    "w:val=\"Loop2\"/></w:style><w:style w:type=\"paragraph\" w:styleId=\"Loop2\">"
    "<w:name w:val=\"l\"/><w:basedOn w:val=\"Loop1\"/></w:style></w:styles>";
static const char footnotes[] =
    XML "<w:footnotes" NAMESPACES "><w:footnote w:type=\"separator\" w:id=\"-1\"><w:p><w:r>"
        "<w:separator/></w:r></w:p></w:footnote>"
        "<w:footnote w:id=\"1\"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>First note."
        "</w:t></w:r></w:p></w:footnote>"
        "<w:footnote w:id=\"2\"><w:p><w:r><w:t>Never asked for.</w:t></w:r></w:p></w:footnote>"
        "</w:footnotes>";
static const char endnotes[] =
    XML "<w:endnotes" NAMESPACES "><w:endnote w:id=\"1\"><w:p><w:r><w:t>An endnote.</w:t></w:r>"
        "</w:p><w:p><w:r><w:t>Its second paragraph.</w:t></w:r></w:p></w:endnote>"
        "</w:endnotes>";

static void make(vl_buf *zip, const char *body, const vl_buf *png) {
    vl_buf document;
    bool notes = strstr(body, "noteReference") != NULL;
    vl_buf_init(&document, 2 << 20);
    vl_buf_printf(&document,
                  XML "<w:document" NAMESPACES "><w:body>%s<w:sectPr/></w:body>"
                      "</w:document>",
                  body);
    pack(zip, (packed[]){
                  {"[Content_Types].xml", content_types, 0},
                  {"_rels/.rels", root_relations, 0},
                  {"docProps/core.xml", core, 0},
                  {"word/_rels/document.xml.rels", relations, 0},
                  {"word/document.xml", document.data, document.len},
                  {"word/styles.xml", styles_part, 0},
                  {notes ? "word/footnotes.xml" : "a", footnotes, 0},
                  {notes ? "word/endnotes.xml" : "b", endnotes, 0},
                  {"word/charts/chart1.xml", "<c/>", 0},
                  {"word/media/image1.png", png ? png->data : "no picture", png ? png->len : 0},
                  {0}});
    vl_buf_deinit(&document);
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

#define P(text) "<w:p><w:r><w:t>" text "</w:t></w:r></w:p>"
#define STYLED(style, text)                                                                    \
    "<w:p><w:pPr><w:pStyle w:val=\"" style "\"/></w:pPr><w:r><w:t>" text "</w:t></w:r></w:p>"
#define ITEM(list, text)                                                                       \
    "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"" list                         \
    "\"/></w:numPr></w:pPr>"                                                                   \
    "<w:r><w:t>" text "</w:t></w:r></w:p>"
#define DRAWING(id, text)                                                                      \
    "<w:drawing><wp:inline><wp:extent cx=\"2000000\" cy=\"1000000\"/><wp:docPr id=\"1\" "      \
    "name=\"Picture 1\" descr=\"" text "\"/><a:graphic><a:graphicData><pic:pic><pic:nvPicPr>"  \
    "<pic:cNvPr id=\"0\" name=\"x.png\"/></pic:nvPicPr><pic:blipFill><a:blip r:embed=\"" id    \
    "\"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>"
#define CELL(properties, text) "<w:tc><w:tcPr>" properties "</w:tcPr>" P(text) "</w:tc>"

static void check_rows(const char *const (*rows)[2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        char out[2048];
        describe(read_body(rows[i][0]), out, sizeof out);
        if (strcmp(out, rows[i][1]) != 0)
            fail_msg("row %zu: %s\n     not: %s", i, out, rows[i][1]);
    }
}

static void test_text(void **state) {
    static const char *const rows[][2] = {
        {P("one") P("two"), "paragraph:one|paragraph:two"},
        {"<w:p/>" P(" "), ""},
        {"<w:p><w:r><w:t xml:space=\"preserve\">a </w:t><w:tab/><w:t>b</w:t></w:r><w:r><w:br/>"
         "<w:t>c\nd</w:t><w:noBreakHyphen/><w:t>e</w:t></w:r></w:p>",
         "paragraph:a b/c d‑e"},
        {"<w:p><w:hyperlink r:id=\"far\"><w:r><w:t>link</w:t></w:r></w:hyperlink><w:smartTag>"
         "<w:r><w:t> tag</w:t></w:r></w:smartTag><w:sdt><w:sdtPr/><w:sdtContent><w:r><w:t> "
         "field</w:t></w:r></w:sdtContent></w:sdt><w:bdo w:val=\"rtl\"><w:r><w:t> x</w:t></w:r>"
         "</w:bdo></w:p>",
         "paragraph:link tag field x"},
        {"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:rPr><w:rStyle "
         "w:val=\"Hid\"/></w:rPr><w:t>too</w:t></w:r><w:r><w:rPr><w:vanish w:val=\"0\"/>"
         "</w:rPr><w:t>seen</w:t></w:r></w:p>",
         "paragraph:seen"},
        {"<w:p><w:r><w:sym w:font=\"Wingdings\" w:char=\"F0FC\"/><w:sym w:font=\"x\" "
         "w:char=\"00E9\"/><w:t>t&amp;&#x1F600;</w:t></w:r></w:p>",
         "paragraph:ét&😀"},
        {"<w:p><w:r><w:ruby><w:rt><w:r><w:t>above</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>base"
         "</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>",
         "paragraph:base"},
        {"<w:p><m:oMathPara><m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r>"
         "<m:t>b</m:t></m:r></m:den></m:f></m:oMath></m:oMathPara></w:p>",
         "paragraph:ab"},
        {"<w:sdt><w:sdtPr/><w:sdtContent>" P("in a control") "</w:sdtContent></w:sdt>"
                                                             "<w:customXml>" P(
                                                                 "in XML") "</w:customXml>",
         "paragraph:in a control|paragraph:in XML"},
        {"<w:p><w:r><w:t>e\xCC\x81t\xC3\xA9</w:t></w:r></w:p>", "paragraph:été"},
        {"<w:p><w:pPr><w:bidi/></w:pPr><w:r><w:rPr><w:rtl/></w:rPr><w:t>هطلت 25 ملم (مطر)</w:t>"
         "</w:r></w:p>",
         "paragraph:هطلت 25 ملم (مطر)"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void test_structure(void **state) {
    static const char *const rows[][2] = {
        {STYLED("Titre", "T") STYLED("Titre1", "A") STYLED("Annex", "B") STYLED("H3", "C"),
         "heading:T|heading:A|heading:B|heading:C"},
        {"<w:p><w:pPr><w:outlineLvl w:val=\"1\"/></w:pPr><w:r><w:t>Own</w:t><w:br/><w:t>level"
         "</w:t></w:r></w:p>",
         "heading:Own level"},
        {STYLED("Titre1", "") STYLED("Loop1", "in a circle"), "paragraph:in a circle"},
        {ITEM("3", "a") ITEM("3", "b") ITEM("4", "c") P("end"),
         "list:a/b|list:c|paragraph:end"},
        {ITEM("0", "no item") STYLED("Bullet", "x") STYLED("Bullet", "y"),
         "paragraph:no item|list:x/y"},
        {STYLED("Lgende", "Rain by day"), "caption:Rain by day"},
        {"<w:p><w:r><w:t>Abb. </w:t></w:r><w:fldSimple w:instr=\" SEQ Abb \\* ARABIC \"><w:r>"
         "<w:t>3</w:t></w:r></w:fldSimple></w:p>",
         "caption:Abb. 3"},
        {"<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText> SEQ T "
         "</w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>2"
         "</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r><w:r><w:t> rain</w:t></w:r>"
         "</w:p>",
         "caption:2 rain"},
        {"<w:p><w:r><w:fldChar "
         "w:fldCharType=\"begin\"/><w:instrText>PAGE</w:instrText><w:t>code"
         "</w:t></w:r></w:p>" P("is text again"),
         "paragraph:is text again"},
        {STYLED("TM1",
                "Introduction 3") "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery "
                                  "w:val=\"Table of Contents\"/></w:docPartObj></w:sdtPr>"
                                  "<w:sdtContent>" P("Contents") "</w:sdtContent></w:sdt>",
         ""},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
    vl_parts *parts = read_body(STYLED("Titre", "T") STYLED("Annex", "B") STYLED("H3", "C"));
    static const uint32_t levels[] = {1, 1, 3};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(parts->parts[i].level, levels[i]);
    assert_string_equal(parts->title, "Floods & rain");
    assert_string_equal(parts->format, "docx");
}

static void test_changes(void **state) {
    static const char *const rows[][2] = {
        {"<w:p><w:del w:id=\"1\"><w:r><w:delText>gone </w:delText></w:r></w:del><w:ins "
         "w:id=\"2\"><w:r><w:t>new</w:t></w:r></w:ins><w:moveFrom><w:r><w:t>away</w:t></w:r>"
         "</w:moveFrom><w:moveTo><w:r><w:t> here</w:t></w:r></w:moveTo></w:p>",
         "paragraph:new here"},
        {"<w:p><w:pPr><w:rPr><w:del w:id=\"1\"/></w:rPr></w:pPr><w:r><w:t>goes "
         "</w:t></w:r></w:p>" P("on"),
         "paragraph:goes on"},
        {"<w:p><w:pPr><w:rPr><w:del "
         "w:id=\"1\"/></w:rPr></w:pPr><w:r><w:t>last</w:t></w:r></w:p>",
         "paragraph:last"},
        {"<w:tbl><w:tblGrid><w:gridCol/><w:gridCol/></w:tblGrid><w:tr>" CELL("", "a")
             CELL("", "b") "</w:tr><w:tr><w:trPr><w:del w:id=\"1\"/></w:trPr>" CELL("", "x")
                 CELL("", "y") "</w:tr></w:tbl>",
         "table:a;b"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void test_notes(void **state) {
    static const char *const rows[][2] = {
        {"<w:p><w:r><w:t>See</w:t></w:r><w:r><w:footnoteReference w:id=\"1\"/></w:r></w:p>" P(
             "after"),
         "paragraph:See|paragraph:First note.|paragraph:after|paragraph:Never asked for.|"
         "paragraph:An endnote./Its second paragraph."},
        {"<w:p><w:pPr><w:numPr><w:numId w:val=\"2\"/></w:numPr></w:pPr><w:r><w:t>a</w:t>"
         "<w:endnoteReference w:id=\"1\"/><w:footnoteReference w:id=\"77\"/></w:r></w:p>" ITEM(
             "2", "b"),
         "list:a/b|paragraph:An endnote./Its second paragraph.|paragraph:First note.|"
         "paragraph:Never asked for."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[1024];
        describe(read_body(rows[i][0]), out, sizeof out);
        assert_string_equal(out, rows[i][1]);
    }
}

static void test_tables(void **state) {
    vl_parts *parts = read_body(
        "<w:tbl><w:tblPr/><w:tblGrid><w:gridCol/><w:gridCol/><w:gridCol/></w:tblGrid>"
        "<w:tr><w:trPr><w:tblHeader/></w:trPr>" CELL("<w:vMerge w:val=\"restart\"/>", "a") CELL(
            "<w:gridSpan w:val=\"2\"/>",
            "b") "</w:tr>"
                 "<w:tr>" CELL("<w:vMerge/>", "") CELL("", "c") CELL(
                     "",
                     "d") "</w:tr>"
                          "<w:sdt><w:sdtContent><w:tr>" CELL(
                              "<w:vMerge w:val=\"continue\"/>",
                              "") "<w:sdt><w:sdtContent>" CELL("",
                                                               "e") "</w:sdtContent></w:sdt>"
                                                                    "<w:tc>" P("f") P(
                                                                        "g") "<w:tbl><w:"
                                                                             "tr>" CELL("", "h") CELL(
                                                                                 "",
                                                                                 "i") "</"
                                                                                      "w:"
                                                                                      "tr><"
                                                                                      "/w:"
                                                                                      "tbl>"
                                                                                      "<w:"
                                                                                      "p/>"
                                                                                      "</"
                                                                                      "w:"
                                                                                      "tc><"
                                                                                      "/w:"
                                                                                      "tr><"
                                                                                      "/w:"
                                                                                      "sdtC"
                                                                                      "onte"
                                                                                      "nt><"
                                                                                      "/w:"
                                                                                      "sdt>"
                                                                                      "<w:"
                                                                                      "tr><"
                                                                                      "w:"
                                                                                      "trPr"
                                                                                      "><w:"
                                                                                      "grid"
                                                                                      "Befo"
                                                                                      "re "
                                                                                      "w:"
                                                                                      "val="
                                                                                      "\"1"
                                                                                      "\"/"
                                                                                      "></"
                                                                                      "w:"
                                                                                      "trPr"
                                                                                      ">" CELL(
                                                                                          "",
                                                                                          "j") "</w:tr></w:tbl>");
    static const vl_part_cell cells[] = {
        {0, 0, 3, 1, true, "a"},  {0, 1, 1, 2, true, "b"},  {1, 1, 1, 1, false, "c"},
        {1, 2, 1, 1, false, "d"}, {2, 1, 1, 1, false, "e"}, {2, 2, 1, 1, false, "f\ng\nh\ni"},
        {3, 1, 1, 1, false, "j"}};
    (void)state;
    assert_int_equal(parts->parts[0].kind, VL_PART_TABLE);
    const vl_part *table = &parts->parts[0];
    assert_int_equal(table->cell_count, sizeof cells / sizeof *cells);
    assert_int_equal(table->row_count, 4);
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

/* One column only places things; a merge without a cell above is a cell. */
static void test_odd_tables(void **state) {
    static const char *const rows[][2] = {
        {"<w:tbl><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:tc>" STYLED("Titre1", "Box")
             P("text") "</w:tc></w:tr></w:tbl>",
         "heading:Box|paragraph:text"},
        {"<w:tbl><w:tr>" CELL("<w:vMerge/>", "a")
             CELL("<w:gridSpan w:val=\"-3\"/>", "b") "</w:tr></w:tbl>",
         "table:a;b"},
        {"<w:tbl><w:tr>" CELL("<w:gridSpan w:val=\"99999\"/>", "wide") "</w:tr></w:tbl>",
         "table:wide"},
        {"<w:tbl/>" P("x"), "paragraph:x"},
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

static void test_pictures(void **state) {
    static const char body[] = P("As Figure 1 shows.") "<w:p><w:r>" DRAWING(
        "pic", "A well") "</w:r></w:p>" STYLED("Lgende",
                                               "Figure 1: Water") "<w:p><w:r>" DRAWING("up", "")
        DRAWING(
            "none",
            "") "<w:t>text</w:t></w:r></w:p>"
                "<w:p><w:r><w:drawing><wp:anchor><wp:extent cx=\"100\" cy=\"100\"/><wp:docPr "
                "descr=\"dot\"/><a:blip "
                "r:embed=\"pic\"/></wp:anchor></w:drawing><w:pict><v:shape "
                "alt=\"Old\"><v:imagedata r:id=\"far\"/></v:shape></w:pict></w:r></w:p>"
                "<w:p><w:r><w:drawing><wp:inline><wp:docPr "
                "title=\"Bars\"/><a:graphic><a:graphicData>"
                "<c:chart "
                "r:id=\"chart\"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></"
                "w:p>"
                "<w:tbl><w:tblGrid><w:gridCol/><w:gridCol/></"
                "w:tblGrid><w:tr><w:tc><w:p><w:r>" DRAWING(
                    "pic", "in a cell") "</w:r></w:p></w:tc>" CELL("", "b") "</w:tr></w:tbl>";
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
    assert_string_equal(out, "paragraph:As Figure 1 shows.|figure:A well|caption:Figure 1: "
                             "Water|figure:|paragraph:text|figure:Old|chart:Bars|table:;b|"
                             "figure:in a cell");
    assert_int_equal(parts->parts[1].caption, 2);
    assert_int_equal(parts->parts[1].mention_count, 1);
    assert_string_equal(parts->parts[1].label, "Figure 1");
    assert_string_equal(parts->parts[1].source, "word/media/image1.png");
    assert_string_equal(parts->parts[3].source, "shared/image2.png");
    assert_int_equal(vl_parts_picture(parts, 1, NULL, &image, &error), VL_OK);
    assert_int_equal(image->width, 64);
    vl_image_free(image);
    vl_media_limits small = vl_media_limits_default();
    small.max_side = 32;
    assert_int_equal(vl_parts_picture(parts, 1, &small, &image, &error), VL_ERR_LIMIT);
    small.max_bytes = 100;
    assert_int_equal(vl_parts_picture(parts, 1, &small, &image, &error), VL_ERR_LIMIT);
    assert_int_equal(vl_parts_picture(parts, 3, NULL, &image, &error), VL_ERR_MISSING);
    assert_int_equal(vl_parts_picture(parts, 5, NULL, &image, &error), VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "https://example.org/a.png"));
    assert_int_equal(vl_parts_picture(parts, 6, NULL, &image, &error), VL_ERR_UNSUPPORTED);
    assert_int_equal(vl_parts_picture(parts, 7, NULL, &image, &error), VL_ERR_USAGE);
    vl_buf_deinit(&zip);
    vl_buf_deinit(&png);
}

/* A text box stands twice, for new and old programs; it comes behind its paragraph. */
static void test_text_boxes(void **state) {
    static const char *const rows[][2] = {
        {"<w:p><w:r><w:t>before </w:t></w:r><w:r><mc:AlternateContent><mc:Choice "
         "Requires=\"wps\">"
         "<w:drawing><wp:anchor><a:graphic><a:graphicData><wps:wsp><wps:txbx><w:txbxContent>" P(
             "boxed")
             ITEM("1",
                  "item") "</w:txbxContent></wps:txbx></wps:wsp></a:graphicData>"
                          "</a:graphic></wp:anchor></w:drawing></"
                          "mc:Choice><mc:Fallback><w:pict><v:textbox>"
                          "<w:txbxContent>" P(
                              "boxed") "</w:txbxContent></v:textbox></w:pict></mc:Fallback>"
                                       "</mc:AlternateContent></w:r><w:r><w:t>after</w:t></"
                                       "w:r></w:p>",
         "paragraph:before after|paragraph:boxed|list:item"},
        {"<w:p><w:r><mc:AlternateContent><mc:Choice Requires=\"cx1\"><w:t>new</w:t></mc:Choice>"
         "<mc:Fallback><w:t>old</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>",
         "paragraph:old"},
        {"<w:p><w:r><w:pict><v:shape><v:textbox><w:txbxContent>" P("a") "<w:tbl><w:tr>" CELL(
             "", "1") CELL("", "2") "</w:tr></w:tbl></w:txbxContent></v:textbox></v:shape>"
                                    "</w:pict><w:t>text</w:t></w:r></w:p>",
         "paragraph:text|paragraph:a|table:1;2"},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void test_languages(void **state) {
    vl_parts *parts =
        read_body(P("An ordinary line of text that is longer than all others") STYLED(
            "Kisw",
            "Mvua kubwa imenyesha") "<w:p><w:r><w:rPr><w:lang "
                                    "w:val=\"fr-FR\"/></w:rPr><w:t>Les "
                                    "familles sont parties</w:t>"
                                    "</w:r><w:r><w:t> ok</w:t></w:r></w:p>"
                                    "<w:p><w:r><w:rPr><w:rtl/><w:lang "
                                    "w:bidi=\"fa-IR\"/></w:rPr><w:t>باران سنگین</w:t></w:r>"
                                    "</w:p><w:p><w:r><w:t>هطلت "
                                    "أمطار</w:t></w:r></w:p><w:p><w:r><w:t>大雨</w:t></w:r></"
                                    "w:p>");
    static const char *const declared[] = {"eng", "swa", "fra", "fas", "ara", "cmn"};
    (void)state;
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(parts->parts[i].declared, declared[i]);
    assert_string_equal(parts->declared, "eng");
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
    static const char workbook[] =
        XML "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"/>";
    static const char doctype[] =
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaa\">]><w:document" NAMESPACES
        "><w:body>" P("&a;") "</w:body></w:document>";
    static const char cut[] = "<w:document" NAMESPACES "><w:body><w:p><w:r><w:t>half";
    static const struct {
        const char *root, *document;
        vl_status status;
        const char *message;
    } rows[] = {
        {root_relations, workbook, VL_ERR_UNSUPPORTED, "<workbook>"},
        {root_relations, doctype, VL_ERR_INPUT, "document type"},
        {root_relations, cut, VL_ERR_INPUT, "well-formed"},
        {root_relations, "", VL_ERR_INPUT, "word/document.xml"},
        {"<Relationships xmlns=\"" PKG "\"/>", workbook, VL_ERR_UNSUPPORTED, "no document"},
        {"<Relationships xmlns=\"" PKG "\"><Relationship Id=\"a\" Type=\"" R
         "/officeDocument\" Target=\"word/none.xml\"/></Relationships>",
         workbook, VL_ERR_INPUT, "word/none.xml"},
        {"broken", workbook, VL_ERR_INPUT, "_rels/.rels"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_error error = {0};
        vl_status status = status_of((packed[]){{"[Content_Types].xml", content_types, 0},
                                                {"_rels/.rels", rows[i].root, 0},
                                                {"word/document.xml", rows[i].document, 0},
                                                {0}},
                                     &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].message))
            fail_msg("row %zu: %s: %s", i, vl_status_name(status), error.message);
    }
    vl_error error = {0};
    assert_int_equal(
        status_of((packed[]){{"mimetype", "application/epub+zip", 0}, {0}}, &error),
        VL_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "EPUB"));
}

/* Cut anywhere, the archive has no directory. */
static void test_cut(void **state) {
    vl_buf zip;
    (void)state;
    make(&zip, P("whole"), NULL);
    for (size_t count = 5; count < zip.len - 1; count += 1 + zip.len / 40) {
        vl_parts *parts;
        vl_error error = {0};
        assert_int_equal(read_bytes(zip.data, count, &parts, &error), VL_ERR_INPUT);
        assert_null(parts);
    }
    vl_buf_deinit(&zip);
}

/* Every byte may be wrong: an error, or a document, and nothing worse. */
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
    vl_buf body, zip;
    vl_parts *parts;
    vl_buf_init(&body, (size_t)128 << 20);
    vl_buf_printf(&body, "<w:document" NAMESPACES "><w:body>%s", begin);
    for (size_t i = 0; i < times; i++)
        vl_buf_puts(&body, repeated);
    vl_buf_printf(&body, "%s</w:body></w:document>", end);
    pack(&zip, (packed[]){{"[Content_Types].xml", content_types, 0},
                          {"_rels/.rels", root_relations, 0},
                          {"word/document.xml", body.data, body.len},
                          {0}});
    vl_status status = read_bytes(zip.data, zip.len, &parts, error);
    vl_buf_deinit(&zip);
    vl_buf_deinit(&body);
    vl_arena_reset(arena);
    return status;
}

static void test_limits(void **state) {
    static const struct {
        const char *begin, *repeated, *end;
        size_t times;
        vl_status status;
        const char *message;
    } rows[] = {
        {"", "<w:sdt><w:sdtContent>", "", 200, VL_ERR_LIMIT, "deep"},
        {"", P("x"), "", 210000, VL_ERR_LIMIT, "parts"},
        {"<w:tbl>", "<w:tr><w:tc>" P("x") "</w:tc></w:tr>", "</w:tbl>", 70000, VL_ERR_LIMIT,
         "rows"},
        {"<w:tbl><w:tr>", CELL("", "x"), "</w:tr></w:tbl>", 1100, VL_ERR_LIMIT, "columns"},
        {"<w:p>", "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>", "</w:p>", 1000, VL_OK, ""},
        /* a bomb: 100 MB of spaces, which deflate to 100 KB */
        {"<w:p><w:r><w:t>",
         "                                                                                "
         "                                                                                "
         "                                                                                ",
         "</w:t></w:r></w:p>", 440000, VL_ERR_LIMIT, "unpacked"},
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
        cmocka_unit_test(test_text),      cmocka_unit_test(test_structure),
        cmocka_unit_test(test_changes),   cmocka_unit_test(test_notes),
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_odd_tables),
        cmocka_unit_test(test_pictures),  cmocka_unit_test(test_text_boxes),
        cmocka_unit_test(test_languages), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cut),       cmocka_unit_test(test_spoiled),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
