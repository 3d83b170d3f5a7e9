/* vectors.c — words and their vectors in memory: filled word by word, then found by hash. */
#include "align/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_WORDS = 1024, FIRST_TEXT = 16 << 10 };

/* ---- words ---------------------------------------------------------------------------- */

bool vectors_is_word(const char *word, size_t bytes) {
    if (!bytes || bytes > VL_EMBEDDINGS_MAX_WORD || word[0] == ' ' || word[bytes - 1] == ' ')
        return false;
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)word[i] < ' ' || word[i] == 0x7F)
            return false;
    return vl_utf8_valid_prefix(word, bytes) == bytes;
}

bool vectors_finite(const float *row, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(row[i]) <= VL_EMBEDDINGS_MAX_NUMBER))
            return false;
    return true;
}

/* FNV-1a of 64 bits, its upper half folded in because slots are taken from the lower bits. */
static size_t hash_word(const char *word, size_t bytes) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)word[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

/* Where the word is, or where it would go. */
static size_t find_slot(const vl_embeddings *e, const char *word, size_t bytes) {
    size_t mask = e->slot_count - 1, at = hash_word(word, bytes) & mask;
    for (; e->slots[at]; at = (at + 1) & mask) {
        const char *there = e->text + e->start[e->slots[at] - 1];
        if (!memcmp(there, word, bytes) && !there[bytes]) /* text ends with zeros enough */
            break;
    }
    return at;
}

static bool grow_slots(vl_embeddings *e) {
    size_t count = e->slot_count ? e->slot_count * 2 : 4 * FIRST_WORDS;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(e->slots);
    e->slots = slots;
    e->slot_count = count;
    for (size_t i = 0; i < e->count; i++) {
        const char *word = e->text + e->start[i];
        e->slots[find_slot(e, word, strlen(word))] = (uint32_t)i + 1;
    }
    return true;
}

static bool grow_words(vl_embeddings *e) {
    size_t room = e->room ? e->room * 2 : FIRST_WORDS;
    size_t *start = realloc(e->start, room * sizeof *start);
    if (start)
        e->start = start;
    uint64_t *frequency = realloc(e->frequency, room * sizeof *frequency);
    if (frequency)
        e->frequency = frequency;
    if (!start || !frequency)
        return false;
    e->room = room;
    return true;
}

/* Zeros enough for a comparison with the longest word to stay inside. */
static bool grow_text(vl_embeddings *e) {
    size_t room = e->text_room ? e->text_room * 2 : FIRST_TEXT;
    char *text = realloc(e->text, room);
    if (!text)
        return false;
    memset(text + e->text_room, 0, room - e->text_room);
    e->text = text;
    e->text_room = room;
    return true;
}

static bool grow(vl_embeddings *e, size_t bytes) {
    if (e->count == e->room && !grow_words(e))
        return false;
    if (2 * (e->count + 1) >= e->slot_count && !grow_slots(e))
        return false;
    return e->text_room - e->text_used >= bytes + 2 * VL_EMBEDDINGS_MAX_WORD || grow_text(e);
}

vl_status vectors_begin(uint32_t dim, vl_embeddings **embeddings, vl_error *error) {
    *embeddings = NULL;
    if (!dim || dim > VL_EMBEDDINGS_MAX_DIM)
        return vl_fail(error, VL_ERR_INPUT, "vectors of %u dimensions; 1 to %d are supported",
                       dim, VL_EMBEDDINGS_MAX_DIM);
    vl_embeddings *e = calloc(1, sizeof *e);
    if (!e || !grow(e, 0)) {
        vl_embeddings_free(e);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for word vectors");
    }
    e->dim = dim;
    *embeddings = e;
    return VL_OK;
}

vl_status vectors_add(vl_embeddings *e, const char *word, size_t bytes, uint64_t frequency,
                      size_t *index, vl_error *error) {
    *index = SIZE_MAX;
    if (!vectors_is_word(word, bytes))
        return VL_OK;
    if (e->count == UINT32_MAX - 1)
        return vl_fail(error, VL_ERR_LIMIT, "more than %zu words", e->count);
    if (!grow(e, bytes))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", e->count + 1);
    size_t slot = find_slot(e, word, bytes);
    if (e->slots[slot])
        return VL_OK;
    *index = e->count++;
    e->slots[slot] = (uint32_t)e->count;
    e->start[*index] = e->text_used;
    e->frequency[*index] = frequency;
    memcpy(e->text + e->text_used, word, bytes);
    e->text_used += bytes + 1;
    return VL_OK;
}

vl_status vectors_reserve_rows(vl_embeddings *e, size_t count, vl_error *error) {
    if (e->rows_room >= count)
        return VL_OK;
    size_t room = e->rows_room ? e->rows_room : FIRST_WORDS / 2;
    while (room < count)
        room *= 2;
    float *rows = realloc(e->rows, room * e->dim * sizeof *rows);
    if (!rows)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors of %u dimensions", room,
                       e->dim);
    e->rows = rows;
    e->rows_room = room;
    return VL_OK;
}

