/* lexicon_score.c — how often a common space finds the translation that a dictionary gives. */
#include "align/csls.h"
#include "align/lookup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A right translation: places in the two spaces. */
typedef struct truth {
    uint32_t source, target;
} truth;

typedef struct scoring {
    const vl_embeddings *source, *target;
    const vl_retrieval_options *options;
    truth *truths; /* by source, then target */
    size_t count;
    uint32_t *asked; /* different sources of the truths */
    size_t asked_count;
    vl_rows from, to, queries; /* `queries`: the rows of `asked` */
    align_best best;
} scoring;

static int by_places(const void *a, const void *b) {
    const truth *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->target < y->target ? -1 : x->target > y->target;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static vl_status count_headwords(const vl_lexicon *gold, size_t *headwords, vl_error *error) {
    size_t count = vl_lexicon_count(gold);
    const char **words = calloc(count + 1, sizeof *words);
    if (!words)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", count);
    for (size_t i = 0; i < count; i++)
        words[i] = vl_lexicon_pair_at(gold, i)->source;
    qsort(words, count, sizeof *words, by_text);
    *headwords = 0;
    for (size_t i = 0; i < count; i++)
        *headwords += !i || strcmp(words[i], words[i - 1]);
    free(words);
    return VL_OK;
}

static vl_status find_truths(scoring *s, const vl_lexicon *gold, vl_error *error) {
    size_t count = vl_lexicon_count(gold);
    vl_arena *scratch = vl_arena_new(ALIGN_LOOKUP_BYTES);
    s->truths = calloc(count + 1, sizeof *s->truths);
    s->asked = calloc(count + 1, sizeof *s->asked);
    if (!scratch || !s->truths || !s->asked) {
        vl_arena_free(scratch);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu word pairs", count);
    }
    for (size_t i = 0; i < count; i++) {
        const vl_lexicon_pair *pair = vl_lexicon_pair_at(gold, i);
        size_t from = align_lookup(s->source, scratch, pair->source);
        size_t to = from == SIZE_MAX ? from : align_lookup(s->target, scratch, pair->target);
        if (to != SIZE_MAX)
            s->truths[s->count++] = (truth){(uint32_t)from, (uint32_t)to};
    }
    vl_arena_free(scratch);
    qsort(s->truths, s->count, sizeof *s->truths, by_places);
    for (size_t i = 0; i < s->count; i++)
        if (!i || s->truths[i].source != s->truths[i - 1].source)
            s->asked[s->asked_count++] = s->truths[i].source;
    if (!s->asked_count)
        return vl_fail(error, VL_ERR_INPUT,
                       "no word of the dictionary is in both spaces (%zu pairs, %zu and %zu "
                       "words)",
                       count, vl_embeddings_count(s->source), vl_embeddings_count(s->target));
    return VL_OK;
}

static vl_status gather_queries(scoring *s, vl_error *error) {
    size_t dim = s->from.dim;
    float *rows = malloc(sizeof *rows * (s->asked_count * dim + 1));
    if (!rows)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors", s->asked_count);
    for (size_t i = 0; i < s->asked_count; i++)
        memcpy(rows + i * dim, s->from.data + s->asked[i] * dim, dim * sizeof *rows);
    s->queries = (vl_rows){.data = rows, .count = s->asked_count, .dim = dim};
    return VL_OK;
}

/* The five best of every query; r of the target is over all words of the source. */
static vl_status search(scoring *s, vl_error *error) {
    align_local local = {0};
    align_pass pass = {.x = s->from.data,
                       .x_count = s->from.count,
                       .y = s->to.data,
                       .y_count = s->to.count,
                       .dim = s->from.dim,
                       .keep = 1,
                       .threads = s->options->threads};
    vl_status status = align_best_init(&s->best, s->queries.count, 5, error);
    if (!status && s->options->by == VL_RETRIEVAL_CSLS)
        status = align_local_init(&local, &pass, s->options->k, error);
    pass.x = s->queries.data, pass.x_count = s->queries.count;
    pass.x_best = &s->best, pass.y_offset = local.y;
    if (!status)
        status = align_pass_run(&pass, error);
    align_local_deinit(&local);
    return status;
}

static bool is_true(const scoring *s, uint32_t from, uint32_t to) {
    truth key = {from, to};
    return bsearch(&key, s->truths, s->count, sizeof key, by_places) != NULL;
}

static void sum_up(const scoring *s, vl_lexicon_scores *scores) {
    size_t first = 0, five = 0, same = 0;
    for (size_t i = 0; i < s->asked_count; i++) {
        uint32_t from = s->asked[i];
        bool found = false;
        for (size_t t = 0; t < s->best.k && !found; t++) {
            uint32_t to = s->best.index[i * s->best.k + t];
            found = to != UINT32_MAX && is_true(s, from, to);
            first += found && t == 0;
        }
        five += found;
        size_t self = vl_embeddings_find(s->target, vl_embeddings_word(s->source, from));
        same += self != SIZE_MAX && is_true(s, from, (uint32_t)self);
    }
    double asked = (double)s->asked_count;
    scores->asked = s->asked_count;
    scores->coverage = asked / (double)scores->headwords;
    scores->p1 = (double)first / asked;
    scores->p5 = (double)five / asked;
    scores->identical = (double)same / asked;
}

vl_status vl_lexicon_score(const vl_embeddings *source, const vl_embeddings *target,
                           const vl_lexicon *gold, const vl_retrieval_options *options,
                           vl_lexicon_scores *scores, vl_error *error) {
    scoring s = {.source = source, .target = target, .options = options};
    *scores = (vl_lexicon_scores){0};
    if (vl_embeddings_dim(source) != vl_embeddings_dim(target))
        return vl_fail(error, VL_ERR_INPUT,
                       "vectors of %u numbers cannot be compared with vectors of %u",
                       vl_embeddings_dim(source), vl_embeddings_dim(target));
    if (!options->k || options->k > 1000)
        return vl_fail(error, VL_ERR_USAGE, "k is from 1 to 1000, not %zu", options->k);
    vl_status status = count_headwords(gold, &scores->headwords, error);
    if (!status)
        status = find_truths(&s, gold, error);
    if (!status)
        status = align_unit_rows(source, SIZE_MAX, &s.from, error);
    if (!status)
        status = align_unit_rows(target, SIZE_MAX, &s.to, error);
    if (!status)
        status = gather_queries(&s, error);
    if (!status)
        status = search(&s, error);
    if (!status)
        sum_up(&s, scores);
    free(s.truths);
    free(s.asked);
    free((void *)s.from.data);
    free((void *)s.to.data);
    free((void *)s.queries.data);
    align_best_deinit(&s.best);
    return status;
}
