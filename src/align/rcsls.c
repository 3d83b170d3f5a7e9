/* rcsls.c — gradient descent on relaxed CSLS. The loss is linear in w for fixed neighbours, so
 * a gradient is three products of matrices, and the neighbours are what takes the time. */
#include "align/rcsls.h"

#include "align/csls.h"
#include "align/procrustes.h"
#include "align/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 10 };
static const double first_rate = 1, least_rate = 1e-3;

typedef struct descent {
    const align_task *task;
    const align_rows_pair *pairs;
    size_t dim;
    float *turned_pairs; /* left·w */
    float *turned_words; /* x·w of the words learned on */
    float *right;        /* [pairs][dim]: mean of the z near each pair's left side */
    float *left;         /* [pairs][dim]: mean of the x near each pair's right side */
    float *gradient;     /* [dim][dim] */
} descent;

static void mean_of(const align_best *near, size_t row, const float *rows, size_t dim,
                    float *mean) {
    memset(mean, 0, sizeof *mean * dim);
    for (size_t t = 0; t < near->k; t++) {
        uint32_t at = near->index[row * near->k + t];
        for (size_t d = 0; at != UINT32_MAX && d < dim; d++)
            mean[d] += rows[at * dim + d] / (float)near->k;
    }
}

/* The neighbours of one side of the pairs, as means of the rows `of` that they stand for. */
static vl_status neighbours(const descent *s, const float *pairs, const float *words,
                            size_t count, const float *of, float *mean, vl_error *error) {
    align_best near = {0};
    vl_status status = align_best_init(&near, s->pairs->count, s->task->k, error);
    align_pass pass = {.x = pairs,
                       .x_count = s->pairs->count,
                       .y = words,
                       .y_count = count,
                       .dim = s->dim,
                       .x_best = &near,
                       .keep = 1,
                       .threads = s->task->threads};
    if (!status)
        status = align_pass_run(&pass, error);
    for (size_t i = 0; i < near.count && !status; i++)
        mean_of(&near, i, of, s->dim, mean + i * s->dim);
    align_best_deinit(&near);
    return status;
}

static double products(const float *a, const float *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Loss and gradient at w. */
static vl_status look(descent *s, const float *w, double *loss, vl_error *error) {
    const align_task *task = s->task;
    size_t n = s->pairs->count, dim = s->dim;
    align_rows_turn(s->pairs->left, n, dim, w, s->turned_pairs);
    align_rows_turn(task->x.data, task->x_words, dim, w, s->turned_words);
    vl_status status = neighbours(s, s->turned_pairs, task->z.data, task->z_words, task->z.data,
                                  s->right, error);
    if (!status)
        status = neighbours(s, s->pairs->right, s->turned_words, task->x_words, task->x.data,
                            s->left, error);
    if (status)
        return status;
    /* d/dw: Σ leftᵀ·(near z − 2·right) + (near x)ᵀ·right, over pairs. */
    for (size_t i = 0; i < n * dim; i++)
        s->right[i] -= 2 * s->pairs->right[i];
    memset(s->gradient, 0, sizeof *s->gradient * dim * dim);
    align_rows_cross(s->pairs->left, s->right, n, dim, s->gradient);
    align_rows_cross(s->left, s->pairs->right, n, dim, s->gradient);
    *loss = products(s->gradient, w, dim * dim) / (double)n;
    return VL_OK;
}

static vl_status descend(descent *s, float *w, float *trial, double loss[2], vl_error *error) {
    double rate = first_rate, now;
    size_t cells = s->dim * s->dim;
    vl_status status = look(s, w, &now, error);
    loss[0] = loss[1] = now;
    for (int round = 0; round < ROUNDS && rate >= least_rate && !status; round++) {
        float scale = (float)(rate / (double)s->pairs->count);
        for (size_t i = 0; i < cells; i++)
            trial[i] = w[i] - scale * s->gradient[i];
        status = align_clip_spectrum(trial, s->dim, error);
        if (!status)
            status = look(s, trial, &now, error);
        if (!status && now < loss[1]) {
            loss[1] = now;
            memcpy(w, trial, sizeof *w * cells);
        } else if (!status) {
            rate /= 2;
            status = look(s, w, &now, error); /* the gradient of where we are */
        }
    }
    return status;
}

vl_status align_rcsls(const align_task *task, const align_rows_pair *pairs, float *w,
                      double loss[2], vl_error *error) {
    size_t dim = task->x.dim, n = pairs->count;
    double kept[2];
    descent s = {.task = task, .pairs = pairs, .dim = dim};
    s.turned_pairs = malloc(sizeof(float) * (n * dim + 1));
    s.turned_words = malloc(sizeof(float) * (task->x_words * dim + 1));
    s.right = malloc(sizeof(float) * (n * dim + 1));
    s.left = malloc(sizeof(float) * (n * dim + 1));
    s.gradient = malloc(sizeof(float) * (dim * dim + 1));
    float *trial = malloc(sizeof(float) * (dim * dim + 1));
    vl_status status = VL_OK;
    if (!s.turned_pairs || !s.turned_words || !s.right || !s.left || !s.gradient || !trial)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for RCSLS over %zu pairs", n);
    if (!status && n)
        status = descend(&s, w, trial, loss ? loss : kept, error);
    free(s.turned_pairs);
    free(s.turned_words);
    free(s.right);
    free(s.left);
    free(s.gradient);
    free(trial);
    return status;
}
