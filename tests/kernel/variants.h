/* variants.h — every variant of every kernel equals the plain one: what is checked, apart from
 * how it is run. tests/unit/kernel_variants.c runs it under cmocka; tests/kernel/alone.c runs
 * it without any library but C's, for processors that are only emulated here.
 *
 * Whoever includes this defines VARIANT_FAIL(format, …), which does not return. */
#ifndef VISLANG_TESTS_KERNEL_VARIANTS_H
#define VISLANG_TESTS_KERNEL_VARIANTS_H

#include <vislang/kernel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
static const size_t odd_sizes[] = {1, 2, 3, 7, 16, 17, 31, 63, 64, 65, 127, 1000};

/* ---- inputs --------------------------------------------------------------------- */

static uint64_t seed = 88172645463325252u;

static uint32_t random_bits(void) { /* xorshift64, Marsaglia 2003 */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32);
}

static float random_float(void) { /* -1 … 1 */
    return (float)(int32_t)random_bits() * 0x1p-31f;
}

/* Exactly `bytes`, so that the sanitizer sees what goes past; freed by the caller. */
static void *memory(size_t bytes) {
    void *block = NULL;
    if (posix_memalign(&block, 64, bytes ? bytes : 1))
        VARIANT_FAIL("no memory for %zu bytes", bytes);
    return block;
}

static float *random_floats(size_t n) {
    float *x = memory(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = random_float();
    return x;
}

/* ---- comparing ------------------------------------------------------------------ */

static bool same_float(float a, float b, float tolerance) {
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b))
        return a == b;
    return fabsf(a - b) <= tolerance * (1 + fabsf(b));
}

/* `a` is the reference's. */
static void agree(const char *what, const char *variant, const float *a, const float *b,
                  size_t n, float tolerance) {
    for (size_t i = 0; i < n; i++)
        if (!same_float(b[i], a[i], tolerance))
            VARIANT_FAIL("%s of %s: value %zu of %zu is %.9g, the reference has %.9g", what,
                         variant, i, n, (double)b[i], (double)a[i]);
}

/* One output of two runs, filled with the same numbers. */
typedef struct pair {
    float *a, *b;
    size_t n;
} pair;

static pair pair_new(size_t n) {
    pair p = {random_floats(n), memory(n * sizeof(float)), n};
    memcpy(p.b, p.a, n * sizeof(float));
    return p;
}

static void pair_end(pair p, const char *what, const char *variant, float tolerance) {
    agree(what, variant, p.a, p.b, p.n, tolerance);
    free(p.a);
    free(p.b);
}

/* Runs `call` with `K` the reference and `Y` its output, then with the variant and its own. */
#define ON_BOTH(what, size, tolerance, call)                                                   \
    do {                                                                                       \
        pair out_ = pair_new(size);                                                            \
        const vl_kernels *K = ref;                                                             \
        float *Y = out_.a;                                                                     \
        call;                                                                                  \
        K = k, Y = out_.b;                                                                     \
        call;                                                                                  \
        pair_end(out_, what, k->name, tolerance);                                              \
    } while (0)

/* ---- kernels on rows ------------------------------------------------------------ */

static void check_simple(const vl_kernels *ref, const vl_kernels *k, size_t rows, size_t n) {
    size_t all = rows * n;
    float *x = random_floats(all), *z = random_floats(all);
    ON_BOTH("add", all, 0, K->add(Y, x, all));
    ON_BOTH("axpy", all, 1e-6f, K->axpy(Y, 0.37f, x, all));
    ON_BOTH("dot", 1, 1e-5f, Y[0] = K->dot(x, z, all));
    ON_BOTH("add_bias", all, 0, K->add_bias(Y, x, rows, n));
    ON_BOTH("sum_rows", n, 1e-6f, K->sum_rows(Y, x, rows, n));
    for (size_t i = 0; i < all; i++)
        z[i] *= 12;
    ON_BOTH("gelu", all, 1e-5f, K->gelu(Y, z, all));
    ON_BOTH("gelu_backward", all, 1e-5f, K->gelu_backward(Y, x, z, all));
    ON_BOTH("silu", all, 1e-5f, K->silu(Y, z, all));
    ON_BOTH("silu_backward", all, 1e-5f, K->silu_backward(Y, x, z, all));
    free(x);
    free(z);
}

