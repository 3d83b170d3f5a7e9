/* Tests of documents of pages: PDFs made here by cairo, and the reports of ../shared/data where
 * they are: embedded words, rubbish, tables and figures, pictures cut out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataset/pdf_text.h"

#include <cairo-pdf.h>
#include <dirent.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTS TEST_SOURCE_DIR "/../shared/data/reports"

static vl_arena *arena;
static vl_langid *langid;
static vl_ngram *ngram;

static int set_up(void **state) {
    (void)state;
    arena = vl_arena_new((size_t)512 << 20);
    return arena && !vl_langid_open(NULL, &langid, NULL) && !vl_ngram_open(NULL, &ngram, NULL)
               ? 0
               : -1;
}

static int tear_down(void **state) {
    (void)state;
    vl_ngram_free(ngram);
    vl_langid_free(langid);
    vl_arena_free(arena);
    return 0;
}

/* ---- what poppler's programs print ----------------------------------------------------------
 */

static void test_parse(void **state) {
    static const char printed[] =
        "<doc>\n<page width=\"100.5\" height=\"200\">\n<flow><block xMin=\"1\"><line "
        "xMin=\"1\">"
        "<word xMin=\"1.5\" yMin=\"-2\" xMax=\"30\" yMax=\"4\">a&lt;&amp;b&#x;</word>"
        "<word xMin=\"x\" yMin=\"1e999\" xMax=\"nan\">\x01\x7F</word></line>"
        "<line xMin=\"1\"><word xMin=\"3\">c</word></line></block></flow></page><page "
        "width=\"5\" height=\"6\">"
        "<word xMin=\"1\"></word><word xMin=\"7\">cut";
    pdf_page_text pages[3] = {0};
    (void)state;
    assert_true(pdf_text_parse(printed, 3, arena, pages));
    assert_int_equal(pages[0].count, 3);
    assert_true(pages[0].width == 100.5 && pages[0].height == 200);
    assert_string_equal(pages[0].words[0].text, "a<&b&#x;");
    assert_true(pages[0].words[0].y0 == -2);
    assert_string_equal(pages[0].words[1].text, "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_true(pages[0].words[1].y0 == 0 && pages[0].words[1].x1 == 0);
    assert_int_equal(pages[0].words[1].line, 1);
    assert_int_equal(pages[0].words[2].line, 2);
    assert_int_equal(pages[1].count, 0);
    assert_true(pages[2].width == 0);
}

static void test_images(void **state) {
    static const char printed[] = "page   num  type   width height color comp bpc  enc interp  "
                                  "object ID x-ppi y-ppi size "
                                  "ratio\n------\n"
                                  "   2     0 image    1700  2200  gray    1   8  jpeg   no    "
                                  "    28  0   200   200 9K 1%\n"
                                  "   2     1 smask    1700  2200  gray    1   8  jpeg   no    "
                                  "    28  0     1     1 9K 1%\n"
                                  "   3     2 image     100   100  gray    1   8  jpeg   no    "
                                  "    28  0   100   100 9K 1%\n"
                                  "   9     2 image     100   100  gray    1   8  jpeg   no    "
                                  "    28  0     0     0 9K 1%";
    pdf_page_text pages[2] = {{.width = 612, .height = 792}, {.width = 720, .height = 72}};
    (void)state;
    pdf_images_parse(printed, 1, 2, pages);
    assert_true(pages[0].scanned > 0.99);
    assert_true(pages[1].scanned > 0.09 && pages[1].scanned < 0.11);
}

static void test_order(void **state) {
    /* from the left, as poppler has them: a word that was drawn letter by letter with a
     * ligature, one that was drawn whole, and a number */
    pdf_word words[] = {{"ث", 0, 0, 5, 10, 1, 1},       {"لا", 5.2, 0, 9, 10, 1, 1},
                        {"ث", 9, 0, 12, 10, 1, 1},      {"ل", 12, 0, 14, 10, 1, 1},
                        {"ا", 14, 0, 16, 10, 1, 1},     {"25", 20, 0, 26, 10, 1, 1},
                        {"راطمأ", 30, 0, 50, 10, 1, 1}, {"one", 60, 0, 70, 10, 1, 1},
                        {"two", 70, 0, 80, 10, 1, 1}};
    static const char *const expected[] = {"one", "two", "أمطار", "25", "الثلاث"};
    pdf_page_text page = {.words = words, .count = sizeof words / sizeof *words};
    (void)state;
    assert_true(pdf_text_order(&page, arena));
    assert_int_equal(page.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < page.count; i++)
        assert_string_equal(page.words[i].text, expected[i]);
    assert_true(page.words[4].x0 == 0 && page.words[4].x1 == 16);
}

/* A line's words as poppler has them, parted by spaces; each letter is two points wide. */
static char *order_line(const char *line) {
    pdf_page_text page = {.words = vl_arena_array(arena, 40, sizeof *page.words)};
    char *copy = vl_arena_strdup(arena, line), *save = NULL;
    vl_buf out;
    double x = 10;
    for (char *at = strtok_r(copy, " ", &save); at; at = strtok_r(NULL, " ", &save)) {
        double width = 2 * (double)vl_text_grapheme_count(at);
        page.words[page.count++] = (pdf_word){at, x, 0, x + width, 10, 1, 1};
        x += width + 3;
    }
    assert_true(pdf_text_order(&page, arena));
    vl_buf_init(&out, 1000);
    for (size_t i = 0; i < page.count; i++)
        vl_buf_printf(&out, "%s%s", i ? " " : "", page.words[i].text);
    char *text = vl_arena_strdup(arena, out.data ? out.data : "");
    vl_buf_deinit(&out);
    return text;
}

static void test_lines(void **state) {
    static const char *const rows[][2] = {
        /* brackets as what they mean, and as what they look like */
        {")WFP( جمانرب", "برنامج (WFP)"},
        {"(WFP) جمانرب", "برنامج (WFP)"},
        {")ةأرما x (0) 12 مهنم( 30", "30 (منهم x (0) 12 امرأة)"},
        {"ءاسن :١ لكشلا", "الشكل ١: نساء"},
        {".11922334455 مقر", "رقم 11922334455."},
        {"وأ 5678 234 91 249+ وأ", "أو +249 91 234 5678 أو"},
        {"وأ +249 91 234 5678 وأ", "أو +249 91 234 5678 أو"},
        {"UNICEF Sudan Office رقم يف عامتجالا دقعنا",
         "انعقد الاجتماع في مقر UNICEF Sudan Office"},
        {"ناكسلا نم %45 وحن", "نحو 45% من السكان"},
        {"12/05/2025 يف", "في 12/05/2025"},
        {"תונש 45% דועב", "בעוד 45% שנות"},
        /* a glyph of two letters within a word */
        {"لىع ةيذغلأا", "الأغذية على"},
        /* from left to right */
        {"(one) 5 +249 two)", "(one) 5 +249 two)"},
        {"The word يملاع جمانرب is Arabic.", "The word برنامج عالمي is Arabic."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(order_line(rows[i][0]), rows[i][1]);
}

/* ---- rubbish ------------------------------------------------------------------------------
 */

static pdf_rubbish measure(const char *text) {
    pdf_page_text page = {.width = 600, .height = 800};
    pdf_rubbish measured;
    char *copy = vl_arena_strdup(arena, text), *save = NULL;
    page.words = vl_arena_array(arena, strlen(text) + 1, sizeof *page.words);
    for (char *at = strtok_r(copy, " \n", &save); at; at = strtok_r(NULL, " \n", &save))
        page.words[page.count++] =
            (pdf_word){.text = at, .x0 = 10, .x1 = 20, .y0 = 10, .y1 = 20};
    assert_true(pdf_rubbish_measure(&page, langid, ngram, arena, &measured));
    return measured;
}

static void test_rubbish(void **state) {
    static const struct {
        const char *text;
        bool rubbish;
    } rows[] = {
        {"", false},
        {"12 345 67.8 % 2024-05-01 A/RES/80/116", false},
        {"Mvua kubwa imenyesha katika wilaya tatu za kaskazini kwa siku nne mfululizo na mto "
         "umejaa. Familia nyingi zimehamia shuleni na sehemu za juu.",
         false},
        {"ከባድ ዝናብ በሦስት ሰሜናዊ ወረዳዎች ለአራት ተከታታይ ቀናት ጥሏል። ብዙ ቤተሰቦች ወደ ትምህርት ቤቶች ተዛውረዋል። ወንዙም ሞልቷል "
         "መንገዶችም ተዘግተዋል።",
         false},
        {"هطلت أمطار غزيرة على المناطق الشمالية الثلاث لليوم الرابع على التوالي وارتفع منسوب "
         "النهر وانتقلت العائلات إلى المدارس",
         false},
        /* "The document was submitted late …", every letter moved by 29 as fonts without a map
         * are read */
        {"7KH GRFXPHQW ZDV VXEPLWWHG ODWH LQ RUGHU WR UHIOHFW WKH PRVW UHFHQW GHYHORSPHQWV DQG "
         "WKH YLHZV RI 0HPEHU 6WDWHV RQ WKH VLWXDWLRQ RI ROGHU SHUVRQV",
         true},
        {"\xEF\x81\x94\xEF\x81\xA8\xEF\x81\xA5 \xEF\x81\xA4\xEF\x81\xAF\xEF\x81\xA3", true},
        {"Тhе dосumеnt wаs submittеd lаtе in оrdеr tо rеflесt thе mоst rесеnt dеvеlорmеnts",
         true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pdf_rubbish m = measure(rows[i].text);
        if ((m.score >= PDF_RUBBISH) != rows[i].rubbish)
            fail_msg("row %zu: %.2f (impossible %.2f, mixed %.2f, foreign %.2f, surprise %.2f)",
                     i, m.score, m.impossible, m.mixed, m.foreign, m.surprise);
        assert_true(!rows[i].rubbish || m.reason != NULL);
    }
}

/* Ways in which fonts without a right map spoil text. */
static void shift_letters(char *word) {
    for (char *at = word; *at; at++)
        if (*at > ' ' + 29 && *at < 0x7F)
            *at = (char)(*at - 29);
}

static void permute_letters(char *word) {
    static const char to[] = "qwertyuiopasdfghjklzxcvbnm";
    for (char *at = word; *at; at++)
        *at = *at >= 'a' && *at <= 'z'   ? to[*at - 'a']
              : *at >= 'A' && *at <= 'Z' ? (char)(to[*at - 'A'] - 32)
                                         : *at;
}

static void lose_letters(char *word) { /* every third glyph has no character */
    static int turn;
    for (char *at = word; *at; at++)
        if (*at > ' ' && (unsigned char)*at < 0x7F && ++turn % 3 == 0)
            *at = '\x01';
}

static void spoil(pdf_page_text *page, void (*how)(char *word)) {
    for (size_t i = 0; i < page->count; i++) {
        char *copy = vl_arena_strdup(arena, page->words[i].text);
        how(copy);
        page->words[i].text = copy;
    }
}

static size_t letters_of(const pdf_page_text *page) {
    size_t count = 0;
    for (size_t i = 0; i < page->count; i++)
        for (const char *at = page->words[i].text; *at; at++)
            count += (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
    return count;
}

typedef struct rates {
    size_t pages, taken_for_rubbish, spoiled, found[3];
} rates;

static void measure_page(const pdf_page_text *page, rates *r) {
    static void (*const ways[])(char *word) = {shift_letters, permute_letters, lose_letters};
    pdf_rubbish m;
    assert_true(pdf_rubbish_measure(page, langid, ngram, arena, &m));
    r->pages++;
    r->taken_for_rubbish += m.score >= PDF_RUBBISH;
    if (letters_of(page) < 200)
        return;
    r->spoiled++;
    for (size_t i = 0; i < 3; i++) {
        pdf_page_text copy = *page;
        copy.words = vl_arena_array(arena, page->count, sizeof *copy.words);
        memcpy(copy.words, page->words, page->count * sizeof *copy.words);
        spoil(&copy, ways[i]);
        assert_true(pdf_rubbish_measure(&copy, langid, ngram, arena, &m));
        r->found[i] += m.score >= PDF_RUBBISH;
    }
}

static bool measure_file(const char *name, rates *r) {
    char path[1024];
    vl_buf file;
    vl_error error = {0};
    vl_document *document = NULL;
    vl_media_limits limits = vl_media_limits_default();
    snprintf(path, sizeof path, "%s/%s", REPORTS, name);
    vl_buf_init(&file, (size_t)64 << 20);
    bool ok = !vl_file_read(path, (size_t)64 << 20, &file, &error) &&
              vl_media_sniff(file.data, file.len) == VL_MEDIA_PDF &&
              !vl_document_open(file.data, file.len, &limits, &document, &error);
    if (ok) {
        uint32_t count = vl_document_page_count(document);
        pdf_page_text *pages;
        assert_int_equal(
            pdf_text_read(file.data, file.len, 0, count - 1, &limits, arena, &pages, &error),
            VL_OK);
        for (uint32_t i = 0; i < count; i++)
            measure_page(&pages[i], r);
    }
    vl_document_free(document);
    vl_buf_deinit(&file);
    vl_arena_reset(arena);
    return ok;
}

static void test_reports(void **state) {
    DIR *folder = opendir(REPORTS);
    rates r = {0};
    (void)state;
    if (!folder) {
        printf("SKIPPED: no reports in %s\n", REPORTS);
        skip();
    }
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            measure_file(entry->d_name, &r);
    closedir(folder);
    printf(
        "%zu pages: %zu taken for rubbish; of %zu spoiled: letters moved %zu, exchanged %zu, "
        "lost %zu found\n",
        r.pages, r.taken_for_rubbish, r.spoiled, r.found[0], r.found[1], r.found[2]);
    assert_true(r.taken_for_rubbish * 50 <= r.pages);
    for (size_t i = 0; i < 3; i++)
        assert_true(r.found[i] * 20 >= r.spoiled * 19);
}

/* ---- whole documents ------------------------------------------------------------------------
 */

static cairo_status_t keep(void *user, const unsigned char *bytes, unsigned count) {
    vl_buf_append(user, bytes, count);
    return CAIRO_STATUS_SUCCESS;
}

static void draw_text(cairo_t *cairo, double x, double y, const char *font, const char *text) {
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *description = pango_font_description_from_string(font);
    pango_layout_set_font_description(layout, description);
    pango_layout_set_width(layout, 450 * PANGO_SCALE);
    pango_layout_set_text(layout, text, -1);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, layout);
    pango_font_description_free(description);
    g_object_unref(layout);
}

static void draw_table(cairo_t *cairo, double x, double y) {
    static const char *const cells[3][3] = {
        {"District", "Families", "Share"}, {"North", "1204", "31 %"}, {"South", "988", "27 %"}};
    cairo_set_line_width(cairo, 1);
    for (int i = 0; i < 4; i++) {
        cairo_move_to(cairo, x, y + 24 * i);
        cairo_line_to(cairo, x + 300, y + 24 * i);
        cairo_move_to(cairo, x + 100 * i, y);
        cairo_line_to(cairo, x + 100 * i, y + 72);
    }
    cairo_stroke(cairo);
    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 3; column++)
            draw_text(cairo, x + 100 * column + 6, y + 24 * row + 4, "DejaVu Sans 10",
                      cells[row][column]);
}

static void draw_bars(cairo_t *cairo, double x, double y) {
    for (int i = 0; i < 5; i++) {
        cairo_rectangle(cairo, x + 50 * i, y + 20 * i, 40, 140 - 20 * i);
        cairo_set_source_rgb(cairo, 0.1 * i, 0.3, 0.7);
        cairo_fill(cairo);
    }
    cairo_set_source_rgb(cairo, 0, 0, 0);
    cairo_rectangle(cairo, x - 8, y + 140, 270, 2);
    cairo_fill(cairo);
}

static void make_pdf(vl_buf *pdf) {
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(keep, pdf, 595, 842);
    cairo_t *cairo = cairo_create(surface);
    draw_text(cairo, 60, 50, "DejaVu Sans Bold 20", "Floods in the north");
    draw_text(
        cairo, 60, 100, "DejaVu Sans 11",
        "Heavy rain fell on the three northern districts for the fourth day in a row, and "
        "the river has risen. Figure 1 shows the rain of each day, and Table 1 the "
        "families that had to move.");
    draw_bars(cairo, 120, 190);
    draw_text(cairo, 120, 350, "DejaVu Sans 9", "Figure 1: Chart of the rain by day");
    draw_text(cairo, 100, 420, "DejaVu Sans 9", "Table 1: Families by district");
    draw_table(cairo, 100, 445);
    cairo_show_page(cairo);
    draw_text(cairo, 60, 50, "Noto Sans Arabic 14",
              "هطلت أمطار غزيرة على المناطق الشمالية الثلاث لليوم الرابع على التوالي");
    cairo_show_page(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

/* Paragraphs of Arabic, Urdu and Hebrew with all that runs the other way come out as they were
 * set, each as one part. */
static void test_right_to_left(void **state) {
    static const char *const paragraphs[] = {
        "توزيع مساعدات غذائية في مخيم زمزم (WFP)",
        "بدأ برنامج الأغذية العالمي (WFP) توزيع مساعدات غذائية على ١٢٬٥٠٠ أسرة نازحة في ٣ مارس "
        "٢٠٢٥، أي نحو 45% من السكان (انظر الجدول ١)، وفق ما أعلنه المتحدث باسم البرنامج.",
        "للاستفسار يرجى الاتصال على الرقم ٠٩١٢٣٤٥٦٧٨ أو +249 91 234 5678 أو info@example.org، "
        "ورقم "
        "الهوية الوطنية للمنسق هو 11922334455. ويقع المأوى الجديد عند 13.49876, 25.31245.",
        "انعقد الاجتماع في 12/05/2025 في مقر UNICEF Sudan Office بحضور 30 مشاركا [منهم 12 "
        "امرأة]؛ "
        "هل حضر الجميع؟",
        "اقوام متحدہ نے 14 اگست 1947ء کو (United Nations) کے دفتر سے رابطہ کیا، فون: +92 51 "
        "835 "
        "5600، اور 75.5% خاندانوں کو امداد ملی۔",
        "הארגון (UNICEF) הודיע כי 45% מן המשפחות קיבלו סיוע וכי הסיוע יימשך לפחות עד "
        "31/12/2025 "
        "[ראו טבלה 1] בכל המחוזות.",
        "الشكل ١: نساء ينتظرن استلام السلال الغذائية",
    };
    enum { COUNT = sizeof paragraphs / sizeof *paragraphs };
    vl_parts_options options = vl_parts_options_default();
    vl_parts *parts;
    vl_error error = {0};
    vl_buf pdf;
    (void)state;
    vl_buf_init(&pdf, 16 << 20);
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(keep, &pdf, 595, 842);
    cairo_t *cairo = cairo_create(surface);
    for (size_t i = 0; i < COUNT; i++)
        draw_text(cairo, 70, 60 + 104 * (double)i, "Noto Naskh Arabic 12", paragraphs[i]);
    cairo_show_page(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    if (vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < COUNT && i < parts->part_count; i++)
        assert_string_equal(parts->parts[i].text, paragraphs[i]);
    assert_int_equal(parts->part_count, COUNT);
    vl_buf_deinit(&pdf);
}

static size_t find_part(const vl_parts *parts, vl_part_kind kind) {
    for (size_t i = 0; i < parts->part_count; i++)
        if (parts->parts[i].kind == kind)
            return i;
    fail_msg("no %s", vl_part_kind_name(kind));
    return 0;
}

static void check_picture(const vl_parts *parts, size_t index) {
    vl_image *image;
    vl_error error = {0};
    vl_box box = parts->parts[index].box;
    assert_int_equal(vl_parts_picture(parts, index, NULL, &image, &error), VL_OK);
    assert_int_equal(image->width, box.width);
    assert_int_equal(image->height, box.height);
    /* 250 or 300 points wide, at 200 dpi */
    assert_true(image->width > 600 && image->width < 900);
    vl_image_free(image);
}

static void test_document(void **state) {
    vl_parts_options options = vl_parts_options_default();
    vl_parts *parts;
    vl_error error = {0};
    vl_buf pdf;
    (void)state;
    vl_buf_init(&pdf, 16 << 20);
    make_pdf(&pdf);
    options.langid = langid;
    options.ngram = ngram;
    if (vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error))
        fail_msg("%s", error.message);
    assert_int_equal(parts->page_count, 2);
    assert_string_equal(parts->parts[0].text, "Floods in the north");
    assert_int_equal(parts->parts[0].kind, VL_PART_HEADING);
    size_t text = find_part(parts, VL_PART_PARAGRAPH), chart = find_part(parts, VL_PART_CHART);
    size_t table = find_part(parts, VL_PART_TABLE);
    assert_string_equal(parts->parts[text].language, "eng");
    assert_false(parts->parts[text].ocr);
    assert_non_null(strstr(parts->parts[text].text, "the fourth day in a row, and the river"));
    assert_string_equal(parts->parts[chart].label, "Figure 1");
    assert_int_equal(parts->parts[chart].mention_count, 1);
    assert_int_equal(parts->parts[chart].mentions[0], text);
    assert_string_equal(parts->parts[table].text,
                        "District\tFamilies\tShare\nNorth\t1204\t31 %\nSouth\t988\t27 %");
    assert_string_equal(parts->parts[table].label, "Table 1");
    assert_int_equal(parts->parts[table].mentions[0], text);
    check_picture(parts, chart);
    const vl_part *arabic = &parts->parts[parts->part_count - 1];
    while (arabic->page && !strstr(arabic->text, "أمطار غزيرة"))
        arabic--;
    assert_int_equal(arabic->page, 1);
    assert_string_equal(arabic->script, "Arab");
    assert_string_equal(arabic->language, "ara");
    assert_false(arabic->ocr);
    vl_buf_deinit(&pdf);
}

/* What is cut out of one page draws it once: it can be had when the document is gone. */
static void test_page_pictures(void **state) {
    vl_parts_options options = vl_parts_options_default();
    vl_media_limits small = vl_media_limits_default();
    vl_image *image;
    vl_parts *parts;
    vl_error error = {0};
    vl_buf pdf;
    (void)state;
    vl_buf_init(&pdf, 16 << 20);
    make_pdf(&pdf);
    assert_int_equal(vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error), VL_OK);
    size_t chart = find_part(parts, VL_PART_CHART), table = find_part(parts, VL_PART_TABLE);
    small.max_side = 500;
    assert_int_equal(vl_parts_page_picture(parts, 0, &small, &image, &error), VL_ERR_LIMIT);
    assert_null(image);
    for (uint32_t page = 2; page-- > 0;) {
        assert_int_equal(vl_parts_page_picture(parts, page, NULL, &image, &error), VL_OK);
        assert_int_equal(image->width, parts->pages[page].width);
        assert_int_equal(image->height, parts->pages[page].height);
        vl_image_free(image);
    }
    memset(pdf.data, 0, pdf.len);
    check_picture(parts, chart);
    check_picture(parts, table);
    assert_int_equal(vl_parts_page_picture(parts, 0, NULL, &image, &error), VL_OK);
    vl_image_free(image);
    assert_int_not_equal(vl_parts_page_picture(parts, 1, NULL, &image, &error), VL_OK);
    assert_int_equal(vl_parts_page_picture(parts, 2, NULL, &image, &error), VL_ERR_USAGE);
    assert_int_equal(vl_parts_picture(parts, 0, NULL, &image, &error), VL_ERR_USAGE);
    vl_buf_deinit(&pdf);
}

/* ---- running heads -------------------------------------------------------------------------
 */

static const char *const sentences[] = {
    "The rains of the fourth week reached the southern districts, where the river had already "
    "left its banks, and the roads to the market towns were closed for",
    "two days. Families moved to the schools on the hill, and the water of the wells was "
    "tested "
    "by the teams of the district, who found that most of it was",
    "Unity State. Seeds that were stored on the ground were lost, and the next harvest of the "
    "lowlands will be smaller than that of the year before by a third.",
    "A new paragraph begins here, with a sentence that is long enough for the line to be full "
    "and that ends where the page does, as sentences sometimes do.",
};

/* A head that is the same, one that changes sides, a number that counts with the pages, and
 * titles of chapters at one place that are none of these. */
static void make_report(vl_buf *pdf, const char *const *lasts, size_t count) {
    static const char *const chapters[] = {"Water", "Harvest", "Schools", "Roads"};
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(keep, pdf, 595, 842);
    cairo_t *cairo = cairo_create(surface);
    for (size_t i = 0; i < count; i++) {
        char number[16];
        snprintf(number, sizeof number, "Page %zu of 9", i + 7);
        draw_text(cairo, i % 2 ? 60 : 420, 30, "DejaVu Sans 8", "Report 12/2025");
        draw_text(cairo, 60, 70, "DejaVu Sans Bold 14", chapters[i % 4]);
        draw_text(cairo, 60, 120, "DejaVu Sans 11", sentences[i % 4]);
        draw_text(cairo, 60, 640, "DejaVu Sans 11", lasts[i]);
        draw_text(cairo, 280, 805, "DejaVu Sans 8", number);
        cairo_show_page(cairo);
    }
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

static vl_parts *read_report(const char *const *lasts, size_t count) {
    vl_parts_options options = vl_parts_options_default();
    vl_parts *parts;
    vl_error error = {0};
    vl_buf pdf;
    vl_buf_init(&pdf, 16 << 20);
    make_report(&pdf, lasts, count);
    options.langid = langid;
    if (vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error))
        fail_msg("%s", error.message);
    vl_buf_deinit(&pdf);
    return parts;
}

static void test_running(void **state) {
    static const char *const lasts[] = {
        "One ends in the middle of what it says, since the page is at its end, and the rest of "
        "it is found on the page that comes next, so that readers turn it and go on to see",
        "Two comes to its end on this page, with a sentence that has a full stop behind its "
        "last "
        "word, so that nothing on the page that comes next has anything to do with it.",
        "Three ends in the middle of what it says, since the page is at its end, and the rest "
        "of "
        "it is found on the page that comes next, so that readers turn it and go on to see",
        "Four is the last."};
    size_t running = 0;
    vl_parts *parts = read_report(lasts, 4);
    (void)state;
    assert_int_equal(parts->page_count, 4);
    for (size_t i = 0; i < parts->part_count; i++) {
        const vl_part *part = &parts->parts[i];
        bool head = strstr(part->text, "Report 12/2025") || strstr(part->text, "of 9");
        assert_int_equal(part->kind == VL_PART_RUNNING, head);
        running += head;
        if (i && part[-1].kind == VL_PART_RUNNING && !head)
            assert_int_equal(part->page, part[-1].page + 1); /* behind the text of its page */
    }
    assert_int_equal(running, 8);
    assert_string_equal(vl_part_kind_name(VL_PART_RUNNING), "running");
}

/* What goes on: in lower case, or a whole line of the same width; not after a full stop. */
static void test_over_pages(void **state) {
    static const char *const lasts[] = {
        "Sand was carried down from the hills to the fields, where it lies so high that no one "
        "can sow before it is taken away, for which there are neither tools nor hands enough "
        "in",
        "Grain for three weeks is in the stores of the district, and more is on its way from "
        "the "
        "port by road, where the bridge that was broken has been mended with boats.",
        "People of all ages came to the meeting under the tree."};
    vl_parts_options options = vl_parts_options_default();
    vl_parts *parts;
    vl_error error = {0};
    vl_buf pdf;
    size_t links = 0;
    (void)state;
    vl_buf_init(&pdf, 16 << 20);
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(keep, &pdf, 595, 842);
    cairo_t *cairo = cairo_create(surface);
    for (size_t i = 0; i < 3; i++) {
        draw_text(cairo, 60, 60, "DejaVu Sans 11", sentences[i]);
        draw_text(cairo, 60, 700, "DejaVu Sans 11", i ? lasts[i] : lasts[0]);
        cairo_show_page(cairo);
    }
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    assert_int_equal(vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error), VL_OK);
    for (size_t i = 0; i < parts->part_count; i++) {
        size_t next = parts->parts[i].goes_on;
        if (!next)
            continue;
        links++;
        assert_true(strstr(parts->parts[i].text, "Sand was") == parts->parts[i].text);
        assert_true(next > i && parts->parts[next].continues);
        assert_int_equal(parts->parts[next].page, 1);
        const char *whole = vl_parts_whole_text(parts, i, arena);
        assert_non_null(strstr(whole, "nor hands enough in two days. Families"));
        assert_string_equal(vl_parts_whole_text(parts, next, arena), parts->parts[next].text);
    }
    assert_int_equal(links, 1);
    vl_buf_deinit(&pdf);
}

static vl_status open_engine(void *user, vl_ocr **ocr, vl_error *error) {
    vl_ocr_options reading = vl_ocr_options_default();
    vl_ocr **kept = user;
    assert_null(*kept); /* asked once */
    vl_status status = vl_ocr_new(&reading, kept, error);
    *ocr = *kept;
    return status;
}

/* Engines are opened for the page that needs them. */
static void test_engines(void **state) {
    vl_parts_options options = vl_parts_options_default();
    vl_error error = {0};
    vl_parts *parts;
    vl_ocr *ocr = NULL;
    vl_buf pdf;
    (void)state;
    options.open_ocr = open_engine;
    options.user = &ocr;
    vl_buf_init(&pdf, 16 << 20);
    make_pdf(&pdf);
    assert_int_equal(vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error), VL_OK);
    assert_null(ocr);
    assert_false(parts->pages[0].ocr);
    vl_buf_clear(&pdf);
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(keep, &pdf, 300, 200);
    cairo_t *cairo = cairo_create(surface);
    cairo_show_page(cairo);
    cairo_show_page(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    assert_int_equal(vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error), VL_OK);
    assert_non_null(ocr);
    assert_int_equal(parts->page_count, 2);
    vl_ocr_free(ocr);
    vl_buf_deinit(&pdf);
}

/* What poppler says of a broken PDF is explained. */
static void test_explained(void **state) {
    static const char broken[] = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n";
    vl_media_limits limits = vl_media_limits_default();
    pdf_page_text *pages;
    vl_error error = {0};
    (void)state;
    assert_int_equal(
        pdf_text_read(broken, sizeof broken - 1, 0, 0, &limits, arena, &pages, &error),
        VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "PDF"));
}

/* A page whose text is drawn and not written: OCR reads it, and without OCR it has no parts. */
static void test_scan(void **state) {
    vl_ocr_options reading = vl_ocr_options_default();
    vl_parts_options options = vl_parts_options_default();
    vl_error error = {0};
    vl_parts *parts;
    vl_buf pdf;
    (void)state;
    vl_buf_init(&pdf, 16 << 20);
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(keep, &pdf, 595, 842);
    cairo_t *cairo = cairo_create(surface);
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    pango_layout_set_width(layout, 450 * PANGO_SCALE);
    pango_layout_set_text(layout,
                          "Heavy rain fell on the three northern districts for the fourth day "
                          "in a row, and the river has risen.",
                          -1);
    cairo_move_to(cairo, 60, 80);
    pango_cairo_layout_path(cairo, layout);
    cairo_fill(cairo);
    g_object_unref(layout);
    cairo_show_page(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    assert_int_equal(vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error), VL_OK);
    assert_int_equal(parts->part_count, 0);
    assert_string_equal(parts->pages[0].reason, "it has no text");
    assert_int_equal(vl_ocr_new(&reading, &options.ocr, &error), VL_OK);
    assert_int_equal(vl_parts_read(pdf.data, pdf.len, &options, arena, &parts, &error), VL_OK);
    vl_ocr_free(options.ocr);
    vl_buf_deinit(&pdf);
    assert_true(parts->pages[0].ocr);
    assert_true(parts->part_count > 0);
    assert_true(parts->parts[0].ocr && parts->parts[0].confidence > 0.5);
    assert_non_null(strstr(parts->parts[0].text, "three northern districts"));
}

static void test_broken(void **state) {
    static const char broken[] = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n";
    vl_parts *parts;
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_parts_read(broken, sizeof broken - 1, NULL, arena, &parts, &error),
                     VL_ERR_INPUT);
    assert_null(parts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),         cmocka_unit_test(test_images),
        cmocka_unit_test(test_rubbish),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_document),      cmocka_unit_test(test_scan),
        cmocka_unit_test(test_broken),        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_engines),       cmocka_unit_test(test_explained),
        cmocka_unit_test(test_page_pictures), cmocka_unit_test(test_running),
        cmocka_unit_test(test_over_pages),    cmocka_unit_test(test_lines),
        cmocka_unit_test(test_right_to_left),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
