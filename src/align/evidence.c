/* evidence.c — for each sentence and each span of up to ALIGN_BEAD_SIDE sentences of the other
 * document, the sum above, as running sums along the sentences, so that any bead's is a
 * difference of two. Each direction has its own view of the band, seen from the document whose
 * spans are the condition. */
#include "align/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows: sentences of the condition; a row's cells: sentences of the other, low … high - 1. */
typedef struct view {
    size_t rows;
    uint32_t *low, *high; /* [rows] */
    size_t *start;        /* [rows + 1]: where the running sums of a row begin, high - low + 1
                             of each span's length */
    float *sums;          /* of a row: [ALIGN_BEAD_SIDE][high - low + 1] */
} view;

struct align_evidence {
    view of_b, of_a; /* of_b: rows are sentences of a */
};

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "not enough memory for two documents of this size");
}

static bool view_init(vl_arena *arena, view *v, size_t rows) {
    v->rows = rows;
    v->low = vl_arena_array(arena, rows + 1, sizeof *v->low);
    v->high = vl_arena_array(arena, rows + 1, sizeof *v->high);
    v->start = vl_arena_array(arena, rows + 1, sizeof *v->start);
    return v->low && v->high && v->start;
}

static bool view_finish(vl_arena *arena, view *v) {
    for (size_t r = 0; r < v->rows; r++)
        v->start[r + 1] = v->start[r] + (size_t)(v->high[r] - v->low[r] + 1) * ALIGN_BEAD_SIDE;
    v->sums = vl_arena_array(arena, v->start[v->rows] + 1, sizeof *v->sums);
    return v->sums;
}

/* A bead that ends at (i, j) uses rows i-m … i-1 and columns j-n … j-1, and both its nodes are
 * in the band; so a row's cells reach from the first node of four rows before to the last node
 * of five rows behind. */
static bool view_of_rows(vl_arena *arena, const align_band *band, view *v) {
    if (!view_init(arena, v, band->a_count))
        return false;
    for (size_t r = 0; r < v->rows; r++) {
        size_t before = r + 1 > ALIGN_BEAD_SIDE ? r + 1 - ALIGN_BEAD_SIDE : 0;
        size_t behind = r + ALIGN_BEAD_SIDE < v->rows ? r + ALIGN_BEAD_SIDE : v->rows;
        v->low[r] = band->low[before];
        v->high[r] = band->high[behind];
    }
    return view_finish(arena, v);
}

/* The same cells, column by column. */
static bool view_of_columns(vl_arena *arena, const view *rows, size_t columns, view *v) {
    if (!view_init(arena, v, columns))
        return false;
    size_t low = 0, high = 0;
    for (size_t c = 0; c < columns; c++) {
        while (low < rows->rows && rows->high[low] <= c)
            low++;
        while (high < rows->rows && rows->low[high] <= c)
            high++;
        v->low[c] = (uint32_t)(low < high ? low : high);
        v->high[c] = (uint32_t)high;
    }
    return view_finish(arena, v);
}

/* ---- sums -------------------------------------------------------------------------------- */

typedef struct scorer {
    const align_corpus *given, *told; /* sentences of `told` beside spans of `given` */
    const align_table *t;             /* rows: words of `given` */
    const float *scale;               /* of each word of `told`: (1 - λ) / p */
    const float *left; /* of each word of `given`: 1 - Σ t, what it leaves open */
    float lambda;
    float *weight; /* of each word of `told`: scaled Σ t over the span */
} scorer;

static void scatter(const scorer *x, size_t sentence, bool set) {
    const align_corpus *given = x->given;
    for (size_t k = given->start[sentence]; k < given->start[sentence + 1]; k++) {
        uint32_t word = given->words[k];
        for (size_t i = x->t->start[word]; i < x->t->start[word + 1]; i++) {
            uint32_t column = x->t->column[i];
            x->weight[column] = set ? x->weight[column] + x->t->value[i] * x->scale[column] : 0;
        }
    }
}