static void check_norms(const vl_kernels *ref, const vl_kernels *k, size_t rows, size_t n) {
    size_t all = rows * n;
    float *x = random_floats(all), *dy = random_floats(all);
    float *gain = random_floats(n), *bias = random_floats(n);
    float *mean = memory(rows * sizeof *mean), *rstd = memory(rows * sizeof *rstd);
    float tolerance = 1e-4f; /* a row of one value is all rounding error */
    ON_BOTH("layernorm", all, tolerance, K->layernorm(Y, mean, rstd, x, gain, bias, rows, n));
    ON_BOTH("layernorm's mean and rstd", 2 * rows, tolerance, {
        float *y = memory(all * sizeof *y);
        K->layernorm(y, Y, Y + rows, x, gain, bias, rows, n);
        free(y);
    });
    ref->layernorm(dy, mean, rstd, x, gain, bias, rows, n);
    ON_BOTH("layernorm_backward", all + 2 * n, tolerance,
            K->layernorm_backward(Y, Y + all, Y + all + n, dy, x, mean, rstd, gain, rows, n));
    ON_BOTH("rmsnorm", all, tolerance, K->rmsnorm(Y, rstd, x, gain, rows, n));
    ON_BOTH("rmsnorm_backward", all + n, tolerance,
            K->rmsnorm_backward(Y, Y + all, dy, x, rstd, gain, rows, n));
    free(x);
    free(dy);
    free(gain);
    free(bias);
    free(mean);
    free(rstd);
}

static void check_softmax(const vl_kernels *ref, const vl_kernels *k, size_t rows, size_t n) {
    size_t all = rows * n;
    static const float spreads[] = {1, 50, 1e4f, 1e30f};
    for (size_t s = 0; s < COUNT(spreads); s++) {
        ON_BOTH("softmax", all, 1e-5f, {
            for (size_t i = 0; i < all; i++)
                Y[i] *= spreads[s];
            K->softmax(Y, 0.125f, rows, n);
            for (size_t r = 0; r < rows; r++) {
                double sum = 0;
                for (size_t i = 0; i < n; i++)
                    sum += (double)Y[r * n + i];
                if (!(fabs(sum - 1) < 1e-4))
                    VARIANT_FAIL("softmax of %s: a row of %zu sums to %g", K->name, n, sum);
            }
        });
        ON_BOTH("log_sum_exp", n + 1, 1e-5f, {
            for (size_t i = 0; i < n; i++)
                Y[i] *= spreads[s];
            Y[n] = K->log_sum_exp(Y, n);
        });
    }
    float *p = random_floats(all);
    ON_BOTH("softmax_backward", all, 1e-5f, K->softmax_backward(Y, p, 0.3f, rows, n));
    ON_BOTH("exp_shifted", all + 1, 1e-5f, Y[all] = K->exp_shifted(Y, p, 0.7f, all));
    free(p);
}

/* A NaN in a row is never lost. */
static void check_nan(const vl_kernels *ref, const vl_kernels *k, size_t rows, size_t n) {
    size_t at = random_bits() % n, all = rows * n;
    float *x = random_floats(all), *gain = random_floats(n), *y = memory(all * sizeof *y);
    float *mean = memory(rows * sizeof *mean), *rstd = memory(rows * sizeof *rstd);
    x[at] = NAN;
    (void)ref;
#define KEEPS_NAN(what, value)                                                                 \
    if (!isnan(value))                                                                         \
    VARIANT_FAIL("%s of %s: the NaN at %zu of %zu is lost", what, k->name, at, n)
    memcpy(y, x, all * sizeof *y);
    k->softmax(y, 1, rows, n);
    for (size_t i = 0; i < n; i++)
        KEEPS_NAN("softmax", y[i]);
    for (size_t i = n; i < all; i++)
        if (!isfinite(y[i]))
            VARIANT_FAIL("softmax of %s: a NaN spread to another row", k->name);
    KEEPS_NAN("log_sum_exp", k->log_sum_exp(x, n));
    KEEPS_NAN("exp_shifted's sum", k->exp_shifted(y, x, 0, n));
    KEEPS_NAN("exp_shifted", y[at]);
    KEEPS_NAN("dot", k->dot(x, gain, n));
    k->layernorm(y, mean, rstd, x, gain, gain, rows, n);
    KEEPS_NAN("layernorm", y[at]);
    k->rmsnorm(y, rstd, x, gain, rows, n);
    KEEPS_NAN("rmsnorm", y[at]);
    k->gelu(y, x, n);
    KEEPS_NAN("gelu", y[at]);
    k->silu(y, x, n);
    KEEPS_NAN("silu", y[at]);
    vl_bf16 *half = memory(n * sizeof *half);
    k->to_bf16(half, x, n);
    KEEPS_NAN("to_bf16", vl_bf16_to_f32(half[at]));
#undef KEEPS_NAN
    free(half);
    free(x);
    free(gain);
    free(y);
    free(mean);
    free(rstd);
}

