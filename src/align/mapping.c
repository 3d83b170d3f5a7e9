/* mapping.c — a map of two languages as it is used: made, applied to rows, to a whole space. */
#include "align/ladder.h"
#include "align/rows.h"

#include <stdlib.h>
#include <string.h>

enum { MIN_WORDS = 2 };

const char *vl_rung_name(vl_rung rung) {
    static const char *const names[] = {"none", "identical", "cognates", "dictionary", "auto"};
    return rung <= VL_RUNG_AUTO ? names[rung] : "unknown";
}

vl_map_options vl_map_options_default(void) {
    return (vl_map_options){
        .rung = VL_RUNG_AUTO, .max_words = 4000, .k = 10, .refine = true, .seed = 1};
}

/* ---- making ------------------------------------------------------------------------------ */

static float *copy_of(const float *values, size_t count) {
    float *copy = malloc(sizeof *copy * (count + 1));
    if (copy)
        memcpy(copy, values, sizeof *copy * count);
    return copy;
}

vl_status align_map_new(size_t dim, const float *source_mean, const float *source_turn,
                        const float *target_mean, const float *target_turn, vl_map **map,
                        vl_error *error) {
    *map = calloc(1, sizeof **map);
    if (!*map)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a map");
    (*map)->dim = dim;
    (*map)->mean[VL_SOURCE] = copy_of(source_mean, dim);
    (*map)->mean[VL_TARGET] = copy_of(target_mean, dim);
    bool there = (*map)->mean[VL_SOURCE] && (*map)->mean[VL_TARGET];
    if (source_turn)
        there = ((*map)->turn[VL_SOURCE] = copy_of(source_turn, dim * dim)) && there;
    if (target_turn)
        there = ((*map)->turn[VL_TARGET] = copy_of(target_turn, dim * dim)) && there;
    if (there)
        return VL_OK;
    vl_map_free(*map);
    *map = NULL;
    return vl_fail(error, VL_ERR_MEMORY, "no memory for a map");
}

void vl_map_free(vl_map *map) {
    if (!map)
        return;
    for (int side = VL_SOURCE; side <= VL_TARGET; side++) {
        free(map->mean[side]);
        free(map->turn[side]);
    }
    free(map);
}

size_t vl_map_dim(const vl_map *map) {
    return map->dim;
}

vl_status align_map_check(const vl_embeddings *source, const vl_embeddings *target,
                          const vl_map_options *options, vl_error *error) {
    if (vl_embeddings_dim(source) != vl_embeddings_dim(target))
        return vl_fail(error, VL_ERR_INPUT,
                       "vectors of %u numbers cannot be mapped to vectors of %u; train both "
                       "with the same --dim",
                       vl_embeddings_dim(source), vl_embeddings_dim(target));
    if (vl_embeddings_count(source) < MIN_WORDS || vl_embeddings_count(target) < MIN_WORDS)
        return vl_fail(error, VL_ERR_INPUT,
                       "a space of %zu and one of %zu words: there is "
                       "nothing to map",
                       vl_embeddings_count(source), vl_embeddings_count(target));
    if (options->rung > VL_RUNG_AUTO || !options->k || options->k > 1000 || !options->max_words)
        return vl_fail(error, VL_ERR_USAGE, "k is from 1 to 1000, and words are learned on");
    if (options->rung == VL_RUNG_DICTIONARY && !options->dictionary)
        return vl_fail(error, VL_ERR_USAGE, "no dictionary was given");
    return VL_OK;
}

vl_status vl_map_learn(const vl_embeddings *source, const vl_embeddings *target,
                       const vl_map_options *options, vl_map **map, vl_map_report *report,
                       vl_error *error) {
    *map = NULL;
    *report = (vl_map_report){0};
    vl_status status = align_map_check(source, target, options, error);
    if (status)
        return status;
    align_ladder ladder;
    align_fit fit = {0};
    size_t dim = vl_embeddings_dim(source);
    status = align_ladder_init(&ladder, source, target, options, NULL, error);
    if (!status)
        status = align_fit_init(&fit, dim, error);
    if (!status)
        status = align_ladder_climb(&ladder, &fit, report, error);
    bool still = options->keep_target;
    if (!status)
        status = align_map_new(dim, ladder.x.mean,
                               still && !options->rcsls ? fit.rotation : fit.x_map,
                               ladder.z.mean, still ? NULL : fit.z_map, map, error);
    align_fit_deinit(&fit);
    align_ladder_deinit(&ladder);
    return status;
}

/* ---- use --------------------------------------------------------------------------------- */

vl_status vl_map_apply(const vl_map *map, vl_side side, const float *in, size_t count,
                       float *out, vl_error *error) {
    size_t bad, dim = map->dim;
    if (!align_rows_finite(in, count, dim, &bad))
        return vl_fail(error, VL_ERR_INPUT, "row %zu has numbers that are not finite", bad);
    if (out != in)
        memmove(out, in, sizeof *out * count * dim);
    align_prepare_rows(out, count, dim, map->mean[side]);
    if (map->turn[side]) {
        float *turned = malloc(sizeof *turned * (count * dim + 1));
        if (!turned)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors", count);
        align_rows_turn(out, count, dim, map->turn[side], turned);
        memcpy(out, turned, sizeof *out * count * dim);
        free(turned);
    }
    align_rows_unit(out, count, dim);
    return VL_OK;
}

vl_status vl_map_embeddings(const vl_map *map, vl_side side, const vl_embeddings *in,
                            vl_embeddings **out, vl_error *error) {
    size_t count = vl_embeddings_count(in), dim = map->dim;
    *out = NULL;
    if (vl_embeddings_dim(in) != dim)
        return vl_fail(error, VL_ERR_INPUT, "a map of %zu numbers, vectors of %u", dim,
                       vl_embeddings_dim(in));
    float *rows = malloc(sizeof *rows * (count * dim + 1));
    const char **words = calloc(count + 1, sizeof *words);
    uint64_t *frequencies = calloc(count + 1, sizeof *frequencies);
    vl_status status = rows && words && frequencies
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors", count);
    for (size_t i = 0; i < count && !status; i++) {
        words[i] = vl_embeddings_word(in, i);
        frequencies[i] = vl_embeddings_frequency(in, i);
        memcpy(rows + i * dim, vl_embeddings_row(in, i), dim * sizeof *rows);
    }
    if (!status)
        status = vl_map_apply(map, side, rows, count, rows, error);
    if (!status)
        status = vl_embeddings_new(words, frequencies, rows, count, (uint32_t)dim, out, error);
    if (status)
        free(rows);
    free(words);
    free(frequencies);
    return status;
}
