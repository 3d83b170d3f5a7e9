/* sif.c — smooth inverse frequency: sentence vectors without training. */
#include "align/rows.h"
#include "align/tokens.h"

#include <vislang/align.h>
#include <vislang/kernel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMPONENT_LEAST = 20, ITERATIONS = 30, SCRATCH_BYTES = 512 << 20 };
static const double SMOOTH = 1e-3;

typedef struct encoder {
    const vl_embeddings *embeddings;
    vl_arena *arena;
    double words; /* sum of frequencies; 0: ranks count, by Zipf's law */
    double zipf;  /* sum of 1 / (rank + 2.7) */
    float *vector;
} encoder;

static double probability(const encoder *e, const char *word) {
    size_t at = vl_embeddings_find(e->embeddings, word);
    if (at == SIZE_MAX)
        return 0;
    return e->words > 0 ? (double)vl_embeddings_frequency(e->embeddings, at) / e->words
                        : 1 / ((double)at + 2.7) / e->zipf;
}

static vl_status encode_one(const encoder *e, const char *text, float *row, vl_error *error) {
    align_token *tokens;
    size_t count, dim = vl_embeddings_dim(e->embeddings);
    vl_arena_reset(e->arena);
    vl_status status = align_tokens(e->arena, text, &tokens, &count, error);
    for (size_t k = 0; k < count && !status; k++) {
        if (vl_embeddings_of(e->embeddings, tokens[k].word, e->vector, NULL))
            continue;
        double weight = SMOOTH / (SMOOTH + probability(e, tokens[k].word));
        vl_kernels_get()->axpy(row, (float)weight, e->vector, dim);
    }
    /* Words' numbers may be as large as 1e15, and what they add up to is squared later. */
    float most = 0;
    for (size_t d = 0; d < dim; d++)
        most = fmaxf(most, fabsf(row[d]));
    for (size_t d = 0; d < dim && most > 0; d++)
        row[d] /= most;
    return status;
}

/* Takes the first right singular vector out of unit rows, by power iteration. */
static bool remove_component(float *rows, size_t count, size_t dim) {
    const vl_kernels *kernel = vl_kernels_get();
    float *axis = malloc(2 * dim * sizeof *axis), *next = axis + dim;
    if (!axis)
        return false;
    for (size_t d = 0; d < dim; d++)
        axis[d] = 1 + (float)(d % 3);
    align_rows_unit(axis, 1, dim);
    for (int round = 0; round < ITERATIONS; round++) {
        memset(next, 0, dim * sizeof *next);
        for (size_t i = 0; i < count; i++)
            kernel->axpy(next, kernel->dot(rows + i * dim, axis, dim), rows + i * dim, dim);
        memcpy(axis, next, dim * sizeof *axis);
        align_rows_unit(axis, 1, dim);
    }
    for (size_t i = 0; i < count; i++)
        kernel->axpy(rows + i * dim, -kernel->dot(rows + i * dim, axis, dim), axis, dim);
    free(axis);
    return true;
}

vl_status vl_sif_encode(const vl_embeddings *embeddings, const char *const *sentences,
                        size_t count, float *rows, vl_error *error) {
    size_t dim = vl_embeddings_dim(embeddings);
    encoder e = {.embeddings = embeddings, .arena = vl_arena_new(SCRATCH_BYTES)};
    vl_status status = VL_OK;
    e.vector = malloc(dim * sizeof *e.vector);
    memset(rows, 0, count * dim * sizeof *rows);
    for (size_t i = 0; i < vl_embeddings_count(embeddings); i++) {
        e.words += (double)vl_embeddings_frequency(embeddings, i);
        e.zipf += 1 / ((double)i + 2.7);
    }
    if (!e.arena || !e.vector)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for vectors of sentences");
    for (size_t i = 0; i < count && !status; i++)
        status = encode_one(&e, sentences[i], rows + i * dim, error);
    align_rows_unit(rows, count, dim);
    if (!status && count >= COMPONENT_LEAST && !remove_component(rows, count, dim))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for vectors of sentences");
    align_rows_unit(rows, count, dim);
    free(e.vector);
    vl_arena_free(e.arena);
    return status;
}
