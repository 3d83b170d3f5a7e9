/* reader_decode.c — from what the columns of a line say to a row of labels: the best path, and
 * prefix beam search.
 *
 * A prefix is a node of a tree that shares its beginnings: its last label and the prefix
 * before. Of each, two sums are kept: over the paths that end in the blank, and over those that
 * end in the prefix's last label, since a label that repeats is read twice only after a blank.
 */
#include "model/reader_use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CANDIDATES = 24 };        /* labels that may follow at one position */
static const float unlikely = 1e-5f; /* a label below it is not tried */

/* One that has more than half needs no look at the others. */
static size_t likeliest(const float *row, size_t symbols) {
    size_t best = 0;
    for (size_t v = 1; v < symbols && row[best] <= 0.5f; v++)
        if (row[v] > row[best])
            best = v;
    return best;
}

size_t reader_best_path(const reader_columns *c, int32_t *labels) {
    size_t count = 0;
    int32_t before = 0;
    for (size_t t = 0; t < c->steps; t++) {
        size_t best = likeliest(c->p + t * c->symbols, c->symbols);
        if (best && (int32_t)best != before)
            labels[count++] = (int32_t)best;
        before = (int32_t)best;
    }
    return count;
}

/* ---- prefixes ----------------------------------------------------------------------- */

typedef struct prefix {
    uint32_t parent; /* in the tree */
    int32_t label;
    uint32_t length;
    double language; /* α Σ log p(character | before) + β · length */
} prefix;

typedef struct beam {
    uint32_t node;
    double blank, label; /* log of the sums over paths that end in either */
    double total;        /* both, and the language's part: what beams are sorted by */
} beam;

typedef struct search {
    const reader_columns *columns;
    const reader_search *how;
    prefix *tree;
    size_t nodes, capacity;
    beam *now, *next; /* [capacity of next] */
    size_t now_count, next_count, next_capacity;
    uint32_t *slot; /* where in `next` a node is, by a hash of its number */
    size_t slots;
} search;

static double log_add(double x, double y) {
    double most = x > y ? x : y, least = x > y ? y : x;
    return least == -INFINITY ? most : most + log1p(exp(least - most));
}

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory to search what a line says");
}

static vl_status search_init(search *s, const reader_columns *c, const reader_search *how,
                             vl_error *error) {
    *s = (search){.columns = c, .how = how};
    s->next_capacity = how->beams * (MAX_CANDIDATES + 1);
    s->slots = 64;
    while (s->slots < 4 * s->next_capacity)
        s->slots *= 2;
    /* Every step adds at most so many; most of them twice or never. */
    s->capacity = c->steps * how->beams * MAX_CANDIDATES + 1;
    s->tree = malloc(s->capacity * sizeof *s->tree); /* pages never written cost nothing */
    s->now = calloc(s->next_capacity, sizeof *s->now);
    s->next = calloc(s->next_capacity, sizeof *s->next);
    s->slot = calloc(s->slots, sizeof *s->slot);
    return s->tree && s->now && s->next && s->slot ? VL_OK : no_memory(error);
}

static void search_deinit(search *s) {
    free(s->tree);
    free(s->now);
    free(s->next);
    free(s->slot);
}

/* The last characters of a prefix in the order they were read, at most `max`. */
static size_t context_of(const search *s, uint32_t node, uint32_t *out, size_t max) {
    size_t count = s->tree[node].length < max ? s->tree[node].length : max;
    for (size_t i = count; i-- > 0; node = s->tree[node].parent)
        out[i] = vl_reader_alphabet_at(s->how->alphabet, (size_t)s->tree[node].label);
    return count;
}

static double language_of(const search *s, uint32_t parent, int32_t label) {
    const vl_reader_language *l = s->how->language;
    if (!l)
        return 0;
    uint32_t before[VL_READER_MAX_CONTEXT];
    size_t count = context_of(s, parent, before, l->context);
    uint32_t character = vl_reader_alphabet_at(s->how->alphabet, (size_t)label);
    return s->tree[parent].language + l->weight * l->next(l->user, before, count, character) +
           l->bonus;
}

/* The prefix `parent` followed by `label`, which no beam holds yet. */
static uint32_t extend(search *s, uint32_t parent, int32_t label) {
    s->tree[s->nodes] = (prefix){.parent = parent,
                                 .label = label,
                                 .length = s->tree[parent].length + 1,
                                 .language = language_of(s, parent, label)};
    return (uint32_t)s->nodes++;
}

