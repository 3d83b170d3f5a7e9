/* eval_retrieval.c — is each sentence's translation found among all others: by vectors, and by
 * what needs none. Two files of vectors are compared row by row; sentences of a space as the
 * rest of align/ compares them, by banks. */
#include "align/eval.h"

#include <stdlib.h>
#include <string.h>

/* Of vl_bank_learn. */
enum { LEARN_ROUNDS = 4 };
/* What vl_bank_scores makes at once, and what fits into memory. */
static const size_t SCORES_MAX = (size_t)1 << 28;

typedef struct retrieval {
    align_eval *eval;
    align_match match;
    cJSON *methods;
    align_found *found; /* [src]: of the headline */
} retrieval;

static const align_side *side_of(const retrieval *r, size_t side) {
    return side ? &r->match.tgt : &r->match.src;
}

static void add_known(const retrieval *r, const double known[2]) {
    cJSON *out = cJSON_AddObjectToObject(r->eval->root, "known");
    cJSON_AddNumberToObject(out, "src", known[0]);
    cJSON_AddNumberToObject(out, "tgt", known[1]);
}

/* Both ways; `name` in "methods", and in the report itself when it is the headline. */
static vl_status rank_both(retrieval *r, const align_near *near, align_method method,
                           const char *name, bool headline) {
    align_ranks ranks[2];
    vl_status status = VL_OK;
    for (size_t back = 0; back < 2 && !status; back++)
        status = align_rank_vectors(near, method, &r->match, back, &ranks[back],
                                    headline && !back ? r->found : NULL, r->eval->error);
    if (status)
        return status;
    align_eval_add_ranks(cJSON_AddObjectToObject(r->methods, name), ranks, true);
    if (headline) {
        cJSON_AddStringToObject(r->eval->root, "method", name);
        align_eval_add_ranks(r->eval->root, ranks, true);
    }
    return VL_OK;
}

static vl_status rank_methods(retrieval *r, const align_near *near, align_method headline) {
    vl_status status = VL_OK;
    for (int m = 0; m < ALIGN_METHODS && !status; m++)
        status = rank_both(r, near, (align_method)m, align_method_name((align_method)m),
                           (int)headline == m);
    return status;
}

/* ---- two files of vectors ------------------------------------------------------------------
 */

static double known_share(const float *rows, size_t count, size_t width) {
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        bool any = false;
        for (size_t d = 0; d < width && !any; d++)
            any = rows[i * width + d] != 0;
        known += any;
    }
    return count ? (double)known / (double)count : 0;
}

static vl_status rank_files(retrieval *r) {
    align_eval *eval = r->eval;
    size_t width = align_source_width(eval->source);
    float *rows[2] = {NULL, NULL};
    double known[2] = {0};
    align_near near;
    vl_status status = VL_OK;
    for (size_t i = 0; i < 2 && !status; i++) {
        const align_side *side = side_of(r, i);
        rows[i] = malloc(side->count * width * sizeof **rows);
        status = rows[i] ? align_source_encode(eval->source, i, side->texts, side->count,
                                               rows[i], eval->error)
                         : vl_fail(eval->error, VL_ERR_MEMORY, "no memory for %zu sentences",
                                   side->count);
        if (!status)
            known[i] = known_share(rows[i], side->count, width);
    }
    if (!status) {
        add_known(r, known);
        status = align_near_init(&near, rows[0], r->match.src.count, rows[1],
                                 r->match.tgt.count, width, eval->error);
    }
    if (!status) {
        status = rank_methods(r, &near, ALIGN_CSLS);
        align_near_deinit(&near);
    }
    free(rows[0]);
    free(rows[1]);
    return status;
}

/* ---- a space -------------------------------------------------------------------------------
 */

/* "cosine" to "margin" of the banks as they are, or one ranking of what they learned. */
static vl_status rank_banks(retrieval *r, const vl_bank *a, const vl_bank *b, float *scores,
                            bool learned) {
    align_near near;
    vl_error *error = r->eval->error;
    vl_status status = vl_bank_scores(a, b, scores, error);
    if (!status)
        status =
            align_near_of_scores(&near, scores, r->match.src.count, r->match.tgt.count, error);
    if (status)
        return status;
    bool will_learn = r->match.src.count * r->match.tgt.count <= VL_BANK_LEARN_MAX;
    status = learned ? rank_both(r, &near, ALIGN_MARGIN, "self_learned", true)
                     : rank_methods(r, &near, will_learn ? ALIGN_METHODS : ALIGN_MARGIN);
    align_near_deinit(&near);
    return status;
}

static vl_status make_banks(const retrieval *r, const char *const languages[2],
                            vl_bank *banks[2]) {
    const vl_space *space = align_source_space(r->eval->source);
    vl_status status = VL_OK;
    banks[0] = banks[1] = NULL;
    for (size_t i = 0; i < 2 && !status; i++)
        status = vl_bank_new(space, languages[i], side_of(r, i)->texts, side_of(r, i)->count,
                             &banks[i], r->eval->error);
    return status;
}

static void free_banks(vl_bank *banks[2]) {
    vl_bank_free(banks[0]);
    vl_bank_free(banks[1]);
}

/* Room for the scores of all with all; NULL: too many. */
static float *scores_new(const retrieval *r) {
    size_t cells = r->match.src.count * r->match.tgt.count;
    float *scores = cells <= SCORES_MAX ? malloc(cells * sizeof *scores) : NULL;
    if (!scores)
        vl_fail(r->eval->error, cells > SCORES_MAX ? VL_ERR_LIMIT : VL_ERR_MEMORY,
                "%zu and %zu sentences are too many to be compared at once; --limit takes the "
                "first ones",
                r->match.src.count, r->match.tgt.count);
    return scores;
}

