/* Element types, half precision in both directions, and quantised blocks against their
 * published layout and against the plain way of choosing a scale. */
#include <vislang/tensor.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Roughly normal, variance 1. */
static float next_normal(uint32_t *state) {
    float sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (float)next_random(state) / 16777216.0f;
    return sum - 6.0f;
}

static void test_dtypes(void **state) {
    static const struct {
        vl_dtype dtype;
        const char *name;
        size_t block, bytes, elements, row;
    } rows[] = {
        {VL_F32, "f32", 1, 4, 3, 12},       {VL_F16, "f16", 1, 2, 3, 6},
        {VL_BF16, "bf16", 1, 2, 3, 6},      {VL_I8, "i8", 1, 1, 3, 3},
        {VL_U8, "u8", 1, 1, 3, 3},          {VL_I16, "i16", 1, 2, 3, 6},
        {VL_I32, "i32", 1, 4, 3, 12},       {VL_I64, "i64", 1, 8, 3, 24},
        {VL_F64, "f64", 1, 8, 3, 24},       {VL_Q8_0, "q8_0", 32, 34, 96, 102},
        {VL_Q4_0, "q4_0", 32, 18, 96, 54},  {VL_Q2_0, "q2_0", 64, 18, 192, 54},
        {VL_Q8_0, "q8_0", 32, 34, 33, 0},   {VL_Q2_0, "q2_0", 64, 18, 32, 0},
        {VL_F64, "f64", 1, 8, SIZE_MAX, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_dtype parsed;
        assert_string_equal(vl_dtype_name(rows[i].dtype), rows[i].name);
        assert_int_equal(vl_dtype_parse(rows[i].name, &parsed, NULL), VL_OK);
        assert_int_equal(parsed, rows[i].dtype);
        assert_int_equal(vl_dtype_block(parsed), rows[i].block);
        assert_int_equal(vl_dtype_block_bytes(parsed), rows[i].bytes);
        assert_int_equal(vl_dtype_row_bytes(parsed, rows[i].elements), rows[i].row);
    }
    vl_error error = {0};
    vl_dtype dtype;
    assert_int_equal(vl_dtype_parse("q8_1", &dtype, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "q8_0"));
}

static void test_f32_to_half(void **state) {
    static const struct {
        uint32_t f32;
        uint16_t f16, bf16;
    } rows[] = {
        {0x00000000, 0x0000, 0x0000}, {0x80000000, 0x8000, 0x8000}, /* zeros */
        {0x3F800000, 0x3C00, 0x3F80}, {0xC0000000, 0xC000, 0xC000}, /* 1, -2 */
        {0x3F801000, 0x3C00, 0x3F80}, {0x3F803000, 0x3C02, 0x3F80}, /* ties of f16, to even */
        {0x3F801001, 0x3C01, 0x3F80}, {0x3F808000, 0x3C04, 0x3F80}, /* past one; tie of bf16 */
        {0x3F818000, 0x3C0C, 0x3F82}, {0x3F808001, 0x3C04, 0x3F81},
        {0x477FE000, 0x7BFF, 0x4780}, {0x477FEFFF, 0x7BFF, 0x4780}, /* 65504, under the tie */
        {0x477FF000, 0x7C00, 0x4780}, {0x47800000, 0x7C00, 0x4780}, /* 65520, 65536: infinity */
        {0x7F7FFFFF, 0x7C00, 0x7F80}, {0xFF800000, 0xFC00, 0xFF80}, /* largest, -infinity */
        {0x38800000, 0x0400, 0x3880}, {0x387FFFFF, 0x0400, 0x3880}, /* 2^-14 and just under */
        {0x33800000, 0x0001, 0x3380}, {0x33000000, 0x0000, 0x3300}, /* 2^-24; 2^-25, a tie */
        {0x33000001, 0x0001, 0x3300}, {0x33C00000, 0x0002, 0x33C0}, /* 1.5 * 2^-24, a tie */
        {0x00000001, 0x0000, 0x0000}, {0x80000001, 0x8000, 0x8000}, /* smallest f32 */
        {0x7FC00000, 0x7E00, 0x7FC0}, {0xFF800001, 0xFE00, 0xFFC0}, /* NaN quiet, signalling */
        {0x7F802000, 0x7E01, 0x7FC0}, {0x7FFFFFFF, 0x7FFF, 0x7FFF},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(vl_f32_to_f16(float_of(rows[i].f32)), rows[i].f16);
        assert_int_equal(vl_f32_to_bf16(float_of(rows[i].f32)), rows[i].bf16);
    }
}

/* The value of a half by its definition, in double. */
static double f16_value(uint16_t half) {
    int exponent = half >> 10 & 31, mantissa = half & 1023;
    double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    return half & 0x8000 ? -value : value;
}

static void test_every_half(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint16_t half = (uint16_t)i;
        float wide = vl_f16_to_f32(half);
        if ((half & 0x7FFF) > 0x7C00) {
            assert_true(isnan(wide) && isnan(vl_f16_to_f32(vl_f32_to_f16(wide))));
            continue;
        }
        if ((half & 0x7FFF) == 0x7C00)
            assert_true(isinf(wide));
        else
            assert_true((double)wide == f16_value(half));
        assert_int_equal(vl_f32_to_f16(wide), half);
    }
    for (uint32_t i = 0; i < 0x10000; i++) {
        float wide = vl_bf16_to_f32((uint16_t)i);
        assert_int_equal(bits_of(wide), i << 16);
        if (!isnan(wide))
            assert_int_equal(vl_f32_to_bf16(wide), i);
    }
}

