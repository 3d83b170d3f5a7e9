/* Tests of web pages taken apart: parts and their order, tables, captions and mentions, main
 * content, encodings, languages, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <vislang/dataset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static vl_status read_typed(const void *bytes, size_t count, const char *type, vl_parts **parts,
                            vl_error *error) {
    vl_parts_options options = vl_parts_options_default();
    options.type = type;
    options.langid = langid;
    return vl_parts_read(bytes, count, &options, arena, parts, error);
}

static vl_parts *read_page(const char *html) {
    vl_parts *parts;
    vl_error error = {0};
    if (read_typed(html, strlen(html), "text/html", &parts, &error))
        fail_msg("%s", error.message);
    return parts;
}

/* "kind:text|kind:text", line ends as '/', tabs as ';'. */
static void describe(const vl_parts *parts, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < parts->part_count; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s:%s", i ? "|" : "",
                                 vl_part_kind_name(parts->parts[i].kind), parts->parts[i].text);
    for (char *at = out; *at; at++)
        *at = *at == '\n' ? '/' : *at == '\t' ? ';' : *at;
}

static void test_parts(void **state) {
    static const char *const rows[][2] = {
        {"<h1>One</h1><p>Two <b>three</b>\n four<br>five</p>six",
         "heading:One|paragraph:Two three four/five|paragraph:six"},
        {"<div>a<div>b<p>c</div>d</div>", "paragraph:a|paragraph:b|paragraph:c|paragraph:d"},
        {"<ul><li>a<li>b<ul><li>c</ul></ul>", "list:a/b/c"},
        {"<dl><dt>a<dd>b</dl>", "list:a/b"},
        {"<table><tr><th>a<th>b<tr><td>1<td>2</table>", "table:a;b/1;2"},
        {"<table><tr><td>only</td></tr></table>", "paragraph:only"},
        {"<table role=presentation><tr><td>a<td>b</table>", "paragraph:a|paragraph:b"},
        {"<p>x</p><img src=a.jpg alt='A map'>", "paragraph:x|map:A map"},
        {"<img src=a.jpg width=16><img src='data:image/gif;base64,R0lGOD'>", ""},
        {"<figure><img src=a.jpg><figcaption>Photo: a well</figcaption></figure>",
         "photograph:|caption:Photo: a well"},
        {"<img data-src=b.png src=''><p class=wp-caption-text>A river</p>",
         "figure:|caption:A river"},
        {"<pre>a\n b</pre>", "paragraph:a/b"},
        {"<p>&amp;&eacute;&#x1F600; &nbsp;x</p>", "paragraph:&é😀 x"},
        {"<script>var a='<p>no</p>'</script><style>p{}</style><p>yes</p>", "paragraph:yes"},
        {"", ""},
        {"   <!-- nothing -->  ", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char html[1024], out[1024];
        snprintf(html, sizeof html, "<html><body>%s</body></html>", rows[i][0]);
        describe(read_page(html), out, sizeof out);
        assert_string_equal(out, rows[i][1]);
    }
}

static void test_spans(void **state) {
    vl_parts *parts = read_page("<table><tr><th rowspan=2>a<th colspan=2>b"
                                "<tr><td>c<td>d<tr><td>e<td colspan=9999>f"
                                "<tr><td rowspan=99999999>g<td>h<td>i</table>");
    static const vl_part_cell cells[] = {
        {0, 0, 2, 1, true, "a"},  {0, 1, 1, 2, true, "b"},  {1, 1, 1, 1, false, "c"},
        {1, 2, 1, 1, false, "d"}, {2, 0, 1, 1, false, "e"}, {2, 1, 1, 999, false, "f"},
        {3, 0, 1, 1, false, "g"}, {3, 1, 1, 1, false, "h"}, {3, 2, 1, 1, false, "i"}};
    (void)state;
    assert_int_equal(parts->part_count, 1);
    const vl_part *table = &parts->parts[0];
    assert_int_equal(table->cell_count, sizeof cells / sizeof *cells);
    assert_int_equal(table->row_count, 4);
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

static void test_mentions(void **state) {
    vl_parts *parts = read_page(
        "<p>Figure 1 and Table 1 show it.</p>"                                    /* 0 */
        "<figure><img src=1.png><figcaption>Figure 1. Rain</figcaption></figure>" /* 1, 2 */
        "<p>Nothing.</p>"                                                         /* 3 */
        "<table><caption>Table 1: Sums</caption><tr><td>a<td>b</table>"           /* 4, 5 */
        "<p>كما يبين الشكل ١ أعلاه</p>"                                           /* 6 */
        "<p>Map 7 is not here.</p>"                                               /* 7 */
        "<h2>Annex</h2>"                                                          /* 8 */
        "<img src=2.png><p>Figure 1. Again</p>"                                   /* 9, 10 */
        "<p>This figure 1 is the second.</p>");                                   /* 11 */
    (void)state;
    assert_int_equal(parts->part_count, 12);
    assert_int_equal(parts->parts[1].caption, 2);
    assert_string_equal(parts->parts[1].label, "Figure 1");
    assert_int_equal(parts->parts[1].mention_count, 1);
    assert_int_equal(parts->parts[1].mentions[0], 0);
    assert_int_equal(parts->parts[5].caption, 4);
    assert_int_equal(parts->parts[5].mention_count, 1);
    assert_int_equal(parts->parts[5].mentions[0], 0);
    assert_int_equal(parts->parts[10].kind, VL_PART_CAPTION);
    assert_int_equal(parts->parts[9].caption, 10);
    assert_int_equal(parts->parts[9].mention_count, 2); /* nearer than the first of that name */
    assert_int_equal(parts->parts[9].mentions[0], 6);
    assert_int_equal(parts->parts[9].mentions[1], 11);
    assert_int_equal(parts->parts[7].caption, VL_PART_NONE);
}

#define STORY                                                                                  \
    "<p>Heavy rain fell on the three northern districts for the fourth day in a row, and the " \
    "river has risen.</p><p>Families have moved to schools and to higher ground.</p>"

static void test_main_content(void **state) {
    static const char *const pages[] = {
        "<nav><a href=/>Home</a> <a href=/x>More</a></nav><main><h1>T</h1>" STORY
        "</main><footer>Impressum</footer>",
        "<div class=cookie-notice><p>We use cookies.</p></div><div id=top-menu><a href=a>a</a>"
        "</div><div><h1>T</h1></div><div><div>" STORY
        "</div></div><div role=contentinfo>x</div>",
        "<header><a href=/>Site</a></header><article><header><h1>T</h1></header>" STORY
        "</article><aside><p>Other</p></aside><article><p>Teaser</p></article>",
        "<div><ul><li><a href=1>One</a><li><a href=2>Two</a><li><a href=3>Three</a></ul>"
        "<h1>T</h1>" STORY "<form><input><button>Go</button></form></div>"
        "<div hidden>x</div>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char html[2048], out[1024];
        snprintf(html, sizeof html, "<!doctype html><title>The title</title><body>%s",
                 pages[i]);
        vl_parts *parts = read_page(html);
        describe(parts, out, sizeof out);
        assert_string_equal(parts->title, "The title");
        assert_string_equal(
            out, "heading:T|paragraph:Heavy rain fell on the three northern districts for the "
                 "fourth day in a row, and the river has risen.|paragraph:Families have moved "
                 "to schools and to higher ground.");
    }
}

static void test_languages(void **state) {
    vl_parts *parts = read_page(
        "<html lang=sw><p>Mvua kubwa imenyesha katika wilaya tatu za kaskazini kwa siku nne "
        "mfululizo.</p><p lang=am-ET>ከባድ ዝናብ በሦስት ሰሜናዊ ወረዳዎች ጥሏል።</p><p>42</p></html>");
    (void)state;
    assert_string_equal(parts->declared, "swa");
    assert_string_equal(parts->parts[0].language, "swa");
    assert_true(parts->parts[0].certainty > 0.5);
    assert_string_equal(parts->parts[0].script, "Latn");
    assert_string_equal(parts->parts[1].declared, "amh");
    assert_string_equal(parts->parts[1].language, "amh");
    assert_string_equal(parts->parts[1].script, "Ethi");
    assert_string_equal(parts->parts[2].language, "swa"); /* only declared */
    assert_true(parts->parts[2].certainty == 0);
}

#define SWAHILI                                                                                \
    "<p>Mvua kubwa imenyesha katika wilaya tatu za kaskazini kwa siku nne mfululizo na mto "   \
    "umejaa, familia nyingi zimehamia shuleni na sehemu za juu.</p>"
#define ENGLISH                                                                                \
    "<p>Heavy rain fell on the three northern districts for the fourth day in a row, and the " \
    "river has risen, so that families have moved to schools.</p>"

/* Short texts look like many languages; what is around them decides, unless they say. */
static void test_languages_around(void **state) {
    static const struct {
        const char *page;
        size_t part;
        const char *language;
    } rows[] = {
        {"<h2>Attendance</h2>" ENGLISH ENGLISH, 0, "eng"}, /* alone: French */
        {"<h2>Habari</h2>" SWAHILI SWAHILI, 0, "swa"},
        {"<h2>III.</h2>" SWAHILI SWAHILI, 0, "swa"}, /* alone: Oromo */
        {SWAHILI "<h2>Les familles déplacées par les pluies</h2>" SWAHILI, 1, "fra"},
        {ENGLISH ENGLISH ENGLISH ENGLISH SWAHILI SWAHILI "<h2>Habari</h2>" SWAHILI SWAHILI, 6,
         "swa"},
        {SWAHILI "<table><tr><th>12<th>14<tr><td>3<td>4</table>" SWAHILI, 1, "und"},
        {"<div lang=en>" SWAHILI SWAHILI "<p>42</p></div>", 2, "swa"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char html[4096];
        snprintf(html, sizeof html, "<html><body><main>%s</main></body></html>", rows[i].page);
        const vl_part *part = &read_page(html)->parts[rows[i].part];
        if (strcmp(part->language, rows[i].language) != 0)
            fail_msg("row %zu: %s %.2f: %s", i, part->language, part->certainty, part->text);
        assert_true(part->certainty <= 1);
    }
}

/* ---- encodings --------------------------------------------------------------------------- */

static void check_text(const void *bytes, size_t count, const char *type, const char *text) {
    vl_parts *parts;
    vl_error error = {0};
    if (read_typed(bytes, count, type, &parts, &error))
        fail_msg("%s", error.message);
    assert_int_equal(parts->part_count, 1);
    assert_string_equal(parts->parts[0].text, text);
}

static void test_encodings(void **state) {
    static const struct {
        const char *bytes, *type, *text;
    } rows[] = {
        {"<html><p>caf\xE9 \x80", "text/html; charset=ISO-8859-1", "café €"},
        {"<html><meta charset=windows-1256><p>\xE3\xD1\xCD\xC8\xC7", "text/html", "مرحبا"},
        {"<html><meta http-equiv=Content-Type content='text/html; charset=windows-1251'>"
         "<p>\xEF\xF0\xE8\xE2\xE5\xF2",
         NULL, "привет"},
        {"<html><meta charset=iso-8859-1><p>\xD0\xBF\xD1\x80\xD0\xB8", NULL, "при"},
        {"\xEF\xBB\xBF<html><p>\xE1\x88\xB0", "text/html; charset=latin1", "ሰ"},
        {"<html><meta charset=utf-8><p>\xD8\xA7 \xC3\xA9t\xC3\xA9", NULL, "ا été"},
        {"<html><p>a\x01z", NULL, "a z"},
        {"<html><meta charset=no-such-thing><p>caf\xE9", NULL, "café"},
        /* nothing declared: by its letters */
        {"<html><p>\xC7\xE1\xE1\xC7\xCC\xC6\xE6\xE4 \xDD\xED \xC7\xE1\xE3\xCE\xED\xE3 "
         "\xED\xCD\xCA\xC7\xCC\xE6\xE4 \xC5\xE1\xEC \xC7\xE1\xE3\xC7\xC1 \xE6\xC7\xE1\xDB\xD0"
         "\xC7\xC1",
         NULL, "اللاجئون في المخيم يحتاجون إلى الماء والغذاء"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_text(rows[i].bytes, strlen(rows[i].bytes), rows[i].type, rows[i].text);
}

static void test_utf16(void **state) {
    static const char ascii[] = "<html><p>Maji safi ni uhai wa watu</p>";
    (void)state;
    for (int mark = 0; mark < 2; mark++)
        for (int big = 0; big < 2; big++) {
            char wide[2 * sizeof ascii + 2];
            size_t used = 0;
            if (mark) {
                wide[used++] = big ? '\xFE' : '\xFF';
                wide[used++] = big ? '\xFF' : '\xFE';
            }
            for (size_t i = 0; i + 1 < sizeof ascii; i++) {
                wide[used++] = big ? '\0' : ascii[i];
                wide[used++] = big ? ascii[i] : '\0';
            }
            check_text(wide, used, NULL, "Maji safi ni uhai wa watu");
        }
}

/* ---- what is not to be trusted -------------------------------------------------------------
 */

static vl_status status_of(const char *begin, const char *repeated, size_t times) {
    vl_parts *parts;
    vl_buf html;
    vl_error error = {0};
    vl_buf_init(&html, (size_t)128 << 20);
    vl_buf_puts(&html, begin);
    for (size_t i = 0; i < times; i++)
        vl_buf_puts(&html, repeated);
    vl_status status = read_typed(html.data, html.len, "text/html", &parts, &error);
    vl_buf_deinit(&html);
    vl_arena_reset(arena);
    return status;
}

static void test_limits(void **state) {
    (void)state;
    assert_int_equal(status_of("<html>", "<div>", 100), VL_OK);
    assert_int_equal(status_of("<html>", "<div>", 5000), VL_ERR_LIMIT);
    assert_int_equal(status_of("<html>", "<br>", 1100000), VL_ERR_LIMIT);
    assert_int_equal(status_of("<html><p ", "a=b ", 5000), VL_ERR_LIMIT);
    assert_int_equal(status_of("<html>", "<p>x", 210000), VL_ERR_LIMIT);
    assert_int_equal(status_of("<html><table><tr>", "<td>x", 210000), VL_OK); /* 1000 columns */
    assert_int_equal(status_of("<html><table>", "<tr><td>1<td>2<td>3<td>4", 60000),
                     VL_ERR_LIMIT);
    assert_int_equal(status_of("<html><script>if (a <b ", "c = d ", 50000), VL_OK);
    assert_int_equal(status_of("<!DOCTYPE html [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
                               "\"&a;&a;&a;&a;\">]><html><p>&b;&b;",
                               "&b;", 1000),
                     VL_OK);
}

static void test_refused(void **state) {
    static const struct {
        const char *bytes;
        size_t count;
        vl_status status;
    } rows[] = {{"", 0, VL_ERR_INPUT},
                {"PK\x03\x04\x14\0\0\0", 8, VL_ERR_INPUT},
                {"\x89PNG\r\n\x1a\n", 8, VL_ERR_INPUT},
                {"\x01\x02 words", 8, VL_ERR_UNSUPPORTED}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_parts *parts;
        vl_error error = {0};
        assert_int_equal(read_typed(rows[i].bytes, rows[i].count, NULL, &parts, &error),
                         rows[i].status);
        assert_null(parts);
        assert_true(error.message[0]);
    }
}

static void test_picture(void **state) {
    vl_image *made, *image;
    vl_buf png, html;
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_image_new(64, 64, 1, &made, &error), VL_OK);
    for (size_t i = 0; i < made->stride * made->height; i++)
        made->pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    vl_buf_init(&png, 1 << 20);
    vl_buf_init(&html, 1 << 20);
    assert_int_equal(vl_image_encode_png(made, &png, &error), VL_OK);
    char *base64 = malloc(VL_BASE64_SIZE(png.len));
    vl_base64_encode(png.data, png.len, false, base64);
    vl_buf_printf(&html, "<html><img src='data:image/png;base64,%s'><img src=/far.png><p>x",
                  base64);
    vl_parts *parts = read_page(html.data);
    assert_int_equal(vl_parts_picture(parts, 0, NULL, &image, &error), VL_OK);
    assert_int_equal(image->width, 64);
    vl_image_free(image);
    assert_int_equal(vl_parts_picture(parts, 1, NULL, &image, &error), VL_ERR_MISSING);
    assert_non_null(strstr(error.message, "/far.png"));
    assert_int_equal(vl_parts_picture(parts, 2, NULL, &image, &error), VL_ERR_USAGE);
    free(base64);
    vl_buf_deinit(&png);
    vl_buf_deinit(&html);
    vl_image_free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_spans),
        cmocka_unit_test(test_mentions),  cmocka_unit_test(test_main_content),
        cmocka_unit_test(test_languages), cmocka_unit_test(test_languages_around),
        cmocka_unit_test(test_encodings), cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_picture),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
