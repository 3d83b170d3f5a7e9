/* sentences.c — two documents side by side.
 *
 * A bead costs what its shape, its lengths, its words and its vectors say, each as a negative
 * log-likelihood against chance:
 *   shape    gale_church.h
 *   lengths  gale_church.h; ratio and variance are learned in each pass
 *   words    evidence.h; translations are learned in each pass from the beads of the last one
 *   vectors  the cosine under a normal law fitted to the beads of the last pass, against one
 *            fitted to random spans of the bead's shape: where vectors tell nothing the two are
 *            equal and it is 0
 * What a pass learns from a bead weighs as much as that bead's posterior. The first pass knows
 * only words that look alike, which are few, and gives them twice their weight.
 *
 * In reading order: the parts of the cost, passes, confidence, the public functions. */
#include "align/sentences.h"
#include "align/evidence.h"
#include "align/gale_church.h"
#include "align/known_words.h"
#include "align/recursion.h"
#include "align/rows.h"

#include <vislang/align.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASSES = 8,
    LEXICAL_WIDTH = 512,
    FULL_NODES = 600000, /* documents that are smaller than this are looked at whole at first */
    RADIUS_STRAIGHT = 400,
    RADIUS_FIRST = 40,
    RADIUS_SECOND = 15,
    RADIUS = 8,
    RADIUS_LEAST = 6,
    NODES_MOST = 4 << 20,
};
static const size_t ARENA_BYTES = (size_t)6 << 30;
static const double ALONE = 4;
static const double LENGTHS = 1.25; /* the weight of what they say */
static const float LAMBDA = 0.5F;
static const double WORDS_FIRST = 2, WORDS = 1;
/* The weight of what vectors say, the most that it may be, and how far above chance beads must
 * lie for it to count at all. */
static const double VECTORS = 0.5, VECTORS_MOST = 6, STANDING_LEAST = 0.5;
static const double SHARPNESS = 0.3;
static const double SETTLED = 0.995; /* then another pass would change nothing */

/* ---- what a bead costs ------------------------------------------------------------------- */

/* Cosines of random spans of each shape, and how far above those beads lie, in deviations: long
 * spans are nearer to each other than short ones, whether or not they say the same. */
typedef struct cosines {
    double mean[ALIGN_BEAD_SIDE][ALIGN_BEAD_SIDE], deviation[ALIGN_BEAD_SIDE][ALIGN_BEAD_SIDE];
    double bead_mean, bead_deviation;
    bool known;
} cosines;

typedef struct cost_model {
    const double *a_letters, *b_letters; /* running sums, [count + 1] */
    align_lengths lengths;
    const align_evidence *evidence; /* NULL: none */
    double words;                   /* its weight */
    const align_distances *vectors; /* NULL: none */
    cosines cosines;
} cost_model;

static double standing(const cosines *c, double cosine, size_t m, size_t n) {
    return (cosine - c->mean[m - 1][n - 1]) / c->deviation[m - 1][n - 1];
}

/* log of the likelihood ratio of a bead against chance, by how far it stands out; bounded. */
static double cosine_evidence(const cosines *c, double z) {
    double bead = z < c->bead_mean ? (z - c->bead_mean) / c->bead_deviation : 0;
    double chance = z > 0 ? z : 0;
    double ratio = (chance * chance - bead * bead) / 2 - log(c->bead_deviation);
    return fmin(fmax(ratio, -VECTORS_MOST), VECTORS_MOST);
}

static double bead_cost(const void *user, size_t i, size_t j, size_t m, size_t n) {
    const cost_model *c = user;
    double a = c->a_letters[i] - c->a_letters[i - m];
    double b = c->b_letters[j] - c->b_letters[j - n];
    double cost = align_shape_cost(m, n) + LENGTHS * align_length_cost(&c->lengths, a, b);
    if (c->evidence)
        cost -= c->words * align_evidence_of(c->evidence, i, j, m, n);
    if (c->vectors && c->cosines.known)
        cost -= VECTORS *
                cosine_evidence(&c->cosines,
                                standing(&c->cosines,
                                         align_distances_cosine(c->vectors, i, j, m, n), m, n));
    return cost;
}

