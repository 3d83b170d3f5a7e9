/* Tests of retrieval: the blocks against plain loops, CSLS against its formula, ties, threads,
 * and rows that are empty, alike or of other dimensions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <align/csls.h>
#include <align/rows.h>
#include <vislang/align.h>

/* Unit rows drawn by chance; the caller frees them. */
static float *draw(size_t count, size_t dim, uint64_t seed) {
    float *rows = malloc(sizeof *rows * (count * dim + 1));
    assert_non_null(rows);
    for (size_t i = 0; i < count * dim; i++)
        rows[i] = (float)(vl_random_uniform(&seed) - 0.5);
    align_rows_unit(rows, count, dim);
    return rows;
}

static double dot(const float *x, const float *y, size_t dim) {
    double sum = 0;
    for (size_t d = 0; d < dim; d++)
        sum += (double)x[d] * (double)y[d];
    return sum;
}

static int falling(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The mean of the k largest products of `row` with `rows`. */
static double mean_best(const float *row, const float *rows, size_t count, size_t dim,
                        size_t k) {
    double *all = calloc(count + 1, sizeof *all), sum = 0;
    for (size_t j = 0; j < count; j++)
        all[j] = dot(row, rows + j * dim, dim);
    qsort(all, count, sizeof *all, falling);
    k = k < count ? k : count;
    for (size_t i = 0; i < k; i++)
        sum += all[i];
    free(all);
    return k ? sum / (double)k : 0;
}

static const struct {
    size_t x, y, dim, k, top;
} shapes[] = {
    {1, 1, 3, 10, 1},     {5, 3, 7, 2, 3},      {3, 200, 16, 10, 5},
    {257, 65, 20, 10, 4}, {300, 1100, 5, 3, 2}, {513, 1025, 9, 10, 1},
};

/* Every score is that of the formula, and none that was left out is better. */
static void check_csls(size_t at) {
    size_t n = shapes[at].x, m = shapes[at].y, dim = shapes[at].dim, k = shapes[at].k,
           top = shapes[at].top;
    float *x = draw(n, dim, at + 1), *y = draw(m, dim, at + 100);
    uint32_t *index = calloc(n * top, sizeof *index);
    float *score = calloc(n * top, sizeof *score);
    vl_rows source = {x, n, dim}, target = {y, m, dim};
    vl_retrieval_options options = {.by = VL_RETRIEVAL_CSLS, .k = k, .top = top, .threads = 2};
    assert_int_equal(vl_rows_retrieve(&source, &target, &options, index, score, NULL), VL_OK);
    double *of_y = calloc(m, sizeof *of_y);
    for (size_t j = 0; j < m; j++)
        of_y[j] = mean_best(y + j * dim, x, n, dim, k);
    for (size_t i = 0; i < n; i++) {
        double of_x = mean_best(x + i * dim, y, m, dim, k);
        double *all = calloc(m, sizeof *all);
        for (size_t j = 0; j < m; j++)
            all[j] = 2 * dot(x + i * dim, y + j * dim, dim) - of_x - of_y[j];
        for (size_t t = 0; t < top && t < m; t++)
            assert_float_equal(score[i * top + t], all[index[i * top + t]], 1e-4);
        qsort(all, m, sizeof *all, falling);
        for (size_t t = 0; t < top; t++)
            if (t < m)
                assert_float_equal(score[i * top + t], all[t], 1e-4);
            else
                assert_int_equal(index[i * top + t], UINT32_MAX);
        free(all);
    }
    free(of_y);
    free(index);
    free(score);
    free(x);
    free(y);
}

static void test_csls(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_csls(i);
}

static void test_columns_and_threads(void **state) {
    (void)state;
    size_t n = 900, m = 700, dim = 12, k = 3;
    float *x = draw(n, dim, 1), *y = draw(m, dim, 2);
    align_best one[2], three[2], turned[2];
    for (int t = 0; t < 2; t++) {
        assert_int_equal(align_best_init(&one[t], t ? m : n, k, NULL), VL_OK);
        assert_int_equal(align_best_init(&three[t], t ? m : n, k, NULL), VL_OK);
        assert_int_equal(align_best_init(&turned[t], t ? n : m, k, NULL), VL_OK);
    }
    align_pass pass = {x, y, n, m, dim, NULL, NULL, &one[0], &one[1], 0.5, 7, 1};
    assert_int_equal(align_pass_run(&pass, NULL), VL_OK);
    pass.threads = 3, pass.x_best = &three[0], pass.y_best = &three[1];
    assert_int_equal(align_pass_run(&pass, NULL), VL_OK);
    for (int t = 0; t < 2; t++) {
        size_t cells = one[t].count * k;
        assert_memory_equal(one[t].index, three[t].index, cells * sizeof(uint32_t));
        assert_memory_equal(one[t].value, three[t].value, cells * sizeof(float));
    }
    /* Columns are the rows of the spaces in the other order. */
    align_pass back = {y, x, m, n, dim, NULL, NULL, &turned[0], NULL, 1, 0, 2};
    assert_int_equal(align_pass_run(&back, NULL), VL_OK);
    pass.keep = 1, pass.y_best = &three[1], pass.x_best = NULL;
    align_best_deinit(&three[1]);
    assert_int_equal(align_best_init(&three[1], m, k, NULL), VL_OK);
    assert_int_equal(align_pass_run(&pass, NULL), VL_OK);
    assert_memory_equal(three[1].index, turned[0].index, m * k * sizeof(uint32_t));
    for (int t = 0; t < 2; t++) {
        align_best_deinit(&one[t]);
        align_best_deinit(&three[t]);
        align_best_deinit(&turned[t]);
    }
    free(x);
    free(y);
}

/* A share `keep` of all pairs is looked at, others with other dice. */
static void test_dice(void **state) {
    (void)state;
    size_t n = 200, dim = 4;
    float *x = draw(n, dim, 3);
    size_t same = 0;
    uint32_t first[200];
    for (uint64_t dice = 1; dice <= 2; dice++) {
        align_best best;
        assert_int_equal(align_best_init(&best, n, 1, NULL), VL_OK);
        align_pass pass = {x, x, n, n, dim, NULL, NULL, &best, NULL, 0.3, dice << 40, 1};
        assert_int_equal(align_pass_run(&pass, NULL), VL_OK);
        size_t own = 0;
        for (size_t i = 0; i < n; i++) {
            own += best.index[i] == i;
            same += dice == 2 && first[i] == best.index[i];
            first[i] = best.index[i];
        }
        assert_in_range(own, 35, 85); /* 60 expected, 6.5 the standard deviation */
        align_best_deinit(&best);
    }
    assert_in_range(same, 0, 100);
    free(x);
}

static void test_ties(void **state) {
    (void)state;
    float rows[6] = {1, 0, 1, 0, 1, 0};
    uint32_t index[9];
    float score[9];
    vl_rows all = {rows, 3, 2};
    vl_retrieval_options options = {.by = VL_RETRIEVAL_NEAREST, .k = 1, .top = 3};
    assert_int_equal(vl_rows_retrieve(&all, &all, &options, index, score, NULL), VL_OK);
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(index[i], i % 3);
}

static void test_bad(void **state) {
    (void)state;
    float rows[6] = {1, 0, 0, 1, 0, 0}; /* the last row is empty */
    uint32_t index[3];
    float score[3];
    vl_rows two = {rows, 3, 2}, three = {rows, 2, 3}, none = {rows, 0, 2};
    vl_retrieval_options options = vl_retrieval_options_default(), bad = options;
    vl_error error;
    assert_int_equal(vl_rows_retrieve(&two, &three, &options, index, score, &error),
                     VL_ERR_INPUT);
    assert_int_equal(vl_rows_retrieve(&none, &two, &options, index, score, &error), VL_OK);
    assert_int_equal(vl_rows_retrieve(&two, &none, &options, index, score, &error), VL_OK);
    assert_int_equal(index[0], UINT32_MAX);
    assert_int_equal(vl_rows_retrieve(&two, &two, &options, index, score, &error), VL_OK);
    assert_int_equal(index[0], 0);
    assert_int_equal(index[1], 1);
    bad.k = 0;
    assert_int_equal(vl_rows_retrieve(&two, &two, &bad, index, score, &error), VL_ERR_USAGE);
    bad.k = 1, bad.top = 0;
    assert_int_equal(vl_rows_retrieve(&two, &two, &bad, index, score, &error), VL_ERR_USAGE);
}

static bool stop(void *user) {
    (void)user;
    return true;
}

static void test_stopped(void **state) {
    (void)state;
    float *x = draw(600, 4, 5);
    uint32_t index[600];
    float score[600];
    vl_rows rows = {x, 600, 4};
    vl_retrieval_options options = vl_retrieval_options_default();
    vl_stop_watch(stop, NULL);
    assert_int_equal(vl_rows_retrieve(&rows, &rows, &options, index, score, NULL),
                     VL_ERR_CANCELLED);
    vl_stop_watch(NULL, NULL);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csls), cmocka_unit_test(test_columns_and_threads),
        cmocka_unit_test(test_dice), cmocka_unit_test(test_ties),
        cmocka_unit_test(test_bad),  cmocka_unit_test(test_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
