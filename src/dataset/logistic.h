/* logistic.h — logistic regression with a prior, for a few features and thousands of rows.
 *
 * p = 1 / (1 + exp(-(w · x + offset))). The coefficients are those of the greatest posterior
 * under independent normal priors (Bishop, Pattern Recognition and Machine Learning, 2006,
 * section 4.5.1), by Newton's method with halved steps: the loss is strictly convex where every
 * precision is above 0, so there is one answer, and it is the same on every run. Thread-safe.
 */
#ifndef VL_DATASET_LOGISTIC_H
#define VL_DATASET_LOGISTIC_H

#include <vislang/base.h>

enum { LOGISTIC_MOST = 48 }; /* coefficients, the offset included */

typedef struct logistic_data {
    const double *features; /* [count, size] */
    const double *targets;  /* [count], 0 … 1 */
    const double *weights;  /* [count], 0 or more; NULL: 1 each */
    size_t count, size;
} logistic_data;

/* `prior` and `precision` (1 / variance, above 0), like `out`, are [size + 1], the offset last.
 * VL_ERR_USAGE: too many features, or a number that is not finite or out of range. */
vl_status logistic_fit(const logistic_data *data, const double *prior, const double *precision,
                       double *out, vl_error *error);
double logistic_of(const double *coefficients, const double *features, size_t size);
double logistic_sigmoid(double x);
/* ln(p / (1 - p)), of p kept within 1e-9 … 1 - 1e-9. */
double logistic_logit(double p);
/* Mean of -(t ln p + (1 - t) ln(1 - p)), weighted; 0 without rows. */
double logistic_loss(const logistic_data *data, const double *coefficients);

#endif
