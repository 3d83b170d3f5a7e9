/* procrustes.c — orthogonal maps, whitening and re-weighting, by LAPACK. */
#include "align/procrustes.h"

#include <cblas.h> /* openblas_set_num_threads */
#include <lapacke.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- small dense algebra in double ---------------------------------------------------- */

static double *square(size_t dim) {
    return calloc(dim * dim + 1, sizeof(double));
}

/* c = a·b, or a·bᵀ. */
static void multiply(const double *a, const double *b, bool transpose_b, size_t n, double *c) {
    memset(c, 0, n * n * sizeof *c);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            if (!transpose_b)
                for (size_t j = 0; j < n; j++)
                    c[i * n + j] += a[i * n + k] * b[k * n + j];
            else
                for (size_t j = 0; j < n; j++)
                    c[i * n + j] += a[i * n + k] * b[j * n + k];
        }
}

static void transpose(double *a, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double kept = a[i * n + j];
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = kept;
        }
}

/* Threads are ours: OpenBLAS's own, for matrices this small, would only be in their way. */
static void one_thread(void) {
    openblas_set_num_threads(1);
}

static void set_up(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, one_thread);
}

/* a = u·diag(s)·vt; `a` is lost. */
static vl_status decompose(double *a, size_t n, double *u, double *s, double *vt,
                           vl_error *error) {
    set_up();
    lapack_int size = (lapack_int)n;
    lapack_int code =
        LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'A', size, size, a, size, s, u, size, vt, size);
    return code == 0 ? VL_OK
                     : vl_fail(error, code < 0 ? VL_ERR_INPUT : VL_ERR_INTERNAL,
                               "LAPACK's dgesdd did not end well (%d)", (int)code);
}

/* out = v·diag(f(λ))·vᵀ of a Gram matrix v·diag(λ)·vᵀ, f a power. Directions that the rows do
 * not reach would be blown up by a negative power: λ has a floor of 1e-6 of its mean. */
static vl_status gram_power(const float *gram, size_t n, double power, double *out,
                            vl_error *error) {
    set_up();
    double *v = square(n), *scaled = square(n), *lambda = calloc(n + 1, sizeof *lambda);
    vl_status status =
        v && scaled && lambda
            ? VL_OK
            : vl_fail(error, VL_ERR_MEMORY, "no memory for a matrix of %zu x %zu", n, n);
    if (!status) {
        for (size_t i = 0; i < n * n; i++)
            v[i] = (double)gram[i];
        lapack_int code =
            LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, v, (lapack_int)n, lambda);
        if (code)
            status = vl_fail(error, VL_ERR_INTERNAL, "LAPACK's dsyevd did not end well (%d)",
                             (int)code);
    }
    if (!status) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += fmax(lambda[i], 0) / (double)n;
        double least = mean > 0 ? mean * 1e-6 : 1;
        for (size_t i = 0; i < n; i++)
            lambda[i] = pow(fmax(lambda[i], least), power);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                scaled[i * n + j] = v[i * n + j] * lambda[j];
        multiply(scaled, v, true, n, out);
    }
    free(v);
    free(scaled);
    free(lambda);
    return status;
}

/* ---- the maps ----------------------------------------------------------------------------
 */

/* w = u·diag(f(s))·vᵀ of matrix = u·diag(s)·vᵀ: f is 1, or s up to 1. */
static vl_status flatten(const float *matrix, size_t dim, bool keep_small, float *w,
                         vl_error *error) {
    double *a = square(dim), *u = square(dim), *vt = square(dim),
           *s = calloc(dim + 1, sizeof *s);
    vl_status status =
        a && u && vt && s
            ? VL_OK
            : vl_fail(error, VL_ERR_MEMORY, "no memory for a matrix of %zu x %zu", dim, dim);
    if (!status) {
        for (size_t i = 0; i < dim * dim; i++)
            a[i] = (double)matrix[i];
        status = decompose(a, dim, u, s, vt, error);
    }
    if (!status) {
        for (size_t i = 0; keep_small && i < dim * dim; i++)
            u[i] *= fmin(s[i % dim], 1);
        multiply(u, vt, false, dim, a);
        for (size_t i = 0; i < dim * dim; i++)
            w[i] = (float)a[i];
    }
    free(a);
    free(u);
    free(vt);
    free(s);
    return status;
}

