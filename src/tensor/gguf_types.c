/* gguf_types.c — the numbers of GGUF's types. */
#include "tensor/gguf.h"

static const struct {
    const char *name;
    size_t bytes;
} types[GGUF_TYPE_COUNT] = {
    [GGUF_U8] = {"u8", 1},       [GGUF_I8] = {"i8", 1},     [GGUF_U16] = {"u16", 2},
    [GGUF_I16] = {"i16", 2},     [GGUF_U32] = {"u32", 4},   [GGUF_I32] = {"i32", 4},
    [GGUF_F32] = {"f32", 4},     [GGUF_BOOL] = {"bool", 1}, [GGUF_STRING] = {"string", 0},
    [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8},   [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};

const char *gguf_type_name(gguf_type type) {
    return types[type].name;
}

size_t gguf_type_bytes(gguf_type type) {
    return types[type].bytes;
}

static const struct {
    vl_dtype dtype;
    uint32_t number;
} numbers[] = {
    {VL_F32, 0},
    {VL_F16, 1},
    {VL_Q4_0, 2},
    {VL_Q8_0, 8},
    {VL_I8, 24},
    {VL_I16, 25},
    {VL_I32, 26},
    {VL_I64, 27},
    {VL_F64, 28},
    {VL_BF16, 30},
    {VL_Q2_0, VL_GGUF_TYPE_Q2_0},
};
enum { NUMBER_COUNT = sizeof numbers / sizeof *numbers };

bool gguf_number_of(vl_dtype dtype, uint32_t *number) {
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        if (numbers[i].dtype == dtype) {
            *number = numbers[i].number;
            return true;
        }
    }
    return false;
}

bool gguf_dtype_of(uint32_t number, vl_dtype *dtype) {
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        if (numbers[i].number == number) {
            *dtype = numbers[i].dtype;
            return true;
        }
    }
    return false;
}

/* Source: enum ggml_type; the gaps are numbers that were withdrawn. */
static const char *const ggml_names[] = {
    [3] = "q4_1",     [6] = "q5_0",    [7] = "q5_1",     [9] = "q8_1",   [10] = "q2_K",
    [11] = "q3_K",    [12] = "q4_K",   [13] = "q5_K",    [14] = "q6_K",  [15] = "q8_K",
    [16] = "iq2_xxs", [17] = "iq2_xs", [18] = "iq3_xxs", [19] = "iq1_s", [20] = "iq4_nl",
    [21] = "iq3_s",   [22] = "iq2_s",  [23] = "iq4_xs",  [29] = "iq1_m", [34] = "tq1_0",
    [35] = "tq2_0",   [39] = "mxfp4",
};

const char *gguf_number_name(uint32_t number) {
    return number < sizeof ggml_names / sizeof *ggml_names ? ggml_names[number] : NULL;
}

bool gguf_alignment_is_sound(uint32_t alignment) {
    return alignment >= 8 && alignment <= VL_GGUF_MAX_ALIGNMENT &&
           (alignment & (alignment - 1)) == 0;
}
