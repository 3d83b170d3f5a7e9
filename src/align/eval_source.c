/* eval_source.c — see eval.h: where the vectors of a measurement come from. */
#include "align/eval.h"

#include <vislang/text.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct align_source {
    vl_space *space;         /* NULL: two files */
    vl_embeddings *words[2]; /* of the files, or of the space when they were asked for */
    const char *languages[2];
    size_t width;
};

/* ---- two files --------------------------------------------------------------------------- */

static void describe_file(cJSON *space, const char *name, const char *path,
                          const vl_embeddings *words) {
    cJSON *one = cJSON_AddObjectToObject(space, name);
    cJSON_AddStringToObject(one, "file", path);
    cJSON_AddNumberToObject(one, "words", (double)vl_embeddings_count(words));
}

static vl_status open_files(align_eval *eval, align_source *s) {
    const vl_align_evaluation *how = eval->how;
    vl_status status =
        vl_embeddings_read(how->src_vectors, how->vocabulary, &s->words[0], eval->error);
    if (!status)
        status =
            vl_embeddings_read(how->tgt_vectors, how->vocabulary, &s->words[1], eval->error);
    if (status)
        return status;
    uint32_t dims[] = {vl_embeddings_dim(s->words[0]), vl_embeddings_dim(s->words[1])};
    if (dims[0] != dims[1])
        return vl_fail(eval->error, VL_ERR_INPUT,
                       "%s has vectors of %u numbers and %s of %u: they are in no common space",
                       how->src_vectors, dims[0], how->tgt_vectors, dims[1]);
    s->width = dims[0];
    cJSON *space = cJSON_AddObjectToObject(eval->root, "space");
    cJSON_AddNumberToObject(space, "width", (double)s->width);
    describe_file(space, "src", how->src_vectors, s->words[0]);
    describe_file(space, "tgt", how->tgt_vectors, s->words[1]);
    return VL_OK;
}

/* ---- a space ----------------------------------------------------------------------------- */

/* What the space's own card says of a language, where it says anything. */
static void describe_language(cJSON *out, const char *name, const cJSON *card,
                              const char *language) {
    const cJSON *languages = cJSON_GetObjectItem(card, "languages");
    const char *const codes[] = {vl_lang_code(language), vl_lang_short(vl_lang_code(language)),
                                 language};
    for (size_t i = 0; i < 3; i++) {
        const cJSON *one = cJSON_GetObjectItem(languages, codes[i]);
        if (one) {
            cJSON_AddItemToObject(out, name, cJSON_Duplicate(one, true));
            return;
        }
    }
}

static vl_status describe_missing(align_eval *eval, const align_source *s, const bool has[2]) {
    const char *const *asked = s->languages;
    cJSON *missing = cJSON_AddArrayToObject(eval->root, "missing");
    cJSON *there = cJSON_AddArrayToObject(eval->root, "languages");
    vl_buf list;
    vl_buf_init(&list, 4096);
    for (size_t i = 0; i < 2; i++)
        if (!has[i])
            cJSON_AddItemToArray(missing, cJSON_CreateString(asked[i]));
    for (size_t i = 0; i < vl_space_count(s->space); i++) {
        const char *code = vl_lang_short(vl_space_language(s->space, i));
        cJSON_AddItemToArray(there, cJSON_CreateString(code));
        vl_buf_printf(&list, "%s%s", i ? ", " : "", code);
    }
    vl_fail(eval->error, VL_ERR_MISSING, "the space has no '%s'%s%s%s; it has %.300s",
            asked[has[0]], has[0] || has[1] ? "" : " and no '",
            has[0] || has[1] ? "" : asked[1], has[0] || has[1] ? "" : "'",
            list.data ? list.data : "none");
    vl_buf_deinit(&list);
    return VL_ERR_MISSING;
}

static vl_status open_space(align_eval *eval, align_source *s) {
    const vl_align_evaluation *how = eval->how;
    vl_status status = vl_space_open(how->space, &s->space, eval->error);
    if (status)
        return status;
    bool has[] = {vl_space_has(s->space, how->src), vl_space_has(s->space, how->tgt)};
    if (!has[0] || !has[1])
        return describe_missing(eval, s, has);
    cJSON *space = cJSON_AddObjectToObject(eval->root, "space");
    cJSON *card = cJSON_Parse(vl_space_card(s->space));
    cJSON_AddStringToObject(space, "file", how->space ? how->space : "bundled");
    cJSON_AddNumberToObject(space, "languages", (double)vl_space_count(s->space));
    describe_language(space, "src", card, how->src);
    describe_language(space, "tgt", card, how->tgt);
    cJSON_Delete(card);
    return VL_OK;
}

static bool is_bundled(void) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/models/align.bin", vl_data_dir());
    return access(path, R_OK) == 0;
}

vl_status align_source_open(align_eval *eval, bool spare) {
    const vl_align_evaluation *how = eval->how;
    bool named = how->space || how->src_vectors;
    if (spare && !named && !is_bundled()) {
        cJSON_AddNullToObject(eval->root, "space");
        return VL_OK;
    }
    align_source *s = calloc(1, sizeof *s);
    if (!s)
        return vl_fail(eval->error, VL_ERR_MEMORY, "no memory for vectors");
    s->languages[0] = how->src;
    s->languages[1] = how->tgt;
    vl_status status = how->src_vectors ? open_files(eval, s) : open_space(eval, s);
    if (!status) {
        eval->source = s;
        return VL_OK;
    }
    align_source_free(s);
    if (!spare || status != VL_ERR_MISSING || named)
        return status;
    cJSON_DeleteItemFromObject(eval->root, "missing");
    cJSON_DeleteItemFromObject(eval->root, "languages");
    cJSON_AddNullToObject(eval->root, "space");
    return VL_OK;
}

void align_source_free(align_source *source) {
    if (!source)
        return;
    vl_embeddings_free(source->words[0]);
    vl_embeddings_free(source->words[1]);
    vl_space_free(source->space);
    free(source);
}

const vl_space *align_source_space(const align_source *source) {
    return source->space;
}

size_t align_source_width(const align_source *source) {
    return source->width;
}

vl_status align_source_words(align_source *source, size_t side, const vl_embeddings **words,
                             vl_error *error) {
    vl_status status = source->words[side]
                           ? VL_OK
                           : vl_space_vectors(source->space, source->languages[side],
                                              &source->words[side], error);
    *words = source->words[side];
    return status;
}

/* ---- sentences --------------------------------------------------------------------------- */

vl_status align_source_encode(const align_source *source, size_t side, const char *const *texts,
                              size_t count, float *out, vl_error *error) {
    return vl_sif_encode(source->words[side], texts, count, out, error);
}
