/* gale_church.c — lengths. */
#include "align/gale_church.h"

#include <math.h>
#include <stdlib.h>

static const double VARIANCE = 6.8;
static const double VARIANCE_LEAST = 1, VARIANCE_MOST = 20;
/* Beads that differ more than this count as if they differed so much. */
static const double OUTLIER = 3;
enum { FIT_LEAST = 10 };

static double sum_of(const float *lengths, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)lengths[i];
    return sum;
}

align_lengths align_lengths_of(const float *a, size_t a_count, const float *b, size_t b_count) {
    double of_a = sum_of(a, a_count), of_b = sum_of(b, b_count);
    double ratio = of_a > 0 && of_b > 0 ? of_b / of_a : 1;
    return (align_lengths){fmin(fmax(ratio, 0.2), 5), VARIANCE};
}

void align_lengths_fit(align_lengths *lengths, const float *a, const float *b,
                       const align_step *path, size_t steps) {
    double of_a = 0, of_b = 0, squares = 0;
    size_t used = 0;
    for (size_t k = 0; k < steps; k++)
        if (path[k].a_count && path[k].b_count) {
            of_a += sum_of(a + path[k].a_from, path[k].a_count);
            of_b += sum_of(b + path[k].b_from, path[k].b_count);
            used++;
        }
    if (used < FIT_LEAST || of_a <= 0 || of_b <= 0)
        return;
    lengths->ratio = fmin(fmax(of_b / of_a, 0.2), 5);
    align_lengths unit = {lengths->ratio, 1};
    double limit = OUTLIER * OUTLIER * lengths->variance;
    for (size_t k = 0; k < steps; k++)
        if (path[k].a_count && path[k].b_count) {
            double square =
                2 * align_length_cost(&unit, sum_of(a + path[k].a_from, path[k].a_count),
                                      sum_of(b + path[k].b_from, path[k].b_count));
            squares += fmin(square, limit);
        }
    lengths->variance = fmin(fmax(squares / (double)used, VARIANCE_LEAST), VARIANCE_MOST);
}

double align_length_cost(const align_lengths *lengths, double a, double b) {
    double mean = (lengths->ratio * a + b) / 2, apart = b - lengths->ratio * a;
    double cost = apart * apart / (2 * lengths->variance * (mean > 1 ? mean : 1));
    return cost < ALIGN_LENGTH_COST_MAX ? cost : ALIGN_LENGTH_COST_MAX;
}

double align_shape_cost(size_t m, size_t n) {
    static const double one = 0.51, more = 2.3, each = 0.9;
    return m == 1 && n == 1 ? one : more + each * (double)(m + n - 3);
}
