/* rows.h — what is done to the rows of a space before and after it is mapped. Rows are
 * [count][dim], row-major; none of this fails. */
#ifndef VL_ALIGN_ROWS_H
#define VL_ALIGN_ROWS_H

#include <stdbool.h>
#include <stddef.h>

/* Every row to length 1; a row shorter than 1e-12 to zeros. */
void align_rows_unit(float *rows, size_t count, size_t dim);
/* Their mean. */
void align_rows_mean(const float *rows, size_t count, size_t dim, float *mean);
void align_rows_subtract(float *rows, size_t count, size_t dim, const float *mean);
/* Whether all numbers are finite; *bad (may be NULL) is the first row with one that is not. */
bool align_rows_finite(const float *rows, size_t count, size_t dim, size_t *bad);
/* out = rows · matrix [dim][dim]; `out` is not `rows`. */
void align_rows_turn(const float *rows, size_t count, size_t dim, const float *matrix,
                     float *out);
/* cross [dim][dim] += xᵀ·y over `count` pairs of rows. */
void align_rows_cross(const float *x, const float *y, size_t count, size_t dim, float *cross);

#endif