/* A random f32 becomes the nearest of its two neighbours among the halves. */
static void test_half_is_nearest(void **state) {
    uint32_t seed = 7;
    (void)state;
    for (int trial = 0; trial < 200000; trial++) {
        uint32_t noise = next_random(&seed) << 8 ^ next_random(&seed);
        /* exponents 2^-27 … 2^15 */
        float x = float_of((noise & 0x807FFFFF) | (100 + noise % 43) << 23);
        uint16_t half = vl_f32_to_f16(x);
        if ((half & 0x7FFF) == 0x7C00)
            continue;
        double miss = fabs((double)x - f16_value(half));
        for (int step = -1; step <= 1; step += 2) {
            uint16_t magnitude = half & 0x7FFF;
            if ((step < 0 && magnitude == 0) || (step > 0 && magnitude == 0x7BFF))
                continue;
            uint16_t other = (uint16_t)((half & 0x8000) | (magnitude + step));
            double other_miss = fabs((double)x - f16_value(other));
            assert_true(miss < other_miss || (miss == other_miss && (half & 1) == 0));
        }
    }
}

static void test_block_layouts(void **state) {
    vl_block_q8_0 q8 = {.d = 0x3800}; /* 0.5 */
    vl_block_q4_0 q4 = {.d = 0x3800};
    vl_block_q2_0 q2 = {.d = 0x4000}; /* 2 */
    float out[64];
    (void)state;
    for (int i = 0; i < 32; i++)
        q8.q[i] = (int8_t)(i * 8 - 128);
    for (int i = 0; i < 16; i++) {
        q4.q[i] = (uint8_t)(i | (15 - i) << 4);
        q2.q[i] = (uint8_t)(0 | 1 << 2 | 2 << 4 | 3 << 6);
    }
    assert_int_equal(vl_dequantize_row(VL_Q8_0, &q8, 32, out), VL_OK);
    for (int i = 0; i < 32; i++)
        assert_true(out[i] == 0.5f * (float)(i * 8 - 128));
    assert_int_equal(vl_dequantize_row(VL_Q4_0, &q4, 32, out), VL_OK);
    for (int i = 0; i < 16; i++) {
        assert_true(out[i] == 0.5f * (float)(i - 8));
        assert_true(out[i + 16] == 0.5f * (float)(7 - i));
    }
    assert_int_equal(vl_dequantize_row(VL_Q2_0, &q2, 64, out), VL_OK);
    for (int i = 0; i < 64; i++)
        assert_true(out[i] == 2.0f * ((float)(i / 16) - 1.5f));
}

