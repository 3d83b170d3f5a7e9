/* Tests of products of 8-bit numbers: exact on random odd shapes and at the ends of the range,
 * where sums in 16 bits would saturate; scales that bring them back to floats. (The suite runs
 * this once for each instruction set: tests/kernel.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/kernel.h>

static int8_t *bytes(uint64_t *random, size_t count, int always) {
    int8_t *x = malloc(count ? count : 1);
    assert_non_null(x);
    for (size_t i = 0; i < count; i++)
        x[i] = always ? (int8_t)always : (int8_t)((int)vl_random_below(random, 256) - 128);
    return x;
}

static void check_product(uint64_t *random, size_t m, size_t n, size_t k, int a, int b) {
    int8_t *x = bytes(random, m * k, a), *w = bytes(random, n * k, b);
    int32_t *y = malloc(m * n * sizeof *y);
    assert_non_null(y);
    vl_int8_product(y, x, w, m, n, k);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            int64_t sum = 0;
            for (size_t l = 0; l < k; l++)
                sum += (int64_t)x[i * k + l] * w[j * k + l];
            assert_int_equal(y[i * n + j], sum);
        }
    free(x);
    free(w);
    free(y);
}

static void test_products_are_exact(void **state) {
    (void)state;
    uint64_t random = 3;
    static const size_t shapes[][3] = {{1, 1, 1},    {1, 7, 3},    {3, 5, 64},  {16, 64, 64},
                                       {17, 33, 65}, {64, 96, 48}, {128, 1, 9}, {5, 300, 127}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_product(&random, shapes[i][0], shapes[i][1], shapes[i][2], 0, 0);
    for (int i = 0; i < 40; i++)
        check_product(&random, 1 + vl_random_below(&random, 40),
                      1 + vl_random_below(&random, 70), 1 + vl_random_below(&random, 200), 0,
                      0);
}

static void test_the_ends_of_the_range(void **state) {
    (void)state;
    uint64_t random = 4;
    static const int ends[] = {-128, 127};
    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 2; b++)
            check_product(&random, 9, 17, 1025, ends[a], ends[b]);
    check_product(&random, 1, 2, VL_INT8_MAX_K, -128, -128);
}

static void test_rows_are_rounded(void **state) {
    (void)state;
    static const float x[] = {1, -2, 0.5f, 0, 0, 1e-39f, 0, 0, -127, 126.4f, 126.6f, 0.49f};
    static const int8_t want[] = {64, -127, 32, 0, 0, 0, 0, 0, -127, 126, 127, 0};
    int8_t q[12];
    float scale[3];
    vl_int8_round(q, scale, x, 3, 4);
    assert_memory_equal(q, want, sizeof want);
    assert_true(fabsf(scale[0] - 2.0f / 127) < 1e-7f);
    assert_true(scale[1] == 0 && scale[2] == 1);
}

/* Against the product of the floats: an error of at most half a step a factor. */
static void test_linear(void **state) {
    (void)state;
    enum { M = 33, N = 65, K = 192 };
    static float x[M * K], w[N * K], bias[N], y[M * N], x_scale[M], w_scale[N];
    static int8_t qx[M * K], qw[N * K];
    uint64_t random = 5;
    for (size_t i = 0; i < M * K; i++)
        x[i] = (float)(vl_random_uniform(&random) - 0.5);
    for (size_t i = 0; i < N * K; i++)
        w[i] = (float)(vl_random_uniform(&random) - 0.5);
    for (size_t j = 0; j < N; j++)
        bias[j] = (float)j;
    vl_int8_round(qx, x_scale, x, M, K);
    vl_int8_round(qw, w_scale, w, N, K);
    for (int with = 0; with < 2; with++) {
        double error = 0, power = 0;
        vl_int8_linear(y, qx, x_scale, M, qw, w_scale, N, K, with ? bias : NULL);
        for (size_t i = 0; i < M; i++)
            for (size_t j = 0; j < N; j++) {
                double sum = with ? (double)bias[j] : 0, exact = 0;
                for (size_t l = 0; l < K; l++)
                    exact += (double)x[i * K + l] * (double)w[j * K + l];
                error += pow((double)y[i * N + j] - sum - exact, 2);
                power += exact * exact;
            }
        assert_true(sqrt(error / power) < 0.02);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_are_exact),
        cmocka_unit_test(test_the_ends_of_the_range),
        cmocka_unit_test(test_rows_are_rounded),
        cmocka_unit_test(test_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
