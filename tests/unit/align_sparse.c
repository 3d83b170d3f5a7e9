/* Tests of sparse rows against dense ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "align/sparse.h"
#include <math.h>
#include <string.h>

enum { MOST = 24 };
typedef float dense[MOST][MOST];

static const size_t sizes[][2] = {{0, 0}, {0, 5},       {5, 0}, {1, 1},
                                  {3, 7}, {MOST, MOST}, {17, 4}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static float dice(uint64_t *seed) {
    return (float)(vl_random_next(seed) >> 40) / (1 << 24);
}

/* Rows with a third of their columns, some of them twice and none in order. */
static void make(uint64_t seed, size_t rows, size_t columns, sparse *m, dense d) {
    memset(d, 0, sizeof(dense));
    assert_int_equal(sparse_init(m, rows, columns, NULL), VL_OK);
    for (size_t r = 0; r < rows; r++) {
        sparse_entry entries[MOST];
        size_t count = columns ? vl_random_next(&seed) % (columns / 3 + 2) : 0;
        for (size_t i = 0; i < count; i++) {
            entries[i].column = (uint32_t)(vl_random_next(&seed) % columns);
            entries[i].value = dice(&seed);
            d[r][entries[i].column] += entries[i].value;
        }
        assert_int_equal(sparse_add_row(m, entries, count, NULL), VL_OK);
    }
}

/* The rows are those of `d`, and their columns rise. */
static void assert_rows(const sparse *m, size_t rows, size_t columns, const dense d) {
    dense got = {{0}};
    assert_int_equal(m->rows, rows);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = m->from[r]; i < m->from[r + 1]; i++) {
            assert_true(m->column[i] < columns);
            assert_true(i == m->from[r] || m->column[i] > m->column[i - 1]);
            got[r][m->column[i]] = m->value[i];
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            assert_true(fabsf(got[r][c] - d[r][c]) < 1e-5F);
}

static void test_rows(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        sparse m, copy;
        dense d;
        make(s + 1, sizes[s][0], sizes[s][1], &m, d);
        assert_rows(&m, sizes[s][0], sizes[s][1], d);
        assert_int_equal(sparse_copy(&m, &copy, NULL), VL_OK);
        sparse_deinit(&m);
        sparse_deinit(&m); /* of zeros */
        assert_rows(&copy, sizes[s][0], sizes[s][1], d);
        sparse_deinit(&copy);
    }
}

static void test_transpose(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        sparse m, turned;
        dense d, over;
        make(s + 1, sizes[s][0], sizes[s][1], &m, d);
        for (size_t r = 0; r < MOST; r++)
            for (size_t c = 0; c < MOST; c++)
                over[c][r] = d[r][c];
        assert_int_equal(sparse_transpose(&m, &turned, NULL), VL_OK);
        assert_rows(&turned, sizes[s][1], sizes[s][0], over);
        sparse_deinit(&m);
        sparse_deinit(&turned);
    }
}

static void test_multiply(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        sparse a, b, turned;
        dense x, y;
        size_t rows = sizes[s][0], columns = sizes[s][1], others = (rows + 3) % MOST;
        make(s + 1, rows, columns, &a, x);
        make(s + 100, others, columns, &b, y);
        assert_int_equal(sparse_transpose(&b, &turned, NULL), VL_OK);
        for (size_t r = 0; r < rows; r++) {
            float scores[MOST];
            for (size_t k = 0; k < others; k++)
                scores[k] = 1; /* added to */
            sparse_multiply_row(&a, r, &turned, scores);
            for (size_t k = 0; k < others; k++) {
                float plain = 1;
                for (size_t c = 0; c < columns; c++)
                    plain += x[r][c] * y[k][c];
                assert_true(fabsf(scores[k] - plain) < 1e-5F);
            }
        }
        sparse_deinit(&a);
        sparse_deinit(&b);
        sparse_deinit(&turned);
    }
}

static void test_weigh(void **state) {
    static const float lengths[] = {1, 0.25F};
    (void)state;
    for (size_t s = 0; s < SIZES; s++)
        for (size_t l = 0; l < 2; l++) {
            sparse m;
            dense d;
            float weights[MOST];
            uint64_t seed = 9;
            make(s + 1, sizes[s][0], sizes[s][1], &m, d);
            for (size_t c = 0; c < MOST; c++)
                weights[c] = dice(&seed);
            sparse_weigh(&m, weights, lengths[l]);
            for (size_t r = 0; r < sizes[s][0]; r++) {
                float square = 0;
                for (size_t c = 0; c < sizes[s][1]; c++) {
                    d[r][c] = sqrtf(d[r][c]) * weights[c];
                    square += d[r][c] * d[r][c];
                }
                for (size_t c = 0; c < sizes[s][1] && square > 0; c++)
                    d[r][c] *= lengths[l] / sqrtf(square);
            }
            assert_rows(&m, sizes[s][0], sizes[s][1], d);
            sparse_deinit(&m);
        }
}

static void test_rename(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        sparse m;
        dense d, renamed = {{0}};
        uint32_t map[MOST], to = 0;
        size_t rows = sizes[s][0], columns = sizes[s][1];
        make(s + 1, rows, columns, &m, d);
        for (size_t c = 0; c < columns; c++) /* every third is left out */
            map[c] = c % 3 == 1 ? UINT32_MAX : to++;
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                if (map[c] != UINT32_MAX)
                    renamed[r][map[c]] = d[r][c];
        sparse_rename(&m, map, to);
        assert_int_equal(m.columns, to);
        assert_rows(&m, rows, to, renamed);
        sparse_deinit(&m);
    }
}

/* A row of zeros stays one, whatever it is weighed by. */
static void test_zeros(void **state) {
    sparse m;
    sparse_entry entry = {0, 0};
    float weight = 0;
    (void)state;
    assert_int_equal(sparse_init(&m, 2, 1, NULL), VL_OK);
    assert_int_equal(sparse_add_row(&m, &entry, 1, NULL), VL_OK);
    assert_int_equal(sparse_add_row(&m, NULL, 0, NULL), VL_OK);
    sparse_weigh(&m, &weight, 1);
    assert_true(m.value[0] == 0);
    assert_int_equal(m.from[2], 1);
    sparse_deinit(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_multiply), cmocka_unit_test(test_weigh),
        cmocka_unit_test(test_rename),   cmocka_unit_test(test_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
