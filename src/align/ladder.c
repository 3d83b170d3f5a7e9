/* ladder.c — which seeds there are, which rung of them gives the best map, and whether that is
 * any better than chance.
 *
 * The criterion of Conneau et al. (2018, 2.3) needs no truth, but it also rises when a map only
 * confirms itself, as self-learning over small corpora does. So a fifth of the seeds is kept
 * away from every map, by source word, and rungs are compared by how many of those they find
 * again, the one with more seeds before one that is better by less than the test can tell; only
 * where there are too few to test does the criterion decide. */
#include "align/ladder.h"

#include "align/csls.h"
#include "align/rcsls.h"
#include "align/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HELD_SHARE = 5,     /* one seed in so many is held out */
    HELD_LEAST = 30,    /* fewer tell nothing */
    NEAR = 10,          /* a seed is found when it is among so many */
    SEED_WORDS = 50000, /* that seeds are looked for in */
};
/* Fewer running words on either side, and a start from nothing is not tried while there are
 * seeds: with under five million it is reported to find next to nothing. */
static const uint64_t unseeded_tokens = 5000000;
/* Pairs with words of a hub's other languages are many, and half of their cognates are none:
 * all together weigh half as much as those with the hub's own words. */
static const double pivot_share = 0.5;

/* ---- pairs --------------------------------------------------------------------------------
 */

void align_pivots_deinit(align_pivots *pivots) {
    for (int rung = 0; rung < VL_RUNG_COUNT; rung++)
        align_rows_pair_deinit(&pivots->rows[rung]);
}

static int by_words(const void *a, const void *b) {
    const align_pair *x = a, *y = b;
    if (x->words.source != y->words.source)
        return x->words.source < y->words.source ? -1 : 1;
    if (x->words.target != y->words.target)
        return x->words.target < y->words.target ? -1 : 1;
    return x->rung < y->rung ? -1 : x->rung > y->rung;
}

static vl_status take_seeds(align_ladder *l, const align_seeds *seeds, vl_rung rung,
                            vl_error *error) {
    align_pair *pairs = realloc(l->pairs, (l->count + seeds->count + 1) * sizeof *pairs);
    if (!pairs)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu seeds", seeds->count);
    l->pairs = pairs;
    for (size_t i = 0; i < seeds->count; i++)
        pairs[l->count++] = (align_pair){.words = seeds->items[i], .rung = rung};
    return VL_OK;
}

/* The seeds of one rung alone. */
static vl_status find_seeds(align_ladder *l, vl_rung rung, vl_error *error) {
    align_seeds seeds = {0};
    vl_status status = VL_OK;
    if (rung == VL_RUNG_IDENTICAL)
        status = align_seeds_identical(l->source, l->target, SEED_WORDS, &seeds, error);
    else if (rung == VL_RUNG_COGNATES)
        status = align_seeds_cognates(l->source, l->target, SEED_WORDS, &seeds, error);
    else if (rung == VL_RUNG_DICTIONARY && l->options->dictionary)
        status =
            align_seeds_dictionary(l->source, l->target, l->options->dictionary, &seeds, error);
    if (!status)
        status = take_seeds(l, &seeds, rung, error);
    align_seeds_deinit(&seeds);
    return status;
}

/* Whether a source word's pairs are held out; the same for all of them. */
static bool is_held(uint32_t source) {
    uint64_t state = source;
    return vl_random_next(&state) % HELD_SHARE == 0;
}

