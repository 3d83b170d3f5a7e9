/* lexical.c — sentence vectors that need no training: hashed character n-grams of romanised
 * words, weighted by rarity, so that names, numbers and loan words meet across languages and
 * scripts (feature hashing: Weinberger, Dasgupta, Langford, Smola and Attenberg 2009). */
#include "align/corpus.h"
#include "align/romanise.h"
#include "align/rows.h"

#include <vislang/align.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Features of a word, by its rows of `grams`. */
typedef struct word_grams {
    uint64_t *grams;
    size_t *start; /* [words + 1] */
} word_grams;

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "not enough memory for vectors of these sentences");
}

static vl_status list_grams(vl_arena *arena, const align_corpus *corpus, word_grams *words,
                            vl_error *error) {
    align_romaniser *romaniser;
    size_t count = 0, capacity = 0;
    vl_status status = align_romaniser_new(&romaniser, error);
    if (status)
        return status;
    words->start = vl_arena_array(arena, corpus->vocabulary + 1, sizeof *words->start);
    if (!words->start)
        status = no_memory(error);
    for (size_t w = 0; w < corpus->vocabulary && !status; w++) {
        char roman[ALIGN_ROMAN_SIZE];
        uint64_t grams[ALIGN_GRAMS_MAX];
        size_t n =
            align_grams(roman, align_romanise(romaniser, corpus->spelling[w], roman), grams);
        if (count + n > capacity) {
            capacity = 2 * (count + n) + 1024;
            words->grams = vl_arena_grow(arena, words->grams, count * sizeof *grams,
                                         capacity * sizeof *grams);
        }
        if (words->grams)
            memcpy(words->grams + count, grams, n * sizeof *grams);
        else if (n)
            status = no_memory(error);
        count += n;
        words->start[w + 1] = count;
    }
    align_romaniser_free(romaniser);
    return status;
}

/* In how many sentences each hashed feature stands; `last` [width] remembers the last one. */
static void count_features(const align_corpus *corpus, const word_grams *words, size_t width,
                           float *found, uint32_t *last) {
    for (size_t s = 0; s < corpus->count; s++)
        for (size_t k = corpus->start[s]; k < corpus->start[s + 1]; k++) {
            uint32_t w = corpus->words[k];
            for (size_t g = words->start[w]; g < words->start[w + 1]; g++) {
                size_t at = (size_t)(words->grams[g] % width);
                if (last[at] != s + 1)
                    found[at]++;
                last[at] = (uint32_t)s + 1;
            }
        }
}

static void add_sentence(const align_corpus *corpus, const word_grams *words, size_t sentence,
                         const float *rarity, size_t buckets, size_t width, float *row) {
    for (size_t k = corpus->start[sentence]; k < corpus->start[sentence + 1]; k++) {
        uint32_t w = corpus->words[k];
        size_t n = words->start[w + 1] - words->start[w];
        float share = n ? 1 / sqrtf((float)n) : 0;
        for (size_t g = words->start[w]; g < words->start[w + 1]; g++) {
            uint64_t hash = words->grams[g];
            float value = rarity[hash % buckets] * share;
            row[(hash >> 33) % width] += hash >> 32 & 1 ? value : -value;
        }
    }
}

vl_status vl_lexical_encode(const char *const *sentences, size_t count, uint32_t width,
                            float *rows, vl_error *error) {
    enum { BUCKETS = 1 << 18 };
    align_corpus corpus;
    word_grams words = {0};
    if (!width)
        return vl_fail(error, VL_ERR_USAGE, "vectors need at least one dimension");
    vl_arena *arena = vl_arena_new((size_t)2 << 30);
    float *rarity = arena ? vl_arena_array(arena, BUCKETS, sizeof *rarity) : NULL;
    uint32_t *last = arena ? vl_arena_array(arena, BUCKETS, sizeof *last) : NULL;
    vl_status status = VL_OK;
    memset(rows, 0, count * width * sizeof *rows);
    if (!rarity || !last)
        status = no_memory(error);
    if (!status)
        status = align_corpus_read(arena, sentences, count, &corpus, error);
    if (!status)
        status = list_grams(arena, &corpus, &words, error);
    if (!status) {
        count_features(&corpus, &words, BUCKETS, rarity, last);
        for (size_t i = 0; i < BUCKETS; i++)
            rarity[i] = logf(((float)count + 1) / (rarity[i] + 1));
        for (size_t s = 0; s < count; s++)
            add_sentence(&corpus, &words, s, rarity, BUCKETS, width, rows + s * width);
        align_rows_unit(rows, count, width);
    }
    vl_arena_free(arena);
    return status;
}
