/* edit_distance.h — which words of a vocabulary look most like a word: the baseline that any
 * dictionary from vectors has to beat between related languages. */
#ifndef VISLANG_ALIGN_EDIT_DISTANCE_H
#define VISLANG_ALIGN_EDIT_DISTANCE_H

#include <vislang/base.h>

/* Words ready to be compared; read-only once made, so thread-safe. */
typedef struct align_spellings align_spellings;
/* `words` [count] are valid UTF-8 and are not kept. NULL: no memory. */
align_spellings *align_spellings_new(const char *const *words, size_t count);
void align_spellings_free(align_spellings *spellings); /* NULL allowed */
/* scores [count] = −(Levenshtein distance over code points) / (the longer one's length): 0 for
 * equal words, −1 for words that share nothing. Code points of `word` after the 64th are not
 * looked at. `masks` is work space of align_spellings_masks numbers. */
void align_spellings_score(const align_spellings *spellings, const char *word, uint64_t *masks,
                           float *scores);
size_t align_spellings_masks(const align_spellings *spellings);

/* The next code point of valid UTF-8; `*text` moves on. */
uint32_t align_next_point(const char **text);

#endif
