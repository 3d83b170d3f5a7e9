/* seeds.c — seeds that need no more than a look: identical words, numerals, a dictionary. */
#include "align/seeds.h"

#include "align/lookup.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

void align_seeds_deinit(align_seeds *seeds) {
    free(seeds->items);
    *seeds = (align_seeds){0};
}

vl_status align_seeds_add(align_seeds *seeds, size_t source, size_t target, vl_error *error) {
    if (seeds->count == seeds->room) {
        size_t room = seeds->room ? 2 * seeds->room : 1024;
        align_seed *items = realloc(seeds->items, room * sizeof *items);
        if (!items)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu seeds", room);
        seeds->items = items;
        seeds->room = room;
    }
    seeds->items[seeds->count++] = (align_seed){(uint32_t)source, (uint32_t)target};
    return VL_OK;
}

static int by_places(const void *a, const void *b) {
    const align_seed *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return x->target < y->target ? -1 : x->target > y->target;
}

void align_seeds_settle(align_seeds *seeds) {
    if (!seeds->count)
        return;
    qsort(seeds->items, seeds->count, sizeof *seeds->items, by_places);
    size_t kept = 1;
    for (size_t i = 1; i < seeds->count; i++)
        if (by_places(&seeds->items[i], &seeds->items[kept - 1]))
            seeds->items[kept++] = seeds->items[i];
    seeds->count = kept;
}

/* A numeral, or long enough to be the same word. */
static bool tells(const char *word) {
    size_t letters = 0, digits = 0;
    int32_t bytes = (int32_t)strlen(word);
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)word, at, bytes, c);
        letters += u_isalpha(c) ? 1 : 0;
        digits += u_isdigit(c) ? 1 : 0;
    }
    return letters >= ALIGN_IDENTICAL_LETTERS || (digits && !letters);
}

vl_status align_seeds_identical(const vl_embeddings *source, const vl_embeddings *target,
                                size_t max_words, align_seeds *seeds, vl_error *error) {
    size_t count = vl_embeddings_count(source);
    vl_status status = VL_OK;
    for (size_t i = 0; i < count && i < max_words && !status; i++) {
        const char *word = vl_embeddings_word(source, i);
        size_t at = tells(word) ? vl_embeddings_find(target, word) : SIZE_MAX;
        if (at < max_words)
            status = align_seeds_add(seeds, i, at, error);
    }
    return status;
}

vl_status align_seeds_dictionary(const vl_embeddings *source, const vl_embeddings *target,
                                 const vl_lexicon *dictionary, align_seeds *seeds,
                                 vl_error *error) {
    vl_arena *scratch = vl_arena_new(ALIGN_LOOKUP_BYTES);
    if (!scratch)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a dictionary's words");
    vl_status status = VL_OK;
    for (size_t i = 0; i < vl_lexicon_count(dictionary) && !status; i++) {
        const vl_lexicon_pair *pair = vl_lexicon_pair_at(dictionary, i);
        size_t from = align_lookup(source, scratch, pair->source);
        size_t to = from == SIZE_MAX ? from : align_lookup(target, scratch, pair->target);
        if (to != SIZE_MAX)
            status = align_seeds_add(seeds, from, to, error);
    }
    vl_arena_free(scratch);
    return status;
}