/* The beam of `node` among the next ones. */
static beam *next_of(search *s, uint32_t node) {
    size_t at = node * UINT64_C(0x9E3779B97F4A7C15) >> 32 & (s->slots - 1);
    for (;; at = (at + 1) & (s->slots - 1)) {
        uint32_t index = s->slot[at];
        if (!index) {
            s->next[s->next_count] = (beam){node, -INFINITY, -INFINITY, -INFINITY};
            s->slot[at] = (uint32_t)++s->next_count;
            return &s->next[s->next_count - 1];
        }
        if (s->next[index - 1].node == node)
            return &s->next[index - 1];
    }
}

/* The labels worth trying at one position, likeliest first. */
static size_t find_candidates(const float *row, size_t symbols, int32_t *out) {
    size_t count = 0;
    for (size_t v = 1; v < symbols; v++) {
        if (row[v] < unlikely ||
            (count == MAX_CANDIDATES && row[v] <= row[out[MAX_CANDIDATES - 1]]))
            continue;
        size_t at = count < MAX_CANDIDATES ? count++ : MAX_CANDIDATES - 1;
        for (; at && row[out[at - 1]] < row[v]; at--)
            out[at] = out[at - 1];
        out[at] = (int32_t)v;
    }
    return count;
}

/* A child of `b` that is itself among the beams of now: its node, so that both ways to it
 * meet; or VL_NONE. */
static size_t child_among(const search *s, uint32_t parent, int32_t label) {
    for (size_t i = 0; i < s->now_count; i++) {
        const prefix *p = &s->tree[s->now[i].node];
        if (s->now[i].node && p->parent == parent && p->label == label)
            return s->now[i].node;
    }
    return VL_NONE;
}

static void step_beam(search *s, const beam *b, const float *row, const int32_t *candidates,
                      size_t count) {
    int32_t last = s->tree[b->node].label;
    double all = log_add(b->blank, b->label);
    beam *same = next_of(s, b->node);
    same->blank = log_add(same->blank, all + log((double)row[0]));
    if (b->node)
        same->label = log_add(same->label, b->label + log((double)row[last]));
    for (size_t i = 0; i < count; i++) {
        int32_t label = candidates[i];
        double from = b->node && label == last ? b->blank : all;
        if (from == -INFINITY)
            continue;
        size_t known = child_among(s, b->node, label);
        uint32_t node = known != VL_NONE ? (uint32_t)known : extend(s, b->node, label);
        beam *longer = next_of(s, node);
        longer->label = log_add(longer->label, from + log((double)row[label]));
    }
}

static int by_total(const void *a, const void *b) {
    const beam *x = a, *y = b;
    if (x->total != y->total)
        return x->total < y->total ? 1 : -1;
    return (x->node > y->node) - (x->node < y->node);
}

static void keep_best(search *s) {
    for (size_t i = 0; i < s->next_count; i++) {
        beam *b = &s->next[i];
        b->total = log_add(b->blank, b->label) + s->tree[b->node].language;
    }
    qsort(s->next, s->next_count, sizeof *s->next, by_total);
    size_t kept = s->next_count < s->how->beams ? s->next_count : s->how->beams;
    beam *swap = s->now;
    s->now = s->next;
    s->next = swap;
    s->now_count = kept;
    s->next_count = 0;
    memset(s->slot, 0, s->slots * sizeof *s->slot);
}

static void take_step(search *s, size_t t) {
    const float *row = s->columns->p + t * s->columns->symbols;
    int32_t candidates[MAX_CANDIDATES];
    size_t count = find_candidates(row, s->columns->symbols, candidates);
    for (size_t i = 0; i < s->now_count; i++)
        step_beam(s, &s->now[i], row, candidates, count);
    keep_best(s);
}

vl_status reader_search_labels(const reader_columns *c, const reader_search *how,
                               int32_t *labels, size_t *count, double *score, vl_error *error) {
    search s;
    vl_status status = search_init(&s, c, how, error);
    if (!status) {
        s.tree[s.nodes++] = (prefix){0}; /* the empty one */
        s.now[s.now_count++] = (beam){.node = 0, .blank = 0, .label = -INFINITY};
        for (size_t i = 0; i < c->steps; i++)
            take_step(&s, how->backwards ? c->steps - 1 - i : i);
        uint32_t node = s.now[0].node;
        *count = s.tree[node].length;
        for (size_t i = 0; i < *count; i++, node = s.tree[node].parent)
            labels[how->backwards ? i : *count - 1 - i] = s.tree[node].label;
        if (score)
            *score = c->steps ? s.now[0].total : 0;
    }
    search_deinit(&s);
    return status;
}
