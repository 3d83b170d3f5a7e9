/* Tests of normal forms, scripts, direction, graphemes and error rates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

static void test_nfc(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"e\xCC\x81t\xC3\xA9", "été"},                  /* combining acute */
        {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "한"}, /* jamo */
        {"\xE0\xA4\xA8\xE0\xA4\xBC", "\xE0\xA4\xA9"},   /* Devanagari na + nukta */
        {"\xD9\x8A\xD9\x94", "\xD8\xA6"},               /* Arabic yeh + hamza above */
        {"bad \xFF byte", "bad \xEF\xBF\xBD byte"},
        {"cut \xE1\x88", "cut \xEF\xBF\xBD"},
        {"ɓ ɗ ƙ ƴ", "ɓ ɗ ƙ ƴ"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(vl_text_nfc(arena, rows[i][0]), rows[i][1]);
}

static void test_squeeze(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {"   ", ""},
        {" a  b\t\nc ", "a b c"},
        {"a\xC2\xA0"
         "b",
         "a b"},                         /* no-break space */
        {"ቀን፦\xE3\x80\x80ዛሬ", "ቀን፦ ዛሬ"}, /* ideographic space */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(vl_text_squeeze(arena, rows[i][0]), rows[i][1]);
}

static void test_casefold(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {"TOTAL 5", "total 5"},
        {"Straße", "strasse"},
        {"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
        {"ԱՒ և", "աւ եւ"},
        {"ΐ", "ΐ"},
        {"አማርኛ", "አማርኛ"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(vl_text_squeeze(arena, vl_text_casefold(arena, rows[i][0])),
                            rows[i][1]);
}

static void test_script(void **state) {
    static const char *const rows[][2] = {
        {"Tangazo la maji", "Latn"},
        {"የክትባት ዘመቻ", "Ethi"},
        {"إعلان", "Arab"},
        {"ОГОЛОШЕННЯ", "Cyrl"},
        {"ရေဘေး", "Mymr"},
        {"सूचना", "Deva"},
        {"বিজ্ঞপ্তি", "Beng"},
        {"அறிவிப்பு", "Taml"},
        {"សេចក្តី", "Khmr"},
        {"ประกาศ", "Thai"},
        {"通知", "Hani"},
        {"공지", "Hang"},
        {"הודעה", "Hebr"},
        {"12 345", "Zyyy"},
        {"", "Zyyy"},
        {"ቀን 3 abc ማስታወቂያ", "Ethi"},
        {"સૂચના", "Gujr"},
        {"ਸੂਚਨਾ", "Guru"},
        {"సూచన", "Telu"},
        {"അറിയിപ്പ്", "Mlym"},
        {"ಸೂಚನೆ", "Knda"},
        {"දැන්වීම", "Sinh"},
        {"ແຈ້ງການ", "Laoo"},
        {"お知らせ", "Hira"},
        {"შეტყობინება", "Geor"},
        {"ծանուցում", "Armn"},
        {"ανακοίνωση", "Grek"},
        {"བརྡ", "Tibt"},
    };
    double share;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(vl_text_script(rows[i][0], NULL), rows[i][1]);
    vl_text_script("abcд", &share);
    assert_float_equal(share, 0.75, 1e-6);
}

static void test_direction(void **state) {
    static const struct {
        const char *text;
        bool rtl;
    } rows[] = {{"abc", false}, {"سلام", true}, {"12 سلام", true}, {"abc سلام", false},
                {"123", false}, {"", false},    {"\"שלום", true},  {"ሰላም", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(vl_text_is_rtl(rows[i].text), rows[i].rtl);
}

static void test_visual_to_logical(void **state) {
    static const char *const rows[][2] = {
        {"abc", "abc"},
        {"مالس", "سلام"},
        {"דג", "גד"},
        {"abc 123", "abc 123"},
        {"123", "123"},
        {"", ""},
        {"1999 תנשב", "בשנת 1999"},                     /* a number keeps its own order */
        {"ةعاسلا 10:30 دعوملا", "الموعد 10:30 الساعة"}, /* with a separator in it */
        {"تناك 2024 ةنس", "سنة 2024 كانت"},
        {"انه UNICEF تعزو", "وزعت UNICEF هنا"},
        {"The word مالس means peace", "The word سلام means peace"},
        {"(مالس)", "(سلام)"}, /* brackets are mirrored */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(vl_text_visual_to_logical(arena, rows[i][0]), rows[i][1]);
}

static void test_graphemes(void **state) {
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {{"", 0},
                {"abc", 3},
                {"e\xCC\x81", 1},
                {"ရေဘေး", 3},
                {"नमस्ते", 3},
                {"👨‍👩‍👧", 1},
                {"ကို", 1},
                {"की", 1},
                {"\xE0\xA4\x95\xE0\xA4\xBF", 1},
                {"한", 1},
                {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 1},
                {"ሰላም", 3},
                {"\r\n", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = vl_text_grapheme_count(rows[i].text);
        /* Conjuncts of Indic scripts became one cluster in a later Unicode version. */
        if (!strcmp(rows[i].text, "नमस्ते"))
            assert_in_range(count, 3, 4);
        else
            assert_int_equal(count, rows[i].count);
    }
}

static void test_error_rates(void **state) {
    static const struct {
        const char *hypothesis, *reference;
        uint64_t characters, length, words, word_length;
    } rows[] = {
        {"", "", 0, 0, 0, 0},
        {"abc", "", 3, 0, 1, 0},
        {"", "abc def", 7, 7, 2, 2},
        {"kitten", "sitting", 3, 7, 1, 1},
        {"the cat", "the  cat\n", 0, 7, 0, 2},
        {"teh cat", "the cat", 2, 7, 1, 2},
        {"ሰላም", "ሰላማ", 1, 3, 1, 1},
        {"e\xCC\x81", "é", 0, 1, 0, 1},
        {"one two three", "one three", 4, 9, 1, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_edit_count c, w;
        assert_int_equal(vl_text_cer(rows[i].hypothesis, rows[i].reference, &c, NULL), VL_OK);
        assert_int_equal(vl_text_wer(rows[i].hypothesis, rows[i].reference, &w, NULL), VL_OK);
        assert_int_equal(c.edits, rows[i].characters);
        assert_int_equal(c.length, rows[i].length);
        assert_int_equal(w.edits, rows[i].words);
        assert_int_equal(w.length, rows[i].word_length);
    }
}

/* The textbook recursion, to hold the bit-parallel one against over block borders. */
static uint64_t plain_distance(const char *a, const char *b) {
    size_t la = strlen(a), lb = strlen(b);
    uint64_t *row = malloc((lb + 1) * sizeof *row);
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        uint64_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            uint64_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
            diagonal = above;
        }
    }
    uint64_t distance = row[lb];
    free(row);
    return distance;
}

static void test_distance_against_plain_recursion(void **state) {
    uint32_t seed = 1;
    (void)state;
    for (int trial = 0; trial < 300; trial++) {
        char a[400], b[400];
        size_t la = (seed = seed * 1664525u + 1013904223u) >> 8, lb;
        la = la % 330;
        lb = ((seed = seed * 1664525u + 1013904223u) >> 8) % 330;
        for (size_t i = 0; i < la; i++)
            a[i] = (char)('a' + ((seed = seed * 1664525u + 1013904223u) >> 16) % 4);
        for (size_t i = 0; i < lb; i++)
            b[i] = i < la && ((seed = seed * 1664525u + 1013904223u) >> 16) % 3
                       ? a[i]
                       : (char)('a' + ((seed = seed * 1664525u + 1013904223u) >> 16) % 4);
        a[la] = b[lb] = '\0';
        vl_edit_count count;
        assert_int_equal(vl_text_cer(a, b, &count, NULL), VL_OK);
        assert_int_equal(count.edits, plain_distance(a, b));
    }
}

/* Two pages of 20,000 characters, as an evaluation compares by the thousand. */
static void test_long_pages(void **state) {
    enum { LENGTH = 20000 };
    char *a = malloc(LENGTH + 1), *b = malloc(LENGTH + 1);
    vl_edit_count count;
    (void)state;
    for (size_t i = 0; i < LENGTH; i++) {
        a[i] = (char)('a' + i * 7 % 26);
        b[i] = i % 100 == 50 ? '#' : a[i];
    }
    a[LENGTH] = b[LENGTH] = '\0';
    int64_t start = vl_clock_ns();
    assert_int_equal(vl_text_cer(b, a, &count, NULL), VL_OK);
    print_message("20,000 characters against 20,000: %.0f ms\n", vl_clock_ms_since(start));
    assert_int_equal(count.edits, LENGTH / 100);
    assert_int_equal(count.length, LENGTH);
    free(a);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nfc),
        cmocka_unit_test(test_squeeze),
        cmocka_unit_test(test_casefold),
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_visual_to_logical),
        cmocka_unit_test(test_graphemes),
        cmocka_unit_test(test_error_rates),
        cmocka_unit_test(test_distance_against_plain_recursion),
        cmocka_unit_test(test_long_pages),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
