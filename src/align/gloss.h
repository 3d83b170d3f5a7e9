/* gloss.h — a text word for word in another language, by vectors alone. */
#ifndef VL_ALIGN_GLOSS_H
#define VL_ALIGN_GLOSS_H

#include <vislang/align.h>

/* Each word of `texts` [count] becomes the word of `to` that CSLS finds nearest to its vector
 * (of the first ALIGN_GLOSS_WORDS of `to`); words of which nothing is known stay. Both lie in
 * one space. In the arena. VL_ERR_MEMORY. */
enum { ALIGN_GLOSS_WORDS = 50000 };
vl_status align_gloss(vl_arena *arena, const vl_embeddings *from, const vl_embeddings *to,
                      const char *const *texts, size_t count, const char *const **glosses,
                      vl_error *error);

#endif
