/* gloss.c — see gloss.h. Every different word is looked up once. */
#include "align/gloss.h"
#include "align/corpus.h"
#include "align/lookup.h"
#include "align/rows.h"

#include <stdlib.h>
#include <string.h>

/* Rows of the words of a corpus; zeros: nothing is known. */
static float *rows_of(const vl_embeddings *from, const align_corpus *corpus) {
    size_t dim = vl_embeddings_dim(from);
    float *rows = calloc(corpus->vocabulary * dim + 1, sizeof *rows);
    for (size_t i = 0; rows && i < corpus->vocabulary; i++)
        if (vl_embeddings_of(from, corpus->spelling[i], rows + i * dim, NULL))
            memset(rows + i * dim, 0, dim * sizeof *rows);
    if (rows)
        align_rows_unit(rows, corpus->vocabulary, dim);
    return rows;
}

static bool is_known(const float *row, size_t dim) {
    for (size_t i = 0; i < dim; i++)
        if (row[i] != 0)
            return true;
    return false;
}

/* Sentence i with each word's translation in its place, or NULL. */
static char *join_words(vl_arena *arena, const align_corpus *corpus, const char *const *words,
                        size_t i) {
    size_t bytes = 1, used = 0;
    for (size_t k = corpus->start[i]; k < corpus->start[i + 1]; k++)
        bytes += strlen(words[corpus->words[k]]) + 1;
    char *text = vl_arena_alloc(arena, bytes);
    for (size_t k = corpus->start[i]; text && k < corpus->start[i + 1]; k++) {
        size_t length = strlen(words[corpus->words[k]]);
        memcpy(text + used, words[corpus->words[k]], length);
        text[used + length] = ' ';
        used += length + 1;
    }
    return text;
}

static vl_status look_up(const align_corpus *corpus, const vl_embeddings *from,
                         const vl_embeddings *to, const char **words, vl_error *error) {
    vl_rows source = {.count = corpus->vocabulary, .dim = vl_embeddings_dim(from)},
            target = {0};
    vl_retrieval_options options = vl_retrieval_options_default();
    float *rows = rows_of(from, corpus), *score = malloc((source.count + 1) * sizeof *score);
    uint32_t *index = malloc((source.count + 1) * sizeof *index);
    vl_status status = rows && score && index
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for the words");
    source.data = rows;
    options.top = 1;
    if (!status)
        status = align_unit_rows(to, ALIGN_GLOSS_WORDS, &target, error);
    if (!status)
        status = vl_rows_retrieve(&source, &target, &options, index, score, error);
    for (size_t i = 0; i < source.count && !status; i++)
        words[i] = index[i] != UINT32_MAX && is_known(rows + i * source.dim, source.dim)
                       ? vl_embeddings_word(to, index[i])
                       : corpus->spelling[i];
    free(rows);
    free(score);
    free(index);
    free((void *)(uintptr_t)target.data);
    return status;
}

vl_status align_gloss(vl_arena *arena, const vl_embeddings *from, const vl_embeddings *to,
                      const char *const *texts, size_t count, const char *const **glosses,
                      vl_error *error) {
    align_corpus corpus;
    vl_status status = align_corpus_read(arena, texts, count, &corpus, error);
    if (status)
        return status;
    const char **words = vl_arena_array(arena, corpus.vocabulary + 1, sizeof *words);
    const char **out = vl_arena_array(arena, count + 1, sizeof *out);
    if (!words || !out)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the words");
    status = look_up(&corpus, from, to, words, error);
    for (size_t i = 0; i < count && !status; i++)
        if (!(out[i] = join_words(arena, &corpus, words, i)))
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for the words");
    *glosses = out;
    return status;
}
