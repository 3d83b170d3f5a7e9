/* learning.c — self-learning: a map gives a dictionary, a dictionary a map, until nothing gets
 * better. */
#include "align/learning.h"

#include "align/csls.h"
#include "align/lookup.h"
#include "align/procrustes.h"
#include "align/rows.h"
#include <vislang/kernel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    START_WORDS = 3000, /* that the unseeded start looks at */
    PATIENCE = 8,       /* rounds without gain until more pairs are kept */
    MAX_ROUNDS = 300,
};
static const double first_keep = 0.1, keep_growth = 2, least_gain = 1e-5;

/* ---- rows as they are mapped ----------------------------------------------------------- */

void align_prepare_rows(float *rows, size_t count, size_t dim, const float *mean) {
    align_rows_unit(rows, count, dim);
    align_rows_subtract(rows, count, dim, mean);
    align_rows_unit(rows, count, dim);
}

vl_status align_prepare(const vl_embeddings *embeddings, align_prepared *prepared,
                        vl_error *error) {
    *prepared = (align_prepared){0};
    vl_status status = align_unit_rows(embeddings, SIZE_MAX, &prepared->rows, error);
    if (status)
        return status;
    size_t count = prepared->rows.count, dim = prepared->rows.dim;
    prepared->mean = calloc(dim + 1, sizeof *prepared->mean);
    if (!prepared->mean) {
        align_prepared_deinit(prepared);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a mean");
    }
    float *rows = (float *)prepared->rows.data;
    align_rows_mean(rows, count, dim, prepared->mean);
    align_rows_subtract(rows, count, dim, prepared->mean);
    align_rows_unit(rows, count, dim);
    return VL_OK;
}

void align_prepared_deinit(align_prepared *prepared) {
    free((void *)prepared->rows.data);
    free(prepared->mean);
    *prepared = (align_prepared){0};
}

/* ---- pairs to matrices ------------------------------------------------------------------- */

void align_rows_pair_deinit(align_rows_pair *pairs) {
    free(pairs->left);
    free(pairs->right);
    *pairs = (align_rows_pair){.dim = pairs->dim};
}

vl_status align_rows_pair_grow(align_rows_pair *pairs, size_t count, size_t *at,
                               vl_error *error) {
    size_t need = pairs->count + count;
    if (need > pairs->room) {
        size_t room = need > 2 * pairs->room ? need : 2 * pairs->room;
        float *left = realloc(pairs->left, room * pairs->dim * sizeof *left);
        pairs->left = left ? left : pairs->left;
        float *right = realloc(pairs->right, room * pairs->dim * sizeof *right);
        pairs->right = right ? right : pairs->right;
        if (!left || !right)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pairs of vectors", room);
        pairs->room = room;
    }
    *at = pairs->count;
    pairs->count = need;
    return VL_OK;
}

static void copy_scaled(float *to, const float *from, size_t count, float scale) {
    for (size_t i = 0; i < count; i++)
        to[i] = scale * from[i];
}

vl_status align_rows_pair_add(align_rows_pair *pairs, const vl_rows *x, const vl_rows *z,
                              const align_seeds *seeds, double weight, vl_error *error) {
    size_t at, dim = pairs->dim;
    float scale = (float)sqrt(weight);
    vl_status status = align_rows_pair_grow(pairs, seeds->count, &at, error);
    for (size_t i = 0; i < seeds->count && !status; i++, at++) {
        copy_scaled(pairs->left + at * dim, x->data + seeds->items[i].source * dim, dim, scale);
        copy_scaled(pairs->right + at * dim, z->data + seeds->items[i].target * dim, dim,
                    scale);
    }
    return status;
}

vl_status align_rows_pair_join(align_rows_pair *pairs, const align_rows_pair *more,
                               double weight, vl_error *error) {
    size_t at, dim = pairs->dim;
    if (!more->count)
        return VL_OK;
    vl_status status = align_rows_pair_grow(pairs, more->count, &at, error);
    if (status)
        return status;
    copy_scaled(pairs->left + at * dim, more->left, more->count * dim, (float)sqrt(weight));
    copy_scaled(pairs->right + at * dim, more->right, more->count * dim, (float)sqrt(weight));
    return VL_OK;
}