static void check_adamw(const vl_kernels *ref, const vl_kernels *k, size_t n) {
    vl_adamw step = {.rate = 1e-3f,
                     .beta1 = 0.9f,
                     .beta2 = 0.98f,
                     .epsilon = 1e-8f,
                     .decay = 0.05f,
                     .correct1 = 1 - 0.729f,
                     .correct2 = 1 - 0.941192f,
                     .gradient_scale = 0.5f};
    float *gradient = random_floats(n);
    ON_BOTH("adamw", 3 * n, 1e-5f, {
        for (size_t i = 0; i < n; i++) /* a mean of squares is never negative */
            Y[2 * n + i] = fabsf(Y[2 * n + i]);
        K->adamw(Y, Y + n, Y + 2 * n, gradient, &step, n);
    });
    free(gradient);
}

static void check_bf16(const vl_kernels *ref, const vl_kernels *k, size_t n) {
    float *x = random_floats(n);
    vl_bf16 *a = memory(n * sizeof *a), *b = memory(n * sizeof *b);
    static const float special[] = {0.0f,      -0.0f,     INFINITY,        -INFINITY,
                                    0x1.01p0f, 0x1.03p0f, 0x1.fffffep127f, 0x1p-149f};
    for (size_t i = 0; i < n && i < COUNT(special); i++)
        x[i] = special[i];
    ref->to_bf16(a, x, n);
    k->to_bf16(b, x, n);
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] || a[i] != vl_f32_to_bf16(x[i]))
            VARIANT_FAIL("to_bf16 of %s: %a becomes %04x, %04x is right", k->name, (double)x[i],
                         b[i], vl_f32_to_bf16(x[i]));
    ON_BOTH("from_bf16", n, 0, K->from_bf16(Y, a, n));
    free(x);
    free(a);
    free(b);
}

static void check_depthwise(const vl_kernels *ref, const vl_kernels *k) {
    static const struct {
        size_t height, width, channels;
        vl_window window;
    } shapes[] = {
        {1, 1, 1, {3, 3, 1, 1, 1, 1}},   {5, 7, 3, {3, 3, 1, 1, 1, 1}},
        {8, 9, 17, {3, 3, 2, 2, 1, 1}},  {4, 4, 65, {5, 5, 1, 1, 2, 2}},
        {13, 2, 64, {7, 7, 2, 2, 3, 3}}, {2, 13, 33, {7, 7, 3, 3, 3, 3}},
        {6, 6, 8, {1, 1, 1, 1, 0, 0}},   {7, 9, 19, {3, 5, 2, 1, 1, 2}},
        {9, 6, 129, {2, 4, 1, 3, 0, 1}}, {3, 2, 16, {1, 2, 1, 2, 3, 4}},  /* places of zeros */
        {29, 1, 50, {7, 1, 1, 1, 3, 0}}, {12, 1, 33, {5, 1, 2, 1, 1, 0}}, /* sequences */
        {2, 9, 31, {3, 3, 1, 1, 0, 0}},                                   /* too large: none */
    };
    for (size_t s = 0; s < COUNT(shapes); s++) {
        size_t height = shapes[s].height, width = shapes[s].width, c = shapes[s].channels;
        const vl_window *window = &shapes[s].window;
        size_t in = height * width * c, taps = window->size_y * window->size_x * c;
        size_t out = vl_window_places(height, window->size_y, window->stride_y, window->pad_y) *
                     vl_window_places(width, window->size_x, window->stride_x, window->pad_x) *
                     c;
        float *x = random_floats(in), *w = random_floats(taps), *bias = random_floats(c);
        float *dy = random_floats(out);
        ON_BOTH("depthwise", out, 1e-5f, K->depthwise(Y, x, w, bias, height, width, c, window));
        ON_BOTH("depthwise_backward", in + taps + c, 1e-5f,
                K->depthwise_backward(Y, Y + in, Y + in + taps, dy, x, w, height, width, c,
                                      window));
        free(x);
        free(w);
        free(bias);
        free(dy);
    }
}