static void mean_and_deviation(double sum, double squares, size_t n, double *mean,
                               double *deviation) {
    *mean = sum / (double)n;
    *deviation = sqrt(fmax(squares / (double)n - *mean * *mean, 1e-4));
}

/* Of random spans of this shape; documents are at least as long. */
static void fit_chance(const align_distances *vectors, size_t m, size_t n, size_t a_count,
                       size_t b_count, cosines *c) {
    enum { SAMPLES = 400 };
    double sum = 0, squares = 0;
    uint64_t dice = 7 + 16 * m + n;
    for (size_t k = 0; k < SAMPLES; k++) {
        double x = align_distances_cosine(vectors, m + vl_random_below(&dice, a_count - m + 1),
                                          n + vl_random_below(&dice, b_count - n + 1), m, n);
        sum += x;
        squares += x * x;
    }
    mean_and_deviation(sum, squares, SAMPLES, &c->mean[m - 1][n - 1],
                       &c->deviation[m - 1][n - 1]);
}

/* From random spans and from the beads of a path. */
static void fit_cosines(const align_distances *vectors, const align_step *path, size_t steps,
                        size_t a_count, size_t b_count, cosines *c) {
    enum { BEADS_LEAST = 20 };
    double sum = 0, squares = 0;
    size_t beads = 0;
    if (a_count < ALIGN_BEAD_SIDE || b_count < ALIGN_BEAD_SIDE)
        return;
    for (size_t m = 1; m <= ALIGN_BEAD_SIDE; m++)
        for (size_t n = 1; n <= ALIGN_BEAD_SIDE; n++)
            fit_chance(vectors, m, n, a_count, b_count, c);
    for (size_t k = 0; k < steps; k++) {
        const align_step *s = &path[k];
        if (!s->a_count || !s->b_count)
            continue;
        double x =
            standing(c,
                     align_distances_cosine(vectors, s->a_from + s->a_count,
                                            s->b_from + s->b_count, s->a_count, s->b_count),
                     s->a_count, s->b_count);
        sum += x;
        squares += x * x;
        beads++;
    }
    c->known = beads >= BEADS_LEAST;
    if (c->known)
        mean_and_deviation(sum, squares, beads, &c->bead_mean, &c->bead_deviation);
    c->known = c->known && c->bead_mean > STANDING_LEAST;
}

/* ---- passes ------------------------------------------------------------------------------ */

typedef struct work {
    vl_alignment *result;
    vl_arena *scratch; /* of one pass */
    align_table cognates, cognates_turned;
    double *a_letters, *b_letters;
    align_distances *vectors;
    align_lengths lengths;
    align_step *path;
    size_t steps;
    bool straight;    /* the path is a guess that only knows both ends */
    double unchanged; /* the share of its beads that the path before it had */
    align_pairing *pairings;
    size_t pairing_count;
} work;

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "not enough memory for two documents of this size");
}

static double *running_sums(vl_arena *arena, const align_corpus *corpus) {
    double *sums = vl_arena_array(arena, corpus->count + 1, sizeof *sums);
    for (size_t i = 0; sums && i < corpus->count; i++)
        sums[i + 1] = sums[i] + (double)corpus->letters[i];
    return sums;
}

static void pairings_of_path(work *w) {
    w->pairing_count = 0;
    for (size_t k = 0; k < w->steps; k++)
        if (w->path[k].a_count && w->path[k].b_count)
            w->pairings[w->pairing_count++] =
                (align_pairing){w->path[k].a_from, w->path[k].b_from, w->path[k].a_count,
                                w->path[k].b_count, w->path[k].posterior};
}

/* The same pairings seen from the other side. */
static void turn_pairings(work *w) {
    for (size_t k = 0; k < w->pairing_count; k++) {
        align_pairing p = w->pairings[k];
        w->pairings[k] = (align_pairing){p.b_from, p.a_from, p.b_count, p.a_count, p.weight};
    }
}

