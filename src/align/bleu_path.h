/* bleu_path.h — two documents side by side by a translation of one of them, word for word: what
 * programs do that have a translation to go by.
 *
 * After Sennrich and Volk (2010), "MT-based Sentence Alignment for OCR-generated Parallel
 * Texts", section 3, of which it is a likeness: sentences are compared by BLEU of one and two
 * words (sets of them), a way through the three likeliest partners of each sentence gives the
 * 1–1 beads, neighbours that nobody has join a bead where that raises its BLEU, and lengths
 * (Gale and Church 1993) fill what lies between. */
#ifndef VL_ALIGN_BLEU_PATH_H
#define VL_ALIGN_BLEU_PATH_H

#include "align/band.h"

#include <vislang/align.h>

/* `translated` [a->count]: the sentences of `a` in the language of `b`, or as they are. All
 * beads of both documents in order, in the arena. VL_ERR_MEMORY. */
vl_status align_bleu_path(vl_arena *arena, const char *const *translated, const vl_sentences *a,
                          const vl_sentences *b, align_step **path, size_t *steps,
                          vl_error *error);

#endif
