/* shingles.h — a text as a set of short pieces that overlap, each a hash of 64 bits: what two
 * texts have in common however they are set in type.
 *
 * The text is first folded by NFKC_Casefold (Unicode 15, section 3.13): NFC, case folding, and
 * beyond them compatibility characters (the ligatures, presentation forms of Arabic and full
 * width forms that come out of PDF files) and characters that are not seen (soft hyphens,
 * joiners). Whatever is neither letter, mark nor number parts words and is forgotten. Shingles
 * (Broder 1997) are then SHINGLES_WORDS words in a row; scripts without spaces (Burmese, Khmer,
 * Thai, Lao, Chinese, Japanese, …: uscript_breaksBetweenLetters) give SHINGLES_CLUSTERS
 * extended grapheme clusters (UAX #29) in a row. In a text of both, words make one sequence and
 * clusters another. A sequence that is shorter than a shingle is one shingle. */
#ifndef VL_DATASET_SHINGLES_H
#define VL_DATASET_SHINGLES_H

#include <vislang/base.h>

enum { SHINGLES_WORDS = 3, SHINGLES_CLUSTERS = 5, SHINGLES_MAX_BYTES = 2 << 20 };

typedef struct shingles {
    uint64_t text;          /* hash of all words and clusters in their order */
    const uint64_t *hashes; /* [count], in the arena; repeated where the text repeats itself */
    size_t count;           /* 0: there is no letter and no number */
} shingles;
/* Thread-safe; the same on every machine for the same text and seed. Invalid UTF-8 parts words.
 * VL_ERR_LIMIT: a text over SHINGLES_MAX_BYTES; VL_ERR_MEMORY: arena full (64 times the text's
 * size always does, and 64 KB). */
vl_status shingles_of(vl_arena *arena, const char *text, uint64_t seed, shingles *out,
                      vl_error *error);

#endif
