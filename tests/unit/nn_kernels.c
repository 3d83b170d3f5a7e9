/* Tests of exp, which the kernels have their own of, and of what uses it, at the ends of its
 * range. (That variants equal each other: kernel_variants.c; that the plain one is right:
 * tests/grad.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include <vislang/nn.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* exp over all of its range, against the C library's in double. */
static void test_exp(void **state) {
    (void)state;
    enum { N = 1024 };
    static vl_real x[N], y[N];
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    for (size_t i = 0; i < N; i++)
        x[i] = (vl_real)((double)i / (N - 1) * 172 - 87); /* their sum is a float */
    for (size_t t = 0; t < count; t++) {
        vl_real sum = tables[t]->exp_shifted(y, x, 0, N);
        double total = 0;
        for (size_t i = 0; i < N; i++) {
            double expected = exp((double)x[i]);
            total += expected;
            if (!(fabs((double)y[i] / expected - 1) < 3e-7))
                fail_msg("%s: exp(%g) is off by %g of it", tables[t]->name, (double)x[i],
                         (double)y[i] / expected - 1);
        }
        assert_true(fabs((double)sum / total - 1) < 1e-6);
    }
}

/* Far outside of exp's range the functions that use it are at their limits, and finite. */
static void test_limits(void **state) {
    (void)state;
    static const vl_real far[] = {-1e4f, -1000, -100, -30, 30, 100, 1000, 1e4f};
    enum { N = COUNT(far) };
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    for (size_t t = 0; t < count; t++) {
        const vl_kernels *k = tables[t];
        vl_real y[N], slope[N] = {0}, one[N];
        for (size_t i = 0; i < N; i++)
            one[i] = 1;
        k->gelu(y, far, N);
        k->gelu_backward(slope, one, far, N);
        for (size_t i = 0; i < N; i++) {
            assert_true(fabs((double)y[i] - (far[i] > 0 ? (double)far[i] : 0)) < 1e-6);
            assert_true(fabs((double)slope[i] - (far[i] > 0)) < 1e-6);
        }
        memset(slope, 0, sizeof slope);
        k->silu(y, far, N);
        k->silu_backward(slope, one, far, N);
        for (size_t i = 0; i < N; i++) {
            assert_true(fabs((double)y[i] - (far[i] > 0 ? (double)far[i] : 0)) < 1e-6);
            assert_true(fabs((double)slope[i] - (far[i] > 0)) < 1e-6);
        }
        memcpy(y, far, sizeof y);
        k->softmax(y, 1, 1, N);
        for (size_t i = 0; i < N; i++)
            assert_true(fabs((double)y[i] - (i == N - 1)) < 1e-6);
        assert_true(k->log_sum_exp(far, N) == far[N - 1]);
    }
}

static void test_rough_gelu(void **state) {
    (void)state;
    enum { N = 4001 };
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    static vl_real x[N], y[N], rough[N];
    for (size_t i = 0; i < N; i++)
        x[i] = ((vl_real)i - N / 2) / 100;
    x[0] = -1000;
    x[N - 1] = 1000;
    for (size_t t = 0; t < count; t++) {
        tables[t]->gelu(y, x, N);
        tables[t]->gelu_rough(rough, x, N);
        for (size_t i = 0; i < N; i++)
            assert_true(fabs((double)(y[i] - rough[i])) < 5e-4);
    }
}

/* The largest counts wherever it stands. */
static void test_softmax_of_long_rows(void **state) {
    (void)state;
    enum { N = 101 };
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    for (size_t t = 0; t < count; t++)
        for (size_t n = 1; n <= N; n++)
            for (size_t at = 0; at < n; at += 7) {
                vl_real x[N];
                for (size_t i = 0; i < n; i++)
                    x[i] = (vl_real)(i % 5) - 200;
                x[at] = 200;
                tables[t]->softmax(x, 1, 1, n);
                assert_true(fabs((double)x[at] - 1) < 1e-6);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_rough_gelu),
        cmocka_unit_test(test_softmax_of_long_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
