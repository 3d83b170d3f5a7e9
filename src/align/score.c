/* score.c — see score.h: ranks with ties, and Wilson's interval. */
#include "align/score.h"

#include <math.h>

align_place align_place_of(const float *scores, size_t candidates, const uint32_t *right,
                           size_t right_count) {
    align_place place = {0};
    float best = scores[right[0]];
    size_t level = 0;
    for (size_t i = 1; i < right_count; i++)
        best = fmaxf(best, scores[right[i]]);
    for (size_t i = 0; i < right_count; i++)
        place.right += scores[right[i]] >= best - ALIGN_SCORE_TIE;
    for (size_t i = 0; i < candidates; i++) {
        place.ahead += scores[i] > best + ALIGN_SCORE_TIE;
        level += scores[i] >= best - ALIGN_SCORE_TIE;
    }
    place.tied = level - place.ahead - place.right;
    return place;
}

/* Of `right` and `tied` items in random order, the share of orders that has a right one among
 * the first `room`: 1 − C(tied, room) / C(right + tied, room). */
static double among_first(align_place place, size_t room) {
    double none = 1;
    if (room == 1)
        return (double)place.right / (double)(place.right + place.tied);
    for (size_t i = 0; i < room; i++) {
        if (i >= place.tied)
            return 1;
        none *= (double)(place.tied - i) / (double)(place.right + place.tied - i);
    }
    return 1 - none;
}

/* The mean of 1 / place over those orders: place is ahead + p where the first p − 1 are wrong
 * and the next is right. */
static double mean_reciprocal(align_place place) {
    double sum = 0, reached = 1; /* the share of orders that gets so far */
    for (size_t p = 0; p <= place.tied && reached > 1e-12; p++) {
        double left = (double)(place.right + place.tied - p);
        sum += reached * (double)place.right / left / (double)(place.ahead + p + 1);
        reached *= (double)(place.tied - p) / left;
    }
    return sum;
}

void align_ranks_add(align_ranks *ranks, align_place place, size_t weight) {
    double times = (double)weight;
    if (place.ahead < 1)
        ranks->at1 += times * among_first(place, 1);
    if (place.ahead < 5)
        ranks->at5 += times * among_first(place, 5 - place.ahead);
    ranks->reciprocal += times * mean_reciprocal(place);
    ranks->tied += place.tied ? times : 0;
    ranks->queries += weight;
}

void align_ranks_finish(align_ranks *ranks) {
    double queries = ranks->queries ? (double)ranks->queries : 1;
    ranks->at1 /= queries;
    ranks->at5 /= queries;
    ranks->reciprocal /= queries;
    ranks->tied /= queries;
}

void align_wilson(double share, size_t n, double *low, double *high) {
    const double z = 1.959963984540054; /* 97.5 % of the normal distribution */
    double count = (double)n;
    if (!n) {
        *low = 0;
        *high = 1;
        return;
    }
    double scale = 1 + z * z / count, centre = share + z * z / (2 * count);
    double half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count));
    *low = fmax(0, (centre - half) / scale);
    *high = fmin(1, (centre + half) / scale);
}