/* ---- pairs to maps ----------------------------------------------------------------------- */

static void identity(float *matrix, size_t dim) {
    for (size_t i = 0; i < dim; i++)
        matrix[i * dim + i] = 1;
}

vl_status align_fit_init(align_fit *fit, size_t dim, vl_error *error) {
    *fit = (align_fit){.dim = dim};
    float **all[] = {&fit->rotation, &fit->x_map, &fit->z_map};
    for (size_t i = 0; i < 3; i++) {
        *all[i] = calloc(dim * dim + 1, sizeof(float));
        if (!*all[i]) {
            align_fit_deinit(fit);
            return vl_fail(error, VL_ERR_MEMORY, "no memory for matrices of %zu x %zu", dim,
                           dim);
        }
        identity(*all[i], dim);
    }
    return VL_OK;
}

void align_fit_deinit(align_fit *fit) {
    free(fit->rotation);
    free(fit->x_map);
    free(fit->z_map);
    *fit = (align_fit){0};
}

static void shrink(float *gram, size_t dim, double amount) {
    double trace = 0;
    for (size_t i = 0; i < dim; i++)
        trace += (double)gram[i * dim + i];
    for (size_t i = 0; i < dim; i++)
        gram[i * dim + i] += (float)(amount * trace / (double)dim);
}

vl_status align_fit_pairs(align_fit *fit, const align_rows_pair *pairs, vl_error *error) {
    size_t dim = fit->dim, cells = dim * dim, count = pairs->count;
    float *grams = calloc(3 * cells + 1, sizeof *grams);
    if (!grams)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for matrices of %zu x %zu", dim, dim);
    float *x = grams, *z = grams + cells, *cross = grams + 2 * cells;
    double amount = fmin(1, (double)dim / (double)(count ? count : 1));
    align_rows_cross(pairs->left, pairs->left, count, dim, x);
    align_rows_cross(pairs->right, pairs->right, count, dim, z);
    align_rows_cross(pairs->left, pairs->right, count, dim, cross);
    shrink(x, dim, amount);
    shrink(z, dim, amount);
    vl_status status = align_procrustes(cross, dim, fit->rotation, error);
    if (!status)
        status = align_reweigh(x, z, cross, dim, fit->x_map, fit->z_map, error);
    free(grams);
    return status;
}

/* ---- the matrix of a round ----------------------------------------------------------------
 */

static double length_of(const float *matrix, size_t cells) {
    double sum = 0;
    for (size_t i = 0; i < cells; i++)
        sum += (double)matrix[i] * (double)matrix[i];
    return sqrt(sum);
}

/* Adds the pairs that are held to those that were found, so that the share of either in the
 * matrix is by `held_weight`. */
static void add_held(const align_task *task, float *cross) {
    size_t cells = task->x.dim * task->x.dim;
    if (!task->held)
        return;
    double held = length_of(task->held, cells), found = length_of(cross, cells);
    float scale = held > 0 ? (float)(task->held_weight * (found > 0 ? found / held : 1)) : 0;
    for (size_t i = 0; i < cells; i++)
        cross[i] += scale * task->held[i];
}

/* ---- from nothing ------------------------------------------------------------------------ */

