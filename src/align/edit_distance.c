/* edit_distance.c — see edit_distance.h. A column of the distance table is a few operations on
 * 64-bit words (Myers 1999; Hyyrö 2003, "A bit-vector algorithm for computing Levenshtein and
 * Damerau edit distances", figure 5), a column a code point of the vocabulary's word. */
#include "align/edit_distance.h"

#include <stdlib.h>
#include <string.h>

enum { PATTERN_MAX = 64 };

struct align_spellings {
    uint32_t *alphabet; /* [letters]: code points, rising */
    size_t letters;
    uint32_t *spelt; /* of all words: places in the alphabet */
    size_t *from;    /* [count + 1] */
    size_t count;
};

uint32_t align_next_point(const char **text) {
    const unsigned char *c = (const unsigned char *)*text;
    size_t more = c[0] < 0x80 ? 0 : c[0] < 0xE0 ? 1 : c[0] < 0xF0 ? 2 : 3;
    uint32_t point = more ? c[0] & (0x3FU >> more) : c[0];
    for (size_t i = 1; i <= more; i++)
        point = point << 6 | (c[i] & 0x3F);
    *text += more + 1;
    return point;
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t letter_of(const align_spellings *s, uint32_t point) {
    const uint32_t *at = bsearch(&point, s->alphabet, s->letters, sizeof point, by_value);
    return at ? (uint32_t)(at - s->alphabet) : (uint32_t)s->letters;
}

static void make_alphabet(align_spellings *s, size_t points) {
    memcpy(s->alphabet, s->spelt, points * sizeof *s->alphabet);
    qsort(s->alphabet, points, sizeof *s->alphabet, by_value);
    for (size_t i = 0; i < points; i++)
        if (!s->letters || s->alphabet[i] != s->alphabet[s->letters - 1])
            s->alphabet[s->letters++] = s->alphabet[i];
}

align_spellings *align_spellings_new(const char *const *words, size_t count) {
    size_t bytes = 1, points = 0;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(words[i]);
    align_spellings *s = calloc(1, sizeof *s);
    if (!s || !(s->alphabet = malloc(bytes * sizeof *s->alphabet)) ||
        !(s->spelt = malloc(bytes * sizeof *s->spelt)) ||
        !(s->from = calloc(count + 1, sizeof *s->from))) {
        align_spellings_free(s);
        return NULL;
    }
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        for (const char *at = words[i]; *at;)
            s->spelt[points++] = align_next_point(&at);
        s->from[i + 1] = points;
    }
    make_alphabet(s, points);
    for (size_t i = 0; i < points; i++)
        s->spelt[i] = letter_of(s, s->spelt[i]);
    return s;
}

void align_spellings_free(align_spellings *spellings) {
    if (!spellings)
        return;
    free(spellings->alphabet);
    free(spellings->spelt);
    free(spellings->from);
    free(spellings);
}

size_t align_spellings_masks(const align_spellings *spellings) {
    return spellings->letters + 1; /* the last: letters that no word has */
}

static size_t distance(const uint64_t *masks, size_t length, const uint32_t *word,
                       size_t word_length) {
    uint64_t plus = ~UINT64_C(0), minus = 0, last = UINT64_C(1) << (length - 1);
    size_t score = length;
    for (size_t i = 0; i < word_length; i++) {
        uint64_t match = masks[word[i]];
        uint64_t diagonal = (((match & plus) + plus) ^ plus) | match | minus;
        uint64_t right = minus | ~(diagonal | plus), wrong = plus & diagonal;
        score += (right & last) != 0;
        score -= (wrong & last) != 0;
        right = right << 1 | 1;
        wrong <<= 1;
        plus = wrong | ~(diagonal | right);
        minus = right & diagonal;
    }
    return score;
}

void align_spellings_score(const align_spellings *s, const char *word, uint64_t *masks,
                           float *scores) {
    size_t length = 0;
    memset(masks, 0, align_spellings_masks(s) * sizeof *masks);
    for (const char *at = word; *at && length < PATTERN_MAX; length++)
        masks[letter_of(s, align_next_point(&at))] |= UINT64_C(1) << length;
    for (size_t i = 0; i < s->count; i++) {
        size_t other = s->from[i + 1] - s->from[i], longer = other > length ? other : length;
        size_t edits = length ? distance(masks, length, s->spelt + s->from[i], other) : other;
        scores[i] = longer ? -(float)edits / (float)longer : 0;
    }
}
