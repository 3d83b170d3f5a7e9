/* gguf.h — the pieces of GGUF v3 that its reader and its writer share.
 *
 * File: "GGUF", u32 version, u64 tensor count, u64 key count; the keys (string key, u32 type,
 * value); the tensors (string name, u32 rank, u64 dimension each from the innermost, u32 type,
 * u64 offset into the data section); zeros up to the alignment; the data section. A string is a
 * u64 length and that many bytes. */
#ifndef VISLANG_TENSOR_GGUF_H
#define VISLANG_TENSOR_GGUF_H

#include "tensor/file.h"

#define GGUF_MAGIC "GGUF"
#define GGUF_VERSION 3u
#define GGUF_HEADER_BYTES 24u
#define GGUF_ALIGNMENT_KEY "general.alignment"

/* Types of metadata values, as numbered in the file. */
typedef enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_COUNT
} gguf_type;

const char *gguf_type_name(gguf_type type); /* "u8", "string", … */
size_t gguf_type_bytes(gguf_type type);     /* 0 for string and array */

/* ggml's number of an element type; false: GGUF has none. */
bool gguf_number_of(vl_dtype dtype, uint32_t *number);
/* The other way; false: not read here. */
bool gguf_dtype_of(uint32_t number, vl_dtype *dtype);
/* ggml's name of a number, to say what is not read; NULL: none known. */
const char *gguf_number_name(uint32_t number);

/* A power of two from 8 to VL_GGUF_MAX_ALIGNMENT. */
bool gguf_alignment_is_sound(uint32_t alignment);

typedef struct gguf_key {
    const char *name;
    size_t at;      /* where the key begins in the file */
    gguf_type type; /* of the value, or of the elements of an array */
    bool is_array;
    size_t count;             /* elements of an array; 1 otherwise */
    const unsigned char *raw; /* from the value's type on, as in the file */
    size_t raw_bytes;
    const unsigned char *value; /* first value, in the file, not aligned */
    size_t value_bytes;
    /* In the arena: a vl_gguf_string for each string (that of a single one NUL-terminated), an
     * aligned copy of an array of i32 or f32; NULL for other types. */
    const void *copy;
} gguf_key;

struct vl_gguf {
    vl_source source;
    vl_arena *arena;
    size_t key_count, tensor_count;
    gguf_key *keys;
    vl_tensor *tensors;
    vl_name *key_names, *tensor_names; /* sorted */
    uint32_t alignment;
};

#endif