/* ---- products with quantised weights -------------------------------------------- */

static const vl_dtype quantised[] = {VL_Q8_0, VL_Q4_0, VL_Q2_0};

/* Random codes under the scale `d` (f16), or any scale at all when it is 0. */
static void *random_blocks(vl_dtype dtype, size_t weights, uint16_t d) {
    size_t bytes = vl_dtype_row_bytes(dtype, weights);
    uint8_t *blocks = memory(bytes);
    for (size_t i = 0; i < bytes; i++)
        blocks[i] = (uint8_t)random_bits();
    for (size_t at = 0; d && at < bytes; at += vl_dtype_block_bytes(dtype))
        memcpy(blocks + at, &d, sizeof d);
    return blocks;
}

/* Inputs of a product, each variant's own. */
typedef struct rounded {
    void *q, *scale, *sum;
    vl_quant_input view;
} rounded;

static rounded round_inputs(const vl_quant_kernels *q, const float *x, size_t m, size_t k) {
    size_t blocks = k / VL_QUANT_BLOCK;
    rounded r = {memory(m * k), memory(m * blocks * 4), memory(m * blocks * 4), {0}};
    for (size_t i = 0; i < m; i++)
        q->round_row((int8_t *)r.q + i * k, (float *)r.scale + i * blocks,
                     (int32_t *)r.sum + i * blocks, x + i * k, k);
    r.view = (vl_quant_input){.m = m, .k = k, .q = r.q, .scale = r.scale, .sum = r.sum};
    return r;
}

static void rounded_end(rounded r) {
    free(r.q);
    free(r.scale);
    free(r.sum);
}

/* Rounding of inputs: the same bits, and what the header promises of odd values. */
static void check_rounding(const vl_quant_kernels *ref, const vl_quant_kernels *q) {
    static const float odd[] = {NAN,     -NAN,  INFINITY,  -INFINITY, 1e-31f,
                                -2e-30f, 1e38f, 0x1p-149f, 0.0f};
    enum { BLOCKS = COUNT(odd) + 40 };
    size_t k = BLOCKS * VL_QUANT_BLOCK;
    float *x = random_floats(k);
    for (size_t b = 0; b < COUNT(odd); b++) {
        if (b > 3)
            for (size_t i = 0; i < VL_QUANT_BLOCK; i++)
                x[b * VL_QUANT_BLOCK + i] = odd[b] * x[b * VL_QUANT_BLOCK + i];
        x[b * VL_QUANT_BLOCK + random_bits() % VL_QUANT_BLOCK] = odd[b];
    }
    rounded a = round_inputs(ref, x, 1, k), b = round_inputs(q, x, 1, k);
    if (memcmp(a.q, b.q, k) || memcmp(a.sum, b.sum, BLOCKS * sizeof(int32_t)))
        VARIANT_FAIL("rounded inputs of %s differ from the reference", q->name);
    agree("scales of rounded inputs", q->name, a.scale, b.scale, BLOCKS, 0);
    for (size_t i = 0; i < BLOCKS; i++) {
        const int8_t *code = b.view.q + i * VL_QUANT_BLOCK;
        int32_t sum = 0;
        for (size_t j = 0; j < VL_QUANT_BLOCK; j++) {
            sum += code[j];
            float back = b.view.scale[i] * (float)code[j];
            if (i >= COUNT(odd) &&
                !(fabsf(back - x[i * VL_QUANT_BLOCK + j]) <= 0.5001f * b.view.scale[i]))
                VARIANT_FAIL("%s rounds further than half a step", q->name);
        }
        if (sum != b.view.sum[i])
            VARIANT_FAIL("%s: the sum of a block is wrong", q->name);
        if (i < 4 && !isnan(b.view.scale[i]))
            VARIANT_FAIL("%s: block %zu of inputs is not finite and no NaN", q->name, i);
    }
    rounded_end(a);
    rounded_end(b);
    free(x);
}

