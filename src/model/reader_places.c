/* reader_places.c — where in a line each label was read, how sure it is, and what else may
 * stand there.
 *
 * With all other labels as they are, another label c in place i has the probability
 * p(l_1 … c … l_L | line), and none at all p(l_1 … l_{i-1} l_{i+1} … | line). Both follow from
 * the forward variables of what stands before and the backward variables of what stands after
 * (Graves et al. 2006, section 4.1), which the change in place i does not touch. Shares are
 * over what was read, the likeliest others, and none; so they are at most 1 together.
 *
 * alpha[t][s] and beta[t][s] are scaled by the sum of each position's alphas (Rabiner 1989,
 * section V.A), so that they neither vanish nor need logarithms. Of a line's states, a position
 * reaches only some: what is NEGLIGIBLE on either side of them is left out, unless the labels
 * cannot be read without. */
#include "model/reader_use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NEGLIGIBLE = 1e-30;

/* States first … end of a position; all others are zero there and are not written. */
typedef struct band {
    uint32_t first, end;
} band;

typedef struct lattice {
    const reader_columns *columns;
    const int32_t *labels;
    size_t count, states;
    double least;              /* of a position's sum: a state below it is left out */
    double *alpha, *beta;      /* [steps,states] */
    band *reached, *continues; /* [steps]: of alpha, of beta */
    double *scale;             /* [steps] */
} lattice;

static double y(const lattice *l, size_t t, int32_t label) {
    return (double)l->columns->p[t * l->columns->symbols + (size_t)label];
}

static int32_t symbol(const lattice *l, size_t state) {
    return state % 2 ? l->labels[state / 2] : 0;
}

static bool skips(const lattice *l, size_t state) {
    return state % 2 && state > 1 && l->labels[state / 2] != l->labels[state / 2 - 1];
}

static double in_band(const lattice *l, const double *values, const band *bands, size_t t,
                      size_t state) {
    return state >= bands[t].first && state < bands[t].end ? values[t * l->states + state] : 0;
}

static double alpha_at(const lattice *l, size_t t, size_t state) {
    return in_band(l, l->alpha, l->reached, t, state);
}

static double beta_at(const lattice *l, size_t t, size_t state) {
    return in_band(l, l->beta, l->continues, t, state);
}

/* Without the states at both ends that are below `least`. */
static band trim(const double *values, band b, double least) {
    while (b.first < b.end && !(values[b.first] >= least))
        b.first++;
    while (b.end > b.first && !(values[b.end - 1] >= least))
        b.end--;
    return b;
}

/* Returns log p(labels); −∞: they cannot be read. */
static double run_forward(lattice *l) {
    double log_p = 0;
    size_t steps = l->columns->steps;
    band b = {0, l->states < 2 ? 1 : 2};
    for (size_t t = 0; t < steps; t++) {
        uint32_t reached = b.end;
        double *now = l->alpha + t * l->states, sum = 0;
        if (t)
            b.end = b.end + 2 < l->states ? b.end + 2 : (uint32_t)l->states;
        for (size_t s = b.first; s < b.end; s++) {
            double into = t ? alpha_at(l, t - 1, s) : 1;
            if (t && s)
                into += alpha_at(l, t - 1, s - 1);
            if (t && skips(l, s))
                into += alpha_at(l, t - 1, s - 2);
            now[s] = into > 0 ? into * y(l, t, symbol(l, s)) : 0;
            sum += now[s];
        }
        if (!(sum > 0))
            return -INFINITY;
        b = trim(now, b, l->least * sum);
        b.end = b.end < reached ? reached : b.end; /* so that bands only rise */
        l->reached[t] = b;
        for (size_t s = b.first; s < b.end; s++)
            now[s] /= sum;
        l->scale[t] = sum;
        log_p += log(sum);
    }
    double ends = alpha_at(l, steps - 1, l->states - 1);
    ends += l->states > 1 ? alpha_at(l, steps - 1, l->states - 2) : 0;
    return log_p + log(ends);
}

