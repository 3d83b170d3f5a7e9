/* bank_learn.c — words that go together in sentences that are each other's best (bank.h). */
#include "align/bank.h"

#include <stdlib.h>
#include <string.h>

/* Share of the best pairs that words are learned from, and how much it grows every round. */
static const double FIRST_SHARE = 0.5, MORE_SHARE = 0.1;
static const float LEAST_DICE = 0.25F;
enum { LEAST_TOGETHER = 2, LINKS_MAX = 4, SENTENCE_WORDS = 200 };
static const size_t PAIRS_MAX = (size_t)1 << 25;

/* ---- pairs of sentences that are each other's best ------------------------------------------
 */

typedef struct mutual {
    uint32_t a, b;
    float margin;
} mutual;

static int by_margin(const void *x, const void *y) {
    const mutual *p = x, *q = y;
    if (p->margin != q->margin)
        return p->margin > q->margin ? -1 : 1;
    return p->a < q->a ? -1 : p->a > q->a;
}

/* The greatest of each row and column; UINT32_MAX where all are zero. */
static void find_best(const float *margins, size_t rows, size_t columns, uint32_t *of_row,
                      uint32_t *of_column) {
    memset(of_row, 0xFF, rows * sizeof *of_row);
    memset(of_column, 0xFF, columns * sizeof *of_column);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            float m = margins[r * columns + c];
            if (m > 0 && (of_row[r] == UINT32_MAX || m > margins[r * columns + of_row[r]]))
                of_row[r] = (uint32_t)c;
            if (m > 0 &&
                (of_column[c] == UINT32_MAX || m > margins[of_column[c] * columns + c]))
                of_column[c] = (uint32_t)r;
        }
}

static vl_status find_mutual(const vl_bank *a, const vl_bank *b, mutual **out, size_t *count,
                             vl_error *error) {
    size_t rows = a->count, columns = b->count;
    float *margins = malloc((rows * columns + 1) * sizeof *margins);
    uint32_t *best = malloc((rows + columns + 1) * sizeof *best);
    mutual *pairs = malloc((rows + 1) * sizeof *pairs);
    vl_status status =
        margins && best && pairs
            ? vl_bank_scores(a, b, margins, error)
            : vl_fail(error, VL_ERR_MEMORY, "no memory for %zu scores", rows * columns);
    if (!status)
        status = vl_bank_margins(margins, rows, columns, error);
    *count = 0;
    if (!status) {
        find_best(margins, rows, columns, best, best + rows);
        for (size_t r = 0; r < rows; r++)
            if (best[r] != UINT32_MAX && best[rows + best[r]] == r)
                pairs[(*count)++] =
                    (mutual){(uint32_t)r, best[r], margins[r * columns + best[r]]};
        qsort(pairs, *count, sizeof *pairs, by_margin);
    }
    free(margins);
    free(best);
    if (status)
        free(pairs);
    else
        *out = pairs;
    return status;
}

/* ---- words that go together ---------------------------------------------------------------
 */

/* A word of the side that learns and a unit of the other, as one number. */
typedef struct together {
    uint64_t *items;
    size_t count, room;
} together;

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Units of a sentence, each once. */
static size_t units_of(const vl_bank *bank, size_t sentence, uint32_t *units) {
    size_t count = 0, to = bank->from[sentence + 1];
    for (size_t i = bank->from[sentence]; i < to && count < SENTENCE_WORDS; i++) {
        uint32_t unit = bank_anchor(bank, bank->tokens[i].type);
        size_t k = 0;
        while (k < count && units[k] != unit)
            k++;
        if (k == count)
            units[count++] = unit;
    }
    return count;
}

