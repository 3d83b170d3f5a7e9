/* Tests of how align/ cuts a text into words and sentences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "align/tokens.h"

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(256 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* The words with | between them. */
static const char *joined_tokens(const char *text) {
    align_token *tokens;
    size_t count;
    char *all = vl_arena_strdup(arena, "");
    assert_int_equal(align_tokens(arena, text, &tokens, &count, NULL), VL_OK);
    for (size_t i = 0; i < count; i++)
        all = vl_arena_printf(arena, "%s%s%s", all, i ? "|" : "", tokens[i].word);
    return all;
}

static const char *joined_sentences(const char *text, align_line_rule rule) {
    align_span *spans;
    size_t count;
    char *all = vl_arena_strdup(arena, "");
    assert_int_equal(align_sentences(arena, text, rule, &spans, &count, NULL), VL_OK);
    for (size_t i = 0; i < count; i++)
        all = vl_arena_printf(arena, "%s%s%.*s", all, i ? "|" : "",
                              (int)(spans[i].to - spans[i].from), text + spans[i].from);
    return all;
}

static void test_words(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {" \t\n", ""},
        {"... — !?", ""},
        {"The Quick, brown fox.", "the|quick|brown|fox"},
        {"Straße ＡＢＣ ﬁne", "strasse|abc|fine"},
        {"can’t ta'uu", "can't|ta'uu"},
        {"l’homme d'Afrique qu'il Jusqu'à", "l'|homme|d'|afrique|qu'|il|jusqu'|à"},
        {"aujourd'hui l'", "aujourd'hui|l"},
        {"co\xC2\xADoperate", "cooperate"}, /* soft hyphen */
        {"می‌خواهم", "میخواهم"},   /* ZWNJ */
        {"مُحَمَّد الــسلام", "محمد|السلام"},
        {"ﷲ", "الله"},
        {"שָׁלוֹם", "שלום"},
        {"ሰላም፡ለዓለም። እንዴት፣ነህ፧", "ሰላም|ለዓለም|እንዴት|ነህ"},
        {"١٢٣ ४५ ၆၇ 8", "123|45|67|8"},
        {"1,000 1.000 1.234.567 3,5 2.75 ١٬٢٣٤٫٥", "1000|1000|1234567|3.5|2.75|1234.5"},
        {"12345.678 5. 10%", "12345.678|5|10"},
        {"U.S.A. vislang.org/x", "u.s.a|vislang.org|x"},
        {"bad \xFF\xFEword \xE1\x88", "bad|word"},
        {"ฉันกินข้าว", "ฉัน|กิน|ข้าว"},
        {"ကျန်းမာရေးဌာန", "ကျန်းမာရေး|ဌာန"},
        {"หก\xF0\x9F\x98\x80one", "หก|one"},
        {"日本語の文", "日本語|の|文"},
        {"नमस्ते दुनिया।", "नमस्ते|दुनिया"},
        {"Ọmọ ɓera ƙasa", "ọmọ|ɓera|ƙasa"},
        {"O\xCC\xA3mo\xCC\xA3", "ọmọ"}, /* decomposed */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(joined_tokens(rows[i][0]), rows[i][1]);
}

static void test_places(void **state) {
    static const char text[] = "Él \xFF d'Été ١٢";
    static const struct {
        const char *word;
        size_t from, to;
    } rows[] = {{"él", 0, 3}, {"d'", 6, 8}, {"été", 8, 13}, {"12", 14, 18}};
    align_token *tokens;
    size_t count;
    (void)state;
    assert_int_equal(align_tokens(arena, text, &tokens, &count, NULL), VL_OK);
    assert_int_equal(count, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(tokens[i].word, rows[i].word);
        assert_int_equal(tokens[i].from, rows[i].from);
        assert_int_equal(tokens[i].to, rows[i].to);
    }
}

/* `count` times `unit`. */
static char *repeated(const char *unit, size_t count) {
    size_t bytes = strlen(unit);
    char *text = malloc(count * bytes + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * bytes, unit, bytes);
    text[count * bytes] = '\0';
    return text;
}

static void test_long_words_are_cut(void **state) {
    align_token *tokens;
    size_t count;
    char *text = repeated("ə", 150);
    (void)state;
    assert_int_equal(align_tokens(arena, text, &tokens, &count, NULL), VL_OK);
    assert_int_equal(count, 3);
    assert_int_equal(strlen(tokens[0].word), 2 * ALIGN_TOKEN_MAX);
    assert_int_equal(tokens[2].to, 300);
    free(text);
}

