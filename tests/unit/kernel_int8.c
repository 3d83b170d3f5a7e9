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
    void *packed = aligned_alloc(64, (vl_int8_packed_bytes(n, k) + 63) / 64 * 64);
    int32_t *again = malloc(m * n * sizeof *again);
    assert_true(packed && again);
    vl_int8_pack(packed, w, n, k);
    vl_int8_packed_product(again, x, m, packed, n, k);
    assert_memory_equal(again, y, m * n * sizeof *y);
    free(packed);
    free(again);
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

/* Within one step of what the kernels on floats and rounding say. */
static void check_rounded(const int8_t *q, const float *scale, const float *want, size_t rows,
                          size_t n) {
    for (size_t r = 0; r < rows; r++) {
        float most = 0;
        for (size_t i = 0; i < n; i++)
            most = fmaxf(most, fabsf(want[r * n + i]));
        assert_true(fabsf(scale[r] - most / 127) <= 1e-4f * most);
        for (size_t i = 0; i < n; i++)
            assert_true(fabsf((float)q[r * n + i] * scale[r] - want[r * n + i]) <=
                        0.51f * scale[r]);
    }
}

enum { ROWS_MOST = 6, N_MOST = 200 };

/* Sums of products, what scales them, and what follows from int8_scale and gelu_rough. */
static void test_between_products(void **state) {
    (void)state;
    const vl_kernels *kernels = vl_kernels_get();
    static const size_t widths[] = {1, 15, 16, 48, 67, N_MOST};
    static float sums[ROWS_MOST * N_MOST], plain[ROWS_MOST * N_MOST], y[ROWS_MOST * N_MOST],
        want[ROWS_MOST * N_MOST], scale[ROWS_MOST], own[ROWS_MOST], w_scale[N_MOST],
        bias[N_MOST];
    static int8_t q[ROWS_MOST * N_MOST];
    uint64_t random = 6;
    for (size_t at = 0; at < sizeof widths / sizeof *widths; at++) {
        size_t n = widths[at], rows = ROWS_MOST, all = rows * n;
        for (size_t j = 0; j < n; j++) {
            w_scale[j] = (float)(1 + vl_random_uniform(&random));
            bias[j] = (float)(vl_random_uniform(&random) - 0.5);
        }
        for (size_t r = 0; r < rows; r++)
            scale[r] = 1e-3f * (float)(r + 1);
        for (size_t i = 0; i < all; i++) {
            int32_t sum = (int32_t)vl_random_below(&random, 1600) - 800;
            memcpy(&sums[i], &sum, sizeof sum);
        }
        memcpy(plain, sums, all * sizeof *plain);
        kernels->int8_scale(plain, scale, w_scale, bias, rows, n);
        for (size_t i = 0; i < all; i++)
            y[i] = (float)i;
        kernels->int8_scale_add(y, sums, scale, w_scale, bias, rows, n);
        for (size_t i = 0; i < all; i++)
            assert_true(fabsf(y[i] - (float)i - plain[i]) < 1e-4f * (1 + (float)i));
        kernels->gelu_rough(want, plain, all);
        kernels->int8_scale_gelu(y, sums, scale, w_scale, bias, rows, n);
        for (size_t i = 0; i < all; i++)
            assert_true(fabsf(y[i] - want[i]) < 1e-5f);
        memcpy(own, scale, sizeof own);
        kernels->int8_gelu_round(q, own, sums, w_scale, bias, rows, n);
        check_rounded(q, own, want, rows, n);
    }
}