static vl_status count_pair(const vl_bank *anchor, size_t s, const vl_bank *learner, size_t t,
                            uint32_t *unit_times, uint32_t *type_times, together *all,
                            vl_error *error) {
    uint32_t units[SENTENCE_WORDS];
    size_t count = units_of(anchor, s, units), to = learner->from[t + 1];
    if (to - learner->from[t] > SENTENCE_WORDS)
        to = learner->from[t] + SENTENCE_WORDS;
    size_t more = count * (to - learner->from[t]);
    if (all->count + more > PAIRS_MAX)
        return VL_OK; /* enough is known by then */
    if (all->count + more > all->room) {
        size_t room = 2 * (all->count + more);
        uint64_t *grown = realloc(all->items, room * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for pairs of words");
        all->items = grown;
        all->room = room;
    }
    for (size_t k = 0; k < count; k++)
        unit_times[units[k]]++;
    for (size_t i = learner->from[t]; i < to; i++) {
        uint32_t type = learner->tokens[i].type;
        type_times[type]++;
        for (size_t k = 0; k < count; k++)
            all->items[all->count++] = (uint64_t)type << 32 | units[k];
    }
    return VL_OK;
}

static void add_link(align_meaning *links, size_t *count, align_meaning one) {
    size_t at = *count < LINKS_MAX ? (*count)++ : LINKS_MAX;
    while (at && links[at - 1].weight < one.weight) {
        if (at < LINKS_MAX)
            links[at] = links[at - 1];
        at--;
    }
    if (at < LINKS_MAX)
        links[at] = one;
}

/* The links of one word, whose pairs are items[from … to), into `links`. */
static size_t link_word(const together *all, size_t from, size_t to, uint32_t type_times,
                        const uint32_t *unit_times, align_meaning *links) {
    size_t count = 0, end;
    float total = 0;
    for (size_t i = from; i < to; i = end) {
        for (end = i; end < to && all->items[end] == all->items[i];)
            end++;
        uint32_t unit = (uint32_t)all->items[i];
        float dice = 2 * (float)(end - i) / (float)(type_times + unit_times[unit]);
        if (end - i >= LEAST_TOGETHER && dice > LEAST_DICE)
            add_link(links, &count, (align_meaning){unit, dice});
    }
    for (size_t k = 0; k < count; k++)
        total += links[k].weight;
    for (size_t k = 0; k < count; k++)
        links[k].weight /= total;
    return count;
}

static void take_links(vl_bank *learner, together *all, const uint32_t *unit_times,
                       const uint32_t *type_times) {
    size_t count = 0, end;
    for (size_t i = 0; i < learner->type_count; i++)
        learner->types[i].learned_count = 0;
    if (all->count)
        qsort(all->items, all->count, sizeof *all->items, by_number);
    for (size_t i = 0; i < all->count; i = end) {
        uint32_t type = (uint32_t)(all->items[i] >> 32);
        for (end = i; end < all->count && all->items[end] >> 32 == type;)
            end++;
        bank_type *t = &learner->types[type];
        t->learned_from = (uint32_t)count;
        t->learned_count = (uint32_t)link_word(all, i, end, type_times[type], unit_times,
                                               learner->learned + count);
        count += t->learned_count;
    }
}

static vl_status learn_words(const vl_bank *anchor, vl_bank *learner, const mutual *pairs,
                             size_t count, bool turned, vl_error *error) {
    together all = {0};
    uint32_t *unit_times = calloc(bank_columns(anchor->space, anchor) + 1, sizeof *unit_times);
    uint32_t *type_times = calloc(learner->type_count + 1, sizeof *type_times);
    if (!learner->learned)
        learner->learned =
            malloc((learner->type_count + 1) * LINKS_MAX * sizeof *learner->learned);
    vl_status status = unit_times && type_times && learner->learned
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory to learn words");
    for (size_t i = 0; !status && i < count; i++) {
        size_t s = turned ? pairs[i].b : pairs[i].a, t = turned ? pairs[i].a : pairs[i].b;
        status = count_pair(anchor, s, learner, t, unit_times, type_times, &all, error);
    }
    if (!status) {
        take_links(learner, &all, unit_times, type_times);
        learner->teacher = anchor->serial;
    }
    free(all.items);
    free(unit_times);
    free(type_times);
    return status;
}

static void forget_index(vl_bank *bank) {
    bank_index_free(bank->index);
    bank->index = NULL;
}

vl_status vl_bank_learn(vl_bank *a, vl_bank *b, unsigned rounds, vl_error *error) {
    bool turned = bank_is_second_anchor(a, b);
    vl_status status = VL_OK;
    if (a->count && b->count > VL_BANK_LEARN_MAX / a->count)
        return vl_fail(error, VL_ERR_LIMIT,
                       "%zu and %zu sentences are too many to learn from at once", a->count,
                       b->count);
    forget_index(a);
    forget_index(b);
    for (unsigned round = 0; !status && round < rounds; round++) {
        mutual *pairs;
        size_t count;
        double share = FIRST_SHARE + MORE_SHARE * round;
        status = find_mutual(a, b, &pairs, &count, error);
        if (status)
            break;
        count = (size_t)((double)count * (share < 1 ? share : 1));
        status = turned ? learn_words(b, a, pairs, count, true, error)
                        : learn_words(a, b, pairs, count, false, error);
        free(pairs);
    }
    return status;
}
