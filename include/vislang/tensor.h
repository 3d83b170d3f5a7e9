/* tensor.h — element types, quantised blocks, and the two files that tensors live in: GGUF v3
 * (models) and safetensors (training checkpoints).
 *
 * Order of dimensions. A vl_tensor is row-major with dims[0] outermost, as in C, NumPy and
 * safetensors: a matrix [rows, columns] keeps its columns beside each other. GGUF writes the
 * same bytes and lists the dimensions the other way round, innermost first; the reader and the
 * writer here turn them, so nobody above this room sees that order.
 *
 * Ownership: a file object owns what it hands out (names, values, views of the data) until it
 * is freed. A writer copies names and values; tensor data stay the caller's and are read when
 * the file is written.
 *
 * Untrusted files: every count, length and offset is checked against the file's size before it
 * is used. A refusal is VL_ERR_INPUT (the file contradicts itself or its specification),
 * VL_ERR_UNSUPPORTED (a version, byte order or type that is not read here) or VL_ERR_LIMIT, and
 * its message names the file, the byte, and what is wrong. A file is mapped, not copied: one
 * that another process cuts short while it is open kills the reader with SIGBUS, so files are
 * replaced by rename, never written in place, as the writers here do.
 *
 * Thread-safety: an open file is read-only and may be shared by threads; a writer belongs to
 * one. Byte order: little-endian, file and machine. */
#ifndef VISLANG_TENSOR_H
#define VISLANG_TENSOR_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- element types -------------------------------------------------------------- */

typedef enum vl_dtype {
    VL_F32,
    VL_F16,  /* IEEE 754 binary16 */
    VL_BF16, /* the upper half of an f32 */
    VL_I8,
    VL_U8,
    VL_I16,
    VL_I32,
    VL_I64,
    VL_F64,
    VL_Q8_0, /* 32 weights in 34 bytes (8.5 bits each) */
    VL_Q4_0, /* 32 weights in 18 bytes (4.5 bits each) */
    VL_Q2_0, /* 64 weights in 18 bytes (2.25 bits each) */
    VL_DTYPE_COUNT
} vl_dtype;

/* The quantised blocks as they lie in memory and in files. `d` is an f16.
 * q8_0 and q4_0 are ggml's layouts: weight i is d * q[i], and d * (nibble i - 8) where nibble i
 * is the low half of q[i] for i < 16 and the high half of q[i - 16] above. q2_0 is ours: weight
 * i is d * (code - 1.5), code = q[i % 16] >> 2 * (i / 16) & 3; the levels -1.5 -0.5 0.5 1.5 are
 * those of stretched elastic quantisation at 2 bits (ParetoQ, Liu et al. 2025, arXiv
 * 2502.02631, section 3), and the order lets 16 bytes be unpacked by four shifts and one mask.
 */
#define VL_Q8_0_WEIGHTS 32
#define VL_Q4_0_WEIGHTS 32
#define VL_Q2_0_WEIGHTS 64
typedef struct vl_block_q8_0 {
    uint16_t d;
    int8_t q[32];
} vl_block_q8_0;
typedef struct vl_block_q4_0 {
    uint16_t d;
    uint8_t q[16];
} vl_block_q4_0;
typedef struct vl_block_q2_0 {
    uint16_t d;
    uint8_t q[16];
} vl_block_q2_0;

const char *vl_dtype_name(vl_dtype dtype); /* "f32", "q8_0", … static */
/* An unknown name is VL_ERR_USAGE with the nearest one. */
vl_status vl_dtype_parse(const char *name, vl_dtype *dtype, vl_error *error);
size_t vl_dtype_block(vl_dtype dtype);       /* elements of a block; 1 for plain types */
size_t vl_dtype_block_bytes(vl_dtype dtype); /* bytes of a block */
/* Bytes of a row of `elements`; 0 when they do not fill whole blocks or do not fit size_t. */
size_t vl_dtype_row_bytes(vl_dtype dtype, size_t elements);

