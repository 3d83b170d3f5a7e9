/* match.c — see match.h: distinct texts, the right ones of each, and ranks by any score. */
#include "align/match.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_CELLS = 4 << 20 }; /* scores that are in memory at once */

/* ---- distinct texts ---------------------------------------------------------------------- */

typedef struct entry {
    const char *text;
    uint32_t pair;
} entry;

static int by_text(const void *a, const void *b) {
    const entry *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->pair > y->pair) - (x->pair < y->pair);
}

static bool side_new(align_side *side, size_t pairs) {
    side->texts = calloc(pairs, sizeof *side->texts);
    side->weight = calloc(pairs, sizeof *side->weight);
    side->from = calloc(pairs + 1, sizeof *side->from);
    side->right = calloc(pairs, sizeof *side->right);
    side->of_pair = calloc(pairs, sizeof *side->of_pair);
    return side->texts && side->weight && side->from && side->right && side->of_pair;
}

static void side_free(align_side *side) {
    free(side->texts);
    free(side->weight);
    free(side->from);
    free(side->right);
    free(side->of_pair);
}

/* Gives each pair the number of its text; the numbers are shuffled. */
static void number_texts(entry *entries, size_t pairs, uint64_t *seed, uint32_t *order,
                         align_side *side) {
    uint32_t *number = side->of_pair;
    side->count = 0;
    qsort(entries, pairs, sizeof *entries, by_text);
    for (size_t i = 0; i < pairs; i++) {
        side->count += !i || strcmp(entries[i].text, entries[i - 1].text) != 0;
        number[entries[i].pair] = (uint32_t)side->count - 1;
    }
    for (size_t i = 0; i < side->count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = side->count; i-- > 1;) {
        size_t k = vl_random_below(seed, i + 1);
        uint32_t kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    for (size_t i = 0; i < pairs; i++) {
        uint32_t n = number[entries[i].pair] = order[number[entries[i].pair]];
        side->texts[n] = entries[i].text;
        side->weight[n]++;
    }
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The right ones of every text, each once. */
static void list_right(align_side *side, const uint32_t *own, const uint32_t *other,
                       size_t pairs) {
    for (size_t i = 0; i < side->count; i++)
        side->from[i + 1] = side->from[i] + side->weight[i];
    for (size_t i = 0; i < pairs; i++)
        side->right[side->from[own[i]]++] = other[i];
    for (size_t i = side->count; i > 0; i--)
        side->from[i] = side->from[i - 1];
    side->from[0] = 0;
    size_t kept = 0;
    for (size_t i = 0; i < side->count; i++) {
        uint32_t *list = side->right + side->from[i];
        size_t count = side->from[i + 1] - side->from[i];
        qsort(list, count, sizeof *list, by_number);
        side->from[i] = kept;
        for (size_t k = 0; k < count; k++)
            if (kept == side->from[i] || side->right[kept - 1] != list[k])
                side->right[kept++] = list[k];
    }
    side->from[side->count] = kept;
}

vl_status align_match_make(const align_pairs *pairs, uint64_t seed, align_match *match,
                           vl_error *error) {
    size_t n = pairs->count;
    vl_status status = VL_OK;
    *match = (align_match){0};
    entry *entries = calloc(n, sizeof *entries);
    uint32_t *order = calloc(n, sizeof *order);
    if (!entries || !order || !side_new(&match->src, n) || !side_new(&match->tgt, n)) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pairs", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        entries[i] = (entry){pairs->items[i].src, (uint32_t)i};
    number_texts(entries, n, &seed, order, &match->src);
    for (size_t i = 0; i < n; i++)
        entries[i] = (entry){pairs->items[i].tgt, (uint32_t)i};
    number_texts(entries, n, &seed, order, &match->tgt);
    list_right(&match->src, match->src.of_pair, match->tgt.of_pair, n);
    list_right(&match->tgt, match->tgt.of_pair, match->src.of_pair, n);
out:
    if (status)
        align_match_deinit(match);
    free(entries);
    free(order);
    return status;
}

void align_match_deinit(align_match *match) {
    side_free(&match->src);
    side_free(&match->tgt);
    *match = (align_match){0};
}

/* ---- ranks ------------------------------------------------------------------------------- */

static uint32_t best_of(const float *scores, size_t candidates) {
    size_t best = 0;
    for (size_t i = 1; i < candidates; i++)
        best = scores[i] > scores[best] ? i : best;
    return (uint32_t)best;
}

vl_status align_rank_all(const align_side *queries, size_t candidates, align_score_fn score,
                         void *user, align_ranks *ranks, align_found *found, vl_error *error) {
    size_t rows = BLOCK_CELLS / candidates;
    rows = rows < 1 ? 1 : rows > queries->count ? queries->count : rows;
    *ranks = (align_ranks){0};
    float *scores = malloc(rows * candidates * sizeof *scores);
    if (!scores)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the scores of %zu candidates",
                       candidates);
    vl_status status = VL_OK;
    for (size_t first = 0; first < queries->count && !status; first += rows) {
        size_t count = queries->count - first < rows ? queries->count - first : rows;
        memset(scores, 0, count * candidates * sizeof *scores);
        score(user, first, count, scores);
        for (size_t i = 0; i < count; i++) {
            size_t q = first + i;
            const float *row = scores + i * candidates;
            align_place place =
                align_place_of(row, candidates, queries->right + queries->from[q],
                               queries->from[q + 1] - queries->from[q]);
            align_ranks_add(ranks, place, queries->weight[q]);
            if (found)
                found[q] = (align_found){best_of(row, candidates), place};
        }
        status = vl_stop_check(error);
    }
    align_ranks_finish(ranks);
    free(scores);
    return status;
}
