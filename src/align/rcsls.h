/* rcsls.h — a map fitted to retrieval itself (Joulin, Bojanowski, Mikolov, Jégou and Grave
 * 2018, "Loss in Translation"). */
#ifndef VL_ALIGN_RCSLS_H
#define VL_ALIGN_RCSLS_H

#include "align/learning.h"

/* Minimises, over maps w [dim][dim] with no singular value above 1 (the convex hull of the
 * orthogonal ones, their section 3), the mean over pairs (x, y) of
 *   −2·xᵂ·y + 1/k Σ xᵂ·z over the k nearest z of xᵂ + 1/k Σ u·w·y over the k nearest u·w of y
 * (eq. 7), u and z of the words learned on, by gradient descent from the w that is there; a
 * step that does not lower it is taken back and halved. `loss` (may be NULL) gets first and
 * last. */
vl_status align_rcsls(const align_task *task, const align_rows_pair *pairs, float *w,
                      double loss[2], vl_error *error);

#endif