/* ---- made of what is in memory ----------------------------------------------------------- */

static vl_status add_named(vl_embeddings *e, const char *word, uint64_t frequency,
                           const float *row, vl_error *error) {
    size_t index, bytes = strlen(word);
    vl_status status = vectors_add(e, word, bytes, frequency, &index, error);
    if (status)
        return status;
    if (index == SIZE_MAX && vectors_is_word(word, bytes))
        return vl_fail(error, VL_ERR_INPUT, "the word '%s' is there twice", word);
    if (index == SIZE_MAX)
        return vl_fail(error, VL_ERR_INPUT,
                       "'%.*s' is no word: empty, not UTF-8, too long, or with control "
                       "characters or a space at an end",
                       (int)vl_utf8_valid_prefix(word, bytes < 100 ? bytes : 100), word);
    if (!vectors_finite(row, e->dim))
        return vl_fail(error, VL_ERR_INPUT,
                       "the vector of '%s' has a NaN or a number beyond all bounds", word);
    return VL_OK;
}

vl_status vl_embeddings_new(const char *const *words, const uint64_t *frequencies, float *rows,
                            size_t count, uint32_t dim, vl_embeddings **embeddings,
                            vl_error *error) {
    vl_embeddings *e = NULL;
    *embeddings = NULL;
    vl_status status = vectors_begin(dim, &e, error);
    for (size_t i = 0; i < count && !status; i++)
        status =
            add_named(e, words[i], frequencies ? frequencies[i] : 0, rows + i * dim, error);
    if (!status && !count)
        status = vl_fail(error, VL_ERR_INPUT, "word vectors without words");
    if (status) {
        vl_embeddings_free(e);
        return status;
    }
    e->rows = rows;
    e->rows_room = count;
    *embeddings = e;
    return VL_OK;
}

void vl_embeddings_free(vl_embeddings *e) {
    if (!e)
        return;
    free(e->text);
    free(e->start);
    free(e->frequency);
    free(e->rows);
    free(e->slots);
    free(e->bucket_slot);
    free(e->bucket_rows);
    free(e->contexts);
    free(e);
}

/* ---- asked ---------------------------------------------------------------------------- */

size_t vl_embeddings_count(const vl_embeddings *e) {
    return e->count;
}

uint32_t vl_embeddings_dim(const vl_embeddings *e) {
    return e->dim;
}

const char *vl_embeddings_word(const vl_embeddings *e, size_t index) {
    return e->text + e->start[index];
}

const float *vl_embeddings_row(const vl_embeddings *e, size_t index) {
    return e->rows + index * e->dim;
}

uint64_t vl_embeddings_frequency(const vl_embeddings *e, size_t index) {
    return e->frequency[index];
}

size_t vectors_find(const vl_embeddings *e, const char *word, size_t bytes) {
    if (!bytes || bytes > VL_EMBEDDINGS_MAX_WORD)
        return SIZE_MAX;
    uint32_t index = e->slots[find_slot(e, word, bytes)];
    return index ? index - 1 : SIZE_MAX;
}

size_t vl_embeddings_find(const vl_embeddings *e, const char *word) {
    return vectors_find(e, word, strnlen(word, VL_EMBEDDINGS_MAX_WORD + 1));
}

typedef struct ngram_sum {
    const vl_embeddings *embeddings;
    float *sum;
} ngram_sum;

static void add_bucket(uint32_t bucket, void *user) {
    const ngram_sum *s = user;
    const vl_embeddings *e = s->embeddings;
    uint32_t slot = e->bucket_slot[bucket];
    if (!slot)
        return;
    const float *row = e->bucket_rows + (size_t)(slot - 1) * e->dim;
    for (uint32_t i = 0; i < e->dim; i++)
        s->sum[i] += row[i];
}

size_t vectors_add_ngrams(const vl_embeddings *e, const char *word, size_t bytes, float *sum) {
    ngram_sum user = {e, sum};
    return align_subwords_each(&e->subwords, word, bytes, add_bucket, &user);
}

vl_status vl_embeddings_of(const vl_embeddings *e, const char *word, float *out,
                           vl_error *error) {
    size_t bytes = strnlen(word, VL_EMBEDDINGS_MAX_WORD + 1), ngrams = 0;
    size_t index = vl_embeddings_find(e, word);
    if (index != SIZE_MAX) {
        memcpy(out, vl_embeddings_row(e, index), e->dim * sizeof *out);
        return VL_OK;
    }
    memset(out, 0, e->dim * sizeof *out);
    if (vectors_is_word(word, bytes))
        ngrams = vectors_add_ngrams(e, word, bytes, out);
    bool known = false;
    for (uint32_t i = 0; i < e->dim && ngrams; i++) {
        out[i] /= (float)ngrams;
        known = known || out[i] != 0;
    }
    return known ? VL_OK
                 : vl_fail(error, VL_ERR_MISSING, "no vector for '%.*s'",
                           (int)vl_utf8_valid_prefix(word, bytes < 100 ? bytes : 100), word);
}
