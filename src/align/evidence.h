/* evidence.h — how much more likely the words of a bead's sentences are beside each other than
 * anywhere, over all beads of a band.
 *
 * With X of one side and Y of the other, this is the mean over both directions of
 *   Σ_{b in Y} log(λ + (1 − λ) / (|X| + 1) (1 + Σ_{a in X} (t(b|a) / p(b) + o(a)))),
 * o(a) being what 1 lacks of Σ_b t(b|a), so that a word of which nothing is known says nothing:
 * IBM model 1 (translation.h) against the frequency of words, as Moore (2002), "Fast and
 * Accurate Sentence Alignment of Bilingual Corpora", section 3.3, compares a bead's words. */
#ifndef VL_ALIGN_EVIDENCE_H
#define VL_ALIGN_EVIDENCE_H

#include "align/band.h"
#include "align/translation.h"

typedef struct align_evidence align_evidence;
/* λ between 0 and 1: how little is believed. It keeps nothing of what it is given but the band,
 * which outlives it; it lies in the arena. VL_ERR_MEMORY, VL_ERR_CANCELLED. */
vl_status align_evidence_new(vl_arena *arena, const align_band *band, const align_corpus *a,
                             const align_corpus *b, const align_table *b_given_a,
                             const align_table *a_given_b, float lambda,
                             align_evidence **evidence, vl_error *error);
/* Of the bead of m and n sentences that ends at node (i, j); both its nodes are in the band. */
double align_evidence_of(const align_evidence *evidence, size_t i, size_t j, size_t m,
                         size_t n);

#endif