/* One logarithm for many words: their product, taken apart before it could overflow. */
static double sentence_sum(const scorer *x, size_t sentence, float base, float per_word) {
    enum { AT_ONCE = 24 };
    const uint32_t *words = x->told->words + x->told->start[sentence];
    size_t count = x->told->start[sentence + 1] - x->told->start[sentence];
    double sum = 0;
    while (count) {
        size_t now = count < AT_ONCE ? count : AT_ONCE;
        double product = 1;
        for (size_t k = 0; k < now; k++)
            product *= (double)(base + x->weight[words[k]] * per_word);
        sum += log(product);
        words += now;
        count -= now;
    }
    return sum;
}

static void fill_row(const scorer *x, const view *v, size_t row) {
    float open = 1; /* the empty word's share */
    size_t words = 0, cells = v->high[row] - v->low[row];
    for (size_t m = 1; m <= ALIGN_BEAD_SIDE && m <= row + 1; m++) {
        size_t sentence = row + 1 - m;
        float *sums = v->sums + v->start[row] + (m - 1) * (cells + 1);
        scatter(x, sentence, true);
        words += x->given->start[sentence + 1] - x->given->start[sentence];
        for (size_t k = x->given->start[sentence]; k < x->given->start[sentence + 1]; k++)
            open += x->left[x->given->words[k]];
        float per_word = 1 / (float)(words + 1);
        float base = x->lambda + (1 - x->lambda) * open * per_word;
        double sum = 0;
        for (size_t c = 0; c < cells; c++) {
            sum += sentence_sum(x, v->low[row] + c, base, per_word);
            sums[c + 1] = (float)sum;
        }
    }
    for (size_t m = 1; m <= ALIGN_BEAD_SIDE && m <= row + 1; m++)
        scatter(x, row + 1 - m, false);
}

static vl_status fill(vl_arena *arena, const align_corpus *given, const align_corpus *told,
                      const align_table *t, float lambda, view *v, vl_error *error) {
    float *scale = vl_arena_array(arena, told->vocabulary + 1, sizeof *scale);
    float *weight = vl_arena_array(arena, told->vocabulary + 1, sizeof *weight);
    float *left = vl_arena_array(arena, given->vocabulary + 1, sizeof *left);
    if (!scale || !weight || !left)
        return no_memory(error);
    for (size_t w = 0; w < given->vocabulary; w++) {
        left[w] = 1;
        for (size_t k = t->start[w]; k < t->start[w + 1]; k++)
            left[w] -= t->value[k];
    }
    double all = (double)told->start[told->count] + 0.5 * (double)told->vocabulary;
    for (size_t w = 0; w < told->vocabulary; w++)
        scale[w] = (float)((1 - (double)lambda) * all / ((double)told->frequency[w] + 0.5));
    scorer x = {given, told, t, scale, left, lambda, weight};
    vl_status status = VL_OK;
    for (size_t row = 0; row < v->rows && !status; row++) {
        fill_row(&x, v, row);
        status = vl_stop_check(error);
    }
    return status;
}

vl_status align_evidence_new(vl_arena *arena, const align_band *band, const align_corpus *a,
                             const align_corpus *b, const align_table *b_given_a,
                             const align_table *a_given_b, float lambda,
                             align_evidence **evidence, vl_error *error) {
    align_evidence *e = vl_arena_alloc(arena, sizeof *e);
    if (!e || !view_of_rows(arena, band, &e->of_b) ||
        !view_of_columns(arena, &e->of_b, band->b_count, &e->of_a))
        return no_memory(error);
    vl_status status = fill(arena, a, b, b_given_a, lambda, &e->of_b, error);
    if (!status)
        status = fill(arena, b, a, a_given_b, lambda, &e->of_a, error);
    *evidence = e;
    return status;
}

/* Over the sentences from … to - 1 beside the `span` sentences that end at `row`. */
static double of_view(const view *v, size_t row, size_t span, size_t from, size_t to) {
    size_t cells = v->high[row] - v->low[row];
    const float *sums = v->sums + v->start[row] + (span - 1) * (cells + 1);
    return (double)sums[to - v->low[row]] - (double)sums[from - v->low[row]];
}

double align_evidence_of(const align_evidence *evidence, size_t i, size_t j, size_t m,
                         size_t n) {
    return (of_view(&evidence->of_b, i - 1, m, j - n, j) +
            of_view(&evidence->of_a, j - 1, n, i - m, i)) /
           2;
}
