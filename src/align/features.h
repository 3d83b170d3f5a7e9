/* features.h — what a word looks like in any script, as weighted hashes: for names, loans and
 * numbers, which languages write alike, and for forms of a word that a list does not have.
 *
 * Thread-safe, but for the romaniser, which belongs to one thread at a time. */
#ifndef VL_ALIGN_FEATURES_H
#define VL_ALIGN_FEATURES_H

#include "align/romanise.h"

typedef struct align_feature {
    uint32_t id; /* hash; equal features of any two words have equal ids */
    float weight;
} align_feature;
enum { ALIGN_FEATURES_MAX = 2 * ALIGN_ROMAN_SIZE + 16, ALIGN_SKELETON_SIZE = ALIGN_ROMAN_SIZE };

/* Of a folded word (align_tokens) into `out` [ALIGN_FEATURES_MAX]; returns how many. The word
 * in Latin letters with its 4-grams, and its skeleton (below) with its 3-grams; the n-grams of
 * each together weigh as √(their number), one as 1/√. A number is one feature. Words under
 * three letters have none. */
size_t align_features(align_romaniser *romaniser, const char *word, align_feature *out);

/* A romanised word without its vowels, h, w and y, in classes of consonants that languages
 * swap (c k q; p b; f v; s z; g j), doubled ones once: "corona" and "krwna" are both "krn".
 * After the consonant classes of Dolgopolsky 1964. Its length. */
size_t align_skeleton(const char *roman, size_t length, char out[ALIGN_SKELETON_SIZE]);

/* Hashes of the 2- to 4-grams of a folded word between two boundary marks, each once, into
 * `out` [ALIGN_WORD_GRAMS_MAX]; returns how many. In its own script. */
enum { ALIGN_WORD_GRAMS_MAX = 3 * 66 };
size_t align_word_grams(const char *word, uint32_t *out);

#endif
