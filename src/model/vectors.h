/* vectors.h — the file of an index, for the files of this room: its layout, and a writer whose
 * entries can be replaced and dropped by their place. */
#ifndef MODEL_VECTORS_H
#define MODEL_VECTORS_H

#include "tensor/file.h"

#include <vislang/model.h>

/* header · entries · rounded vectors · what rounding left out · names · checksum. Sections
 * begin at multiples of 64; what is between them is zero. All numbers are little-endian. */
enum { VECTORS_VERSION = 1, VECTORS_ALIGNMENT = 64, VECTORS_CHECKSUM_BYTES = 8 };
#define VECTORS_MAGIC "VLVECTOR"
/* What rounding left out is kept 128 times as large, which leaves room below f16's scales. */
#define VECTORS_REST_SCALE 128.0f

typedef struct vectors_header {
    char magic[8];
    uint32_t version, size; /* values of a vector */
    uint64_t count, name_bytes;
    float longest; /* length of the longest rounded vector */
    float error;   /* length of the largest difference that rounding made */
    char model[VL_VECTORS_MODEL_SIZE];
    char zero[24];
} vectors_header;

typedef struct vectors_entry {
    uint64_t name_at; /* in the section of names */
    uint32_t name_length, zero;
    uint64_t bytes;
    int64_t mtime_ns;
    uint8_t hash[VL_VECTORS_HASH_SIZE];
} vectors_entry;

_Static_assert(sizeof(vectors_header) == 192 && sizeof(vectors_entry) == 64,
               "as files have it");

/* Where the sections are. */
typedef struct vectors_layout {
    size_t row; /* bytes of one vector */
    uint64_t entries, rounded, rest, names, checksum, end;
} vectors_layout;
vectors_layout vectors_layout_of(uint64_t count, uint32_t size, uint64_t name_bytes);

/* Of whole groups of 32 bytes. Each step is a bijection of the sum and of the word it takes, so
 * no change within one aligned word goes unseen. */
typedef struct vectors_sum {
    uint64_t lane[4];
} vectors_sum;
vectors_sum vectors_sum_begin(void);
void vectors_sum_add(vectors_sum *sum, const void *bytes, size_t count);
uint64_t vectors_sum_end(const vectors_sum *sum);

/* What is wrong with a name, or NULL. */
const char *vectors_name_fault(const char *name, size_t length);
/* What is wrong with a model's name, or NULL. */
const char *vectors_model_fault(const char *model, size_t length);

/* The two parts of a vector: rows of an index or of a writer. */
typedef struct vectors_row {
    const vl_block_q8_0 *rounded, *rest;
} vectors_row;
vectors_row vectors_row_at(const vl_vectors *vectors, size_t index);
/* Unpacks into `vector` [padded]; `padded` is a multiple of the block. */
void vectors_row_unpack(vectors_row row, size_t padded, float *vector);
static inline size_t vectors_padded(size_t size) {
    return (size + VL_Q8_0_WEIGHTS - 1) / VL_Q8_0_WEIGHTS * VL_Q8_0_WEIGHTS;
}

/* Entries of a writer are counted from 0 in the order they were added. */
void vectors_writer_describe(vl_vectors_writer *writer, size_t at,
                             const vl_vectors_picture *picture); /* same name */
vl_status vectors_writer_replace(vl_vectors_writer *writer, size_t at,
                                 const vl_vectors_picture *picture, const float *vector,
                                 vl_error *error); /* same name */
void vectors_writer_replace_kept(vl_vectors_writer *writer, size_t at,
                                 const vl_vectors_picture *picture, const vl_vectors *from,
                                 size_t index); /* same name */
void vectors_writer_drop(vl_vectors_writer *writer, size_t at);

#endif
