/* bleu_path.c — see bleu_path.h. Sentences are sets of numbers, one for each different word and
 * each different pair of neighbours; which sentences share how many is counted along lists of
 * the sentences that have a number, so that no pair of sentences is looked at for nothing. */
#include "align/bleu_path.h"
#include "align/corpus.h"
#include "align/gale_church.h"
#include "align/identical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTNERS = 3, SPAN_MAX = 3, COMMON_MIN = 20 };
static const double ALONE = 4.6; /* −log of Gale and Church's 0.0099 for a sentence alone */

/* Numbers of a sentence, rising: words below `vocabulary`, pairs of words from there on. */
typedef struct grams {
    uint32_t *numbers;
    size_t count, words;
} grams;

typedef struct search {
    vl_arena *arena;
    align_corpus corpus; /* translated sentences, then those of b */
    size_t a_count, b_count;
    grams *of; /* [a_count + b_count] */
    size_t numbers;
    size_t *post_from; /* [numbers + 1] */
    uint32_t *posts;   /* sentences of b */
    uint32_t *partner; /* [a_count]: its 1–1 bead, UINT32_MAX none */
    vl_error *error;
} search;

static vl_status no_memory(const search *s) {
    return vl_fail(s->error, VL_ERR_MEMORY, "no memory for the documents' words");
}

/* ---- words and pairs of words, numbered ----------------------------------------------------
 */

typedef struct two {
    uint64_t key; /* one word, the next */
    uint32_t sentence;
} two;

static int by_key(const void *a, const void *b) {
    const two *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->sentence > y->sentence) - (x->sentence < y->sentence);
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static size_t keep_different(uint32_t *numbers, size_t count) {
    size_t kept = 0;
    qsort(numbers, count, sizeof *numbers, by_value);
    for (size_t i = 0; i < count; i++)
        if (!kept || numbers[i] != numbers[kept - 1])
            numbers[kept++] = numbers[i];
    return kept;
}

static vl_status number_grams(search *s) {
    const align_corpus *c = &s->corpus;
    size_t all = c->start[c->count], pairs = 0;
    two *twos = vl_arena_array(s->arena, all + 1, sizeof *twos);
    s->of = vl_arena_array(s->arena, c->count + 1, sizeof *s->of);
    if (!twos || !s->of)
        return no_memory(s);
    for (size_t i = 0; i < c->count; i++) {
        size_t from = c->start[i], length = c->start[i + 1] - from;
        uint32_t *numbers = vl_arena_array(s->arena, 2 * length + 1, sizeof *numbers);
        if (!numbers)
            return no_memory(s);
        if (length)
            memcpy(numbers, c->words + from, length * sizeof *numbers);
        size_t words = keep_different(numbers, length);
        s->of[i] = (grams){numbers, words, words};
        for (size_t k = 1; k < length; k++)
            twos[pairs++] =
                (two){(uint64_t)c->words[from + k - 1] << 32 | c->words[from + k], (uint32_t)i};
    }
    qsort(twos, pairs, sizeof *twos, by_key);
    s->numbers = c->vocabulary;
    for (size_t i = 0; i < pairs; i++) {
        bool other = !i || twos[i].key != twos[i - 1].key;
        s->numbers += other;
        grams *of = &s->of[twos[i].sentence];
        if (other || twos[i].sentence != twos[i - 1].sentence)
            of->numbers[of->count++] = (uint32_t)s->numbers - 1;
    }
    return VL_OK;
}

static vl_status index_grams(search *s) {
    size_t uses = 0;
    s->post_from = vl_arena_array(s->arena, s->numbers + 2, sizeof *s->post_from);
    if (!s->post_from)
        return no_memory(s);
    for (size_t j = 0; j < s->b_count; j++)
        for (size_t k = 0; k < s->of[s->a_count + j].count; k++, uses++)
            s->post_from[s->of[s->a_count + j].numbers[k] + 2]++;
    for (size_t i = 2; i < s->numbers + 2; i++)
        s->post_from[i] += s->post_from[i - 1];
    if (!(s->posts = vl_arena_array(s->arena, uses + 1, sizeof *s->posts)))
        return no_memory(s);
    for (size_t j = 0; j < s->b_count; j++)
        for (size_t k = 0; k < s->of[s->a_count + j].count; k++)
            s->posts[s->post_from[s->of[s->a_count + j].numbers[k] + 1]++] = (uint32_t)j;
    return VL_OK;
}