/* Rounded to nearest, ties to even; past the largest value becomes infinity; a NaN stays a NaN
 * of the same sign. */
float vl_f16_to_f32(uint16_t half);
uint16_t vl_f32_to_f16(float value);
float vl_bf16_to_f32(uint16_t bf16);
uint16_t vl_f32_to_bf16(float value);

/* `n` weights from f32 into `dtype` (f32, f16, bf16 or a quantised one), vl_dtype_row_bytes of
 * them. The scale of a q4_0 or q2_0 block is searched for the least squared error. The plain
 * reference: exact and not fast.
 * VL_ERR_USAGE: `n` is no multiple of the block; VL_ERR_UNSUPPORTED: an integer type or f64;
 * VL_ERR_INPUT: a weight that is NaN or infinite, for a quantised type; VL_ERR_LIMIT: weights
 * too large for an f16 scale. After an error `out` is undefined. */
vl_status vl_quantize_row(vl_dtype dtype, const float *x, size_t n, void *out);
/* The other way, from every type. VL_ERR_USAGE as above. */
vl_status vl_dequantize_row(vl_dtype dtype, const void *row, size_t n, float *out);

/* ---- tensors -------------------------------------------------------------------- */

#define VL_MAX_RANK 4

/* A view: it owns nothing. Rank 0 is a scalar; dims past the rank are 1. */
typedef struct vl_tensor {
    const char *name;
    vl_dtype dtype;
    size_t rank;
    size_t dims[VL_MAX_RANK]; /* row-major, dims[0] outermost */
    const void *data;         /* aligned for its element; for 32 bytes in our GGUF files */
    size_t bytes;
} vl_tensor;

/* Fills `tensor` and computes `bytes`. VL_ERR_USAGE: rank over 4, rows that do not fill blocks,
 * or more bytes than an address can count. */
vl_status vl_tensor_init(vl_tensor *tensor, const char *name, vl_dtype dtype, size_t rank,
                         const size_t *dims, const void *data, vl_error *error);
size_t vl_tensor_elements(const vl_tensor *tensor);
bool vl_tensor_has_shape(const vl_tensor *tensor, size_t rank, const size_t *dims);
/* Every element as f32, vl_tensor_elements of them. */
void vl_tensor_to_f32(const vl_tensor *tensor, float *out);
/* "[512, 64]", into `out`, which is returned. */
#define VL_SHAPE_TEXT_SIZE 96
const char *vl_shape_text(size_t rank, const size_t *dims, char out[VL_SHAPE_TEXT_SIZE]);

/* ---- GGUF v3 -------------------------------------------------------------------- */

/* Source: the specification in ggml, docs/gguf.md. Read: v3, little-endian, f32 f16 bf16 f64 i8
 * i16 i32 i64 q8_0 q4_0 and our q2_0. u8 has no GGUF type. Arrays of arrays, which the
 * specification allows and nobody writes, are refused. */

/* The type number of q2_0, "VL" and 2: outside ggml's numbering, so that other readers refuse
 * it instead of reading it wrongly. */
#define VL_GGUF_TYPE_Q2_0 0x564C0002u
#define VL_GGUF_MAX_TENSORS (1u << 16)
#define VL_GGUF_MAX_KEYS (1u << 16)
#define VL_GGUF_MAX_KEY_BYTES 65535u         /* the specification's */
#define VL_GGUF_MAX_NAME_BYTES 64u           /* the specification's */
#define VL_GGUF_MAX_STRING_BYTES (16u << 20) /* of one metadata value */
#define VL_GGUF_MAX_ARRAY_LENGTH (16u << 20) /* elements */
#define VL_GGUF_MAX_ALIGNMENT 65536u         /* a power of two from 8 */
#define VL_GGUF_DATA_ALIGNMENT 32u           /* default, and of a buffer given to parse */

