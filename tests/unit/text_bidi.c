/* Lines in visual order and back: what UAX #9 says, marks, brackets, numbers, and that nothing
 * is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unicode/utf8.h>
#include <vislang/text.h>

enum { MAX = 256 };

static size_t decode(const char *text, uint32_t *out) {
    size_t count = 0;
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        assert_true(count < MAX);
        out[count++] = (uint32_t)c;
    }
    return count;
}

static void same(const char *what, const uint32_t *a, const uint32_t *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i])
            fail_msg("%s: character %zu is U+%04X, not U+%04X", what, i, a[i], b[i]);
}

/* Logical and visual, as they stand in memory. */
static const struct line {
    const char *logical, *visual;
    vl_direction direction;
} lines[] = {
    {"plain text, 12 (ab)", "plain text, 12 (ab)", VL_DIRECTION_TEXT},
    {"", "", VL_DIRECTION_TEXT},
    {"שלום", "םולש", VL_DIRECTION_TEXT},
    {"سنة 1948 كان", "ناك 1948 ةنس", VL_DIRECTION_TEXT}, /* digits stay as they are */
    {"سنة ١٩٤٨ كان", "ناك ١٩٤٨ ةنس", VL_DIRECTION_TEXT}, /* Arabic ones too */
    {"هذا WHO هنا", "انه WHO اذه", VL_DIRECTION_TEXT},   /* and words from left to right */
    {"قال (نعم) لا", "ال (معن) لاق", VL_DIRECTION_TEXT}, /* brackets are what they look like */
    {"see שלום now", "see םולש now", VL_DIRECTION_TEXT},
    {"3.5 كم", "مك 3.5", VL_DIRECTION_RTL},
    /* Marks stay after their letters: shadda and fatha, niqqud. */
    {"مُحَمَّد", "دمَّحَمُ", VL_DIRECTION_TEXT},
    {"שָׁלוֹם", "םוֹלשָׁ", VL_DIRECTION_TEXT},
    {"می\u200cخواهم", "مهاوخی\u200cم", VL_DIRECTION_TEXT}, /* so does a non-joiner */
    {"COVID-19 در ایران", "ناریا رد COVID-19", VL_DIRECTION_RTL},
};

static void test_both_ways(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        uint32_t logical[MAX], visual[MAX], out[MAX], back[MAX];
        size_t from[MAX], count = decode(lines[i].logical, logical);
        assert_int_equal(decode(lines[i].visual, visual), count);
        assert_int_equal(vl_text_to_visual(logical, count, lines[i].direction, out, from, NULL),
                         VL_OK);
        same(lines[i].logical, out, visual, count);
        assert_int_equal(
            vl_text_to_logical(visual, count, lines[i].direction, back, from, NULL), VL_OK);
        same(lines[i].visual, back, logical, count);
    }
}

static void test_every_character_once(void **state) {
    (void)state;
    uint32_t seed = 7;
    static const uint32_t some[] = {'a',     'B',    ' ',    '1',    '7',    '(',   ')',
                                    '-',     '.',    ',',    '%',    '/',    0x5D0, 0x5D1,
                                    0x5B8,   0x627,  0x644,  0x64E,  0x661,  0x301, 0x10D00,
                                    0x1F600, 0x200C, 0x202E, 0xD800, 0x2067, '\n'};
    for (size_t round = 0; round < 3000; round++) {
        uint32_t line[40], visual[40], back[40];
        size_t from[40], seen[40] = {0}, count = round % 40;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 1664525 + 1013904223;
            line[i] = some[seed / 65536 % (sizeof some / sizeof *some)];
        }
        vl_direction direction = (vl_direction)(round % 3);
        assert_int_equal(vl_text_to_visual(line, count, direction, visual, from, NULL), VL_OK);
        for (size_t i = 0; i < count; i++)
            seen[from[i]]++;
        assert_int_equal(vl_text_to_logical(visual, count, direction, back, from, NULL), VL_OK);
        for (size_t i = 0; i < count; i++)
            seen[from[i]]++;
        for (size_t i = 0; i < count; i++)
            assert_int_equal(seen[i], 2);
    }
}

static void test_direction_and_limits(void **state) {
    (void)state;
    uint32_t line[MAX];
    assert_true(vl_text_mostly_rtl(line, decode("abc שלום של", line)));
    assert_false(vl_text_mostly_rtl(line, decode("abcdefgh שלום 123", line)));
    assert_false(vl_text_mostly_rtl(line, decode("12 + 3", line)));
    static const uint32_t steering[] = {0x200E, 0x200F, 0x202A, 0x2066, 0x61C, 0xAD, 0xFEFF};
    for (size_t i = 0; i < sizeof steering / sizeof *steering; i++)
        assert_true(vl_text_steers(steering[i]));
    assert_false(vl_text_steers(0x200C) || vl_text_steers(0x200D) || vl_text_steers('a'));
    uint32_t *longer = calloc(VL_DIRECTION_MAX + 1, sizeof *longer);
    size_t *from = calloc(VL_DIRECTION_MAX + 1, sizeof *from);
    vl_error error;
    assert_non_null(longer && from ? longer : NULL);
    assert_int_equal(vl_text_to_visual(longer, VL_DIRECTION_MAX + 1, VL_DIRECTION_TEXT, longer,
                                       from, &error),
                     VL_ERR_LIMIT);
    free(longer);
    free(from);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_every_character_once),
        cmocka_unit_test(test_direction_and_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
