/* Tests of plain text taken apart: what is text, encodings, paragraphs, wrapped lines, headings
 * and lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <vislang/dataset.h>

#include <stdio.h>
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

static vl_status read_bytes(const void *bytes, size_t count, const char *type,
                            vl_parts **parts) {
    vl_parts_options options = vl_parts_options_default();
    vl_error error = {0};
    options.type = type;
    options.langid = langid;
    vl_status status = vl_parts_read(bytes, count, &options, arena, parts, &error);
    assert_true(!status || error.message[0]);
    return status;
}

/* "kind:text|kind:text", line ends as '/'. */
static void describe(const vl_parts *parts, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < parts->part_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s:%s", i ? "|" : "",
                                 vl_part_kind_name(parts->parts[i].kind), parts->parts[i].text);
    for (char *at = out; *at; at++)
        *at = *at == '\n' ? '/' : *at;
}

#define WRAPPED                                                                                \
    "Heavy rain fell on the three northern districts\nfor the fourth day in a row, and the "   \
    "river has\nrisen."
#define UNWRAPPED                                                                              \
    "Heavy rain fell on the three northern districts for the fourth day in a row, and the "    \
    "river has risen."
#define LONG                                                                                   \
    "Families have moved to the schools of the town and to the higher ground behind them, "    \
    "where there is no water and no food, and the roads to the west are closed until the "     \
    "rain ends."