/* A string of a file: `data` is not NUL-terminated and may hold any byte. */
typedef struct vl_gguf_string {
    const char *data;
    size_t bytes;
} vl_gguf_string;

typedef struct vl_gguf vl_gguf;
vl_status vl_gguf_open(const char *path, vl_gguf **file, vl_error *error);
/* `bytes` must outlive the object and lie at a multiple of 32 (VL_ERR_USAGE). */
vl_status vl_gguf_parse(const void *bytes, size_t count, vl_gguf **file, vl_error *error);
void vl_gguf_free(vl_gguf *file);

size_t vl_gguf_tensor_count(const vl_gguf *file);
const vl_tensor *vl_gguf_tensor(const vl_gguf *file, size_t index);   /* in file order */
const vl_tensor *vl_gguf_find(const vl_gguf *file, const char *name); /* NULL: none */
/* The tensor `name` of exactly this shape (any type); otherwise VL_ERR_INPUT that says what is
 * there. */
vl_status vl_gguf_require(const vl_gguf *file, const char *name, size_t rank,
                          const size_t *dims, const vl_tensor **tensor, vl_error *error);

size_t vl_gguf_key_count(const vl_gguf *file);
const char *vl_gguf_key(const vl_gguf *file, size_t index); /* in file order */
bool vl_gguf_has(const vl_gguf *file, const char *key);
/* "u32", "string", "array of f32", …; NULL when there is no such key. */
const char *vl_gguf_key_type(const vl_gguf *file, const char *key);

/* Metadata. Without the key: VL_OPTIONAL leaves *value (and *count) as the caller set it,
 * VL_REQUIRED is VL_ERR_INPUT. A value of another type is VL_ERR_INPUT either way. Integers of
 * any width are taken where the value fits, f64 where an f32 is wanted; nothing else is
 * converted. */
typedef enum vl_need { VL_OPTIONAL, VL_REQUIRED } vl_need;
/* NUL-terminated; a value with a NUL byte inside is VL_ERR_INPUT. */
vl_status vl_gguf_get_string(const vl_gguf *file, const char *key, vl_need need,
                             const char **value, vl_error *error);
vl_status vl_gguf_get_u32(const vl_gguf *file, const char *key, vl_need need, uint32_t *value,
                          vl_error *error);
vl_status vl_gguf_get_i64(const vl_gguf *file, const char *key, vl_need need, int64_t *value,
                          vl_error *error);
vl_status vl_gguf_get_f32(const vl_gguf *file, const char *key, vl_need need, float *value,
                          vl_error *error);
vl_status vl_gguf_get_bool(const vl_gguf *file, const char *key, vl_need need, bool *value,
                           vl_error *error);
vl_status vl_gguf_get_strings(const vl_gguf *file, const char *key, vl_need need,
                              const vl_gguf_string **values, size_t *count, vl_error *error);
vl_status vl_gguf_get_i32s(const vl_gguf *file, const char *key, vl_need need,
                           const int32_t **values, size_t *count, vl_error *error);
vl_status vl_gguf_get_f32s(const vl_gguf *file, const char *key, vl_need need,
                           const float **values, size_t *count, vl_error *error);

/* Setters and vl_gguf_add keep the first failure and do nothing after it; vl_gguf_write reports
 * it, so a caller sets freely and checks once. Setting a key again replaces its value in place.
 * Order in the file is order of the calls, so the same calls give the same bytes. */
typedef struct vl_gguf_writer vl_gguf_writer;
vl_gguf_writer *vl_gguf_writer_new(void); /* NULL: no memory */
void vl_gguf_writer_free(vl_gguf_writer *writer);
void vl_gguf_set_string(vl_gguf_writer *writer, const char *key, const char *value);
void vl_gguf_set_u32(vl_gguf_writer *writer, const char *key, uint32_t value);
void vl_gguf_set_i64(vl_gguf_writer *writer, const char *key, int64_t value);
void vl_gguf_set_f32(vl_gguf_writer *writer, const char *key, float value);
void vl_gguf_set_bool(vl_gguf_writer *writer, const char *key, bool value);
void vl_gguf_set_strings(vl_gguf_writer *writer, const char *key, const vl_gguf_string *values,
                         size_t count);
