/* Tests of finding each text's translation: duplicates, ties, the order of lines, and scores
 * against ones worked out without blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/match.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_error error;

static align_pairs pairs_of(const char *text) {
    align_pairs pairs;
    vl_buf bytes;
    vl_buf_init(&bytes, 1 << 20);
    vl_buf_puts(&bytes, text);
    assert_int_equal(
        align_pairs_parse("t", &bytes, NULL, NULL, &(align_pairs_options){0}, &pairs, &error),
        VL_OK);
    vl_buf_deinit(&bytes);
    return pairs;
}

static align_match match_of(const char *text, uint64_t seed) {
    align_match match;
    align_pairs pairs = pairs_of(text);
    assert_int_equal(align_match_make(&pairs, seed, &match, &error), VL_OK);
    /* texts are the pairs'; the tests' are literals that live on */
    for (size_t i = 0; i < match.src.count; i++)
        match.src.texts[i] = strdup(match.src.texts[i]);
    for (size_t i = 0; i < match.tgt.count; i++)
        match.tgt.texts[i] = strdup(match.tgt.texts[i]);
    align_pairs_deinit(&pairs);
    return match;
}

static void match_free(align_match *match) {
    for (size_t i = 0; i < match->src.count; i++)
        free((void *)(uintptr_t)match->src.texts[i]);
    for (size_t i = 0; i < match->tgt.count; i++)
        free((void *)(uintptr_t)match->tgt.texts[i]);
    align_match_deinit(match);
}

static size_t find(const align_side *side, const char *text) {
    for (size_t i = 0; i < side->count; i++)
        if (!strcmp(side->texts[i], text))
            return i;
    return SIZE_MAX;
}

static bool is_right(const align_match *m, const char *src, const char *tgt) {
    size_t a = find(&m->src, src), b = find(&m->tgt, tgt);
    bool forth = false, back = false;
    for (size_t i = m->src.from[a]; i < m->src.from[a + 1]; i++)
        forth = forth || m->src.right[i] == b;
    for (size_t i = m->tgt.from[b]; i < m->tgt.from[b + 1]; i++)
        back = back || m->tgt.right[i] == a;
    assert_int_equal(forth, back);
    return forth;
}

static void test_duplicates(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        align_match m = match_of("a\tx\nb\ty\na\tz\nc\ty\na\tx\n", seed);
        assert_int_equal(m.src.count, 3);
        assert_int_equal(m.tgt.count, 3);
        assert_int_equal(m.src.weight[find(&m.src, "a")], 3);
        assert_int_equal(m.src.from[3], 4); /* a: x z, b: y, c: y */
        assert_true(is_right(&m, "a", "x") && is_right(&m, "a", "z"));
        assert_true(is_right(&m, "b", "y") && is_right(&m, "c", "y"));
        assert_false(is_right(&m, "a", "y") || is_right(&m, "b", "x"));
        match_free(&m);
    }
}

/* A text of one letter as a unit row of three numbers. */
static void rows_of(const align_side *side, const char *letters, const float (*vectors)[3],
                    float *rows) {
    for (size_t i = 0; i < side->count; i++)
        memcpy(rows + 3 * i, vectors[strchr(letters, *side->texts[i]) - letters],
               3 * sizeof *rows);
}