static void run_backward(lattice *l) {
    size_t steps = l->columns->steps, states = l->states;
    band b = {(uint32_t)(states < 2 ? 0 : states - 2), (uint32_t)states};
    for (size_t t = steps; t-- > 0;) {
        double *now = l->beta + t * states, most = 0;
        if (t + 1 < steps)
            b.first = b.first < 2 ? 0 : b.first - 2;
        for (size_t s = b.first; s < b.end; s++) {
            double sum = t + 1 < steps ? 0 : 1;
            if (t + 1 < steps) {
                sum = beta_at(l, t + 1, s) * y(l, t + 1, symbol(l, s));
                if (s + 1 < states)
                    sum += beta_at(l, t + 1, s + 1) * y(l, t + 1, symbol(l, s + 1));
                if (s + 2 < states && skips(l, s + 2))
                    sum += beta_at(l, t + 1, s + 2) * y(l, t + 1, symbol(l, s + 2));
                sum /= l->scale[t + 1];
            }
            now[s] = sum;
            most = sum > most ? sum : most;
        }
        l->continues[t] = b = trim(now, b, l->least * most);
    }
}

/* ---- other labels in one place -------------------------------------------------------- */

/* What follows place i from t + 1 on when the label before it is `label` (0: a blank). */
static double onward(const lattice *l, size_t t, size_t i, int32_t label, bool through_blank) {
    size_t blank = 2 * i + 2, next = 2 * i + 3;
    double sum = through_blank ? y(l, t + 1, 0) * beta_at(l, t + 1, blank) : 0;
    if (next < l->states && l->labels[i + 1] != label)
        sum += y(l, t + 1, l->labels[i + 1]) * beta_at(l, t + 1, next);
    return sum / l->scale[t + 1];
}