static void settle(align_ladder *l) {
    size_t kept = 0;
    qsort(l->pairs, l->count, sizeof *l->pairs, by_words);
    for (size_t i = 0; i < l->count; i++) {
        const align_seed *now = &l->pairs[i].words;
        const align_seed *last = kept ? &l->pairs[kept - 1].words : NULL;
        if (!last || now->source != last->source || now->target != last->target)
            l->pairs[kept++] = l->pairs[i];
    }
    l->count = kept;
    for (size_t i = 0; i < kept; i++)
        l->held += l->pairs[i].held = is_held(l->pairs[i].words.source);
    if (l->held >= HELD_LEAST)
        return;
    for (size_t i = 0; i < kept; i++)
        l->pairs[i].held = false;
    l->held = 0;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

vl_status align_ladder_init(align_ladder *l, const vl_embeddings *source,
                            const vl_embeddings *target, const vl_map_options *options,
                            const align_pivots *pivots, vl_error *error) {
    *l = (align_ladder){
        .source = source, .target = target, .options = options, .pivots = pivots};
    vl_status status = align_prepare(source, &l->x, error);
    if (status)
        vl_error_prefix(error, "source");
    if (!status && (status = align_prepare(target, &l->z, error)))
        vl_error_prefix(error, "target");
    for (vl_rung rung = VL_RUNG_IDENTICAL; rung < VL_RUNG_COUNT && !status; rung++)
        status = find_seeds(l, rung, error);
    if (status)
        return status;
    settle(l);
    l->task = (align_task){.x = l->x.rows,
                           .z = l->z.rows,
                           .x_words = smaller(l->x.rows.count, options->max_words),
                           .z_words = smaller(l->z.rows.count, options->max_words),
                           .k = options->k,
                           .threads = options->threads,
                           .dice = options->seed,
                           .held_weight = 1};
    return VL_OK;
}

void align_ladder_deinit(align_ladder *l) {
    align_prepared_deinit(&l->x);
    align_prepared_deinit(&l->z);
    free(l->pairs);
    l->pairs = NULL;
}

/* ---- one try ------------------------------------------------------------------------------
 */

typedef struct attempt {
    vl_rung rung;
    bool refine;  /* self-learning after the seeds */
    bool all;     /* held-out pairs too */
    bool shuffle; /* right sides in another order: what chance would give */
} attempt;

/* The pairs of an attempt that one rung knows. */
static vl_status seeds_of(const align_ladder *l, const attempt *try, vl_rung rung,
                          align_seeds *seeds, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < l->count && !status; i++)
        if (l->pairs[i].rung == rung && (try->all || !l->pairs[i].held))
            status = align_seeds_add(seeds, l->pairs[i].words.source, l->pairs[i].words.target,
                                     error);
    uint64_t dice = l->options->seed;
    for (size_t i = seeds->count; try->shuffle && i > 1; i--) {
        size_t other = vl_random_below(&dice, i);
        uint32_t kept = seeds->items[i - 1].target;
        seeds->items[i - 1].target = seeds->items[other].target;
        seeds->items[other].target = kept;
    }
    return status;
}

/* Pairs of an attempt as rows; those with words of other languages weigh `pivot_share`. */
static vl_status rows_of(const align_ladder *l, const attempt *try, align_rows_pair *rows,
                         vl_error *error) {
    vl_status status = VL_OK;
    size_t direct = 0, others = 0;
    *rows = (align_rows_pair){.dim = l->task.x.dim};
    for (vl_rung rung = VL_RUNG_IDENTICAL; rung <= try->rung && !status; rung++) {
        align_seeds seeds = {0};
        status = seeds_of(l, try, rung, &seeds, error);
        if (!status)
            status = align_rows_pair_add(rows, &l->task.x, &l->task.z, &seeds, 1, error);
        direct += seeds.count;
        others += l->pivots ? l->pivots->rows[rung].count : 0;
        align_seeds_deinit(&seeds);
    }
    if (!others || try->shuffle)
        return status;
    double weight = direct ? fmin(1, pivot_share * (double)direct / (double)others) : 1;
    for (vl_rung rung = VL_RUNG_IDENTICAL; rung <= try->rung && !status; rung++)
        status = align_rows_pair_join(rows, &l->pivots->rows[rung], weight, error);
    return status;
}