/* Weights as floats: the same bits as the tensor room's, whatever the bytes say. */
static void check_unpacking(const vl_quant_kernels *q) {
    for (size_t t = 0; t < COUNT(quantised); t++) {
        vl_dtype dtype = quantised[t];
        size_t k = 37 * vl_dtype_block(dtype);
        void *blocks = random_blocks(dtype, k, 0);
        float *expected = memory(k * sizeof *expected), *got = memory(k * sizeof *got);
        vl_bf16 *half = memory(k * sizeof *half);
        vl_dequantize_row(dtype, blocks, k, expected);
        q->to_f32(got, dtype, blocks, k);
        agree("weights as f32", q->name, expected, got, k, 0);
        q->to_bf16(half, dtype, blocks, k);
        for (size_t i = 0; i < k; i++)
            if (half[i] != vl_f32_to_bf16(got[i]))
                VARIANT_FAIL("%s: %a becomes bf16 %04x, %04x is right", q->name, (double)got[i],
                             half[i], vl_f32_to_bf16(got[i]));
        free(blocks);
        free(expected);
        free(got);
        free(half);
    }
}

/* Twice the code of weight `i`, as a whole number: 2·q, 2·(q − 8), 2·code − 3. */
static int32_t twice_code(vl_dtype dtype, const void *row, size_t i) {
    if (dtype == VL_Q8_0)
        return 2 * ((const vl_block_q8_0 *)row)[i / 32].q[i % 32];
    if (dtype == VL_Q4_0) {
        uint8_t two = ((const vl_block_q4_0 *)row)[i / 32].q[i % 16];
        return 2 * ((i % 32 < 16 ? two & 15 : two >> 4) - 8);
    }
    uint8_t four = ((const vl_block_q2_0 *)row)[i / 64].q[i % 16];
    return 2 * (four >> 2 * (i % 64 / 16) & 3) - 3;
}

/* Scales of 1, inputs that are whole and reach 127 in each block: the product is a whole
 * number below 2^24, which floats add exactly in any order. */
static void check_exact(const vl_quant_kernels *q, vl_dtype dtype, size_t m, size_t n,
                        size_t k) {
    char *weights = random_blocks(dtype, n * k, vl_f32_to_f16(1));
    float *x = memory(m * k * sizeof *x), *bias = memory(n * sizeof *bias);
    float *y = memory(m * n * sizeof *y);
    for (size_t i = 0; i < m * k; i++)
        x[i] =
            i % 32 == 5 ? (i & 32 ? 127.0f : -127.0f) : (float)(random_bits() % 255) - 127.0f;
    for (size_t j = 0; j < n; j++)
        bias[j] = (float)(random_bits() % 100);
    rounded in = round_inputs(q, x, m, k);
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        q->product(y, &in.view, dtype, weights, n, with_bias ? bias : NULL);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                const char *row = weights + j * vl_dtype_row_bytes(dtype, k);
                int64_t twice = with_bias ? 2 * (int64_t)bias[j] : 0;
                for (size_t l = 0; l < k; l++)
                    twice += (int64_t)twice_code(dtype, row, l) * (int64_t)x[i * k + l];
                if ((double)y[i * n + j] * 2 != (double)twice)
                    VARIANT_FAIL("%s %s m=%zu n=%zu k=%zu: y[%zu,%zu] is %.1f, not %.1f",
                                 q->name, vl_dtype_name(dtype), m, n, k, i, j,
                                 (double)y[i * n + j], (double)twice / 2);
            }
    }
    rounded_end(in);
    free(weights);
    free(x);
    free(bias);
    free(y);
}

/* Any scales: the sum in double precision of what the blocks and the rounded inputs stand for,
 * to a rounding error of the sum of magnitudes. */