/* ---- BLEU -----------------------------------------------------------------------------------
 */

/* What is shared of `words` words and `pairs` pairs of the candidate, against the reference's
 * length. */
static double bleu_of(size_t same_words, size_t same_pairs, size_t words, size_t pairs,
                      size_t reference) {
    if (!same_words || !words)
        return 0;
    double score = 0.5 * log((double)same_words / (double)words) +
                   0.5 * log(((double)same_pairs + 0.1) / ((double)pairs + 0.1));
    if (reference > words)
        score += 1 - (double)reference / (double)words;
    return exp(score);
}

/* The numbers of sentences from … from + count − 1. */
static grams span_grams(const search *s, size_t from, size_t count, uint32_t *into) {
    size_t all = 0;
    for (size_t i = from; i < from + count; i++)
        for (size_t k = 0; k < s->of[i].count; k++)
            into[all++] = s->of[i].numbers[k];
    grams span = {into, keep_different(into, all), 0};
    while (span.words < span.count && span.numbers[span.words] < s->corpus.vocabulary)
        span.words++;
    return span;
}

/* Of spans of a and b; both below SPAN_MAX + 1 sentences, at least one. */
static double span_bleu(const search *s, size_t a, size_t m, size_t b, size_t n,
                        uint32_t *work) {
    grams x = span_grams(s, a, m, work);
    grams y = span_grams(s, s->a_count + b, n, work + x.count);
    size_t words = 0, pairs = 0;
    for (size_t i = 0, k = 0; i < x.count && k < y.count;) {
        uint32_t one = x.numbers[i], other = y.numbers[k];
        if (one == other && one < s->corpus.vocabulary)
            words++;
        else if (one == other)
            pairs++;
        i += one <= other;
        k += other <= one;
    }
    return bleu_of(words, pairs, x.words, x.count - x.words, y.words);
}

/* ---- 1–1 beads ------------------------------------------------------------------------------
 */

typedef struct partner {
    uint32_t a, b;
    int32_t before; /* the partner before it on the best way there, −1 none */
    double score, sum;
} partner;

static void keep_partner(partner *best, uint32_t i, uint32_t j, double score) {
    if (score <= best[PARTNERS - 1].score)
        return;
    size_t at = PARTNERS - 1;
    for (; at > 0 && best[at - 1].score < score; at--)
        best[at] = best[at - 1];
    best[at] = (partner){i, j, -1, score, 0};
}

/* Counts what sentence i shares with those of b: `words` and `pairs` [b_count]. Numbers that
 * many sentences have bring in no new ones, and come last. */
static size_t count_shared(const search *s, size_t i, bool common, uint32_t *words,
                           uint32_t *pairs, uint32_t *touched, size_t count) {
    const grams *own = &s->of[i];
    size_t many = s->b_count / 5 > COMMON_MIN ? s->b_count / 5 : COMMON_MIN;
    for (size_t k = 0; k < own->count; k++) {
        size_t from = s->post_from[own->numbers[k]], to = s->post_from[own->numbers[k] + 1];
        if ((to - from > many) != common)
            continue;
        for (; from < to; from++) {
            uint32_t j = s->posts[from];
            if (!words[j] && !pairs[j]) {
                if (common)
                    continue;
                touched[count++] = j;
            }
            if (own->numbers[k] < s->corpus.vocabulary)
                words[j]++;
            else
                pairs[j]++;
        }
    }
    return count;
}

/* The likeliest of sentence i. `counts` [3][b_count], the first two all 0 before and after. */
static void find_partners(const search *s, size_t i, uint32_t *counts, partner *best) {
    const grams *own = &s->of[i];
    uint32_t *words = counts, *pairs = counts + s->b_count, *touched = pairs + s->b_count;
    size_t count = count_shared(s, i, false, words, pairs, touched, 0);
    count_shared(s, i, true, words, pairs, touched, count);
    for (size_t k = 0; k < count; k++) {
        uint32_t j = touched[k];
        const grams *other = &s->of[s->a_count + j];
        keep_partner(
            best, (uint32_t)i, j,
            bleu_of(words[j], pairs[j], own->words, own->count - own->words, other->words));
        words[j] = pairs[j] = 0;
    }
}