/* RCSLS from the rotation that is there; the target stays where it is. */
static vl_status retrieve_better(const align_ladder *l, const align_rows_pair *pairs,
                                 align_fit *fit, vl_error *error) {
    size_t cells = fit->dim * fit->dim;
    memcpy(fit->x_map, fit->rotation, cells * sizeof *fit->x_map);
    memset(fit->z_map, 0, cells * sizeof *fit->z_map);
    for (size_t i = 0; i < fit->dim; i++)
        fit->z_map[i * fit->dim + i] = 1;
    return align_rcsls(&l->task, pairs, fit->x_map, NULL, error);
}

/* Self-learning from the rotation that is there, then the maps from what it found and the
 * seeds together. */
static vl_status refine(const align_ladder *l, align_rows_pair *seeds, align_fit *fit,
                        size_t *rounds, vl_error *error) {
    align_task task = l->task;
    size_t dim = task.x.dim;
    align_mutual mutual = {0};
    float *held = calloc(dim * dim + 1, sizeof *held);
    if (!held)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a matrix");
    align_rows_cross(seeds->left, seeds->right, seeds->count, dim, held);
    task.held = seeds->count ? held : NULL;
    vl_status status = align_self_learn(&task, fit->rotation, rounds, error);
    if (!status)
        status = align_mutual_find(&task, fit->rotation, NULL, &mutual, error);
    if (!status)
        status = align_rows_pair_add(seeds, &task.x, &task.z, &mutual.pairs, 1, error);
    if (!status)
        status = align_fit_pairs(fit, seeds, error);
    align_mutual_deinit(&mutual);
    free(held);
    return status;
}

static vl_status run(const align_ladder *l, const attempt *try, align_fit *fit,
                     vl_rung_report *report, vl_error *error) {
    align_rows_pair rows = {0};
    vl_status status = rows_of(l, try, &rows, error);
    report->tried = true;
    report->seeds = rows.count;
    if (!status && try->rung != VL_RUNG_NONE && !rows.count)
        status = vl_fail(error, VL_ERR_INPUT,
                         "no seed of the kind '%s' is in both spaces; give a dictionary whose "
                         "words are in them, or larger texts",
                         vl_rung_name(try->rung));
    if (!status)
        status = try->rung == VL_RUNG_NONE && !try->shuffle
                     ? align_start_unseeded(&l->task, fit->rotation, error)
                     : align_fit_pairs(fit, &rows, error);
    if (!status && try->refine)
        status = refine(l, &rows, fit, &report->iterations, error);
    if (!status && l->options->rcsls)
        status = retrieve_better(l, &rows, fit, error);
    align_rows_pair_deinit(&rows);
    return status;
}

/* ---- how good it is ------------------------------------------------------------------------
 */

/* The map that is handed out: the target moves too, or does not. */
static const float *x_map_of(const align_ladder *l, const align_fit *fit) {
    return l->options->keep_target && !l->options->rcsls ? fit->rotation : fit->x_map;
}

static const float *z_map_of(const align_ladder *l, const align_fit *fit) {
    return l->options->keep_target ? NULL : fit->z_map;
}

static vl_status turned(const vl_rows *rows, const float *map, float **out, vl_error *error) {
    *out = malloc(sizeof **out * (rows->count * rows->dim + 1));
    if (!*out)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors", rows->count);
    if (map)
        align_rows_turn(rows->data, rows->count, rows->dim, map, *out);
    else
        memcpy(*out, rows->data, sizeof **out * rows->count * rows->dim);
    align_rows_unit(*out, rows->count, rows->dim);
    return VL_OK;
}

static size_t count_found(const align_ladder *l, const align_best *best) {
    size_t found = 0, at = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (!l->pairs[i].held)
            continue;
        for (size_t t = 0; t < best->k; t++)
            found += best->index[at * best->k + t] == l->pairs[i].words.target;
        at++;
    }
    return found;
}

typedef struct held_test {
    float *x, *z, *queries, *half_mean; /* mapped; of the held-out words; half of r of each z */
    align_best best;
} held_test;

