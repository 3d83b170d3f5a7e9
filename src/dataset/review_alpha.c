/* review_alpha.c — alpha from sums over units, so that a resample costs a pass over the units.
 *
 *   unit_of     what a unit adds: values, disagreement within, counts or sums
 *   alpha_from  Do and De of such sums
 *   alpha_of    all units, then resamples of them */
#include "dataset/review_alpha.h"

#include <math.h>
#include <stdlib.h>

/* Of a unit or of many. Sums are of values less the mean of all: what is far from zero loses no
 * digits. */
typedef struct sums {
    double values;                   /* how many: m of a unit, n of all */
    double within;                   /* sum over ordered pairs of the unit, over m - 1 */
    double counts[ALPHA_CATEGORIES]; /* nominal */
    double sum, squares;             /* interval */
} sums;

static int by_unit(const void *x, const void *y) {
    const alpha_rating *a = x, *b = y;
    return a->unit != b->unit ? (a->unit > b->unit ? 1 : -1)
                              : (a->value > b->value) - (a->value < b->value);
}

static void count_in(alpha_metric metric, sums *s, double value) {
    s->values++;
    if (metric == ALPHA_NOMINAL)
        s->counts[(size_t)value]++;
    s->sum += value;
    s->squares += value * value;
}

/* The sum of the distances of all ordered pairs. */
static double pairs_of(alpha_metric metric, const sums *s) {
    double same = 0;
    if (metric == ALPHA_INTERVAL)
        return fmax(0, 2 * (s->values * s->squares - s->sum * s->sum));
    for (size_t c = 0; c < ALPHA_CATEGORIES; c++)
        same += s->counts[c] * s->counts[c];
    return s->values * s->values - same;
}

static void add(sums *to, const sums *s) {
    to->values += s->values;
    to->within += s->within;
    to->sum += s->sum;
    to->squares += s->squares;
    for (size_t c = 0; c < ALPHA_CATEGORIES; c++)
        to->counts[c] += s->counts[c];
}

/* False: nothing varies. */
static bool alpha_from(alpha_metric metric, const sums *all, double *alpha) {
    double expected = pairs_of(metric, all);
    if (all->values < 2 || expected <= 1e-12 * all->values)
        return false;
    *alpha = 1 - (all->values - 1) * all->within / expected;
    return true;
}

/* Those with two values or more; returns how many. */
static size_t units_of(alpha_metric metric, const alpha_rating *ratings, size_t count,
                       sums *units) {
    size_t found = 0;
    double mean = 0;
    for (size_t i = 0; i < count && metric == ALPHA_INTERVAL; i++)
        mean += ratings[i].value / (double)count;
    for (size_t i = 0, next; i < count; i = next) {
        sums unit = {0};
        for (next = i; next < count && ratings[next].unit == ratings[i].unit; next++)
            count_in(metric, &unit, ratings[next].value - mean);
        if (unit.values < 2)
            continue;
        unit.within = pairs_of(metric, &unit) / (unit.values - 1);
        units[found++] = unit;
    }
    return found;
}

static int by_size(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static void resample(alpha_metric metric, const sums *units, size_t count, uint64_t seed,
                     alpha_result *result) {
    double alphas[ALPHA_RESAMPLES];
    size_t made = 0;
    for (size_t r = 0; r < ALPHA_RESAMPLES; r++) {
        sums all = {0};
        for (size_t i = 0; i < count; i++)
            add(&all, &units[vl_random_below(&seed, count)]);
        made += alpha_from(metric, &all, &alphas[made]);
    }
    result->has_interval = made >= ALPHA_RESAMPLES / 2;
    if (!result->has_interval)
        return;
    qsort(alphas, made, sizeof *alphas, by_size);
    result->low = alphas[made * 25 / 1000];
    result->high = alphas[(made * 975 + 999) / 1000 - 1];
}

static bool is_category(double value) {
    return value >= 0 && value < ALPHA_CATEGORIES && value == floor(value);
}

vl_status alpha_of(alpha_metric metric, alpha_rating *ratings, size_t count, uint64_t seed,
                   alpha_result *result, vl_error *error) {
    sums all = {0}, *units = calloc(count + 1, sizeof *units);
    *result = (alpha_result){0};
    if (!units)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu verdicts", count);
    for (size_t i = 0; i < count; i++)
        if (metric == ALPHA_NOMINAL ? !is_category(ratings[i].value)
                                    : !isfinite(ratings[i].value)) {
            free(units);
            return vl_fail(error, VL_ERR_USAGE, "%g is no value to agree on", ratings[i].value);
        }
    if (count)
        qsort(ratings, count, sizeof *ratings, by_unit);
    size_t found = units_of(metric, ratings, count, units);
    for (size_t i = 0; i < found; i++)
        add(&all, &units[i]);
    result->units = found;
    result->values = (size_t)all.values;
    result->defined = alpha_from(metric, &all, &result->alpha);
    if (result->defined)
        resample(metric, units, found, seed, result);
    free(units);
    return VL_OK;
}