/* Largest sums of ways that end before a sentence of b (Fenwick 1994). */
typedef struct tree {
    int32_t *at; /* [b_count + 1]: partners, −1 none */
    size_t count;
} tree;

static int32_t best_before(const tree *t, const partner *all, size_t j) {
    int32_t best = -1;
    for (; j > 0; j -= j & (~j + 1))
        if (t->at[j] >= 0 && (best < 0 || all[t->at[j]].sum > all[best].sum))
            best = t->at[j];
    return best;
}

static void put_best(tree *t, const partner *all, size_t j, int32_t one) {
    for (; j <= t->count; j += j & (~j + 1))
        if (t->at[j] < 0 || all[t->at[j]].sum < all[one].sum)
            t->at[j] = one;
}

/* The way with the largest sum of BLEU through `all`, PARTNERS of each sentence of a. */
static void choose_partners(search *s, partner *all, tree *t) {
    int32_t last = -1;
    for (size_t i = 0; i < s->a_count; i++) {
        for (size_t k = 0; k < PARTNERS; k++) {
            partner *p = &all[i * PARTNERS + k];
            if (p->score <= 0)
                continue;
            p->before = best_before(t, all, p->b); /* those that end before it */
            p->sum = p->score + (p->before >= 0 ? all[p->before].sum : 0);
        }
        for (size_t k = 0; k < PARTNERS; k++) {
            int32_t at = (int32_t)(i * PARTNERS + k);
            if (all[at].score <= 0)
                continue;
            put_best(t, all, (size_t)all[at].b + 1, at);
            last = last < 0 || all[at].sum > all[last].sum ? at : last;
        }
    }
    for (; last >= 0; last = all[last].before)
        s->partner[all[last].a] = all[last].b;
}

static vl_status find_anchors(search *s) {
    uint32_t *counts = vl_arena_array(s->arena, 3 * s->b_count + 1, sizeof *counts);
    partner *all = vl_arena_array(s->arena, s->a_count * PARTNERS + 1, sizeof *all);
    tree t = {vl_arena_array(s->arena, s->b_count + 1, sizeof *t.at), s->b_count};
    s->partner = vl_arena_array(s->arena, s->a_count + 1, sizeof *s->partner);
    if (!counts || !all || !t.at || !s->partner)
        return no_memory(s);
    for (size_t j = 0; j <= s->b_count; j++)
        t.at[j] = -1;
    for (size_t i = 0; i < s->a_count; i++) {
        s->partner[i] = UINT32_MAX;
        find_partners(s, i, counts, all + i * PARTNERS);
    }
    choose_partners(s, all, &t);
    return VL_OK;
}

/* ---- neighbours and gaps
 * ---------------------------------------------------------------------- */

/* Lets sentences join the bead on either side while its BLEU rises; they are free between the
 * end of the bead before (a_low, b_low) and the next anchor (a_high, b_high). */
static void grow(const search *s, align_step *bead, size_t a_low, size_t b_low, size_t a_high,
                 size_t b_high, uint32_t *work) {
    double score = span_bleu(s, bead->a_from, bead->a_count, bead->b_from, bead->b_count, work);
    for (bool grown = true; grown;) {
        static const int ways[][4] = {{0, 0, 0, 1}, {0, 0, -1, 1}, {0, 1, 0, 0}, {-1, 1, 0, 0}};
        grown = false;
        for (size_t w = 0; w < 4 && !grown; w++) {
            int64_t a = (int64_t)bead->a_from + ways[w][0],
                    b = (int64_t)bead->b_from + ways[w][2];
            size_t m = bead->a_count + (size_t)ways[w][1],
                   n = bead->b_count + (size_t)ways[w][3];
            if (a < (int64_t)a_low || b < (int64_t)b_low || (size_t)a + m > a_high ||
                (size_t)b + n > b_high || m > SPAN_MAX || n > SPAN_MAX)
                continue;
            double with = span_bleu(s, (size_t)a, m, (size_t)b, n, work);
            if (with <= score)
                continue;
            score = with;
            grown = true;
            *bead = (align_step){.a_from = (uint32_t)a,
                                 .b_from = (uint32_t)b,
                                 .a_count = (uint16_t)m,
                                 .b_count = (uint16_t)n};
        }
    }
}

