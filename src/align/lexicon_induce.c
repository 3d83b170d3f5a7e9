/* lexicon_induce.c — a bilingual dictionary read off a common space.
 *
 * Confidence is how far the candidates of a word stand apart, not how likely one is right:
 * exp(CSLS·SHARPNESS) over the sum of that over the CANDIDATES best, halved where the word is
 * not in turn the nearest of its translation (docs/align.md has what was right at which
 * confidence). */
#include "align/csls.h"
#include "align/lookup.h"

#include <math.h>
#include <stdlib.h>

enum { CANDIDATES = 10 };
static const double sharpness = 20, one_way = 0.5;

vl_induce_options vl_induce_options_default(void) {
    return (vl_induce_options){.max_words = 50000, .retrieval = vl_retrieval_options_default()};
}

typedef struct induction {
    const vl_embeddings *source, *target;
    const vl_induce_options *options;
    vl_rows from, to;
    align_local local;
    align_best best, back; /* CANDIDATES of a source word, the nearest of a target word */
} induction;

static vl_status search(induction *in, vl_error *error) {
    const vl_retrieval_options *how = &in->options->retrieval;
    size_t candidates = how->top > CANDIDATES ? how->top : CANDIDATES;
    align_pass pass = {.x = in->from.data,
                       .x_count = in->from.count,
                       .y = in->to.data,
                       .y_count = in->to.count,
                       .dim = in->from.dim,
                       .keep = 1,
                       .threads = how->threads};
    vl_status status = align_best_init(&in->best, in->from.count, candidates, error);
    if (!status)
        status = align_best_init(&in->back, in->to.count, 1, error);
    if (!status)
        status = align_local_init(&in->local, &pass, how->k, error);
    if (how->by == VL_RETRIEVAL_CSLS)
        pass.x_offset = in->local.x, pass.y_offset = in->local.y;
    pass.x_best = &in->best, pass.y_best = &in->back;
    return status ? status : align_pass_run(&pass, error);
}

/* CSLS of a kept pair. */
static double csls(const induction *in, size_t i, size_t t) {
    size_t cell = i * in->best.k + t;
    double value = (double)in->best.value[cell];
    if (in->options->retrieval.by == VL_RETRIEVAL_NEAREST)
        value -= (double)in->local.y[in->best.index[cell]];
    return 2 * (value - (double)in->local.x[i]);
}

/* A row of zeros is near to everything alike: nothing is known of its word. */
static bool is_known(const vl_rows *rows, size_t i) {
    for (size_t d = 0; d < rows->dim; d++)
        if (rows->data[i * rows->dim + d] != 0)
            return true;
    return false;
}

static vl_status write_word(const induction *in, size_t i, vl_lexicon *lexicon,
                            vl_error *error) {
    double sum = 0;
    size_t there = 0;
    while (there < in->best.k && in->best.index[i * in->best.k + there] != UINT32_MAX)
        sum += exp(sharpness * csls(in, i, there++));
    vl_status status = VL_OK;
    for (size_t t = 0; t < there && t < in->options->retrieval.top && !status; t++) {
        uint32_t j = in->best.index[i * in->best.k + t];
        vl_lexicon_pair pair = {.source = vl_embeddings_word(in->source, i),
                                .target = vl_embeddings_word(in->target, j),
                                .mutual = in->back.index[j] == i};
        pair.confidence = exp(sharpness * csls(in, i, t)) / sum * (pair.mutual ? 1 : one_way);
        if (pair.confidence >= in->options->min_confidence && is_known(&in->to, j))
            status = vl_lexicon_add(lexicon, &pair, error);
    }
    return status;
}

static vl_status write_all(const induction *in, vl_lexicon **lexicon, vl_error *error) {
    vl_status status = vl_lexicon_new(lexicon, error);
    for (size_t i = 0; i < in->from.count && !status; i++)
        if (is_known(&in->from, i))
            status = write_word(in, i, *lexicon, error);
    if (status) {
        vl_lexicon_free(*lexicon);
        *lexicon = NULL;
    }
    return status;
}

vl_status vl_lexicon_induce(const vl_embeddings *source, const vl_embeddings *target,
                            const vl_induce_options *options, vl_lexicon **lexicon,
                            vl_error *error) {
    const vl_retrieval_options *how = &options->retrieval;
    *lexicon = NULL;
    if (vl_embeddings_dim(source) != vl_embeddings_dim(target))
        return vl_fail(error, VL_ERR_INPUT,
                       "vectors of %u numbers cannot be compared with vectors of %u",
                       vl_embeddings_dim(source), vl_embeddings_dim(target));
    if (!how->k || how->k > 1000 || !how->top || how->top > 1000 || !options->max_words)
        return vl_fail(error, VL_ERR_USAGE, "k and top are from 1 to 1000");
    induction in = {.source = source, .target = target, .options = options};
    vl_status status = align_unit_rows(source, options->max_words, &in.from, error);
    if (!status)
        status = align_unit_rows(target, options->max_words, &in.to, error);
    if (!status && (!in.from.count || !in.to.count))
        status = vl_fail(error, VL_ERR_INPUT, "one side has no words");
    if (!status)
        status = search(&in, error);
    if (!status)
        status = write_all(&in, lexicon, error);
    align_local_deinit(&in.local);
    align_best_deinit(&in.best);
    align_best_deinit(&in.back);
    free((void *)in.from.data);
    free((void *)in.to.data);
    return status;
}
