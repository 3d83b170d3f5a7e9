/* Tests of products where they keep things: more shapes than there are places for, and threads
 * at the same time. (Each way to store the factors: kernel_variants.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/nn.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
static const vl_real UNTOUCHED = 77;

static uint64_t next(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static vl_real *numbers(uint64_t *state, size_t count) {
    vl_real *x = malloc((count ? count : 1) * sizeof *x);
    for (size_t i = 0; x && i < count; i++)
        x[i] = (vl_real)((double)next(state) / (double)(UINT64_C(1) << 30) - 1);
    return x;
}

static double element(const vl_real *x, bool transpose, size_t ld, size_t row, size_t column) {
    return (double)(transpose ? x[column * ld + row] : x[row * ld + column]);
}

/* ‖C − expected‖ / ‖expected‖ of one product; 1000 when anything beside C was written. */
static double product_error(const vl_gemm *g, uint64_t seed) {
    size_t size_a = (g->transpose_a ? g->k : g->m) * g->lda,
           size_b = (g->transpose_b ? g->n : g->k) * g->ldb, size_c = g->m * g->ldc;
    vl_real *a = numbers(&seed, size_a), *b = numbers(&seed, size_b),
            *c = numbers(&seed, size_c), *before = malloc((size_c + 1) * sizeof *before);
    double apart = 0, length = 0;
    bool sound = a && b && c && before;
    for (size_t i = 0; sound && i < size_c; i++)
        if (i % g->ldc >= g->n)
            c[i] = UNTOUCHED;
    if (sound) {
        memcpy(before, c, size_c * sizeof *c);
        vl_gemm_run(g, a, b, c);
    }
    for (size_t i = 0; sound && i < g->m; i++)
        for (size_t j = 0; j < g->ldc; j++) {
            size_t at = i * g->ldc + j;
            if (j >= g->n) {
                sound = sound && c[at] == UNTOUCHED;
                continue;
            }
            double sum = g->accumulate ? (double)before[at] : 0;
            for (size_t l = 0; l < g->k; l++)
                sum += element(a, g->transpose_a, g->lda, i, l) *
                       element(b, g->transpose_b, g->ldb, l, j);
            apart += ((double)c[at] - sum) * ((double)c[at] - sum);
            length += sum * sum;
        }
    free(a);
    free(b);
    free(c);
    free(before);
    return !sound ? 1000 : length > 0 ? sqrt(apart / length) : sqrt(apart);
}

static vl_gemm gemm_of(size_t m, size_t n, size_t k, unsigned flags, vl_precision precision) {
    vl_gemm g = {.transpose_a = flags & 1,
                 .transpose_b = flags & 2,
                 .accumulate = flags & 4,
                 .precision = precision,
                 .m = m,
                 .n = n,
                 .k = k};
    size_t gap = flags & 8 ? 3 : 0;
    g.lda = (g.transpose_a ? m : k) + gap;
    g.ldb = (g.transpose_b ? k : n) + 2 * gap;
    g.ldc = n + gap;
    return g;
}

/* Rounding to bf16 moves each factor by 2^−9 of it at most; sums are kept in f32. */
static double allowed(vl_precision precision) {
    return precision == VL_PRECISION_BF16 ? 1e-2 : 1e-5;
}

/* bf16 products keep what they made for a shape; more shapes than there are places for. */
static void test_many_shapes(void **state) {
    (void)state;
    for (size_t i = 0; i < 700; i++) {
        vl_gemm g = gemm_of(9 + i % 29, 11 + i / 29, 23, (unsigned)i % 16, VL_PRECISION_BF16);
        double error = product_error(&g, i);
        if (!(error < allowed(VL_PRECISION_BF16)))
            fail_msg("%zu × %zu × %zu: relative error %g", g.m, g.n, g.k, error);
    }
}

/* Threads with shapes of their own at the same time. */
typedef struct worker {
    pthread_t thread;
    size_t seed;
    double worst; /* error by what is allowed */
} worker;

static void *many_products(void *argument) {
    worker *self = argument;
    for (size_t i = 0; i < 60; i++) {
        vl_gemm g = gemm_of(14 + self->seed, 15 + i % 5, 16, (unsigned)i % 16,
                            i % 2 ? VL_PRECISION_BF16 : VL_PRECISION_F32);
        double error = product_error(&g, self->seed * 100 + i) / allowed(g.precision);
        if (!(error <= self->worst))
            self->worst = error;
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    worker workers[4] = {{0}};
    for (size_t i = 0; i < COUNT(workers); i++) {
        workers[i].seed = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, many_products, &workers[i]),
                         0);
    }
    for (size_t i = 0; i < COUNT(workers); i++) {
        pthread_join(workers[i].thread, NULL);
        assert_true(workers[i].worst < 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_shapes),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
