/* space_lexicon.c — a dictionary of two languages of a space, by what their words mean in the
 * hub. */
#include "align/space.h"
#include "align/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One language's words as rows over the hub's units, of length 1. */
typedef struct side {
    const space_words *words;
    sparse rows;
    float *sure; /* [rows]: sum of a word's weights */
} side;

static void side_deinit(side *s) {
    sparse_deinit(&s->rows);
    free(s->sure);
}

static vl_status side_init(const vl_space *space, const char *language, side *s,
                           vl_error *error) {
    size_t units = align_space_units(space);
    float *ones = malloc((units + 1) * sizeof *ones);
    s->words = align_space_words(space, language);
    if (!s->words) {
        free(ones);
        return vl_fail(error, VL_ERR_MISSING, "the space has no language '%s'", language);
    }
    size_t count = align_space_word_count(s->words);
    s->sure = calloc(count + 1, sizeof *s->sure);
    vl_status status = ones && s->sure ? sparse_init(&s->rows, count, units, error)
                                       : vl_fail(error, VL_ERR_MEMORY, "no memory for words");
    for (size_t i = 0; !status && i < count; i++) {
        align_meaning meaning[ALIGN_MEANING_MAX];
        sparse_entry entries[ALIGN_MEANING_MAX];
        size_t n = align_space_word_meaning(s->words, i, meaning);
        for (size_t k = 0; k < n; k++) {
            s->sure[i] += meaning[k].weight;
            entries[k] = (sparse_entry){meaning[k].unit, meaning[k].weight * meaning[k].weight};
        }
        status = sparse_add_row(&s->rows, entries, n, error);
    }
    for (size_t i = 0; !status && i < units; i++)
        ones[i] = 1;
    if (!status)
        sparse_weigh(&s->rows, ones, 1); /* takes the roots of the squares */
    free(ones);
    return status;
}

/* Of equal scores the more frequent word is better. */
static bool is_better(const side *s, const float *scores, size_t a, size_t b) {
    if (fabsf(scores[a] - scores[b]) > 1e-5F)
        return scores[a] > scores[b];
    uint8_t fa = align_space_word_frequency(s->words, a),
            fb = align_space_word_frequency(s->words, b);
    return fa != fb ? fa < fb : a < b;
}

static size_t find_best(const side *s, const float *scores, size_t top, size_t *best) {
    size_t count = 0;
    for (size_t i = 0; i < s->rows.rows; i++) {
        if (scores[i] <= 0 || (count == top && !is_better(s, scores, i, best[count - 1])))
            continue;
        size_t at = count < top ? count++ : top - 1;
        for (; at && is_better(s, scores, i, best[at - 1]); at--)
            best[at] = best[at - 1];
        best[at] = i;
    }
    return count;
}

enum { TOP_MAX = 100 };

/* The best of `to` for each word of `from`, [rows][top], SIZE_MAX where there are fewer; a
 * score is the cosine times how sure both meanings are. */
static vl_status find_all(const side *from, const side *to, size_t top, size_t *best,
                          float *score, vl_error *error) {
    sparse turned;
    float *scores = malloc((to->rows.rows + 1) * sizeof *scores);
    vl_status status = sparse_transpose(&to->rows, &turned, error);
    if (!status && !scores)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for scores");
    for (size_t i = 0; !status && i < from->rows.rows; i++) {
        memset(scores, 0, to->rows.rows * sizeof *scores);
        sparse_multiply_row(&from->rows, i, &turned, scores);
        for (size_t k = 0; k < to->rows.rows; k++)
            scores[k] *= fminf(from->sure[i], 1) * fminf(to->sure[k], 1);
        size_t found = find_best(to, scores, top, best + i * top);
        for (size_t k = 0; k < top; k++) {
            score[i * top + k] = k < found ? scores[best[i * top + k]] : 0;
            if (k >= found)
                best[i * top + k] = SIZE_MAX;
        }
        status = vl_stop_check(error);
    }
    sparse_deinit(&turned);
    free(scores);
    return status;
}

typedef struct ranked {
    size_t word;
    uint8_t frequency;
} ranked;

static int by_frequency(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->frequency != y->frequency)
        return x->frequency < y->frequency ? -1 : 1;
    return x->word < y->word ? -1 : x->word > y->word;
}

static ranked *rank(const side *s) {
    ranked *order = malloc((s->rows.rows + 1) * sizeof *order);
    for (size_t i = 0; order && i < s->rows.rows; i++)
        order[i] = (ranked){i, align_space_word_frequency(s->words, i)};
    if (order)
        qsort(order, s->rows.rows, sizeof *order, by_frequency);
    return order;
}

static vl_status add_pairs(const side *src, const side *tgt, const size_t *there,
                           const float *score, const size_t *back, size_t top, double least,
                           vl_lexicon *lexicon, vl_error *error) {
    ranked *order = rank(src);
    vl_status status =
        order ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a dictionary");
    for (size_t i = 0; !status && i < src->rows.rows; i++)
        for (size_t k = 0; !status && k < top; k++) {
            size_t at = order[i].word * top + k;
            if (there[at] == SIZE_MAX || score[at] < least)
                break;
            vl_lexicon_pair pair = {align_space_word(src->words, order[i].word),
                                    align_space_word(tgt->words, there[at]), score[at],
                                    back[there[at]] == order[i].word};
            status = vl_lexicon_add(lexicon, &pair, error);
        }
    free(order);
    return status;
}

vl_status vl_space_lexicon(const vl_space *space, const char *source, const char *target,
                           size_t top, double min_confidence, vl_lexicon **out,
                           vl_error *error) {
    side src = {0}, tgt = {0};
    size_t *there = NULL, *back = NULL;
    float *score = NULL, *back_score = NULL;
    *out = NULL;
    if (!top || top > TOP_MAX)
        return vl_fail(error, VL_ERR_USAGE, "1 to %d translations of a word", TOP_MAX);
    vl_status status = side_init(space, source, &src, error);
    if (!status)
        status = side_init(space, target, &tgt, error);
    if (!status) {
        there = malloc((src.rows.rows * top + 1) * sizeof *there);
        score = malloc((src.rows.rows * top + 1) * sizeof *score);
        back = malloc((tgt.rows.rows + 1) * sizeof *back);
        back_score = malloc((tgt.rows.rows + 1) * sizeof *back_score);
        if (!there || !score || !back || !back_score)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for a dictionary");
    }
    if (!status)
        status = find_all(&src, &tgt, top, there, score, error);
    if (!status)
        status = find_all(&tgt, &src, 1, back, back_score, error);
    if (!status)
        status = vl_lexicon_new(out, error);
    if (!status)
        status = add_pairs(&src, &tgt, there, score, back, top, min_confidence, *out, error);
    if (status) {
        vl_lexicon_free(*out);
        *out = NULL;
    }
    side_deinit(&src);
    side_deinit(&tgt);
    free(there);
    free(score);
    free(back);
    free(back_score);
    return status;
}
