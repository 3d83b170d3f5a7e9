/* chars_count.h — one language's n-grams: counted, smoothed, pruned. */
#ifndef VL_TRAIN_CHARS_COUNT_H
#define VL_TRAIN_CHARS_COUNT_H

#include "train/chars_data.h"

enum { CHARS_BITS = 10 }; /* of a symbol in a key: VL_NGRAM_MAX_SYMBOLS < 1 << 10 */

/* The n-grams of one length, by key: their symbols, the first the most significant. */
typedef struct chars_level {
    uint64_t *keys;
    uint32_t *context, *tail; /* of the shorter level: without the last symbol, the first */
    uint32_t *raw;            /* how often they are in the text */
    uint32_t *count;          /* what their probability is made of */
    float *log_p;             /* as the model will give it */
    float *loss;              /* what leaving it out costs the text, in nats */
    bool *kept;
    size_t n;
} chars_level;

typedef struct chars_counts {
    uint32_t order, symbols;
    uint32_t points[VL_NGRAM_MAX_SYMBOLS]; /* of symbol 2, 3, … ascending */
    chars_level levels[VL_NGRAM_MAX_ORDER];
    uint64_t *frequencies; /* [symbols] */
    uint64_t total;
} chars_counts;

/* Free it whatever the status is. */
vl_status chars_count(const chars_text *text, uint32_t order, chars_counts *counts,
                      vl_error *error);
/* Marks what is kept so that a block of at most `bytes` holds it, and makes the probabilities
 * those of a model that has no more. */
vl_status chars_prune(chars_counts *counts, size_t bytes, vl_error *error);
void chars_counts_free(chars_counts *counts);
/* The symbol of a code point. */
uint32_t chars_symbol(const chars_counts *counts, uint32_t point);
/* Index of a key in a level, or SIZE_MAX. */
size_t chars_find(const uint64_t *keys, size_t n, uint64_t key);
/* The key without its first symbol, of which `n` remain. */
static inline uint64_t chars_tail(uint64_t key, size_t n) {
    return key & ((UINT64_C(1) << (CHARS_BITS * n)) - 1);
}

#endif
