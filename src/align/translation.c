/* translation.c — words that translate each other in two documents.
 *
 * A document of ten thousand sentences has six million pairs of words that stand in one bead,
 * and learning goes over them again and again, so counts are made word by word into a row that
 * lies dense in the cache, and of each row only the likeliest columns are kept.
 *
 * In reading order: sparse tables, cognates, expectation and maximisation. */
#include "align/translation.h"
#include "align/romanise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cognates: pairs of a lower cosine are chance; an n-gram that so many words have says nothing
 * and costs much. */
static const float COGNATE_LEAST = 0.4F;
static const float COGNATE_POWER = 3;
enum { GRAM_WORDS_MAX = 400 };
/* Learning: the weight of a pair that nothing speaks for, before anything is known; what a
 * word's own row is smoothed by; the weight of "no word at all" beside each word. */
static const float UNKNOWN = 0.02F;
static const float SMOOTHING = 0.5F, SMOOTHING_FIRST = 0.3F;
static const float NOTHING = 1e-4F;
static const float TRANSLATION_LEAST = 1e-3F;
enum { ROUNDS = 4, BEAD_WORDS_MAX = 256 };

/* ---- sparse tables ----------------------------------------------------------------------- */

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "not enough memory for two documents of this size");
}

static bool table_init(vl_arena *arena, align_table *table, size_t rows, size_t entries) {
    table->rows = rows;
    table->start = vl_arena_array(arena, rows + 1, sizeof *table->start);
    table->column = vl_arena_array(arena, entries + 1, sizeof *table->column);
    table->value = vl_arena_array(arena, entries + 1, sizeof *table->value);
    return table->start && table->column && table->value;
}

vl_status align_table_turn(vl_arena *arena, const align_table *table, size_t columns,
                           align_table *turned, vl_error *error) {
    size_t entries = table->start[table->rows];
    if (!table_init(arena, turned, columns, entries))
        return no_memory(error);
    for (size_t k = 0; k < entries; k++)
        turned->start[table->column[k] + 1]++;
    for (size_t c = 0; c < columns; c++)
        turned->start[c + 1] += turned->start[c];
    size_t *at = vl_arena_array(arena, columns + 1, sizeof *at);
    if (!at)
        return no_memory(error);
    memcpy(at, turned->start, columns * sizeof *at);
    for (size_t r = 0; r < table->rows; r++)
        for (size_t k = table->start[r]; k < table->start[r + 1]; k++) {
            size_t to = at[table->column[k]]++;
            turned->column[to] = (uint32_t)r;
            turned->value[to] = table->value[k];
        }
    return VL_OK;
}

/* ---- words that look alike --------------------------------------------------------------- */

typedef struct gram {
    uint64_t hash;
    uint32_t word;
    float weight;
} gram;

typedef struct gram_list {
    gram *items;
    size_t count;
    size_t *start; /* [words + 1] */
} gram_list;

static vl_status list_grams(vl_arena *arena, const align_corpus *corpus,
                            align_romaniser *romaniser, gram_list *list, vl_error *error) {
    size_t capacity = 0;
    list->start = vl_arena_array(arena, corpus->vocabulary + 1, sizeof *list->start);
    if (!list->start)
        return no_memory(error);
    for (uint32_t w = 0; w < corpus->vocabulary; w++) {
        char roman[ALIGN_ROMAN_SIZE];
        uint64_t hashes[ALIGN_GRAMS_MAX];
        size_t n =
            align_grams(roman, align_romanise(romaniser, corpus->spelling[w], roman), hashes);
        if (list->count + n > capacity) {
            capacity = 2 * (list->count + n) + 1024;
            list->items = vl_arena_grow(arena, list->items, list->count * sizeof(gram),
                                        capacity * sizeof(gram));
            if (!list->items)
                return no_memory(error);
        }
        for (size_t i = 0; i < n; i++)
            list->items[list->count++] = (gram){hashes[i], w, 0};
        list->start[w + 1] = list->count;
    }
    return VL_OK;
}

static int by_hash(const void *x, const void *y) {
    const gram *a = x, *b = y;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->word < b->word ? -1 : a->word > b->word;
}