/* Translations both ways from the pairings, into tables in `arena`. */
static vl_status learn_words(work *w, vl_arena *arena, bool held_out, align_table *forward,
                             align_table *backward, vl_error *error) {
    vl_alignment *r = w->result;
    vl_status status =
        align_translations(arena, &r->source, &r->target, &w->cognates, w->pairings,
                           w->pairing_count, held_out, forward, error);
    turn_pairings(w);
    if (!status)
        status = align_translations(arena, &r->target, &r->source, &w->cognates_turned,
                                    w->pairings, w->pairing_count, held_out, backward, error);
    turn_pairings(w);
    return status;
}

static vl_status choose_band(work *w, int pass, align_band *band, vl_error *error) {
    size_t a = w->result->source.count, b = w->result->target.count;
    size_t radius = pass > 1 ? RADIUS : pass ? RADIUS_SECOND : RADIUS_FIRST;
    if (!pass && w->straight)
        radius = RADIUS_STRAIGHT;
    if (pass < 2 && (a + 1) * (b + 1) <= FULL_NODES)
        return align_band_full(w->scratch, a, b, band, error);
    while (radius > RADIUS_LEAST && 3 * radius * a > NODES_MOST)
        radius--;
    return align_band_around(w->scratch, w->path, w->steps, a, b, radius, band, error);
}

/* The share of a path's beads that the path kept before had too; both in order. */
static double unchanged(const work *w, const align_step *path, size_t steps) {
    size_t same = 0, k = 0;
    for (size_t i = 0; i < steps; i++) {
        while (k < w->steps &&
               (w->path[k].a_from < path[i].a_from ||
                (w->path[k].a_from == path[i].a_from && w->path[k].b_from < path[i].b_from)))
            k++;
        same += k < w->steps && w->path[k].a_from == path[i].a_from &&
                w->path[k].b_from == path[i].b_from && w->path[k].a_count == path[i].a_count &&
                w->path[k].b_count == path[i].b_count;
    }
    return steps ? (double)same / (double)steps : 1;
}

static vl_status keep_path(work *w, const align_step *path, size_t steps, vl_error *error) {
    if (!w->path)
        w->path = vl_arena_array(w->result->arena,
                                 w->result->source.count + w->result->target.count + 1,
                                 sizeof *w->path);
    if (!w->path)
        return no_memory(error);
    w->unchanged = unchanged(w, path, steps);
    if (steps)
        memcpy(w->path, path, steps * sizeof *path);
    w->steps = steps;
    pairings_of_path(w);
    return VL_OK;
}

static vl_status run_pass(work *w, int pass, bool use_words, vl_error *error) {
    vl_alignment *r = w->result;
    align_table forward, backward;
    align_band band;
    align_evidence *evidence = NULL;
    align_step *path;
    size_t steps;
    vl_arena_reset(w->scratch);
    vl_status status = choose_band(w, pass, &band, error);
    if (!status && use_words)
        status = learn_words(w, w->scratch, true, &forward, &backward, error);
    if (!status && use_words)
        status = align_evidence_new(w->scratch, &band, &r->source, &r->target, &forward,
                                    &backward, LAMBDA, &evidence, error);
    if (status)
        return status;
    cost_model model = {.a_letters = w->a_letters,
                        .b_letters = w->b_letters,
                        .lengths = w->lengths,
                        .evidence = evidence,
                        .words = pass ? WORDS : WORDS_FIRST,
                        .vectors = w->vectors};
    if (w->vectors && w->steps)
        fit_cosines(w->vectors, w->path, w->steps, r->source.count, r->target.count,
                    &model.cosines);
    align_costs costs = {
        .bead = bead_cost, .user = &model, .alone = ALONE, .sharpness = SHARPNESS};
    status = align_band_path(w->scratch, &band, &costs, &path, &steps, error);
    if (!status)
        status = keep_path(w, path, steps, error);
    if (!status)
        align_lengths_fit(&w->lengths, r->source.letters, r->target.letters, path, steps);
    return status;
}