static vl_status rank_space(retrieval *r) {
    vl_bank *banks[2];
    vl_error *error = r->eval->error;
    float *scores = scores_new(r);
    if (!scores)
        return error->status;
    vl_status status =
        make_banks(r, (const char *[]){r->eval->how->src, r->eval->how->tgt}, banks);
    if (!status)
        status = rank_banks(r, banks[0], banks[1], scores, false);
    if (!status && r->match.src.count * r->match.tgt.count <= VL_BANK_LEARN_MAX) {
        status = vl_bank_learn(banks[0], banks[1], LEARN_ROUNDS, error);
        if (!status)
            status = rank_banks(r, banks[0], banks[1], scores, true);
    }
    free_banks(banks);
    free(scores);
    return status;
}

/* What a bank finds of languages that the space knows nothing of: names, numbers and loans. */
static vl_status rank_looks(retrieval *r, align_ranks ranks[2]) {
    vl_bank *banks[2];
    align_near near;
    float *scores = scores_new(r);
    if (!scores)
        return r->eval->error->status;
    vl_status status = make_banks(r, (const char *[]){"und", "und"}, banks);
    if (!status)
        status = vl_bank_scores(banks[0], banks[1], scores, r->eval->error);
    free_banks(banks);
    if (!status)
        status = align_near_of_scores(&near, scores, r->match.src.count, r->match.tgt.count,
                                      r->eval->error);
    if (!status) {
        for (size_t back = 0; back < 2 && !status; back++)
            status = align_rank_vectors(&near, ALIGN_MARGIN, &r->match, back, &ranks[back],
                                        NULL, r->eval->error);
        align_near_deinit(&near);
    }
    free(scores);
    return status;
}

/* ---- baselines -----------------------------------------------------------------------------
 */

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
    if (!status && align_source_space(eval->source)) {
        status = rank_looks(r, ranks);
        if (!status)
            align_eval_add_ranks(cJSON_AddObjectToObject(out, "looks"), ranks, true);
    }
    return status;
}

/* ---- what was found ------------------------------------------------------------------------
 */

static bool write_pair(const retrieval *r, const align_pair *pair, size_t i, vl_buf *out) {
    const align_found *found = &r->found[r->match.src.of_pair[i]];
    cJSON *line = cJSON_CreateObject();
    cJSON_AddNumberToObject(line, "line", (double)pair->line);
    if (*pair->id)
        cJSON_AddStringToObject(line, "id", pair->id);
    cJSON_AddStringToObject(line, "src", pair->src);
    cJSON_AddStringToObject(line, "tgt", pair->tgt);
    cJSON_AddStringToObject(line, "found", r->match.tgt.texts[found->best]);
    cJSON_AddNumberToObject(line, "place", (double)found->place.ahead + 1);
    cJSON_AddNumberToObject(line, "tied", (double)found->place.tied);
    char *text = cJSON_PrintUnformatted(line);
    if (text)
        vl_buf_printf(out, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(line);
    return text != NULL;
}

static vl_status write_details(const retrieval *r, const align_pairs *pairs) {
    vl_error *error = r->eval->error;
    vl_file_writer *writer;
    vl_buf line;
    vl_status status = vl_file_writer_open(r->eval->how->details, &writer, error);
    if (status)
        return status;
    vl_buf_init(&line, ALIGN_PAIRS_MAX_BYTES);
    for (size_t i = 0; i < pairs->count && !status; i++) {
        vl_buf_clear(&line);
        if (!write_pair(r, &pairs->items[i], i, &line) || line.failed)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for the details");
        else
            vl_file_writer_put(writer, line.data, line.len, NULL); /* the commit says it */
    }
    vl_buf_deinit(&line);
    if (!status)
        return vl_file_writer_commit(writer, error);
    vl_file_writer_abandon(writer);
    return status;
}

/* Share of the pairs for which the translation of the line before or after came first: more
 * than a few say that the lines of the two sides are shifted against each other. */
static double adjacent_share(const retrieval *r, const align_pairs *pairs) {
    const align_side *src = &r->match.src, *tgt = &r->match.tgt;
    size_t adjacent = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        const align_found *found = &r->found[src->of_pair[i]];
        bool before = i > 0 && tgt->of_pair[i - 1] == found->best;
        bool after = i + 1 < pairs->count && tgt->of_pair[i + 1] == found->best;
        adjacent += found->place.ahead && (before || after);
    }
    return (double)adjacent / (double)pairs->count;
}

vl_status align_eval_retrieval(align_eval *eval) {
    align_pairs pairs;
    retrieval r = {.eval = eval};
    vl_status status = align_eval_pairs(eval, &pairs);
    if (status)
        return status;
    status = align_match_make(&pairs, ALIGN_EVAL_SEED, &r.match, eval->error);
    if (!status && !(r.found = calloc(r.match.src.count + 1, sizeof *r.found)))
        status = vl_fail(eval->error, VL_ERR_MEMORY, "no memory for %zu pairs", pairs.count);
    if (!status) {
        cJSON_AddNumberToObject(eval->root, "candidates", (double)r.match.tgt.count);
        cJSON_AddNumberToObject(eval->root, "candidates_reverse", (double)r.match.src.count);
        r.methods = cJSON_CreateObject();
        status = align_source_space(eval->source) ? rank_space(&r) : rank_files(&r);
        cJSON_AddItemToObject(eval->root, "methods", r.methods); /* after the headline */
    }
    if (!status) {
        cJSON_AddNumberToObject(eval->root, "adjacent", adjacent_share(&r, &pairs));
        status = rank_baselines(&r);
    }
    if (!status && eval->how->details)
        status = write_details(&r, &pairs);
    free(r.found);
    align_match_deinit(&r.match);
    align_pairs_deinit(&pairs);
    return status;
}