/* First of `count` grams sorted by hash that is not below `hash`. */
static size_t lower_bound(const gram *items, size_t count, uint64_t hash) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (items[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t run_length(const gram *items, size_t count, size_t from) {
    if (from >= count)
        return 0;
    uint64_t hash = items[from].hash;
    if (hash == UINT64_MAX)
        return count - from;
    return lower_bound(items + from, count - from, hash + 1);
}

/* Weighs the grams of each word of `list` by how rare they are among both vocabularies, and
 * brings each word's to length 1. `own` and `other` are sorted by hash. */
static void weigh(gram_list *list, const gram *own, size_t own_count, const gram *other,
                  size_t other_count, size_t words, size_t all) {
    for (size_t w = 0; w < words; w++) {
        double norm = 0;
        for (size_t k = list->start[w]; k < list->start[w + 1]; k++) {
            uint64_t hash = list->items[k].hash;
            size_t a = lower_bound(own, own_count, hash);
            size_t b = lower_bound(other, other_count, hash);
            size_t found = run_length(own, own_count, a);
            if (b < other_count && other[b].hash == hash)
                found += run_length(other, other_count, b);
            list->items[k].weight = logf((float)(all + 1) / (float)(found ? found : 1));
            norm += (double)list->items[k].weight * (double)list->items[k].weight;
        }
        float scale = norm > 0 ? (float)(1 / sqrt(norm)) : 0;
        for (size_t k = list->start[w]; k < list->start[w + 1]; k++)
            list->items[k].weight *= scale;
    }
}

typedef struct cognate_work {
    const gram *sorted; /* of the other vocabulary, weighed */
    size_t sorted_count;
    float *sum; /* [other vocabulary], zeros between words */
    uint32_t *touched;
} cognate_work;

/* The other vocabulary's words that share a gram with this one into `touched`. */
static size_t meet(const cognate_work *x, const gram *own, size_t count) {
    size_t met = 0;
    for (size_t k = 0; k < count; k++) {
        size_t from = lower_bound(x->sorted, x->sorted_count, own[k].hash);
        if (from == x->sorted_count || x->sorted[from].hash != own[k].hash)
            continue;
        size_t length = run_length(x->sorted, x->sorted_count, from);
        if (length > GRAM_WORDS_MAX)
            continue;
        for (size_t i = from; i < from + length; i++) {
            uint32_t word = x->sorted[i].word;
            if (x->sum[word] == 0)
                x->touched[met++] = word;
            x->sum[word] += own[k].weight * x->sorted[i].weight;
        }
    }
    return met;
}

static vl_status collect(vl_arena *arena, const cognate_work *x, const gram_list *own,
                         size_t words, align_table *table, vl_error *error) {
    size_t capacity = 4 * words + 1024, n = 0;
    if (!table_init(arena, table, words, capacity))
        return no_memory(error);
    for (size_t w = 0; w < words; w++) {
        size_t met = meet(x, own->items + own->start[w], own->start[w + 1] - own->start[w]);
        if (n + met > capacity) {
            uint32_t *column = vl_arena_grow(arena, table->column, n * sizeof *column,
                                             2 * (n + met) * sizeof *column);
            float *value = vl_arena_grow(arena, table->value, n * sizeof *value,
                                         2 * (n + met) * sizeof *value);
            if (!column || !value)
                return no_memory(error);
            table->column = column;
            table->value = value;
            capacity = 2 * (n + met);
        }
        for (size_t i = 0; i < met; i++) {
            uint32_t word = x->touched[i];
            if (x->sum[word] >= COGNATE_LEAST) {
                table->column[n] = word;
                table->value[n++] = powf(fminf(x->sum[word], 1), COGNATE_POWER);
            }
            x->sum[word] = 0;
        }
        table->start[w + 1] = n;
    }
    return VL_OK;
}

static gram *sorted_copy(vl_arena *arena, const gram_list *list) {
    gram *copy = vl_arena_array(arena, list->count + 1, sizeof *copy);
    if (copy && list->count) {
        memcpy(copy, list->items, list->count * sizeof *copy);
        qsort(copy, list->count, sizeof *copy, by_hash);
    }
    return copy;
}

static vl_status compare(vl_arena *arena, gram_list *a, size_t a_words, gram_list *b,
                         size_t b_words, align_table *cognates, vl_error *error) {
    gram *sorted_a = sorted_copy(arena, a), *sorted_b = sorted_copy(arena, b);
    cognate_work x = {.sum = vl_arena_array(arena, b_words + 1, sizeof *x.sum),
                      .touched = vl_arena_array(arena, b_words + 1, sizeof *x.touched)};
    if (!sorted_a || !sorted_b || !x.sum || !x.touched)
        return no_memory(error);
    weigh(a, sorted_a, a->count, sorted_b, b->count, a_words, a_words + b_words);
    weigh(b, sorted_b, b->count, sorted_a, a->count, b_words, a_words + b_words);
    if (!(x.sorted = sorted_copy(arena, b)))
        return no_memory(error);
    x.sorted_count = b->count;
    return collect(arena, &x, a, a_words, cognates, error);
}

vl_status align_cognates(vl_arena *arena, const align_corpus *a, const align_corpus *b,
                         align_table *cognates, vl_error *error) {
    align_romaniser *romaniser = NULL;
    gram_list of_a = {0}, of_b = {0};
    vl_status status = align_romaniser_new(&romaniser, error);
    if (!status)
        status = list_grams(arena, a, romaniser, &of_a, error);
    if (!status)
        status = list_grams(arena, b, romaniser, &of_b, error);
    if (!status)
        status = compare(arena, &of_a, a->vocabulary, &of_b, b->vocabulary, cognates, error);
    align_romaniser_free(romaniser);
    return status;
}

/* ---- expectation and maximisation -------------------------------------------------------- */

typedef struct entry {
    uint32_t column;
    float value;
} entry;

typedef struct learner {
    const align_corpus *a, *b;
    const align_table *cognates;
    const align_pairing *pairings;
    size_t count;
    float *explained; /* of each word of b in each pairing: Σ t(b|a) over the pairing's a */
    size_t *explained_at; /* [count] where a pairing's begin */
    size_t *seen_at;      /* [a words + 1] CSR: in which pairings a word of a stands, */
    uint32_t *seen;       /* as often as it does */
    float *row, *counts;  /* [b words], zeros between uses */
    uint32_t *touched;    /* [b words] */
    uint32_t *last;       /* [b words]: the pairing that was counted last, plus one */
    float *pairings_with; /* [b words]: how many have both words */
    float total;          /* of the counts, before any was discounted */
    entry *entries;       /* [b words] */
} learner;

static size_t a_begin(const learner *x, size_t p) {
    return x->a->start[x->pairings[p].a_from];
}

static size_t a_end(const learner *x, size_t p) {
    return x->a->start[x->pairings[p].a_from + x->pairings[p].a_count];
}

static size_t b_begin(const learner *x, size_t p) {
    return x->b->start[x->pairings[p].b_from];
}

static size_t b_end(const learner *x, size_t p) {
    return x->b->start[x->pairings[p].b_from + x->pairings[p].b_count];
}

/* Very long ones teach little and cost the product of their lengths. */
static bool is_used(const learner *x, size_t p) {
    size_t a = a_end(x, p) - a_begin(x, p), b = b_end(x, p) - b_begin(x, p);
    return a && b && a <= BEAD_WORDS_MAX && b <= BEAD_WORDS_MAX;
}

static bool learner_init(vl_arena *arena, learner *x) {
    size_t explained = 0, seen = 0, a = x->a->vocabulary, b = x->b->vocabulary;
    x->explained_at = vl_arena_array(arena, x->count + 1, sizeof *x->explained_at);
    x->seen_at = vl_arena_array(arena, a + 2, sizeof *x->seen_at);
    x->row = vl_arena_array(arena, b + 1, sizeof *x->row);
    x->counts = vl_arena_array(arena, b + 1, sizeof *x->counts);
    x->touched = vl_arena_array(arena, b + 1, sizeof *x->touched);
    x->last = vl_arena_array(arena, b + 1, sizeof *x->last);
    x->pairings_with = vl_arena_array(arena, b + 1, sizeof *x->pairings_with);
    if (!x->last || !x->pairings_with)
        return false;
    x->entries = vl_arena_array(arena, b + 1, sizeof *x->entries);
    if (!x->explained_at || !x->seen_at || !x->row || !x->counts || !x->touched || !x->entries)
        return false;
    for (size_t p = 0; p < x->count; p++) {
        x->explained_at[p] = explained;
        if (!is_used(x, p))
            continue;
        explained += b_end(x, p) - b_begin(x, p);
        for (size_t k = a_begin(x, p); k < a_end(x, p); k++, seen++)
            x->seen_at[x->a->words[k] + 2]++;
    }
    for (size_t w = 0; w < a; w++)
        x->seen_at[w + 2] += x->seen_at[w + 1];
    x->explained = vl_arena_array(arena, explained + 1, sizeof *x->explained);
    x->seen = vl_arena_array(arena, seen + 1, sizeof *x->seen);
    if (!x->explained || !x->seen)
        return false;
    for (size_t p = 0; p < x->count; p++)
        if (is_used(x, p))
            for (size_t k = a_begin(x, p); k < a_end(x, p); k++)
                x->seen[x->seen_at[x->a->words[k] + 1]++] = (uint32_t)p;
    return true;
}

/* `base`: what every pair of words has, said or not. */
static void explain(learner *x, const align_table *t, float base) {
    for (size_t p = 0; p < x->count; p++) {
        if (!is_used(x, p))
            continue;
        float length = (float)(a_end(x, p) - a_begin(x, p));
        for (size_t k = a_begin(x, p); k < a_end(x, p); k++) {
            uint32_t w = x->a->words[k];
            for (size_t i = t->start[w]; i < t->start[w + 1]; i++)
                x->row[t->column[i]] += t->value[i];
        }
        float *to = x->explained + x->explained_at[p];
        for (size_t k = b_begin(x, p); k < b_end(x, p); k++)
            *to++ = x->row[x->b->words[k]] + length * (base + NOTHING);
        for (size_t k = a_begin(x, p); k < a_end(x, p); k++) {
            uint32_t w = x->a->words[k];
            for (size_t i = t->start[w]; i < t->start[w + 1]; i++)
                x->row[t->column[i]] = 0;
        }
    }
}

static void add_count(learner *x, size_t *touched, uint32_t column, float value) {
    if (x->counts[column] == 0)
        x->touched[(*touched)++] = column;
    x->counts[column] += value;
    x->total += value;
}

/* What a bead says of a pair of words must not speak for that bead: of a pair that n beads
 * have, the share (n - 1) / n is what the others say. */
static void discount(learner *x, size_t touched) {
    for (size_t i = 0; i < touched; i++) {
        uint32_t column = x->touched[i];
        x->counts[column] *= (x->pairings_with[column] - 1) / x->pairings_with[column];
    }
}

/* Expected counts of the columns of word `w`; how many there are. */
static size_t expect(learner *x, const align_table *t, uint32_t w, float base, bool held_out) {
    size_t touched = 0;
    x->total = 0;
    for (size_t i = t->start[w]; i < t->start[w + 1]; i++)
        x->row[t->column[i]] = t->value[i];
    for (size_t s = x->seen_at[w]; s < x->seen_at[w + 1]; s++) {
        size_t p = x->seen[s];
        const float *explained = x->explained + x->explained_at[p];
        for (size_t k = b_begin(x, p); k < b_end(x, p); k++, explained++) {
            float value = x->row[x->b->words[k]] + base;
            value *= x->pairings[p].weight / *explained;
            if (value <= 0)
                continue;
            uint32_t column = x->b->words[k];
            add_count(x, &touched, column, value);
            x->pairings_with[column] += x->last[column] != p + 1;
            x->last[column] = (uint32_t)p + 1;
        }
    }
    for (size_t i = t->start[w]; i < t->start[w + 1]; i++)
        x->row[t->column[i]] = 0;
    if (held_out)
        discount(x, touched);
    const align_table *c = x->cognates;
    for (size_t i = c->start[w]; i < c->start[w + 1]; i++)
        add_count(x, &touched, c->column[i], c->value[i]);
    return touched;
}

static int by_value(const void *x, const void *y) {
    const entry *a = x, *b = y;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* The likeliest columns of the counts into the row that `t` ends with; clears the counts. */
static void maximise(learner *x, size_t touched, float smoothing, align_table *t, size_t w) {
    float sum = x->total + smoothing;
    size_t n = 0, to = t->start[w];
    for (size_t i = 0; i < touched; i++) {
        uint32_t column = x->touched[i];
        float value = x->counts[column] / sum;
        x->counts[column] = 0;
        x->pairings_with[column] = 0;
        x->last[column] = 0;
        if (value >= TRANSLATION_LEAST)
            x->entries[n++] = (entry){column, value};
    }
    qsort(x->entries, n, sizeof *x->entries, by_value);
    for (size_t i = 0; i < n && i < ALIGN_TRANSLATIONS; i++, to++) {
        t->column[to] = x->entries[i].column;
        t->value[to] = x->entries[i].value;
    }
    t->start[w + 1] = to;
}

static void learn_round(learner *x, const align_table *from, float base, bool held_out,
                        align_table *to) {
    explain(x, from, base);
    for (uint32_t w = 0; w < x->a->vocabulary; w++)
        maximise(x, expect(x, from, w, base, held_out), SMOOTHING, to, w);
}

vl_status align_translations(vl_arena *arena, const align_corpus *a, const align_corpus *b,
                             const align_table *cognates, const align_pairing *pairings,
                             size_t count, bool held_out, align_table *translations,
                             vl_error *error) {
    learner x = {.a = a, .b = b, .cognates = cognates, .pairings = pairings, .count = count};
    size_t entries = a->vocabulary * ALIGN_TRANSLATIONS;
    align_table other;
    if (!table_init(arena, translations, a->vocabulary, entries) || !learner_init(arena, &x))
        return no_memory(error);
    if (!count) {
        for (uint32_t w = 0; w < a->vocabulary; w++)
            maximise(&x, expect(&x, cognates, w, 0, false), SMOOTHING_FIRST, translations, w);
        return VL_OK;
    }
    if (!table_init(arena, &other, a->vocabulary, entries))
        return no_memory(error);
    learn_round(&x, cognates, UNKNOWN, false, &other);
    for (int round = 1; round < ROUNDS; round++) {
        align_table *to = round % 2 ? translations : &other;
        learn_round(&x, round % 2 ? &other : translations, 0, held_out && round + 1 == ROUNDS,
                    to);
    }
    return VL_OK;
}
