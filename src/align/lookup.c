/* lookup.c — words of a dictionary in a space, and the rows of a space as they are compared. */
#include "align/lookup.h"

#include "align/rows.h"
#include "align/tokens.h"

#include <stdlib.h>
#include <string.h>

size_t align_lookup(const vl_embeddings *embeddings, vl_arena *scratch, const char *word) {
    size_t at = vl_embeddings_find(embeddings, word), count;
    align_token *tokens;
    if (at != SIZE_MAX)
        return at;
    vl_arena_reset(scratch);
    if (align_tokens(scratch, word, &tokens, &count, NULL) || count != 1)
        return SIZE_MAX;
    return vl_embeddings_find(embeddings, tokens[0].word);
}

vl_status align_unit_rows(const vl_embeddings *embeddings, size_t max, vl_rows *rows,
                          vl_error *error) {
    size_t count = vl_embeddings_count(embeddings), dim = vl_embeddings_dim(embeddings), bad;
    count = count < max ? count : max;
    float *data = malloc(sizeof *data * (count * dim + 1));
    *rows = (vl_rows){0};
    if (!data)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors of %zu numbers", count,
                       dim);
    for (size_t i = 0; i < count; i++)
        memcpy(data + i * dim, vl_embeddings_row(embeddings, i), dim * sizeof *data);
    if (!align_rows_finite(data, count, dim, &bad)) {
        free(data);
        return vl_fail(error, VL_ERR_INPUT,
                       "the vector of '%.60s' has numbers that are not finite",
                       vl_embeddings_word(embeddings, bad));
    }
    align_rows_unit(data, count, dim);
    *rows = (vl_rows){.data = data, .count = count, .dim = dim};
    return VL_OK;
}
