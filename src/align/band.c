/* band.c — dynamic programming over the nodes of a band; forward–backward over the same nodes
 * gives each bead of the cheapest way its posterior (Rabiner 1989, III.A, with the costs as
 * negative logarithms). */
#include "align/band.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "not enough memory for two documents of this size");
}

/* ---- bands ------------------------------------------------------------------------------- */

static bool band_init(vl_arena *arena, size_t a_count, size_t b_count, align_band *band) {
    band->a_count = a_count;
    band->b_count = b_count;
    band->low = vl_arena_array(arena, a_count + 1, sizeof *band->low);
    band->high = vl_arena_array(arena, a_count + 1, sizeof *band->high);
    band->start = vl_arena_array(arena, a_count + 2, sizeof *band->start);
    return band->low && band->high && band->start;
}

static void band_index(align_band *band) {
    for (size_t i = 0; i <= band->a_count; i++)
        band->start[i + 1] = band->start[i] + (band->high[i] - band->low[i]) + 1;
}

vl_status align_band_full(vl_arena *arena, size_t a_count, size_t b_count, align_band *band,
                          vl_error *error) {
    if (!band_init(arena, a_count, b_count, band))
        return no_memory(error);
    for (size_t i = 0; i <= a_count; i++)
        band->high[i] = (uint32_t)b_count;
    band_index(band);
    return VL_OK;
}

static void widen(align_band *band, size_t i, size_t j, size_t radius) {
    size_t from = i > radius ? i - radius : 0;
    size_t to = i + radius < band->a_count ? i + radius : band->a_count;
    uint32_t low = (uint32_t)(j > radius ? j - radius : 0);
    uint32_t high = (uint32_t)(j + radius < band->b_count ? j + radius : band->b_count);
    /* Rows between `from` and `to` are reached from their own nodes too; low and high of a path
     * only rise, so its ends are all that has to be set. */
    if (low < band->low[to])
        band->low[to] = low;
    if (high > band->high[from])
        band->high[from] = high;
}

vl_status align_band_around(vl_arena *arena, const align_step *path, size_t steps,
                            size_t a_count, size_t b_count, size_t radius, align_band *band,
                            vl_error *error) {
    if (!band_init(arena, a_count, b_count, band))
        return no_memory(error);
    for (size_t i = 0; i <= a_count; i++)
        band->low[i] = (uint32_t)b_count;
    widen(band, 0, 0, radius);
    for (size_t k = 0; k < steps; k++)
        widen(band, path[k].a_from + path[k].a_count, path[k].b_from + path[k].b_count, radius);
    for (size_t i = a_count; i > 0; i--) /* low: the least of this row and those after it */
        if (band->low[i] < band->low[i - 1])
            band->low[i - 1] = band->low[i];
    for (size_t i = 0; i < a_count; i++)
        if (band->high[i] > band->high[i + 1])
            band->high[i + 1] = band->high[i];
    band_index(band);
    return VL_OK;
}

/* ---- the cheapest way -------------------------------------------------------------------- */

enum { CODES = (ALIGN_BEAD_SIDE + 1) * (ALIGN_BEAD_SIDE + 1) };

typedef struct walk {
    const align_band *band;
    const align_costs *costs;
    double *best;   /* of each node */
    uint8_t *taken; /* m * (ALIGN_BEAD_SIDE + 1) + n of the last bead */
    float *kept;    /* costs of the beads that end at each node [nodes][BEADS], or NULL */
    size_t shapes;  /* of beads: BEADS, or 1 */
} walk;

/* Beads of both sides in the order they are tried. */
static const struct {
    uint8_t m, n;
} beads[] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {1, 3}, {3, 1}, {2, 3}, {3, 2}, {1, 4}, {4, 1},
             {3, 3}, {2, 4}, {4, 2}, {1, 5}, {5, 1}, {3, 4}, {4, 3}, {2, 5}, {5, 2}};
enum { BEADS = sizeof beads / sizeof *beads };