/* ---- what is given ----------------------------------------------------------------------- */

static vl_status check_side(const vl_sentences *side, uint32_t width, const char *name,
                            vl_error *error) {
    size_t bad;
    if (side->count > VL_SENTENCES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "the %s has %zu sentences, more than %d", name,
                       side->count, VL_SENTENCES_MAX);
    if (side->rows && width && !align_rows_finite(side->rows, side->count, width, &bad))
        return vl_fail(error, VL_ERR_INPUT,
                       "the vector of sentence %zu of the %s holds what is no number", bad + 1,
                       name);
    return VL_OK;
}

/* Vectors of both documents in one list: those given, if any, beside lexical ones. `rows`
 * [source + target][*width]. */
static vl_status join_rows(vl_arena *arena, const vl_sentences *source,
                           const vl_sentences *target, uint32_t given, float **rows,
                           size_t *width, vl_error *error) {
    size_t count = source->count + target->count;
    const char **texts = vl_arena_array(arena, count + 1, sizeof *texts);
    float *lexical = vl_arena_array(arena, count * LEXICAL_WIDTH + 1, sizeof *lexical);
    *width = LEXICAL_WIDTH + given;
    *rows = given ? vl_arena_array(arena, count * *width + 1, sizeof **rows) : lexical;
    if (!texts || !lexical || !*rows)
        return no_memory(error);
    for (size_t i = 0; i < count; i++)
        texts[i] = i < source->count ? source->texts[i] : target->texts[i - source->count];
    vl_status status = vl_lexical_encode(texts, count, LEXICAL_WIDTH, lexical, error);
    if (status || !given)
        return status;
    for (size_t i = 0; i < count; i++) {
        const float *from = i < source->count ? source->rows + i * given
                                              : target->rows + (i - source->count) * given;
        memcpy(*rows + i * *width, lexical + i * LEXICAL_WIDTH, LEXICAL_WIDTH * sizeof **rows);
        memcpy(*rows + i * *width + LEXICAL_WIDTH, from, given * sizeof **rows);
    }
    align_rows_unit(*rows, count, *width);
    return VL_OK;
}

/* The rough way, which later passes are kept near to. */
static vl_status find_rough_way(work *w, const vl_sentences *source, const vl_sentences *target,
                                uint32_t given, vl_error *error) {
    vl_alignment *r = w->result;
    float *rows;
    size_t width, steps;
    align_step *path;
    vl_status status = join_rows(w->scratch, source, target, given, &rows, &width, error);
    if (status)
        return status;
    align_rows_pair pair = {.a = rows,
                            .b = rows + source->count * width,
                            .a_length = r->source.letters,
                            .b_length = r->target.letters,
                            .a_count = source->count,
                            .b_count = target->count,
                            .dim = width};
    status = align_recursion(w->scratch, &pair, &path, &steps, error);
    return status ? status : keep_path(w, path, steps, error);
}

/* ---- results ----------------------------------------------------------------------------- */

/* How often beads of such a posterior and so many sentences are right: logistic, fitted to
 * twelve documents made of sentence pairs of twelve languages with English (docs/align.md). */
static double calibrated(double posterior, size_t sentences) {
    static const double base = 1.529, slope = 1.054, each = -0.811;
    double p = fmin(fmax(posterior, 1e-6), 1 - 1e-6);
    double more = sentences > 2 ? (double)(sentences - 2) : 0;
    return 1 / (1 + exp(-(base + slope * log(p / (1 - p)) + each * more)));
}

