/* corpus.c — sentences into rows of word numbers. */
#include "align/corpus.h"
#include "align/tokens.h"

#include <string.h>

enum { SCRATCH_BYTES = 512 << 20 };

/* Words by what they are spelt like: open addressing, a power of two of places, at most half of
 * them taken. 0 is an empty place, else number + 1. */
typedef struct dictionary {
    vl_arena *arena;
    align_corpus *corpus;
    size_t capacity; /* of the corpus's words */
} dictionary;

static uint64_t hash_word(const char *word) {
    uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bits */
    for (; *word; word++)
        h = (h ^ (uint8_t)*word) * 1099511628211u;
    return h ^ (h >> 29);
}

static size_t find_place(const align_corpus *c, const char *word) {
    size_t at = (size_t)hash_word(word) & (c->places_count - 1);
    while (c->places[at] && strcmp(c->spelling[c->places[at] - 1], word))
        at = (at + 1) & (c->places_count - 1);
    return at;
}

uint32_t align_corpus_find(const align_corpus *corpus, const char *word) {
    uint32_t found = corpus->places_count ? corpus->places[find_place(corpus, word)] : 0;
    return found ? found - 1 : UINT32_MAX;
}

static bool grow_dictionary(dictionary *d) {
    align_corpus *c = d->corpus;
    size_t size = c->places_count ? 2 * c->places_count : 1024, capacity = size / 2;
    const char **spelling = vl_arena_grow(
        d->arena, c->spelling, c->vocabulary * sizeof *spelling, capacity * sizeof *spelling);
    uint32_t *frequency =
        vl_arena_grow(d->arena, c->frequency, c->vocabulary * sizeof *frequency,
                      capacity * sizeof *frequency);
    uint32_t *places = vl_arena_array(d->arena, size, sizeof *places);
    if (!spelling || !frequency || !places)
        return false;
    c->spelling = spelling;
    c->frequency = frequency;
    c->places = places;
    c->places_count = size;
    for (size_t i = 0; i < c->vocabulary; i++)
        places[find_place(c, spelling[i])] = (uint32_t)i + 1;
    return true;
}

/* The number of `word`, a new one when it was never seen; UINT32_MAX: no memory. */
static uint32_t number_of(dictionary *d, const char *word) {
    align_corpus *c = d->corpus;
    if (2 * (c->vocabulary + 1) > c->places_count && !grow_dictionary(d))
        return UINT32_MAX;
    size_t at = find_place(c, word);
    if (!c->places[at]) {
        const char *copy = vl_arena_strdup(d->arena, word);
        if (!copy)
            return UINT32_MAX;
        c->spelling[c->vocabulary] = copy;
        c->frequency[c->vocabulary] = 0;
        c->places[at] = (uint32_t)++c->vocabulary;
    }
    c->frequency[c->places[at] - 1]++;
    return c->places[at] - 1;
}

static float count_letters(const char *text) {
    size_t letters = 0;
    for (; *text; text++)
        letters += ((uint8_t)*text & 0xC0) != 0x80 && (uint8_t)*text > ' ';
    return (float)letters;
}

static bool add_words(dictionary *d, const align_token *tokens, size_t count, size_t at) {
    align_corpus *c = d->corpus;
    if (at + count > d->capacity) {
        size_t capacity = 2 * (at + count) + 1024;
        uint32_t *words =
            vl_arena_grow(d->arena, c->words, at * sizeof *words, capacity * sizeof *words);
        if (!words)
            return false;
        c->words = words;
        d->capacity = capacity;
    }
    for (size_t i = 0; i < count; i++)
        if ((c->words[at + i] = number_of(d, tokens[i].word)) == UINT32_MAX)
            return false;
    return true;
}

vl_status align_corpus_read(vl_arena *arena, const char *const *sentences, size_t count,
                            align_corpus *corpus, vl_error *error) {
    dictionary d = {.arena = arena, .corpus = corpus};
    vl_arena *scratch = vl_arena_new(SCRATCH_BYTES);
    vl_status status = VL_OK;
    *corpus = (align_corpus){.count = count};
    corpus->start = vl_arena_array(arena, count + 1, sizeof *corpus->start);
    corpus->letters = vl_arena_array(arena, count + 1, sizeof *corpus->letters);
    corpus->words = vl_arena_array(arena, 1, sizeof *corpus->words);
    if (!scratch || !corpus->start || !corpus->letters || !corpus->words)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu sentences", count);
    for (size_t i = 0; i < count && !status; i++) {
        align_token *tokens;
        size_t words, at = corpus->start[i];
        vl_arena_reset(scratch);
        status = align_tokens(scratch, sentences[i], &tokens, &words, error);
        words = words > ALIGN_SENTENCE_WORDS ? ALIGN_SENTENCE_WORDS : words;
        if (!status && !add_words(&d, tokens, words, at))
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for the words of %zu sentences",
                             count);
        corpus->letters[i] = count_letters(sentences[i]);
        corpus->start[i + 1] = at + words;
    }
    vl_arena_free(scratch);
    return status;
}
