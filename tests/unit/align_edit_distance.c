/* Tests of the edit distance of one word to many, against the plain table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/edit_distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float score_of(const char *word, const char *other) {
    const char *const words[] = {"filler", other, ""};
    align_spellings *spellings = align_spellings_new(words, 3);
    uint64_t *masks = malloc(align_spellings_masks(spellings) * sizeof *masks);
    float scores[3];
    align_spellings_score(spellings, word, masks, scores);
    free(masks);
    align_spellings_free(spellings);
    return scores[1];
}

static void test_table(void **state) {
    static const struct {
        const char *word, *other;
        double score;
    } rows[] = {
        {"", "", 0},
        {"", "ab", -1},
        {"ab", "", -1},
        {"a", "a", 0},
        {"a", "b", -1},
        {"kitten", "sitting", -3.0 / 7},
        {"flaw", "lawn", -2.0 / 4},
        {"hospitali", "hospital", -1.0 / 9},
        {"ሰላም", "ሰሎሞን", -3.0 / 4},          /* 3 and 4 characters, s and m alike */
        {"𞤢𞤣", "𞤢𞤤", -1.0 / 2}, /* Adlam, beyond the first plane */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float got = score_of(rows[i].word, rows[i].other);
        if (fabs((double)got - rows[i].score) > 1e-6)
            fail_msg("%s, %s: %g instead of %g", rows[i].word, rows[i].other, (double)got,
                     rows[i].score);
    }
}

static size_t plain(const char *a, size_t n, const char *b, size_t m) {
    size_t row[128];
    for (size_t k = 0; k <= m; k++)
        row[k] = k;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= m; k++) {
            size_t above = row[k], least = diagonal + (a[i - 1] != b[k - 1]);
            least = above + 1 < least ? above + 1 : least;
            row[k] = row[k - 1] + 1 < least ? row[k - 1] + 1 : least;
            diagonal = above;
        }
    }
    return row[m];
}

static void test_random(void **state) {
    uint64_t seed = 9;
    (void)state;
    for (int round = 0; round < 400; round++) {
        char a[80], b[128];
        size_t n = 1 + vl_random_below(&seed, 64), m = vl_random_below(&seed, 100);
        for (size_t i = 0; i < n; i++)
            a[i] = (char)('a' + vl_random_below(&seed, 4));
        for (size_t i = 0; i < m; i++)
            b[i] = (char)('a' + vl_random_below(&seed, 4));
        a[n] = b[m] = '\0';
        double expected = -(double)plain(a, n, b, m) / (double)(n > m ? n : m);
        assert_true(fabs((double)score_of(a, b) - expected) < 1e-6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