static void held_test_deinit(held_test *t) {
    free(t->x);
    free(t->z);
    free(t->queries);
    free(t->half_mean);
    align_best_deinit(&t->best);
}

static vl_status held_test_init(held_test *t, const align_ladder *l, const align_fit *fit,
                                vl_error *error) {
    size_t dim = l->task.x.dim, at = 0;
    *t = (held_test){0};
    vl_status status = turned(&l->task.x, x_map_of(l, fit), &t->x, error);
    if (!status)
        status = turned(&l->task.z, z_map_of(l, fit), &t->z, error);
    if (!status)
        status = align_best_init(&t->best, l->held, NEAR, error);
    t->queries = malloc(sizeof *t->queries * l->held * dim);
    t->half_mean = malloc(sizeof *t->half_mean * (l->task.z.count + 1));
    if (!status && (!t->queries || !t->half_mean))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors", l->held);
    for (size_t i = 0; i < l->count && !status; i++)
        if (l->pairs[i].held)
            memcpy(t->queries + at++ * dim, t->x + l->pairs[i].words.source * dim,
                   dim * sizeof *t->queries);
    return status;
}

/* Half of r of every target word, over the source words learned on. */
static vl_status find_half_means(held_test *t, const align_pass *spaces, size_t k,
                                 vl_error *error) {
    align_best near = {0};
    align_pass pass = *spaces;
    pass.y_best = &near;
    vl_status status = align_best_init(&near, spaces->y_count, k, error);
    if (!status)
        status = align_pass_run(&pass, error);
    if (!status)
        align_best_means(&near, t->half_mean);
    for (size_t j = 0; j < near.count && !status; j++)
        t->half_mean[j] /= 2;
    align_best_deinit(&near);
    return status;
}

/* Of the held-out pairs, the share whose target is among the NEAR best of all target words. */
static vl_status test_held(const align_ladder *l, const align_fit *fit, vl_rung_report *report,
                           vl_error *error) {
    held_test t;
    report->held_out = l->held;
    if (!l->held)
        return VL_OK;
    vl_status status = held_test_init(&t, l, fit, error);
    align_pass pass = {.x = t.x,
                       .y = t.z,
                       .x_count = l->task.x_words,
                       .y_count = l->task.z.count,
                       .dim = l->task.x.dim,
                       .keep = 1,
                       .threads = l->options->threads};
    if (!status)
        status = find_half_means(&t, &pass, l->options->k, error);
    pass.x = t.queries, pass.x_count = l->held, pass.x_best = &t.best;
    pass.y_offset = t.half_mean;
    if (!status)
        status = align_pass_run(&pass, error);
    if (!status)
        report->held_out_at10 = (double)count_found(l, &t.best) / (double)l->held;
    held_test_deinit(&t);
    return status;
}

static vl_status judge(const align_ladder *l, const align_fit *fit, vl_rung_report *report,
                       vl_error *error) {
    align_mutual mutual;
    vl_status status =
        align_mutual_find(&l->task, x_map_of(l, fit), z_map_of(l, fit), &mutual, error);
    if (status)
        return status;
    report->criterion = mutual.mean;
    align_mutual_deinit(&mutual);
    return test_held(l, fit, report, error);
}

/* Whether `a`, which began from more, is as good as `b` at least: no worse than the test can
 * tell (a standard error), since more seeds are right more often than a small test is. */
static bool as_good(const vl_rung_report *a, const vl_rung_report *b) {
    if (!b->tried)
        return true;
    if (!a->held_out)
        return a->criterion > b->criterion;
    double share = b->held_out_at10, error = sqrt(share * (1 - share) / (double)b->held_out);
    return a->held_out_at10 >= share - error;
}

/* ---- the ladder ----------------------------------------------------------------------------
 */

static size_t seeds_up_to(const align_ladder *l, vl_rung rung) {
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++)
        count += l->pairs[i].rung <= rung && !l->pairs[i].held;
    for (int r = 0; l->pivots && r <= (int)rung; r++)
        count += l->pivots->rows[r].count;
    return count;
}