/* What a block can say exactly comes back exactly. */
static void test_exact_blocks(void **state) {
    static const struct {
        vl_dtype dtype;
        int lowest, highest;
        float offset;
    } rows[] = {{VL_Q8_0, -127, 127, 0},
                {VL_Q4_0, -8, 7, 0},
                {VL_Q4_0, -7, 8, 0},
                {VL_Q2_0, -2, 1, 0.5f}};
    unsigned char packed[256];
    float x[128], back[128];
    uint32_t seed = 3;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int trial = 0; trial < 50; trial++) {
            float d = vl_f16_to_f32((uint16_t)(0x2000 + next_random(&seed) % 0x2000));
            int levels = rows[i].highest - rows[i].lowest + 1;
            for (int j = 0; j < 128; j++) {
                int q = rows[i].lowest + (int)(next_random(&seed) % (uint32_t)levels);
                q = j % 32 == 0 ? rows[i].lowest : j % 32 == 1 ? rows[i].highest : q;
                x[j] = d * ((float)q + rows[i].offset);
            }
            assert_int_equal(vl_quantize_row(rows[i].dtype, x, 128, packed), VL_OK);
            assert_int_equal(vl_dequantize_row(rows[i].dtype, packed, 128, back), VL_OK);
            for (int j = 0; j < 128; j++)
                assert_true(x[j] == back[j]);
        }
    }
}

static double squared_error(const float *x, const float *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return sum;
}

/* The error of one block under a scale, codes being the nearest levels. */
static double error_of_scale(const float *x, size_t n, double d, double lowest,
                             double highest) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double q = lowest;
        while (q < highest && fabs(x[i] - d * (q + 1)) < fabs(x[i] - d * q))
            q += 1;
        sum += (x[i] - d * q) * (x[i] - d * q);
    }
    return sum;
}

/* The searched scale is never worse than the largest magnitude's, and within a percent of the
 * best of a dense sweep over the whole row. */
static void test_scale_search(void **state) {
    static const struct {
        vl_dtype dtype;
        double lowest, highest, of_largest;
    } rows[] = {{VL_Q4_0, -8, 7, 8}, {VL_Q2_0, -1.5, 1.5, 1.5}};
    enum { SWEEP = 600, TRIALS = 40 };
    uint32_t seed = 11;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = vl_dtype_block(rows[i].dtype);
        double ours_sum = 0, plain_sum = 0, best_sum = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            float x[64], back[64];
            unsigned char packed[64];
            double largest = 0;
            for (size_t j = 0; j < n; j++) {
                x[j] = 0.02f * next_normal(&seed) * (trial % 4 == 0 && j == 5 ? 6.0f : 1.0f);
                largest = fabs(x[j]) > fabs(largest) ? x[j] : largest;
            }
            assert_int_equal(vl_quantize_row(rows[i].dtype, x, n, packed), VL_OK);
            assert_int_equal(vl_dequantize_row(rows[i].dtype, packed, n, back), VL_OK);
            double ours = squared_error(x, back, n), best = INFINITY;
            double plain = error_of_scale(x, n, -largest / rows[i].of_largest, rows[i].lowest,
                                          rows[i].highest);
            for (int step = 1; step <= SWEEP; step++) {
                double d = 2 * largest / rows[i].of_largest * step / SWEEP;
                best = fmin(best, error_of_scale(x, n, d, rows[i].lowest, rows[i].highest));
                best = fmin(best, error_of_scale(x, n, -d, rows[i].lowest, rows[i].highest));
            }
            assert_true(ours <= plain * 1.01); /* the plain one has not paid for f16 */
            ours_sum += ours;
            plain_sum += plain;
            best_sum += best;
        }
        print_message("%s: squared error %.3f of the largest magnitude's, %.4f of a sweep's\n",
                      vl_dtype_name(rows[i].dtype), ours_sum / plain_sum, ours_sum / best_sum);
        assert_true(ours_sum <= best_sum * 1.01);
        assert_true(ours_sum < plain_sum * 0.95);
    }
}