static size_t node(const align_band *band, size_t i, size_t j) {
    return band->start[i] + (j - band->low[i]);
}

static double bead_cost(const walk *w, size_t i, size_t j, size_t k) {
    size_t m = beads[k].m, n = beads[k].n;
    if (m > i || n > j || !align_band_has(w->band, i - m, j - n))
        return ALIGN_IMPOSSIBLE;
    return w->costs->bead(w->costs->user, i, j, m, n);
}

static void visit(walk *w, size_t i, size_t j) {
    const align_band *band = w->band;
    size_t at = node(band, i, j);
    double best = i || j ? ALIGN_IMPOSSIBLE : 0;
    unsigned taken = 0;
    if (i > 0 && align_band_has(band, i - 1, j)) {
        best = w->best[node(band, i - 1, j)] + w->costs->alone;
        taken = ALIGN_BEAD_SIDE + 1;
    }
    if (j > 0 && align_band_has(band, i, j - 1) && w->best[at - 1] + w->costs->alone < best) {
        best = w->best[at - 1] + w->costs->alone;
        taken = 1;
    }
    for (size_t k = 0; k < w->shapes; k++) {
        double cost = bead_cost(w, i, j, k);
        if (w->kept)
            w->kept[at * BEADS + k] = (float)cost;
        if (cost >= ALIGN_IMPOSSIBLE)
            continue;
        cost += w->best[node(band, i - beads[k].m, j - beads[k].n)];
        if (cost < best) {
            best = cost;
            taken = beads[k].m * (ALIGN_BEAD_SIDE + 1u) + beads[k].n;
        }
    }
    w->best[at] = best;
    w->taken[at] = (uint8_t)taken;
}

static size_t trace(const walk *w, align_step *path) {
    const align_band *band = w->band;
    size_t i = band->a_count, j = band->b_count, steps = 0;
    while (i || j) {
        size_t at = node(band, i, j), m = w->taken[at] / (ALIGN_BEAD_SIDE + 1),
               n = w->taken[at] % (ALIGN_BEAD_SIDE + 1);
        double before = w->best[node(band, i - m, j - n)];
        i -= m;
        j -= n;
        path[steps++] = (align_step){.a_from = (uint32_t)i,
                                     .b_from = (uint32_t)j,
                                     .a_count = (uint16_t)m,
                                     .b_count = (uint16_t)n,
                                     .cost = (float)(w->best[at] - before)};
    }
    for (size_t k = 0; k < steps / 2; k++) {
        align_step step = path[k];
        path[k] = path[steps - 1 - k];
        path[steps - 1 - k] = step;
    }
    return steps;
}

/* ---- posteriors -------------------------------------------------------------------------- */

/* Log of a sum of exponentials; what is too small to be seen in it costs nothing. */
static double log_sum(const double *terms, size_t count) {
    static const double UNSEEN = 20;
    double most = -ALIGN_IMPOSSIBLE, sum = 0;
    for (size_t k = 0; k < count; k++)
        most = terms[k] > most ? terms[k] : most;
    if (most <= -ALIGN_IMPOSSIBLE)
        return most;
    for (size_t k = 0; k < count; k++)
        if (terms[k] > most - UNSEEN)
            sum += terms[k] == most ? 1 : exp(terms[k] - most);
    return most + (sum > 1 ? log(sum) : 0);
}

/* Log of the weight of all ways from the beginning to node (i, j). */
static double ways_to(const walk *w, const double *before, size_t i, size_t j) {
    const align_band *band = w->band;
    double terms[BEADS + 2], sharpness = w->costs->sharpness;
    size_t at = node(band, i, j), count = 0;
    if (!i && !j)
        return 0;
    if (i > 0 && align_band_has(band, i - 1, j))
        terms[count++] = before[node(band, i - 1, j)] - sharpness * w->costs->alone;
    if (j > 0 && align_band_has(band, i, j - 1))
        terms[count++] = before[at - 1] - sharpness * w->costs->alone;
    for (size_t k = 0; k < w->shapes; k++) {
        double cost = (double)w->kept[at * BEADS + k];
        if (cost < ALIGN_IMPOSSIBLE / 2)
            terms[count++] =
                before[node(band, i - beads[k].m, j - beads[k].n)] - sharpness * cost;
    }
    return log_sum(terms, count);
}

