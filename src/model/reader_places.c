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
 * section V.A), so that they neither vanish nor need logarithms. */
#include "model/reader_use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct lattice {
    const reader_columns *columns;
    const int32_t *labels;
    size_t count, states;
    double *alpha, *beta; /* [steps,states] */
    double *scale;        /* [steps] */
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

/* Returns log p(labels); −∞: they cannot be read. */
static double run_forward(lattice *l) {
    double log_p = 0;
    for (size_t t = 0; t < l->columns->steps; t++) {
        double *now = l->alpha + t * l->states, *before = now - l->states, sum = 0;
        for (size_t s = 0; s < l->states; s++) {
            double into = t ? before[s] : s < 2;
            if (t && s)
                into += before[s - 1];
            if (t && skips(l, s))
                into += before[s - 2];
            now[s] = into > 0 ? into * y(l, t, symbol(l, s)) : 0;
            sum += now[s];
        }
        if (!(sum > 0))
            return -INFINITY;
        for (size_t s = 0; s < l->states; s++)
            now[s] /= sum;
        l->scale[t] = sum;
        log_p += log(sum);
    }
    const double *end = l->alpha + (l->columns->steps - 1) * l->states;
    double ends = end[l->states - 1] + (l->states > 1 ? end[l->states - 2] : 0);
    return log_p + log(ends);
}

static void run_backward(lattice *l) {
    size_t steps = l->columns->steps, states = l->states;
    for (size_t s = 0; s < states; s++)
        l->beta[(steps - 1) * states + s] = s + 2 >= states;
    for (size_t t = steps - 1; t-- > 0;) {
        double *now = l->beta + t * states, *after = now + states;
        for (size_t s = 0; s < states; s++) {
            double sum = after[s] * y(l, t + 1, symbol(l, s));
            if (s + 1 < states)
                sum += after[s + 1] * y(l, t + 1, symbol(l, s + 1));
            if (s + 2 < states && skips(l, s + 2))
                sum += after[s + 2] * y(l, t + 1, symbol(l, s + 2));
            now[s] = sum / l->scale[t + 1];
        }
    }
}

/* ---- other labels in one place -------------------------------------------------------- */

static double alpha_at(const lattice *l, size_t t, size_t state) {
    return l->alpha[t * l->states + state];
}

/* What follows place i from t + 1 on when the label before it is `label` (0: a blank). */
static double onward(const lattice *l, size_t t, size_t i, int32_t label, bool through_blank) {
    size_t blank = 2 * i + 2, next = 2 * i + 3;
    const double *beta = l->beta + (t + 1) * l->states;
    double sum = through_blank ? y(l, t + 1, 0) * beta[blank] : 0;
    if (next < l->states && l->labels[i + 1] != label)
        sum += y(l, t + 1, l->labels[i + 1]) * beta[next];
    return sum / l->scale[t + 1];
}

/* p(labels with c in place i) up to the scale that all in this file have. */
static double with_label(const lattice *l, size_t i, int32_t c) {
    size_t steps = l->columns->steps, state = 2 * i + 1;
    int32_t before = i ? l->labels[i - 1] : 0;
    double reached = 0, sum = 0;
    for (size_t t = 0; t < steps; t++) {
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
        sum = y(l, 0, l->labels[1]) / l->scale[0] * l->beta[state + 2];
    for (size_t t = 0; t + 1 < steps; t++) {
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
    for (size_t t = 0; t < l->columns->steps; t++) {
        double here = l->alpha[t * l->states + state] * l->beta[t * l->states + state];
        sum += here;
        mean += here * (double)t;
        if (here > most) {
            most = here;
            best = t;
        }
    }
    /* As many positions as are expected to say it, about their mean. */
    double ends = l->alpha[(l->columns->steps - 1) * l->states + l->states - 1] +
                  l->alpha[(l->columns->steps - 1) * l->states + l->states - 2];
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
    lattice l = {.columns = columns, .labels = labels, .count = count, .states = 2 * count + 1};
    size_t cells = columns->steps * l.states;
    l.alpha = calloc(cells + 1, sizeof *l.alpha);
    l.beta = calloc(cells + 1, sizeof *l.beta);
    l.scale = calloc(columns->steps + 1, sizeof *l.scale);
    vl_status status = l.alpha && l.beta && l.scale
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for a line's places");
    if (count)
        memset(places, 0, count * sizeof *places);
    if (!status)
        *log_p = columns->steps ? run_forward(&l) : (count ? -INFINITY : 0);
    if (!status && count && *log_p > -INFINITY) {
        run_backward(&l);
        for (size_t i = 0; i < count; i++)
            fill_place(&l, i, others, &places[i]);
    }
    free(l.alpha);
    free(l.beta);
    free(l.scale);
    return status;
}