static void test_what_does_not_fit(void **state) {
    static const struct {
        vl_dtype dtype;
        float value;
        size_t n;
        vl_status expected;
    } rows[] = {
        {VL_Q8_0, NAN, 64, VL_ERR_INPUT},
        {VL_Q4_0, INFINITY, 64, VL_ERR_INPUT},
        {VL_Q2_0, -INFINITY, 64, VL_ERR_INPUT},
        {VL_Q8_0, 9e6f, 64, VL_ERR_LIMIT},
        {VL_Q4_0, 5e5f, 64, VL_ERR_LIMIT},
        {VL_Q2_0, 1e5f, 64, VL_ERR_LIMIT},
        {VL_Q8_0, 8e6f, 64, VL_OK},
        {VL_Q4_0, -4.5e5f, 64, VL_OK},
        {VL_Q2_0, 9.8e4f, 64, VL_OK},
        {VL_Q8_0, 0, 31, VL_ERR_USAGE},
        {VL_Q2_0, 0, 32, VL_ERR_USAGE},
        {VL_I32, 0, 64, VL_ERR_UNSUPPORTED},
        {VL_F64, 0, 64, VL_ERR_UNSUPPORTED},
        {VL_DTYPE_COUNT, 0, 64, VL_ERR_USAGE},
        {VL_F16, NAN, 64, VL_OK},
        {VL_F32, INFINITY, 64, VL_OK},
        {VL_BF16, 1, 64, VL_OK},
        {VL_Q4_0, 0, 0, VL_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float x[64], back[64], packed[64];
        for (size_t j = 0; j < 64; j++)
            x[j] = rows[i].value;
        assert_int_equal(vl_quantize_row(rows[i].dtype, x, rows[i].n, packed),
                         rows[i].expected);
        if (rows[i].expected != VL_OK)
            continue;
        assert_int_equal(vl_dequantize_row(rows[i].dtype, packed, rows[i].n, back), VL_OK);
        for (size_t j = 0; j < rows[i].n && isfinite(rows[i].value); j++)
            assert_true(fabsf(back[j] - x[j]) <= 0.02f * fabsf(x[j]));
    }
}

/* At the end of the f16 scales nothing becomes infinite, and an outlier is
 * clipped by two steps at most. */
static void test_largest_weights(void **state) {
    static const vl_dtype dtypes[] = {VL_Q8_0, VL_Q4_0, VL_Q2_0};
    static const float largest[] = {127.0f * 65504.0f, 7.0f * 65504.0f, 1.5f * 65504.0f};
    static const float steps[] = {65504.0f, 65504.0f, 65504.0f};
    uint32_t seed = 17;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int trial = 0; trial < 50; trial++) {
            float x[64], back[64], packed[64];
            for (size_t j = 0; j < 64; j++)
                x[j] = largest[i] * ((float)(next_random(&seed) % 2001) / 1000.0f - 1.0f);
            x[trial] = trial % 2 ? largest[i] : -largest[i];
            assert_int_equal(vl_quantize_row(dtypes[i], x, 64, packed), VL_OK);
            assert_int_equal(vl_dequantize_row(dtypes[i], packed, 64, back), VL_OK);
            for (size_t j = 0; j < 64; j++)
                assert_true(fabsf(x[j] - back[j]) <= 2 * steps[i]);
        }
    }
}

/* Zeros and weights under every scale come back as zeros. */
static void test_zeros(void **state) {
    static const vl_dtype dtypes[] = {VL_Q8_0, VL_Q4_0, VL_Q2_0};
    static const float values[] = {0.0f, 1e-12f, -1e-45f};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t v = 0; v < 3; v++) {
            float x[64], back[64], packed[64];
            for (size_t j = 0; j < 64; j++)
                x[j] = values[v];
            assert_int_equal(vl_quantize_row(dtypes[i], x, 64, packed), VL_OK);
            assert_int_equal(vl_dequantize_row(dtypes[i], packed, 64, back), VL_OK);
            for (size_t j = 0; j < 64; j++)
                assert_true(back[j] == 0 && (v || !signbit(back[j])));
        }
    }
}