static bool is_large(const vl_embeddings *words) {
    uint64_t tokens = 0;
    for (size_t i = 0; i < vl_embeddings_count(words); i++)
        tokens += vl_embeddings_frequency(words, i);
    return tokens >= unseeded_tokens;
}

/* Whether the words at hand support a rung, and it is asked for. */
static bool wanted(const align_ladder *l, vl_rung rung) {
    if (l->options->rung != VL_RUNG_AUTO)
        return l->options->rung == rung;
    if (rung == VL_RUNG_NONE)
        return !seeds_up_to(l, VL_RUNG_DICTIONARY) ||
               (is_large(l->source) && is_large(l->target));
    return seeds_up_to(l, rung) > seeds_up_to(l, rung - 1);
}

static vl_status attempt_and_judge(const align_ladder *l, const attempt *try,
                                   vl_rung_report *report, vl_error *error) {
    align_fit fit;
    vl_status status = align_fit_init(&fit, l->task.x.dim, error);
    if (!status)
        status = run(l, try, &fit, report, error);
    if (!status)
        status = judge(l, &fit, report, error);
    align_fit_deinit(&fit);
    return status;
}

/* The best rung from seeds alone, then whether self-learning adds to it. */
static vl_status choose(const align_ladder *l, attempt *best, vl_map_report *report,
                        vl_error *error) {
    vl_rung_report top = {0};
    for (vl_rung rung = VL_RUNG_NONE; rung < VL_RUNG_COUNT; rung++) {
        if (!wanted(l, rung))
            continue;
        attempt try = {.rung = rung, .refine = rung == VL_RUNG_NONE};
        vl_status status = attempt_and_judge(l, &try, &report->rungs[rung], error);
        if (status)
            return status;
        if (as_good(&report->rungs[rung], &top)) {
            top = report->rungs[rung];
            *best = try;
        }
    }
    if (!top.tried)
        return vl_fail(error, VL_ERR_INPUT, "nothing to begin a map from");
    if (!l->options->refine || best->refine)
        return VL_OK;
    attempt try = *best;
    vl_rung_report refined = {0};
    try.refine = true;
    vl_status status = attempt_and_judge(l, &try, &refined, error);
    /* Without a test, self-learning would always seem to help. */
    if (!status && refined.held_out && refined.held_out_at10 > top.held_out_at10) {
        report->rungs[best->rung] = refined;
        *best = try;
    }
    return status;
}

static void conclude(const align_ladder *l, const vl_rung_report *chance,
                     vl_map_report *report) {
    const vl_rung_report *best = &report->rungs[report->rung];
    report->chance_criterion = chance->criterion;
    report->chance_at10 = fmin(1, (double)NEAR / (double)l->task.z.count);
    if (!best->held_out) {
        report->better_than_chance = best->criterion > 1.25 * chance->criterion + 0.01;
        return;
    }
    /* Found by chance: a Poisson number of this mean. Four deviations above five times it,
     * since a map that is only just no accident is of no use either. */
    double expected = 5 * report->chance_at10 * (double)best->held_out;
    double found = best->held_out_at10 * (double)best->held_out;
    report->better_than_chance = found > expected + 4 * sqrt(expected) + 2;
}

vl_status align_ladder_climb(align_ladder *l, align_fit *fit, vl_map_report *report,
                             vl_error *error) {
    attempt best = {0};
    *report = (vl_map_report){0};
    vl_status status = choose(l, &best, report, error);
    report->rung = best.rung;
    attempt chance = best;
    vl_rung_report by_chance = {0}, last = {0};
    chance.shuffle = true;
    if (!status && !report->rungs[best.rung].held_out)
        status = attempt_and_judge(l, &chance, &by_chance, error);
    best.all = true;
    if (!status)
        status = run(l, &best, fit, &last, error);
    if (!status)
        conclude(l, &by_chance, report);
    return status;
}