void vl_gguf_set_i32s(vl_gguf_writer *writer, const char *key, const int32_t *values,
                      size_t count);
void vl_gguf_set_f32s(vl_gguf_writer *writer, const char *key, const float *values,
                      size_t count);
/* All metadata of a file, of whatever type, in its order. */
void vl_gguf_copy_keys(vl_gguf_writer *writer, const vl_gguf *file);
/* Rank 1 to 4, no dimension 0, name of at most 63 bytes (ggml keeps 64 with the NUL). The data
 * must stay until vl_gguf_write. */
void vl_gguf_add(vl_gguf_writer *writer, const vl_tensor *tensor);
/* Written beside, fsynced, renamed over `path`: the old file or the new, never half. The writer
 * may be used again afterwards. */
vl_status vl_gguf_write(vl_gguf_writer *writer, const char *path, vl_error *error);

/* ---- safetensors ---------------------------------------------------------------- */

/* Source: the format's description in huggingface/safetensors, README.md, "Format". Read: F64
 * F32 F16 BF16 I64 I32 I16 I8 U8, rank up to 4. The data section must be covered exactly,
 * without holes and overlaps. A header is plain JSON of objects, strings and whole numbers;
 * keys that come twice, unknown keys of a tensor, and deeper nesting are refused. */
#define VL_SAFETENSORS_MAX_HEADER (100u * 1000u * 1000u) /* the reference's */
#define VL_SAFETENSORS_MAX_TENSORS (1u << 16)

typedef struct vl_safetensors vl_safetensors;
vl_status vl_safetensors_open(const char *path, vl_safetensors **file, vl_error *error);
/* `bytes` must outlive the object and lie at a multiple of 32 (VL_ERR_USAGE). */
vl_status vl_safetensors_parse(const void *bytes, size_t count, vl_safetensors **file,
                               vl_error *error);
void vl_safetensors_free(vl_safetensors *file);
size_t vl_safetensors_tensor_count(const vl_safetensors *file);
/* In order of their data. A tensor that the file does not align for its type is a copy, owned
 * by the file object; every other one is a view. */
const vl_tensor *vl_safetensors_tensor(const vl_safetensors *file, size_t index);
const vl_tensor *vl_safetensors_find(const vl_safetensors *file, const char *name);
/* As vl_gguf_require, and of this type. */
vl_status vl_safetensors_require(const vl_safetensors *file, const char *name, vl_dtype dtype,
                                 size_t rank, const size_t *dims, const vl_tensor **tensor,
                                 vl_error *error);
/* `__metadata__`, in the header's order. */
size_t vl_safetensors_key_count(const vl_safetensors *file);
const char *vl_safetensors_key(const vl_safetensors *file, size_t index);
const char *vl_safetensors_value(const vl_safetensors *file, const char *key); /* NULL: none */

/* As the GGUF writer: the first failure is kept and reported by the write. Tensors are written
 * in the order of the calls, except that wider types come first, which aligns every one of
 * them. Nothing but the header is held in memory. */
typedef struct vl_safetensors_writer vl_safetensors_writer;
vl_safetensors_writer *vl_safetensors_writer_new(void); /* NULL: no memory */
void vl_safetensors_writer_free(vl_safetensors_writer *writer);
void vl_safetensors_set(vl_safetensors_writer *writer, const char *key, const char *value);
void vl_safetensors_add(vl_safetensors_writer *writer, const vl_tensor *tensor);
/* Written beside, file and directory fsynced, renamed over `path`. */
vl_status vl_safetensors_write(vl_safetensors_writer *writer, const char *path,
                               vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