static void test_parts(void **state) {
    static const char *const rows[][2] = {
        {"one", "paragraph:one"},
        {"one\n\ntwo\n", "paragraph:one|paragraph:two"},
        {"one\r\n \t\r\ntwo\rthree", "paragraph:one|paragraph:two/three"},
        {"one\ftwo\n\fthree", "paragraph:one/two|paragraph:three"},
        {WRAPPED "\n\n" WRAPPED, "paragraph:" UNWRAPPED "|paragraph:" UNWRAPPED},
        {"ប្រជាជនបានផ្លាស់ទៅសាលារៀននិងតំបន់ខ្ពស់ដោយសារភ្លៀង\nធ្លាក់ខ្លាំងនៅខេត្តភាគខាងជើងរយៈពេលបួនថ្ងៃហើយទន្លេបា"
         "ន\nឡើង", /* no
spaces between words */
         "paragraph:"
         "ប្រជាជនបានផ្លាស់ទៅសាលារៀននិងតំបន់ខ្ពស់ដោយសារភ្លៀងធ្លាក់ខ្លាំងនៅខេត្តភាគខាងជើងរយៈពេលបួនថ្ងៃហើយទន្លេបានឡ"
         "ើង"},
        {"A title\n" LONG "\n" LONG, "paragraph:A title|paragraph:" LONG "|paragraph:" LONG},
        {"Roses are red\nviolets are blue\nno line is full", /* verses */
         "paragraph:Roses are red/violets are blue/no line is full"},
        {"Title\n=====\ntext", "heading:Title|paragraph:text"},
        {"Title\n---\ntext", "heading:Title|paragraph:text"},
        {"Some title\n-\ntext", "paragraph:Some title/-/text"},
        {"## Floods ##\n\ntext", "heading:Floods|paragraph:text"},
        {"# 1 in the world\nwent on", "paragraph:# 1 in the world/went on"},
        {"one\n* * *\ntwo\n\n-----\n", "paragraph:one|paragraph:two"},
        {"- one\n- two\n  goes on\n- three", "list:one/two goes on/three"},
        {"• one\n• two", "list:one/two"},
        {"1. one\n2. two", "list:1. one/2. two"},
        {"1. one\n7. two", "paragraph:1. one/7. two"},
        {"- no list", "paragraph:- no list"},
        {"2023. was a year", "paragraph:2023. was a year"},
        {"\xEF\xBB\xBFmarked", "paragraph:marked"},
        {" \n\n ", ""},
        {"a\x1A", "paragraph:a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[2048];
        vl_parts *parts;
        if (read_bytes(rows[i][0], strlen(rows[i][0]), "text/plain", &parts))
            fail_msg("row %zu is not read", i);
        describe(parts, out, sizeof out);
        assert_string_equal(out, rows[i][1]);
        assert_string_equal(parts->format, "text");
        assert_int_equal(parts->page_count, 1);
    }
}

static void test_levels(void **state) {
    static const char text[] = "One\n===\n\nTwo\n---\n\n### Three\n\ntext";
    vl_parts *parts;
    (void)state;
    assert_int_equal(read_bytes(text, sizeof text - 1, NULL, &parts), VL_OK);
    assert_int_equal(parts->part_count, 4);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(parts->parts[i].level, i + 1);
}

/* What is text, by what it came as. */
static void test_kinds(void **state) {
    static const struct {
        const char *bytes, *type, *format; /* NULL: not read */
    } rows[] = {
        {"just words", NULL, "text"},
        {"just words", "", "text"},
        {"just words", "text/plain; charset=utf-8", "text"},
        {"just words", "application/octet-stream", "text"},
        {"just words", "text/csv", NULL},
        {"just words", "application/pdf", NULL},
        {"just words", "text/html", "html"},
        {"<!doctype html><p>x", NULL, "html"},
        {"<!doctype html><p>x", "text/plain", "html"},
        {"<div> is an element of HTML", "text/plain", "text"},
        {"<?xml version='1.0'?><a/>", NULL, NULL},
        {"{\\rtf1 x}", NULL, NULL},
        {"\xEF\xBB\xBF\n<?xml version='1.0'?><a/>", NULL, NULL},
        {"{\"a\": 1}", NULL, NULL},
        {"\x01\x02\x03\x04", "text/plain", NULL},
        {"MZEE alisema", NULL, "text"},
        {"\xCF\xF0\xE8\xE2\xE5\xF2, \xEC\xE8\xF0! \xDD\xF2\xEE \xF2\xE5\xEA\xF1\xF2 \xED\xE0 "
         "\xF0\xF3\xF1\xF1\xEA\xEE\xEC \xFF\xE7\xFB\xEA\xE5, \xEA\xEE\xF2\xEE\xF0\xFB\xE9 "
         "\xED\xE8\xEA\xF2\xEE \xED\xE5 \xED\xE0\xE7\xE2\xE0\xEB.",
         NULL, "text"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_parts *parts;
        vl_status status =
            read_bytes(rows[i].bytes, strlen(rows[i].bytes), rows[i].type, &parts);
        if (status != (rows[i].format ? VL_OK : VL_ERR_UNSUPPORTED))
            fail_msg("row %zu: %s", i, vl_status_name(status));
        if (rows[i].format)
            assert_string_equal(parts->format, rows[i].format);
    }
}

static void test_encodings(void **state) {
    static const struct {
        const char *bytes;
        size_t count;
        const char *type, *text;
    } rows[] = {
        {"caf\xC3\xA9", 5, NULL, "café"},
        {"e\xCC\x81t\xC3\xA9", 6, NULL, "été"},
        {"caf\xE9", 4, "text/plain; charset=iso-8859-1", "café"},
        {"\xFF\xFEm\0a\0j\0i\0", 10, NULL, "maji"},
        {"\0m\0a\0j\0i", 8, NULL, "maji"},
        {"\xFE\xFF\x12\x30", 4, NULL, "ሰ"},
        {"\xCF\xF0\xE8\xE2\xE5\xF2, \xEC\xE8\xF0! \xDD\xF2\xEE \xF2\xE5\xEA\xF1\xF2", 22, NULL,
         "Привет, мир! Это текст"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_parts *parts;
        if (read_bytes(rows[i].bytes, rows[i].count, rows[i].type, &parts))
            fail_msg("row %zu is not read", i);
        assert_int_equal(parts->part_count, 1);
        assert_string_equal(parts->parts[0].text, rows[i].text);
    }
}

static void test_language(void **state) {
    static const char text[] =
        "Mvua kubwa imenyesha katika wilaya tatu za kaskazini kwa siku nne mfululizo.\n\n"
        "Les familles ont été déplacées vers les écoles de la ville, où l'eau manque.\n";
    vl_parts *parts;
    (void)state;
    assert_int_equal(read_bytes(text, sizeof text - 1, NULL, &parts), VL_OK);
    assert_string_equal(parts->parts[0].language, "swa");
    assert_string_equal(parts->parts[1].language, "fra");
    assert_true(parts->parts[1].certainty > 0.5);
}

/* A block that never ends is parted, and loses nothing. */
static void test_large(void **state) {
    vl_buf text;
    vl_parts *parts;
    size_t lines = 0;
    (void)state;
    vl_buf_init(&text, 1 << 20);
    for (int i = 0; i < 5000; i++)
        vl_buf_printf(&text, "line %d\n", i);
    assert_int_equal(read_bytes(text.data, text.len, NULL, &parts), VL_OK);
    for (size_t i = 0; i < parts->part_count; i++)
        for (const char *at = parts->parts[i].text; at; at = strchr(at, '\n')) {
            at += *at == '\n';
            lines++;
        }
    assert_int_equal(lines, 5000);
    vl_buf_deinit(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_levels),
        cmocka_unit_test(test_kinds),    cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_language), cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
