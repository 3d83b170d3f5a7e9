/* Tests that every variant of the kernels equals the plain one (tests/kernel/variants.h), that
 * VISLANG_CPU chooses, and that products of matrices are products of matrices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIANT_FAIL(...) fail_msg(__VA_ARGS__)
#include "../kernel/variants.h"

/* ---- which variant -------------------------------------------------------------- */

/* What a fresh process takes with VISLANG_CPU=`wanted`, as an index of vl_kernels_all. */
static int chosen_with(const char *wanted) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const vl_kernels *tables[8];
        size_t count = vl_kernels_all(tables);
        if (wanted)
            setenv("VISLANG_CPU", wanted, 1);
        else
            unsetenv("VISLANG_CPU");
        size_t i = 0;
        while (i < count && vl_kernels_get() != tables[i])
            i++;
        _exit((int)i);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Runs first: later this process has chosen, and so have its children. */
static void test_choice(void **state) {
    (void)state;
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    assert_string_equal(tables[0]->name, "ref");
    for (size_t i = 0; i < count; i++) {
        print_message("%s, quantised: %s\n", tables[i]->name, tables[i]->quant->name);
        assert_int_equal(chosen_with(tables[i]->name), i);
    }
    int last = (int)count - 1;
    assert_int_equal(chosen_with(NULL), last);
    assert_int_equal(chosen_with(""), last);
    assert_int_equal(chosen_with("z80"), last); /* warns and goes on */
    bool amx = strcmp(tables[last]->name, "amx") == 0;
    assert_int_equal(chosen_with("amx"), last);
#ifdef __x86_64__
    __builtin_cpu_init();
    bool avx512 = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    assert_string_equal(tables[last]->name, amx          ? "amx"
                                            : avx512     ? "avx512"
                                            : count == 2 ? "avx2"
                                                         : "ref");
#else
    assert_false(amx);
#endif
}

/* ---- variants ------------------------------------------------------------------- */

static void test_rows(void **state) {
    (void)state;
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    for (size_t i = 0; i < count; i++)
        check_rows(tables[0], tables[i]);
}

static void test_quant(void **state) {
    (void)state;
    const vl_kernels *tables[8];
    size_t count = vl_kernels_all(tables);
    for (size_t i = 0; i < count; i++)
        check_quant(tables[0]->quant, tables[i]->quant);
#ifdef __x86_64__
    /* With VNNI at hand the variant without it is in no table. */
    extern const vl_quant_kernels vl_quant_avx512;
    if (count >= 3)
        check_quant(tables[0]->quant, &vl_quant_avx512);
#endif
}

/* The functions that callers see, with the memory they ask for. */
static void test_quant_public(void **state) {
    enum { N = 37, K = 192 };
    (void)state;
    assert_int_equal(vl_quant_input_bytes(SIZE_MAX / 64, 64), 0);
    assert_int_equal(vl_quant_input_bytes(0, K), 0);
    for (size_t t = 0; t < COUNT(quantised); t++)
        for (size_t m = 1; m <= 3; m++) {
            vl_dtype dtype = quantised[t];
            size_t bytes = vl_quant_input_bytes(m, K);
            assert_true(bytes >= m * (K + 2 * sizeof(float) * K / 32) && bytes % 64 == 0);
            void *room = memory(bytes), *blocks = random_blocks(dtype, N * K, 0x2E66);
            float *x = random_floats(m * K), *w = memory(N * K * sizeof *w);
            float *y = memory(m * N * sizeof *y), *bias = random_floats(N);
            vl_quant_input in = vl_quant_round(room, x, m, K);
            assert_true(in.m == m && in.k == K);
            vl_quant_gemv(y, &in, dtype, blocks, N, bias);
            vl_quant_to_f32(w, dtype, blocks, N * K);
            for (size_t i = 0; i < m * N; i++) {
                double sum = (double)bias[i % N], size = 1;
                for (size_t l = 0; l < K; l++) {
                    double term = (double)w[i % N * K + l] * (double)x[i / N * K + l];
                    sum += term;
                    size += fabs(term);
                }
                assert_true(fabs((double)y[i] - sum) < 0.01 * size);
            }
            vl_quant_gemv(NULL, &in, dtype, blocks, 0, NULL); /* no rows, nothing to do */
            free(room);
            free(blocks);
            free(x);
            free(w);
            free(y);
            free(bias);
        }
}

/* ---- products of matrices ------------------------------------------------------- */

static size_t at(bool transpose, size_t ld, size_t row, size_t column) {
    return transpose ? column * ld + row : row * ld + column;
}

static void check_gemm(const vl_gemm *g, double tolerance) {
    size_t rows_a = g->transpose_a ? g->k : g->m, rows_b = g->transpose_b ? g->n : g->k;
    float *a = random_floats(rows_a * g->lda), *b = random_floats(rows_b * g->ldb);
    size_t size = g->m * g->ldc;
    float *c = random_floats(size), *before = memory(size * sizeof *before);
    memcpy(before, c, size * sizeof *c);
    vl_gemm_run(g, a, b, c);
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->ldc; j++) {
            size_t l = i * g->ldc + j;
            if (j >= g->n) { /* between the rows */
                assert_true(c[l] == before[l]);
                continue;
            }
            double sum = g->accumulate ? (double)before[l] : 0;
            for (size_t p = 0; p < g->k; p++)
                sum += (double)a[at(g->transpose_a, g->lda, i, p)] *
                       (double)b[at(g->transpose_b, g->ldb, p, j)];
            double scale = 1 + sqrt((double)g->k);
            if (!(fabs((double)c[l] - sum) <= tolerance * scale))
                fail_msg("m=%zu n=%zu k=%zu ta=%d tb=%d acc=%d bf16=%d: c[%zu,%zu] is %g, "
                         "not %g",
                         g->m, g->n, g->k, g->transpose_a, g->transpose_b, g->accumulate,
                         g->precision == VL_PRECISION_BF16, i, j, (double)c[l], sum);
        }
    free(a);
    free(b);
    free(c);
    free(before);
}

static void test_gemm(void **state) {
    static const size_t shapes[][3] = {{1, 1, 1},    {1, 64, 64},   {3, 17, 65},   {64, 64, 64},
                                       {65, 1, 127}, {1, 1000, 63}, {33, 31, 200}, {5, 7, 0}};
    (void)state;
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (unsigned bits = 0; bits < 32; bits++) {
            vl_gemm g = {.transpose_a = bits & 1,
                         .transpose_b = bits & 2,
                         .accumulate = bits & 4,
                         .m = shapes[s][0],
                         .n = shapes[s][1],
                         .k = shapes[s][2]};
            size_t gap = bits & 8 ? 5 : 0;
            g.lda = (g.transpose_a ? g.m : g.k) + gap;
            g.ldb = (g.transpose_b ? g.k : g.n) + gap;
            g.ldc = g.n + gap;
            g.precision = bits & 16 ? VL_PRECISION_BF16 : VL_PRECISION_F32;
            check_gemm(&g, bits & 16 ? 1e-2 : 1e-5);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_quant),  cmocka_unit_test(test_quant_public),
        cmocka_unit_test(test_gemm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
