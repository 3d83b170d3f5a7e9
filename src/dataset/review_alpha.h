/* review_alpha.h — how far reviewers agree: Krippendorff's alpha.
 *
 * Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section E: alpha = 1 -
 * Do/De, for any number of observers, with values missing. Units with one value are left out. 1
 * is agreement, 0 what chance gives, less is disagreement on purpose.
 *
 * The interval is a percentile interval (Efron and Tibshirani 1993, ch. 13): units are drawn
 * with replacement. Resamples in which nothing varies have no alpha and are left out. */
#ifndef VL_DATASET_REVIEW_ALPHA_H
#define VL_DATASET_REVIEW_ALPHA_H

#include <vislang/base.h>

typedef enum alpha_metric {
    ALPHA_NOMINAL,  /* values are 0 … ALPHA_CATEGORIES - 1, the same or not */
    ALPHA_INTERVAL, /* distance (a - b)^2 */
} alpha_metric;
enum { ALPHA_CATEGORIES = 8, ALPHA_RESAMPLES = 1000 };

typedef struct alpha_rating {
    uint64_t unit;
    double value;
} alpha_rating;

typedef struct alpha_result {
    bool defined; /* else nothing varies (or no unit has two values): there is no alpha */
    double alpha;
    bool has_interval;
    double low, high;     /* 95 % */
    size_t units, values; /* those that count */
} alpha_result;

/* Sorts `ratings` by unit; one rating an observer and unit, in any order. The same for the same
 * ratings and seed. VL_ERR_MEMORY; VL_ERR_USAGE: a nominal value that is no category. */
vl_status alpha_of(alpha_metric metric, alpha_rating *ratings, size_t count, uint64_t seed,
                   alpha_result *result, vl_error *error);

#endif
