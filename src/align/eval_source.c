/* eval_source.c — see eval.h: where the vectors of a measurement come from. */
#include "align/eval.h"
#include "align/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BYTES = 256 << 20 };

struct align_source {
    vl_embeddings *files[2]; /* owned */
    size_t width;
};

static void describe_file(cJSON *space, const char *name, const char *path,
                          const vl_embeddings *words) {
    cJSON *one = cJSON_AddObjectToObject(space, name);
    cJSON_AddStringToObject(one, "file", path);
    cJSON_AddNumberToObject(one, "words", (double)vl_embeddings_count(words));
}

static vl_status open_files(align_eval *eval) {
    const vl_align_evaluation *how = eval->how;
    align_source *s = eval->source;
    vl_status status =
        vl_embeddings_read(how->src_vectors, how->vocabulary, &s->files[0], eval->error);
    if (!status)
        status =
            vl_embeddings_read(how->tgt_vectors, how->vocabulary, &s->files[1], eval->error);
    if (status)
        return status;
    uint32_t dims[] = {vl_embeddings_dim(s->files[0]), vl_embeddings_dim(s->files[1])};
    if (dims[0] != dims[1])
        return vl_fail(eval->error, VL_ERR_INPUT,
                       "%s has vectors of %u numbers and %s of %u: they are in no common space",
                       how->src_vectors, dims[0], how->tgt_vectors, dims[1]);
    s->width = dims[0];
    cJSON *space = cJSON_AddObjectToObject(eval->root, "space");
    cJSON_AddNumberToObject(space, "width", (double)s->width);
    describe_file(space, "src", how->src_vectors, s->files[0]);
    describe_file(space, "tgt", how->tgt_vectors, s->files[1]);
    return VL_OK;
}

vl_status align_source_open(align_eval *eval) {
    const vl_align_evaluation *how = eval->how;
    if (!(eval->source = calloc(1, sizeof *eval->source)))
        return vl_fail(eval->error, VL_ERR_MEMORY, "no memory for vectors");
    if (how->src_vectors)
        return open_files(eval);
    return vl_fail(eval->error, VL_ERR_USAGE,
                   "where are the vectors? --src-vectors and --tgt-vectors name them");
}

void align_source_free(align_source *source) {
    if (!source)
        return;
    vl_embeddings_free(source->files[0]);
    vl_embeddings_free(source->files[1]);
    free(source);
}

size_t align_source_width(const align_source *source) {
    return source->width;
}

const vl_embeddings *align_source_words(const align_source *source, size_t side) {
    return source->files[side];
}

/* How often a word is, of all words: what the file says, else Zipf's law by its place. */
static double probability(const vl_embeddings *words, size_t at, double total) {
    if (at == SIZE_MAX)
        return 0;
    return total > 0 ? (double)vl_embeddings_frequency(words, at) / total
                     : 0.1 / (double)(at + 1);
}

/* Smooth inverse frequency: Arora, Liang and Ma 2017, eq. 3, a = 0.001. */
static void add_token(const vl_embeddings *words, const char *word, double total, float *one,
                      float *row) {
    double p = probability(words, vl_embeddings_find(words, word), total);
    if (vl_embeddings_of(words, word, one, NULL))
        return; /* nothing is known of it */
    for (size_t i = 0; i < vl_embeddings_dim(words); i++)
        row[i] += (float)(1e-3 / (1e-3 + p)) * one[i];
}

static void make_unit(float *row, size_t width) {
    double sum = 0;
    for (size_t i = 0; i < width; i++)
        sum += (double)row[i] * (double)row[i];
    for (size_t i = 0; i < width; i++)
        row[i] = sum > 0 ? (float)((double)row[i] / sqrt(sum)) : 0;
}

vl_status align_source_encode(const align_source *source, size_t side, const char *const *texts,
                              size_t count, float *out, vl_error *error) {
    const vl_embeddings *words = source->files[side];
    size_t width = source->width, tokens_count;
    align_token *tokens;
    double total = 0;
    vl_status status = VL_OK;
    vl_arena *arena = vl_arena_new(SCRATCH_BYTES);
    float *one = malloc(width * sizeof *one);
    if (!arena || !one)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for sentences");
    for (size_t i = 0; i < vl_embeddings_count(words); i++)
        total += (double)vl_embeddings_frequency(words, i);
    for (size_t i = 0; i < count && !status; i++) {
        float *row = out + i * width;
        memset(row, 0, width * sizeof *row);
        vl_arena_reset(arena);
        status = align_tokens(arena, texts[i], &tokens, &tokens_count, error);
        for (size_t k = 0; k < tokens_count && !status; k++)
            add_token(words, tokens[k].word, total, one, row);
        make_unit(row, width);
    }
    free(one);
    vl_arena_free(arena);
    return status;
}
