/* reader_choice.c — a session with a prior over characters: who knows that a page is Amharic
 * does not ask for Burmese. What cannot stand there loses its row of the last layer, which is
 * most of that layer's work and of the softmax after it; the logarithm of the others' prior is
 * added to their biases, so that the softmax gives p(character | picture) · prior, normalised.
 */
#include "model/reader_use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void reader_choice_free(reader_choice *c) {
    vl_reader_alphabet_free(c->alphabet);
    free(c->prior);
    free(c->from);
    free(c->shift);
    reader_matrix_deinit(&c->matrix);
    free(c->bias);
    *c = (reader_choice){0};
}

/* The characters that may be read; returns how many. */
static size_t possible(const vl_reader *reader, const float *prior, uint32_t *characters) {
    size_t count = 0;
    for (size_t i = 1; i <= reader->config.symbols; i++)
        if (prior[i] > 0)
            characters[count++] = vl_reader_alphabet_at(reader->alphabet, i);
    return count;
}

/* The rows of the last layer that are left. */
static void take_rows(const vl_reader *reader, reader_choice *c) {
    reader_affine last = reader->net->symbols;
    const vl_param *bias = vl_params_at(reader->params, last.bias);
    const float *biases = vl_params_values(reader->params) + bias->offset;
    const reader_matrix *all = reader->matrix ? &reader->matrix[last.weight] : NULL;
    for (size_t i = 0; i < c->matrix.n; i++) {
        size_t row = (size_t)c->from[i];
        c->shift[i] = logf(c->prior[row]);
        c->bias[i] = biases[row] + c->shift[i];
        if (!all)
            continue;
        memcpy(c->matrix.q + i * all->k, all->q + row * all->k, all->k);
        c->matrix.scale[i] = all->scale[row];
    }
    if (all)
        vl_int8_pack(c->matrix.packed, c->matrix.q, c->matrix.n, c->matrix.k);
}

vl_status reader_choice_make(const vl_reader *reader, const float *prior, reader_choice *c,
                             vl_error *error) {
    size_t symbols = (size_t)reader->config.symbols + 1;
    uint32_t *list = calloc(symbols, sizeof *list);
    size_t n = list ? possible(reader, prior, list) : 0;
    *c = (reader_choice){0};
    c->alphabet = n ? reader_alphabet_of(list, n) : NULL;
    free(list);
    if (!n || !(prior[0] > 0))
        return vl_fail(error, VL_ERR_USAGE, "a prior that leaves nothing to be read");
    c->prior = malloc(symbols * sizeof *c->prior);
    c->from = calloc(n + 1, sizeof *c->from);
    c->shift = calloc(n + 1, sizeof *c->shift);
    c->bias = calloc(n + 1, sizeof *c->bias);
    bool room = reader_matrix_init(&c->matrix, n + 1, reader->config.width);
    if (!c->alphabet || !c->prior || !c->from || !c->shift || !c->bias || !room) {
        reader_choice_free(c);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a choice of characters");
    }
    memcpy(c->prior, prior, symbols * sizeof *prior);
    for (size_t i = 1; i <= n; i++) /* from[0] is the blank */
        c->from[i] =
            vl_reader_alphabet_label(reader->alphabet, vl_reader_alphabet_at(c->alphabet, i));
    take_rows(reader, c);
    return VL_OK;
}