static void test_plain_rows(void **state) {
    const int8_t i8[] = {-128, 127};
    const uint8_t u8[] = {0, 255};
    const int16_t i16[] = {-32768, 32767};
    const int32_t i32[] = {-7, 1 << 20};
    const int64_t i64[] = {-7, (int64_t)1 << 40};
    const double f64[] = {-0.5, 1e10};
    const uint16_t f16[] = {0xBC00, 0x7BFF}, bf16[] = {0xBF80, 0x4780};
    const struct {
        vl_dtype dtype;
        const void *row;
        float first, second;
    } rows[] = {
        {VL_I8, i8, -128, 127},         {VL_U8, u8, 0, 255},
        {VL_I16, i16, -32768, 32767},   {VL_I32, i32, -7, 1048576},
        {VL_I64, i64, -7, 0x1p40f},     {VL_F64, f64, -0.5f, 1e10f},
        {VL_F16, f16, -1.0f, 65504.0f}, {VL_BF16, bf16, -1.0f, 65536.0f},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float out[2];
        assert_int_equal(vl_dequantize_row(rows[i].dtype, rows[i].row, 2, out), VL_OK);
        assert_true(out[0] == rows[i].first && out[1] == rows[i].second);
    }
}

static void test_tensor_init(void **state) {
    static const struct {
        vl_dtype dtype;
        size_t rank, dims[5], bytes;
        const char *says; /* NULL: fine */
    } rows[] = {
        {VL_F32, 2, {3, 5}, 60, NULL},
        {VL_F32, 0, {0}, 4, NULL},
        {VL_U8, 4, {2, 3, 4, 5}, 120, NULL},
        {VL_Q4_0, 2, {3, 64}, 108, NULL},
        {VL_F32, 3, {4, 0, SIZE_MAX}, 0, NULL},
        {VL_Q4_0, 2, {64, 3}, 0, "multiple of 32"},
        {VL_Q8_0, 0, {0}, 0, "multiple of 32"},
        {VL_F32, 5, {1, 1, 1, 1, 1}, 0, "5 dimensions"},
        {VL_F32, 2, {SIZE_MAX / 2, 3}, 0, "more bytes"},
        {VL_I64, 1, {SIZE_MAX / 8}, 0, "more bytes"},
        {VL_DTYPE_COUNT, 1, {1}, 0, "unknown element type"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vl_tensor tensor;
        vl_error error = {0};
        vl_status status = vl_tensor_init(&tensor, "t", rows[i].dtype, rows[i].rank,
                                          rows[i].dims, NULL, &error);
        if (rows[i].says) {
            assert_int_equal(status, VL_ERR_USAGE);
            assert_non_null(strstr(error.message, rows[i].says));
            continue;
        }
        assert_int_equal(status, VL_OK);
        assert_int_equal(tensor.bytes, rows[i].bytes);
        assert_true(vl_tensor_has_shape(&tensor, rows[i].rank, rows[i].dims));
        assert_false(vl_tensor_has_shape(&tensor, rows[i].rank + 1, rows[i].dims));
    }
    const size_t dims[] = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    char text[VL_SHAPE_TEXT_SIZE];
    assert_string_equal(vl_shape_text(2, (const size_t[]){3, 64}, text), "[3, 64]");
    assert_string_equal(vl_shape_text(0, NULL, text), "[]");
    assert_int_equal(strlen(vl_shape_text(4, dims, text)), 4 * 20 + 2 * 3 + 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtypes),          cmocka_unit_test(test_f32_to_half),
        cmocka_unit_test(test_every_half),      cmocka_unit_test(test_half_is_nearest),
        cmocka_unit_test(test_block_layouts),   cmocka_unit_test(test_exact_blocks),
        cmocka_unit_test(test_scale_search),    cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test(test_largest_weights), cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_plain_rows),      cmocka_unit_test(test_tensor_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
