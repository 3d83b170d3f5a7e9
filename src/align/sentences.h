/* sentences.h — what sentences.c and words.c share. */
#ifndef VL_ALIGN_SENTENCES_H
#define VL_ALIGN_SENTENCES_H

#include "align/translation.h"

#include <vislang/align.h>

struct vl_alignment {
    vl_arena *arena;
    align_corpus source, target;
    align_table forward, backward; /* t(target|source), t(source|target) */
    vl_bead *beads;
    size_t count;
};

#endif
