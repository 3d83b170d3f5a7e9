/* Tests of words that are spelled alike, against a plain computation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/features.h"
#include "align/spelling.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {"kitabu",    "vitabu", "nyumba", "nyumbani", "shule",
                                    "shuleni",   "maji",   "ትምህርት",  "ትምህርቶች",   "kunywa",
                                    "anakunywa", "na",     "watoto", "mtoto",    "mtotoni"};
enum { WORDS = sizeof words / sizeof *words };

static bool has(const char *word, uint32_t gram) {
    uint32_t grams[ALIGN_WORD_GRAMS_MAX];
    size_t count = align_word_grams(word, grams);
    for (size_t i = 0; i < count; i++)
        if (grams[i] == gram)
            return true;
    return false;
}

/* Squared weight: log(1 + words / words that have it). */
static double square_of(uint32_t gram) {
    double with = 0;
    for (size_t i = 0; i < WORDS; i++)
        with += has(words[i], gram);
    double weight = log(1 + WORDS / (with > 0 ? with : 1));
    return weight * weight;
}

static double product(const char *a, const char *b) {
    uint32_t grams[ALIGN_WORD_GRAMS_MAX];
    size_t count = align_word_grams(a, grams);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += has(b, grams[i]) ? square_of(grams[i]) : 0;
    return sum;
}

static double cosine(const char *a, const char *b) {
    return product(a, b) / sqrt(product(a, a) * product(b, b));
}

static void test_find(void **state) {
    static const char *const asked[] = {"kitabu", "vitabuni", "nyumbani", "shule", "ትምህርትን",
                                        "hunywa", "watotoni", "zebra",    "maj",   ""};
    align_spelling *spelling;
    (void)state;
    assert_int_equal(align_spelling_new(words, WORDS, &spelling, NULL), VL_OK);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        align_alike alike[ALIGN_ALIKE_MAX];
        size_t found = align_spelling_find(spelling, asked[i], alike), over = 0;
        bool is_short = i >= 8;
        for (size_t k = 0; k < WORDS; k++)
            over += !is_short && cosine(asked[i], words[k]) > 0.5;
        assert_int_equal(found, over < ALIGN_ALIKE_MAX ? over : ALIGN_ALIKE_MAX);
        for (size_t k = 0; k < found; k++) {
            assert_true(fabs((double)alike[k].cosine - cosine(asked[i], words[alike[k].word])) <
                        1e-5);
            assert_true(!k || alike[k].cosine <= alike[k - 1].cosine);
        }
    }
    align_spelling_free(spelling);
}

static void test_first(void **state) {
    static const char *const rows[][2] = {{"kitabu", "kitabu"},      {"vitabuni", "vitabu"},
                                          {"nyumbangu", "nyumbani"}, {"ትምህርትን", "ትምህርት"},
                                          {"kitaburu", "kitabu"},    {"mtotonini", "mtotoni"}};
    align_spelling *spelling;
    align_alike alike[ALIGN_ALIKE_MAX];
    (void)state;
    assert_int_equal(align_spelling_new(words, WORDS, &spelling, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_in_range(align_spelling_find(spelling, rows[i][0], alike), 1, ALIGN_ALIKE_MAX);
        assert_string_equal(words[alike[0].word], rows[i][1]);
    }
    align_spelling_free(spelling);
}

static void test_few_words(void **state) {
    static const char *const same[] = {"maji", "maji", "maji", "maji", ""};
    align_spelling *spelling;
    align_alike alike[ALIGN_ALIKE_MAX];
    (void)state;
    assert_int_equal(align_spelling_new(NULL, 0, &spelling, NULL), VL_OK);
    assert_int_equal(align_spelling_find(spelling, "kitabu", alike), 0);
    align_spelling_free(spelling);
    assert_int_equal(align_spelling_new(same, 5, &spelling, NULL), VL_OK);
    assert_int_equal(align_spelling_find(spelling, "maji", alike), ALIGN_ALIKE_MAX);
    for (size_t i = 0; i < ALIGN_ALIKE_MAX; i++) { /* of equal ones those that came first */
        assert_int_equal(alike[i].word, i);
        assert_true(fabsf(alike[i].cosine - 1) < 1e-5F);
    }
    assert_int_equal(align_spelling_find(spelling, "\xFF\xFE\xFD\xFC", alike), 0);
    align_spelling_free(spelling);
    align_spelling_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_few_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
