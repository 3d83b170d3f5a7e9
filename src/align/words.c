/* words.c — words of a sentence beside those of its translation.
 *
 * Each word of one text chooses the likeliest of the other under IBM model 1 with a prior for
 * places near the diagonal (Dyer, Chahuneau and Smith 2013, "A Simple, Fast, and Effective
 * Reparameterization of IBM Model 2", eq. 1); a link is where two choose each other. What was
 * never seen is linked to what is spelt alike. */
#include "align/sentences.h"
#include "align/tokens.h"

#include <math.h>
#include <string.h>

enum { WORDS_MAX = 2000 };
/* How steeply places away from the diagonal are less likely; "no word" beside all words; what
 * an unseen word and one spelt alike have. */
static const double DIAGONAL = 4;
static const double NO_WORD = 0.02;
static const double SAME_SPELLING = 0.5;

typedef struct side {
    align_token *tokens;
    size_t count;
    uint32_t *ids;
} side;

static vl_status read_side(vl_arena *arena, const align_corpus *corpus, const char *text,
                           side *s, vl_error *error) {
    vl_status status = align_tokens(arena, text, &s->tokens, &s->count, error);
    if (status)
        return status;
    s->count = s->count < WORDS_MAX ? s->count : WORDS_MAX;
    s->ids = vl_arena_array(arena, s->count + 1, sizeof *s->ids);
    if (!s->ids)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", s->count);
    for (size_t i = 0; i < s->count; i++)
        s->ids[i] = align_corpus_find(corpus, s->tokens[i].word);
    return VL_OK;
}

static double translation(const align_table *t, uint32_t from, uint32_t to) {
    if (from == UINT32_MAX || to == UINT32_MAX)
        return 0;
    for (size_t k = t->start[from]; k < t->start[from + 1]; k++)
        if (t->column[k] == to)
            return (double)t->value[k];
    return 0;
}

/* p(b_j comes from a_i) for all, each row of `out` [b][a] with what is left for "no word". */
static void posteriors(const side *a, const side *b, const align_table *t, double *out) {
    for (size_t j = 0; j < b->count; j++) {
        double sum = NO_WORD;
        double *row = out + j * a->count;
        for (size_t i = 0; i < a->count; i++) {
            double likely = translation(t, a->ids[i], b->ids[j]);
            if (!strcmp(a->tokens[i].word, b->tokens[j].word) && likely < SAME_SPELLING)
                likely = SAME_SPELLING;
            double away = fabs(((double)i + 0.5) / (double)a->count -
                               ((double)j + 0.5) / (double)b->count);
            row[i] = likely * exp(-DIAGONAL * away);
            sum += row[i];
        }
        for (size_t i = 0; i < a->count; i++)
            row[i] /= sum;
    }
}

/* The column of the largest value, SIZE_MAX for a row of zeros. */
static size_t best_of(const double *row, size_t count) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (row[i] > 0 && (best == SIZE_MAX || row[i] > row[best]))
            best = i;
    return best;
}

vl_status vl_alignment_words(const vl_alignment *alignment, vl_arena *arena, const char *source,
                             const char *target, vl_word_link **links, size_t *count,
                             vl_error *error) {
    side a, b;
    *links = NULL;
    *count = 0;
    vl_status status = read_side(arena, &alignment->source, source, &a, error);
    if (!status)
        status = read_side(arena, &alignment->target, target, &b, error);
    if (status)
        return status;
    double *forward = vl_arena_array(arena, a.count * b.count + 1, sizeof *forward);
    double *backward = vl_arena_array(arena, a.count * b.count + 1, sizeof *backward);
    *links = vl_arena_array(arena, a.count + 1, sizeof **links);
    if (!forward || !backward || !*links)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words beside %zu", a.count,
                       b.count);
    posteriors(&a, &b, &alignment->forward, forward);
    posteriors(&b, &a, &alignment->backward, backward);
    for (size_t i = 0; i < a.count; i++) {
        size_t j = best_of(backward + i * b.count, b.count);
        if (j == SIZE_MAX || best_of(forward + j * a.count, a.count) != i)
            continue;
        (*links)[(*count)++] = (vl_word_link){
            .source_from = a.tokens[i].from,
            .source_to = a.tokens[i].to,
            .target_from = b.tokens[j].from,
            .target_to = b.tokens[j].to,
            .confidence = sqrt(forward[j * a.count + i] * backward[i * b.count + j]),
        };
    }
    return VL_OK;
}
