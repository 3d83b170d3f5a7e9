/* sparse.h — rows that have few of many columns (compressed rows, CSR), and their products.
 * Columns of a row rise. Values are finite. */
#ifndef VL_ALIGN_SPARSE_H
#define VL_ALIGN_SPARSE_H

#include <vislang/base.h>

typedef struct sparse {
    size_t rows, columns, room;
    size_t *from; /* [rows + 1] */
    uint32_t *column;
    float *value;
} sparse;
/* No rows yet, room for `rows`. On failure nothing is kept. */
vl_status sparse_init(sparse *m, size_t rows, size_t columns, vl_error *error);
void sparse_deinit(sparse *m); /* of zeros allowed */

typedef struct sparse_entry {
    uint32_t column;
    float value;
} sparse_entry;
/* Another row; equal columns are added up. `entries` is put in order. */
vl_status sparse_add_row(sparse *m, sparse_entry *entries, size_t count, vl_error *error);
/* Values become √value × weight[column]; rows are then made of length `length` (or zero). */
void sparse_weigh(sparse *m, const float *weights, float length);
vl_status sparse_copy(const sparse *m, sparse *out, vl_error *error);
/* Column c of the result is weights[map[c]]'s: columns are renamed, `map` rising; SIZE_MAX in
 * 32 bits (UINT32_MAX) leaves a column out. */
void sparse_rename(sparse *m, const uint32_t *map, size_t columns);
vl_status sparse_transpose(const sparse *m, sparse *out, vl_error *error);
/* scores [columns of `turned`'s original] += row `row` of m × originalᵀ, where `turned` is the
 * original transposed. */
void sparse_multiply_row(const sparse *m, size_t row, const sparse *turned, float *scores);

#endif
