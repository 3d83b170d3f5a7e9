/* known_words.h — which words of two documents mean the same as far as a space knows. */
#ifndef VL_ALIGN_KNOWN_WORDS_H
#define VL_ALIGN_KNOWN_WORDS_H

#include "align/space.h"
#include "align/translation.h"

/* `cognates` and, beside them, pairs of words whose meanings are alike: the cosine times how
 * sure both are, from LEAST on, at most ALIGN_TRANSLATIONS of each word. Rows: words of `a`; in
 * the arena. A language that the space has not got: the cognates alone. VL_ERR_MEMORY. */
vl_status align_known_words(vl_arena *arena, const align_corpus *a, const align_corpus *b,
                            const vl_space *space, const char *a_language,
                            const char *b_language, const align_table *cognates,
                            align_table *known, vl_error *error);

#endif