static void test_shares_are_rounded(void **state) {
    (void)state;
    const vl_kernels *kernels = vl_kernels_get();
    static const size_t widths[][2] = {{1, 1},   {1, 16},  {5, 16},
                                       {48, 48}, {67, 80}, {139, 144}};
    static float sums[ROWS_MOST * N_MOST], want[N_MOST], scale[ROWS_MOST], w_scale[N_MOST],
        kept[ROWS_MOST * N_MOST];
    static int8_t q[ROWS_MOST * N_MOST];
    uint64_t random = 8;
    for (size_t at = 0; at < sizeof widths / sizeof *widths; at++) {
        size_t n = widths[at][0], step = widths[at][1];
        float own[ROWS_MOST];
        for (size_t j = 0; j < n; j++)
            w_scale[j] = (float)(1 + vl_random_uniform(&random));
        for (size_t j = n; j < step; j++)
            w_scale[j] = w_scale[0];
        for (size_t r = 0; r < ROWS_MOST; r++)
            own[r] = scale[r] = 1e-3f * (float)(r + 1);
        for (size_t i = 0; i < ROWS_MOST * step; i++) {
            int32_t sum =
                (int32_t)vl_random_below(&random, 8000) - 4000 * (i / step < 5) - 8001;
            if (i % step < n)
                memcpy(&sums[i], &sum, sizeof sum);
            else
                sums[i] = sums[i / step * step];
        }
        memcpy(kept, sums, sizeof kept);
        kernels->int8_softmax_round(q, scale, sums, w_scale, 0.5f, ROWS_MOST, n, step);
        for (size_t r = 0; r < ROWS_MOST; r++) {
            for (size_t j = 0; j < n; j++) {
                int32_t sum;
                memcpy(&sum, &kept[r * step + j], sizeof sum);
                want[j] = (float)sum * own[r] * w_scale[j];
            }
            kernels->softmax(want, 0.5f, 1, n);
            check_rounded(q + r * step, &scale[r], want, 1, n);
            for (size_t j = n; j < step; j++)
                assert_int_equal(q[r * step + j], 0);
        }
    }
}

static void test_columns_are_rounded(void **state) {
    (void)state;
    const vl_kernels *kernels = vl_kernels_get();
    static const size_t shapes[][4] = {/* rows, step, n, full */
                                       {1, 1, 1, 1},
                                       {5, 9, 7, 16},
                                       {17, 60, 48, 32},
                                       {40, 300, 300, 48}};
    static float x[40 * 300], turned[300 * 48], scale[300], want_scale[300], work[300];
    static int8_t q[300 * 48], want[300 * 48];
    uint64_t random = 9;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (float)(vl_random_uniform(&random) - 0.5);
    for (size_t at = 0; at < sizeof shapes / sizeof *shapes; at++) {
        const size_t *s = shapes[at];
        memset(turned, 0, sizeof turned);
        for (size_t r = 0; r < s[0]; r++)
            for (size_t i = 0; i < s[2]; i++)
                turned[i * s[3] + r] = x[r * s[1] + i];
        kernels->int8_round(want, want_scale, turned, s[2], s[3]);
        kernels->int8_round_turned(q, scale, work, x, s[0], s[1], s[2], s[3]);
        assert_memory_equal(q, want, s[2] * s[3]);
        assert_memory_equal(scale, want_scale, s[2] * sizeof *scale);
    }
}

static void test_norms_are_rounded(void **state) {
    (void)state;
    const vl_kernels *kernels = vl_kernels_get();
    static const size_t shapes[][2] = {{1, 1},  {7, 1},  {16, 2}, {32, 1},  {48, 2},    {48, 3},
                                       {75, 2}, {96, 2}, {96, 1}, {192, 1}, {N_MOST, 1}};
    static float x[ROWS_MOST * N_MOST], y[ROWS_MOST * N_MOST], work[ROWS_MOST * N_MOST],
        gain[N_MOST], bias[N_MOST], scale[ROWS_MOST], mean[ROWS_MOST], rstd[ROWS_MOST];
    static int8_t q[ROWS_MOST * N_MOST];
    uint64_t random = 7;
    for (size_t at = 0; at < sizeof shapes / sizeof *shapes; at++) {
        size_t n = shapes[at][0], together = shapes[at][1], rows = ROWS_MOST;
        for (size_t j = 0; j < n; j++) {
            gain[j] = (float)(0.5 + vl_random_uniform(&random));
            bias[j] = (float)(vl_random_uniform(&random) - 0.5);
        }
        for (size_t i = 0; i < rows * n; i++)
            x[i] = (float)(4 + 3 * vl_random_uniform(&random));
        kernels->layernorm(y, mean, rstd, x, gain, bias, rows, n);
        kernels->int8_layernorm_round(q, scale, work, x, gain, bias, rows, n, together);
        check_rounded(q, scale, y, rows / together, n * together);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_are_exact),
        cmocka_unit_test(test_the_ends_of_the_range),
        cmocka_unit_test(test_rows_are_rounded),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_between_products),
        cmocka_unit_test(test_shares_are_rounded),
        cmocka_unit_test(test_columns_are_rounded),
        cmocka_unit_test(test_norms_are_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