vl_status align_procrustes(const float *cross, size_t dim, float *w, vl_error *error) {
    return flatten(cross, dim, false, w, error);
}

vl_status align_clip_spectrum(float *w, size_t dim, vl_error *error) {
    return flatten(w, dim, true, w, error);
}

vl_status align_gram_root(const float *gram, size_t dim, float *root, vl_error *error) {
    double *out = square(dim);
    vl_status status = out ? gram_power(gram, dim, -0.25, out, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for a matrix");
    for (size_t i = 0; !status && i < dim * dim; i++)
        root[i] = (float)out[i];
    free(out);
    return status;
}

typedef struct reweighing {
    size_t dim;
    double *colour; /* gram^1/2 of the side in work */
    double *x_white, *y_white, *inner, *u, *vt, *s, *a, *b;
} reweighing;

/* map = white·q·diag(√s)·qᵀ·colour·q: whiten, rotate, weigh, and take the whitening back in the
 * rotated frame (W⁻¹ seen from there is qᵀ·colour·q). */
static vl_status one_side(reweighing *r, const float *gram, const double *white,
                          const double *q, float *map, vl_error *error) {
    size_t n = r->dim;
    vl_status status = gram_power(gram, n, 0.5, r->colour, error);
    if (status)
        return status;
    multiply(white, q, false, n, r->a); /* white·q */
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            r->a[i * n + j] *= sqrt(r->s[j]);
    multiply(r->a, q, true, n, r->b);          /* …·qᵀ */
    multiply(r->b, r->colour, false, n, r->a); /* …·colour */
    multiply(r->a, q, false, n, r->b);         /* …·q */
    multiply(r->b, r->vt, true, n, r->a);      /* and into the frame of y */
    for (size_t i = 0; i < n * n; i++)
        map[i] = (float)r->a[i];
    return VL_OK;
}

static vl_status reweigh(reweighing *r, const float *x_gram, const float *y_gram,
                         const float *cross, float *x_map, float *y_map, vl_error *error) {
    size_t n = r->dim;
    vl_status status = gram_power(x_gram, n, -0.5, r->x_white, error);
    if (!status)
        status = gram_power(y_gram, n, -0.5, r->y_white, error);
    if (status)
        return status;
    for (size_t i = 0; i < n * n; i++)
        r->a[i] = (double)cross[i];
    multiply(r->x_white, r->a, false, n, r->b);
    multiply(r->b, r->y_white, false, n, r->inner);
    status = decompose(r->inner, n, r->u, r->s, r->vt, error);
    if (!status)
        transpose(r->vt, n); /* is V from here on */
    if (!status)
        status = one_side(r, x_gram, r->x_white, r->u, x_map, error);
    if (!status)
        status = one_side(r, y_gram, r->y_white, r->vt, y_map, error);
    return status;
}

vl_status align_reweigh(const float *x_gram, const float *y_gram, const float *cross,
                        size_t dim, float *x_map, float *y_map, vl_error *error) {
    reweighing r = {.dim = dim};
    double **all[] = {&r.colour, &r.x_white, &r.y_white, &r.inner, &r.u, &r.vt, &r.a, &r.b};
    enum { COUNT = sizeof all / sizeof *all };
    bool there = (r.s = calloc(dim + 1, sizeof *r.s)) != NULL;
    for (size_t i = 0; i < COUNT; i++)
        there = (*all[i] = square(dim)) != NULL && there;
    vl_status status =
        there ? reweigh(&r, x_gram, y_gram, cross, x_map, y_map, error)
              : vl_fail(error, VL_ERR_MEMORY, "no memory for matrices of %zu x %zu", dim, dim);
    for (size_t i = 0; i < COUNT; i++)
        free(*all[i]);
    free(r.s);
    return status;
}
