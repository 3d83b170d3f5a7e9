/* dtype.c — the table of element types, half-precision conversions, and tensor views. */
#include <vislang/tensor.h>

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t block, bytes;
} dtypes[VL_DTYPE_COUNT] = {
    [VL_F32] = {"f32", 1, 4},
    [VL_F16] = {"f16", 1, 2},
    [VL_BF16] = {"bf16", 1, 2},
    [VL_I8] = {"i8", 1, 1},
    [VL_U8] = {"u8", 1, 1},
    [VL_I16] = {"i16", 1, 2},
    [VL_I32] = {"i32", 1, 4},
    [VL_I64] = {"i64", 1, 8},
    [VL_F64] = {"f64", 1, 8},
    [VL_Q8_0] = {"q8_0", VL_Q8_0_WEIGHTS, sizeof(vl_block_q8_0)},
    [VL_Q4_0] = {"q4_0", VL_Q4_0_WEIGHTS, sizeof(vl_block_q4_0)},
    [VL_Q2_0] = {"q2_0", VL_Q2_0_WEIGHTS, sizeof(vl_block_q2_0)},
};
_Static_assert(sizeof(vl_block_q8_0) == 34 && sizeof(vl_block_q4_0) == 18 &&
                   sizeof(vl_block_q2_0) == 18,
               "blocks lie in files without padding");

const char *vl_dtype_name(vl_dtype dtype) {
    return (unsigned)dtype < VL_DTYPE_COUNT ? dtypes[dtype].name : "unknown";
}

vl_status vl_dtype_parse(const char *name, vl_dtype *dtype, vl_error *error) {
    const char *names[VL_DTYPE_COUNT];
    for (size_t i = 0; i < VL_DTYPE_COUNT; i++) {
        names[i] = dtypes[i].name;
        if (strcmp(name, names[i]) == 0) {
            *dtype = (vl_dtype)i;
            return VL_OK;
        }
    }
    const char *near = vl_nearest_name(name, names, VL_DTYPE_COUNT);
    return vl_fail(error, VL_ERR_USAGE, "no element type '%s'%s%s%s", name,
                   near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

size_t vl_dtype_block(vl_dtype dtype) {
    return dtypes[dtype].block;
}

size_t vl_dtype_block_bytes(vl_dtype dtype) {
    return dtypes[dtype].bytes;
}

size_t vl_dtype_row_bytes(vl_dtype dtype, size_t elements) {
    size_t blocks = elements / dtypes[dtype].block;
    if (elements % dtypes[dtype].block || blocks > SIZE_MAX / dtypes[dtype].bytes)
        return 0;
    return blocks * dtypes[dtype].bytes;
}

/* ---- half precision ------------------------------------------------------------- */

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

/* `value` without its lowest `drop` bits, rounded to nearest, ties to even. */
static uint32_t round_even(uint32_t value, unsigned drop) {
    uint32_t half = 1u << (drop - 1), rest = value & ((1u << drop) - 1);
    uint32_t kept = value >> drop;
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t vl_f32_to_f16(float value) {
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) /* NaN: its upper bits, and the quiet bit so that some remain */
        return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x1FF));
    if (magnitude >= 0x47800000) /* 65536 and above, infinity too */
        return (uint16_t)(sign | 0x7C00);
    if (magnitude >= 0x38800000) /* 2^-14: normal. A carry out of the mantissa is right here:
                                    it raises the exponent, at the end to infinity. */
        return (uint16_t)(sign | round_even(magnitude - 0x38000000, 13));
    if (magnitude < 0x33000000) /* under half of the smallest subnormal, 2^-25 */
        return (uint16_t)sign;
    /* Subnormal: units of 2^-24. */
    uint32_t exponent = magnitude >> 23, mantissa = (magnitude & 0x7FFFFF) | 0x800000;
    return (uint16_t)(sign | round_even(mantissa, 126 - exponent));
}

float vl_f16_to_f32(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7FFF;
    if (magnitude >= 0x7C00) /* infinity or NaN */
        return float_of(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
    if (magnitude >= 0x0400)
        return float_of(sign | ((magnitude << 13) + 0x38000000));
    float value = (float)magnitude * 0x1p-24f; /* exact */
    return sign ? -value : value;
}

uint16_t vl_f32_to_bf16(float value) {
    uint32_t bits = bits_of(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)round_even(bits, 16);
}

float vl_bf16_to_f32(uint16_t bf16) {
    return float_of((uint32_t)bf16 << 16);
}

/* ---- tensors -------------------------------------------------------------------- */

vl_status vl_tensor_init(vl_tensor *tensor, const char *name, vl_dtype dtype, size_t rank,
                         const size_t *dims, const void *data, vl_error *error) {
    if ((unsigned)dtype >= VL_DTYPE_COUNT)
        return vl_fail(error, VL_ERR_USAGE, "tensor '%s': unknown element type %u", name,
                       (unsigned)dtype);
    if (rank > VL_MAX_RANK)
        return vl_fail(error, VL_ERR_USAGE,
                       "tensor '%s' has %zu dimensions, at most %d are held", name, rank,
                       VL_MAX_RANK);
    *tensor = (vl_tensor){
        .name = name, .dtype = dtype, .rank = rank, .data = data, .dims = {1, 1, 1, 1}};
    size_t elements = 1;
    bool empty = false, overflow = false;
    for (size_t i = 0; i < rank; i++) {
        tensor->dims[i] = dims[i];
        empty |= dims[i] == 0;
        overflow |= dims[i] && elements > SIZE_MAX / dims[i];
        elements *= dims[i];
    }
    size_t row = rank ? dims[rank - 1] : 1;
    char shape[VL_SHAPE_TEXT_SIZE];
    if (row % dtypes[dtype].block)
        return vl_fail(
            error, VL_ERR_USAGE, "tensor '%s' %s: a row of %s is a multiple of %zu elements",
            name, vl_shape_text(rank, dims, shape), vl_dtype_name(dtype), dtypes[dtype].block);
    if (empty)
        return VL_OK;
    tensor->bytes = overflow ? 0 : vl_dtype_row_bytes(dtype, elements);
    /* PTRDIFF_MAX: what an object may have, so that pointers into it can be subtracted. */
    if (tensor->bytes == 0 || tensor->bytes > PTRDIFF_MAX)
        return vl_fail(error, VL_ERR_USAGE, "tensor '%s' %s has more bytes than can be counted",
                       name, vl_shape_text(rank, dims, shape));
    return VL_OK;
}

size_t vl_tensor_elements(const vl_tensor *tensor) {
    return tensor->dims[0] * tensor->dims[1] * tensor->dims[2] * tensor->dims[3];
}

bool vl_tensor_has_shape(const vl_tensor *tensor, size_t rank, const size_t *dims) {
    return tensor->rank == rank && memcmp(tensor->dims, dims, rank * sizeof *dims) == 0;
}

void vl_tensor_to_f32(const vl_tensor *tensor, float *out) {
    vl_dequantize_row(tensor->dtype, tensor->data, vl_tensor_elements(tensor), out);
}

const char *vl_shape_text(size_t rank, const size_t *dims, char out[VL_SHAPE_TEXT_SIZE]) {
    size_t used = 1;
    strcpy(out, "[");
    for (size_t i = 0; i < rank && i < VL_MAX_RANK; i++) {
        int put =
            snprintf(out + used, VL_SHAPE_TEXT_SIZE - used, "%s%zu", i ? ", " : "", dims[i]);
        used += (size_t)put;
    }
    /* 4 numbers of at most 20 digits fit, with what stands between them. */
    strcpy(out + used, "]");
    return out;
}