static vl_status keep_beads(work *w, vl_error *error) {
    vl_alignment *r = w->result;
    r->beads = vl_arena_array(r->arena, w->steps + 1, sizeof *r->beads);
    if (!r->beads)
        return no_memory(error);
    for (size_t k = 0; k < w->steps; k++) {
        const align_step *s = &w->path[k];
        double sentences = (double)(s->a_count + s->b_count);
        r->beads[k] = (vl_bead){
            .source = s->a_from,
            .target = s->b_from,
            .source_count = s->a_count,
            .target_count = s->b_count,
            .score = 2 * (ALONE * sentences - (double)s->cost) / sentences,
            .confidence = calibrated((double)s->posterior, (size_t)(s->a_count + s->b_count)),
        };
    }
    r->count = w->steps;
    return VL_OK;
}

/* Every sentence alone: what there is to say when one document is empty. */
static vl_status leave_alone(work *w, vl_error *error) {
    size_t a = w->result->source.count, b = w->result->target.count;
    align_step *path = vl_arena_array(w->scratch, a + b + 1, sizeof *path);
    if (!path)
        return no_memory(error);
    for (size_t i = 0; i < a + b; i++)
        path[i] = (align_step){.a_from = (uint32_t)(i < a ? i : a),
                               .b_from = (uint32_t)(i < a ? 0 : i - a),
                               .a_count = i < a,
                               .b_count = i >= a,
                               .cost = (float)ALONE,
                               .posterior = 1};
    return keep_path(w, path, a + b, error);
}

static vl_status align_by_vectors(work *w, vl_error *error) {
    vl_alignment *r = w->result;
    align_band band;
    align_step *path;
    size_t steps;
    vl_status status = choose_band(w, 1, &band, error);
    if (status)
        return status;
    align_costs costs = {.bead = align_distances_cost,
                         .user = w->vectors,
                         .alone = align_distances_percentile(w->vectors, 0.2),
                         .sharpness = 10 * SHARPNESS};
    status = align_band_path(w->scratch, &band, &costs, &path, &steps, error);
    (void)r;
    return status ? status : keep_path(w, path, steps, error);
}

/* Straight from the beginning to the end: where to look when nothing but lengths is to count.
 */
static vl_status go_straight(work *w, vl_error *error) {
    size_t a = w->result->source.count, b = w->result->target.count;
    align_step *path = vl_arena_array(w->scratch, a + 1, sizeof *path);
    if (!path)
        return no_memory(error);
    for (size_t i = 0; i < a; i++)
        path[i] = (align_step){.a_from = (uint32_t)i,
                               .b_from = (uint32_t)(i * b / a),
                               .a_count = 1,
                               .b_count = (uint16_t)((i + 1) * b / a - i * b / a)};
    w->straight = true;
    return keep_path(w, path, a, error);
}

static vl_status align_all(work *w, const vl_alignment_options *options, vl_error *error) {
    vl_status status = VL_OK;
    bool words = options->method == VL_ALIGNMENT_ALL;
    if (!w->result->source.count || !w->result->target.count)
        return leave_alone(w, error);
    if (options->method == VL_ALIGNMENT_VECTORS)
        return align_by_vectors(w, error);
    if (!words)
        status = go_straight(w, error);
    for (int pass = 0; pass < PASSES && !status && (pass < 2 || w->unchanged < SETTLED);
         pass++) {
        if (!pass)
            w->pairing_count = 0;
        status = run_pass(w, pass, words, error);
    }
    return status;
}

static vl_status start(const vl_sentences *source, const vl_sentences *target, work *w,
                       vl_error *error) {
    vl_alignment *r = calloc(1, sizeof *r);
    *w = (work){.result = r};
    if (!r)
        return no_memory(error);
    r->arena = vl_arena_new(ARENA_BYTES);
    w->scratch = vl_arena_new(ARENA_BYTES);
    if (!r->arena || !w->scratch)
        return no_memory(error);
    vl_status status =
        align_corpus_read(r->arena, source->texts, source->count, &r->source, error);
    if (!status)
        status = align_corpus_read(r->arena, target->texts, target->count, &r->target, error);
    w->pairings =
        vl_arena_array(r->arena, source->count + target->count + 1, sizeof *w->pairings);
    w->a_letters = running_sums(r->arena, &r->source);
    w->b_letters = running_sums(r->arena, &r->target);
    if (!status && (!w->pairings || !w->a_letters || !w->b_letters))
        status = no_memory(error);
    if (!status)
        status = align_cognates(r->arena, &r->source, &r->target, &w->cognates, error);
    if (!status && source->space && source->space == target->space) {
        align_table cognates = w->cognates;
        status =
            align_known_words(r->arena, &r->source, &r->target, source->space, source->language,
                              target->language, &cognates, &w->cognates, error);
    }
    if (!status)
        status = align_table_turn(r->arena, &w->cognates, r->target.vocabulary,
                                  &w->cognates_turned, error);
    if (!status)
        w->lengths = align_lengths_of(r->source.letters, source->count, r->target.letters,
                                      target->count);
    return status;
}

