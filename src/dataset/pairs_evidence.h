/* pairs_evidence.h — what speaks for a text being that of a picture (used by pairs.c). */
#ifndef VL_DATASET_PAIRS_EVIDENCE_H
#define VL_DATASET_PAIRS_EVIDENCE_H

#include "dataset/pairs.h"

/* The language that most of the text is in, else the one that is declared; "und". */
void pairs_main_language(const vl_parts *parts, char out[VL_LANG_SIZE]);

/* All but PAIR_PICTURE, which is set to 0.5. `main` as above. */
void pairs_evidence_of(const vl_parts *parts, size_t picture, const char *main,
                       pair_candidate *candidate);
/* Its logarithm of the odds that they belong together, by all evidence but PAIR_PICTURE. */
double pairs_evidence_odds(const pair_candidate *candidate);
enum { PAIRS_FEATURES_MOST = 24 };
/* The features that odds are a weighted sum of, the offset's 1 not among them; returns how
 * many. For the fit. */
size_t pairs_evidence_features(const pair_candidate *candidate,
                               double features[PAIRS_FEATURES_MOST]);
const char *pairs_evidence_feature_name(size_t feature);
/* Whether a picture or table has a caption that is one: what begins "Figure 3 shows that"
 * speaks of the figure. */
bool pairs_has_caption(const vl_parts *parts, const vl_part *picture);
/* How much a text looks like a caption, 0 … 1: its length, words and not a file's name. */
double pairs_typography(const char *text);

/* ---- what seer sees -----------------------------------------------------------------------
 */

/* Looks at `image`; `vectors` [2, vl_seer_vector_size(seer)] belong to the sight, as the
 * session does. */
vl_status pairs_sight_of(const vl_seer *seer, vl_seer_session *session, const vl_image *image,
                         float *vectors, pair_sight *sight, vl_error *error);
/* The cosine of a text in `language` (ISO 639-3) and the picture; *known false: seer does not
 * know the language, or has nothing to say of the picture. */
vl_status pairs_sight_cosine(const pair_sight *sight, const char *text, const char *language,
                             double *cosine, bool *known, vl_error *error);
/* PAIR_PICTURE: the probability that a text in `language` (ISO 639-3) belongs to it, where as
 * many belong as do not; 0.5 in a language that seer does not know, or without a vector. */
vl_status pairs_sight_fits(const pair_sight *sight, const char *text, const char *language,
                           double *fits, vl_error *error);

#endif