static int rising(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* profile [n][n]: row i holds the square-rooted similarities of word i with all others, sorted,
 * prepared as vectors are. The root of X·Xᵀ is P·Pᵀ with P = X·V·λ^−1/4·Vᵀ. */
static vl_status make_profile(const vl_rows *rows, size_t n, float *profile, vl_error *error) {
    size_t dim = rows->dim;
    float *gram = calloc(dim * dim, sizeof *gram), *root = calloc(dim * dim, sizeof *root);
    float *factor = calloc(n * dim, sizeof *factor), *mean = calloc(n, sizeof *mean);
    vl_status status = gram && root && factor && mean
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for similarities");
    if (!status) {
        align_rows_cross(rows->data, rows->data, n, dim, gram);
        status = align_gram_root(gram, dim, root, error);
    }
    if (!status) {
        align_rows_turn(rows->data, n, dim, root, factor);
        vl_gemm gemm = {
            .transpose_b = true, .m = n, .n = n, .k = dim, .lda = dim, .ldb = dim, .ldc = n};
        vl_gemm_run(&gemm, factor, factor, profile);
        for (size_t i = 0; i < n && !status; i++) {
            qsort(profile + i * n, n, sizeof *profile, rising);
            status = i % 256 ? VL_OK : vl_stop_check(error);
        }
        align_rows_unit(profile, n, n);
        align_rows_mean(profile, n, n, mean);
        align_rows_subtract(profile, n, n, mean);
        align_rows_unit(profile, n, n);
    }
    free(gram);
    free(root);
    free(factor);
    free(mean);
    return status;
}

/* The best of each side by CSLS, as pairs. */
static vl_status best_pairs(const align_pass *spaces, size_t k, double keep, uint64_t dice,
                            align_seeds *pairs, double *nearest, vl_error *error) {
    align_local local = {0};
    align_best x = {0}, z = {0};
    vl_status status = align_local_init(&local, spaces, k, error);
    if (!status)
        status = align_best_init(&x, spaces->x_count, 1, error);
    if (!status)
        status = align_best_init(&z, spaces->y_count, 1, error);
    align_pass pass = *spaces;
    pass.x_best = &x, pass.y_best = &z, pass.keep = keep, pass.dice = dice;
    pass.x_offset = local.x, pass.y_offset = local.y;
    if (!status)
        status = align_pass_run(&pass, error);
    pairs->count = 0;
    for (size_t i = 0; i < x.count && !status; i++)
        if (x.index[i] != UINT32_MAX)
            status = align_seeds_add(pairs, i, x.index[i], error);
    for (size_t j = 0; j < z.count && !status; j++)
        if (z.index[j] != UINT32_MAX)
            status = align_seeds_add(pairs, z.index[j], j, error);
    if (nearest)
        *nearest = local.nearest;
    align_local_deinit(&local);
    align_best_deinit(&x);
    align_best_deinit(&z);
    return status;
}

static vl_status map_of_pairs(const align_task *task, const align_seeds *pairs, bool held,
                              float *cross, float *w, vl_error *error) {
    align_rows_pair rows = {.dim = task->x.dim};
    vl_status status = align_rows_pair_add(&rows, &task->x, &task->z, pairs, 1, error);
    memset(cross, 0, sizeof *cross * rows.dim * rows.dim);
    if (!status)
        align_rows_cross(rows.left, rows.right, rows.count, rows.dim, cross);
    align_rows_pair_deinit(&rows);
    if (!status && held)
        add_held(task, cross);
    return status ? status : align_procrustes(cross, task->x.dim, w, error);
}

vl_status align_start_unseeded(const align_task *task, float *w, vl_error *error) {
    size_t n = task->x_words < task->z_words ? task->x_words : task->z_words;
    n = n < START_WORDS ? n : START_WORDS;
    float *x = malloc(sizeof *x * n * n), *z = malloc(sizeof *z * n * n);
    float *cross = calloc(task->x.dim * task->x.dim, sizeof *cross);
    align_seeds pairs = {0};
    vl_status status =
        x && z && cross ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for similarities");
    if (!status)
        status = make_profile(&task->x, n, x, error);
    if (!status)
        status = make_profile(&task->z, n, z, error);
    align_pass pass = {.x = x,
                       .y = z,
                       .x_count = n,
                       .y_count = n,
                       .dim = n,
                       .keep = 1,
                       .threads = task->threads};
    if (!status)
        status = best_pairs(&pass, task->k, 1, 0, &pairs, NULL, error);
    if (!status)
        status = map_of_pairs(task, &pairs, false, cross, w, error);
    align_seeds_deinit(&pairs);
    free(x);
    free(z);
    free(cross);
    return status;
}

/* ---- self-learning ------------------------------------------------------------------------
 */

typedef struct schedule {
    double keep, best; /* share of pairs that is looked at; the best objective so far */
    size_t since;      /* rounds without gain */
    bool done;
} schedule;

/* As VecMap does: keep more whenever PATIENCE rounds brought nothing; end when all are kept. */
static void step(schedule *s, double objective) {
    if (objective > s->best + least_gain) {
        s->best = objective;
        s->since = 0;
    } else if (++s->since >= PATIENCE) {
        s->done = s->keep >= 1;
        s->keep = fmin(1, s->keep * keep_growth);
        s->since = 0;
    }
}

vl_status align_self_learn(const align_task *task, float *w, size_t *rounds, vl_error *error) {
    size_t dim = task->x.dim;
    float *turned = malloc(sizeof *turned * (task->x_words * dim + 1));
    float *cross = malloc(sizeof *cross * dim * dim);
    align_seeds pairs = {0};
    schedule s = {.keep = first_keep, .best = -INFINITY};
    vl_status status =
        turned && cross ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to learn a map");
    uint64_t dice = task->dice;
    for (*rounds = 0; !status && !s.done && *rounds < MAX_ROUNDS; ++*rounds) {
        double nearest;
        align_rows_turn(task->x.data, task->x_words, dim, w, turned);
        align_pass pass = {.x = turned,
                           .x_count = task->x_words,
                           .y = task->z.data,
                           .y_count = task->z_words,
                           .dim = dim,
                           .threads = task->threads};
        status =
            best_pairs(&pass, task->k, s.keep, vl_random_next(&dice), &pairs, &nearest, error);
        if (!status)
            status = map_of_pairs(task, &pairs, true, cross, w, error);
        step(&s, nearest);
    }
    align_seeds_deinit(&pairs);
    free(turned);
    free(cross);
    return status;
}

/* ---- mutual nearest neighbours --------------------------------------------------------------
 */

static vl_status turned_rows(const vl_rows *rows, size_t count, const float *map, float **out,
                             vl_error *error) {
    size_t dim = rows->dim;
    *out = malloc(sizeof **out * (count * dim + 1));
    if (!*out)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors", count);
    if (map)
        align_rows_turn(rows->data, count, dim, map, *out);
    else
        memcpy(*out, rows->data, count * dim * sizeof **out);
    align_rows_unit(*out, count, dim);
    return VL_OK;
}

static vl_status keep_mutual(const align_best *x, const align_best *z, const align_local *local,
                             align_mutual *mutual, vl_error *error) {
    double sum = 0;
    vl_status status = VL_OK;
    mutual->score = malloc(sizeof *mutual->score * (x->count + 1));
    if (!mutual->score)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pairs", x->count);
    for (size_t i = 0; i < x->count && !status; i++) {
        uint32_t j = x->index[i];
        if (j == UINT32_MAX || z->index[j] != i)
            continue;
        mutual->score[mutual->pairs.count] = 2 * (x->value[i] - local->x[i]);
        sum += (double)mutual->score[mutual->pairs.count];
        status = align_seeds_add(&mutual->pairs, i, j, error);
    }
    mutual->mean = mutual->pairs.count ? sum / (double)mutual->pairs.count : 0;
    return status;
}

vl_status align_mutual_find(const align_task *task, const float *x_map, const float *z_map,
                            align_mutual *mutual, vl_error *error) {
    float *x = NULL, *z = NULL;
    align_local local = {0};
    align_best x_best = {0}, z_best = {0};
    *mutual = (align_mutual){0};
    vl_status status = turned_rows(&task->x, task->x_words, x_map, &x, error);
    if (!status)
        status = turned_rows(&task->z, task->z_words, z_map, &z, error);
    align_pass pass = {.x = x,
                       .y = z,
                       .x_count = task->x_words,
                       .y_count = task->z_words,
                       .dim = task->x.dim,
                       .keep = 1,
                       .threads = task->threads};
    if (!status)
        status = align_local_init(&local, &pass, task->k, error);
    if (!status)
        status = align_best_init(&x_best, task->x_words, 1, error);
    if (!status)
        status = align_best_init(&z_best, task->z_words, 1, error);
    pass.x_best = &x_best, pass.y_best = &z_best, pass.x_offset = local.x,
    pass.y_offset = local.y;
    if (!status)
        status = align_pass_run(&pass, error);
    if (!status)
        status = keep_mutual(&x_best, &z_best, &local, mutual, error);
    if (status)
        align_mutual_deinit(mutual);
    align_best_deinit(&x_best);
    align_best_deinit(&z_best);
    align_local_deinit(&local);
    free(x);
    free(z);
    return status;
}

void align_mutual_deinit(align_mutual *mutual) {
    align_seeds_deinit(&mutual->pairs);
    free(mutual->score);
    *mutual = (align_mutual){0};
}