/* And from it to the end. */
static double ways_from(const walk *w, const double *after, size_t i, size_t j) {
    const align_band *band = w->band;
    double terms[BEADS + 2], sharpness = w->costs->sharpness;
    size_t at = node(band, i, j), count = 0;
    if (i == band->a_count && j == band->b_count)
        return 0;
    if (align_band_has(band, i + 1, j))
        terms[count++] = after[node(band, i + 1, j)] - sharpness * w->costs->alone;
    if (align_band_has(band, i, j + 1))
        terms[count++] = after[at + 1] - sharpness * w->costs->alone;
    for (size_t k = 0; k < w->shapes; k++) {
        size_t to_i = i + beads[k].m, to_j = j + beads[k].n;
        if (!align_band_has(band, to_i, to_j))
            continue;
        size_t to = node(band, to_i, to_j);
        double cost = (double)w->kept[to * BEADS + k];
        if (cost < ALIGN_IMPOSSIBLE / 2)
            terms[count++] = after[to] - sharpness * cost;
    }
    return log_sum(terms, count);
}

static void sum_ways(const walk *w, double *before, double *after) {
    const align_band *band = w->band;
    for (size_t i = 0; i <= band->a_count; i++)
        for (size_t j = band->low[i]; j <= band->high[i]; j++)
            before[node(band, i, j)] = ways_to(w, before, i, j);
    for (size_t i = band->a_count + 1; i-- > 0;)
        for (size_t j = band->high[i] + (size_t)1; j-- > band->low[i];)
            after[node(band, i, j)] = ways_from(w, after, i, j);
}

static void set_posteriors(const walk *w, const double *before, const double *after,
                           align_step *path, size_t steps) {
    const align_band *band = w->band;
    double all = before[node(band, band->a_count, band->b_count)];
    for (size_t k = 0; k < steps; k++) {
        align_step *s = &path[k];
        double log_share = before[node(band, s->a_from, s->b_from)] +
                           after[node(band, s->a_from + s->a_count, s->b_from + s->b_count)] -
                           w->costs->sharpness * (double)s->cost - all;
        s->posterior = (float)exp(log_share < 0 ? log_share : 0);
    }
}

vl_status align_band_path(vl_arena *arena, const align_band *band, const align_costs *costs,
                          align_step **path, size_t *steps, vl_error *error) {
    size_t nodes = band->start[band->a_count + 1];
    bool weighed = costs->sharpness > 0;
    walk w = {.band = band, .costs = costs, .shapes = costs->one_to_one ? 1 : BEADS};
    w.best = malloc((nodes + 1) * sizeof *w.best);
    w.taken = malloc(nodes + 1);
    w.kept = weighed ? malloc((nodes + 1) * BEADS * sizeof *w.kept) : NULL;
    double *before = weighed ? malloc((nodes + 1) * sizeof *before) : NULL;
    double *after = weighed ? malloc((nodes + 1) * sizeof *after) : NULL;
    *path = vl_arena_array(arena, band->a_count + band->b_count + 1, sizeof **path);
    vl_status status = VL_OK;
    if (!*path || !w.best || !w.taken || (weighed && (!w.kept || !before || !after)))
        status = no_memory(error);
    for (size_t i = 0; i <= band->a_count && !status; i++) {
        status = vl_stop_check(error);
        for (size_t j = band->low[i]; j <= band->high[i] && !status; j++)
            visit(&w, i, j);
    }
    if (!status)
        *steps = trace(&w, *path);
    if (!status && weighed) {
        sum_ways(&w, before, after);
        set_posteriors(&w, before, after, *path, *steps);
    }
    free(w.best);
    free(w.taken);
    free(w.kept);
    free(before);
    free(after);
    return status;
}
