/* review_sample.c — the two orders, and how they are dealt.
 *
 *   weigh       how much each candidate is worth asking: unsure, and not asked of its base yet
 *   by_turns    that order, by turns over languages and sources
 *   review_order */
#include "dataset/review_sample.h"

#include <math.h>
#include <stdlib.h>

uint64_t review_hash(uint64_t seed, uint64_t id, uint64_t purpose) {
    uint64_t state = seed * 0x9E3779B97F4A7C15u + purpose;
    state = vl_random_next(&state) ^ id;
    return vl_random_next(&state);
}

double review_share_of(uint64_t seed, uint64_t id, uint64_t purpose) {
    return (double)(review_hash(seed, id, purpose) >> 11) * 0x1p-53;
}

typedef struct weighed {
    uint64_t hash, base;
    double worth;
    uint32_t candidate, language, source;
    bool random;
} weighed;

static int by_number(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int by_base(const void *x, const void *y) {
    const weighed *a = x, *b = y;
    return a->base != b->base ? by_number(a->base, b->base) : by_number(a->hash, b->hash);
}

static int by_hash(const void *x, const void *y) {
    const weighed *a = x, *b = y;
    return a->hash != b->hash ? by_number(a->hash, b->hash)
                              : by_number(a->candidate, b->candidate);
}

/* Language, source, then what is most worth asking. */
static int by_stratum(const void *x, const void *y) {
    const weighed *a = x, *b = y;
    if (a->language != b->language)
        return by_number(a->language, b->language);
    if (a->source != b->source)
        return by_number(a->source, b->source);
    return a->worth != b->worth ? (a->worth < b->worth ? 1 : -1) : by_hash(x, y);
}

static void weigh(const review_candidate *candidates, size_t count, double random,
                  uint64_t seed, weighed *items) {
    for (size_t i = 0; i < count; i++) {
        const review_candidate *c = &candidates[i];
        double unsure = 1 - 2 * fabs((double)c->score - 0.5);
        items[i] = (weighed){.hash = review_hash(seed, c->id, REVIEW_FOR_ROUND),
                             .base = c->base,
                             .worth = unsure > 0 ? unsure : 0,
                             .candidate = (uint32_t)i,
                             .random = review_share_of(seed, c->id, REVIEW_FOR_PART) < random,
                             .language = c->language,
                             .source = c->source};
    }
    qsort(items, count, sizeof *items, by_base);
    double share = 1;
    for (size_t i = 0; i < count; i++) {
        share = i && items[i].base == items[i - 1].base ? share / 2 : 1;
        items[i].worth *= share;
        items[i].hash = review_hash(seed, candidates[items[i].candidate].id, REVIEW_FOR_ORDER);
    }
}

/* A language's or a source's part of the list that is sorted by stratum. */
typedef struct turn {
    size_t at, end; /* source: items; language: its sources */
    size_t now;     /* language: the source whose turn it is */
} turn;

typedef struct turns {
    turn *sources, *languages;
    size_t source_count, language_count, now;
} turns;

static vl_status turns_init(turns *t, const weighed *items, size_t count, vl_error *error) {
    *t = (turns){.sources = calloc(count + 1, sizeof(turn)),
                 .languages = calloc(count + 1, sizeof(turn))};
    if (!t->sources || !t->languages)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items", count);
    for (size_t i = 0; i < count; i++) {
        bool other = !i || items[i].language != items[i - 1].language;
        if (other)
            t->languages[t->language_count++] =
                (turn){t->source_count, t->source_count, t->source_count};
        if (other || items[i].source != items[i - 1].source) {
            t->sources[t->source_count++] = (turn){i, i, 0};
            t->languages[t->language_count - 1].end = t->source_count;
        }
        t->sources[t->source_count - 1].end = i + 1;
    }
    return VL_OK;
}

/* The next of a source, but for those of the random part; NULL: none is left. */
static weighed *next_of_source(turn *source, weighed *items) {
    while (source->at < source->end && items[source->at].random)
        source->at++;
    return source->at < source->end ? &items[source->at++] : NULL;
}

/* Sources that are used up are moved over by the last one, languages too. */
static weighed *next_of_language(turns *t, turn *language, weighed *items) {
    while (language->at < language->end) {
        if (language->now >= language->end)
            language->now = language->at;
        weighed *found = next_of_source(&t->sources[language->now], items);
        if (found) {
            language->now++;
            return found;
        }
        t->sources[language->now] = t->sources[--language->end];
    }
    return NULL;
}

static weighed *next_by_turns(turns *t, weighed *items) {
    while (t->language_count) {
        if (t->now >= t->language_count)
            t->now = 0;
        weighed *found = next_of_language(t, &t->languages[t->now], items);
        if (found) {
            t->now++;
            return found;
        }
        t->languages[t->now] = t->languages[--t->language_count];
    }
    return NULL;
}

/* One after the other, from both orders until they end. */
static void deal(weighed *items, weighed **by_chance, size_t count, double random,
                 uint64_t seed, turns *t, review_place *places) {
    size_t chance = 0;
    uint64_t state = review_hash(seed, 0, REVIEW_FOR_ORDER);
    for (size_t i = 0; i < count; i++) {
        weighed *next = NULL;
        bool by_turn = vl_random_uniform(&state) >= random;
        for (int tries = 0; tries < 2 && !next; tries++, by_turn = !by_turn) {
            while (chance < count && !by_chance[chance]->random)
                chance++;
            if (by_turn)
                next = next_by_turns(t, items);
            else if (chance < count)
                next = by_chance[chance++];
        }
        places[i] = (review_place){next->candidate, next->random};
    }
}

static int by_hash_of(const void *x, const void *y) {
    return by_hash(*(const weighed *const *)x, *(const weighed *const *)y);
}

vl_status review_order(const review_candidate *candidates, size_t count, double random,
                       uint64_t seed, review_place *places, vl_error *error) {
    turns t = {0};
    weighed *items = calloc(count + 1, sizeof *items);
    weighed **by_chance = calloc(count + 1, sizeof *by_chance);
    vl_status status = VL_OK;
    if (!items || !by_chance)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items", count);
    if (!status && count) {
        weigh(candidates, count, random, seed, items);
        qsort(items, count, sizeof *items, by_stratum);
        for (size_t i = 0; i < count; i++)
            by_chance[i] = &items[i];
        qsort(by_chance, count, sizeof *by_chance, by_hash_of);
        status = turns_init(&t, items, count, error);
    }
    if (!status && count)
        deal(items, by_chance, count, random, seed, &t, places);
    free(t.sources);
    free(t.languages);
    free(items);
    free(by_chance);
    return status;
}
