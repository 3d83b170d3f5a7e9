/* sparse.c — compressed rows (sparse.h). */
#include "align/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

vl_status sparse_init(sparse *m, size_t rows, size_t columns, vl_error *error) {
    *m = (sparse){.columns = columns, .from = calloc(rows + 1, sizeof *m->from)};
    return m->from ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for %zu rows", rows);
}

void sparse_deinit(sparse *m) {
    free(m->from);
    free(m->column);
    free(m->value);
    *m = (sparse){0};
}

static vl_status make_room(sparse *m, size_t needed, vl_error *error) {
    if (needed <= m->room)
        return VL_OK;
    size_t room = needed > 2 * m->room ? needed : 2 * m->room;
    uint32_t *column = realloc(m->column, room * sizeof *column);
    if (column)
        m->column = column;
    float *value = realloc(m->value, room * sizeof *value);
    if (value)
        m->value = value;
    if (!column || !value)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu entries of sparse rows", room);
    m->room = room;
    return VL_OK;
}

static int by_column(const void *a, const void *b) {
    const sparse_entry *x = a, *y = b;
    return x->column < y->column ? -1 : x->column > y->column;
}

vl_status sparse_add_row(sparse *m, sparse_entry *entries, size_t count, vl_error *error) {
    size_t at = m->from[m->rows];
    vl_status status = make_room(m, at + count, error);
    if (status)
        return status;
    if (count)
        qsort(entries, count, sizeof *entries, by_column);
    for (size_t i = 0; i < count; i++) {
        if (i && entries[i].column == entries[i - 1].column) {
            m->value[at - 1] += entries[i].value;
            continue;
        }
        m->column[at] = entries[i].column;
        m->value[at++] = entries[i].value;
    }
    m->from[++m->rows] = at;
    return VL_OK;
}

void sparse_weigh(sparse *m, const float *weights, float length) {
    for (size_t r = 0; r < m->rows; r++) {
        float square = 0;
        for (size_t i = m->from[r]; i < m->from[r + 1]; i++) {
            m->value[i] = sqrtf(m->value[i]) * weights[m->column[i]];
            square += m->value[i] * m->value[i];
        }
        float scale = square > 0 ? length / sqrtf(square) : 0;
        for (size_t i = m->from[r]; i < m->from[r + 1]; i++)
            m->value[i] *= scale;
    }
}

vl_status sparse_copy(const sparse *m, sparse *out, vl_error *error) {
    vl_status status = sparse_init(out, m->rows, m->columns, error);
    size_t count = m->from[m->rows];
    if (!status)
        status = make_room(out, count + 1, error);
    if (status) {
        sparse_deinit(out);
        return status;
    }
    out->rows = m->rows;
    memcpy(out->from, m->from, (m->rows + 1) * sizeof *m->from);
    if (count) {
        memcpy(out->column, m->column, count * sizeof *m->column);
        memcpy(out->value, m->value, count * sizeof *m->value);
    }
    return VL_OK;
}

void sparse_rename(sparse *m, const uint32_t *map, size_t columns) {
    size_t to = 0, at = 0;
    for (size_t r = 0; r < m->rows; r++) {
        for (; at < m->from[r + 1]; at++) {
            if (map[m->column[at]] == UINT32_MAX)
                continue;
            m->column[to] = map[m->column[at]];
            m->value[to++] = m->value[at];
        }
        m->from[r + 1] = to;
    }
    m->columns = columns;
}

vl_status sparse_transpose(const sparse *m, sparse *out, vl_error *error) {
    size_t count = m->from[m->rows];
    vl_status status = sparse_init(out, m->columns + 1, m->rows, error);
    if (!status)
        status = make_room(out, count + 1, error);
    if (status) {
        sparse_deinit(out);
        return status;
    }
    out->rows = m->columns;
    for (size_t i = 0; i < count; i++)
        out->from[m->column[i] + 2]++;
    for (size_t c = 0; c < m->columns; c++)
        out->from[c + 1] += out->from[c];
    /* from[c + 1] is where the next entry of column c goes, and ends where c ends. */
    for (size_t r = 0; r < m->rows; r++)
        for (size_t i = m->from[r]; i < m->from[r + 1]; i++) {
            size_t at = out->from[m->column[i] + 1]++;
            out->column[at] = (uint32_t)r;
            out->value[at] = m->value[i];
        }
    return VL_OK;
}

void sparse_multiply_row(const sparse *m, size_t row, const sparse *turned, float *scores) {
    for (size_t i = m->from[row]; i < m->from[row + 1]; i++) {
        size_t from = turned->from[m->column[i]], to = turned->from[m->column[i] + 1];
        float value = m->value[i];
        for (size_t k = from; k < to; k++)
            scores[turned->column[k]] += value * turned->value[k];
    }
}
