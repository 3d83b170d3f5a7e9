/* known_words.c — products of meanings, joined to a table of cognates (known_words.h). */
#include "align/known_words.h"

#include "align/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float LEAST = 0.3F;

/* Rows of meanings whose length is how sure each is, [vocabulary][units]. */
static vl_status meanings_of(const align_corpus *corpus, const vl_space *space,
                             const space_words *words, sparse *out, vl_error *error) {
    vl_status status = sparse_init(out, corpus->vocabulary, align_space_units(space), error);
    for (size_t i = 0; !status && i < corpus->vocabulary; i++) {
        align_meaning meaning[ALIGN_MEANING_MAX];
        sparse_entry entries[ALIGN_MEANING_MAX];
        size_t n = align_space_meaning(words, corpus->spelling[i], meaning);
        float square = 0, sure = 0;
        for (size_t k = 0; k < n; k++) {
            square += meaning[k].weight * meaning[k].weight;
            sure += meaning[k].weight;
        }
        float scale = square > 0 ? fminf(sure, 1) / sqrtf(square) : 0;
        for (size_t k = 0; k < n; k++)
            entries[k] = (sparse_entry){meaning[k].unit, scale * meaning[k].weight};
        status = sparse_add_row(out, entries, n, error);
    }
    if (status)
        sparse_deinit(out);
    return status;
}

typedef struct best {
    uint32_t column;
    float value;
} best;

static size_t keep(best *kept, size_t count, best one) {
    size_t at = count < ALIGN_TRANSLATIONS ? count++ : ALIGN_TRANSLATIONS - 1;
    if (count == ALIGN_TRANSLATIONS && at == ALIGN_TRANSLATIONS - 1 &&
        kept[at].value >= one.value)
        return count;
    for (; at && kept[at - 1].value < one.value; at--)
        kept[at] = kept[at - 1];
    kept[at] = one;
    return count;
}

static int by_column(const void *a, const void *b) {
    const best *x = a, *y = b;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* One row of the result: what cognates and meanings (in `scores`, which become zeros) say. */
static size_t join(const align_table *cognates, size_t row, float *scores, size_t columns,
                   best *out) {
    size_t count = 0;
    for (size_t i = cognates->start[row]; i < cognates->start[row + 1]; i++)
        scores[cognates->column[i]] =
            fmaxf(scores[cognates->column[i]], fmaxf(cognates->value[i], LEAST));
    for (size_t c = 0; c < columns; c++)
        if (scores[c] >= LEAST)
            count = keep(out, count, (best){(uint32_t)c, scores[c]});
    for (size_t i = cognates->start[row]; i < cognates->start[row + 1]; i++)
        for (size_t k = 0; k < count; k++)
            if (out[k].column == cognates->column[i] && out[k].value <= LEAST)
                out[k].value = cognates->value[i];
    memset(scores, 0, columns * sizeof *scores);
    qsort(out, count, sizeof *out, by_column);
    return count;
}

static vl_status join_all(vl_arena *arena, const sparse *a, const sparse *turned,
                          const align_table *cognates, align_table *known, vl_error *error) {
    size_t rows = a->rows, columns = turned->columns, at = 0;
    size_t room = rows * ALIGN_TRANSLATIONS;
    float *scores = vl_arena_array(arena, columns + 1, sizeof *scores);
    *known = (align_table){.rows = rows,
                           .start = vl_arena_array(arena, rows + 1, sizeof *known->start),
                           .column = vl_arena_array(arena, room + 1, sizeof *known->column),
                           .value = vl_arena_array(arena, room + 1, sizeof *known->value)};
    if (!scores || !known->start || !known->column || !known->value)
        return vl_fail(error, VL_ERR_MEMORY,
                       "not enough memory for the words of these documents");
    for (size_t r = 0; r < rows; r++) {
        best row[ALIGN_TRANSLATIONS];
        sparse_multiply_row(a, r, turned, scores);
        size_t count = join(cognates, r, scores, columns, row);
        for (size_t k = 0; k < count; k++, at++) {
            known->column[at] = row[k].column;
            known->value[at] = row[k].value;
        }
        known->start[r + 1] = at;
    }
    return VL_OK;
}

vl_status align_known_words(vl_arena *arena, const align_corpus *a, const align_corpus *b,
                            const vl_space *space, const char *a_language,
                            const char *b_language, const align_table *cognates,
                            align_table *known, vl_error *error) {
    const space_words *a_words = align_space_words(space, a_language);
    const space_words *b_words = align_space_words(space, b_language);
    sparse of_a = {0}, of_b = {0}, turned = {0};
    *known = *cognates;
    if (!a_words || !b_words || !a->vocabulary || !b->vocabulary)
        return VL_OK;
    vl_status status = meanings_of(a, space, a_words, &of_a, error);
    if (!status)
        status = meanings_of(b, space, b_words, &of_b, error);
    if (!status)
        status = sparse_transpose(&of_b, &turned, error);
    if (!status)
        status = join_all(arena, &of_a, &turned, cognates, known, error);
    sparse_deinit(&of_a);
    sparse_deinit(&of_b);
    sparse_deinit(&turned);
    return status;
}