/* The first position that reaches state `state`; positions where none is. */
static size_t first_at(const lattice *l, size_t state) {
    size_t first = 0, end = l->columns->steps; /* bands only rise */
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (l->reached[middle].end > state)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

/* p(labels with c in place i) up to the scale that all in this file have. */
static double with_label(const lattice *l, size_t i, int32_t c) {
    size_t steps = l->columns->steps, state = 2 * i + 1;
    int32_t before = i ? l->labels[i - 1] : 0;
    double reached = 0, sum = 0;
    for (size_t t = i ? first_at(l, state - 2) : 0; t < steps; t++) {
        if (reached <= 0 && l->reached[t ? t - 1 : 0].first >= state) /* from here on all are */
            break;
        double into = reached;
        if (t)
            into += alpha_at(l, t - 1, state - 1) +
                    (i && before != c ? alpha_at(l, t - 1, state - 2) : 0);
        else if (!i)
            into = 1;
        reached = into > 0 ? into * y(l, t, c) / l->scale[t] : 0;
        if (reached > 0)
            sum += t + 1 < steps ? reached * onward(l, t, i, c, true)
                                 : (i + 1 == l->count ? reached : 0);
    }
    return sum;
}

/* The same with nothing in place i: the blank before it is the blank after it. */
static double with_none(const lattice *l, size_t i) {
    size_t steps = l->columns->steps, state = 2 * i + 1;
    double sum = 0;
    if (i + 1 == l->count) { /* nothing follows */
        sum = alpha_at(l, steps - 1, state - 1);
        return i ? sum + alpha_at(l, steps - 1, state - 2) : sum;
    }
    if (!i) /* the next label may begin the line */
        sum = y(l, 0, l->labels[1]) / l->scale[0] * beta_at(l, 0, state + 2);
    for (size_t t = i ? first_at(l, state - 2) : 0;
         t + 1 < steps && l->reached[t].first < state; t++) {
        double blank = alpha_at(l, t, state - 1), label = i ? alpha_at(l, t, state - 2) : 0;
        if (blank > 0)
            sum += blank * onward(l, t, i, 0, false);
        if (label > 0)
            sum += label * onward(l, t, i, l->labels[i - 1], false);
    }
    return sum;
}

/* The likeliest labels beside `own` and the blank at position t. */
static size_t likeliest(const lattice *l, size_t t, int32_t own, size_t most,
                        reader_other *out) {
    const float *row = l->columns->p + t * l->columns->symbols;
    size_t count = 0;
    for (size_t v = 1; v < l->columns->symbols && most; v++) {
        if ((int32_t)v == own || (count == most && row[v] <= row[out[most - 1].label]))
            continue;
        size_t at = count < most ? count++ : most - 1;
        for (; at && row[out[at - 1].label] < row[v]; at--)
            out[at] = out[at - 1];
        out[at] = (reader_other){.label = (int32_t)v};
    }
    return count;
}

static int by_share(const void *a, const void *b) {
    double x = ((const reader_other *)a)->share, z = ((const reader_other *)b)->share;
    return x < z ? 1 : x > z ? -1 : 0;
}

/* Position where the label of place i is likeliest, and its expected first and last. */
static size_t locate(const lattice *l, size_t i, reader_place *place) {
    size_t state = 2 * i + 1, best = 0;
    double most = -1, sum = 0, mean = 0;
    for (size_t t = first_at(l, state); t < l->columns->steps && l->reached[t].first <= state;
         t++) {
        double here = alpha_at(l, t, state) * beta_at(l, t, state);
        sum += here;
        mean += here * (double)t;
        if (here > most) {
            most = here;
            best = t;
        }
    }
    /* As many positions as are expected to say it, about their mean. */
    double ends = alpha_at(l, l->columns->steps - 1, l->states - 1) +
                  alpha_at(l, l->columns->steps - 1, l->states - 2);
    double positions = ends > 0 ? sum / ends : 1;
    mean = sum > 0 ? mean / sum : 0;
    place->first = mean - (positions - 1) / 2;
    place->last = mean + (positions - 1) / 2;
    return best;
}

static void fill_place(const lattice *l, size_t i, size_t others, reader_place *place) {
    size_t at = locate(l, i, place);
    double own = with_label(l, i, l->labels[i]), none = with_none(l, i), sum = own + none;
    size_t count =
        likeliest(l, at, l->labels[i],
                  others < VL_READER_MAX_ALTERNATIVES ? others : VL_READER_MAX_ALTERNATIVES,
                  place->other);
    for (size_t k = 0; k < count; k++) {
        place->other[k].share = with_label(l, i, place->other[k].label);
        sum += place->other[k].share;
    }
    if (count && none > place->other[count - 1].share) /* takes the place of the least */
        place->other[count - 1] = (reader_other){.label = 0, .share = none};
    for (size_t k = 0; k < count; k++)
        place->other[k].share = sum > 0 ? place->other[k].share / sum : 0;
    qsort(place->other, count, sizeof *place->other, by_share);
    place->other_count = count;
    place->share = sum > 0 ? own / sum : 0;
}

vl_status reader_find_places(const reader_columns *columns, const int32_t *labels, size_t count,
                             size_t others, reader_place *places, double *log_p,
                             vl_error *error) {
    lattice l = {.columns = columns,
                 .labels = labels,
                 .count = count,
                 .states = 2 * count + 1,
                 .least = NEGLIGIBLE};
    size_t cells = columns->steps * l.states;
    l.alpha = malloc((cells + 1) * sizeof *l.alpha);
    l.beta = malloc((cells + 1) * sizeof *l.beta);
    l.reached = calloc(columns->steps + 1, sizeof *l.reached);
    l.continues = calloc(columns->steps + 1, sizeof *l.continues);
    l.scale = calloc(columns->steps + 1, sizeof *l.scale);
    vl_status status = l.alpha && l.beta && l.reached && l.continues && l.scale
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for a line's places");
    if (count)
        memset(places, 0, count * sizeof *places);
    if (!status)
        *log_p = columns->steps ? run_forward(&l) : (count ? -INFINITY : 0);
    if (!status && columns->steps && *log_p == -INFINITY) {
        l.least = 0;
        *log_p = run_forward(&l);
    }
    if (!status && count && *log_p > -INFINITY) {
        run_backward(&l);
        for (size_t i = 0; i < count; i++)
            fill_place(&l, i, others, &places[i]);
    }
    free(l.alpha);
    free(l.beta);
    free(l.reached);
    free(l.continues);
    free(l.scale);
    return status;
}
