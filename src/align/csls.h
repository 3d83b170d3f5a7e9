/* csls.h — the largest products between the rows of two spaces, both ways at once, in bounded
 * memory.
 *
 * Products of a panel of x and a panel of y are made by vl_gemm and looked through while they
 * are in the cache; what is kept is k a row of either side. */
#ifndef VL_ALIGN_CSLS_H
#define VL_ALIGN_CSLS_H

#include <vislang/base.h>

/* The k best of each of `count` rows, best first; UINT32_MAX and −infinity where there are
 * fewer. Equal values: the lower index. */
typedef struct align_best {
    size_t count, k;
    float *value;    /* [count][k] */
    uint32_t *index; /* [count][k] */
} align_best;
vl_status align_best_init(align_best *best, size_t count, size_t k, vl_error *error);
void align_best_deinit(align_best *best);

/* The value of x[i] with y[j] is x[i]·y[j] − y_offset[j] for the best of x[i], and
 * x[i]·y[j] − x_offset[i] for the best of y[j]. A pair is looked at with probability `keep`,
 * by dice that depend on (dice, i, j) alone. */
typedef struct align_pass {
    const float *x, *y; /* [x_count][dim], [y_count][dim]; finite */
    size_t x_count, y_count, dim;
    const float *x_offset, *y_offset; /* NULL: zeros; x_offset only with y_offset */
    align_best *x_best, *y_best;      /* NULL: not wanted */
    double keep;                      /* 0 … 1; 1 looks at all */
    uint64_t dice;
    size_t threads; /* 0: one a processor */
} align_pass;
/* The same result on any number of threads. VL_ERR_MEMORY, VL_ERR_CANCELLED. */
vl_status align_pass_run(const align_pass *pass, vl_error *error);

/* r of CSLS: the mean of the values there are, 0 for none. `mean` [count]. */
void align_best_means(const align_best *best, float *mean);
/* Both means at once, halved, as they are taken off products: 2·(x·y − rx/2 − ry/2) is CSLS. */
typedef struct align_local {
    float *x, *y;   /* halves of r */
    double nearest; /* mean of the largest product, over both sides */
} align_local;
vl_status align_local_init(align_local *local, const align_pass *spaces, size_t k,
                           vl_error *error);
void align_local_deinit(align_local *local);

#endif
