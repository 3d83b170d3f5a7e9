/* bank_scores.c — how alike all sentences of two banks are (bank.h). */
#include "align/bank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool bank_is_second_anchor(const vl_bank *a, const vl_bank *b) {
    return a->is_hub != b->is_hub ? b->is_hub : b->serial < a->serial;
}

/* ---- one set of columns for both ----------------------------------------------------------
 */

/* Columns of the features of both, by their hashes. Returns how many there are. */
static size_t join_columns(const vl_bank *a, const vl_bank *b, uint32_t *map_a,
                           uint32_t *map_b) {
    size_t i = 0, k = 0, column = 0;
    for (; i < a->feature_id_count || k < b->feature_id_count; column++) {
        bool in_a = i < a->feature_id_count, in_b = k < b->feature_id_count;
        if (in_a && in_b) {
            in_a = a->feature_ids[i] <= b->feature_ids[k];
            in_b = b->feature_ids[k] <= a->feature_ids[i];
        }
        if (in_a)
            map_a[i++] = (uint32_t)column;
        if (in_b)
            map_b[k++] = (uint32_t)column;
    }
    return column;
}

/* In how many rows each column is: a part of one where it is there in part. */
static void count_rows(const sparse *m, float *rows) {
    for (size_t i = 0; i < m->from[m->rows]; i++)
        rows[m->column[i]] += m->value[i] < 1 ? m->value[i] : 1;
}

static void count_rows_whole(const sparse *m, float *rows) {
    for (size_t i = 0; i < m->from[m->rows]; i++)
        rows[m->column[i]]++;
}

/* Two weighed matrices over the same columns, each row of the length `length`. */
typedef struct channel {
    sparse a, b;
} channel;

static void channel_deinit(channel *c) {
    sparse_deinit(&c->a);
    sparse_deinit(&c->b);
}

static vl_status make_looks(const vl_bank *a, const vl_bank *b, float length, channel *out,
                            vl_error *error) {
    size_t most = a->feature_id_count + b->feature_id_count + 1;
    uint32_t *maps = malloc(most * sizeof *maps);
    float *weights = calloc(most, sizeof *weights);
    *out = (channel){0};
    vl_status status = maps && weights ? sparse_copy(&a->looks, &out->a, error)
                                       : vl_fail(error, VL_ERR_MEMORY, "no memory for scores");
    if (!status)
        status = sparse_copy(&b->looks, &out->b, error);
    if (!status) {
        uint32_t *map_b = maps + a->feature_id_count;
        size_t columns = join_columns(a, b, maps, map_b);
        float all = (float)(a->count + b->count);
        sparse_rename(&out->a, maps, columns);
        sparse_rename(&out->b, map_b, columns);
        count_rows_whole(&out->a, weights);
        count_rows_whole(&out->b, weights);
        for (size_t i = 0; i < columns; i++)
            weights[i] = logf((all + 1) / weights[i]);
        sparse_weigh(&out->a, weights, length);
        sparse_weigh(&out->b, weights, length);
    } else {
        channel_deinit(out);
    }
    free(maps);
    free(weights);
    return status;
}

/* Units that the anchor's side has not got say nothing, nor do words of its own that the other
 * side has no link to. */
static void weigh_units(const vl_bank *anchor, float *of_anchor, const float *of_other,
                        size_t columns, uint32_t *keep) {
    size_t units = align_space_units(anchor->space);
    for (size_t i = 0; i < columns; i++) {
        bool useful = of_anchor[i] > 0 && (i < units || of_other[i] > 0);
        float most = fmaxf(fmaxf(of_anchor[i], of_other[i]), 0.5F);
        keep[i] = useful ? (uint32_t)i : UINT32_MAX;
        of_anchor[i] = logf(1 + (float)anchor->count / most);
    }
}

