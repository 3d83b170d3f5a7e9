/* Tests of what words look like: skeletons, features, and n-grams of their own script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/features.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static align_romaniser *romaniser;

static int make_romaniser(void **state) {
    (void)state;
    return align_romaniser_new(&romaniser, NULL) ? -1 : 0;
}

static int free_romaniser(void **state) {
    (void)state;
    align_romaniser_free(romaniser);
    return 0;
}

static void test_skeletons(void **state) {
    static const char *const rows[][2] = {
        {"", ""},           {"aeiou", ""},       {"corona", "krn"},    {"krwna", "krn"},
        {"photo", "ft"},    {"foto", "ft"},      {"school", "skl"},    {"shule", "sl"},
        {"paper", "br"},    {"vaccine", "fksn"}, {"chanjo", "kng"},    {"mohammed", "md"},
        {"muhamad", "md"},  {"zambia", "smb"},   {"covid19", "kfd19"}, {"hhh", ""},
        {"rr", "r"},        {"tt", "t"},         {"thth", "t"},        {"c", "k"},
        {"ciencia", "sns"}, {"nigeria", "ngr"},
    };
    char skeleton[ALIGN_SKELETON_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = align_skeleton(rows[i][0], strlen(rows[i][0]), skeleton);
        assert_string_equal(skeleton, rows[i][1]);
        assert_int_equal(length, strlen(skeleton));
    }
    assert_int_equal(align_skeleton("corona", 1, skeleton),
                     1); /* only the length that is given */
    assert_string_equal(skeleton, "k");
}

static size_t features(const char *word, align_feature *out) {
    size_t count = align_features(romaniser, word, out);
    assert_in_range(count, 0, ALIGN_FEATURES_MAX);
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(out[i].weight) && out[i].weight > 0);
    return count;
}

static void test_counts(void **state) {
    static const struct {
        const char *word;
        size_t count;
        double
            square; /* sum of squared weights: 1 whole, 1 its n-grams, 0.49 each of skeleton */
    } rows[] = {
        {"", 0, 0},
        {"a", 0, 0},
        {"ab", 0, 0},
        {"rwa", 3, 2}, /* whole, <rwa rwa>; a skeleton of one letter is none */
        {"corona", 10, 2.98},
        {"aaa", 3, 2},
        {"aaaaaaaa", 4, 2}, /* n-grams once */
        {"2019", 1, 4},
        {"7", 1, 4},
        {"3.5", 1, 4},
        {"\xFF\xFE\x80", 0, 0},
        {"!!!", 0, 0},
    };
    align_feature out[ALIGN_FEATURES_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double square = 0;
        size_t count = features(rows[i].word, out);
        assert_int_equal(count, rows[i].count);
        for (size_t k = 0; k < count; k++)
            square += (double)out[k].weight * (double)out[k].weight;
        assert_true(fabs(square - rows[i].square) < 1e-4);
    }
}

/* How many features two words share. */
static size_t shared(const char *a, const char *b) {
    align_feature x[ALIGN_FEATURES_MAX], y[ALIGN_FEATURES_MAX];
    size_t of_a = features(a, x), of_b = features(b, y), count = 0;
    for (size_t i = 0; i < of_a; i++)
        for (size_t k = 0; k < of_b; k++)
            count += x[i].id == y[k].id;
    return count;
}

static void test_shared(void **state) {
    static const struct {
        const char *a, *b;
        size_t least, most;
    } rows[] = {
        {"corona", "corona", 10, 10},
        {"corona", "krwna", 4, 4}, /* the skeleton and its grams */
        {"corona", "ኮሮና", 4, 9},
        {"mombasa", "момбаса", 11, 11},
        {"2019", "2019", 1, 1},
        {"2019", "2018", 0, 0},
        {"3.5", "35", 0, 0},
        {"water", "maji", 0, 0},
        {"éèê", "eee", 3, 3},
        {"nairobi", "نيروبي", 1, 12},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_in_range(shared(rows[i].a, rows[i].b), rows[i].least, rows[i].most);
        assert_int_equal(shared(rows[i].a, rows[i].b), shared(rows[i].b, rows[i].a));
    }
}

/* Words of any length, in scripts that grow when they are romanised. */
static void test_long_words(void **state) {
    static const char *const pieces[] = {"b", "bcdfg", "ሽ", "한", "漢", "9", "\xFF"};
    align_feature out[ALIGN_FEATURES_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        for (size_t times = 1; times <= 4096; times *= 2) {
            size_t bytes = strlen(pieces[i]);
            char *word = malloc(times * bytes + 1);
            for (size_t k = 0; k < times; k++)
                memcpy(word + k * bytes, pieces[i], bytes);
            word[times * bytes] = '\0';
            features(word, out);
            free(word);
        }
}

static void test_word_grams(void **state) {
    static const struct {
        const char *word;
        size_t count;
    } rows[] = {{"", 1},   {"a", 3},    {"ab", 6},   {"aaaa", 9},
                {"ቤት", 6}, {"\xFF", 3}, {"a\xE1", 6}};
    enum { LONG = 100000 };
    uint32_t grams[ALIGN_WORD_GRAMS_MAX], same[ALIGN_WORD_GRAMS_MAX];
    char *word = malloc(LONG + 1);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(align_word_grams(rows[i].word, grams), rows[i].count);
    for (size_t i = 0; i < LONG; i++)
        word[i] = (char)('a' + (i * i / 3) % 26);
    word[LONG] = '\0';
    size_t count = align_word_grams(word, grams);
    assert_in_range(count, 1, ALIGN_WORD_GRAMS_MAX);
    for (size_t i = 1; i < count; i++)
        assert_true(grams[i] > grams[i - 1]);
    word[64] = '\0'; /* what is longer is not looked at */
    assert_int_equal(align_word_grams(word, same), count);
    assert_memory_equal(grams, same, count * sizeof *grams);
    free(word);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_skeletons),  cmocka_unit_test(test_counts),
        cmocka_unit_test(test_shared),     cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_word_grams),
    };
    return cmocka_run_group_tests(tests, make_romaniser, free_romaniser);
}