typedef struct gap {
    const float *a, *b; /* lengths, from where it begins */
    align_lengths lengths;
} gap;

static double gap_cost(const void *user, size_t i, size_t j, size_t m, size_t n) {
    const gap *g = user;
    double a = 0, b = 0;
    for (size_t k = i - m; k < i; k++)
        a += (double)g->a[k];
    for (size_t k = j - n; k < j; k++)
        b += (double)g->b[k];
    return m + n > SPAN_MAX ? ALIGN_IMPOSSIBLE
                            : align_length_cost(&g->lengths, a, b) + align_shape_cost(m, n);
}

/* By lengths, in order, from (a_from, b_from) to (a_to, b_to). */
static vl_status fill_gap(const search *s, const align_lengths *lengths, size_t a_from,
                          size_t a_to, size_t b_from, size_t b_to, align_step *path,
                          size_t *steps) {
    align_band band;
    align_step *way;
    size_t count;
    const float *letters = s->corpus.letters;
    gap g = {letters + a_from, letters + s->a_count + b_from, *lengths};
    align_costs costs = {.bead = gap_cost, .user = &g, .alone = ALONE};
    if (a_from == a_to && b_from == b_to)
        return VL_OK;
    vl_status status = align_band_wide(s->arena, a_to - a_from, b_to - b_from, &band, s->error);
    if (!status)
        status = align_band_path(s->arena, &band, &costs, &way, &count, s->error);
    for (size_t i = 0; !status && i < count; i++) {
        path[*steps] = way[i];
        path[*steps].a_from += (uint32_t)a_from;
        path[(*steps)++].b_from += (uint32_t)b_from;
    }
    return status;
}

static vl_status join_path(const search *s, align_step *path, size_t *steps) {
    size_t a_done = 0, b_done = 0, widest = 0;
    align_lengths lengths = align_lengths_of(s->corpus.letters, s->a_count,
                                             s->corpus.letters + s->a_count, s->b_count);
    for (size_t i = 0; i < s->corpus.count; i++)
        widest = s->of[i].count > widest ? s->of[i].count : widest;
    uint32_t *work = vl_arena_array(s->arena, 2 * SPAN_MAX * widest + 1, sizeof *work);
    if (!work)
        return no_memory(s);
    vl_status status = VL_OK;
    *steps = 0;
    for (size_t i = 0; i < s->a_count && !status; i++) {
        if (s->partner[i] == UINT32_MAX)
            continue;
        size_t next = i + 1, a_high = s->a_count, b_high = s->b_count;
        while (next < s->a_count && s->partner[next] == UINT32_MAX)
            next++;
        if (next < s->a_count) {
            a_high = next;
            b_high = s->partner[next];
        }
        align_step bead = {
            .a_from = (uint32_t)i, .b_from = s->partner[i], .a_count = 1, .b_count = 1};
        grow(s, &bead, a_done, b_done, a_high, b_high, work);
        status = fill_gap(s, &lengths, a_done, bead.a_from, b_done, bead.b_from, path, steps);
        path[(*steps)++] = bead;
        a_done = (size_t)bead.a_from + bead.a_count;
        b_done = (size_t)bead.b_from + bead.b_count;
    }
    return status ? status
                  : fill_gap(s, &lengths, a_done, s->a_count, b_done, s->b_count, path, steps);
}

vl_status align_bleu_path(vl_arena *arena, const char *const *translated, const vl_sentences *a,
                          const vl_sentences *b, align_step **path, size_t *steps,
                          vl_error *error) {
    search s = {.arena = arena, .a_count = a->count, .b_count = b->count, .error = error};
    const char **texts = vl_arena_array(arena, a->count + b->count + 1, sizeof *texts);
    *path = vl_arena_array(arena, a->count + b->count + 1, sizeof **path);
    if (!texts || !*path)
        return no_memory(&s);
    for (size_t i = 0; i < a->count; i++)
        texts[i] = translated[i];
    for (size_t j = 0; j < b->count; j++)
        texts[a->count + j] = b->texts[j];
    vl_status status = align_corpus_read(arena, texts, a->count + b->count, &s.corpus, error);
    if (!status)
        status = number_grams(&s);
    if (!status)
        status = index_grams(&s);
    if (!status)
        status = find_anchors(&s);
    return status ? status : join_path(&s, *path, steps);
}