static void test_vectors(void **state) {
    /* Cosines: a-x 1, a-y .6, a-z 0; b-x .6, b-y 1, b-z 0; c-x .64, c-y 0, c-z .6: c is not
     * found by cosine, the others are. The means of all three are a .5333, b .5333, c .4133,
     * x .7467, y .5333, z .2, so the CSLS of c-x is .12, and of c-z .5867. */
    static const float src[][3] = {{1, 0, 0}, {0.6F, 0.8F, 0}, {0.64F, -0.48F, 0.6F}};
    static const float tgt[][3] = {{1, 0, 0}, {0.6F, 0.8F, 0}, {0, 0, 1}};
    static const char *const lines[] = {"a\tx\nb\ty\nc\tz\n", "c\tz\nb\ty\na\tx\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            align_match m = match_of(lines[i], seed);
            float a[9], b[9];
            align_near near;
            align_ranks ranks;
            rows_of(&m.src, "abc", src, a);
            rows_of(&m.tgt, "xyz", tgt, b);
            assert_int_equal(align_near_init(&near, a, 3, b, 3, 3, &error), VL_OK);
            align_rank_vectors(&near, ALIGN_COSINE, &m, false, &ranks, NULL, &error);
            assert_true(fabs(ranks.at1 - 2.0 / 3) < 1e-9);
            assert_true(fabs(ranks.reciprocal - 2.5 / 3) < 1e-9);
            assert_true(fabs(ranks.at5 - 1) < 1e-9);
            align_rank_vectors(&near, ALIGN_COSINE, &m, true, &ranks, NULL, &error);
            assert_true(fabs(ranks.at1 - 1) < 1e-9);
            align_rank_vectors(&near, ALIGN_CSLS, &m, false, &ranks, NULL, &error);
            assert_true(fabs(ranks.at1 - 1) < 1e-9);
            align_near_deinit(&near);
            match_free(&m);
        }
}

/* Every score by the formulas, without blocks: ranks must be the same. */
static void check_method(const align_near *near, align_method method, const align_match *m,
                         const float *a, const float *b, size_t n, size_t dim) {
    float *scores = malloc(n * n * sizeof *scores);
    double *means[2] = {calloc(n, sizeof(double)), calloc(n, sizeof(double))};
    size_t k = method == ALIGN_CSLS ? 10 : 4;
    align_ranks expected = {0}, got;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t d = 0; d < dim; d++)
                sum += (double)a[i * dim + d] * (double)b[j * dim + d];
            scores[i * n + j] = (float)sum;
        }
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < n; i++) {
            bool used[64] = {false};
            for (size_t best = 0; best < k; best++) {
                size_t at = SIZE_MAX;
                for (size_t j = 0; j < n; j++) {
                    float s = side ? scores[j * n + i] : scores[i * n + j];
                    if (!used[j] && (at == SIZE_MAX ||
                                     s > (side ? scores[at * n + i] : scores[i * n + at])))
                        at = j;
                }
                used[at] = true;
                means[side][i] +=
                    (double)(side ? scores[at * n + i] : scores[i * n + at]) / (double)k;
            }
        }
    for (size_t i = 0; i < n; i++) {
        float *row = scores + i * n;
        for (size_t j = 0; j < n && method != ALIGN_COSINE; j++)
            row[j] = (float)(method == ALIGN_CSLS
                                 ? 2 * (double)row[j] - means[0][i] - means[1][j]
                                 : (double)row[j] / ((means[0][i] + means[1][j]) / 2));
        align_ranks_add(&expected,
                        align_place_of(row, n, m->src.right + m->src.from[i],
                                       m->src.from[i + 1] - m->src.from[i]),
                        m->src.weight[i]);
    }
    align_ranks_finish(&expected);
    assert_int_equal(align_rank_vectors(near, method, m, false, &got, NULL, &error), VL_OK);
    assert_true(fabs(got.at1 - expected.at1) < 1e-9);
    assert_true(fabs(got.reciprocal - expected.reciprocal) < 1e-9);
    free(scores);
    free(means[0]);
    free(means[1]);
}