static void check_close(const vl_quant_kernels *q, vl_dtype dtype, size_t m, size_t n,
                        size_t k) {
    float *w = random_floats(n * k), *x = random_floats(m * k), *y = memory(m * n * sizeof *y);
    float *bias = random_floats(n);
    for (size_t i = 0; i < n * k; i++)
        w[i] *= 1.0f + (float)(i / 64 % 7);
    void *weights = memory(vl_dtype_row_bytes(dtype, n * k));
    if (vl_quantize_row(dtype, w, n * k, weights) != VL_OK)
        VARIANT_FAIL("weights of %s could not be made", vl_dtype_name(dtype));
    vl_dequantize_row(dtype, weights, n * k, w);
    rounded in = round_inputs(q, x, m, k);
    q->product(y, &in.view, dtype, weights, n, bias);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = (double)bias[j], magnitude = fabs(sum), unrounded = sum;
            for (size_t l = 0; l < k; l++) {
                double scale = (double)in.view.scale[(i * k + l) / VL_QUANT_BLOCK];
                double term = (double)w[j * k + l] * scale * in.view.q[i * k + l];
                sum += term;
                magnitude += fabs(term);
                unrounded += (double)w[j * k + l] * (double)x[i * k + l];
            }
            if (!(fabs((double)y[i * n + j] - sum) <= 1e-6 * magnitude))
                VARIANT_FAIL("%s %s m=%zu n=%zu k=%zu: y[%zu,%zu] is %g, not %g", q->name,
                             vl_dtype_name(dtype), m, n, k, i, j, (double)y[i * n + j], sum);
            if (!(fabs((double)y[i * n + j] - unrounded) <= 0.02 * magnitude))
                VARIANT_FAIL("%s %s: rounding inputs moved %g to %g", q->name,
                             vl_dtype_name(dtype), unrounded, (double)y[i * n + j]);
        }
    rounded_end(in);
    free(w);
    free(x);
    free(y);
    free(bias);
    free(weights);
}

/* A NaN in one row of inputs is that row's results and no other's. */
static void check_quant_nan(const vl_quant_kernels *q, vl_dtype dtype) {
    enum { M = 11, N = 21, K = 128, BAD = 7 };
    void *weights = random_blocks(dtype, N * K, vl_f32_to_f16(0.25f));
    float *x = random_floats(M * K), *y = memory(M * N * sizeof *y);
    x[BAD * K + 77] = NAN;
    rounded in = round_inputs(q, x, M, K);
    q->product(y, &in.view, dtype, weights, N, NULL);
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++)
            if (i == BAD ? !isnan(y[i * N + j]) : !isfinite(y[i * N + j]))
                VARIANT_FAIL("%s %s: y[%zu,%zu] is %g, and the NaN was in row %d", q->name,
                             vl_dtype_name(dtype), i, j, (double)y[i * N + j], BAD);
    rounded_end(in);
    free(weights);
    free(x);
    free(y);
}

static void check_quant(const vl_quant_kernels *ref, const vl_quant_kernels *q) {
    static const size_t rows[] = {1, 3, 15, 16, 17, 65};
    static const size_t inputs[] = {1, 2, 3, 7, 8, 9, 16, 17, 25};
    check_rounding(ref, q);
    check_unpacking(q);
    for (size_t t = 0; t < COUNT(quantised); t++) {
        vl_dtype dtype = quantised[t];
        check_quant_nan(q, dtype);
        for (size_t n = 0; n < COUNT(rows); n++)
            for (size_t m = 0; m < COUNT(inputs); m++) {
                size_t k = vl_dtype_block(dtype) * (1 + random_bits() % 5);
                check_exact(q, dtype, inputs[m], rows[n], k);
                check_close(q, dtype, inputs[m], rows[n], k);
            }
        check_exact(q, dtype, 4, 33, 512);
        check_close(q, dtype, 9, 19, 1024);
    }
}

/* ---- all of it ------------------------------------------------------------------ */

static void check_rows(const vl_kernels *ref, const vl_kernels *k) {
    for (size_t i = 0; i < COUNT(odd_sizes); i++)
        for (size_t rows = 1; rows <= 5; rows += 2) {
            check_simple(ref, k, rows, odd_sizes[i]);
            check_norms(ref, k, rows, odd_sizes[i]);
            check_softmax(ref, k, rows, odd_sizes[i]);
            check_nan(ref, k, rows, odd_sizes[i]);
        }
    for (size_t i = 0; i < COUNT(odd_sizes); i++) {
        check_adamw(ref, k, odd_sizes[i]);
        check_bf16(ref, k, odd_sizes[i]);
    }
    check_depthwise(ref, k);
}

#endif
