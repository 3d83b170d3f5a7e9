/* spelling.h — words that are spelled most alike, by the cosine of their character n-grams (2
 * to 4 between boundary marks), each weighing log(1 + words / words that have it). Read-only
 * once made, so thread-safe. */
#ifndef VL_ALIGN_SPELLING_H
#define VL_ALIGN_SPELLING_H

#include <vislang/base.h>

enum { ALIGN_ALIKE_MAX = 3 };
typedef struct align_alike {
    size_t word;
    float cosine;
} align_alike;

typedef struct align_spelling align_spelling;
/* The words are not kept. VL_ERR_MEMORY. */
vl_status align_spelling_new(const char *const *words, size_t count, align_spelling **out,
                             vl_error *error);
void align_spelling_free(align_spelling *spelling); /* NULL allowed */
/* The words most alike with a cosine over one half, best first; how many (0 for a word under
 * four characters, or when memory is out). */
size_t align_spelling_find(const align_spelling *spelling, const char *word,
                           align_alike out[ALIGN_ALIKE_MAX]);

#endif
