/* seeds.h — word pairs that a map can begin from: written alike, sounding alike, in a
 * dictionary. */
#ifndef VL_ALIGN_SEEDS_H
#define VL_ALIGN_SEEDS_H

#include <vislang/align.h>

typedef struct align_seed {
    uint32_t source, target; /* places in the two spaces */
} align_seed;
/* Each pair once after align_seeds_settle. Freed with align_seeds_deinit. */
typedef struct align_seeds {
    align_seed *items;
    size_t count, room;
} align_seeds;
void align_seeds_deinit(align_seeds *seeds);
vl_status align_seeds_add(align_seeds *seeds, size_t source, size_t target, vl_error *error);
/* In the order of source and target, each once. */
void align_seeds_settle(align_seeds *seeds);

/* The functions below add to what is there. `max_words`: of either side, the most frequent. */

/* Numerals, and words of at least ALIGN_IDENTICAL_LETTERS letters that both languages write
 * alike: shorter ones are more often different words. */
enum { ALIGN_IDENTICAL_LETTERS = 5 };
vl_status align_seeds_identical(const vl_embeddings *source, const vl_embeddings *target,
                                size_t max_words, align_seeds *seeds, vl_error *error);

/* Names and loans: both sides are written in Latin letters by ICU (Any-Latin; Latin-ASCII) and
 * compared by an edit distance in which vowels, h, w and y weigh little and consonants of one
 * class (after Dolgopolsky 1964) less than others. Candidates are words whose consonants are of
 * the same classes in the same order, so 50,000 x 50,000 words take seconds. A pair counts when
 * each is the other's nearest. */
vl_status align_seeds_cognates(const vl_embeddings *source, const vl_embeddings *target,
                               size_t max_words, align_seeds *seeds, vl_error *error);

/* Pairs of a dictionary that are in both spaces. */
vl_status align_seeds_dictionary(const vl_embeddings *source, const vl_embeddings *target,
                                 const vl_lexicon *dictionary, align_seeds *seeds,
                                 vl_error *error);

#endif