/* ---- public ------------------------------------------------------------------------------ */

vl_alignment_options vl_alignment_options_default(void) {
    return (vl_alignment_options){.method = VL_ALIGNMENT_ALL};
}

vl_status vl_alignment_new(const vl_sentences *source, const vl_sentences *target,
                           const vl_alignment_options *options, vl_alignment **alignment,
                           vl_error *error) {
    uint32_t given = source->rows && target->rows ? options->width : 0;
    work w = {0};
    *alignment = NULL;
    if (options->method == VL_ALIGNMENT_VECTORS && !given)
        return vl_fail(error, VL_ERR_USAGE, "there are no vectors to align by");
    vl_status status = check_side(source, given, "source", error);
    if (!status)
        status = check_side(target, given, "target", error);
    if (!status)
        status = start(source, target, &w, error);
    if (!status && options->method != VL_ALIGNMENT_LENGTHS && source->count && target->count)
        status = find_rough_way(&w, source, target, given, error);
    if (!status && given && options->method != VL_ALIGNMENT_LENGTHS) {
        align_rows_pair pair = {.a = source->rows,
                                .b = target->rows,
                                .a_count = source->count,
                                .b_count = target->count,
                                .dim = given};
        status = align_distances_new(w.result->arena, &pair, &w.vectors, error);
    }
    if (!status)
        status = align_all(&w, options, error);
    if (!status)
        status = keep_beads(&w, error);
    if (!status)
        status = learn_words(&w, w.result->arena, false, &w.result->forward,
                             &w.result->backward, error);
    vl_arena_free(w.scratch);
    if (status)
        vl_alignment_free(w.result);
    else
        *alignment = w.result;
    return status;
}

vl_status vl_alignment_of_pairs(const vl_sentences *source, const vl_sentences *target,
                                vl_alignment **alignment, vl_error *error) {
    work w = {0};
    *alignment = NULL;
    if (source->count != target->count)
        return vl_fail(error, VL_ERR_INPUT, "%zu sentences on one side and %zu on the other",
                       source->count, target->count);
    vl_status status = check_side(source, 0, "source", error);
    if (!status)
        status = start(source, target, &w, error);
    align_step *path =
        status ? NULL : vl_arena_array(w.scratch, source->count + 1, sizeof *path);
    if (!status && !path)
        status = no_memory(error);
    for (size_t i = 0; i < source->count && !status; i++)
        path[i] = (align_step){(uint32_t)i, (uint32_t)i, 1, 1, 0, 1};
    if (!status)
        status = keep_path(&w, path, source->count, error);
    if (!status)
        status = keep_beads(&w, error);
    if (!status)
        status = learn_words(&w, w.result->arena, false, &w.result->forward,
                             &w.result->backward, error);
    vl_arena_free(w.scratch);
    if (status)
        vl_alignment_free(w.result);
    else
        *alignment = w.result;
    return status;
}

void vl_alignment_free(vl_alignment *alignment) {
    if (!alignment)
        return;
    vl_arena_free(alignment->arena);
    free(alignment);
}

const vl_bead *vl_alignment_beads(const vl_alignment *alignment, size_t *count) {
    *count = alignment->count;
    return alignment->beads;
}
