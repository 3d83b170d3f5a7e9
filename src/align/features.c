/* features.c — hashes of romanised words, their skeletons, and n-grams (features.h). */
#include "align/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

/* FNV-1a, 32 bits, begun with the kind of feature. */
static uint32_t hash(unsigned char kind, const void *bytes, size_t count) {
    const unsigned char *b = bytes;
    uint32_t h = (2166136261U ^ kind) * 16777619U;
    for (size_t i = 0; i < count; i++)
        h = (h ^ b[i]) * 16777619U;
    return h ^ h >> 15;
}

static bool is_vowel_like(char c) {
    return strchr("aeiouhwy", c) != NULL;
}

static char consonant_class(char c) {
    static const char from[] = "cqpvzjx", to[] = "kkbfsgh";
    const char *at = strchr(from, c);
    return at ? to[at - from] : c;
}

/* Two letters that stand for one sound: what they become, 0: they are two. */
static char digraph(const char *at) {
    static const struct {
        char letters[3], becomes;
    } rows[] = {{"ph", 'f'}, {"th", 't'}, {"ch", 'k'}, {"sh", 's'},
                {"ck", 'k'}, {"ce", 's'}, {"ci", 's'}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (at[0] == rows[i].letters[0] && at[1] == rows[i].letters[1])
            return rows[i].becomes;
    return 0;
}

size_t align_skeleton(const char *roman, size_t length, char out[ALIGN_SKELETON_SIZE]) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        char c = i + 1 < length ? digraph(roman + i) : 0;
        if (c)
            i++;
        else if (is_vowel_like(roman[i]))
            continue;
        else
            c = consonant_class(roman[i]);
        if (c != 'h' && (!n || out[n - 1] != c))
            out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

static int by_id(const void *a, const void *b) {
    const align_feature *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The n-grams of one size of `text` between marks, each once, weighing `weight` together. */
static size_t add_grams(unsigned char kind, const char *text, size_t length, size_t size,
                        float weight, align_feature *out) {
    char marked[ALIGN_ROMAN_SIZE + 2];
    size_t count = 0, kept = 0;
    marked[0] = '<';
    memcpy(marked + 1, text, length);
    marked[length + 1] = '>';
    for (size_t i = 0; i + size <= length + 2; i++)
        out[count++].id = hash(kind, marked + i, size);
    qsort(out, count, sizeof *out, by_id);
    for (size_t i = 0; i < count; i++)
        if (!i || out[i].id != out[i - 1].id)
            out[kept++].id = out[i].id;
    for (size_t i = 0; i < kept; i++)
        out[i].weight = weight / sqrtf((float)kept);
    return kept;
}

enum { WHOLE = 1, GRAM, SKELETON, SKELETON_GRAM, NUMBER, OWN };
enum { LEAST_LETTERS = 3, ROMAN_GRAM = 4, SKELETON_GRAM_SIZE = 3 };
static const float NUMBER_WEIGHT = 2, SKELETON_WEIGHT = 0.7F;

size_t align_features(align_romaniser *romaniser, const char *word, align_feature *out) {
    char roman[ALIGN_ROMAN_SIZE], skeleton[ALIGN_SKELETON_SIZE];
    size_t count = 0;
    if (*word >= '0' && *word <= '9') {
        out[0] = (align_feature){hash(NUMBER, word, strlen(word)), NUMBER_WEIGHT};
        return 1;
    }
    size_t length = align_romanise(romaniser, word, roman);
    if (length < LEAST_LETTERS)
        return 0;
    out[count++] = (align_feature){hash(WHOLE, roman, length), 1};
    count += add_grams(GRAM, roman, length, ROMAN_GRAM, 1, out + count);
    length = align_skeleton(roman, length, skeleton);
    if (length < LEAST_LETTERS)
        return count;
    out[count++] = (align_feature){hash(SKELETON, skeleton, length), SKELETON_WEIGHT};
    return count + add_grams(SKELETON_GRAM, skeleton, length, SKELETON_GRAM_SIZE,
                             SKELETON_WEIGHT, out + count);
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

size_t align_word_grams(const char *word, uint32_t *out) {
    enum { CHARACTERS = 64 };
    const uint8_t *text = (const uint8_t *)word;
    UChar32 c[CHARACTERS + 2], next;
    int32_t length = 1, count = 0, at = 0, bytes = (int32_t)strnlen(word, 4 * CHARACTERS);
    size_t kept = 0;
    c[0] = '<';
    while (at < bytes && length <= CHARACTERS) {
        U8_NEXT_OR_FFFD(text, at, bytes, next);
        c[length++] = next;
    }
    c[length++] = '>';
    for (int32_t size = 2; size <= 4; size++)
        for (int32_t i = 0; i + size <= length; i++)
            out[count++] = hash((unsigned char)(OWN + size), c + i, (size_t)size * sizeof *c);
    qsort(out, (size_t)count, sizeof *out, by_value);
    for (int32_t i = 0; i < count; i++)
        if (!i || out[i] != out[i - 1])
            out[kept++] = out[i];
    return kept;
}
