/* word_set.c — open addressing over FNV-1a (word_set.h). */
#include "align/word_set.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_word(const char *word) {
    uint64_t h = 14695981039346656037U;
    for (; *word; word++)
        h = (h ^ (unsigned char)*word) * 1099511628211U;
    return h ^ h >> 29;
}

/* The slot of a word, or the empty one where it belongs. */
static size_t slot_of(const word_set *set, const char *word) {
    size_t at = hash_word(word) & (set->slot_count - 1);
    while (set->slots[at] && strcmp(set->words[set->slots[at] - 1], word) != 0)
        at = (at + 1) & (set->slot_count - 1);
    return at;
}

static bool grow(word_set *set) {
    size_t slots = set->slot_count ? 2 * set->slot_count : 4096, room = slots / 2;
    uint32_t *fresh = calloc(slots, sizeof *fresh);
    const char **words = realloc(set->words, room * sizeof *words);
    if (words)
        set->words = words;
    if (!fresh || !words) {
        free(fresh);
        return false;
    }
    free(set->slots);
    set->slots = fresh;
    set->slot_count = slots;
    set->room = room;
    for (size_t i = 0; i < set->count; i++)
        set->slots[slot_of(set, set->words[i])] = (uint32_t)i + 1;
    return true;
}

uint32_t word_set_add(word_set *set, const char *word) {
    if (set->count == set->room && !grow(set))
        return UINT32_MAX;
    size_t at = slot_of(set, word);
    if (set->slots[at])
        return set->slots[at] - 1;
    char *copy = vl_arena_strdup(set->arena, word);
    if (!copy)
        return UINT32_MAX;
    set->words[set->count] = copy;
    set->slots[at] = (uint32_t)++set->count;
    return set->slots[at] - 1;
}

uint32_t word_set_find(const word_set *set, const char *word) {
    return set->slot_count ? set->slots[slot_of(set, word)] - 1 : UINT32_MAX;
}

void word_set_deinit(word_set *set) {
    free(set->words);
    free(set->slots);
    *set = (word_set){0};
}