static vl_status make_meanings(const vl_bank *anchor, const vl_bank *other, float length,
                               sparse *of_anchor, sparse *of_other, vl_error *error) {
    size_t columns = bank_columns(anchor->space, anchor);
    float *rows = calloc(2 * columns, sizeof *rows);
    uint32_t *keep = malloc(columns * sizeof *keep);
    vl_status status = rows && keep ? bank_meanings(anchor, anchor, of_anchor, error)
                                    : vl_fail(error, VL_ERR_MEMORY, "no memory for scores");
    if (!status)
        status = bank_meanings(other, anchor, of_other, error);
    if (!status) {
        count_rows(of_anchor, rows);
        count_rows(of_other, rows + columns);
        weigh_units(anchor, rows, rows + columns, columns, keep);
        sparse_rename(of_anchor, keep, columns);
        sparse_rename(of_other, keep, columns);
        sparse_weigh(of_anchor, rows, length);
        sparse_weigh(of_other, rows, length);
    }
    free(rows);
    free(keep);
    return status;
}

/* scores += a · bᵀ */
static vl_status multiply(const channel *c, float *scores, vl_error *error) {
    sparse turned;
    vl_status status = sparse_transpose(&c->b, &turned, error);
    for (size_t r = 0; !status && r < c->a.rows; r++) {
        sparse_multiply_row(&c->a, r, &turned, scores + r * c->b.rows);
        status = vl_stop_check(error);
    }
    sparse_deinit(&turned);
    return status;
}

vl_status vl_bank_scores(const vl_bank *a, const vl_bank *b, float *scores, vl_error *error) {
    channel looks, meanings = {0};
    bool second = bank_is_second_anchor(a, b);
    float part = 1 / (1 + BANK_LOOKS);
    if (a->space != b->space)
        return vl_fail(error, VL_ERR_USAGE, "the two banks are of different spaces");
    memset(scores, 0, a->count * b->count * sizeof *scores);
    vl_status status = make_looks(a, b, sqrtf(1 - part), &looks, error);
    if (!status)
        status = multiply(&looks, scores, error);
    channel_deinit(&looks);
    if (status)
        return status;
    status = second ? make_meanings(b, a, sqrtf(part), &meanings.b, &meanings.a, error)
                    : make_meanings(a, b, sqrtf(part), &meanings.a, &meanings.b, error);
    if (!status)
        status = multiply(&meanings, scores, error);
    channel_deinit(&meanings);
    return status;
}

/* ---- margins -------------------------------------------------------------------------------
 */

enum { NEAREST = VL_BANK_NEAREST };

static void keep_greatest(float *best, float one) {
    if (one <= best[NEAREST - 1])
        return;
    size_t at = NEAREST - 1;
    for (; at && best[at - 1] < one; at--)
        best[at] = best[at - 1];
    best[at] = one;
}

/* Means of the NEAREST greatest of each row and column, or of all where there are fewer. `best`
 * [columns][NEAREST] is zeros. */
static void nearest_means(const float *scores, size_t rows, size_t columns, float *best,
                          float *of_rows, float *of_columns) {
    size_t in_row = columns < NEAREST ? columns : NEAREST;
    size_t in_column = rows < NEAREST ? rows : NEAREST;
    for (size_t r = 0; r < rows; r++) {
        float row[NEAREST] = {0}, sum = 0;
        for (size_t c = 0; c < columns; c++) {
            keep_greatest(row, scores[r * columns + c]);
            keep_greatest(best + c * NEAREST, scores[r * columns + c]);
        }
        for (size_t k = 0; k < in_row; k++)
            sum += row[k];
        of_rows[r] = sum / (float)in_row;
    }
    for (size_t c = 0; c < columns; c++) {
        of_columns[c] = 0;
        for (size_t k = 0; k < in_column; k++)
            of_columns[c] += best[c * NEAREST + k] / (float)in_column;
    }
}

vl_status vl_bank_margins(float *scores, size_t rows, size_t columns, vl_error *error) {
    float *means = malloc((rows + columns + 1) * sizeof *means);
    float *best = calloc(columns + 1, NEAREST * sizeof *best);
    vl_status status =
        means && best ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for margins");
    if (!status)
        nearest_means(scores, rows, columns, best, means, means + rows);
    for (size_t r = 0; !status && r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            float mean = (means[r] + means[rows + c]) / 2;
            scores[r * columns + c] /= fmaxf(mean, 1e-6F);
        }
    free(means);
    free(best);
    return status;
}
