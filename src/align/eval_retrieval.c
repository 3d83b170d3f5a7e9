/* eval_retrieval.c — is each sentence's translation found among all others: by vectors, and by
 * what needs none. */
#include "align/eval.h"

#include <stdlib.h>
#include <string.h>

/* The method whose figures are the headline: as the rest of align/ looks for sentences. */
static const align_method headline = ALIGN_CSLS;

typedef struct retrieval {
    align_eval *eval;
    align_match match;
    float *rows[2]; /* of the distinct texts of either side */
} retrieval;

static const align_side *side_of(const retrieval *r, size_t side) {
    return side ? &r->match.tgt : &r->match.src;
}

static vl_status encode_sides(retrieval *r) {
    const align_source *source = r->eval->source;
    size_t width = align_source_width(source);
    for (size_t i = 0; i < 2; i++) {
        const align_side *side = side_of(r, i);
        r->rows[i] = malloc(side->count * width * sizeof(float));
        if (!r->rows[i])
            return vl_fail(r->eval->error, VL_ERR_MEMORY, "no memory for %zu sentences",
                           side->count);
        vl_status status = align_source_encode(source, i, side->texts, side->count, r->rows[i],
                                               r->eval->error);
        if (status)
            return status;
    }
    return VL_OK;
}

/* Share of the sentences of which something is known. */
static double known_share(const retrieval *r, size_t side) {
    size_t width = align_source_width(r->eval->source), count = side_of(r, side)->count;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        const float *row = r->rows[side] + i * width;
        bool any = false;
        for (size_t d = 0; d < width && !any; d++)
            any = row[d] != 0;
        known += any;
    }
    return count ? (double)known / (double)count : 0;
}

static vl_status rank_methods(retrieval *r) {
    align_near near;
    align_eval *eval = r->eval;
    vl_status status =
        align_near_init(&near, r->rows[0], r->match.src.count, r->rows[1], r->match.tgt.count,
                        align_source_width(eval->source), eval->error);
    if (status)
        return status;
    cJSON *methods = cJSON_CreateObject(); /* after the headline */
    for (size_t m = 0; m < ALIGN_METHODS && !status; m++) {
        align_ranks ranks[2];
        for (size_t back = 0; back < 2 && !status; back++)
            status = align_rank_vectors(&near, (align_method)m, &r->match, back, &ranks[back],
                                        eval->error);
        if (status)
            break;
        align_eval_add_ranks(
            cJSON_AddObjectToObject(methods, align_method_name((align_method)m)), ranks, true);
        if (m == headline)
            align_eval_add_ranks(eval->root, ranks, true);
    }
    cJSON_AddItemToObject(eval->root, "methods", methods);
    align_near_deinit(&near);
    return status;
}

/* What a random order would find: of every query, its right ones among all candidates. */
static align_ranks chance_of(const align_side *queries, size_t candidates) {
    align_ranks ranks = {0};
    for (size_t i = 0; i < queries->count; i++) {
        size_t right = queries->from[i + 1] - queries->from[i];
        align_ranks_add(&ranks, (align_place){0, right, candidates - right},
                        queries->weight[i]);
    }
    align_ranks_finish(&ranks);
    return ranks;
}

static vl_status rank_baselines(retrieval *r) {
    align_eval *eval = r->eval;
    const align_match *m = &r->match;
    align_ranks ranks[2] = {chance_of(&m->src, m->tgt.count), chance_of(&m->tgt, m->src.count)};
    cJSON *out = cJSON_AddObjectToObject(eval->root, "baselines");
    cJSON_AddNumberToObject(eval->root, "chance", ranks[0].at1);
    align_eval_add_ranks(cJSON_AddObjectToObject(out, "chance"), ranks, false);
    vl_status status = align_rank_identical(m, ranks, eval->error);
    if (!status) {
        align_eval_add_ranks(cJSON_AddObjectToObject(out, "identical_strings"), ranks, true);
        status = align_rank_length(m, ranks, eval->error);
    }
    if (!status)
        align_eval_add_ranks(cJSON_AddObjectToObject(out, "length"), ranks, true);
    return status;
}

static void add_counts(const retrieval *r) {
    cJSON *root = r->eval->root;
    cJSON_AddNumberToObject(root, "candidates", (double)r->match.tgt.count);
    cJSON_AddNumberToObject(root, "candidates_reverse", (double)r->match.src.count);
    cJSON_AddStringToObject(root, "method", align_method_name(headline));
    cJSON *known = cJSON_AddObjectToObject(root, "known");
    cJSON_AddNumberToObject(known, "src", known_share(r, 0));
    cJSON_AddNumberToObject(known, "tgt", known_share(r, 1));
}

vl_status align_eval_retrieval(align_eval *eval) {
    align_pairs pairs;
    retrieval r = {.eval = eval};
    vl_status status = align_eval_pairs(eval, &pairs);
    if (status)
        return status;
    status = align_match_make(&pairs, ALIGN_EVAL_SEED, &r.match, eval->error);
    if (!status)
        status = encode_sides(&r);
    if (!status) {
        add_counts(&r);
        status = rank_methods(&r);
    }
    if (!status)
        status = rank_baselines(&r);
    free(r.rows[0]);
    free(r.rows[1]);
    align_match_deinit(&r.match);
    align_pairs_deinit(&pairs);
    return status;
}