/* Places go on over the stretches that a text is read in, and nothing between them is lost. */
static void test_a_megabyte_in_one_line(void **state) {
    static const struct {
        const char *unit;
        size_t words;
    } rows[] = {{"neno la pili ", 3}, {"ə", 0}, {"ฉันกินข้าว", 3}, {"ကျန်းမာရေး", 1}, {"።", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t times = (1 << 20) / strlen(rows[i].unit), count, covered = 0;
        char *text = repeated(rows[i].unit, times);
        align_token *tokens;
        align_span *spans;
        assert_int_equal(align_tokens(arena, text, &tokens, &count, NULL), VL_OK);
        if (rows[i].words)
            assert_in_range(count, rows[i].words * times, (rows[i].words + 1) * times);
        for (size_t k = 0; k < count; k++) {
            assert_true(k == 0 || tokens[k].from >= tokens[k - 1].to);
            covered += tokens[k].to - tokens[k].from;
        }
        if (count && !strchr(rows[i].unit, ' '))
            assert_int_equal(covered, strlen(text));
        assert_int_equal(align_sentences(arena, text, ALIGN_LINES_BREAK, &spans, &count, NULL),
                         VL_OK);
        for (size_t k = 1; k < count; k++)
            assert_true(spans[k].from >= spans[k - 1].to);
        free(text);
        vl_arena_reset(arena);
    }
}

static void test_a_full_arena(void **state) {
    vl_arena *small = vl_arena_new(70000);
    char *text = repeated("word ", 20000);
    vl_error error = {0};
    align_token *tokens;
    align_span *spans;
    size_t count;
    (void)state;
    assert_int_equal(align_tokens(small, text, &tokens, &count, &error), VL_ERR_MEMORY);
    assert_int_equal(count, 0);
    vl_arena_reset(small);
    for (char *at = text; *at; at++)
        *at = *at == ' ' ? '\n' : *at;
    assert_int_equal(align_sentences(small, text, ALIGN_LINES_ONLY, &spans, &count, &error),
                     VL_ERR_MEMORY);
    free(text);
    vl_arena_free(small);
}

static void test_sentences(void **state) {
    static const struct {
        const char *text;
        align_line_rule rule;
        const char *expected;
    } rows[] = {
        {"", ALIGN_LINES_BREAK, ""},
        {"One. Two! Three?", ALIGN_LINES_BREAK, "One.|Two!|Three?"},
        {"Dr. Sow met J. Mwangi. They talked.", ALIGN_LINES_BREAK,
         "Dr. Sow met J. Mwangi.|They talked."},
        {"Am 3. Oktober kam er. Gut.", ALIGN_LINES_BREAK, "Am 3. Oktober kam er.|Gut."},
        {"In 1998. Then more.", ALIGN_LINES_BREAK, "In 1998.|Then more."},
        {"It cost 3.5 million. Yes.", ALIGN_LINES_BREAK, "It cost 3.5 million.|Yes."},
        {"ሰላም ነው። እንዴት ነህ፧ ደህና።", ALIGN_LINES_BREAK, "ሰላም ነው።|እንዴት ነህ፧|ደህና።"},
        {"यह एक है। यह दो है॥", ALIGN_LINES_BREAK, "यह एक है।|यह दो है॥"},
        {"هل هذا؟ نعم. هذا", ALIGN_LINES_BREAK, "هل هذا؟|نعم.|هذا"},
        {"یہ ایک ہے۔ یہ دو ہے۔", ALIGN_LINES_BREAK, "یہ ایک ہے۔|یہ دو ہے۔"},
        {"ဤသည်။ထိုသည်။", ALIGN_LINES_BREAK, "ဤသည်။|ထိုသည်။"},
        {"這是一。這是二！", ALIGN_LINES_BREAK, "這是一。|這是二！"},
        {"a line\nand one", ALIGN_LINES_BREAK, "a line|and one"},
        {"a line\r\nand one", ALIGN_LINES_WRAPPED, "a line\r\nand one"},
        {"a line\nand one.\n\nAnother\nparagraph. End.", ALIGN_LINES_WRAPPED,
         "a line\nand one.|Another\nparagraph.|End."},
        {"  One. Two.\n\n\xEF\xBB\xBFthree \r\n", ALIGN_LINES_ONLY, "One. Two.|three"},
        {"bad \xFF byte. Next \xE1", ALIGN_LINES_BREAK, "bad \xFF byte.|Next \xE1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(joined_sentences(rows[i].text, rows[i].rule), rows[i].expected);
}

/* A sentence that lies over the end of a stretch stays whole. */
static void test_sentences_over_stretches(void **state) {
    char *text = repeated("A sentence of some words that ends here. ", 5000);
    align_span *spans;
    size_t count;
    (void)state;
    assert_int_equal(align_sentences(arena, text, ALIGN_LINES_WRAPPED, &spans, &count, NULL),
                     VL_OK);
    assert_int_equal(count, 5000);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(spans[i].from, i * 41);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_long_words_are_cut),
        cmocka_unit_test(test_a_megabyte_in_one_line),
        cmocka_unit_test(test_a_full_arena),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_sentences_over_stretches),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