static void test_methods(void **state) {
    enum { N = 60, DIM = 16 };
    char text[N * 16] = "";
    float a[N * DIM], b[N * DIM];
    uint64_t seed = 3;
    align_near near;
    (void)state;
    for (size_t i = 0; i < N; i++)
        snprintf(text + strlen(text), 16, "s%zu\tt%zu\n", i, i);
    align_match m = match_of(text, 5);
    for (size_t i = 0; i < N; i++) {
        float *x = a + i * DIM, *y, sums[2] = {0};
        char name[16];
        snprintf(name, sizeof name, "t%s", m.src.texts[i] + 1);
        y = b + find(&m.tgt, name) * DIM;
        for (size_t d = 0; d < DIM; d++) {
            x[d] = (float)vl_random_uniform(&seed) - 0.3F;
            y[d] = x[d] + 1.6F * ((float)vl_random_uniform(&seed) - 0.4F);
            sums[0] += x[d] * x[d];
            sums[1] += y[d] * y[d];
        }
        for (size_t d = 0; d < DIM; d++) {
            x[d] /= sqrtf(sums[0]);
            y[d] /= sqrtf(sums[1]);
        }
    }
    assert_int_equal(align_near_init(&near, a, N, b, N, DIM, &error), VL_OK);
    for (int method = 0; method < ALIGN_METHODS; method++)
        check_method(&near, (align_method)method, &m, a, b, N, DIM);
    align_near_deinit(&near);
    match_free(&m);
}

/* What is not known at all is worth chance, whatever the order of lines. */
static void test_zeros(void **state) {
    float zeros[8 * 4] = {0};
    align_match m = match_of("a\ts\nb\tt\nc\tu\nd\tv\ne\tw\nf\tx\ng\ty\nh\tz\n", 1);
    (void)state;
    for (int method = 0; method < ALIGN_METHODS; method++) {
        align_near near;
        align_ranks ranks;
        assert_int_equal(align_near_init(&near, zeros, 8, zeros, 8, 4, &error), VL_OK);
        align_rank_vectors(&near, (align_method)method, &m, false, &ranks, NULL, &error);
        assert_true(fabs(ranks.at1 - 1.0 / 8) < 1e-9);
        assert_true(fabs(ranks.at5 - 5.0 / 8) < 1e-9);
        assert_true(fabs(ranks.tied - 1) < 1e-9);
        align_near_deinit(&near);
    }
    match_free(&m);
}

static void test_identical(void **state) {
    static const struct {
        const char *text;
        double forth, back;
    } rows[] = {
        {"in 1919 they\tmwaka 1919 wao\nin 2020 we\tmwaka 2020 sisi\n", 1, 1},
        {"١٩١٩\t1919\n1,000\t1.000\n", 1, 1}, /* digits of any script, marks in numbers */
        {"a b\tx y\nc d\tz w\ne f\tu v\n", 1.0 / 3, 1.0 / 3}, /* nothing in common: chance */
        /* "covid" is in all and weighs least; "who" decides */
        {"covid who\tcovid who\ncovid covid\tcovid\n", 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        align_match m = match_of(rows[i].text, i);
        align_ranks ranks[2];
        assert_int_equal(align_rank_identical(&m, ranks, &error), VL_OK);
        assert_true(fabs(ranks[0].at1 - rows[i].forth) < 1e-6);
        assert_true(fabs(ranks[1].at1 - rows[i].back) < 1e-6);
        match_free(&m);
    }
}

static void test_length(void **state) {
    /* twice as many characters on the other side, whatever their bytes */
    align_match m = match_of("ab\tሀለሐመ\nabcdef\tሀለሐመሠረሰሸቀበቡተ\nabc\tሀለሐመሠረ\n", 1);
    align_ranks ranks[2];
    (void)state;
    assert_int_equal(align_rank_length(&m, ranks, &error), VL_OK);
    assert_true(fabs(ranks[0].at1 - 1) < 1e-9);
    assert_true(fabs(ranks[1].at1 - 1) < 1e-9);
    match_free(&m);
    m = match_of("abc\txyz\ndef\tuvw\n", 1);
    assert_int_equal(align_rank_length(&m, ranks, &error), VL_OK);
    assert_true(fabs(ranks[0].at1 - 0.5) < 1e-9);
    match_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duplicates), cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_methods),    cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_identical),  cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
