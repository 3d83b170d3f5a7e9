/* identical.h — two documents side by side by the words they share and nothing else: what an
 * alignment has to beat between languages that share names and numbers. */
#ifndef VL_ALIGN_IDENTICAL_H
#define VL_ALIGN_IDENTICAL_H

#include "align/band.h"

#include <vislang/align.h>

/* The way with the least sum of (1 − cosine) · (sentences of the bead) / 2, the cosine being of
 * the words that the two spans share letter for letter, weighted as in match.h; a sentence
 * alone costs a little more than half, and each sentence that a bead has over two a tenth more
 * (what is best for Vecalign's development document). Beads have at most ALIGN_IDENTICAL_SPAN
 * sentences a side; long documents are looked at in a band around their diagonal. In the arena.
 * VL_ERR_MEMORY. */
enum { ALIGN_IDENTICAL_SPAN = 3 };
vl_status align_identical_path(vl_arena *arena, const vl_sentences *a, const vl_sentences *b,
                               align_step **path, size_t *steps, vl_error *error);

/* Every node of short documents, and of long ones those near their diagonal. */
vl_status align_band_wide(vl_arena *arena, size_t a_count, size_t b_count, align_band *band,
                          vl_error *error);

#endif
