/* procrustes.h — the matrices of a map, from pairs of rows. LAPACK does the decompositions, in
 * double precision; matrices are [dim][dim], row-major, and multiply rows from the right. */
#ifndef VL_ALIGN_PROCRUSTES_H
#define VL_ALIGN_PROCRUSTES_H

#include <vislang/base.h>

/* The orthogonal W that makes ‖X·W − Y‖ smallest, from cross = Xᵀ·Y: U·Vᵀ of its singular value
 * decomposition (Schönemann 1966). Of zeros it is the identity or another rotation. */
vl_status align_procrustes(const float *cross, size_t dim, float *w, vl_error *error);

/* The nearest matrix whose singular values are at most 1, in place. */
vl_status align_clip_spectrum(float *w, size_t dim, vl_error *error);

/* Symmetric re-weighting (Artetxe, Labaka and Agirre 2018a, steps 1 to 5 of their framework,
 * with the choices of 2018b, 3.4): both sides are whitened by their own covariance over the
 * dictionary, rotated by U and V of the whitened cross-covariance, every component weighed by
 * √s on either side, and de-whitened each with its own. Both are turned back by Vᵀ at last, so
 * that y lies as it lay before, but for its weights. From x_gram = Xᵀ·X, y_gram = Yᵀ·Y and
 * cross = Xᵀ·Y over the pairs. */
vl_status align_reweigh(const float *x_gram, const float *y_gram, const float *cross,
                        size_t dim, float *x_map, float *y_map, vl_error *error);

/* The square root of a Gram matrix's inverse-square-root, scaled: of rows X with
 * gram = Xᵀ·X = V·diag(λ)·Vᵀ, the matrix V·diag(λ^−1/4)·Vᵀ, so that X times it is a factor of
 * (X·Xᵀ)^1/2 (used by the unsupervised start: Artetxe et al. 2018b, 3.2). */
vl_status align_gram_root(const float *gram, size_t dim, float *root, vl_error *error);

#endif
